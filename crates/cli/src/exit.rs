//! Exit codes, one for each kind of end. `docs/SCENARIOS.md` lists them.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// All went as expected.
    Passed,
    /// An expectation or invariant failed.
    Failed,
    /// The arguments or the scenario file are wrong.
    BadInput,
    /// A port, a permission, a folder in use: nothing was started, or all was stopped again.
    CouldNotStart,
    /// A node ended that no step told to.
    NodeDied,
    /// The time limit was reached.
    OutOfTime,
    /// Ctrl-C, after a clean teardown.
    Interrupted,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::BadInput => 2,
            Self::CouldNotStart => 3,
            Self::NodeDied => 4,
            Self::OutOfTime => 5,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error and the code to end with.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
}

impl Failure {
    pub(crate) fn bad_input(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::BadInput,
            error: error.into(),
        }
    }

    pub(crate) fn could_not_start(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::CouldNotStart,
            error: error.into(),
        }
    }
}

/// What a command gives.
pub(crate) type Ended = Result<Exit, Failure>;
