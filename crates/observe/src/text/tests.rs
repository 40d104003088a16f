//! Texts of a made-up run.

use base::NodeId;
use chain::OutPoint;
use insta::assert_snapshot;
use node::event::{Conflict, DroppedTransaction};
use proptest::prelude::*;

use super::*;
use crate::layout::View;
use crate::testing::{Sketch, any_tree, id, plan, txid};

/// Twelve common blocks; then one half mines two and the other three, the first half comes over and drops a payment.
fn double_spend() -> Sketch {
    let mut sketch = Sketch::new(plan(8));
    for block in 1..=12 {
        sketch.mine(0, &format!("c{block:02}"));
        (1..8).for_each(|node| sketch.connect(node, &format!("c{block:02}")));
    }
    for (miner, others, blocks) in [(0, 1..4, &["a13", "a14"][..]), (4, 5..8, &["b13", "b14", "b15"])] {
        for block in blocks {
            sketch.mine(miner, block);
            others.clone().for_each(|node| sketch.connect(node, block));
        }
    }
    sketch
}

fn heal(sketch: &mut Sketch) {
    let dropped = DroppedTransaction {
        txid: txid("b0b"),
        reason: "txn-mempool-conflict",
        conflicts_with: Some(Conflict {
            txid: txid("ca401"),
            outpoint: OutPoint {
                txid: txid("c014"),
                index: 1,
            },
            block: Some(id("b13")),
        }),
    };
    for node in 0..4 {
        sketch.connect(node, "b13");
        sketch.connect(node, "b14");
        sketch.learn(node, "b15");
        sketch.follow(node, "b15", vec![dropped.clone()]);
    }
}

fn tree_of(sketch: &Sketch) -> String {
    let collector = &sketch.collector;
    let genesis = collector.world().genesis().short();
    tree(collector.world(), collector.plan(), View::default()).replace(&genesis, "aaaaaaaa")
}

