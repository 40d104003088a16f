//! What a peer can be blamed for, and how much.

use serde::{Deserialize, Serialize};

/// Provable misbehaviour of the peer that sent something. What is merely early (an orphan, a future time) is none of these.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Offence {
    /// Bytes that are no message, or a message over its limits.
    Malformed,
    /// A message out of turn: before the handshake, a second handshake, a body nobody asked for.
    Unexpected,
    /// A header that breaks a rule, or stands on an invalid block.
    InvalidHeader,
    /// A body that breaks a rule, or is not the one its header commits to.
    InvalidBlock,
    /// A transaction that breaks a consensus rule.
    InvalidTransaction,
    /// Headers in one message that do not link.
    DisconnectedHeaders,
    /// Headers that were asked for did not come within minutes. Late bodies are nobody's fault: links are slow.
    Stalled,
    /// More requests or announcements than the limits allow.
    Flooding,
}

impl Offence {
    /// The score at which a peer is dropped and discouraged.
    pub const LIMIT: u32 = 100;

    /// What it adds to a peer's score. 100 drops it at once, as Bitcoin Core does.
    #[must_use]
    pub const fn penalty(self) -> u32 {
        match self {
            Self::Malformed | Self::InvalidHeader | Self::InvalidBlock | Self::DisconnectedHeaders => 100,
            Self::Unexpected | Self::Flooding => 34,
            Self::InvalidTransaction => 10,
            Self::Stalled => 5,
        }
    }
}
