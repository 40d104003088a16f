//! Statistics of a made-up run.

use super::*;
use crate::testing::{Sketch, plan};

/// Node 0 and node 1 mine twelve blocks in turn, node 2 mines one that goes stale.
fn sketch() -> Sketch {
    let mut sketch = Sketch::new(plan(3));
    for block in 0..12 {
        let name = format!("a{block:02}");
        let parent = sketch.tip_of(block % 2);
        if block == 5 {
            sketch.mine_aside(2, "cc", parent);
        }
        sketch.mine(block % 2, &name);
        for other in (0..3).filter(|other| *other != block % 2) {
            sketch.connect(other, &name);
        }
    }
    sketch
}

#[test]
fn shares_are_counts_over_totals() {
    let statistics = Statistics::of(&sketch().collector);
    assert_eq!((statistics.stale.count, statistics.stale.of), (1, 13));
    assert_eq!(
        (statistics.forks_per_block.count, statistics.forks_per_block.of),
        (1, 12)
    );
    let earned: Vec<(u64, u64)> = statistics
        .revenue
        .iter()
        .map(|it| (it.blocks.count, it.blocks.of))
        .collect();
    assert_eq!(earned, [(6, 12), (6, 12), (0, 12)]);
    assert!(
        statistics
            .revenue
            .iter()
            .all(|it| (it.hash_share - 1.0 / 3.0).abs() < 1e-12)
    );
    assert_eq!(statistics.intervals.expect("twelve blocks").samples, 11);
}

/// Each event takes a millisecond, and the miner connects and follows its own block first: the first to hear has it after 3 ms, the second after 5.
#[test]
fn spread_is_by_block_and_by_node() {
    let statistics = Statistics::of(&sketch().collector);
    let by_block = statistics.spread_by_block.expect("blocks spread");
    assert_eq!((by_block.samples, by_block.p50_us, by_block.p90_us), (12, 3_000, 5_000));
    let by_node = statistics.spread_by_node.expect("blocks reached nodes");
    assert_eq!(
        (by_node.samples, by_node.p50_us, by_node.p99_us),
        (3, 3_000, 5_000),
        "who hears second hears every block after 5 ms"
    );
}

#[test]
fn a_run_of_few_blocks_has_no_table_and_others_fit_their_columns() {
    let mut few = Sketch::new(plan(2));
    few.mine(0, "a1");
    let ending = crate::Ending::Steps(scenario::Outcome::Passed);
    assert_eq!(crate::text::statistics(&few.collector.finish(few.now, ending)), "");
    let mut many = sketch();
    let text = crate::text::statistics(&many.collector.finish(many.now, ending));
    assert!(
        text.lines()
            .all(|line| line.chars().count() <= crate::limits::TEXT_COLUMNS),
        "{text}"
    );
    insta::assert_snapshot!(text);
}