#[test]
fn a_fork_is_drawn_side_by_side_and_the_rest_is_folded() {
    let mut sketch = double_spend();
    assert_snapshot!(tree_of(&sketch), @r#"
     0 o    aaaaaaaa genesis
       ┆    ... 11 blocks ...
    12 o    00000c12 n0
       ├─╮
    13 o │  00000b13 n4
    13 │ o  00000a13 n0 stale
    14 o │  00000b14 n4
    14 │ o  00000a14 n0 stale <- n0..n3
    15 o    00000b15 n4 <- n4..n7
    "#);
    heal(&mut sketch);
    assert_snapshot!(tree_of(&sketch), @r#"
     0 o    aaaaaaaa genesis
       ┆    ... 11 blocks ...
    12 o    00000c12 n0
       ├─╮
    13 o │  00000b13 n4
    13 │ o  00000a13 n0 stale
    14 o │  00000b14 n4
    14 │ o  00000a14 n0 stale
    15 o    00000b15 n4 <- n0..n7
    "#);
}

#[test]
fn lines_to_far_branches_cross_those_between() {
    let mut sketch = Sketch::new(plan(2));
    for block in ["a1", "a2", "a3", "a4", "a5"] {
        sketch.mine(0, block);
    }
    for (block, parent) in [
        ("b2", "a1"),
        ("b3", "b2"),
        ("b4", "b3"),
        ("c3", "a2"),
        ("d3", "a2"),
        ("e4", "b3"),
        ("f5", "a4"),
    ] {
        sketch.mine_on(1, block, id(parent));
    }
    assert_snapshot!(tree_of(&sketch), @r#"
    0 o        aaaaaaaa genesis
    1 o        000000a1 n0
      ├─╮
    2 o │      000000a2 n0
    2 │ o      000000b2 n1 stale
      ├─┼─┬─╮
    3 o │ │ │  000000a3 n0
    3 │ o │ │  000000b3 n1 stale
    3 │ │ o │  000000c3 n1 stale
    3 │ │   o  000000d3 n1 stale
      │ ├─╮
    4 o │ │    000000a4 n0
    4 │ o │    000000b4 n1 stale
    4 │   o    000000e4 n1 stale
      ├─╮
    5 o │      000000a5 n0 <- n0
    5   o      000000f5 n1 <- n1
    "#);
}

#[test]
fn a_view_begins_where_it_is_told_and_keeps_the_newest_rows() {
    let sketch = double_spend();
    let collector = &sketch.collector;
    let view = View {
        from: chain::Height(12),
        rows: 4,
        ..View::default()
    };
    assert_snapshot!(tree(collector.world(), collector.plan(), view), @r#"
    ... 3 rows above ...
         13 │ o  00000a13 n0 stale
         14 o │  00000b14 n4
         14 │ o  00000a14 n0 stale <- n0..n3
         15 o    00000b15 n4 <- n4..n7
    "#);
}

#[test]
fn more_branches_than_lanes_are_counted() {
    let mut sketch = Sketch::new(plan(1));
    let genesis = sketch.collector.world().genesis();
    for sibling in 0..15 {
        sketch.mine_on(0, &format!("a{sibling}"), genesis);
    }
    sketch.mine_on(0, "b14", id("a14"));
    sketch.mine_on(0, "c14", id("a14"));
    let text = tree_of(&sketch);
    assert!(
        text.ends_with("... 3 more beside: only 12 branches at a height are drawn ...\n"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.chars().count() <= TEXT_COLUMNS), "{text}");
}

#[test]
fn a_reorg_is_told_once_for_all_nodes_that_went_through_it() {
    let mut sketch = double_spend();
    heal(&mut sketch);
    let collector = &sketch.collector;
    let labels = Labels::from([
        (txid("b0b"), "ds to bob".to_owned()),
        (txid("ca401"), "ds to carol".to_owned()),
    ]);
    let text = reorgs(
        collector.history().reorgs(),
        collector.world(),
        collector.plan(),
        &labels,
    );
    assert_snapshot!(text, @r#"
    reorg of 2 blocks above 12 00000c12
      nodes         n0..n3
      first at      0.261 s
      disconnected  13 00000a13 (n0), 14 00000a14 (n0)
      connected     13 00000b13 (n4), 14 00000b14 (n4), 15 00000b15 (n4)
      returned      aa000000
      dropped       ds to bob (b0b00000): txn-mempool-conflict, c0140000:1 is spent
                    by ds to carol (ca401000) in 13 00000b13
    "#);
}

#[test]
fn the_table_has_a_line_for_each_node() {
    let mut sketch = double_spend();
    heal(&mut sketch);
    sketch.stop(7, true);
    assert_snapshot!(nodes(sketch.collector.world(), sketch.collector.plan()), @r#"
    node  state   height  tip       peers  mempool  mined  reorgs
    n0    up          15  00000b15      0        1     14       1
    n1    up          15  00000b15      0        1      0       1
    n2    up          15  00000b15      0        1      0       1
    n3    up          15  00000b15      0        1      0       1
    n4    up          15  00000b15      0        0      3       0
    n5    up          15  00000b15      0        0      0       0
    n6    up          15  00000b15      0        0      0       0
    n7    down        15  00000b15      0        0      0       0
    "#);
}

#[test]
fn the_last_events_of_a_node_are_lines_of_what_matters() {
    let mut sketch = double_spend();
    heal(&mut sketch);
    let collector = &sketch.collector;
    assert_snapshot!(last_events(collector.history(), collector.plan(), NodeId(0), 4), @r#"
    0.259 s  block_connected   block=00000b14 height=14
    0.260 s  block_connected   block=00000b15 height=15
    0.261 s  reorg             fork_point=00000c12 depth=2 disconnected=2 con..
    0.262 s  tip_changed       old=14/00000a14 new=15/00000b15 how=reorg
    "#);
}

#[test]
fn long_lists_wrap_and_long_lines_are_cut() {
    let words = (0..30).map(|word| format!("word{word}"));
    let text = wrapped("  heading  ", words);
    assert!(text.lines().all(|line| line.len() <= TEXT_COLUMNS), "{text}");
    assert!(
        text.lines().skip(1).all(|line| line.starts_with("           word")),
        "{text}"
    );
    let cut = clip(&"x".repeat(100));
    assert_eq!((cut.len(), cut.ends_with("x..")), (TEXT_COLUMNS, true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_arrival_does_not_show_in_the_tree(blocks in any_tree(), priorities: [u32; 20]) {
        let in_order = tree_of(&Sketch::of_tree(&blocks, &[0; 20]));
        prop_assert_eq!(&tree_of(&Sketch::of_tree(&blocks, &priorities)), &in_order);
        let drawn = in_order.lines().filter(|line| line.contains(" o ")).count();
        prop_assert!(drawn > 0 && drawn <= blocks.len() + 1);
    }
}
