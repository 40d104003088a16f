//! What has no room is left out and counted: runs made up line by line, each with one more of something than there is room for.

use observe::log::LoggedEvent;
use observe::model::Model;
use serde_json::{Value, json};

use crate::export::{Format, export};
use crate::html::{About, page, takes_a_while};
use crate::limits::{
    LONG_LOG, MAX_BRANCHES, MAX_GRAPH_BLOCKS, MAX_POINTS, MAX_ROWS_OF_FORK, MAX_ROWS_OF_TREE, MAX_SPREADS,
    MAX_TABLE_ROWS, MAX_TEXT, MAX_TRANSACTIONS,
};
use crate::svg::{self, Curves};
use crate::words::clipped;

/// A run in the making: blocks by number, block 0 is the genesis block. Each thing happens a millisecond after the one before.
struct Story {
    model: Model,
    seq: u64,
    heights: Vec<u32>,
}

fn id(number: usize) -> String {
    format!("{number:064x}")
}

fn work(height: u32) -> String {
    id(2 * height as usize + 2)
}

impl Story {
    fn of(nodes: usize) -> Self {
        let mut story = Self {
            model: Model::new(),
            seq: 0,
            heights: vec![0],
        };
        let participant = |node| json!({ "name": format!("n{node}"), "hashrate": "1", "strategy": "honest" });
        let participants: Vec<Value> = (0..nodes).map(participant).collect();
        story.tell(
            None,
            json!({
                "kind": "run_started", "tool_version": "0", "scenario": "story", "file": "", "scenario_sha256": "", "seed": "1", "set": [],
                "engine": "sim", "detail": "full", "participants": participants, "parameters": {}, "genesis": id(0),
            }),
        );
        let up = json!({ "kind": "node_started", "peer_id": "", "addrs": [], "restored": 0, "strategy": "honest", "hashrate": "1" });
        (0..nodes).for_each(|node| story.tell(Some(node), up.clone()));
        story
    }

    fn tell(&mut self, node: Option<usize>, mut event: Value) {
        let node = node.map(|node| format!("n{node}"));
        let envelope = json!({ "v": 1, "seq": self.seq, "t_us": self.seq * 1_000, "node": node, "nseq": null });
        for (key, value) in envelope.as_object().expect("an object") {
            event[key] = value.clone();
        }
        self.seq += 1;
        let event: LoggedEvent = serde_json::from_value(event).expect("an event");
        self.model.push(&event);
        assert_eq!(self.model.not_understood(), 0, "{event:?}");
    }

    /// n0 mines the next block on top of another.
    fn mine(&mut self, parent: usize) -> usize {
        let (block, height) = (self.heights.len(), self.heights[parent] + 1);
        self.heights.push(height);
        let mined = json!({
            "kind": "block_mined", "block": id(block), "parent": id(parent), "height": height, "chain_work": work(height), "time": 0, "txs": 1,
            "bytes": 100,
        });
        self.tell(Some(0), mined);
        block
    }

    fn connect(&mut self, node: usize, block: usize) {
        let height = self.heights[block];
        let connected = json!({
            "kind": "block_connected", "block": id(block), "parent": id(0), "height": height, "chain_work": work(height), "txs": 1, "bytes": 100,
        });
        self.tell(Some(node), connected);
    }

    /// So many blocks on each other, and one beside each of them; gives the last.
    fn comb(&mut self, mut tip: usize, heights: usize) -> usize {
        for _ in 0..heights {
            let below = tip;
            tip = self.mine(below);
            self.mine(below);
        }
        tip
    }

    /// A fork above the genesis block.
    fn fork(&mut self) {
        self.tell(
            None,
            json!({ "kind": "fork_opened", "fork": 0, "fork_point": id(0), "height": 0, "branches": [] }),
        );
    }

    fn page(&self) -> String {
        page(&self.model, &About::default()).expect("a report")
    }
}

#[test]
fn a_report_of_a_long_log_is_announced() {
    assert!(!takes_a_while(LONG_LOG));
    assert!(takes_a_while(LONG_LOG + 1));
}

