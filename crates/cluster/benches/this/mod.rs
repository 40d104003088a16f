//! Runs whose nodes, when they are processes, are this program again.

use std::collections::BTreeMap;

use cluster::{Nodes, Program, run_worker};

/// The argument that makes this program a node.
const WORKER: &str = "worker";

/// Is a node, when this program was started as one; gives whether it was.
pub(crate) fn worked() -> bool {
    let is_worker = std::env::args().nth(1).is_some_and(|first| first == WORKER);
    if is_worker {
        run_worker().expect("an engine started it");
    }
    is_worker
}

/// Nodes that are processes.
pub(crate) fn processes() -> Nodes {
    Nodes::Processes(Program {
        path: std::env::current_exe().expect("this program"),
        arguments: vec![WORKER.into()],
        upgrades: BTreeMap::new(),
        logs: None,
    })
}
