//! Keys and signatures: BIP340 Schnorr over secp256k1, by libsecp256k1.

use std::fmt;

use base::{Hash, Seed, hex};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Who may spend an output: a 32-byte x-only public key.
///
/// Any 32 bytes may stand in an output; those that are not on the curve can never be spent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner(pub [u8; 32]);

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0[..4]))
    }
}

/// A 64-byte BIP340 signature; any 64 bytes until verified.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..", hex::encode(&self.0[..4]))
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (low, high) = self.0.split_at(32);
        let halves: [[u8; 32]; 2] = [low.try_into().expect("32 of 64"), high.try_into().expect("32 of 64")];
        halves.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let halves = <[[u8; 32]; 2]>::deserialize(deserializer)?;
        let bytes = halves
            .concat()
            .try_into()
            .map_err(|_| D::Error::custom("expected 64 bytes"))?;
        Ok(Self(bytes))
    }
}

/// A key that can sign. Its bytes never leave it.
#[derive(Clone, Copy)]
pub struct SigningKey(secp256k1::Keypair);

impl SigningKey {
    /// The key that a seed stands for: the same seed, the same key.
    #[must_use]
    pub fn from_seed(_seed: &Seed) -> Self {
        todo!("chain")
    }

    /// Who may spend what is paid to this key.
    #[must_use]
    pub fn owner(&self) -> Owner {
        todo!("chain")
    }

    /// Signs a 32-byte message without auxiliary randomness, so the same inputs give the same bytes.
    #[must_use]
    pub fn sign(&self, _message: &Hash) -> Signature {
        todo!("chain")
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.owner())
    }
}
