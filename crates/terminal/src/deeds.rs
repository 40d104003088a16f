//! Steps of the scenario language that keys stand for.

use base::NodeId;
use observe::model::{Model, Moment};

/// A cut through the middle of the running nodes, under a name that is free; none of fewer than two nodes.
pub(crate) fn partition(model: &Model, now: &Moment<'_>) -> Option<String> {
    let running: Vec<NodeId> = now.running().collect();
    let (left, right) = running.split_at(running.len() / 2);
    if left.is_empty() {
        return None;
    }
    let list = |nodes: &[NodeId]| {
        let names = model.cast().ranges(nodes.iter().copied());
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        format!("[{}]", quoted.join(", "))
    };
    let taken = |name: &String| model.cuts().iter().any(|cut| cut.id == *name);
    let name = (1..).map(|number| format!("cut-{number}")).find(|name| !taken(name))?;
    Some(format!(
        "partition = [{}, {}], as = \"{name}\"",
        list(left),
        list(right)
    ))
}

/// All cuts end.
pub(crate) fn heal() -> String {
    "heal = \"all\"".to_owned()
}

/// A node mines a block.
pub(crate) fn mine(model: &Model, node: NodeId) -> String {
    format!("mine = 1, on = \"{}\"", model.cast().name(node))
}

/// A node goes down without warning, or comes up when it is down.
pub(crate) fn kill_or_start(model: &Model, node: NodeId, runs: bool) -> String {
    let verb = if runs { "kill" } else { "start" };
    format!("{verb} = \"{}\"", model.cast().name(node))
}
