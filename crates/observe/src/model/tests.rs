//! What a model says of made-up runs is what happened in them, read at once or as it came, in whatever order blocks came.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::layout::View;
use crate::testing::{Sketch, any_tree, id, plan};
use crate::{Collector, Detail, Ending, Engine};

/// A network whose run is written to a folder.
fn recorded(nodes: usize) -> (TempDir, Sketch) {
    recorded_in(Detail::Full, nodes)
}

fn recorded_in(detail: Detail, nodes: usize) -> (TempDir, Sketch) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plan = Arc::new(plan(nodes));
    let collector = Collector::with_detail(plan, Engine::Sim, Some(folder.path()), detail).expect("a new folder");
    (folder, Sketch::observed_by(collector))
}

fn followed(folder: &Path) -> Follow {
    let follow = Follow::open(folder).expect("a sound log");
    assert_eq!(follow.model().not_understood(), 0, "every line makes sense");
    follow
}

/// Two halves of four nodes; `a1` and `b1` are mined at once, then `b2`, and the halves meet.
fn split(sketch: &mut Sketch) {
    sketch.mine(0, "f0");
    for node in 1..4 {
        sketch.connect(node, "f0");
    }
    sketch.mine(0, "a1");
    sketch.mine(3, "b1");
    sketch.connect(1, "a1");
    sketch.connect(2, "b1");
}

fn meet(sketch: &mut Sketch) {
    sketch.mine(3, "b2");
    sketch.connect(2, "b2");
    for node in [0, 1] {
        sketch.connect(node, "b1");
        sketch.connect(node, "b2");
    }
}

#[test]
fn a_fork_is_seen_open_and_resolved_at_its_times() {
    let (folder, mut sketch) = recorded(4);
    split(&mut sketch);
    let open_at = sketch.now;
    meet(&mut sketch);
    sketch.collector.flush();
    let follow = followed(folder.path());
    let model = follow.model();

    let then = model.at(open_at).expect("it is in memory");
    let [fork] = &then.open_forks()[..] else {
        panic!("one fork")
    };
    assert_eq!(
        (fork.fork_point, fork.ended_us, &fork.resolution),
        (id("f0"), None, &None)
    );
    let sides: Vec<_> = fork
        .branches
        .iter()
        .map(|branch| (branch.told.tip, branch.told.nodes.join(" ")))
        .collect();
    assert_eq!(sides, [(id("a1"), "n0 n1".to_owned()), (id("b1"), "n2 n3".to_owned())]);
    assert_eq!(fork.branches[0].hash_share, Some(0.5));

    let end = model.at(model.now()).expect("it is in memory");
    assert!(end.open_forks().is_empty());
    let fork = end.fork(0).expect("it is remembered");
    let resolution = fork.resolution.expect("it is over");
    assert_eq!(
        (resolution.told.winner, resolution.told.nodes_reorged),
        (Some(1), vec!["n0".to_owned(), "n1".to_owned()])
    );
    assert_eq!(fork.branches[1].told.tip, id("b2"));
}

#[test]
fn nodes_are_told_by_the_branch_they_were_on_first() {
    let (folder, mut sketch) = recorded(4);
    split(&mut sketch);
    meet(&mut sketch);
    sketch.collector.flush();
    let follow = followed(folder.path());
    let series = follow
        .model()
        .fork_series(0)
        .expect("it is in memory")
        .expect("there is one");
    let sides: Vec<_> = series
        .sides
        .iter()
        .map(|side| (side.first_here.join(" "), side.most_nodes))
        .collect();
    assert_eq!(sides, [("n0 n1".to_owned(), 2), ("n2 n3".to_owned(), 4)]);
    assert!(series.sides[0].until_us.is_some() && series.sides[1].until_us.is_none());
    let first = &series.points[0];
    let last = series.points.last().expect("there are points");
    assert_eq!(
        (first.nodes.iter().sum::<u32>() + first.elsewhere, &last.nodes[..]),
        (4, &[0, 4][..])
    );
    assert!(series.points.windows(2).all(|pair| pair[0].at < pair[1].at));
}

#[test]
fn a_log_read_as_it_grows_gives_the_model_that_it_gives_at_once() {
    let (folder, mut sketch) = recorded(4);
    sketch.collector.flush();
    let mut follow = followed(folder.path());
    assert_eq!(follow.poll().expect("a sound log"), 0);
    let revision = follow.model().revision();
    split(&mut sketch);
    assert_eq!(follow.poll().expect("a sound log"), 0, "nothing is on disk yet");
    sketch.collector.flush();
    assert!(follow.poll().expect("a sound log") > 0);
    assert!(follow.model().revision() > revision);
    meet(&mut sketch);
    sketch.collector.finish(sketch.now, Ending::Interrupted);
    follow.poll().expect("a sound log");
    let at_once = followed(folder.path());
    assert_eq!(picture(follow.model()), picture(at_once.model()));
    assert!(at_once.model().ended().is_some());
}

