//! Prints. A reader that went away (`nakanet list | head`) ends the printing, not the run.

use std::fmt::Display;
use std::io::Write as _;

/// A line to standard output.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// Text to standard output as it is, at once.
pub(crate) fn part(text: impl Display) {
    let mut out = anstream::stdout();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}

/// A line to standard error.
pub(crate) fn aside(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}
