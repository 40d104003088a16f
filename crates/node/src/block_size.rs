//! Blocks that stand for larger ones: how many bytes they take on the way, without the transactions.
//!
//! Studies of propagation need the time that a body takes on a line, not what is in it. A size is a pure function of the block's id, so
//! all nodes and both engines agree on it without a word. It counts on links and in the bytes that events tell; it is neither on disk nor
//! held against any limit.

use chain::BlockId;
use gossip::{Message, wire};
use serde::{Deserialize, Serialize};

/// How much smaller a block is when it is told by the short names of its transactions: in SimBlock, 18 kB stand for 535 kB.
const COMPACT_SHARE: u64 = 30;

/// How sizes vary around their mean.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// Not at all.
    #[default]
    Constant,
    /// Exponentially: most are small, few are large.
    Exponential,
    /// From nothing to twice the mean, each equally likely.
    Uniform,
}

/// The size of blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BlockSize {
    /// Bytes.
    pub mean: u32,
    /// How sizes vary.
    pub distribution: Distribution,
}

impl BlockSize {
    /// The bytes that this block stands for.
    #[must_use]
    pub fn bytes(self, block: &BlockId) -> u64 {
        let mean = f64::from(self.mean);
        match self.distribution {
            Distribution::Constant => u64::from(self.mean),
            Distribution::Exponential => whole(-mean * libm::log(1.0 - level(block))),
            Distribution::Uniform => whole(2.0 * mean * level(block)),
        }
    }
}

/// What a message takes on a link: what its encoding takes, or, when it carries a body, what the body stands for if that is more.
#[must_use]
pub fn message_bytes(size: Option<BlockSize>, message: &Message) -> u64 {
    let encoded = wire::encoded_len(message) as u64;
    let Some(size) = size else { return encoded };
    match message {
        Message::Block(block) => encoded.max(size.bytes(&block.id())),
        Message::CompactBlock(compact) => encoded.max(size.bytes(&compact.header.id()) / COMPACT_SHARE),
        Message::Hello(_)
        | Message::GetHeaders { .. }
        | Message::Headers(_)
        | Message::Announce(_)
        | Message::Get(_)
        | Message::Transaction(_)
        | Message::NotFound(_)
        | Message::AnnounceBlocks(_)
        | Message::SendCompact { .. }
        | Message::GetBlockTransactions { .. }
        | Message::BlockTransactions { .. }
        | Message::Graft
        | Message::Prune { .. } => encoded,
    }
}

/// Whether a message carries a body, in whole or in short.
#[must_use]
pub const fn carries_body(message: &Message) -> bool {
    match message {
        Message::Block(_) | Message::CompactBlock(_) => true,
        Message::Hello(_)
        | Message::GetHeaders { .. }
        | Message::Headers(_)
        | Message::Announce(_)
        | Message::Get(_)
        | Message::Transaction(_)
        | Message::NotFound(_)
        | Message::AnnounceBlocks(_)
        | Message::SendCompact { .. }
        | Message::GetBlockTransactions { .. }
        | Message::BlockTransactions { .. }
        | Message::Graft
        | Message::Prune { .. } => false,
    }
}

/// A number in `0.0..1.0` from the bytes of the id that proof of work does not press down.
fn level(block: &BlockId) -> f64 {
    let low = block.0.0.first_chunk().map_or(0, |low| u32::from_le_bytes(*low));
    f64::from(low) / (f64::from(u32::MAX) + 1.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most 23 times a mean of 32 bits, and never below zero"
)]
fn whole(bytes: f64) -> u64 {
    bytes as u64
}

#[cfg(test)]
mod tests {
    use base::Hash;
    use chain::Params;

    use super::*;

    const MEAN: u32 = 500_000;

    fn sizes(distribution: Distribution) -> Vec<u64> {
        let size = BlockSize {
            mean: MEAN,
            distribution,
        };
        let mut rng = base::Seed::from_number(1).rng();
        let mut id = || {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&rng.next_u64().to_le_bytes());
            BlockId(Hash(bytes))
        };
        (0..10_000).map(|_| size.bytes(&id())).collect()
    }

    #[test]
    fn sizes_have_their_mean_and_their_spread() {
        for (distribution, most) in [
            (Distribution::Constant, MEAN),
            (Distribution::Exponential, 23 * MEAN),
            (Distribution::Uniform, 2 * MEAN),
        ] {
            let sizes = sizes(distribution);
            let mean = sizes.iter().sum::<u64>() / 10_000;
            assert!(mean.abs_diff(u64::from(MEAN)) < 15_000, "{distribution:?}: {mean}");
            assert!(sizes.iter().all(|size| *size <= u64::from(most)), "{distribution:?}");
            let varies = sizes.iter().any(|size| *size != sizes[0]);
            assert_eq!(varies, distribution != Distribution::Constant);
        }
    }

    #[test]
    fn only_messages_with_a_body_grow_and_none_shrinks() {
        let block = std::sync::Arc::new(Params::instant().genesis_block());
        let body = Message::Block(std::sync::Arc::clone(&block));
        let headers = Message::headers([block.header]);
        let of = |mean| {
            Some(BlockSize {
                mean,
                distribution: Distribution::Constant,
            })
        };
        let encoded = wire::encoded_len(&body) as u64;
        let compact = Message::CompactBlock(std::sync::Arc::new(gossip::CompactBlock::new(&block, 0)));
        assert!(carries_body(&body) && carries_body(&compact) && !carries_body(&headers));
        assert_eq!(message_bytes(of(MEAN), &compact), u64::from(MEAN) / COMPACT_SHARE);
        assert_eq!(message_bytes(None, &body), encoded);
        assert_eq!(message_bytes(of(MEAN), &body), u64::from(MEAN));
        assert_eq!(message_bytes(of(1), &body), encoded);
        assert_eq!(message_bytes(of(MEAN), &headers), wire::encoded_len(&headers) as u64);
    }
}
