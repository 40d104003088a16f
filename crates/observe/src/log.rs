//! The event log on disk: JSON Lines in zstd segments `events-0000.jsonl.zst`, `events-0001.jsonl.zst`, ...
//!
//! A segment is a row of whole zstd frames, each with a checksum and some thousand events at most. `zstdcat events-*.zst` reads it.
//! A frame is appended by one write, so a crash loses the unfinished frame and nothing before it.

mod compare;
mod read;
mod tail;
mod write;

pub use compare::{Difference, first_difference};
pub use read::{LoggedEvent, ReadError, Reader, read};
pub use tail::{Frame, FramePlace, Tail};
pub use write::LogWriter;

/// The file name of a segment.
fn segment_name(number: u32) -> String {
    format!("events-{number:04}.jsonl.zst")
}

#[cfg(test)]
mod tests;
