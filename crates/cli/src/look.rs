//! What the commands that look at a run's folder have in common: opening it, finding what is meant, printing.

use std::path::Path;

use anyhow::anyhow;
use base::Time;
use observe::arrivals::Unreadable;
use observe::log::ReadError;
use observe::model::{Follow, FollowError, Moment, Named};
use scenario::words::count;
use serde::Serialize;

use crate::exit::Failure;
use crate::say;

/// Names that are listed when digits can stand for several.
const MAX_NAMES: usize = 12;

/// Opens a run's folder and reads its log.
pub(crate) fn open(run: &Path) -> Result<Follow, Failure> {
    let follow = Follow::open(run).map_err(|error| match error {
        FollowError::Log(error) => unreadable(run, error),
        FollowError::Arrivals(error) => Failure::bad_input(error),
    })?;
    if follow.model().run().is_none() {
        return Err(Failure::bad_input(anyhow!(
            "{} has no events yet: its run has just begun, or broke off at once",
            run.display()
        )));
    }
    Ok(follow)
}

/// Why a folder's log cannot be read; of a folder that has none, what it may be instead.
pub(crate) fn unreadable(run: &Path, error: ReadError) -> Failure {
    if matches!(error, ReadError::Io { .. }) {
        let error = anyhow::Error::new(error);
        return Failure::bad_input(error.context(format!("{} is no run's folder", run.display())));
    }
    Failure::bad_input(error)
}

/// The run at a time, or as its log ends.
pub(crate) fn moment(follow: &Follow, at: Option<Time>) -> Result<Moment<'_>, Unreadable> {
    let model = follow.model();
    model.at(at.unwrap_or(model.now()))
}

/// The block or transaction that digits stand for.
pub(crate) fn named(follow: &Follow, digits: &str) -> Result<Named, Failure> {
    if digits.len() < 2 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let message = "is no name of a block or transaction: give two or more of the digits that tables show";
        return Err(Failure::bad_input(anyhow!("{digits:?} {message}")));
    }
    match follow.model().named(digits)[..] {
        [] => Err(Failure::bad_input(anyhow!(
            "no block or transaction has a name that begins or ends with {digits}"
        ))),
        [one] => Ok(one),
        ref several => Err(Failure::bad_input(anyhow!("{}", ambiguous(several, digits)))),
    }
}

fn ambiguous(several: &[Named], digits: &str) -> String {
    let mut text = format!("{digits} can stand for {} names:", several.len());
    for named in several.iter().take(MAX_NAMES) {
        text.push_str(&match named {
            Named::Block(block) => format!("\n  block        {block}"),
            Named::Transaction(txid) => format!("\n  transaction  {txid}"),
        });
    }
    if several.len() > MAX_NAMES {
        text.push_str(&format!("\n  and {} more", several.len() - MAX_NAMES));
    }
    text
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &impl Serialize) {
    let text = serde_json::to_string_pretty(value).expect("what is shown has no maps with keys other than text");
    say::line(text);
}

/// Says how many older ones are not shown.
pub(crate) fn print_omitted(number: usize, noun: &str) {
    if number > 0 {
        let omitted = count(number as u64, &format!("older {noun}"));
        say::line(format_args!("... {omitted}; --limit shows more ...\n"));
    }
}
