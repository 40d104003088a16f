//! Steps of operators in virtual time, and the same run again from their record.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use observe::operator::{Answer, NotTaken, Reply};
use observe::{Detail, Ending, Operator};
use scenario::{Outcome, Overrides, Plan};

use super::*;
use crate::engine::{Pace, run};

/// Miners on slow links: something is under way at every moment.
const SOURCE: &str = r#"
limit = "10m"
[chain]
preset = "cluster"
interval = "2s"
retarget = "fixed"
[network]
topology = { kind = "full" }
[[network.group]]
count = 4
hashrate = 500
[network.link]
latency = "50ms"
jitter = "20ms"
[steps]
run = [{ sleep = "150s" }, { wait = "converged", advance = 1, within = "60s" }]
"#;

fn plan() -> Arc<Plan> {
    let plan = scenario::parse("controls", SOURCE, &Overrides::default());
    Arc::new(plan.expect("a scenario without fault"))
}

/// What is handed in after so many happenings.
const HANDED_IN: [(u32, &str); 6] = [
    (
        200,
        "partition = [[\"n0\", \"n1\"], [\"n2\", \"n3\"]], as = \"by-hand\"",
    ),
    (201, "mine = 2, on = \"n3\""),
    (202, "heal = \"nothing\""),
    (300, "{ kill = \"n1\" }"),
    (350, "start = \"n1\", within = \"5s\""),
    (400, "heal = \"by-hand\""),
];

#[test]
fn a_run_that_operators_took_part_in_repeats_from_its_record() {
    let (operator, desk) = Operator::new();
    let options = Options {
        desk: Some(desk),
        ..Options::default()
    };
    let mut happenings = 0;
    let mut replies: Vec<Reply> = Vec::new();
    let mut script = Vec::new();
    let finished = run(&plan(), &options, &mut |progress| match progress {
        Progress::Passing { .. } => {
            happenings += 1;
            for (_, text) in HANDED_IN.iter().filter(|(at, _)| *at == happenings) {
                replies.push(operator.hand_in(Instruction::new("test", text)).expect("there is room"));
            }
        }
        Progress::Control(report) if report.state == scenario::StepState::Started => {
            script.push((report.at, Instruction::new("test", &report.text)));
        }
        Progress::Control(_) | Progress::Step(_) => {}
    });
    let finished = finished.expect("a simulation starts");
    let answers: Vec<_> = replies
        .into_iter()
        .map(|reply| reply.wait().expect("an answer"))
        .collect();
    let is_passed = |answer: &Answer| matches!(answer, Answer::Passed { .. });
    assert_eq!(
        answers.iter().map(is_passed).collect::<Vec<_>>(),
        [true, true, false, true, true, true],
        "{answers:?}"
    );
    assert!(matches!(answers[2], Answer::Refused(_)), "{answers:?}");
    assert_eq!(finished.ending, Ending::Steps(Outcome::Passed), "{answers:?}");
    let refusal = operator.hand_in(Instruction::new("test", "mine = 1"));
    assert_eq!(refusal.map(drop), Err(NotTaken::Over));
    assert_eq!(script.len(), 5, "what was refused did not happen");

    let again = |script: &[(Time, Instruction)]| {
        let options = Options {
            script: script.to_vec(),
            ..Options::default()
        };
        run(&plan(), &options, &mut |_| {}).expect("a simulation starts")
    };
    let repeated = again(&script);
    assert_eq!(repeated.digest, finished.digest);
    assert_eq!(
        repeated.collector.digest(),
        finished.collector.digest(),
        "the logs are the same too"
    );
    assert_ne!(again(&[]).digest, finished.digest);
    assert_ne!(again(&script[..4]).digest, finished.digest);
}

#[test]
fn how_fast_time_passes_changes_nothing() {
    let pauses = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&pauses);
    let pace = Pace::new(move |now, next| {
        // Twice half of the way, then all of it.
        if count.fetch_add(1, Ordering::Relaxed) % 3 == 2 {
            next
        } else {
            now + next.since(now) / 2
        }
    });
    let paced = Options {
        pace: Some(pace),
        ..Options::default()
    };
    let digests = [paced, Options::default()].map(|options| {
        let finished = run(&plan(), &options, &mut |_| {}).expect("a simulation starts");
        (finished.digest, finished.collector.digest())
    });
    assert_eq!(digests[0], digests[1]);
    assert!(pauses.load(Ordering::Relaxed) > 300);
}

/// A step is taken after all that happens at its moment, be it an announcement that waits for a resting node and is noted later.
#[test]
fn a_step_comes_after_what_a_resting_node_has_heard_at_its_moment() {
    let (before, _) = SOURCE.split_once("run = ").expect("steps at its end");
    let source = format!("{before}run = [{{ sleep = \"30s\" }}]");
    let plan = scenario::parse("resting", &source, &Overrides::default()).expect("a scenario without fault");
    let plan = Arc::new(plan);
    let mut moments = Vec::new();
    let stepwise = Options {
        detail: Some(Detail::Full),
        pace: Some(Pace::new(|_, next| next)),
        ..Options::default()
    };
    run(&plan, &stepwise, &mut |progress| {
        if let Progress::Passing { now, .. } = progress {
            moments.push(*now);
        }
    })
    .expect("a simulation starts");
    let ending = |detail, at| {
        let options = Options {
            detail: Some(detail),
            script: vec![(at, Instruction::new("test", "{ kill = \"n1\" }"))],
            ..Options::default()
        };
        run(&plan, &options, &mut |_| {}).expect("a simulation starts").digest
    };
    assert!(moments.len() > 100, "{} moments", moments.len());
    for at in moments.iter().step_by(moments.len() / 20) {
        let [full, short] = [Detail::Full, Detail::Summary].map(|detail| ending(detail, *at));
        assert_eq!(short, full, "a step at {at}");
    }
}
