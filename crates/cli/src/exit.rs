//! Exit codes, one for each kind of end. `docs/SCENARIOS.md` lists them.

use std::process::ExitCode;

use anyhow::anyhow;

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

    pub(crate) fn interrupted(what: &'static str) -> Self {
        Self {
            exit: Exit::Interrupted,
            error: anyhow!(what),
        }
    }

    pub(crate) fn could_not_start(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::CouldNotStart,
            error: error.into(),
        }
    }
}

impl Failure {
    /// The error and what caused it. Many errors tell of their cause themselves; it is not told twice.
    pub(crate) fn words(&self) -> String {
        let mut text = String::new();
        for cause in self.error.chain() {
            let cause = cause.to_string();
            if text.is_empty() {
                text = cause;
            } else if !text.contains(&cause) {
                text.push_str(": ");
                text.push_str(&cause);
            }
        }
        text
    }
}

/// What a command gives.
pub(crate) type Ended = Result<Exit, Failure>;

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_cause_that_is_told_already_is_not_told_twice() {
        let full = || io::Error::new(io::ErrorKind::StorageFull, "no space left");
        let silent = anyhow::Error::new(full()).context("cannot write the table");
        assert_eq!(
            Failure::bad_input(silent).words(),
            "cannot write the table: no space left"
        );
        let telling = anyhow::Error::new(full()).context("cannot write the table: no space left");
        let outer = telling.context("cannot go on");
        assert_eq!(
            Failure::bad_input(outer).words(),
            "cannot go on: cannot write the table: no space left"
        );
    }
}