/// All that a model says of its end.
fn picture(model: &Model) -> String {
    let moment = model.at(model.now()).expect("it is in memory");
    let all = (
        moment.nodes(),
        moment.tree(View::default()),
        moment.forks(),
        moment.steps(),
        model.marks().to_vec(),
    );
    serde_json::to_string(&all).expect("it has no maps")
}

#[test]
fn a_block_is_seen_where_it_came_from_and_when() {
    let (folder, mut sketch) = recorded(4);
    sketch.mine(0, "a1");
    let mined = sketch.now.as_micros() - 2_000;
    let body = node::Event::BlockReceived {
        block: id("a1"),
        from: NodeId(0),
        bytes: 200,
        duplicate: false,
    };
    sketch.tell(2, body);
    sketch.connect(2, "a1");
    sketch.collector.flush();
    let follow = followed(folder.path());
    let number = follow.model().chain().number(&id("a1")).expect("it was seen");
    let spread = follow.model().spread(number).expect("it is in memory");
    assert_eq!((spread.miner, spread.mined_us), (Some(NodeId(0)), mined));
    let arrivals: Vec<_> = spread
        .arrivals
        .iter()
        .map(|arrival| (arrival.node.0, arrival.from))
        .collect();
    assert_eq!(arrivals, [(0, None), (2, Some(NodeId(0)))]);
    assert_eq!(
        spread.p50_us,
        Some(4_000),
        "mined, connected, followed, received, connected"
    );
}

#[test]
fn the_tips_at_any_time_are_those_of_that_time() {
    let (folder, mut sketch) = recorded(3);
    let mut expected = Vec::new();
    for round in 0..40 {
        sketch.mine(round % 3, &format!("{round:02x}"));
        let tips: Vec<_> = (0..3).map(|node| sketch.tip_of(node)).collect();
        expected.push((sketch.now, tips));
        sketch.connect((round + 1) % 3, &format!("{round:02x}"));
    }
    sketch.collector.flush();
    let follow = followed(folder.path());
    let model = follow.model();
    for (at, tips) in expected {
        let moment = model.at(at).expect("it is in memory");
        let found: Vec<_> = (0..3)
            .map(|node| model.chain().block(moment.tip(NodeId(node))).id)
            .collect();
        assert_eq!(found, tips, "at {at:?}");
    }
}

#[test]
fn compact_logs_know_as_much_of_arrivals_as_full_ones() {
    let run = |detail| {
        let (folder, mut sketch) = recorded_in(detail, 4);
        split(&mut sketch);
        let open_at = sketch.now;
        sketch.collector.flush();
        let mut follow = followed(folder.path());
        let number = follow.model().chain().number(&id("a1")).expect("it was seen");
        let spread = follow.model().spread(number).expect("it can be read");
        meet(&mut sketch);
        sketch.collector.finish(sketch.now, Ending::Interrupted);
        follow.poll().expect("a sound log");
        let model = follow.model();
        let (then, end) = (model.at(open_at), model.at(model.now()));
        let (then, end) = (then.expect("it can be read"), end.expect("it can be read"));
        let all = (then.nodes(), then.forks(), end.nodes(), end.tree(View::default()));
        let series = model.fork_series(0).expect("it can be read");
        let text = serde_json::to_string(&(all, series, spread)).expect("it has no maps");
        (text, folder.path().join(FILE).exists())
    };
    let (full, compact) = (run(Detail::Full), run(Detail::Compact));
    assert_eq!((full.1, compact.1), (false, true));
    assert_eq!(full.0, compact.0);
}

#[test]
fn an_unfinished_frame_of_arrivals_is_waited_for_and_a_damaged_one_is_told() {
    let (folder, mut sketch) = recorded_in(Detail::Compact, 2);
    sketch.mine(0, "a1");
    sketch.collector.flush();
    let path = folder.path().join(FILE);
    let whole = std::fs::read(&path).expect("it was written");
    std::fs::write(&path, &whole[..whole.len() - 1]).expect("room");
    let mut follow = followed(folder.path());
    let tip = |follow: &Follow| Some(follow.model().at(sketch.now).ok()?.tip(NodeId(0)).0);
    assert_eq!(tip(&follow), Some(0), "nothing is known yet");
    std::fs::write(&path, &whole).expect("room");
    follow.poll().expect("a sound log");
    assert_eq!(tip(&follow), Some(1));
    let mut damaged = whole.clone();
    *damaged.last_mut().expect("it is not empty") ^= 1;
    std::fs::write(&path, &damaged).expect("room");
    assert_eq!(tip(&follow), None, "the checksum is looked at");
    let mut crowded = whole;
    let blocks = u32::try_from(crate::limits::MAX_FRAME_BLOCKS + 1).expect("small");
    crowded[48..52].copy_from_slice(&blocks.to_le_bytes());
    std::fs::write(&path, &crowded).expect("room");
    assert!(
        Follow::open(folder.path()).is_err(),
        "more blocks than a frame has arrivals"
    );
    std::fs::write(&path, b"something else").expect("room");
    assert!(Follow::open(folder.path()).is_err());
}

