//! Writing the log.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zstd::bulk::Compressor;

use super::segment_name;
use crate::limits::{FRAME_BYTES, FRAME_EVENTS, MAX_SEGMENTS, SEGMENT_BYTES};

/// zstd's own default: four to eight times smaller than the text at some hundred megabytes a second.
const LEVEL: i32 = 3;

/// Appends lines to the log of a run folder.
pub struct LogWriter {
    folder: PathBuf,
    compressor: Compressor<'static>,
    frame: Vec<u8>,
    events_in_frame: usize,
    segment: File,
    segment_number: u32,
    segment_bytes: u64,
}

impl LogWriter {
    /// Begins a log in a folder that has none.
    ///
    /// # Errors
    /// When the first segment cannot be created, also because it exists.
    pub fn create(folder: &Path) -> io::Result<Self> {
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.include_checksum(true)?;
        Ok(Self {
            folder: folder.to_owned(),
            compressor,
            frame: Vec::new(),
            events_in_frame: 0,
            segment: File::create_new(folder.join(segment_name(0)))?,
            segment_number: 0,
            segment_bytes: 0,
        })
    }

    /// Appends a line, and finishes the frame when it is full.
    ///
    /// # Errors
    /// When the file cannot be written; the frame is lost then.
    pub fn append(&mut self, line: &str) -> io::Result<()> {
        self.frame.extend_from_slice(line.as_bytes());
        self.frame.push(b'\n');
        self.events_in_frame += 1;
        if self.events_in_frame >= FRAME_EVENTS || self.frame.len() >= FRAME_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Finishes the frame, so that what was appended survives a crash of this process.
    ///
    /// # Errors
    /// When the file cannot be written; the frame is lost then.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        if self.segment_bytes >= SEGMENT_BYTES {
            self.next_segment()?;
        }
        let compressed = self.compressor.compress(&self.frame)?;
        self.frame.clear();
        self.events_in_frame = 0;
        self.segment.write_all(&compressed)?;
        self.segment_bytes = self.segment_bytes.saturating_add(compressed.len() as u64);
        Ok(())
    }

    fn next_segment(&mut self) -> io::Result<()> {
        let number = self.segment_number + 1;
        if number >= MAX_SEGMENTS {
            return Err(io::Error::other(format!("log is full: it has {MAX_SEGMENTS} segments")));
        }
        self.segment = File::create_new(self.folder.join(segment_name(number)))?;
        self.segment_number = number;
        self.segment_bytes = 0;
        Ok(())
    }
}

impl std::fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogWriter")
            .field("folder", &self.folder)
            .field("segment_number", &self.segment_number)
            .field("segment_bytes", &self.segment_bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_ends_with_the_last_segment_that_has_a_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut log = LogWriter::create(folder.path()).expect("a new log");
        for (number, has_room) in [(MAX_SEGMENTS - 2, true), (MAX_SEGMENTS - 1, false)] {
            (log.segment_number, log.segment_bytes) = (number, SEGMENT_BYTES);
            log.append("{}").expect("it waits for its frame");
            assert_eq!(log.flush().is_ok(), has_room, "behind segment {number}");
        }
        assert!(folder.path().join(segment_name(MAX_SEGMENTS - 1)).exists());
    }
}
