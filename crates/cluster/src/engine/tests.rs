//! Whole runs on real nodes: they pass, they are cut, they crash, they are interrupted, and they leave nothing behind.

use std::fs;
use std::path::Path;

use chain::Height;
use observe::Operator;
use observe::operator::{Answer, NotTaken};
use scenario::{Instruction, Overrides, StepState, parse};

use super::settling::Settling;
use super::*;
use crate::StoreError;
use crate::driver::Told;
use crate::limits::{MAX_QUEUED_EVENTS, MAX_QUEUED_ORDERS, MAX_SETTLING};

fn plan(text: &str) -> Arc<Plan> {
    let parsed = parse("test.toml", text, &Overrides::default());
    Arc::new(parsed.unwrap_or_else(|faults| panic!("{faults:?}")))
}

fn options(data: &Path) -> RunOptions {
    RunOptions::new(data, Nodes::Tasks)
}

fn run_text(text: &str) -> Finished {
    let data = tempfile::tempdir().unwrap();
    let mut reports = Vec::new();
    let finished = run(&plan(text), &options(data.path()), &mut |progress| {
        reports.push(format!("{progress:?}"));
    });
    let finished = finished.unwrap_or_else(|error| panic!("{error}"));
    assert!(finished.died.is_empty(), "{:?}", finished.died);
    assert_eq!(finished.outcome, Some(Outcome::Passed), "{reports:#?}");
    assert!(finished.settled, "{reports:#?}");
    assert_nothing_is_locked(data.path());
    finished
}

fn assert_nothing_is_locked(data: &Path) {
    for folder in fs::read_dir(data).unwrap() {
        let lock = folder.unwrap().path().join("lock");
        assert!(!lock.exists(), "{}", lock.display());
    }
}

#[test]
fn a_block_reaches_everybody() {
    let finished = run_text(
        r#"
        [network]
        nodes = 5
        [network.link]
        latency = "5ms"
        [steps]
        run = [
          { mine = 5, on = "n0" },
          { wait = "converged", height = 5, within = "30s" },
        ]
        "#,
    );
    let world = finished.collector.world();
    assert!(world.nodes().iter().all(|node| node.tip.height == Height(5)));
    assert!(finished.collector.violations().is_empty());
}

#[test]
fn halves_that_are_cut_part_and_meet_again() {
    run_text(
        r#"
        [network]
        nodes = 4
        topology = { kind = "full" }
        [steps]
        run = [
          { partition = [["n0", "n1"], ["n2", "n3"]], as = "split" },
          { mine = 2, on = "n0" },
          { mine = 3, on = "n3" },
          { wait = "diverged", groups = 2, within = "30s" },
          { heal = "split" },
          { wait = "converged", height = 3, within = "30s" },
          { expect = "reorg", on = ["n0", "n1"], depth = 2 },
        ]
        "#,
    );
}

#[test]
fn a_killed_and_a_restarted_node_go_on_from_their_disks() {
    run_text(
        r#"
        [network]
        nodes = 3
        topology = { kind = "full" }
        [steps]
        run = [
          { mine = 4, on = "n0" },
          { wait = "converged", height = 4, within = "30s" },
          { kill = "n0" },
          { mine = 2, on = "n1" },
          { start = "n0" },
          { wait = "converged", height = 6, within = "30s" },
          { restart = "n2" },
          { mine = 1, on = "n2" },
          { wait = "converged", height = 7, within = "30s" },
        ]
        "#,
    );
}

#[test]
fn metered_miners_agree_in_the_end() {
    run_text(
        r#"
        [chain]
        preset = "cluster"
        [network]
        nodes = 3
        topology = { kind = "full" }
        [steps]
        run = [
          { hashrate = { n0 = 100, n1 = 50 } },
          { wait = "height", at-least = 5, within = "60s" },
        ]
        "#,
    );
}

#[test]
fn what_was_mined_in_one_run_is_there_in_the_next() {
    let data = tempfile::tempdir().unwrap();
    for (first, height) in [(true, 3), (false, 4)] {
        let mine = if first { 3 } else { 1 };
        let text = format!(
            "[network]\nnodes = 2\n[steps]\nrun = [ {{ mine = {mine}, on = \"n0\" }}, \
             {{ wait = \"converged\", height = {height}, within = \"30s\" }} ]"
        );
        let finished = run(&plan(&text), &options(data.path()), &mut |_| {}).unwrap();
        assert_eq!(finished.outcome, Some(Outcome::Passed));
    }
}

