//! The messages.

use std::sync::Arc;

use chain::{Block, BlockId, HashedHeader, Height, Transaction, Txid, Wtxid};
use serde::{Deserialize, Serialize};

use crate::CompactBlock;
use crate::limits::MAX_AGENT_BYTES;

/// The first message on a connection, in both directions; nothing else is heard before it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// Version of the protocol: [`Hello::VERSION`].
    pub version: u32,
    /// The network. A peer of another network is dropped without blame.
    pub genesis: BlockId,
    /// What the peer calls itself: printable ASCII, at most [`crate::limits::MAX_AGENT_BYTES`].
    pub agent: String,
    /// The peer's tip, so that the one behind asks first.
    pub tip: BlockId,
    /// The tip's height. A claim: it steers who is asked, and nothing else.
    pub height: Height,
}

impl Hello {
    /// The version spoken here.
    pub const VERSION: u32 = 1;

    /// Whether the agent is short printable ASCII: it is shown to people, and must not be able to move their cursor.
    #[must_use]
    pub fn is_presentable(&self) -> bool {
        let is_printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        self.agent.len() <= MAX_AGENT_BYTES && self.agent.bytes().all(is_printable)
    }
}

/// Something a peer can be asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Item {
    /// The body of a block.
    Block(BlockId),
    /// A transaction that was announced.
    Transaction(Wtxid),
    /// A transaction that an orphan's input names.
    Parent(Txid),
    /// A block by the short names of its transactions.
    CompactBlock(BlockId),
}

/// Everything one node can say to another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Message {
    /// Handshake.
    Hello(Box<Hello>),
    /// "Which headers come after the last of these that you have?" Newest first; the last is the genesis block.
    GetHeaders {
        /// Names from the asker's tip backwards, ever further apart.
        locator: Vec<BlockId>,
    },
    /// Headers that link, oldest first: the answer to [`Message::GetHeaders`], and, unasked, the announcement of new blocks (BIP130).
    /// An answer with [`crate::limits::MAX_HEADERS`] says that there may be more.
    Headers(Arc<[HashedHeader]>),
    /// "I have these transactions."
    Announce(Arc<[Wtxid]>),
    /// "Send me these."
    Get(Vec<Item>),
    /// A body that was asked for.
    Block(Arc<Block>),
    /// A transaction that was asked for.
    Transaction(Arc<Transaction>),
    /// "I do not have these", so that the asker turns to another at once.
    NotFound(Vec<Item>),
    /// "I have these blocks": by name alone, so that whoever does not know one asks for its header first.
    AnnounceBlocks(Vec<BlockId>),
    /// "I understand compact blocks" (BIP152).
    SendCompact {
        /// "Tell me of new blocks by [`Message::CompactBlock`] at once", and not by headers.
        high_bandwidth: bool,
    },
    /// A block by the short names of its transactions.
    CompactBlock(Arc<CompactBlock>),
    /// "Send me the transactions at these places."
    GetBlockTransactions {
        /// Of this block.
        block: BlockId,
        /// In rising order.
        indexes: Vec<u32>,
    },
    /// The transactions that were asked for, in the same order.
    BlockTransactions {
        /// Of this block.
        block: BlockId,
        /// They.
        transactions: Vec<Arc<Transaction>>,
    },
    /// "You are in my mesh: push blocks to me, as I do to you."
    Graft,
    /// "You are not in my mesh, and shall not ask for a while."
    Prune {
        /// How long; the receiver bounds it.
        back_off_secs: u32,
    },
}

/// Which message it is, without what it carries: for events, counters and per-kind limits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "named after the messages")]
pub enum MessageKind {
    Hello,
    GetHeaders,
    Headers,
    Announce,
    Get,
    Block,
    Transaction,
    NotFound,
    AnnounceBlocks,
    SendCompact,
    CompactBlock,
    GetBlockTransactions,
    BlockTransactions,
    Graft,
    Prune,
}

impl MessageKind {
    /// All of them, in order.
    pub const ALL: [Self; 15] = [
        Self::Hello,
        Self::GetHeaders,
        Self::Headers,
        Self::Announce,
        Self::Get,
        Self::Block,
        Self::Transaction,
        Self::NotFound,
        Self::AnnounceBlocks,
        Self::SendCompact,
        Self::CompactBlock,
        Self::GetBlockTransactions,
        Self::BlockTransactions,
        Self::Graft,
        Self::Prune,
    ];
}

impl Message {
    /// [`Message::Headers`] with these.
    #[must_use]
    pub fn headers<H: Into<HashedHeader>>(headers: impl IntoIterator<Item = H>) -> Self {
        Self::Headers(headers.into_iter().map(Into::into).collect())
    }

    /// Which message it is.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Hello(_) => MessageKind::Hello,
            Self::GetHeaders { .. } => MessageKind::GetHeaders,
            Self::Headers(_) => MessageKind::Headers,
            Self::Announce(_) => MessageKind::Announce,
            Self::Get(_) => MessageKind::Get,
            Self::Block(_) => MessageKind::Block,
            Self::Transaction(_) => MessageKind::Transaction,
            Self::NotFound(_) => MessageKind::NotFound,
            Self::AnnounceBlocks(_) => MessageKind::AnnounceBlocks,
            Self::SendCompact { .. } => MessageKind::SendCompact,
            Self::CompactBlock(_) => MessageKind::CompactBlock,
            Self::GetBlockTransactions { .. } => MessageKind::GetBlockTransactions,
            Self::BlockTransactions { .. } => MessageKind::BlockTransactions,
            Self::Graft => MessageKind::Graft,
            Self::Prune { .. } => MessageKind::Prune,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_numbered_in_their_order() {
        assert!(
            (0..)
                .zip(MessageKind::ALL)
                .all(|(number, kind)| kind as usize == number)
        );
    }
}
