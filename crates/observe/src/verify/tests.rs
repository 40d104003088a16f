//! A log that was meddled with is found out, at the line and for the reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::log::LogWriter;
use crate::testing::{Sketch, id, plan, txid};
use crate::{Collector, Detail, Ending, Engine};

/// The lines of a run in which two nodes part at `f0` and meet on `b2`.
fn lines() -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let collector = Collector::new(Arc::new(plan(2)), Engine::Sim, Some(folder.path())).expect("a new folder");
    let mut sketch = Sketch::observed_by(collector);
    sketch.mine(0, "f0");
    sketch.connect(1, "f0");
    sketch.mine(0, "a1");
    sketch.mine(1, "b1");
    sketch.mine(1, "b2");
    sketch.connect(0, "b1");
    sketch.connect(0, "b2");
    sketch.collector.flush();
    let mut tail = Tail::open(folder.path()).expect("a log");
    let frame = tail.next_frame().expect("a sound log").expect("it has lines");
    // The sketch counts the lines of all nodes together.
    let mut counted = BTreeMap::<String, u64>::new();
    let line = |mut event: LoggedEvent| {
        if let (Some(node), Some(nseq)) = (&event.node, &mut event.nseq) {
            let count = counted.entry(node.clone()).or_default();
            *nseq = *count;
            *count += 1;
        }
        serde_json::to_string(&event).expect("it was read")
    };
    let lines: Vec<String> = frame.events().expect("a sound log").into_iter().map(line).collect();
    let verified = verify(logged(&lines).path()).expect("it holds");
    assert_eq!((verified.complete, verified.blocks, verified.reorgs), (false, 4, 1));
    lines
}

fn logged(lines: &[String]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut log = LogWriter::create(folder.path()).expect("a new log");
    lines.iter().for_each(|line| log.append(line).expect("room"));
    log.flush().expect("room");
    folder
}

/// The rule that lines break, and where.
fn broken(lines: &[String]) -> (&'static str, u64) {
    match verify(logged(lines).path()) {
        Err(VerifyError::Flaw(flaw)) => (flaw.rule, flaw.seq.expect("it is about a line")),
        other => panic!("{other:?}"),
    }
}

/// The place of the first line of a kind that has a text in it.
fn place(lines: &[String], kind: &str, text: &str) -> usize {
    let kind = format!("\"kind\":\"{kind}\"");
    let found = lines
        .iter()
        .position(|line| line.contains(&kind) && line.contains(text));
    found.expect("there is one")
}

/// Changes the first line of a kind that has a text in it, and says which rule that breaks there.
fn meddled(kind: &str, (old, new): (&str, &str)) -> &'static str {
    let mut lines = lines();
    let at = place(&lines, kind, old);
    lines[at] = lines[at].replacen(old, new, 1);
    let (rule, seq) = broken(&lines);
    assert_eq!(seq, at as u64, "{rule}");
    rule
}

#[test]
fn a_line_that_is_missing_is_missed_by_the_next() {
    let mut lines = lines();
    let at = place(&lines, "block_mined", "");
    lines.remove(at);
    assert_eq!(broken(&lines), ("lines are numbered without a gap", at as u64 + 1));
}

#[test]
fn what_a_line_says_is_held_against_those_before_it() {
    let (f0, a1, b1) = (id("f0").to_string(), id("a1").to_string(), id("b1").to_string());
    let unknown = id("77").to_string();
    let parent = |block: &str| format!("\"parent\":\"{block}\"");
    for (kind, old, new, rule) in [
        (
            "block_mined",
            parent(&b1),
            parent(&unknown),
            "a block stands on one told of before",
        ),
        (
            "block_mined",
            parent(&b1),
            parent(&f0),
            "a block is one above its parent",
        ),
        (
            "reorg",
            "\"depth\":1".to_owned(),
            "\"depth\":2".to_owned(),
            "a reorg is as deep as it lists",
        ),
        (
            "reorg",
            format!("[\"{a1}\"]"),
            format!("[\"{b1}\"]"),
            "a reorg begins at the node's tip",
        ),
        (
            "tip_changed",
            format!("\"old\":{{\"block\":\"{f0}"),
            format!("\"old\":{{\"block\":\"{b1}"),
            "a tip changes from what it was",
        ),
        (
            "node_started",
            "\"node\":\"n1\"".to_owned(),
            "\"node\":\"n9\"".to_owned(),
            "what happens to a node names it",
        ),
        (
            "fork_opened",
            "\"fork\":0".to_owned(),
            "\"fork\":\"x\"".to_owned(),
            "a line has its kind's fields",
        ),
    ] {
        assert_eq!(meddled(kind, (&old, &new)), rule);
    }
}

