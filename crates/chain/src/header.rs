//! Block headers: Bitcoin's eighty bytes exactly.

use std::fmt;

use base::Hash;
use base::hash::NotAHash;
use serde::{Deserialize, Serialize};

use crate::{CompactTarget, Params, Reject};

mod digest;
mod hashed;

pub(crate) use digest::NonceHasher;
pub use hashed::HashedHeader;

/// The double SHA-256 of a header: a block's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlockId(pub Hash);

impl BlockId {
    /// The parent that a genesis block names.
    pub const ZERO: Self = Self(Hash::ZERO);

    /// The last eight digits as shown, enough to tell the blocks of a run apart by eye.
    #[must_use]
    pub fn short(&self) -> String {
        self.0.short()
    }
}

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

impl std::str::FromStr for BlockId {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        text.parse().map(Self)
    }
}

/// A block header, in the order and widths of Bitcoin's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// Version; at least [`Params::min_version`].
    pub version: i32,
    /// The block this one stands on.
    pub parent: BlockId,
    /// Merkle root over the body's wtxids.
    pub merkle_root: Hash,
    /// When the miner says it was mined, in Unix seconds.
    pub time: u32,
    /// The target this header must meet, in compact form.
    pub bits: CompactTarget,
    /// What the miner searched for.
    pub nonce: u32,
}

impl Header {
    /// Bytes of an encoded header.
    pub const BYTES: usize = 80;
    /// The version our miners write.
    pub const VERSION: i32 = 4;

    /// The eighty bytes that are hashed, sent and stored.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0..4].copy_from_slice(&self.version.to_le_bytes());
        bytes[4..36].copy_from_slice(&self.parent.0.0);
        bytes[36..68].copy_from_slice(&self.merkle_root.0);
        bytes[68..72].copy_from_slice(&self.time.to_le_bytes());
        bytes[72..76].copy_from_slice(&self.bits.0.to_le_bytes());
        bytes[76..80].copy_from_slice(&self.nonce.to_le_bytes());
        bytes
    }

    /// The header that eighty bytes stand for. Every pattern is a header; whether it is valid is another question.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let hash = |at: usize| Hash(bytes[at..at + 32].try_into().expect("thirty-two bytes"));
        Self {
            version: word(0).cast_signed(),
            parent: BlockId(hash(4)),
            merkle_root: hash(36),
            time: word(68),
            bits: CompactTarget(word(72)),
            nonce: word(76),
        }
    }

    /// The block's name.
    #[must_use]
    pub fn id(&self) -> BlockId {
        digest::id(self)
    }
}

/// Refuses a header whose time is further ahead of a clock than [`Params::max_future`]: `time-too-new`, "not yet" rather than invalid.
pub fn check_not_future(header: &Header, now_unix_secs: u64, params: &Params) -> Result<(), Reject> {
    let latest = now_unix_secs.saturating_add(params.max_future.as_secs());
    if u64::from(header.time) > latest {
        return Err(Reject::TimeTooNew {
            time: header.time,
            latest,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base::hex;

    use super::*;

    const BITCOIN_GENESIS: &str = concat!(
        "01000000",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a",
        "29ab5f49",
        "ffff001d",
        "1dac2b7c"
    );

    #[test]
    fn the_eighty_bytes_are_bitcoins() {
        let bytes = hex::decode(BITCOIN_GENESIS).expect("hex");
        let bytes: [u8; Header::BYTES] = bytes.try_into().expect("eighty bytes");
        let header = Header::from_bytes(&bytes);
        assert_eq!(
            (header.version, header.time, header.nonce),
            (1, 1_231_006_505, 2_083_236_893)
        );
        assert_eq!(header.to_bytes(), bytes);
        assert_eq!(
            header.id().to_string(),
            "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
        );
    }

    #[test]
    fn every_byte_is_part_of_the_name() {
        let bytes = Params::instant().genesis_block().header.to_bytes();
        let id = Header::from_bytes(&bytes).id();
        for at in 0..Header::BYTES {
            let mut other = bytes;
            other[at] ^= 1;
            assert_ne!(Header::from_bytes(&other).id(), id, "byte {at}");
            assert_eq!(Header::from_bytes(&other).to_bytes(), other, "byte {at}");
        }
    }

    #[test]
    fn a_time_at_the_limit_is_accepted_and_one_second_later_is_not_yet() {
        let params = Params {
            max_future: Duration::from_secs(24),
            ..Params::cluster()
        };
        let header = Header {
            time: 1_024,
            ..*params.genesis_block().header
        };
        assert_eq!(check_not_future(&header, 1_000, &params), Ok(()));
        let refused = check_not_future(&header, 999, &params);
        assert_eq!(
            refused,
            Err(Reject::TimeTooNew {
                time: 1_024,
                latest: 1_023
            })
        );
        assert_eq!(check_not_future(&header, u64::MAX, &params), Ok(()));
    }
}
