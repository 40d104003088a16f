//! What a run leaves behind.

use std::fs;

use base::NodeId;
use insta::assert_snapshot;
use node::Event;
use scenario::{Outcome, StepReport, StepState};

use super::*;
use crate::log;
use crate::testing::{Sketch, id, plan};

const PASSED: Ending = Ending::Steps(Outcome::Passed);

/// Two nodes, a fork of one block each, and its end.
fn fork_and_end(collector: Collector) -> Sketch {
    let mut sketch = Sketch::observed_by(collector);
    sketch.mine(0, "a1");
    sketch.mine(1, "b1");
    sketch.mine(1, "b2");
    sketch.learn(0, "b1");
    sketch.connect(0, "b2");
    sketch
}

fn recorded(folder: &Path) -> Sketch {
    fork_and_end(Collector::new(Arc::new(plan(2)), Engine::Sim, Some(folder)).expect("a new folder"))
}

/// The log's text as it is on disk.
fn text(folder: &Path) -> String {
    let bytes = fs::read(folder.join("events-0000.jsonl.zst")).expect("a log");
    String::from_utf8(zstd::decode_all(&bytes[..]).expect("whole frames")).expect("text")
}

#[test]
fn the_log_tells_the_run_line_by_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sketch = recorded(folder.path());
    sketch.collector.flush();
    let text = text(folder.path());
    assert!(text.contains(&id("b2").to_string()), "hashes are full");
    // Names of this run are eight digits behind zeros, which would only fill the page.
    let genesis = sketch.collector.world().genesis().to_string();
    let short = text.replace(&genesis, "genesis").replace(&"0".repeat(56), "");
    let lines: Vec<&str> = short.lines().collect();
    assert_snapshot!(lines[1..].join("\n"), @r#"
    {"v":1,"seq":1,"t_us":1000,"node":"n0","nseq":null,"kind":"node_started","peer_id":"","addrs":[],"restored":0,"strategy":"honest","hashrate":"1000"}
    {"v":1,"seq":2,"t_us":2000,"node":"n1","nseq":null,"kind":"node_started","peer_id":"","addrs":[],"restored":0,"strategy":"honest","hashrate":"1000"}
    {"v":1,"seq":3,"t_us":3000,"node":"n0","nseq":1,"kind":"block_mined","block":"000000a1","parent":"genesis","height":1,"chain_work":"00000004","time":0,"txs":1,"bytes":200}
    {"v":1,"seq":4,"t_us":4000,"node":"n0","nseq":2,"kind":"block_connected","block":"000000a1","parent":"genesis","height":1,"chain_work":"00000004","txs":1,"bytes":200}
    {"v":1,"seq":5,"t_us":5000,"node":"n0","nseq":3,"kind":"tip_changed","old":{"block":"genesis","height":0,"chain_work":"00000002"},"new":{"block":"000000a1","height":1,"chain_work":"00000004"},"how":"extend"}
    {"v":1,"seq":6,"t_us":6000,"node":"n1","nseq":4,"kind":"block_mined","block":"000000b1","parent":"genesis","height":1,"chain_work":"00000004","time":0,"txs":1,"bytes":200}
    {"v":1,"seq":7,"t_us":6000,"node":null,"nseq":null,"kind":"fork_opened","fork":0,"fork_point":"genesis","height":0,"branches":[{"id":0,"tip":"000000a1","tip_height":1,"blocks":1,"chain_work":"00000004","miners":["n0"],"nodes":["n0"],"hash_power":"1000"},{"id":1,"tip":"000000b1","tip_height":1,"blocks":1,"chain_work":"00000004","miners":["n1"],"nodes":[],"hash_power":"0"}]}
    {"v":1,"seq":8,"t_us":7000,"node":"n1","nseq":5,"kind":"block_connected","block":"000000b1","parent":"genesis","height":1,"chain_work":"00000004","txs":1,"bytes":200}
    {"v":1,"seq":9,"t_us":8000,"node":"n1","nseq":6,"kind":"tip_changed","old":{"block":"genesis","height":0,"chain_work":"00000002"},"new":{"block":"000000b1","height":1,"chain_work":"00000004"},"how":"extend"}
    {"v":1,"seq":10,"t_us":8000,"node":null,"nseq":null,"kind":"fork_progress","fork":0,"fork_point":"genesis","height":0,"branches":[{"id":1,"tip":"000000b1","tip_height":1,"blocks":1,"chain_work":"00000004","miners":["n1"],"nodes":["n1"],"hash_power":"1000"}]}
    {"v":1,"seq":11,"t_us":9000,"node":"n1","nseq":7,"kind":"block_mined","block":"000000b2","parent":"000000b1","height":2,"chain_work":"00000006","time":0,"txs":1,"bytes":200}
    {"v":1,"seq":12,"t_us":9000,"node":null,"nseq":null,"kind":"fork_progress","fork":0,"fork_point":"genesis","height":0,"branches":[{"id":1,"tip":"000000b2","tip_height":2,"blocks":2,"chain_work":"00000006","miners":["n1"],"nodes":["n1"],"hash_power":"1000"}]}
    {"v":1,"seq":13,"t_us":10000,"node":"n1","nseq":8,"kind":"block_connected","block":"000000b2","parent":"000000b1","height":2,"chain_work":"00000006","txs":1,"bytes":200}
    {"v":1,"seq":14,"t_us":11000,"node":"n1","nseq":9,"kind":"tip_changed","old":{"block":"000000b1","height":1,"chain_work":"00000004"},"new":{"block":"000000b2","height":2,"chain_work":"00000006"},"how":"extend"}
    {"v":1,"seq":15,"t_us":11000,"node":null,"nseq":null,"kind":"convergence","block":"000000a1","height":1,"following":1,"of":2,"p50_us":0,"p90_us":null,"p99_us":null,"all_us":null}
    {"v":1,"seq":16,"t_us":12000,"node":"n0","nseq":10,"kind":"block_connected","block":"000000b1","parent":"genesis","height":1,"chain_work":"00000004","txs":1,"bytes":200}
    {"v":1,"seq":17,"t_us":12000,"node":null,"nseq":null,"kind":"block_spread","block":"000000b1","seen":2,"never":0,"p50_us":6000,"p90_us":6000,"p99_us":6000,"last_us":6000}
    {"v":1,"seq":18,"t_us":13000,"node":"n0","nseq":11,"kind":"block_connected","block":"000000b2","parent":"000000b1","height":2,"chain_work":"00000006","txs":1,"bytes":200}
    {"v":1,"seq":19,"t_us":13000,"node":null,"nseq":null,"kind":"block_spread","block":"000000b2","seen":2,"never":0,"p50_us":4000,"p90_us":4000,"p99_us":4000,"last_us":4000}
    {"v":1,"seq":20,"t_us":14000,"node":"n0","nseq":12,"kind":"reorg","fork_point":"genesis","depth":1,"disconnected":["000000a1"],"connected":["000000b1","000000b2"],"old_work":"00000004","new_work":"00000006","txs_returned":["aa000000"],"txs_dropped":[]}
    {"v":1,"seq":21,"t_us":15000,"node":"n0","nseq":13,"kind":"tip_changed","old":{"block":"000000a1","height":1,"chain_work":"00000004"},"new":{"block":"000000b2","height":2,"chain_work":"00000006"},"how":"reorg"}
    {"v":1,"seq":22,"t_us":15000,"node":null,"nseq":null,"kind":"fork_progress","fork":0,"fork_point":"genesis","height":0,"branches":[{"id":0,"tip":"000000a1","tip_height":1,"blocks":1,"chain_work":"00000004","miners":["n0"],"nodes":[],"hash_power":"0"},{"id":1,"tip":"000000b2","tip_height":2,"blocks":2,"chain_work":"00000006","miners":["n1"],"nodes":["n0","n1"],"hash_power":"2000"}]}
    {"v":1,"seq":23,"t_us":15000,"node":null,"nseq":null,"kind":"fork_resolved","fork":0,"fork_point":"genesis","height":0,"branches":[{"id":0,"tip":"000000a1","tip_height":1,"blocks":1,"chain_work":"00000004","miners":["n0"],"nodes":[],"hash_power":"0"},{"id":1,"tip":"000000b2","tip_height":2,"blocks":2,"chain_work":"00000006","miners":["n1"],"nodes":["n0","n1"],"hash_power":"2000"}],"winner":1,"losers":[0],"lasted_us":9000,"stale_blocks":1,"deepest_reorg":1,"nodes_reorged":["n0"],"cause":"more_work"}
    {"v":1,"seq":24,"t_us":15000,"node":null,"nseq":null,"kind":"convergence","block":"000000b2","height":2,"following":2,"of":2,"p50_us":0,"p90_us":4000,"p99_us":4000,"all_us":4000}
    "#);
}