#[test]
fn a_coin_may_be_spent_once_on_either_side_but_not_twice_in_a_chain() {
    let spending = |blocks: [&str; 2]| {
        let mut lines = lines();
        let coin = txid("c0");
        for block in blocks {
            let (seq, block) = (lines.len(), id(block));
            lines.push(format!(
                r#"{{"v":1,"seq":{seq},"t_us":9000000,"node":null,"nseq":null,"kind":"block_transactions","block":"{block}","transactions":[{{"txid":"{}","inputs":[{{"txid":"{coin}","index":0}}]}}]}}"#,
                txid(&format!("d{seq}")),
            ));
        }
        lines
    };
    let verified = verify(logged(&spending(["a1", "b1"])).path()).expect("two branches may spend one coin");
    assert_eq!(verified.coins, 1);
    let twice = spending(["f0", "b2"]);
    assert_eq!(broken(&twice), ("no chain spends a coin twice", twice.len() as u64 - 1));
}

#[test]
fn a_log_that_is_not_the_one_its_summary_tells_of_does_not_hold() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let collector = Collector::new(Arc::new(plan(1)), Engine::Sim, Some(folder.path())).expect("a new folder");
    let mut sketch = Sketch::observed_by(collector);
    sketch.mine(0, "a1");
    sketch.collector.finish(sketch.now, Ending::Interrupted);
    let verified = verify(folder.path()).expect("it is whole");
    assert_eq!(
        (verified.tips, verified.digest, verified.complete),
        (Some(1), Some(true), true)
    );
    let summary = folder.path().join("summary.json");
    let text = fs::read_to_string(&summary).expect("it was written");
    let digest = sketch.collector.digest().to_string();
    fs::write(&summary, text.replace(&digest, &"0".repeat(64))).expect("room");
    let Err(VerifyError::Flaw(flaw)) = verify(folder.path()) else {
        panic!("its text is another");
    };
    assert_eq!((flaw.rule, flaw.found), ("the log's text is that of the run", digest));
}

/// The lines, and one more that a node tells or that is told of it.
fn and(mut lines: Vec<String>, node: &str, told: &str) -> Vec<String> {
    let seq = lines.len();
    lines.push(format!(
        r#"{{"v":1,"seq":{seq},"t_us":9000000,"node":"{node}","nseq":null,{told}}}"#
    ));
    lines
}

#[test]
fn whatever_becomes_of_a_message_was_sent_before() {
    let message = |kind: &str, peer: &str, more: &str| {
        format!(r#""kind":"{kind}","peer":"{peer}","message":"headers","bytes":9,"about":null{more}"#)
    };
    let lost = message("message_dropped", "n1", r#","reason":"cut""#);
    let sent = and(lines(), "n0", &message("message_sent", "n1", ""));
    verify(logged(&and(sent.clone(), "n1", &message("message_received", "n0", ""))).path()).expect("it came");
    let dropped = and(sent, "n0", &lost);
    verify(logged(&dropped).path()).expect("it was lost");
    let both = and(dropped, "n1", &message("message_received", "n0", ""));
    let rule = "a message was sent before anything becomes of it";
    assert_eq!(broken(&both), (rule, both.len() as u64 - 1));
}

#[test]
fn nodes_fall_behind_and_catch_up_by_turns() {
    let behind = r#""kind":"node_lagging","height":1,"best_height":7"#;
    let caught_up = r#""kind":"node_caught_up","height":7,"best_height":7,"lasted_us":5"#;
    let turns = and(and(lines(), "n1", behind), "n1", caught_up);
    verify(logged(&turns).path()).expect("by turns");
    for once_more in [
        and(turns.clone(), "n1", caught_up),
        and(and(turns, "n1", behind), "n1", behind),
    ] {
        let at = once_more.len() as u64 - 1;
        assert_eq!(broken(&once_more), ("nodes fall behind and catch up by turns", at));
    }
}

#[test]
fn last_tips_are_checked_where_they_stand_beside_the_log() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let collector = Collector::with_detail(Arc::new(plan(2)), Engine::Sim, Some(folder.path()), Detail::Compact);
    let mut sketch = Sketch::observed_by(collector.expect("a new folder"));
    sketch.mine(0, "a1");
    sketch.mine(0, "a2");
    sketch.connect(1, "a1");
    sketch.collector.finish(sketch.now, Ending::Interrupted);
    assert_eq!(verify(folder.path()).expect("it is whole").tips, Some(2));
    let summary = folder.path().join("summary.json");
    let text = fs::read_to_string(&summary).expect("it was written");
    let (a1, a2) = (id("a1").to_string(), id("a2").to_string());
    fs::write(
        &summary,
        text.replace(&format!("\"tip\": \"{a1}\""), &format!("\"tip\": \"{a2}\"")),
    )
    .expect("room");
    let Err(VerifyError::Flaw(flaw)) = verify(folder.path()) else {
        panic!("n1 does not follow it");
    };
    assert_eq!(
        (flaw.rule, flaw.found),
        ("a replay of the log ends where the run ended", format!("n1 at {a1}"))
    );
}
