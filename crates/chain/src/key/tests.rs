//! Tests of keys and signatures: the official vectors, and every bit that may be wrong.

use super::*;

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let decoded = hex::decode(text).expect("hex");
    decoded.try_into().expect("as many bytes as the field has")
}

/// The rows of the official vectors: secret key, public key, auxiliary randomness, message, signature, result.
fn vectors() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = include_str!("bip340_vectors.csv").lines().skip(2);
    lines.map(|line| line.split(',').skip(1).collect())
}

#[test]
fn the_official_vectors_verify_or_fail_as_published() {
    let mut seen = [0, 0];
    for row in vectors() {
        let owner = Owner(bytes(row[1]));
        let verifies = owner.verifies(&Hash(bytes(row[3])), &Signature(bytes(row[4])));
        assert_eq!(verifies, row[5] == "TRUE", "{row:?}");
        seen[usize::from(verifies)] += 1;
    }
    assert_eq!(seen, [10, 5]);
}

/// No auxiliary randomness means 32 zero bytes of it, as in the first vector.
#[test]
fn signing_gives_the_published_bytes() {
    let row = vectors().next().expect("the first vector");
    assert_eq!(row[2], "0".repeat(64));
    let key = SigningKey(Keypair::from_secret_bytes(bytes(row[0])).expect("a key"));
    assert_eq!(key.owner(), Owner(bytes(row[1])));
    assert_eq!(key.sign(&Hash(bytes(row[3]))), Signature(bytes(row[4])));
}

#[test]
fn a_seed_gives_one_key_and_another_seed_another() {
    let key = |number| SigningKey::from_seed(&Seed::from_number(number));
    assert_eq!(key(1).owner(), key(1).owner());
    assert_ne!(key(1).owner(), key(2).owner());
    assert_eq!(format!("{:?}", key(1)), format!("SigningKey({:?})", key(1).owner()));
}

#[test]
fn every_flipped_byte_of_key_message_or_signature_is_noticed() {
    let key = SigningKey::from_seed(&Seed::from_number(7));
    let (owner, message) = (key.owner(), Hash::sha256(&[b"message"]));
    let signature = key.sign(&message);
    assert!(owner.verifies(&message, &signature));
    for at in 0..64 {
        let mut other = signature;
        other.0[at] ^= 1;
        assert!(!owner.verifies(&message, &other), "signature byte {at}");
    }
    for at in 0..32 {
        let mut other = message;
        other.0[at] ^= 1;
        assert!(!owner.verifies(&other, &signature), "message byte {at}");
        let mut other = owner;
        other.0[at] ^= 1;
        assert!(!other.verifies(&message, &signature), "key byte {at}");
    }
}

#[test]
fn bytes_that_are_no_key_own_what_nobody_can_spend() {
    let message = Hash::ZERO;
    let signature = SigningKey::from_seed(&Seed::from_number(7)).sign(&message);
    for nobody in [[0; 32], [0xff; 32]] {
        assert!(!Owner(nobody).verifies(&message, &signature));
        assert!(!Owner(nobody).verifies(&message, &Signature([0; 64])));
    }
}
