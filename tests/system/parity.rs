//! Small scenarios through both engines: the same verdicts, the same chains, and blocks that spread alike.
//!
//! Blocks are mined on demand, so the real engine finds the same ones at about the same times; what differs is what a machine's load does. So
//! nothing here asks how long real nodes took, which is for benches: a busy machine sends as many bodies as an idle one, only later, and none
//! travels faster than its link. `docs/DETERMINISM.md` has the table.

use std::collections::BTreeMap;
use std::sync::Arc;

use cluster::{Nodes, RunOptions};
use gossip::MessageKind;
use observe::{Ending, Summary, Verdict};
use scenario::{Overrides, Plan};
use sim::Options;

use crate::files::root;

/// One-way latency of every link, in milliseconds.
const LATENCY_MS: u64 = 50;
/// A block is announced, asked for, and sent.
const TRIPS_OF_A_BLOCK: u64 = 3;

/// What must be the same in both engines.
#[derive(PartialEq, Debug)]
struct Outcome {
    verdict: Verdict,
    /// Each node's height, by its name.
    heights: BTreeMap<String, u32>,
    /// Blocks in all, and those that are stale.
    blocks: (usize, usize),
    /// Reorgs by depth.
    reorgs: BTreeMap<usize, u64>,
    /// Handshakes and bodies that were sent: each body once to each node that did not have it.
    sent: [u64; 2],
}

impl Outcome {
    fn of(summary: &Summary) -> Self {
        let height = |node: &observe::summary::NodeSummary| (node.name.clone(), node.height.0);
        let sent = |kind| summary.messages.get(&kind).map_or(0, |traffic| traffic.messages);
        Self {
            verdict: summary.verdict,
            heights: summary.nodes.iter().map(height).collect(),
            blocks: (summary.blocks.total, summary.blocks.stale),
            reorgs: summary.statistics.reorg_depths.clone(),
            sent: [MessageKind::Hello, MessageKind::Block].map(sent),
        }
    }
}

fn plan(file: &str) -> Arc<Plan> {
    let source = std::fs::read_to_string(root().join("scenarios").join(file)).expect("a scenario file can be read");
    let overrides = Overrides {
        seed: None,
        set: vec![("network.link.latency".to_owned(), format!("{LATENCY_MS}ms"))],
    };
    Arc::new(scenario::parse(file, &source, &overrides).expect("the project's files have no mistakes"))
}

fn in_virtual_time(plan: &Arc<Plan>) -> Summary {
    let mut finished = sim::run(plan, &Options::default(), &mut |_| {}).expect("a simulation starts");
    finished.collector.finish(finished.at, finished.ending)
}

fn on_real_nodes(plan: &Arc<Plan>) -> Summary {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = RunOptions::new(&folder.path().join("nodes"), Nodes::Tasks);
    let mut finished = cluster::run(plan, &options, &mut |_| {}).expect("a cluster starts");
    let ending = finished.outcome.map_or(Ending::Interrupted, Ending::Steps);
    finished.collector.finish(finished.took, ending)
}

/// The jitter is by how much a message may be sooner than the latency.
fn check(file: &str, jitter_ms: u64) {
    let plan = plan(file);
    let (simulated, real) = (in_virtual_time(&plan), on_real_nodes(&plan));
    assert_eq!(
        Outcome::of(&simulated),
        Outcome::of(&real),
        "{file}: virtual time, and real nodes"
    );
    let same_tip = simulated.blocks.best == real.blocks.best;
    let half = |summary: &Summary| summary.statistics.spread_by_block.expect("blocks spread").p50_us;
    let (simulated, real) = (half(&simulated), half(&real));
    let least = TRIPS_OF_A_BLOCK * (LATENCY_MS - jitter_ms) * 1_000;
    for (engine, half) in [("in virtual time", simulated), ("on real nodes", real)] {
        assert!(
            half >= least,
            "{file}: half of the nodes had a block {half} us after it was found {engine}"
        );
    }
    println!("{file}: p50 {simulated} us in virtual time, {real} us on real nodes; the same tip: {same_tip}");
}

#[test]
fn two_nodes_do_the_same_in_both_engines() {
    check("two-nodes.toml", 0);
}

#[test]
fn a_double_spend_ends_the_same_in_both_engines() {
    check("double-spend-across-a-partition.toml", 10);
}

#[test]
fn nodes_that_stop_and_start_do_the_same_in_both_engines() {
    check("restart-and-catch-up.toml", 0);
}
