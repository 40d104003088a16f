//! Where all randomness comes from.

use std::fmt;
use std::sync::LazyLock;

use sha2::Sha256;

use crate::{Hash, Rng};

/// Begins the hash that a child is. A large network has many.
static CHILD: LazyLock<Sha256> = LazyLock::new(|| Hash::tagger("nakanet/seed/child"));

/// The root of a stream of random numbers.
///
/// Every use of randomness draws from a child named after its purpose, so that adding a draw in one place moves no other stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// The seed a user writes as a number.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        Self(Hash::tagged("nakanet/seed", &[&number.to_le_bytes()]).0)
    }

    /// The seed for one purpose and, within it, one index (a node, a link, a wallet).
    #[must_use]
    pub fn child(&self, purpose: &str, index: u64) -> Self {
        let parts: [&[u8]; 3] = [&self.0, &index.to_le_bytes(), purpose.as_bytes()];
        Self(Hash::tagged_by(CHILD.clone(), &parts).0)
    }

    /// A generator that begins here.
    #[must_use]
    pub fn rng(&self) -> Rng {
        Rng::new(self)
    }

    /// The seed's own bytes, for deriving a key.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Hides the bytes: keys are derived from seeds.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_differ_by_purpose_and_by_index() {
        let seed = Seed::from_number(7);
        let children = [
            seed.child("links", 0),
            seed.child("links", 1),
            seed.child("keys", 0),
            Seed::from_number(8).child("links", 0),
        ];
        for (i, a) in children.iter().enumerate() {
            for b in &children[i + 1..] {
                assert_ne!(a.bytes(), b.bytes());
            }
        }
        assert_eq!(seed.child("links", 1), children[1]);
    }

    /// Pins the derivation: every digest of every run hangs on it.
    #[test]
    fn derivation_has_a_known_answer() {
        let child = Seed::from_number(7).child("links", 3);
        assert_eq!(
            crate::hex::encode(child.bytes()),
            "ffc27eef6e4db9b26c23426cb10d9b9d1e40239eb90b13b3b18579193202c09d"
        );
        assert_eq!(child.rng().next_u64(), 0x833d_c993_47a6_ffa6);
    }
}