#[test]
fn events_are_found_by_what_they_are_about() {
    let (folder, mut sketch) = recorded(4);
    split(&mut sketch);
    sketch.collector.flush();
    meet(&mut sketch);
    sketch.collector.flush();
    let follow = followed(folder.path());
    let found = |filter: &EventFilter, limit| {
        let page = follow.events(filter, limit).expect("a sound log");
        let told = page
            .events
            .iter()
            .map(|event| (event.kind.clone(), event.node.clone().unwrap_or_default()));
        (told.collect::<Vec<_>>(), page.more)
    };
    let filter = EventFilter {
        kinds: vec!["reorg".to_owned()],
        ..EventFilter::default()
    };
    let reorg = |node: &str| ("reorg".to_owned(), node.to_owned());
    assert_eq!(found(&filter, 9), (vec![reorg("n0"), reorg("n1")], false));
    assert_eq!(found(&filter, 1), (vec![reorg("n0")], true));
    let first = follow.events(&filter, 1).expect("a sound log").events[0].seq;
    let behind = EventFilter {
        after: Some(first),
        ..filter.clone()
    };
    assert_eq!(found(&behind, 9), (vec![reorg("n1")], false));
    let about = EventFilter {
        about: Some(id("a1").to_string()),
        nodes: vec!["n1".to_owned()],
        kinds: vec!["block_connected".to_owned()],
        ..EventFilter::default()
    };
    assert_eq!(found(&about, 9).0, [("block_connected".to_owned(), "n1".to_owned())]);
    let later = EventFilter {
        from: Some(sketch.now),
        ..EventFilter::default()
    };
    assert!(found(&later, 9).0.iter().any(|(kind, _)| kind == "fork_resolved"));
}

#[test]
fn every_node_says_what_it_made_of_a_block() {
    let (folder, mut sketch) = recorded(4);
    split(&mut sketch);
    meet(&mut sketch);
    sketch.collector.flush();
    let follow = followed(folder.path());
    let why = follow
        .why_block(&id("a1"))
        .expect("a sound log")
        .expect("it was told of");
    assert_eq!((why.stale, why.lost_at), (true, Some((0, 0))));
    let seen: Vec<_> = why
        .nodes
        .iter()
        .map(|node| (node.connected_us.is_some(), node.left_us.is_some()))
        .collect();
    assert_eq!(seen, [(true, true), (true, true), (false, false), (false, false)]);
    assert!(follow.why_block(&id("ff")).expect("a sound log").is_none());
    assert_eq!(follow.model().named("000000a1"), [Named::Block(id("a1"))]);
    let several = follow.model().named("000000b");
    assert_eq!(several, [Named::Block(id("b1")), Named::Block(id("b2"))]);
}

#[test]
fn connections_at_any_time_are_found_from_the_last_picture_of_all() {
    let mut connections = Connections::default();
    let changes = 3 * crate::limits::CONNECTION_CHANGES as u64;
    for change in 0..changes {
        let (at, peer) = (
            Time::from_micros(change),
            NodeId(u32::try_from(change % 5).expect("small")),
        );
        if change % 2 == 0 {
            connections.up(at, NodeId(0), peer);
        } else {
            connections.down(at, NodeId(0), peer);
        }
    }
    // Every tenth change everything repeats: peers 0, 2 and 4 come, 1 and 3 go, and then the other way round.
    for at in [
        8,
        crate::limits::CONNECTION_CHANGES as u64 / 10 * 10 + 8,
        changes / 10 * 10 - 2,
    ] {
        let peers = &connections.at(Time::from_micros(at), 1)[0];
        assert_eq!(peers, &connections.at(Time::from_micros(at % 10 + 10), 1)[0], "at {at}");
    }
}

#[test]
fn a_long_fork_has_a_bounded_series() {
    let (folder, mut sketch) = recorded(3);
    sketch.mine(0, "a1");
    sketch.mine(1, "b1");
    for _ in 0..crate::limits::MAX_SERIES_POINTS {
        sketch.stop(2, true);
        sketch.start(2);
    }
    sketch.collector.flush();
    let follow = followed(folder.path());
    let series = follow
        .model()
        .fork_series(0)
        .expect("it is in memory")
        .expect("there is one");
    assert!(
        (1_000..=crate::limits::MAX_SERIES_POINTS).contains(&series.points.len()),
        "{}",
        series.points.len()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_order_of_arrival_does_not_show_in_the_picture(
        tree in any_tree(),
        one in proptest::collection::vec(any::<u32>(), 20),
        other in proptest::collection::vec(any::<u32>(), 20),
    ) {
        let drawn = |priorities: &[u32]| {
            let (folder, mut sketch) = recorded(1);
            sketch.mine_tree(&tree, priorities);
            sketch.collector.flush();
            let follow = followed(folder.path());
            let moment = follow.model().at(follow.model().now()).expect("it is in memory");
            let layout = crate::layout::Layout::of(sketch.collector.world(), View::default());
            let rows = moment.tree(View::default()).rows;
            let same = rows.iter().map(|row| (&row.cells, row.content)).eq(layout.rows.iter().map(|row| (&row.cells, row.content)));
            assert!(same, "it is drawn as the world is");
            rows
        };
        prop_assert_eq!(drawn(&one), drawn(&other));
    }
}
