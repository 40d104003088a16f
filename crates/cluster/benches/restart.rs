//! How long a node with a long chain takes to start again.
//!
//! `cargo bench -p cluster --bench restart [-- BLOCKS]` gives a node 11,000 empty blocks on disk, or as many as are said, and times a run from its
//! beginning until the node has read them all and listens: as a task of the engine's process, and as a process of its own. It prints the CPU time
//! of both processes as well.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cluster::{Nodes, Progress, RunOptions, run};
use scenario::{Overrides, parse};

#[path = "../../chain/benches/measure/mod.rs"]
#[expect(dead_code, reason = "nothing runs by turns here")]
mod measure;
mod stock;
mod this;

use measure::cpu_time;

const BLOCKS: usize = 11_000;

fn main() {
    if this::worked() {
        return;
    }
    let blocks = std::env::args().find_map(|argument| argument.parse().ok());
    let blocks = blocks.unwrap_or(BLOCKS);
    let data = tempfile::tempdir().expect("a folder for the node's data");
    stock::fill(&data.path().join("n0"), &stock::chain(blocks, 0));
    for (what, nodes) in [("a task", Nodes::Tasks), ("a process", this::processes())] {
        let (took, cpu) = start(data.path(), nodes);
        println!(
            "{blocks} blocks, {what}, in a run with a log: up after {:.0} ms, {:.0} ms of CPU in the engine's process",
            took.as_secs_f64() * 1_000.0,
            cpu.as_secs_f64() * 1_000.0
        );
    }
}

fn start(data: &Path, nodes: Nodes) -> (Duration, Duration) {
    let text = "[chain]\npreset = \"instant\"\nmaturity = 1\n[network]\nnodes = 1\n\
                [steps]\nrun = [{ expect = \"height\", at-least = 1 }]\n";
    let plan = parse("restart.toml", text, &Overrides::default()).unwrap_or_else(|faults| panic!("{}", faults[0]));
    let log = tempfile::tempdir().expect("a folder for the run");
    let options = RunOptions {
        folder: Some(log.path().join("run")),
        ..RunOptions::new(data, nodes)
    };
    let (began, cpu) = (Instant::now(), cpu_time());
    let mut up = None;
    let finished = run(&Arc::new(plan), &options, &mut |progress| {
        if let Progress::Started { .. } = progress {
            up = Some((began.elapsed(), cpu_time() - cpu));
        }
    });
    let finished = finished.unwrap_or_else(|error| panic!("{error}"));
    assert!(finished.died.is_empty(), "{:?}", finished.died);
    up.expect("the node started")
}
