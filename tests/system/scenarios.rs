//! The scenario files of the project, in virtual time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use observe::Ending;
use scenario::{Outcome, Overrides, Plan};
use sim::{Options, Verify};

use crate::files::root;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(root().join(folder)).expect("scenarios can be listed");
    let mut files: Vec<PathBuf> = folder
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

fn plan(file: &Path) -> Arc<Plan> {
    match system_tests::plan(file, &Overrides::default()) {
        Ok(plan) => Arc::new(plan),
        Err(diagnostics) => {
            let text: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
            panic!("{}", text.join("\n"))
        }
    }
}

#[test]
fn every_scenario_says_what_it_shows_and_warns_of_nothing() {
    let files = files("scenarios");
    assert!(files.len() >= 7, "{files:?}");
    for file in &files {
        let plan = plan(file);
        assert!(!plan.description.is_empty(), "{}: no opening comment", plan.file);
        assert!(plan.warnings.is_empty(), "{}: {:?}", plan.file, plan.warnings);
    }
}

#[test]
fn every_scenario_passes_in_virtual_time_and_repeats_to_the_byte() {
    for file in files("scenarios") {
        let plan = plan(&file);
        let mut digests = Vec::new();
        for (verify, check_wire) in [(Verify::Shared, false), (Verify::Shared, true), (Verify::Each, false)] {
            let options = Options {
                verify,
                check_wire,
                ..Options::default()
            };
            let mut failed = None;
            let finished = sim::run(&plan, &options, &mut |report| {
                if let scenario::StepState::Failed { expected, found } = &report.state {
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
    let files = files("tests/system/regressions");
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let plan = plan(&file);
        let finished = sim::run(&plan, &Options::default(), &mut |_| {}).expect("a simulation starts");
        assert_eq!(finished.ending, Ending::Steps(Outcome::Passed), "{}", plan.file);
        assert_eq!(finished.collector.violations(), &[], "{}", plan.file);
    }
}
