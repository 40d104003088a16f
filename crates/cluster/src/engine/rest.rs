//! Whether a network has come to rest.

use std::collections::BTreeSet;

use base::NodeId;
use chain::Work;
use node::Strategy;
use scenario::{Plan, World};

use super::wiring::Wiring;

/// Whether all honest nodes that run, are not paused and can reach each other, by links on which something gets through, follow chains of equal work, the most that
/// any of them knows.
pub(super) fn is_at_rest(plan: &Plan, world: &World, wiring: &Wiring) -> bool {
    let takes_part = |node: NodeId| {
        let is_honest = match plan.nodes[node.index()].strategy {
            Strategy::Honest => true,
            Strategy::Hostile => false,
        };
        let facts = world.node(node);
        is_honest && facts.running && !facts.paused
    };
    let mut left: BTreeSet<NodeId> = plan.node_ids().filter(|node| takes_part(*node)).collect();
    while let Some(first) = left.pop_first() {
        let component = component(first, &mut left, world, wiring);
        if !is_agreed(&component, world) {
            return false;
        }
    }
    true
}

/// Takes out of `left` all nodes that can be reached from `first`, and gives them with it.
fn component(first: NodeId, left: &mut BTreeSet<NodeId>, world: &World, wiring: &Wiring) -> Vec<NodeId> {
    let mut found = vec![first];
    let mut next = 0;
    while let Some(node) = found.get(next).copied() {
        next += 1;
        for peer in &world.node(node).peers {
            let reaches = world.connected(node, *peer) && !wiring.is_cut(node, *peer);
            if reaches && left.remove(peer) {
                found.push(*peer);
            }
        }
    }
    found
}

fn is_agreed(nodes: &[NodeId], world: &World) -> bool {
    let most: Option<Work> = nodes.iter().map(|node| world.node(*node).most_work).max();
    nodes.iter().all(|node| Some(world.node(*node).tip.chain_work) == most)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base::Time;
    use chain::uint::U256;
    use chain::{Block, BlockId, Header, Height, Params};
    use node::event::TipRef;
    use node::{Event, TipChange};
    use scenario::{Conditions, Overrides, parse};

    use super::*;

    const A: NodeId = NodeId(0);
    const B: NodeId = NodeId(1);

    /// Two nodes that run and are connected.
    fn network() -> (Plan, World, Wiring) {
        let text = "[network]\nnodes = 2\n[steps]\nrun = [ { mine = 1, on = \"n0\" } ]";
        let plan = parse("rest.toml", text, &Overrides::default()).unwrap();
        let mut world = World::new(&plan);
        for (node, peer) in [(A, B), (B, A)] {
            world.node_started(node);
            let connected = Event::PeerConnected {
                peer,
                outbound: node == A,
                agent: String::new(),
            };
            world.observe(Time::ZERO, node, &connected);
        }
        let wiring = Wiring::new(&plan);
        (plan, world, wiring)
    }

    /// The node connects a child of the genesis block, and follows it or not.
    fn connect(world: &mut World, node: NodeId, follows: bool) {
        let body = Params::instant().genesis_block();
        let parent = body.id();
        let header = Header { parent, ..*body.header }.into();
        let body = Arc::new(Block { header, ..body });
        let place = |block: BlockId, height: u32, work: u64| TipRef {
            block,
            height: Height(height),
            chain_work: Work(U256::from(work)),
        };
        let (old, new) = (place(parent, 0, 2), place(body.id(), 1, 4));
        let connected = Event::BlockConnected {
            block: new.block,
            parent,
            height: new.height,
            chain_work: new.chain_work,
            txs: 1,
            bytes: body.bytes(),
            body,
        };
        world.observe(Time::ZERO, node, &connected);
        if follows {
            let how = TipChange::Extend;
            world.observe(Time::ZERO, node, &Event::TipChanged { old, new, how });
        }
    }

    #[test]
    fn connected_nodes_rest_when_their_tips_have_equal_work() {
        let (plan, mut world, wiring) = network();
        assert!(is_at_rest(&plan, &world, &wiring));
        connect(&mut world, A, true);
        assert!(!is_at_rest(&plan, &world, &wiring));
        connect(&mut world, B, true);
        assert!(is_at_rest(&plan, &world, &wiring));
    }

    #[test]
    fn a_node_that_does_not_follow_the_most_work_it_knows_is_not_at_rest() {
        let (plan, mut world, wiring) = network();
        connect(&mut world, A, false);
        assert!(!is_at_rest(&plan, &world, &wiring));
    }

    #[test]
    fn nodes_that_cannot_reach_each_other_need_not_agree() {
        let (plan, mut world, mut wiring) = network();
        connect(&mut world, A, true);
        let cut = Conditions {
            cut: true,
            ..Conditions::default()
        };
        wiring.set(B, A, cut);
        assert!(is_at_rest(&plan, &world, &wiring));
        wiring.set(B, A, Conditions::default());
        assert!(!is_at_rest(&plan, &world, &wiring));
        world.node_stopped(B);
        assert!(is_at_rest(&plan, &world, &wiring));
    }
}
