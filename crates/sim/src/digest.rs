//! The digest of a run: SHA-256 over everything that happened, in order.
//!
//! What happens is folded into eight bytes and these are hashed in large pieces, so that the digest costs little beside what it is about.
//! It tells runs apart that differ by mistake; nobody has a reason to look for two that differ and fold alike.
//!
//! Announcements of single blocks and of transactions, by far the most of what happens, are summed instead, and the sum is hashed at the end. Each is folded with
//! its time, so the sum tells all but the order of those of one microsecond; and it does not matter when one is counted that was noted late,
//! or counted before its time.
//! It depends on neither the detail of the log nor on who checks blocks.

use base::{Hash, NodeId, Time};
use chain::{BlockId, Txid};
use gossip::MessageKind;
use node::Event;
use sha2::{Digest as _, Sha256};

/// Bytes that are hashed at a time.
const PIECE: usize = 1 << 16;

/// Collects what happens.
#[derive(Debug)]
pub(crate) struct Digest {
    hasher: Sha256,
    piece: Vec<u8>,
    announced: u64,
}

impl Digest {
    pub(crate) fn new() -> Self {
        Self {
            hasher: Sha256::new(),
            piece: Vec::with_capacity(PIECE),
            announced: 0,
        }
    }

    /// Something happened to a node: `what` tells kinds of happenings apart, `about` one of a kind from another.
    pub(crate) fn happened(&mut self, at: Time, node: NodeId, (what, about): (u8, u64)) {
        if self.piece.len() == PIECE {
            self.hasher.update(&self.piece);
            self.piece.clear();
        }
        let folded = happening(at, node, (what, about));
        self.piece.extend_from_slice(&folded.to_le_bytes());
    }

    /// A peer announced one block to a node.
    pub(crate) fn announced(&mut self, at: Time, node: NodeId, peer: NodeId) {
        let folded = happening(at, node, (ANNOUNCED, u64::from(peer.0)));
        self.announced = self.announced.wrapping_add(folded);
    }

    /// An announcement that was counted before its time ([`Digest::announced`]) is counted when it arrives, or never.
    pub(crate) fn not_announced(&mut self, at: Time, node: NodeId, peer: NodeId) {
        let folded = happening(at, node, (ANNOUNCED, u64::from(peer.0)));
        self.announced = self.announced.wrapping_sub(folded);
    }

    /// A peer announced transactions to a node, in a message of so many bytes.
    pub(crate) fn announced_transactions(&mut self, at: Time, node: NodeId, message: (NodeId, u32)) {
        let folded = happening(at, node, transactions_announced(message));
        self.announced = self.announced.wrapping_add(folded);
    }

    /// The same as [`Digest::not_announced`] for transactions.
    pub(crate) fn not_announced_transactions(&mut self, at: Time, node: NodeId, message: (NodeId, u32)) {
        let folded = happening(at, node, transactions_announced(message));
        self.announced = self.announced.wrapping_sub(folded);
    }

    /// A node told of something. Messages are told of by the engine, as they arrive.
    pub(crate) fn told(&mut self, at: Time, node: NodeId, event: &Event) {
        let (what, about) = match event {
            Event::MessageSent { .. } | Event::MessageReceived { .. } | Event::MessageDropped { .. } => return,
            Event::PeerConnected { peer, .. } => (PEER_CONNECTED, u64::from(peer.0)),
            Event::PeerDisconnected { peer, .. } => (33, u64::from(peer.0)),
            Event::PeerPenalised { peer, score, .. } => (34, u64::from(peer.0) << 32 | u64::from(*score)),
            Event::BlockMined { block, .. } => (35, telling(&block.0)),
            Event::HeaderAccepted { block, .. } => (HEADER_ACCEPTED, telling(&block.0)),
            Event::BlockReceived { block, .. } => (BLOCK_RECEIVED, telling(&block.0)),
            Event::BlockConnected { block, .. } => (BLOCK_CONNECTED, telling(&block.0)),
            Event::BlockRejected { block, .. } => (39, telling(&block.0)),
            Event::OrphanHeld { block, .. } => (40, telling(&block.0)),
            Event::OrphanResolved { block } => (41, telling(&block.0)),
            Event::TipChanged { new, .. } => (TIP_CHANGED, telling(&new.block.0)),
            Event::Reorg { fork_point, depth, .. } => (43, telling(&fork_point.0) ^ u64::from(*depth)),
            Event::TxSubmitted { txid } => (44, telling(&txid.0)),
            Event::TxAccepted { txid, .. } => (TX_ACCEPTED, telling(&txid.0)),
            Event::TxRejected { txid, .. } => (46, telling(&txid.0)),
            Event::TxEvicted { txid, .. } => (47, telling(&txid.0)),
            Event::TxReplaced { txid, by, .. } => (48, telling(&txid.0) ^ telling(&by.0)),
        };
        self.happened(at, node, (what, about));
    }

