//! What came of one scenario among many.

use std::path::PathBuf;
use std::time::Duration;

use observe::Verdict;
use scenario::Diagnostic;
use serde::Serialize;

/// A scenario that is through.
#[derive(Clone, Debug)]
pub(crate) struct Tested {
    pub(crate) outcome: Outcome,
    /// Of a simulation: the same each time.
    pub(crate) digest: Option<String>,
    /// In real time.
    pub(crate) took: Duration,
}

/// How it went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Passed,
    Failed {
        verdict: Verdict,
        step: Option<Box<FailedStep>>,
        violations: Vec<String>,
        /// Where the run's log is.
        folder: PathBuf,
    },
    /// The user had enough.
    Interrupted,
    /// The nodes did not come up.
    NotStarted(String),
    /// The file is wrong.
    Mistakes(Vec<Diagnostic>),
    /// The engine cannot carry it out.
    Skipped(String),
}

/// The step at which a run failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct FailedStep {
    pub(crate) line: u32,
    pub(crate) text: String,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Outcome {
    /// The outcome in one word, for machines.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed { .. } => "failed",
            Self::Interrupted => "interrupted",
            Self::NotStarted(_) => "not-started",
            Self::Mistakes(_) => "mistakes",
            Self::Skipped(_) => "skipped",
        }
    }

    /// Whether the suite fails with it.
    pub(crate) const fn is_failure(&self) -> bool {
        match self {
            Self::Failed { .. } | Self::Interrupted | Self::NotStarted(_) | Self::Mistakes(_) => true,
            Self::Passed | Self::Skipped(_) => false,
        }
    }

    /// What there is to say of it, on one line; none of one that passed.
    pub(crate) fn message(&self) -> Option<String> {
        match self {
            Self::Passed => None,
            Self::Failed { verdict, .. } => Some(verdict.words().to_owned()),
            Self::Interrupted => Some("interrupted".to_owned()),
            Self::NotStarted(error) => Some(error.clone()),
            Self::Mistakes(diagnostics) => Some(scenario::words::count(diagnostics.len() as u64, "mistake")),
            Self::Skipped(reason) => Some(reason.clone()),
        }
    }

    /// The rest of it, one fact on a line.
    pub(crate) fn details(&self, file: &str) -> Vec<String> {
        match self {
            Self::Passed | Self::Interrupted | Self::NotStarted(_) | Self::Skipped(_) => Vec::new(),
            Self::Mistakes(diagnostics) => diagnostics.iter().map(ToString::to_string).collect(),
            Self::Failed {
                step,
                violations,
                folder,
                ..
            } => {
                let mut lines = Vec::new();
                if let Some(step) = step {
                    lines.push(format!("at       {file}:{}: {}", step.line, step.text));
                    lines.push(format!("expected {}", step.expected));
                    lines.push(format!("found    {}", step.found));
                }
                lines.extend(violations.iter().map(|violation| format!("broken   {violation}")));
                lines.push(format!("log      {}", folder.display()));
                lines
            }
        }
    }
}
