//! The scenario files of the project, in virtual time.

use observe::Ending;
use scenario::Outcome;
use sim::{Options, Verify};

use crate::files::{plan, scenarios};

#[test]
fn every_scenario_says_what_it_shows_and_warns_of_nothing() {
    let files = scenarios("scenarios");
    assert!(files.len() >= 7, "{files:?}");
    for file in &files {
        let plan = plan(file);
        assert!(!plan.description.is_empty(), "{}: no opening comment", plan.file);
        assert!(plan.warnings.is_empty(), "{}: {:?}", plan.file, plan.warnings);
    }
}

#[test]
fn every_scenario_passes_in_virtual_time_and_repeats_to_the_byte() {
    for file in scenarios("scenarios") {
        let plan = plan(&file);
        let mut digests = Vec::new();
        for (verify, check_wire) in [(Verify::Shared, false), (Verify::Shared, true), (Verify::Each, false)] {
            let options = Options {
                verify,
                check_wire,
                ..Options::default()
            };
            let mut failed = None;
            let finished = sim::run(&plan, &options, &mut |progress| {
                if let sim::Progress::Step(report) = progress
                    && let scenario::StepState::Failed { expected, found } = &report.state
                {
                    let step = &plan.steps[report.step];
                    failed = Some(format!(
                        "{}:{}: expected {expected}; found {found}",
                        plan.file, step.line
                    ));
                }
            })
            .expect("a simulation starts");
            assert_eq!(finished.ending, Ending::Steps(Outcome::Passed), "{failed:?}");
            assert_eq!(finished.collector.violations(), &[], "{}", plan.file);
            digests.push((finished.digest, finished.collector.digest()));
        }
        assert_eq!(
            digests[0], digests[1],
            "{}: run again through the codec, it was another run",
            plan.file
        );
        assert_eq!(
            digests[0], digests[2],
            "{}: sharing a ledger changed the run",
            plan.file
        );
    }
}

/// Each file is a mistake that was once made, as the scenario that showed it.
#[test]
fn what_once_failed_passes() {
    let files = scenarios("tests/regressions");
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let plan = plan(&file);
        let finished = sim::run(&plan, &Options::default(), &mut |_| {}).expect("a simulation starts");
        assert_eq!(finished.ending, Ending::Steps(Outcome::Passed), "{}", plan.file);
        assert_eq!(finished.collector.violations(), &[], "{}", plan.file);
    }
}