    /// A node was greeted by a peer: what [`Digest::told`] makes of [`Event::PeerConnected`].
    pub(crate) fn met(&mut self, at: Time, node: NodeId, peer: NodeId) {
        self.happened(at, node, (PEER_CONNECTED, u64::from(peer.0)));
    }

    /// A node accepted a header: what [`Digest::told`] makes of [`Event::HeaderAccepted`].
    pub(crate) fn heard(&mut self, at: Time, node: NodeId, block: &BlockId) {
        self.happened(at, node, (HEADER_ACCEPTED, telling(&block.0)));
    }

    /// A node received a block, connected it and follows it: what [`Digest::told`] makes of the three events.
    pub(crate) fn followed(&mut self, at: Time, node: NodeId, block: &BlockId) {
        let about = telling(&block.0);
        for what in [BLOCK_RECEIVED, BLOCK_CONNECTED, TIP_CHANGED] {
            self.happened(at, node, (what, about));
        }
    }

    /// A node accepted a payment: what [`Digest::told`] makes of [`Event::TxAccepted`].
    pub(crate) fn accepted(&mut self, at: Time, node: NodeId, txid: &Txid) {
        self.happened(at, node, (TX_ACCEPTED, telling(&txid.0)));
    }

    pub(crate) fn finish(mut self) -> Hash {
        self.hasher.update(&self.piece);
        self.hasher.update(self.announced.to_le_bytes());
        Hash(self.hasher.finalize().into())
    }
}

/// What the digest calls the events that come with every link, and with every block on every node.
const PEER_CONNECTED: u8 = 32;
const HEADER_ACCEPTED: u8 = 36;
const BLOCK_RECEIVED: u8 = 37;
const BLOCK_CONNECTED: u8 = 38;
const TIP_CHANGED: u8 = 42;
const TX_ACCEPTED: u8 = 45;

/// What [`Digest::announced`] calls them.
const ANNOUNCED: u8 = 28;

/// What [`Digest::announced_transactions`] calls them.
fn transactions_announced((peer, bytes): (NodeId, u32)) -> (u8, u64) {
    (MessageKind::Announce as u8, message_from(peer, bytes))
}

/// What the digest tells of a message besides its kind.
pub(crate) fn message_from(peer: NodeId, bytes: u32) -> u64 {
    u64::from(peer.0) << 32 | u64::from(bytes)
}

/// Something that happened to a node, as [`Digest::happened`] has it, in eight bytes.
fn happening(at: Time, node: NodeId, (what, about): (u8, u64)) -> u64 {
    let whom = u64::from(node.0) << 8 | u64::from(what);
    fold(fold(at.as_micros(), whom), about)
}

/// Both halves of a product, each bit of which depends on all bits of both (as wyhash mixes; the constants are its).
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0xa076_1d64_78bd_642f) * u128::from(b ^ 0xe703_7ed1_a0b4_28db);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are wanted apart")]
    let (high, low) = ((product >> 64) as u64, product as u64);
    high ^ low
}

/// Eight bytes that tell a hash from others: the first, which are not zero where work is proven.
fn telling(hash: &Hash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = hash.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(entries: impl IntoIterator<Item = u64>) -> Hash {
        let mut digest = Digest::new();
        for about in entries {
            digest.happened(Time::from_secs(1), NodeId(7), (3, about));
        }
        digest.finish()
    }

    #[test]
    fn every_happening_and_their_order_count() {
        let many = digest(0..10_000);
        assert_eq!(many, digest(0..10_000));
        assert_ne!(many, digest(0..9_999));
        assert_ne!(many, digest((0..10_000).rev()));
    }

    #[test]
    fn announcements_count_whenever_they_are_counted() {
        let digest = |entries: &[(u64, u32)]| {
            let mut digest = Digest::new();
            for (at, peer) in entries {
                digest.announced(Time::from_secs(*at), NodeId(7), NodeId(*peer));
            }
            digest.finish()
        };
        assert_eq!(digest(&[(1, 2), (3, 4)]), digest(&[(3, 4), (1, 2)]));
        assert_ne!(digest(&[(1, 2), (3, 4)]), digest(&[(1, 4), (3, 2)]));
        assert_ne!(digest(&[(1, 2), (1, 2)]), digest(&[]));
    }

    #[test]
    fn happenings_that_differ_in_anything_fold_differently() {
        let mut seen = std::collections::BTreeSet::new();
        for at in [0, 1, 600_000_000] {
            for whom in [0, 1, 255, 256] {
                for about in [0, 1, 1 << 32, u64::MAX] {
                    assert!(seen.insert(fold(fold(at, whom), about)));
                }
            }
        }
    }
}