#[test]
fn the_first_line_tells_one_run_from_another() {
    let folder = tempfile::tempdir().expect("a folder");
    recorded(folder.path()).collector.flush();
    let first = log::read(folder.path())
        .expect("a log")
        .next()
        .expect("a line")
        .expect("sound");
    assert_eq!((first.kind.as_str(), first.seq, first.t_us), ("run_started", 0, 0));
    assert_eq!(first.fields["seed"], "7");
    assert_eq!(first.fields["engine"], "sim");
    assert_eq!(first.fields["parameters"]["name"], "instant");
    assert_eq!(first.fields["participants"][1]["name"], "n1");
}

#[test]
fn the_digest_is_that_of_the_text_on_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sketch = recorded(folder.path());
    let summary = sketch.collector.finish(sketch.now, PASSED);
    let text = text(folder.path());
    assert_eq!(summary.log.digest.0, <[u8; 32]>::from(Sha256::digest(text.as_bytes())));
    assert_eq!(summary.log.events, text.lines().count() as u64);
    let again = fork_and_end(Collector::new(Arc::new(plan(2)), Engine::Sim, None).expect("nothing is written"));
    let mut elsewhere = again.collector;
    assert_eq!(elsewhere.finish(sketch.now, PASSED).log.digest, summary.log.digest);
}

