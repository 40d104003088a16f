//! Reading the log, one frame in memory at a time.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::tail::Tail;
use crate::limits::MAX_FRAME_BYTES;
use crate::line::SCHEMA;

/// One line of a log, its fields as they stand. Kinds and fields a reader does not know are for it to ignore.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LoggedEvent {
    /// The schema's version.
    pub v: u32,
    /// The run's total order, from 0.
    pub seq: u64,
    /// Microseconds since the run began.
    pub t_us: u64,
    /// The name of the node that told it.
    pub node: Option<String>,
    /// That node's own counter.
    pub nseq: Option<u64>,
    /// What kind of event it is.
    pub kind: String,
    /// The kind's fields.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// Why a log cannot be read on.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A file cannot be opened or read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A frame is broken where no crash can have broken it.
    #[error("{path} is damaged after {events} events of the log: {source}")]
    Damaged {
        /// Which segment.
        path: PathBuf,
        /// How many events were read before.
        events: u64,
        /// What the decoder says.
        source: io::Error,
    },
    /// A frame is larger than any that is written.
    #[error("{path} has a frame above {MAX_FRAME_BYTES} bytes")]
    TooLarge {
        /// Which segment.
        path: PathBuf,
    },
    /// A line is not an event.
    #[error("{path}: event {events} of the log is not one: {source}")]
    NotAnEvent {
        /// Which segment.
        path: PathBuf,
        /// How many events were read before.
        events: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The log is of another version.
    #[error("{path} has events of schema {found}, this version reads {SCHEMA}")]
    Version {
        /// Which segment.
        path: PathBuf,
        /// The version found.
        found: u32,
    },
}

/// Opens the log in a run folder.
///
/// # Errors
/// When its first segment cannot be opened.
pub fn read(folder: &Path) -> Result<Reader, ReadError> {
    Ok(Reader {
        tail: Some(Tail::open(folder)?),
        frame: Vec::new().into_iter(),
        truncated: false,
    })
}

/// Goes through a log. After an error it ends.
#[derive(Debug)]
pub struct Reader {
    tail: Option<Tail>,
    frame: std::vec::IntoIter<LoggedEvent>,
    truncated: bool,
}

impl Reader {
    /// Whether the log broke off within a frame, as after a crash. Known when the reader has ended.
    #[must_use]
    pub const fn truncated(&self) -> bool {
        self.truncated
    }

    /// Reads a frame that has events; false at the end of the log.
    fn next_frame(&mut self) -> Result<bool, ReadError> {
        let Some(tail) = &mut self.tail else { return Ok(false) };
        while let Some(frame) = tail.next_frame()? {
            self.frame = frame.events()?.into_iter();
            if self.frame.len() > 0 {
                return Ok(true);
            }
        }
        self.truncated = tail.is_within_a_frame();
        self.tail = None;
        Ok(false)
    }
}

impl Iterator for Reader {
    type Item = Result<LoggedEvent, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.frame.len() == 0 {
            match self.next_frame() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.tail = None;
                    return Some(Err(error));
                }
            }
        }
        self.frame.next().map(Ok)
    }
}
