//! What a model says of made-up runs is what happened in them, read at once or as it came, in whatever order blocks came.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::layout::View;
use crate::testing::{Sketch, any_tree, id, plan};
use crate::{Collector, Ending, Engine};

/// A network whose run is written to a folder.
fn recorded(nodes: usize) -> (TempDir, Sketch) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plan = Arc::new(plan(nodes));
    let collector = Collector::new(plan, Engine::Sim, Some(folder.path())).expect("a new folder");
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
        .map(|branch| (branch.tip, branch.nodes.join(" ")))
        .collect();
    assert_eq!(sides, [(id("a1"), "n0 n1".to_owned()), (id("b1"), "n2 n3".to_owned())]);
    assert_eq!(fork.branches[0].hash_share, Some(0.5));

    let end = model.at(model.now()).expect("it is in memory");
    assert!(end.open_forks().is_empty());
    let fork = end.fork(0).expect("it is remembered");
    let resolution = fork.resolution.expect("it is over");
    assert_eq!(
        (resolution.winner, resolution.nodes_reorged),
        (Some(1), vec!["n0".to_owned(), "n1".to_owned()])
    );
    assert_eq!(fork.branches[1].tip, id("b2"));
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
