//! What a run looks like in plain text of at most [`TEXT_COLUMNS`] columns: the same in a terminal, a failure's report and a log of CI.

mod block;
mod events;
mod fork;
mod nodes;
mod propagation;
mod reorgs;
mod statistics;
mod transaction;
mod tree;

use std::collections::BTreeMap;

use base::Time;
use chain::Txid;

pub use block::why_block;
pub use events::{event, last_events, logged};
pub use fork::{fork, reorg};
pub use nodes::{node_states, nodes};
pub use propagation::{propagation, spread};
pub use reorgs::reorgs;
pub use statistics::statistics;
pub use transaction::why_transaction;
pub use tree::{picture, tree};

use crate::limits::TEXT_COLUMNS;

/// What transactions are called: `ds to carol`. Known to whoever made them.
pub type Labels = BTreeMap<Txid, String>;

/// The line, cut to the width of text.
fn clip(line: &str) -> String {
    let line = line.trim_end();
    if line.chars().count() <= TEXT_COLUMNS {
        return line.to_owned();
    }
    let mut cut: String = line.chars().take(TEXT_COLUMNS - 2).collect();
    cut.push_str("..");
    cut
}

/// Words after a heading, as many lines as they take; all but the first are indented to the heading's end.
fn wrapped(heading: &str, words: impl IntoIterator<Item = String>) -> String {
    let indent = heading.chars().count();
    let mut text = heading.to_owned();
    let mut column = indent;
    for word in words {
        let length = word.chars().count();
        if column > indent && column + 1 + length > TEXT_COLUMNS {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > indent {
            text.push(' ');
            column += 1;
        }
        text.push_str(&word);
        column += length;
    }
    text.push('\n');
    text
}

/// What a branch of a fork is called, here and everywhere: A to Z in the order in which they were seen, then numbers.
#[must_use]
pub fn letter(branch: usize) -> String {
    match u8::try_from(branch) {
        Ok(place @ 0..26) => char::from(b'A' + place).to_string(),
        Ok(_) | Err(_) => format!("#{}", branch + 1),
    }
}

/// A moment of a run, to the millisecond.
#[must_use]
pub fn moment(at: Time) -> String {
    let micros = at.as_micros();
    format!("{}.{:03} s", micros / 1_000_000, micros / 1_000 % 1_000)
}

/// The word in the number that fits the count.
fn counted(count: usize, word: &str) -> String {
    if count == 1 {
        format!("1 {word}")
    } else {
        format!("{count} {word}s")
    }
}

#[cfg(test)]
mod tests;
