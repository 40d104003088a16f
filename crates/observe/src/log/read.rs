//! Reading the log, one frame in memory at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;
use zstd::stream::read::Decoder;

use super::segment_name;
use crate::limits::{MAX_FRAME_BYTES, MAX_SEGMENTS};
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
    let path = folder.join(segment_name(0));
    let file = open(&path)?;
    Ok(Reader {
        folder: folder.to_owned(),
        path,
        number: 0,
        segment: Some(file),
        frame: Vec::new().into_iter(),
        events: 0,
        truncated: false,
    })
}

/// Goes through a log. After an error it ends.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    path: PathBuf,
    number: u32,
    segment: Option<BufReader<File>>,
    frame: std::vec::IntoIter<LoggedEvent>,
    events: u64,
    truncated: bool,
}

impl Reader {
    /// Whether the log broke off within a frame, as after a crash. Known when the reader has ended.
    #[must_use]
    pub const fn truncated(&self) -> bool {
        self.truncated
    }

    /// Reads frames until one has events; false at the end of the log.
    fn next_frame(&mut self) -> Result<bool, ReadError> {
        while let Some(segment) = &mut self.segment {
            if segment
                .fill_buf()
                .map_err(|source| io_error(&self.path, source))?
                .is_empty()
            {
                self.next_segment()?;
                continue;
            }
            let mut text = Vec::new();
            let result = Decoder::with_buffer(segment)
                .map(Decoder::single_frame)
                .and_then(|frame| frame.take(MAX_FRAME_BYTES + 1).read_to_end(&mut text));
            if let Err(source) = result {
                return self.broken_off(source).map(|()| false);
            }
            if text.len() as u64 > MAX_FRAME_BYTES {
                return Err(ReadError::TooLarge {
                    path: self.path.clone(),
                });
            }
            self.frame = self.parse(&text)?.into_iter();
            if self.frame.len() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn next_segment(&mut self) -> Result<(), ReadError> {
        self.segment = None;
        let path = self.folder.join(segment_name(self.number + 1));
        if self.number + 1 < MAX_SEGMENTS && path.exists() {
            self.segment = Some(open(&path)?);
            self.path = path;
            self.number += 1;
        }
        Ok(())
    }

    /// An unfinished frame at the very end is what a crash leaves; anywhere else it is damage.
    fn broken_off(&mut self, source: io::Error) -> Result<(), ReadError> {
        let last = !self.folder.join(segment_name(self.number + 1)).exists();
        self.segment = None;
        if last && source.kind() == io::ErrorKind::UnexpectedEof {
            self.truncated = true;
            return Ok(());
        }
        Err(ReadError::Damaged {
            path: self.path.clone(),
            events: self.events,
            source,
        })
    }

    fn parse(&self, text: &[u8]) -> Result<Vec<LoggedEvent>, ReadError> {
        let mut events = Vec::new();
        for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let event: LoggedEvent = serde_json::from_slice(line).map_err(|source| ReadError::NotAnEvent {
                path: self.path.clone(),
                events: self.events + events.len() as u64,
                source,
            })?;
            if event.v != SCHEMA {
                return Err(ReadError::Version {
                    path: self.path.clone(),
                    found: event.v,
                });
            }
            events.push(event);
        }
        Ok(events)
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
                    self.segment = None;
                    return Some(Err(error));
                }
            }
        }
        let event = self.frame.next()?;
        self.events += 1;
        Some(Ok(event))
    }
}

fn open(path: &Path) -> Result<BufReader<File>, ReadError> {
    File::open(path)
        .map(BufReader::new)
        .map_err(|source| io_error(path, source))
}

fn io_error(path: &Path, source: io::Error) -> ReadError {
    ReadError::Io {
        path: path.to_owned(),
        source,
    }
}
