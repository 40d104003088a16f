//! What idle nodes take of memory.
//!
//! `cargo bench -p cluster --bench memory [-- NODES]` starts 20 nodes, or as many as said, each dialling 8 others at random, lets them be idle for
//! three seconds, and prints the proportional set size (`Pss` of `/proc/PID/smaps_rollup`: shared pages count by how many share them) for each
//! node: first in this process, where all that the engine keeps for them counts along, then as processes of their own.
//!
//! Budgets: 3 MB in one process, 12 MB as a process of its own.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use cluster::{Nodes, Progress, RunOptions, run};
use scenario::{Overrides, Plan, StepState, parse};

mod this;

fn main() {
    if this::worked() {
        return;
    }
    let count = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(20);
    let plan = plan(count);
    let before = pss("self");
    let together = idle(&plan, Nodes::Tasks, &mut |_| pss("self"));
    let each = |kib: u64| kib as f64 * 1.024 / 1_000.0 / count as f64;
    println!(
        "{count} nodes in one process: {:.2} MB each, {:.2} MB without what the process took before",
        each(together),
        each(together - before),
    );
    let apart = idle(&plan, this::processes(), &mut |data| {
        let pids = (0..count).map(|node| fs::read_to_string(data.join(format!("n{node}")).join("lock")));
        pids.map(|pid| pss(pid.expect("it runs").trim())).sum()
    });
    println!("{count} nodes as processes: {:.2} MB each", each(apart));
}

fn plan(nodes: usize) -> Arc<Plan> {
    let text = format!(
        "[network]\nnodes = {nodes}\ntopology = {{ kind = \"random\", outbound = 8 }}\n[steps]\nrun = [ {{ sleep = \"3s\" }} ]\n"
    );
    Arc::new(parse("memory.toml", &text, &Overrides::default()).expect("a scenario without faults"))
}

/// What `look` finds once the nodes, whose data is in the folder it is given, have been idle for a while.
fn idle(plan: &Arc<Plan>, nodes: Nodes, look: &mut dyn FnMut(&Path) -> u64) -> u64 {
    let data = tempfile::tempdir().expect("a folder for the nodes' data");
    let options = RunOptions::new(data.path(), nodes);
    let mut found = None;
    let finished = run(plan, &options, &mut |progress| {
        if let Progress::Step(report) = progress
            && matches!(report.state, StepState::Passed { .. })
        {
            found = Some(look(data.path()));
        }
    });
    let finished = finished.unwrap_or_else(|error| panic!("{error}"));
    assert!(finished.died.is_empty(), "{:?}", finished.died);
    found.expect("they were idle")
}

/// The proportional set size of a process, in KiB.
fn pss(process: &str) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).expect("Linux tells what a process takes");
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.expect("a number of KiB")
}
