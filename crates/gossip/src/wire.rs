//! Messages as bytes: bincode with fixed-width little-endian integers, behind checks that make it safe to hand it a stranger's bytes.
//!
//! Before the codec sees anything, the size is compared with the limits and `layout::check` walks over the bytes without allocating: every
//! length must be covered by bytes that are there. After it, encoding again must give the same bytes, all of them.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;

use crate::limits::{MAX_MESSAGE_BYTES, max_bytes};
use crate::{Message, MessageKind};

mod frame;
mod layout;
#[cfg(test)]
mod tests;

pub use frame::{FrameReader, frame};
pub use layout::encoded_len;

const CONFIG: Configuration<LittleEndian, Fixint, Limit<MAX_MESSAGE_BYTES>> = bincode::config::standard()
    .with_little_endian()
    .with_fixed_int_encoding()
    .with_limit::<MAX_MESSAGE_BYTES>();

/// Bytes that are no message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not the one encoding of any message.
    #[error("malformed message")]
    Malformed,
    /// More bytes than such a message may have.
    #[error("oversize message")]
    Oversize,
}

impl DecodeError {
    /// The word that events and logs use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Oversize => "oversize",
        }
    }
}

/// A message's bytes. Does not check limits: whoever receives them does.
#[must_use]
pub fn encode(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded_len(message));
    encode_onto(message, &mut bytes);
    bytes
}

/// The message that these bytes, all of them, stand for.
///
/// # Errors
/// [`DecodeError::Oversize`] above `limit` or above the limit of the message's kind ([`max_bytes`]); otherwise [`DecodeError::Malformed`].
pub fn decode(bytes: &[u8], limit: usize) -> Result<Message, DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::Oversize);
    }
    let kind = layout::kind(bytes).ok_or(DecodeError::Malformed)?;
    if bytes.len() > max_bytes(kind) {
        return Err(DecodeError::Oversize);
    }
    layout::check(kind, bytes).ok_or(DecodeError::Malformed)?;
    if kind == MessageKind::Headers {
        return Ok(layout::headers(bytes));
    }
    let (message, _) = bincode::serde::decode_from_slice(bytes, CONFIG).map_err(|_| DecodeError::Malformed)?;
    if is_encoding_of(bytes, &message) && is_presentable(&message) {
        Ok(message)
    } else {
        Err(DecodeError::Malformed)
    }
}

/// Whether what is shown to people may be.
fn is_presentable(message: &Message) -> bool {
    match message {
        Message::Hello(hello) => hello.is_presentable(),
        Message::GetHeaders { .. }
        | Message::Headers(_)
        | Message::Announce(_)
        | Message::Get(_)
        | Message::Block(_)
        | Message::Transaction(_)
        | Message::NotFound(_)
        | Message::AnnounceBlocks(_)
        | Message::SendCompact { .. }
        | Message::CompactBlock(_)
        | Message::GetBlockTransactions { .. }
        | Message::BlockTransactions { .. }
        | Message::Graft
        | Message::Prune { .. } => true,
    }
}

fn encode_onto(message: &Message, bytes: &mut Vec<u8>) {
    bincode::serde::encode_into_writer(message, Appender(bytes), CONFIG)
        .expect("messages are plain data, and a vector takes every byte");
}

/// Whether encoding the message gives exactly these bytes; makes no copy.
fn is_encoding_of(bytes: &[u8], message: &Message) -> bool {
    let mut rest = bytes;
    bincode::serde::encode_into_writer(message, Comparer(&mut rest), CONFIG).is_ok() && rest.is_empty()
}

struct Appender<'a>(&'a mut Vec<u8>);

impl Writer for Appender<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Takes only the bytes it expects.
struct Comparer<'a, 'b>(&'a mut &'b [u8]);

impl Writer for Comparer<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        *self.0 = self.0.strip_prefix(bytes).ok_or(EncodeError::UnexpectedEnd)?;
        Ok(())
    }
}
