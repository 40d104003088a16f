//! Block headers: Bitcoin's eighty bytes exactly.

use std::fmt;

use base::Hash;
use base::hash::NotAHash;
use serde::{Deserialize, Serialize};

use crate::CompactTarget;

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
    /// Version; at least [`Header::VERSION`] under our rules.
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
        BlockId(Hash::sha256d(&self.to_bytes()))
    }
}
