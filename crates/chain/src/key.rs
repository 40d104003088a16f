//! Keys and signatures: BIP340 Schnorr over secp256k1, by libsecp256k1.

use std::fmt;

use base::{Hash, Seed, hex};
use secp256k1::{Keypair, XOnlyPublicKey, schnorr};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Who may spend an output: a 32-byte x-only public key.
///
/// Any 32 bytes may stand in an output; those that are not on the curve can never be spent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner(pub [u8; 32]);

impl Owner {
    /// Whether the signature is one of this owner's over the message (BIP340 verification). Never for bytes that are no key.
    #[must_use]
    pub fn verifies(&self, message: &Hash, signature: &Signature) -> bool {
        let signature = schnorr::Signature::from_byte_array(signature.0);
        XOnlyPublicKey::from_byte_array(self.0).is_ok_and(|key| signature.verify(&message.0, &key).is_ok())
    }
}

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
pub struct SigningKey(Keypair);

impl SigningKey {
    /// The key that a seed stands for: the same seed, the same key.
    #[must_use]
    pub fn from_seed(seed: &Seed) -> Self {
        let candidate = |attempt: u32| Hash::tagged("nakanet/key", &[seed.bytes(), &attempt.to_le_bytes()]);
        let keypair = (0..u32::MAX)
            .find_map(|attempt| Keypair::from_secret_bytes(candidate(attempt).0).ok())
            .expect("all but one in 2^127 candidates are keys");
        Self(keypair)
    }

    /// Who may spend what is paid to this key.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner(self.0.x_only_public_key().0.to_byte_array())
    }

    /// Signs a 32-byte message without auxiliary randomness, so the same inputs give the same bytes.
    #[must_use]
    pub fn sign(&self, message: &Hash) -> Signature {
        Signature(schnorr::sign_no_aux_rand(&message.0, &self.0).to_byte_array())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.owner())
    }
}

#[cfg(test)]
mod tests;
