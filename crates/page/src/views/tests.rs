//! What the page is told of small runs, made up line by line.

mod caps;

use base::Time;
use observe::log::LoggedEvent;
use observe::model::Model;
use serde_json::{Value, json};

use super::letters::{Letters, heads};
use super::{ForkView, MomentView, TransactionsView};

/// A run in the making: nodes `n0`, `n1` and so on, blocks by number; block 0 is the genesis block.
struct Sketch {
    model: Model,
    seq: u64,
    heights: Vec<u32>,
}

fn id(number: usize) -> String {
    format!("{number:064x}")
}

fn node(number: usize) -> String {
    format!("n{number}")
}

impl Sketch {
    fn of(nodes: usize) -> Self {
        let mut sketch = Self {
            model: Model::new(),
            seq: 0,
            heights: vec![0],
        };
        let participant = |number| json!({ "name": node(number), "hashrate": "1000", "strategy": "honest" });
        let participants: Vec<Value> = (0..nodes).map(participant).collect();
        sketch.tell(
            0,
            None,
            json!({
                "kind": "run_started", "tool_version": "0", "scenario": "sketch", "file": "", "scenario_sha256": "", "seed": "1", "set": [],
                "engine": "sim", "detail": "full", "participants": participants, "parameters": {}, "genesis": id(0),
            }),
        );
        for number in 0..nodes {
            let started = json!({ "kind": "node_started", "peer_id": "", "addrs": [], "restored": 0, "strategy": "honest", "hashrate": "1000" });
            sketch.tell(0, Some(number), started);
        }
        sketch
    }

    fn tell(&mut self, t_us: u64, number: Option<usize>, mut event: Value) {
        let envelope = json!({ "v": 1, "seq": self.seq, "t_us": t_us, "node": number.map(node), "nseq": null });
        for (key, value) in envelope.as_object().expect("an object") {
            event[key] = value.clone();
        }
        self.seq += 1;
        let event: LoggedEvent = serde_json::from_value(event).expect("an event");
        self.model.push(&event);
        assert_eq!(self.model.not_understood(), 0, "{event:?}");
    }

    /// A node mines the next block on top of another, with so many transactions beside its coinbase.
    fn mine(&mut self, t_us: u64, miner: usize, parent: usize, payments: &[usize]) -> usize {
        let (block, height) = (self.heights.len(), self.heights[parent] + 1);
        self.heights.push(height);
        let told = json!({
            "kind": "block_mined", "block": id(block), "parent": id(parent), "height": height, "chain_work": id(2 * (height as usize + 1)),
            "time": 0, "txs": 1 + payments.len(), "bytes": 100,
        });
        self.tell(t_us, Some(miner), told);
        if !payments.is_empty() {
            // All of them spend one coin.
            let input = json!([{ "txid": id(99), "index": 0 }]);
            let transactions: Vec<Value> = payments
                .iter()
                .map(|number| json!({ "txid": id(*number), "inputs": input }))
                .collect();
            self.tell(
                t_us,
                None,
                json!({ "kind": "block_transactions", "block": id(block), "transactions": transactions }),
            );
        }
        self.follow(t_us, miner, block);
        block
    }

    /// A node has a block, and follows it.
    fn follow(&mut self, t_us: u64, number: usize, block: usize) {
        let height = self.heights[block];
        let connected = json!({
            "kind": "block_connected", "block": id(block), "parent": id(0), "height": height, "chain_work": id(2 * (height as usize + 1)),
            "txs": 1, "bytes": 100,
        });
        self.tell(t_us, Some(number), connected);
        let tip = json!({ "block": id(block), "height": height, "chain_work": id(2 * (height as usize + 1)) });
        self.tell(
            t_us,
            Some(number),
            json!({ "kind": "tip_changed", "old": tip, "new": tip, "how": "extend" }),
        );
    }

    fn fork(&mut self, t_us: u64, number: usize, point: usize) {
        let height = self.heights[point];
        let opened =
            json!({ "kind": "fork_opened", "fork": number, "fork_point": id(point), "height": height, "branches": [] });
        self.tell(t_us, None, opened);
    }