#[test]
fn long_texts_are_cut() {
    assert_eq!(clipped(&"ä".repeat(MAX_TEXT)), "ä".repeat(MAX_TEXT));
    assert_eq!(clipped(&"ä".repeat(MAX_TEXT + 1)), format!("{}…", "ä".repeat(MAX_TEXT)));
}

#[test]
fn a_table_has_so_many_rows_and_says_how_many_more_there_are() {
    let mut story = Story::of(1);
    for step in 0..MAX_TABLE_ROWS + 7 {
        story.tell(
            None,
            json!({ "kind": "step", "step": step, "line": 1, "text": "sleep = \"1s\"", "state": "passed", "found": "it", "took_us": 0 }),
        );
    }
    let page = story.page();
    assert_eq!(
        page.matches("<code>sleep = &quot;1s&quot;</code>").count(),
        MAX_TABLE_ROWS
    );
    assert!(page.contains("… 7 more steps"));
}

#[test]
fn trees_have_so_many_rows() {
    let mut story = Story::of(1);
    let tip = story.comb(0, MAX_ROWS_OF_TREE);
    story.fork();
    assert_eq!(story.heights[tip] as usize, MAX_ROWS_OF_TREE);
    let page = story.page();
    // The genesis block and the line above the first two; then two blocks and the line above the next for each height.
    let rows = 3 * MAX_ROWS_OF_TREE + 1;
    for most in [MAX_ROWS_OF_TREE, MAX_ROWS_OF_FORK] {
        assert!(page.contains(&format!("… {} rows above", rows - most)), "{most}");
    }
}

#[test]
fn a_fork_has_so_many_branches_and_a_reorg_so_many_transactions() {
    let mut story = Story::of(1);
    let first = story.mine(0);
    (0..MAX_BRANCHES + 2).for_each(|_| {
        story.mine(0);
    });
    story.fork();
    let dropped: Vec<Value> = (0..MAX_TRANSACTIONS + 5)
        .map(|number| json!({ "txid": id(100 + number), "reason": "dropped-for-this-test" }))
        .collect();
    story.tell(
        Some(0),
        json!({
            "kind": "reorg", "fork_point": id(0), "depth": 1, "disconnected": [id(first)], "connected": [id(first + 1)], "old_work": work(1),
            "new_work": work(1), "txs_returned": [], "txs_dropped": dropped,
        }),
    );
    let page = story.page();
    assert!(page.contains("and 3 more branches"));
    assert_eq!(page.matches("dropped-for-this-test").count(), MAX_TRANSACTIONS);
    assert!(page.contains("… 5 more"));
}

#[test]
fn curves_are_so_many_and_have_so_many_points() {
    let mut story = Story::of(2);
    let mut tip = 0;
    for _ in 0..2 * MAX_SPREADS + 1 {
        tip = story.mine(tip);
        story.connect(1, tip);
    }
    let curves = Curves::of(&story.model).expect("blocks spread");
    let lines = svg::spread(&curves).file().matches("thin c0").count();
    assert!((MAX_SPREADS / 2..=MAX_SPREADS).contains(&lines), "{lines}");

    let nodes = 2 * MAX_POINTS + 10;
    let mut story = Story::of(nodes);
    let block = story.mine(0);
    (1..nodes).for_each(|node| story.connect(node, block));
    let curves = Curves::of(&story.model).expect("a block spread");
    let picture = svg::spread(&curves).file();
    let (_, line) = picture.split_once("thin c0\" d=\"").expect("a line");
    let points = line.split('"').next().map_or(0, |line| line.matches('H').count());
    assert!((MAX_POINTS / 2..=MAX_POINTS).contains(&points), "{points}");
}

#[test]
fn graphs_have_so_many_blocks() {
    let mut story = Story::of(1);
    let mut tip = 0;
    for _ in 0..=MAX_GRAPH_BLOCKS {
        tip = story.mine(tip);
    }
    let nowhere = std::path::Path::new("nowhere");
    let exported = export(&story.model, nowhere, Format::Dot).expect("no log is read");
    assert_eq!(exported.text.matches("label=").count(), MAX_GRAPH_BLOCKS);
    let left_out = format!(
        "the graph has the newest {MAX_GRAPH_BLOCKS} of {} blocks",
        MAX_GRAPH_BLOCKS + 2
    );
    assert_eq!(exported.left_out, Some(left_out));
}
