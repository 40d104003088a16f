//! Messages on a stream: each behind its length.

use super::{DecodeError, decode, encode_onto, encoded_len};
use crate::Message;
use crate::limits::{MAX_HELLO_BYTES, MAX_MESSAGE_BYTES};

/// Bytes of a frame's length: a little-endian u32.
const LENGTH_BYTES: usize = 4;

/// A message's bytes behind their length.
///
/// # Panics
/// For a message of 4 GiB or more; bodies are bounded far below.
#[must_use]
pub fn frame(message: &Message) -> Vec<u8> {
    let length = encoded_len(message);
    let prefix = u32::try_from(length).expect("messages are bounded far below 4 GiB");
    let mut bytes = Vec::with_capacity(LENGTH_BYTES + length);
    bytes.extend_from_slice(&prefix.to_le_bytes());
    encode_onto(message, &mut bytes);
    assert_eq!(
        bytes.len(),
        LENGTH_BYTES + length,
        "the length is told before the message is encoded"
    );
    bytes
}

/// Finds the messages in a stream's bytes, however they were cut up.
///
/// Push what was read, then take messages until there is none. Until [`FrameReader::unlock`] only short messages are let through; a handshake is
/// the first message, so unlock before taking the second. A frame that is too long is refused by its length alone. After the first error there
/// is nothing more to read: what follows on the stream means nothing.
#[derive(Clone, Debug)]
pub struct FrameReader {
    buffer: Vec<u8>,
    /// Bytes at the front of the buffer that are done with.
    taken: usize,
    limit: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Reading,
    /// The frame at the front is too long; whoever reads has not been told yet.
    Refusing,
    Broken,
}

impl FrameReader {
    /// At the start of a stream, before the handshake.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            buffer: Vec::new(),
            taken: 0,
            limit: MAX_HELLO_BYTES,
            state: State::Reading,
        }
    }

    /// The handshake is done: messages of full size are let through.
    pub const fn unlock(&mut self) {
        self.limit = MAX_MESSAGE_BYTES;
    }

    /// The memory that it has for bytes of frames that are not whole yet.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.buffer.capacity()
    }

    /// Bytes that no message was made of yet.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.buffer.len() - self.taken
    }

    /// Takes in what was read from the stream. Keeps no byte of a frame that is already known to be too long, and no room of one that is done
    /// with.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        if self.buffer.is_empty() {
            self.buffer = Vec::new();
        }
        if self.length().is_some_and(|length| length > self.limit) {
            self.stop(State::Refusing);
        }
        if self.state == State::Reading {
            self.make_room(bytes.len());
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Doubles what there is, as a vector does, but no further than the frame reaches.
    fn make_room(&mut self, bytes: usize) {
        let needed = self.buffer.len() + bytes;
        let frame = self.length().map_or(0, |length| LENGTH_BYTES + length);
        if needed > self.buffer.capacity() {
            let wanted = needed.max(frame.min(2 * needed));
            self.buffer.reserve_exact(wanted - self.buffer.len());
        }
    }

    fn stop(&mut self, state: State) {
        self.state = state;
        self.buffer = Vec::new();
        self.taken = 0;
    }

    /// The length of the frame at the front, when it has arrived.
    fn length(&self) -> Option<usize> {
        let (length, _) = self.buffer[self.taken..].split_first_chunk::<LENGTH_BYTES>()?;
        Some(usize::try_from(u32::from_le_bytes(*length)).expect("addresses have 32 bits or more"))
    }

    /// The message at the front, when all of it has arrived.
    fn take(&mut self) -> Option<Result<Message, DecodeError>> {
        let length = self.length()?;
        if length > self.limit {
            return Some(Err(DecodeError::Oversize));
        }
        let start = self.taken + LENGTH_BYTES;
        let payload = self.buffer.get(start..start + length)?;
        let message = decode(payload, self.limit);
        self.taken = start + length;
        Some(message)
    }
}

impl Iterator for FrameReader {
    type Item = Result<Message, DecodeError>;

    /// The next whole message; `None` until more bytes are pushed.
    fn next(&mut self) -> Option<Self::Item> {
        let next = match self.state {
            State::Reading => self.take(),
            State::Refusing => Some(Err(DecodeError::Oversize)),
            State::Broken => None,
        };
        if matches!(next, Some(Err(_))) {
            self.stop(State::Broken);
        }
        next
    }
}

impl Default for FrameReader {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