#[test]
fn the_run_folder_holds_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sketch = recorded(folder.path());
    let digest = Hash::sha256(&[b"what happened"]);
    sketch.collector.set_run_digest(digest);
    let summary = sketch.collector.finish(sketch.now, PASSED);
    assert!(summary.log.complete);
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "blocks.csv",
            "events-0000.jsonl.zst",
            "forks.csv",
            "nodes.csv",
            "reorgs.csv",
            "run.json",
            "scenario.toml",
            "summary.json",
        ]
    );
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("a file");
    assert_eq!(read("scenario.toml"), "name = \"by-hand\"\n");
    let run: serde_json::Value = serde_json::from_str(&read("run.json")).expect("JSON");
    assert_eq!(run["digest"], digest.to_string());
    assert_eq!(run["detail"], "full");
    let short = |text: String| text.replace(&"0".repeat(56), "");
    let genesis = sketch.collector.world().genesis();
    let tables = [
        short(read("forks.csv")),
        short(read("reorgs.csv")),
        short(read("nodes.csv")),
    ]
    .join("\n");
    assert_snapshot!(tables.replace(&genesis.to_string(), "genesis"), @r#"
    id,fork_point,height,opened_us,lasted_us,branches,winner_tip,stale_blocks,deepest_reorg,nodes_reorged
    0,genesis,0,6000,9000,2,000000b2,1,1,n0

    t_us,node,fork_point,depth,old_tip,new_tip,connected,txs_returned,txs_dropped
    14000,n0,genesis,1,000000a1,000000b2,2,1,0

    node,running,height,tip,peers,mempool,mined,stale,reorgs
    n0,1,2,000000b2,0,1,1,1,1
    n1,1,2,000000b2,0,0,2,0,0
    "#);
    assert_eq!(read("blocks.csv").lines().count(), 1 + 4);
    assert!(!folder.path().join("run.json.part").exists());
}