    fn resolve(&mut self, t_us: u64, number: usize, point: usize, winner: usize) {
        let told = json!({
            "kind": "fork_resolved", "fork": number, "fork_point": id(point), "height": self.heights[point], "branches": [],
            "winner": winner, "losers": [1 - winner], "lasted_us": 1, "stale_blocks": 1, "deepest_reorg": 1, "nodes_reorged": ["n0"],
            "cause": "more_work",
        });
        self.tell(t_us, None, told);
    }

    /// Each history's letter, the block it ends with, and who follows it.
    fn heads(&self, t_us: u64) -> Vec<(String, String, Vec<u32>)> {
        let at = Time::from_micros(t_us);
        let moment = self.model.at(at).expect("it is in memory");
        let found = heads(&moment, &Letters::at(&self.model, at));
        let told = |head: super::letters::Head| {
            let tip = self.model.chain().block(head.tip).id.to_string();
            let mut nodes: Vec<u32> = head.nodes.iter().map(|node| node.0).collect();
            nodes.sort_unstable();
            (head.letter, tip, nodes)
        };
        found.into_iter().map(told).collect()
    }

    fn letter(&self, t_us: u64, block: usize) -> Option<String> {
        let at = Time::from_micros(t_us);
        let name: chain::BlockId = serde_json::from_value(json!(id(block))).expect("64 digits");
        let number = self.model.chain().number(&name);
        Letters::at(&self.model, at).of(number.expect("it was seen"))
    }

