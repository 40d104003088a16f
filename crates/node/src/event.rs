//! What a node tells the world about: the vocabulary of the event log.
//!
//! Fields named here are the log's fields. Hashes print in full; what is marked `skip` travels in memory for those who check and draw,
//! and is not written; [`Event::body_mut`] is for those who carry it beside an event and read both back.

use std::sync::Arc;

use base::NodeId;
use chain::{Amount, Block, BlockId, Header, Height, OutPoint, Txid, Work};
use gossip::{Message, MessageKind, Offence};
use serde::{Deserialize, Serialize};

use crate::context::about;
use crate::seam::HangupReason;
use crate::{BlockSize, message_bytes, reason};

/// A reason word, such as `high-hash`. A name for `&'static str`, so that events can be read back from text that does not last.
pub type ReasonWord = &'static str;

/// A block, and where its chain stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TipRef {
    /// The block.
    pub block: BlockId,
    /// Its height.
    pub height: Height,
    /// The work of it and all its ancestors.
    pub chain_work: Work,
}

/// How a tip came to change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TipChange {
    /// The new tip stands on the old one.
    Extend,
    /// It does not: blocks were disconnected.
    Reorg,
}

/// A transaction that left the best chain in a reorg and could not return to the mempool.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DroppedTransaction {
    /// Which.
    pub txid: Txid,
    /// The reason word.
    #[serde(deserialize_with = "reason::known")]
    pub reason: ReasonWord,
    /// Its rival, when it lost to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflicts_with: Option<Conflict>,
}

/// A double spend's other side.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Conflict {
    /// The transaction that already spends the coin.
    pub txid: Txid,
    /// The coin.
    pub outpoint: OutPoint,
    /// The block that confirms it; none while it is in the mempool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockId>,
}

/// Why a message that was handed to a link does not come out of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// The link swallows all that is sent, and tells nobody.
    Cut,
    /// The connection was closed before it came.
    Disconnected,
}