#[test]
fn a_summary_counts_what_happened() {
    let mut sketch = fork_and_end(Collector::new(Arc::new(plan(2)), Engine::Sim, None).expect("nothing is written"));
    let summary = sketch.collector.finish(sketch.now, PASSED);
    assert_eq!((summary.blocks.total, summary.blocks.stale), (3, 1));
    assert_eq!((summary.blocks.reorgs, summary.blocks.deepest_reorg), (1, 1));
    assert_eq!((summary.nodes[0].mined, summary.nodes[0].stale), (1, 1));
    assert_eq!((summary.forks_seen, summary.forks[0].winner), (1, Some(1)));
    assert_eq!(summary.forks[0].branches[1].nodes, ["n0", "n1"]);
    assert_eq!(summary.propagation.blocks, 2);
}

#[test]
fn a_log_that_cannot_be_written_is_admitted_and_the_run_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run");
    let mut sketch = recorded(&path);
    fs::remove_dir_all(&path).expect("it is there");
    assert!(sketch.collector.log_error().is_none());
    let summary = sketch.collector.finish(sketch.now, PASSED);
    assert!(!summary.log.complete);
    assert!(sketch.collector.log_error().is_some());
    sketch.mine(0, "c3");
    assert_eq!(sketch.collector.world().node(NodeId(0)).tip.block, id("c3"));
}

#[test]
fn a_folder_that_holds_a_run_is_not_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    recorded(folder.path()).collector.flush();
    let before = text(folder.path());
    assert!(Collector::new(Arc::new(plan(2)), Engine::Sim, Some(folder.path())).is_err());
    assert_eq!(text(folder.path()), before);
}

#[test]
fn nodes_are_named_wherever_a_line_speaks_of_one() {
    let plan = plan(2);
    let record = |event| Record {
        seq: 0,
        at: Time::ZERO,
        what: RunEvent::Node {
            node: NodeId(0),
            nseq: 9,
            event: Box::new(event),
        },
    };
    let disconnected = record(Event::PeerDisconnected {
        peer: NodeId(1),
        reason: None,
    });
    assert_snapshot!(line::line(&disconnected, &plan), @r#"
    {"v":1,"seq":0,"t_us":0,"node":"n0","nseq":9,"kind":"peer_disconnected","peer":"n1","reason":null}
    "#);
    let accepted = record(Event::TxAccepted {
        txid: crate::testing::txid("ab"),
        bytes: 200,
        fee: chain::Amount::COIN,
        from: Some(NodeId(1)),
    });
    assert_eq!(line::fields(&accepted, &plan)["from"], "n1");
}

#[test]
fn steps_are_logged_with_their_line_and_what_was_found() {
    let mut plan = plan(1);
    plan.steps.push(scenario::plan::Step {
        line: 14,
        text: "sleep = \"1s\"".to_owned(),
        kind: scenario::plan::StepKind::Sleep(std::time::Duration::from_secs(1)),
    });
    let step = |state| {
        let record = Record {
            seq: 5,
            at: Time::from_millis(1_500),
            what: RunEvent::Step(StepReport {
                step: 0,
                at: Time::from_millis(1_500),
                took: std::time::Duration::from_millis(2),
                state,
                deed: None,
            }),
        };
        line::line(&record, &plan)
    };
    let failed = StepState::Failed {
        expected: "height 3".to_owned(),
        found: "height 2".to_owned(),
    };
    assert_snapshot!(step(StepState::Started), @r#"
    {"v":1,"seq":5,"t_us":1500000,"node":null,"nseq":null,"kind":"step","step":0,"line":14,"text":"sleep = \"1s\"","state":"started","took_us":2000}
    "#);
    assert_snapshot!(step(failed), @r#"
    {"v":1,"seq":5,"t_us":1500000,"node":null,"nseq":null,"kind":"step","step":0,"line":14,"text":"sleep = \"1s\"","state":"failed","expected":"height 3","found":"height 2","took_us":2000}
    "#);
}
