//! What has no room is left out, counted, and the same however much of it there is.

use observe::log::LogWriter;
use serde_json::{Value, json};

use super::super::{
    Cursor, EventFilter, EventsView, ForkView, MomentView, NewsView, SpreadView, TransactionsView, TreeView,
};
use super::{Sketch, id, node};
use crate::limits::{
    MAX_BRANCH_BLOCKS, MAX_DIFFERING, MAX_FRAMES_SEARCHED, MAX_MARKS, MAX_SPREAD_BLOCKS, MAX_SPREAD_CELLS,
    MAX_STAYING_NODES, MAX_TRANSACTIONS,
};
use crate::reading::Reading;

fn count(view: &Value, list: &str) -> usize {
    view[list].as_array().expect("a list").len()
}

/// Two branches of `blocks` blocks above the genesis block, each block with so many payments of its own; n0 is on one, all others on the other.
fn long_fork(nodes: usize, blocks: usize, payments: usize) -> Sketch {
    let mut sketch = Sketch::of(nodes);
    let mut tips = [0, 0];
    for height in 0..blocks {
        for (side, tip) in tips.iter_mut().enumerate() {
            let first = 1_000 + (2 * height + side) * payments;
            let own: Vec<usize> = (first..first + payments).collect();
            *tip = sketch.mine(10 * (height as u64 + 1), side, *tip, &own);
        }
        if height == 0 {
            sketch.fork(10, 0, 0);
        }
    }
    for other in 2..nodes {
        sketch.follow(10_000, other, tips[1]);
    }
    sketch
}

fn fork_of(sketch: &Sketch) -> Value {
    sketch.view(20_000, |moment| {
        let fork = ForkView::of(&sketch.model, 0, moment);
        fork.expect("it is in memory").expect("there is one")
    })
}

#[test]
fn a_long_fork_lists_the_ends_of_its_branches_and_some_of_what_differs() {
    let fork = fork_of(&long_fork(3, MAX_BRANCH_BLOCKS + 4, 1));
    for branch in fork["branches"].as_array().expect("a list") {
        assert_eq!(
            (count(branch, "blocks"), &branch["blocks_left_out"]),
            (MAX_BRANCH_BLOCKS, &json!(4))
        );
    }
    let fork = fork_of(&long_fork(3, 2, MAX_DIFFERING));
    assert_eq!(count(&fork, "transactions"), MAX_DIFFERING);
    assert_eq!(fork["transactions_left_out"], 3 * MAX_DIFFERING);
}

#[test]
fn stays_are_listed_of_a_network_whose_rows_can_be_told_apart() {
    let stays = |nodes: usize| count(&fork_of(&long_fork(nodes, 1, 0)), "stays");
    assert_eq!(stays(MAX_STAYING_NODES), MAX_STAYING_NODES);
    assert_eq!(stays(MAX_STAYING_NODES + 1), 0);
}

#[test]
fn the_picture_of_propagation_has_so_many_blocks_and_cells() {
    let spread = |nodes: usize, blocks: usize| {
        let mut sketch = Sketch::of(nodes);
        let mut tip = 0;
        for height in 0..blocks {
            tip = sketch.mine(10 * (height as u64 + 1), 0, tip, &[]);
        }
        let view = sketch.view(1_000_000, |moment| {
            SpreadView::of(&sketch.model, moment).expect("it is in memory")
        });
        (
            count(&view, "blocks"),
            count(&view, "nodes"),
            view["nodes_left_out"].clone(),
        )
    };
    assert_eq!(spread(2, MAX_SPREAD_BLOCKS + 5), (MAX_SPREAD_BLOCKS, 2, json!(0)));
    let (blocks, nodes, left_out) = spread(700, MAX_SPREAD_BLOCKS + 5);
    assert!(blocks >= 20 && blocks * nodes <= MAX_SPREAD_CELLS, "{blocks} x {nodes}");
    assert_eq!(left_out, 700 - nodes);
}

#[test]
fn the_newest_transactions_are_listed() {
    let mut sketch = Sketch::of(1);
    for number in 0..MAX_TRANSACTIONS + 3 {
        let submitted = json!({ "kind": "tx_submitted", "txid": id(1_000 + number) });
        sketch.tell(number as u64, Some(0), submitted);
    }
    let view = sketch.view(1_000_000, |moment| TransactionsView::of(&sketch.model, moment));
    assert_eq!(
        (count(&view, "transactions"), &view["left_out"]),
        (MAX_TRANSACTIONS, &json!(3))
    );
    let first = view["transactions"]
        .as_array()
        .expect("a list")
        .last()
        .expect("there are some");
    assert_eq!(first["tx"], id(1_003));
}

