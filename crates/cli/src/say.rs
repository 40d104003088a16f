//! Prints. A reader that went away (`nakanet list | head`) ends the printing, not the run; any other failure is remembered.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::OnceLock;

/// The first failure of standard output that is not a reader who went away.
static FAILURE: OnceLock<io::Error> = OnceLock::new();

/// A line to standard output.
pub(crate) fn line(text: impl Display) {
    note(writeln!(anstream::stdout(), "{text}"));
}

/// Text to standard output as it is, at once.
pub(crate) fn part(text: impl Display) {
    note(at_once(anstream::stdout(), text));
}

/// Text to a terminal that moves its cursor: not taken for a colour, so that it is sent under `NO_COLOR` as well.
pub(crate) fn control(text: &str) {
    note(at_once(io::stdout(), text));
}

/// A line to standard error.
pub(crate) fn aside(text: impl Display) {
    // There is nowhere left to complain.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Remembers that standard output failed.
pub(crate) fn note(result: io::Result<()>) {
    if let Err(error) = result
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        // Only the first is kept: those after it follow from it.
        let _ = FAILURE.set(error);
    }
}

/// Why not all that was printed has arrived.
pub(crate) fn failure() -> Option<&'static io::Error> {
    FAILURE.get()
}

fn at_once(mut out: impl Write, text: impl Display) -> io::Result<()> {
    write!(out, "{text}")?;
    out.flush()
}