    fn view<T: serde::Serialize>(&self, t_us: u64, view: impl FnOnce(&observe::model::Moment<'_>) -> T) -> Value {
        let moment = self.model.at(Time::from_micros(t_us)).expect("it is in memory");
        serde_json::to_value(view(&moment)).expect("views are JSON")
    }
}

/// Four nodes: block 1 by all, then n0 mines 2 (A) and n3 mines 3 and 4 (B), each with a payment of the same coin.
fn two_branches() -> Sketch {
    let mut sketch = Sketch::of(4);
    let common = sketch.mine(10, 0, 0, &[]);
    for other in 1..4 {
        sketch.follow(20, other, common);
    }
    for number in [100, 101] {
        sketch.tell(29, Some(0), json!({ "kind": "tx_submitted", "txid": id(number) }));
    }
    let a = sketch.mine(30, 0, common, &[100]);
    let b = sketch.mine(40, 3, common, &[101]);
    sketch.fork(40, 0, common);
    sketch.follow(50, 1, a);
    sketch.mine(60, 3, b, &[]);
    sketch
}

#[test]
fn one_history_has_no_letter() {
    let sketch = two_branches();
    assert_eq!(sketch.heads(25), [(String::new(), id(1), vec![0, 1, 2, 3])]);
    // A node that has not heard of the newest block follows its history all the same.
    assert_eq!(sketch.heads(35), [(String::new(), id(2), vec![0, 1, 2, 3])]);
}

#[test]
fn a_node_whose_tip_all_sides_have_in_common_is_on_none_of_them() {
    let sketch = two_branches();
    let (a, b) = (("A".to_owned(), id(2), vec![0, 1]), ("B".to_owned(), id(4), vec![3]));
    assert_eq!(sketch.heads(60), [a, b]);
    let moment = sketch.view(60, |moment| MomentView::of(&sketch.model, moment));
    assert_eq!(moment["nodes"]["side"], json!([0, 0, null, 1]));
    assert_eq!(moment["nodes"]["power"], json!([250, 250, 250, 250]));
}

#[test]
fn a_node_that_is_behind_on_a_branch_is_on_it() {
    let mut sketch = two_branches();
    sketch.follow(70, 2, 3);
    let heads = sketch.heads(70);
    assert_eq!(heads[1], ("B".to_owned(), id(4), vec![2, 3]));
}

#[test]
fn letters_are_those_of_the_branches_until_the_fork_is_over() {
    let mut sketch = two_branches();
    for other in 0..3 {
        sketch.follow(80, other, 4);
    }
    sketch.resolve(80, 0, 1, 1);
    let after = sketch.mine(90, 0, 4, &[]);
    let letters: Vec<Option<String>> = (0..=after).map(|block| sketch.letter(90, block)).collect();
    let expected = [None, None, Some("A"), Some("B"), Some("B"), None];
    assert_eq!(letters, expected.map(|letter| letter.map(str::to_owned)));
}

#[test]
fn forks_within_forks_give_every_history_a_letter_of_its_own() {
    let mut sketch = two_branches();
    // On top of B two more branches: their letters would be A and B again.
    sketch.mine(70, 2, 4, &[]);
    sketch.mine(71, 3, 4, &[]);
    sketch.fork(71, 1, 4);
    let heads = sketch.heads(71);
    let letters: Vec<&str> = heads.iter().map(|(letter, ..)| letter.as_str()).collect();
    assert_eq!(letters, ["A", "B", "C"]);
}

#[test]
fn a_fork_tells_who_was_where_what_was_lost_and_why() {
    let mut sketch = two_branches();
    sketch.follow(65, 2, 4);
    let conflict = json!({ "txid": id(101), "outpoint": { "txid": id(99), "index": 0 }, "block": id(3) });
    let dropped = json!([{ "txid": id(100), "reason": "bad-txns-inputs-missingorspent", "conflicts_with": conflict }]);
    let reorg = json!({
        "kind": "reorg", "fork_point": id(1), "depth": 1, "disconnected": [id(2)], "connected": [id(3), id(4)], "old_work": id(6),
        "new_work": id(8), "txs_returned": [], "txs_dropped": dropped,
    });
    for number in 0..2 {
        sketch.tell(80, Some(number), reorg.clone());
        sketch.follow(80, number, 4);
    }
    sketch.resolve(80, 0, 1, 1);
    let view = |t_us| {
        let fork =
            |moment: &observe::model::Moment<'_>| ForkView::of(&sketch.model, 0, moment).expect("it is in memory");
        sketch.view(t_us, fork)
    };
    let fork = view(65);
    assert_eq!(fork["branches"][0]["now"], json!(["n0", "n1"]));
    assert_eq!(fork["branches"][1]["now"], json!(["n2", "n3"]));
    assert_eq!(fork["widest_us"], 65, "two against two");
    assert_eq!(
        fork["stays"][0]["stays"][0],
        json!({ "branch": 0, "from_us": 40, "to_us": 80 })
    );
    assert_eq!(
        fork["stays"][2]["stays"],
        json!([{ "branch": 1, "from_us": 65, "to_us": 80 }])
    );
    let lost = &fork["transactions"][0];
    assert_eq!((&lost["tx"], &lost["lost"]), (&json!(id(100)), &json!(true)));
    assert_eq!(lost["why"], "its coin was spent by 00000000 in block 2 00000003");
    assert_eq!(
        fork["transactions"][1]["why"],
        "stays confirmed; spends the same coin as 00000000 on A"
    );
    assert_eq!(view(90)["branches"][0]["now_nodes"], 0);
    let none = sketch.view(65, |moment| {
        ForkView::of(&sketch.model, 7, moment).expect("it is in memory")
    });
    assert_eq!(none, Value::Null);
}

#[test]
fn a_payment_is_confirmed_where_the_heaviest_chain_has_it() {
    let sketch = two_branches();
    let at_first = sketch.view(35, |moment| TransactionsView::of(&sketch.model, moment));
    let in_the_end = sketch.view(60, |moment| TransactionsView::of(&sketch.model, moment));
    let states = |view: &Value| -> Vec<(String, String)> {
        let listed = view["transactions"].as_array().expect("a list");
        let mut states: Vec<(String, String)> = listed
            .iter()
            .map(|tx| (tx["tx"].to_string(), tx["state"].to_string()))
            .collect();
        states.sort();
        states
    };
    let quoted = |text: &str| format!("\"{text}\"");
    let expected = |one: &str, other: &str| vec![(quoted(&id(100)), quoted(one)), (quoted(&id(101)), quoted(other))];
    assert_eq!(states(&at_first), expected("confirmed", "waiting"));
    assert_eq!(states(&in_the_end), expected("in a stale block", "confirmed"));
}
