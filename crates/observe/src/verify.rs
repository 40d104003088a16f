//! Whether a run folder's log holds together: its own checks, apart from all that reads it for show.
//!
//! What is checked is what a log must say whatever happened in the run: nothing is missing, blocks stand on blocks that were told of and have
//! more work, reorgs are as deep as they list, no chain spends a coin twice, and who replays it ends where the run ended.

mod chain;
mod state;

use std::fs;
use std::path::Path;

use base::Hash;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::arrivals::Unreadable;
use crate::log::{LoggedEvent, ReadError, Tail};
use crate::told::Told;
use state::State;

/// A log that holds together, and how much of it there is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Verified {
    /// Lines, none of them missing.
    pub events: u64,
    /// Blocks, each on one told of before, with more work.
    pub blocks: u64,
    /// Reorgs, each as deep as it lists, from the tip the node had.
    pub reorgs: u64,
    /// Coins that are spent, none of them twice in a chain.
    pub coins: u64,
    /// Nodes whose last tip is that of the run's summary; none when the log does not tell tips, or the run has no summary.
    pub tips: Option<u64>,
    /// Whether the log goes on to the run's end: not when the run goes on, or broke off.
    pub complete: bool,
    /// Whether its text is the text whose digest is in the run's summary; none when that has none.
    pub digest: Option<bool>,
}

/// The first thing that does not hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Flaw {
    /// The line, from 0; none when it is about the folder as a whole.
    pub seq: Option<u64>,
    /// When, in microseconds since the run began.
    pub t_us: Option<u64>,
    /// What should hold.
    pub rule: &'static str,
    /// What should have been.
    pub expected: String,
    /// What was.
    pub found: String,
}

/// Why a log could not be checked, or does not hold.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// It cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// What nodes followed, which is beside it, cannot be.
    #[error(transparent)]
    Arrivals(#[from] Unreadable),
    /// It does not hold together.
    #[error("{}: expected {}, found {}", .0.rule, .0.expected, .0.found)]
    Flaw(Box<Flaw>),
}

/// What is found wrong with a line.
pub(crate) struct Wrong {
    rule: &'static str,
    expected: String,
    found: String,
}

#[expect(clippy::needless_pass_by_value, reason = "most of it was just made, to be shown")]
fn wrong(rule: &'static str, expected: impl ToString, found: impl ToString) -> Wrong {
    Wrong {
        rule,
        expected: expected.to_string(),
        found: found.to_string(),
    }
}

/// Checks the log of a run folder.
///
/// # Errors
/// When it cannot be read, and the first thing that does not hold.
pub fn verify(folder: &Path) -> Result<Verified, VerifyError> {
    let mut tail = Tail::open(folder)?;
    let mut state = State::default();
    let mut digest = Sha256::new();
    while let Some(frame) = tail.next_frame()? {
        for line in frame.lines() {
            digest.update(line);
            digest.update(b"\n");
        }
        for event in frame.events()? {
            let at = (Some(event.seq), Some(event.t_us));
            check(&mut state, &event).map_err(|wrong| flaw(at, wrong))?;
        }
    }
    state.take_tips(folder)?;
    let summary = summary(folder);
    let mut verified = state
        .finish(summary.as_ref())
        .map_err(|wrong| flaw((None, None), wrong))?;
    if let Some(told) = summary.as_ref().and_then(|summary| summary["log"]["digest"].as_str()) {
        let found = Hash(digest.finalize().into()).to_string();
        verified.digest = Some(true);
        if found != told {
            let wrong = wrong("the log's text is that of the run", told, found);
            return Err(flaw((None, None), wrong));
        }
    }
    Ok(verified)
}

fn check(state: &mut State, event: &LoggedEvent) -> Result<(), Wrong> {
    let told = Told::of(event).map_err(|error| wrong("a line has its kind's fields", &event.kind, error))?;
    state.line(event)?;
    told.map_or(Ok(()), |told| state.told(event.node.as_deref(), &told))
}

fn flaw((seq, t_us): (Option<u64>, Option<u64>), wrong: Wrong) -> VerifyError {
    let Wrong { rule, expected, found } = wrong;
    VerifyError::Flaw(Box::new(Flaw {
        seq,
        t_us,
        rule,
        expected,
        found,
    }))
}

/// A run that has not ended has none.
fn summary(folder: &Path) -> Option<Value> {
    let text = fs::read_to_string(folder.join("summary.json")).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests;