#[test]
fn an_interrupted_run_stops_in_good_order() {
    let data = tempfile::tempdir().unwrap();
    let options = options(data.path());
    let interrupt = options.interrupt.clone();
    let plan = plan("[network]\nnodes = 2\n[steps]\nrun = [ { sleep = \"100s\" } ]");
    let finished = run(&plan, &options, &mut |progress| {
        if let Progress::Step(_) = progress {
            interrupt.trigger();
        }
    });
    let finished = finished.unwrap();
    assert!(finished.interrupted && finished.outcome.is_none() && finished.died.is_empty());
    assert_nothing_is_locked(data.path());
}

#[test]
fn a_node_whose_folder_is_no_good_keeps_the_run_from_starting() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("n1");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(crate::Store::FILE), "x".repeat(10_000)).unwrap();
    let plan = plan("[network]\nnodes = 3\n[steps]\nrun = [ { mine = 1, on = \"n0\" } ]");
    let error = run(&plan, &options(data.path()), &mut |_| {}).unwrap_err();
    let Error::Node { name, source } = error else {
        panic!("{error}");
    };
    assert_eq!(name, "n1");
    assert!(matches!(*source, Error::Store(StoreError::NotOurs { .. })), "{source}");
}

#[test]
fn a_node_that_ends_untold_ends_the_run_and_is_named() {
    let data = tempfile::tempdir().unwrap();
    let database = data.path().join("n1").join(crate::Store::FILE);
    let plan = plan(
        r#"
        [network]
        nodes = 2
        [steps]
        run = [
          { stop = "n1" },
          { start = "n1" },
          { mine = 1, on = "n0" },
          { wait = "converged", height = 1, within = "30s" },
        ]
        "#,
    );
    let mut said = false;
    let finished = run(&plan, &options(data.path()), &mut |progress| {
        if let Progress::Step(report) = progress
            && report.step == 0
            && matches!(report.state, StepState::Passed { .. })
        {
            fs::write(&database, "x".repeat(10_000)).unwrap();
        } else if let Progress::NodeDied(died) = progress {
            said = died.name == "n1";
        }
    });
    let finished = finished.unwrap();
    let [died] = &finished.died[..] else {
        panic!("{:?}", finished.died);
    };
    assert!(
        matches!(died.error, Error::Store(StoreError::NotOurs { .. })),
        "{}",
        died.error
    );
    assert!(said && finished.outcome.is_none() && !finished.settled);
    assert_nothing_is_locked(data.path());
}

/// Two nodes on a link so narrow that a block is under way for seconds after the last step.
const NARROW: &str = r#"
    [network]
    nodes = 2
    [network.link]
    bandwidth = "1kbit/s"
    [steps]
    run = [ { mine = 1, on = "n0" } ]
"#;

#[test]
fn a_network_with_narrow_links_is_given_time_to_agree() {
    let finished = run_text(NARROW);
    let world = finished.collector.world();
    assert!(world.nodes().iter().all(|node| node.tip.height == Height(1)));
    assert!(finished.collector.violations().is_empty());
}

/// A whole run that gives its network only so long to settle.
fn run_impatiently(text: &str, options: &RunOptions, observer: &mut dyn FnMut(&Progress<'_>)) -> Finished {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut session = Session::new(&plan(text), options, Clock::start(), observer).unwrap();
        session.max_settling = Duration::from_millis(300);
        session.run().await.unwrap()
    })
}

#[test]
fn connected_nodes_that_still_disagree_when_their_time_is_over_break_an_invariant() {
    let data = tempfile::tempdir().unwrap();
    let finished = run_impatiently(NARROW, &options(data.path()), &mut |_| {});
    assert!(!finished.settled && finished.outcome == Some(Outcome::Passed));
    let [violation] = finished.collector.violations() else {
        panic!("{:?}", finished.collector.violations());
    };
    assert_eq!(violation.rule, observe::invariants::Rule::ConnectedNodesAgree);
}

#[test]
fn a_run_that_is_interrupted_while_it_settles_has_not_passed() {
    let data = tempfile::tempdir().unwrap();
    let options = options(data.path());
    let interrupt = options.interrupt.clone();
    let finished = run(&plan(NARROW), &options, &mut |progress| {
        if let Progress::Settling = progress {
            interrupt.trigger();
        }
    });
    let finished = finished.unwrap();
    assert!(finished.interrupted && finished.outcome.is_none() && !finished.settled);
    assert!(finished.collector.violations().is_empty());
    assert_nothing_is_locked(data.path());
}

#[tokio::test]
async fn nobody_waits_longer_for_a_network_to_settle_than_somebody_waits_for_the_verdict() {
    let data = tempfile::tempdir().unwrap();
    let mut quiet = |_: &Progress<'_>| {};
    let text = NARROW.replace("1kbit/s", "1bit/s");
    let session = Session::new(&plan(&text), &options(data.path()), Clock::start(), &mut quiet).unwrap();
    let (began, changed) = (Time::from_secs(1), Time::from_secs(100));
    assert_eq!(session.patience_ends(began, changed), began + MAX_SETTLING);
}

