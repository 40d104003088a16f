//! Runs whose nodes, when they are processes, are this program again.

use std::collections::BTreeMap;
use std::path::Path;

use cluster::{Interrupt, Nodes, Program, RunOptions, run_worker};

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

/// A run without a log.
pub(crate) fn options(data: &Path, nodes: Nodes) -> RunOptions {
    RunOptions {
        data: data.to_owned(),
        nodes,
        rpc: false,
        folder: None,
        desk: None,
        interrupt: Interrupt::new(),
    }
}
