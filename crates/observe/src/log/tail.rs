//! Reading a log frame by frame, also while it grows, and again from any frame on.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use zstd::stream::read::Decoder;

use super::read::{LoggedEvent, ReadError};
use super::segment_name;
use crate::limits::{MAX_FRAME_BYTES, MAX_SEGMENTS};
use crate::line::SCHEMA;

/// Where a frame lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct FramePlace {
    /// Which segment.
    pub segment: u32,
    /// Its first byte there.
    pub offset: u64,
    /// How many lines of the log come before it.
    pub events: u64,
}

/// A frame of the log.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Where it lies.
    pub place: FramePlace,
    path: PathBuf,
    text: Vec<u8>,
}

/// A log, read to some frame.
#[derive(Debug)]
pub struct Tail {
    folder: PathBuf,
    path: PathBuf,
    segment: BufReader<File>,
    next: FramePlace,
    within_a_frame: bool,
}

impl Frame {
    /// Its lines, as they stand.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())
    }

    /// Its lines as events.
    ///
    /// # Errors
    /// When one is none, or of another version of the log.
    pub fn events(&self) -> Result<Vec<LoggedEvent>, ReadError> {
        let lines = (self.place.events..).zip(self.lines());
        lines.map(|(number, line)| self.event(number, line)).collect()
    }

    /// A line of it as an event; `number` is how many lines of the log come before it.
    ///
    /// # Errors
    /// When it is none, or of another version of the log.
    pub fn event(&self, number: u64, line: &[u8]) -> Result<LoggedEvent, ReadError> {
        let event: LoggedEvent = serde_json::from_slice(line).map_err(|source| ReadError::NotAnEvent {
            path: self.path.clone(),
            events: number,
            source,
        })?;
        if event.v != SCHEMA {
            return Err(ReadError::Version {
                path: self.path.clone(),
                found: event.v,
            });
        }
        Ok(event)
    }
}

impl Tail {
    /// Opens the log in a run folder at its beginning.
    ///
    /// # Errors
    /// When its first segment cannot be opened.
    pub fn open(folder: &Path) -> Result<Self, ReadError> {
        Self::from(folder, FramePlace::default())
    }

    /// Opens the log in a run folder at a frame.
    ///
    /// # Errors
    /// When its segment cannot be opened.
    pub fn from(folder: &Path, place: FramePlace) -> Result<Self, ReadError> {
        let path = folder.join(segment_name(place.segment));
        let mut segment = open(&path)?;
        segment
            .seek(SeekFrom::Start(place.offset))
            .map_err(|source| io_error(&path, source))?;
        Ok(Self {
            folder: folder.to_owned(),
            path,
            segment,
            next: place,
            within_a_frame: false,
        })
    }

    /// Whether the log ended within a frame when it was last read: it is being written, or broke off in a crash.
    #[must_use]
    pub const fn is_within_a_frame(&self) -> bool {
        self.within_a_frame
    }

    /// Where the next frame begins, or will.
    #[must_use]
    pub const fn place(&self) -> FramePlace {
        self.next
    }

    /// Reads the next frame; none at the end of what is there, from where a later call goes on.
    ///
    /// # Errors
    /// When it is damaged, or too large.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, ReadError> {
        loop {
            let rest = self.segment.fill_buf().map_err(|source| io_error(&self.path, source))?;
            if !rest.is_empty() {
                return self.read_frame();
            }
            self.within_a_frame = false;
            if !self.open_next_segment()? {
                return Ok(None);
            }
        }
    }

    fn read_frame(&mut self) -> Result<Option<Frame>, ReadError> {
        let mut text = Vec::new();
        let result = Decoder::with_buffer(&mut self.segment)
            .map(Decoder::single_frame)
            .and_then(|frame| frame.take(MAX_FRAME_BYTES + 1).read_to_end(&mut text));
        if let Err(source) = result {
            return self.broken_off(source).map(|()| None);
        }
        if text.len() as u64 > MAX_FRAME_BYTES {
            return Err(ReadError::TooLarge {
                path: self.path.clone(),
            });
        }
        let place = self.next;
        let frame = Frame {
            place,
            path: self.path.clone(),
            text,
        };
        let offset = self.segment.stream_position();
        self.next.offset = offset.map_err(|source| io_error(&self.path, source))?;
        self.next.events += frame.lines().count() as u64;
        self.within_a_frame = false;
        Ok(Some(frame))
    }

    /// An unfinished frame at the very end is what is being written, or what a crash leaves; anywhere else it is damage.
    fn broken_off(&mut self, source: io::Error) -> Result<(), ReadError> {
        if source.kind() == io::ErrorKind::UnexpectedEof && !self.next_segment().exists() {
            self.within_a_frame = true;
            let back = self.segment.seek(SeekFrom::Start(self.next.offset));
            return back.map(|_| ()).map_err(|source| io_error(&self.path, source));
        }
        Err(ReadError::Damaged {
            path: self.path.clone(),
            events: self.next.events,
            source,
        })
    }

    fn open_next_segment(&mut self) -> Result<bool, ReadError> {
        let path = self.next_segment();
        if self.next.segment + 1 >= MAX_SEGMENTS || !path.exists() {
            return Ok(false);
        }
        self.segment = open(&path)?;
        self.path = path;
        self.next.segment += 1;
        self.next.offset = 0;
        Ok(true)
    }

    fn next_segment(&self) -> PathBuf {
        self.folder.join(segment_name(self.next.segment + 1))
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