#[tokio::test]
async fn so_many_events_may_wait_for_the_engine_and_with_one_more_a_node_waits() {
    let data = tempfile::tempdir().unwrap();
    let mut quiet = |_: &Progress<'_>| {};
    let mut session = Session::new(&plan(NARROW), &options(data.path()), Clock::start(), &mut quiet).unwrap();
    let told = session.fleet.told.clone();
    let tell = || {
        let (node, what) = (NodeId(0), observe::Intervention::Wiped);
        let event = observe::RunEvent::Intervention { node, what };
        told.try_send(Told { at: Time::ZERO, event }).is_ok()
    };
    for _ in 0..MAX_QUEUED_EVENTS {
        assert!(tell());
    }
    assert!(!tell());
    session.wait(Time::MAX).await;
    assert!(tell(), "the engine has taken one");
}

/// On one thread, so that the node takes no order before all are given.
#[tokio::test]
async fn a_node_that_is_given_up_while_the_network_settles_is_recorded_as_dead() {
    let data = tempfile::tempdir().unwrap();
    let mut quiet = |_: &Progress<'_>| {};
    let mut session = Session::new(&plan(NARROW), &options(data.path()), Clock::start(), &mut quiet).unwrap();
    session.fleet.start(NodeId(1), chain::HashRate::ZERO);
    for _ in 0..MAX_QUEUED_ORDERS {
        session.fleet.command(NodeId(1), node::Command::StopMining).unwrap();
    }
    assert_eq!(session.settle().await, Settling::Died);
    let died: Vec<_> = session.died.iter().map(|died| died.name.as_str()).collect();
    assert_eq!(died, ["n1"]);
    let violations = session.collector.violations();
    assert!(
        violations
            .iter()
            .any(|violation| violation.rule == observe::invariants::Rule::NodesStayUp)
    );
}

#[test]
fn links_that_do_not_come_up_are_named() {
    let error = Error::NotConnected {
        missing: 1,
        links: 2,
        first: "n0 to n1".to_owned(),
        patience: Duration::from_secs(60),
    };
    assert_eq!(
        error.to_string(),
        "1 of 2 planned links were not up after 60 s; the first is n0 to n1"
    );
}

#[test]
#[expect(clippy::wildcard_enum_match_arm, reason = "other news is of no interest here")]
fn an_operator_takes_part_in_a_run_that_goes_on() {
    let text = r#"
        [network]
        nodes = 4
        topology = { kind = "full" }
        [steps]
        run = [
          { wait = "diverged", groups = 2, within = "30s" },
          { wait = "converged", height = 3, within = "30s" },
        ]
        "#;
    let data = tempfile::tempdir().unwrap();
    let (operator, desk) = Operator::new();
    let options = RunOptions {
        desk: Some(desk),
        ..options(data.path())
    };
    let hand_in = |text: &str| operator.hand_in(Instruction::new("test", text));
    let by_hand = [
        r#"{ partition = [["n0", "n1"], ["n2", "n3"]], as = "split" }"#,
        r#"{ mine = 1, on = "n0" }"#,
        r#"{ mine = 2, on = "n3" }"#,
        r#"{ heal = "split" }"#,
        // What the run waits for comes after the heal has ended: nodes agree as soon as one of its links is up.
        r#"{ mine = 1, on = "n3" }"#,
    ];
    let mut left = by_hand.iter();
    let mut replies = Vec::new();
    let mut controls = Vec::new();
    let finished = run(&plan(text), &options, &mut |progress| match progress {
        Progress::Step(report) if report.step == 0 && report.state == StepState::Started => {
            replies.push(hand_in(r#"{ heal = "split" }"#).unwrap());
            replies.push(hand_in(left.next().unwrap()).unwrap());
        }
        Progress::Control(report) => {
            controls.push((report.action, report.state.clone()));
            if matches!(report.state, StepState::Passed { .. })
                && let Some(next) = left.next()
            {
                replies.push(hand_in(next).unwrap());
            }
        }
        _ => {}
    });
    let finished = finished.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(finished.outcome, Some(Outcome::Passed), "{controls:?}");
    assert_eq!(controls.len(), 10, "each begins and ends: {controls:?}");
    let mut answers = replies.into_iter().map(|reply| reply.wait().unwrap());
    let Some(Answer::Refused(diagnostics)) = answers.next() else {
        panic!("there is no such cut yet")
    };
    let refusal = diagnostics[0].to_string();
    assert!(
        refusal.contains("test:1:10: no step before this one defines"),
        "{refusal}"
    );
    for answer in answers {
        assert!(matches!(answer, Answer::Passed { .. }), "{answer:?}");
    }
    assert_eq!(hand_in("mine = 1").map(drop), Err(NotTaken::Over));
}
