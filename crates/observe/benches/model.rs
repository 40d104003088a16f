//! How much memory a picture of a long run takes, and how long it takes to go to any time of it.
//!
//! `cargo bench -p observe --bench model -- NODES BLOCKS` makes up a log of that many nodes and blocks in a temporary folder, in compact detail
//! (one block in fifty forks, for one to three blocks), reads it, and goes to a thousand times of it: nodes, the tree's newest rows, open forks
//! and steps, as the page asks for them. Without numbers, 1,000 nodes and 100,000 blocks. `docs/PERFORMANCE.md` has the results.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::{Hash, NodeId, Rng, Seed, Time};
use chain::uint::U256;
use chain::{Block, BlockId, HashRate, Header, Height, Params, Work};
use node::event::TipRef;
use node::{Event, TipChange};
use observe::layout::View;
use observe::model::Follow;
use observe::{Collector, Detail, Ending, Engine, RunEvent};
use scenario::Plan;
use scenario::plan::NodePlan;

/// How often the run is gone to another time.
const SEEKS: usize = 1_000;

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|number| number.parse().ok()).collect();
    let (nodes, blocks) = match numbers.as_slice() {
        [nodes, blocks, ..] => (*nodes, *blocks),
        [_] | [] => (1_000, 100_000),
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let end = make_up(folder.path(), nodes, blocks);
    println!("{nodes} nodes, {blocks} blocks, {} of log and arrivals", megabytes(size(folder.path())));
    let before = resident();
    let begun = Instant::now();
    let follow = Follow::open(folder.path()).expect("a sound log");
    let read = begun.elapsed();
    let model = follow.model();
    assert_eq!(model.not_understood(), 0, "every line makes sense");
    println!("read in {read:.1?}, model {}", megabytes(resident().saturating_sub(before)));
    let mut rng = Rng::from_seed(Seed(1));
    let mut took: Vec<Duration> = (0..SEEKS)
        .map(|_| {
            let at = Time::from_micros(rng.below(end.as_micros()));
            let begun = Instant::now();
            let moment = model.at(at).expect("it can be read");
            let rows = moment.tree(View::default()).rows.len();
            let seen = (moment.nodes().len(), rows, moment.open_forks().len(), moment.steps().len());
            std::hint::black_box(seen);
            begun.elapsed()
        })
        .collect();
    took.sort_unstable();
    let at = |percent: usize| took[(SEEKS * percent).div_ceil(100) - 1];
    println!("seek: half {:.1?}, p95 {:.1?}, p99 {:.1?}, longest {:.1?}", at(50), at(95), at(99), at(100));
    println!("peak {}", megabytes(peak()));
}
