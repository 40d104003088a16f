//! The report that continuous integration servers read: `JUnit` XML.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::outcome::{Outcome, Tested};
use super::{Suite, Test};

/// The report as XML.
pub(crate) fn report(
    suite: &Suite,
    tests: &[Test],
    results: &[Option<Tested>],
) -> Result<String, quick_junit::SerializeError> {
    let engine = match suite.engine {
        scenario::Engine::Cluster => "cluster",
        scenario::Engine::Sim => "sim",
    };
    let mut group = TestSuite::new(engine);
    for (test, tested) in tests.iter().zip(results) {
        group.add_test_case(case(test, tested.as_ref()));
    }
    let mut report = Report::new("nakanet");
    report.set_time(group.time.unwrap_or_default());
    report.add_test_suite(group);
    report.to_string()
}

fn case(test: &Test, tested: Option<&Tested>) -> TestCase {
    let file = test.file.display().to_string();
    let name = test
        .plan
        .as_ref()
        .map_or(file.as_str(), |plan| plan.name.as_str())
        .to_owned();
    let Some(tested) = tested else {
        let mut case = TestCase::new(name, TestCaseStatus::skipped());
        case.set_classname(file);
        return case;
    };
    let mut status = match &tested.outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Skipped(_) => TestCaseStatus::skipped(),
        Outcome::Failed { .. } => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Interrupted | Outcome::NotStarted(_) | Outcome::Mistakes(_) => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
    };
    if let Some(message) = tested.outcome.message() {
        status.set_message(message);
    }
    let details = tested.outcome.details(&file).join("\n");
    if !details.is_empty() {
        status.set_description(details);
    }
    let mut case = TestCase::new(name, status);
    case.set_classname(file);
    case.set_time(tested.took);
    if let Ok(plan) = &test.plan {
        case.add_property(("seed", plan.seed.to_string().as_str()));
    }
    if let Some(digest) = &tested.digest {
        case.add_property(("digest", digest.as_str()));
    }
    case
}
