//! Whether a network has come to rest.

use std::collections::BTreeSet;

use base::NodeId;
use chain::Work;
use node::Strategy;
use scenario::{Plan, World};

use super::wiring::Wiring;

/// Whether all honest nodes that can reach each other, by links on which something gets through, follow chains of equal work, the most that
/// any of them knows.
pub(super) fn is_at_rest(plan: &Plan, world: &World, wiring: &Wiring) -> bool {
    let takes_part = |node: NodeId| {
        let is_honest = match plan.nodes[node.index()].strategy {
            Strategy::Honest => true,
            Strategy::Hostile => false,
        };
        is_honest && world.node(node).running
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