#[test]
fn reorgs_give_way_to_what_else_a_scrubber_marks() {
    let mut sketch = Sketch::of(2);
    let (a, b) = (sketch.mine(10, 0, 0, &[]), sketch.mine(20, 1, 0, &[]));
    for (at, (from, to)) in (100..).zip([(a, b), (b, a)].into_iter().cycle().take(MAX_MARKS + 10)) {
        let reorg = json!({
            "kind": "reorg", "fork_point": id(0), "depth": 1, "disconnected": [id(from)], "connected": [id(to)], "old_work": id(4),
            "new_work": id(4), "txs_returned": [], "txs_dropped": [],
        });
        // Those of one kind that lie close together are one mark.
        let other = sketch.mine(at * 100, 0, b, &[]);
        let mut apart = reorg;
        apart["connected"] = json!([id(to), id(other)]);
        sketch.tell(at * 100, Some(0), apart);
    }
    let control = json!({ "kind": "control", "control": 0, "who": "page", "action": "mine", "text": "mine = 1", "state": "started", "took_us": 0 });
    sketch.tell(50, None, control);
    let cursor = Cursor::of(&Reading::awaiting(std::path::Path::new("nowhere")));
    let view = serde_json::to_value(NewsView::of(cursor, &sketch.model, 0)).expect("views are JSON");
    assert_eq!(
        (count(&view, "marks"), &view["marks_left_out"]),
        (MAX_MARKS, &json!(11))
    );
    let kinds = view["marks"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|mark| &mark["kind"]);
    assert_eq!(kinds.filter(|kind| *kind == "control").count(), 1);
}

#[test]
fn so_many_frames_of_a_log_are_searched_for_one_answer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut log = LogWriter::create(folder.path()).expect("a new log");
    let line = |seq: usize, told: Value| {
        let mut line = json!({ "v": 1, "seq": seq, "t_us": 10 * seq, "node": null, "nseq": null });
        for (key, value) in told.as_object().expect("an object") {
            line[key] = value.clone();
        }
        line.to_string()
    };
    let participants = [json!({ "name": node(0), "hashrate": "1", "strategy": "honest" })];
    let begin = json!({
        "kind": "run_started", "tool_version": "0", "scenario": "s", "file": "", "scenario_sha256": "", "seed": "1", "set": [],
        "engine": "sim", "detail": "full", "participants": participants, "parameters": {}, "genesis": id(0),
    });
    for seq in 0..=MAX_FRAMES_SEARCHED {
        let told = if seq == 0 {
            begin.clone()
        } else {
            json!({ "kind": "heal", "id": null, "confirmed": true })
        };
        log.append(&line(seq, told)).expect("room");
        log.flush().expect("room");
    }
    let reading = Reading::open(folder.path()).expect("a log");
    let filter = EventFilter::of_kind("run_started");
    let until = |at: u64| {
        let events = EventsView::until(&reading, at, &filter, 10).expect("a sound log");
        serde_json::to_value(events).expect("views are JSON")
    };
    let last = 10 * MAX_FRAMES_SEARCHED as u64;
    assert_eq!(
        (count(&until(last - 10), "events"), &until(last - 10)["more"]),
        (1, &json!(false))
    );
    assert_eq!((count(&until(last), "events"), &until(last)["more"]), (0, &json!(true)));
}

#[test]
fn a_moment_and_a_tree_of_a_long_run_take_little_room() {
    // Every node with eight links, and a block for each of the newest rows: what the page asks for.
    let mut sketch = Sketch::of(1_000);
    for from in 0..1_000 {
        for step in 1..=8 {
            let peer =
                json!({ "kind": "peer_connected", "peer": node((from + step) % 1_000), "outbound": true, "agent": "" });
            sketch.tell(1, Some(from), peer);
        }
    }
    let mut tip = 0;
    for height in 0..300 {
        let other = sketch.mine(10 + height, 1, tip, &[]);
        tip = sketch.mine(10 + height, 0, tip, &[]);
        tip = tip.min(other);
    }
    let size = |view: Value| view.to_string().len();
    let moment = size(sketch.view(10_000, |moment| MomentView::of(&sketch.model, moment)));
    let tree = size(sketch.view(10_000, |moment| TreeView::of(&sketch.model, moment, 500)));
    assert!(moment < 60_000 && tree < 75_000, "{moment} and {tree} bytes");
}
