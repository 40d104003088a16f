//! What goes into a node and what comes out.

use std::sync::Arc;

use base::{NodeId, Time};
use chain::{Block, BlockId, CompactTarget, HashRate, Header, Transaction, TxOutput};
use gossip::{Message, Offence};
use serde::{Deserialize, Serialize};

use crate::Event;

/// Everything that can happen to a node.
#[derive(Clone, Debug)]
pub enum Input {
    /// Time has passed; does what is due. Early or repeated ticks do nothing.
    Tick,
    /// A connection to a peer is open in both directions.
    Connected {
        /// Which peer.
        peer: NodeId,
        /// Whether this node dialled.
        outbound: bool,
    },
    /// The connection is gone.
    Disconnected {
        /// Which peer.
        peer: NodeId,
    },
    /// A whole message arrived.
    Received {
        /// From whom.
        peer: NodeId,
        /// What.
        message: Message,
    },
    /// Bytes arrived that are no message. The engine has already stopped reading from that peer.
    Garbage {
        /// From whom.
        peer: NodeId,
        /// What was wrong with them: `malformed` or `oversize`.
        reason: &'static str,
    },
    /// A wait that was drawn for [`Output::Draw`] is over: the node answers with [`Output::Mine`], when it still wants a block.
    Drawn,
    /// The engine found a nonce for a template (its header, with nonce and maybe a later time).
    Solved {
        /// The solved header.
        header: Header,
    },
    /// A block from this node's own disk, while it starts: taken in without announcing or saving it. Parents come before children.
    Restored {
        /// The block.
        block: Arc<Block>,
    },
    /// An order from the operator or the scenario.
    Command(Command),
}

/// What an operator can order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Command {
    /// Mine this many blocks as fast as the engine can, one after the other, whatever the hash rate.
    Generate {
        /// How many.
        blocks: u32,
    },
    /// Stop mining: no more [`Command::Generate`] blocks are owed, and the hash rate is zero.
    StopMining,
    /// Change the hash rate.
    SetHashRate(HashRate),
    /// Let the next block that this node mines pay this much of its reward to `output.owner`, the rest to the node's owner.
    /// Queued: each is in exactly one block, and back in the queue when that block is not the node's own any more.
    PayFromReward(TxOutput),
    /// Take in a transaction as if a wallet had sent it: check, keep, announce.
    Submit(Arc<Transaction>),
    /// Take in a block from outside as if a miner had submitted it.
    SubmitBlock(Arc<Block>),
    /// Take in a header from outside, without its body.
    SubmitHeader(Header),
    /// Follow this block rather than others of the same work, as if it had been seen first (a debugging aid).
    Prefer(BlockId),
    /// For [`crate::Strategy::Hostile`]: announce this block to a peer and serve its body to whoever asks.
    Offer {
        /// To whom the header is announced.
        to: NodeId,
        /// The block, valid or not.
        block: Arc<Block>,
    },
    /// Move the node's wall clock this many milliseconds from the true one.
    SkewClock {
        /// Positive is ahead.
        millis: i64,
    },
    /// Mark a block invalid, or lift the mark (debugging aids).
    Invalidate {
        /// Which block.
        block: BlockId,
        /// Whether to lift the mark.
        reconsider: bool,
    },
}

/// What a node wants mined. A newer template replaces an older one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// The header, complete but for its nonce. The time may be raised while searching.
    pub header: Header,
    /// Whether it is wanted at once ([`Command::Generate`]) and not at the metered hash rate.
    pub on_demand: bool,
}

/// What the waiting time for a block depends on, besides the hash rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Goal {
    /// The bits that the next block must have.
    pub bits: CompactTarget,
    /// Whether it is wanted at once ([`Command::Generate`]) and not at the metered hash rate.
    pub on_demand: bool,
}

/// What a node asks its engine to do, in this order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send a message.
    Send {
        /// To whom.
        peer: NodeId,
        /// What.
        message: Message,
    },
    /// Close the connection, and say so with [`Input::Disconnected`]; until then nothing more is heard from that peer.
    Hangup {
        /// To whom.
        peer: NodeId,
        /// Why; an engine does not dial a discouraged peer again.
        reason: HangupReason,
    },
    /// Search for a nonce; replaces what was asked for before. `None` stops searching.
    Mine(Option<Template>),
    /// The same for an engine that draws when blocks are found ([`crate::Node::drawn`]): it asks for the template when a wait is over.
    Draw(Option<Goal>),
    /// Keep a valid block on disk. `durable` ones must be on disk before any later output is carried out.
    Save {
        /// The block.
        block: Arc<Block>,
        /// Mined or submitted here: on disk before it is announced or acknowledged.
        durable: bool,
    },
    /// Something happened.
    Emit(Box<Event>),
}

/// Why a node closes a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HangupReason {
    /// Its score reached the limit with this offence; not dialled or accepted again.
    Discouraged(Offence),
    /// It belongs to another network or speaks another version.
    OtherNetwork,
    /// It did not say hello in time.
    NoHandshake,
}

/// Where a node leaves its outputs. The caller owns it: nothing stays inside the node.
pub type Outbox = Vec<Output>;

/// Why a node wants to be woken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Wake {
    /// A peer has not said hello.
    Handshake,
    /// Headers were asked for and have not come.
    HeadersOverdue,
    /// A body was asked for and has not come.
    BlockOverdue,
    /// A transaction was asked for and has not come.
    TransactionOverdue,
    /// Queued announcements are due.
    Announce,
    /// A header whose time lay ahead can be looked at again.
    FutureHeader,
    /// The mempool drops what has grown old, or a new template is due.
    Mempool,
}

/// A wake-up: when, and why.
pub type Deadline = (Time, Wake);
