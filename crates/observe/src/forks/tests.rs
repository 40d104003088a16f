//! Forks open, progress and end as a reader would tell it.

use scenario::StepState;

use node::Strategy;

use super::*;
use crate::testing::{Sketch, id, plan};

/// Two halves of four nodes; `a` and `b` are mined at once.
fn split() -> Sketch {
    let mut sketch = Sketch::new(plan(4));
    sketch.mine(0, "f0");
    for node in 1..4 {
        sketch.connect(node, "f0");
    }
    sketch.mine(0, "a1");
    sketch.mine(3, "b1");
    sketch.connect(1, "a1");
    sketch.connect(2, "b1");
    sketch
}

fn nodes_on(fork: &Fork) -> Vec<Vec<u32>> {
    let on = |branch| fork.on_branch(branch).map(|node| node.0).collect();
    (0..fork.branches.len()).map(on).collect()
}

#[test]
fn a_chain_without_siblings_has_no_fork() {
    let mut sketch = Sketch::new(plan(2));
    for block in ["a1", "a2", "a3"] {
        sketch.mine(0, block);
        sketch.connect(1, block);
    }
    assert!(sketch.collector.forks().is_empty());
}

#[test]
fn two_children_of_one_block_open_a_fork_and_nodes_take_sides() {
    let sketch = split();
    let [fork] = sketch.collector.forks() else {
        panic!("one fork");
    };
    assert_eq!((fork.point, fork.height), (id("f0"), Height(1)));
    assert_eq!(nodes_on(fork), [[0, 1], [2, 3]]);
    assert_eq!(fork.resolution, None);
}

#[test]
fn more_work_ends_a_fork_when_the_last_node_has_come_over() {
    let mut sketch = split();
    sketch.mine(3, "b2");
    sketch.connect(2, "b2");
    for node in [0, 1] {
        sketch.connect(node, "b1");
        assert_eq!(sketch.collector.forks()[0].resolution, None);
        sketch.connect(node, "b2");
    }
    let fork = &sketch.collector.forks()[0];
    let resolution = fork.resolution.as_ref().expect("over");
    assert_eq!((resolution.winner, &resolution.losers[..]), (Some(1), &[0][..]));
    assert_eq!(resolution.cause, Cause::MoreWork);
    assert_eq!((resolution.stale_blocks, resolution.deepest_reorg), (1, 1));
    assert_eq!(resolution.nodes_reorged, [NodeId(0), NodeId(1)]);
    assert_eq!((fork.branches[1].tip, fork.branches[1].blocks), (id("b2"), 2));
}

#[test]
fn a_fork_that_nobody_follows_ends_at_once() {
    let mut sketch = Sketch::new(plan(3));
    sketch.mine(0, "a1");
    sketch.connect(1, "a1");
    sketch.connect(2, "a1");
    let genesis = sketch.collector.world().genesis();
    sketch.mine_on(1, "b1", genesis);
    let resolution = sketch.collector.forks()[0].resolution.as_ref().expect("over");
    assert_eq!((resolution.winner, resolution.cause), (Some(0), Cause::Unfollowed));
}

#[test]
fn a_node_that_lags_behind_keeps_a_fork_open() {
    let mut sketch = Sketch::new(plan(2));
    let genesis = sketch.collector.world().genesis();
    sketch.mine(0, "a1");
    sketch.mine_on(0, "b1", genesis);
    assert_eq!(sketch.collector.forks()[0].resolution, None);
    sketch.connect(1, "a1");
    assert!(sketch.collector.forks()[0].resolution.is_some());
}

#[test]
fn a_fork_ends_when_the_followers_of_a_branch_stop() {
    let mut sketch = split();
    sketch.stop(2, true);
    sketch.stop(3, true);
    let resolution = sketch.collector.forks()[0].resolution.as_ref().expect("over");
    assert_eq!(
        (resolution.winner, resolution.cause),
        (Some(0), Cause::FollowersStopped)
    );
}

#[test]
fn a_node_that_turns_up_on_a_lost_branch_opens_the_fork_again() {
    let mut sketch = split();
    sketch.stop(3, true);
    sketch.mine(0, "a2");
    for node in [1, 2] {
        sketch.connect(node, "a1");
        sketch.connect(node, "a2");
    }
    assert!(sketch.collector.forks()[0].resolution.is_some());
    sketch.start(3);
    sketch.connect(3, "f0");
    sketch.connect(3, "b1");
    let [_, again] = sketch.collector.forks() else {
        panic!("a second fork at the same point");
    };
    assert_eq!(
        (again.id, again.point, again.resolution.is_some()),
        (1, id("f0"), false)
    );
    assert_eq!(nodes_on(again), [vec![0, 1, 2], vec![3]]);
    sketch.connect(3, "a1");
    sketch.connect(3, "a2");
    let resolution = sketch.collector.forks()[1].resolution.as_ref().expect("over");
    assert_eq!(resolution.nodes_reorged, [NodeId(3)]);
}

#[test]
fn a_fork_within_one_side_ends_without_the_other_side() {
    let mut sketch = split();
    sketch.mine(0, "a2");
    sketch.mine(1, "c2");
    assert_eq!(sketch.collector.forks().len(), 2);
    sketch.mine(0, "a3");
    sketch.connect(1, "a2");
    sketch.connect(1, "a3");
    let forks = sketch.collector.forks();
    assert_eq!(forks[0].resolution, None);
    let inner = forks[1].resolution.as_ref().expect("over");
    assert_eq!((inner.winner, inner.deepest_reorg), (Some(0), 1));
}

#[test]
fn a_fork_within_a_branch_ends_with_the_branch() {
    let mut sketch = split();
    sketch.mine(0, "a2");
    sketch.mine(1, "c2");
    for block in ["b2", "b3", "b4"] {
        sketch.mine(3, block);
    }
    for node in 0..3 {
        for block in ["b1", "b2", "b3", "b4"] {
            sketch.connect(node, block);
        }
    }
    let forks = sketch.collector.forks();
    let causes: Vec<_> = forks
        .iter()
        .map(|fork| fork.resolution.as_ref().map(|end| end.cause))
        .collect();
    assert_eq!(causes, [Some(Cause::MoreWork), Some(Cause::Abandoned)]);
    assert_eq!(forks[0].resolution.as_ref().map(|end| end.stale_blocks), Some(3));
}

#[test]
fn nodes_that_follow_no_rules_hold_no_fork_open() {
    let mut plan = plan(3);
    plan.nodes[2].strategy = Strategy::Hostile;
    let mut sketch = Sketch::new(plan);
    sketch.mine(0, "a1");
    sketch.connect(1, "a1");
    sketch.mine(2, "b1");
    assert!(sketch.collector.forks()[0].resolution.is_some());
}

#[test]
fn hash_power_follows_the_steps_that_change_it() {
    let sketch = Sketch::new(plan(2));
    let (plan, world) = (sketch.collector.plan(), sketch.collector.world());
    let mut tracker = ForkTracker::new(plan, Detail::Full);
    let mut tell = |state, deed| {
        let report = StepReport {
            step: 0,
            at: sketch.now,
            took: Duration::ZERO,
            state,
            deed,
        };
        tracker.observe(sketch.now, &RunEvent::Step(report), plan, world);
        tracker.rates.clone()
    };
    assert_eq!(tell(StepState::Started, None), [HashRate(1_000), HashRate(1_000)]);
    let found = String::new();
    let deed = Deed::HashRates(vec![(NodeId(1), HashRate(70))]);
    assert_eq!(
        tell(StepState::Passed { found }, Some(deed)),
        [HashRate(1_000), HashRate(70)]
    );
}
