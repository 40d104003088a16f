//! What is told of nodes, their connections, and what is done to the network.

use chain::{BlockId, Height};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Digits;

/// A node is up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NodeStarted {
    /// Its libp2p identity; empty in virtual time.
    pub peer_id: String,
    /// Where it listens; nowhere in virtual time.
    pub addrs: Vec<String>,
    /// How many blocks came from its disk.
    pub restored: usize,
    /// How it behaves.
    pub strategy: String,
    /// Its hash power at the start, in hashes per second.
    pub hashrate: String,
    /// Where it is, in a network of the literature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// A node is down.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NodeStopped {
    /// `stopped`, `killed`, or what went wrong.
    pub reason: String,
    /// Whether a step told it to.
    pub expected: bool,
}

/// The handshake with a peer is done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PeerConnected {
    /// The peer.
    pub peer: String,
    /// Whether this node dialled.
    pub outbound: bool,
    /// What the peer calls itself.
    pub agent: String,
}

/// A connection is gone.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PeerDisconnected {
    /// The peer.
    pub peer: String,
    /// Why this node closed it; null when it did not.
    pub reason: Value,
}

/// A peer misbehaved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PeerPenalised {
    /// The peer.
    pub peer: String,
    /// What it did.
    pub offence: String,
    /// Its score since.
    pub score: u32,
    /// What it did, in words.
    pub detail: String,
}

/// A message was handed to a link, or came out of one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// The peer.
    pub peer: String,
    /// Which message.
    pub message: String,
    /// Its size.
    pub bytes: u64,
    /// The block it is about, when it is about one.
    #[schemars(with = "Option<Digits>")]
    pub about: Option<BlockId>,
}

/// A message that was handed to a link will not come out of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MessageDropped {
    /// What it was, and to whom.
    #[serde(flatten)]
    pub message: Message,
    /// Why.
    pub reason: Loss,
}

/// Why a message is lost.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// The link swallows all that is sent, and tells nobody.
    Cut,
    /// The connection was closed before it came.
    Disconnected,
}

impl Loss {
    /// The reason in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Cut => "the link was cut",
            Self::Disconnected => "the connection closed",
        }
    }
}

/// A node has fallen so many blocks behind the best that any honest node follows that it does not just wait for its neighbours.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NodeLagging {
    /// The height of the block that it follows.
    #[schemars(with = "u32")]
    pub height: Height,
    /// The greatest height of a block that a node follows.
    #[schemars(with = "u32")]
    pub best_height: Height,
}

/// A node that had fallen behind follows the best block, or one that is next to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NodeCaughtUp {
    /// The height of the block that it follows.
    #[schemars(with = "u32")]
    pub height: Height,
    /// The greatest height of a block that a node follows.
    #[schemars(with = "u32")]
    pub best_height: Height,
    /// How long it was behind, in microseconds.
    pub lasted_us: u64,
}

/// Groups of nodes are cut from each other now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Partition {
    /// What the cut is called.
    pub id: String,
    /// Who is with whom; nodes in no group are connected to all.
    pub groups: Vec<Vec<String>>,
    /// Whether connections stay up and swallow what is sent.
    pub silent: bool,
    /// Whether its effect was seen.
    pub confirmed: bool,
}

/// A cut is over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Heal {
    /// What the cut was called; null when all were healed.
    pub id: Option<String>,
    /// Whether the connections are back.
    pub confirmed: bool,
}

/// A link is another now. What has not changed is missing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct LinkChanged {
    /// One end.
    pub a: String,
    /// The other.
    pub b: String,
    /// Whether only messages from `a` to `b` are concerned.
    pub one_way: bool,
    /// Whether the two are to be connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<bool>,
    /// One-way delay, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// The most by which a delay differs from the latency, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_us: Option<u64>,
    /// Bits per second, as text; `unlimited` when it has no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<String>,
    /// Whether it swallows what is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<bool>,
}

/// Nodes hash faster or slower from now on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct HashRateChanged {
    /// Each node, and its hash power in hashes per second.
    pub rates: Vec<(String, String)>,
}