/// Something that happened in, or to, one node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "fields are the log's; docs of each kind say what is not plain from their names"
)]
pub enum Event {
    /// The handshake with a peer is done.
    PeerConnected {
        peer: NodeId,
        outbound: bool,
        agent: String,
    },
    /// The connection is gone, whoever closed it. `reason` is ours when we did.
    PeerDisconnected { peer: NodeId, reason: Option<HangupReason> },
    /// A peer misbehaved.
    PeerPenalised {
        peer: NodeId,
        offence: Offence,
        score: u32,
        detail: String,
    },
    /// A message was handed to the link. `about` is the block it is about, when it is about one.
    MessageSent {
        peer: NodeId,
        message: MessageKind,
        bytes: u64,
        about: Option<BlockId>,
    },
    /// A message arrived.
    MessageReceived {
        peer: NodeId,
        message: MessageKind,
        bytes: u64,
        about: Option<BlockId>,
    },
    /// A message to a peer will not arrive. Told by the engine in its sender's name: a node does not know what becomes of what it sends.
    MessageDropped {
        peer: NodeId,
        message: MessageKind,
        bytes: u64,
        about: Option<BlockId>,
        reason: Loss,
    },
    /// This node found a block.
    BlockMined {
        block: BlockId,
        parent: BlockId,
        height: Height,
        chain_work: Work,
        time: u32,
        txs: usize,
        bytes: u64,
        #[serde(skip, default = "no_body")]
        body: Arc<Block>,
    },
    /// A header was found valid. `from` is none for one's own.
    HeaderAccepted {
        block: BlockId,
        parent: BlockId,
        height: Height,
        chain_work: Work,
        time: u32,
        from: Option<NodeId>,
    },
    /// A body arrived.
    BlockReceived {
        block: BlockId,
        from: NodeId,
        bytes: u64,
        duplicate: bool,
    },
    /// A block is valid in full and all its ancestors are here; it may or may not become the tip.
    BlockConnected {
        block: BlockId,
        parent: BlockId,
        height: Height,
        chain_work: Work,
        txs: usize,
        bytes: u64,
        #[serde(skip, default = "no_body")]
        body: Arc<Block>,
    },
    /// A header or body was refused. `reason` is the reason word.
    BlockRejected {
        block: BlockId,
        from: Option<NodeId>,
        #[serde(deserialize_with = "reason::known")]
        reason: ReasonWord,
        detail: String,
        penalty: u32,
    },
    /// A header or body waits for a parent (`parent`) or for its time to come.
    OrphanHeld {
        block: BlockId,
        parent: BlockId,
        from: NodeId,
    },
    /// What it waited for has come.
    OrphanResolved { block: BlockId },
    /// The node follows another tip.
    TipChanged { old: TipRef, new: TipRef, how: TipChange },
    /// Emitted before the `TipChanged` it belongs to. `depth` is how many blocks were disconnected; lists are oldest first.
    Reorg {
        fork_point: BlockId,
        depth: u32,
        disconnected: Vec<BlockId>,
        connected: Vec<BlockId>,
        old_work: Work,
        new_work: Work,
        txs_returned: Vec<Txid>,
        txs_dropped: Vec<DroppedTransaction>,
    },
    /// A wallet handed a transaction to this node.
    TxSubmitted { txid: Txid },
    /// A transaction is in this node's mempool now.
    TxAccepted {
        txid: Txid,
        bytes: u32,
        fee: Amount,
        from: Option<NodeId>,
    },
    /// A transaction was refused.
    TxRejected {
        txid: Txid,
        from: Option<NodeId>,
        #[serde(deserialize_with = "reason::known")]
        reason: ReasonWord,
        detail: String,
        conflicts_with: Option<Conflict>,
    },
    /// A transaction left the mempool for lack of room, age, a conflict with a block, or a lost parent. Confirmed ones leave without a word.
    TxEvicted {
        txid: Txid,
        #[serde(deserialize_with = "reason::known")]
        reason: ReasonWord,
        conflicts_with: Option<Conflict>,
    },
    /// A transaction gave way to one that pays more.
    TxReplaced {
        txid: Txid,
        by: Txid,
        fee: Amount,
        new_fee: Amount,
    },
}

impl Event {
    /// That a message to a peer will not arrive. `block_size` is what blocks stand for in the network.
    #[must_use]
    pub fn lost(peer: NodeId, message: &Message, block_size: Option<BlockSize>, reason: Loss) -> Self {
        Self::MessageDropped {
            peer,
            message: message.kind(),
            bytes: message_bytes(block_size, message),
            about: about(message),
            reason,
        }
    }

    /// The block that travels with it, when one does.
    pub const fn body_mut(&mut self) -> Option<&mut Arc<Block>> {
        match self {
            Self::BlockMined { body, .. } | Self::BlockConnected { body, .. } => Some(body),
            Self::PeerConnected { .. }
            | Self::PeerDisconnected { .. }
            | Self::PeerPenalised { .. }
            | Self::MessageSent { .. }
            | Self::MessageReceived { .. }
            | Self::MessageDropped { .. }
            | Self::HeaderAccepted { .. }
            | Self::BlockReceived { .. }
            | Self::BlockRejected { .. }
            | Self::OrphanHeld { .. }
            | Self::OrphanResolved { .. }
            | Self::TipChanged { .. }
            | Self::Reorg { .. }
            | Self::TxSubmitted { .. }
            | Self::TxAccepted { .. }
            | Self::TxRejected { .. }
            | Self::TxEvicted { .. }
            | Self::TxReplaced { .. } => None,
        }
    }
}

/// What stands in an event that was read back until [`Event::body_mut`] is given its body: no block has no transactions.
fn no_body() -> Arc<Block> {
    Arc::new(Block {
        header: Header::from_bytes(&[0; Header::BYTES]).into(),
        transactions: Vec::new(),
    })
}
