//! The logs of nodes, for people: one line each for what libp2p, the disk and the node itself have to say. Events are in the run's own log.

pub(crate) mod merge;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
#[expect(clippy::disallowed_types, reason = "all threads write lines into one file")]
use std::sync::Mutex;

use anyhow::Context as _;
use tracing::Level;

use crate::exit::Failure;
use crate::limits::MAX_LOG_BYTES;

/// The name of the folder for logs in a run folder.
pub(crate) const FOLDER: &str = "logs";
/// The log of nodes that live in one process.
const SHARED: &str = "nodes.log";
/// What a cluster in the background would have printed.
pub(crate) const NEWS: &str = "up.out";

/// Lets all nodes of this process write into one log of the run.
pub(crate) fn shared(run: &Path) -> Result<(), Failure> {
    let folder = run.join(FOLDER);
    let open = || {
        fs::create_dir_all(&folder)?;
        OpenOptions::new().create(true).append(true).open(folder.join(SHARED))
    };
    let file = open()
        .with_context(|| format!("cannot write a log into {}", folder.display()))
        .map_err(Failure::could_not_start)?;
    write_to(file);
    Ok(())
}

/// Removes what is there of a run that did not begin, if nothing was written: a taken port leaves no folder behind.
pub(crate) fn forget_empty(run: &Path) {
    let log = run.join(FOLDER).join(SHARED);
    if log.metadata().is_ok_and(|log| log.len() == 0) {
        // What cannot be removed stays, and so do folders with something in them.
        let _ = fs::remove_file(log);
        let _ = fs::remove_dir(run.join(FOLDER));
        let _ = fs::remove_dir(run);
    }
}

/// Lets this process's node write to standard error, which whoever started it has led into its log.
pub(crate) fn own() {
    write_to(io::stderr());
}

#[expect(clippy::disallowed_types, reason = "all threads write lines into one file")]
fn write_to(to: impl Write + Send + 'static) {
    let journal = Mutex::new(Bounded {
        to,
        left: MAX_LOG_BYTES,
    });
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::INFO)
        .with_ansi(false)
        .with_target(false)
        .with_writer(journal)
        .finish();
    // A second run in one process goes on in the first one's log.
    let _already = tracing::subscriber::set_global_default(subscriber);
}

/// Writes so many bytes, says that it is full, and takes the rest without a word.
struct Bounded<W> {
    to: W,
    left: u64,
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let length = line.len() as u64;
        if length <= self.left {
            self.to.write_all(line)?;
            self.left -= length;
        } else if self.left > 0 {
            self.left = 0;
            writeln!(self.to, "this log has {MAX_LOG_BYTES} bytes; no more is written")?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_says_so_once_and_grows_no_more() {
        let mut log = Bounded {
            to: Vec::new(),
            left: 10,
        };
        for line in ["12345\n", "12345\n", "1\n", "2\n"] {
            assert_eq!(log.write(line.as_bytes()).expect("memory takes all"), line.len());
        }
        let text = String::from_utf8(log.to).expect("text was written");
        assert_eq!(
            text,
            format!("12345\nthis log has {MAX_LOG_BYTES} bytes; no more is written\n")
        );
    }
}
