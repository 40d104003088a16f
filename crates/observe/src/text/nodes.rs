//! The table of nodes.

use scenario::{Plan, World};

use super::clip;
use crate::model::NodeState;

/// Nodes that the table shows; the rest is counted.
const MAX_NODES: usize = 64;

/// One line for each node: what it follows, how many peers and unconfirmed transactions it has, what it mined and went through.
#[must_use]
pub fn nodes(world: &World, plan: &Plan) -> String {
    let shown = || plan.node_ids().take(MAX_NODES);
    let width = shown().map(|node| plan.name_of(node).len()).max().unwrap_or(0).max(4);
    let mut text = format!(
        "{:width$}  {:5}  {:>7}  {:8}  {:>5}  {:>7}  {:>5}  {:>6}\n",
        "node", "state", "height", "tip", "peers", "mempool", "mined", "reorgs"
    );
    for node in shown() {
        let facts = world.node(node);
        let state = if facts.running { "up" } else { "down" };
        let line = format!(
            "{:width$}  {state:5}  {:>7}  {:8}  {:>5}  {:>7}  {:>5}  {:>6}",
            plan.name_of(node),
            facts.tip.height.0,
            facts.tip.block.short(),
            facts.peers.len(),
            world.mempool_len(node),
            facts.mined,
            facts.reorgs.len(),
        );
        text.push_str(&clip(&line));
        text.push('\n');
    }
    if plan.nodes.len() > MAX_NODES {
        text.push_str(&format!("... {} more nodes ...\n", plan.nodes.len() - MAX_NODES));
    }
    text
}

/// The same of nodes at some time: what each followed, its peers, hash power and, across a cut, its side.
#[must_use]
pub fn node_states(nodes: &[NodeState]) -> String {
    let shown = || nodes.iter().take(MAX_NODES);
    let width = shown().map(|node| node.name.len()).max().unwrap_or(0).max(4);
    let mut text = format!(
        "{:width$}  {:6}  {:>7}  {:8}  {:>5}  {:>9}  {:>5}  {:>6}  {}\n",
        "node", "state", "height", "tip", "peers", "hashes/s", "mined", "reorgs", "side"
    );
    for node in shown() {
        let state = node.state_words();
        let sides: Vec<String> = node
            .groups
            .iter()
            .map(|(cut, group)| format!("{cut}:{group}"))
            .collect();
        let line = format!(
            "{:width$}  {state:6}  {:>7}  {:8}  {:>5}  {:>9}  {:>5}  {:>6}  {}",
            node.name,
            node.height.0,
            node.tip.short(),
            node.peers.len(),
            node.hash_power,
            node.mined,
            node.reorgs,
            sides.join(" "),
        );
        text.push_str(&clip(&line));
        text.push('\n');
    }
    if nodes.len() > MAX_NODES {
        text.push_str(&format!("... {} more nodes ...\n", nodes.len() - MAX_NODES));
    }
    text
}
