//! A 32-byte hash, and the two SHA-256 functions that make one.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::hex;

/// A 32-byte hash in the byte order that hashing gives.
///
/// Shown, and read, in the *reversed* order, as Bitcoin does: `Hash([1, 0, .., 0])` prints `00..01`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Ord for Hash {
    /// By their bytes, first to last. Nearly always the first eight tell.
    fn cmp(&self, other: &Self) -> Ordering {
        let first = |hash: &Self| {
            let [a, b, c, d, e, f, g, h, ..] = hash.0;
            u64::from_be_bytes([a, b, c, d, e, f, g, h])
        };
        first(self).cmp(&first(other)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Hash {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash {
    /// Thirty-two zero bytes: the parent of a genesis block.
    pub const ZERO: Self = Self([0; 32]);

    /// SHA-256 of SHA-256 of `bytes`: Bitcoin's hash of headers, transactions and merkle nodes.
    #[must_use]
    pub fn sha256d(bytes: &[u8]) -> Self {
        Self(Sha256::digest(Sha256::digest(bytes)).into())
    }

    /// SHA-256 of the parts, one after the other.
    #[must_use]
    pub fn sha256(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The tagged hash of BIP340: SHA-256(SHA-256(tag) || SHA-256(tag) || parts).
    #[must_use]
    pub fn tagged(tag: &str, parts: &[&[u8]]) -> Self {
        Self::tagged_by(Self::tagger(tag), parts)
    }

    /// What begins a tagged hash, for tags that are used again and again.
    pub(crate) fn tagger(tag: &str) -> Sha256 {
        let tag = Sha256::digest(tag.as_bytes());
        let mut hasher = Sha256::new();
        hasher.update(tag);
        hasher.update(tag);
        hasher
    }

    /// A tagged hash that has begun.
    pub(crate) fn tagged_by(mut tagger: Sha256, parts: &[&[u8]]) -> Self {
        for part in parts {
            tagger.update(part);
        }
        Self(tagger.finalize().into())
    }

    /// The first eight digits as shown, enough to tell blocks of one run apart by eye.
    ///
    /// Block hashes begin with zeros, so the *last* digits shown are the telling ones; see [`Hash::short`].
    #[must_use]
    pub fn leading(&self) -> String {
        let mut text = self.to_string();
        text.truncate(8);
        text
    }

    /// The last eight digits as shown: block hashes begin with zeros, so these tell blocks apart.
    #[must_use]
    pub fn short(&self) -> String {
        let text = self.to_string();
        text[text.len() - 8..].to_owned()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut reversed = self.0;
        reversed.reverse();
        f.write_str(&hex::encode(&reversed))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is not 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAHash;

impl fmt::Display for NotAHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected 64 hexadecimal digits")
    }
}

impl std::error::Error for NotAHash {}

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let bytes = hex::decode(text).ok_or(NotAHash)?;
        let mut bytes: [u8; 32] = bytes.try_into().map_err(|_| NotAHash)?;
        bytes.reverse();
        Ok(Self(bytes))
    }
}

/// As text where people read it (JSON, TOML), as its 32 bytes in a binary format.
impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 32]>::deserialize(deserializer).map(Self);
        }
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_in_the_order_of_their_bytes() {
        let mut hashes: Vec<Hash> = (0_u8..60).map(|number| Hash::sha256(&[&[number % 50]])).collect();
        for (at, place) in [(0, 31), (1, 8), (2, 7), (3, 0)] {
            let mut bytes = hashes[9].0;
            bytes[place] ^= 1;
            hashes[at] = Hash(bytes);
        }
        for a in &hashes {
            for b in &hashes {
                assert_eq!(a.cmp(b), a.0.cmp(&b.0));
            }
        }
    }

    /// The double hash of "hello", as printed in Bitcoin's developer documentation.
    #[test]
    fn sha256d_matches_the_published_value() {
        let Hash(bytes) = Hash::sha256d(b"hello");
        assert_eq!(
            hex::encode(&bytes),
            "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50"
        );
    }

    #[test]
    fn text_is_reversed_and_round_trips() {
        let mut bytes = [0; 32];
        bytes[0] = 0xab;
        let hash = Hash(bytes);
        assert!(hash.to_string().ends_with("00ab"));
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.short(), "000000ab");
    }

    /// A formatter is a serializer for people; that a binary format gets the 32 bytes is seen in gossip's golden messages.
    #[test]
    fn formats_for_people_get_text() {
        struct Serialized(Hash);
        impl fmt::Display for Serialized {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.serialize(f)
            }
        }
        use serde::de::IntoDeserializer;
        use serde::de::value::{Error, StrDeserializer};

        let hash = Hash::sha256d(b"hello");
        let text = Serialized(hash).to_string();
        assert_eq!(text, hash.to_string());
        let deserializer: StrDeserializer<'_, Error> = text.as_str().into_deserializer();
        assert_eq!(Hash::deserialize(deserializer), Ok(hash));
    }

    #[test]
    fn text_that_is_not_a_hash_is_refused() {
        for text in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64)] {
            assert_eq!(text.parse::<Hash>(), Err(NotAHash), "{text}");
        }
    }
}
