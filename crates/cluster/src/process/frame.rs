//! What the engine and a worker say to each other: a head, a text of JSON, and maybe a block.
//!
//! The head is three little-endian numbers of four bytes: the version of this exchange, the length of the text, the length of the block, which
//! is nought when there is none. The block is encoded as on disk. A reader knows from the head whether it will read on.

use std::io;
use std::sync::Arc;

use chain::Block;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::limits::{MAX_FRAME_TEXT_BYTES, MAX_RECORD_BYTES};
use crate::store::record;

/// The version of the exchange. Engine and workers of different programs understand each other when it is the same.
pub(super) const VERSION: u32 = 3;
const HEAD_BYTES: usize = 12;

/// What makes the other side unintelligible.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// The socket fails, or ends within a frame.
    #[error("the socket broke: {0}")]
    Io(#[from] io::Error),
    /// Another version.
    #[error("the other side speaks version {found} of the exchange, this program version {VERSION}")]
    Version { found: u32 },
    /// Nothing to listen with.
    #[error("the other side hands over no listening socket")]
    NoListener,
    /// More bytes than any frame has.
    #[error("a frame of {text} and {block} bytes, at most {MAX_FRAME_TEXT_BYTES} and {MAX_RECORD_BYTES} are read")]
    TooLarge { text: usize, block: usize },
    /// A text that says nothing known.
    #[error("a frame that is not understood: {0}")]
    Text(#[from] serde_json::Error),
    /// A block that is none.
    #[error("a frame with a broken block: {0}")]
    Block(&'static str),
}

/// The bytes of a frame.
///
/// # Panics
/// When the text is above its limit, which nothing we say comes near.
pub(super) fn encode(words: &impl Serialize, block: Option<&Block>) -> Vec<u8> {
    let mut bytes = vec![0; HEAD_BYTES];
    serde_json::to_writer(&mut bytes, words).expect("words have no maps with keys other than text");
    let text = bytes.len() - HEAD_BYTES;
    assert!(text <= MAX_FRAME_TEXT_BYTES, "a text of {text} bytes");
    if let Some(block) = block {
        bytes.extend_from_slice(&record::encode(block));
    }
    let block = bytes.len() - HEAD_BYTES - text;
    let numbers = [VERSION as usize, text, block];
    for (place, number) in bytes.chunks_exact_mut(4).zip(numbers) {
        let number = u32::try_from(number).expect("both limits fit 32 bits");
        place.copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// Reads a frame; none at the end. Not to be dropped half-way.
pub(super) async fn read<T: DeserializeOwned>(
    socket: &mut (impl AsyncRead + Unpin),
) -> Result<Option<(T, Option<Arc<Block>>)>, FrameError> {
    let mut head = [0; HEAD_BYTES];
    if socket.read(&mut head[..1]).await? == 0 {
        return Ok(None);
    }
    socket.read_exact(&mut head[1..]).await?;
    let number = |place: usize| {
        let bytes = head[place * 4..][..4].try_into().expect("four bytes");
        u32::from_le_bytes(bytes)
    };
    if number(0) != VERSION {
        return Err(FrameError::Version { found: number(0) });
    }
    let (text, block) = (number(1) as usize, number(2) as usize);
    if text > MAX_FRAME_TEXT_BYTES || block > MAX_RECORD_BYTES {
        return Err(FrameError::TooLarge { text, block });
    }
    let mut bytes = vec![0; text + block];
    socket.read_exact(&mut bytes).await?;
    let words = serde_json::from_slice(&bytes[..text])?;
    let block = match block {
        0 => None,
        _ => Some(Arc::new(record::decode(&bytes[text..]).map_err(FrameError::Block)?)),
    };
    Ok(Some((words, block)))
}

#[cfg(test)]
mod tests;
