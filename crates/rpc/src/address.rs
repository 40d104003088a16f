//! Addresses: an owner's key in bech32m (BIP350), as Bitcoin writes the keys of taproot, behind a prefix of our own.

use bech32::{Hrp, segwit};
use chain::Owner;

/// What every address begins with.
pub const PREFIX: &str = "naka";

/// The address of an owner, such as `naka1p..`.
#[must_use]
pub fn of(owner: &Owner) -> String {
    segwit::encode(prefix(), segwit::VERSION_1, &owner.0).expect("32 bytes of version 1 are a program")
}

/// Why text is no address of this network.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotAnAddress {
    /// It is no bech32m text with a program.
    #[error("Invalid or unsupported Segwit (Bech32) or Base58 encoding.")]
    Encoding,
    /// It is an address of something else.
    #[error("Invalid or unsupported prefix for Segwit (Bech32) address (expected {PREFIX}, got {0}).")]
    Prefix(String),
    /// It is of a version or size that has no meaning here.
    #[error("Invalid Bech32m address program (expected version 1 of 32 bytes)")]
    Program,
}

/// The owner that an address stands for.
///
/// # Errors
/// When it is none of ours.
pub fn read(text: &str) -> Result<Owner, NotAnAddress> {
    let (found, version, program) = segwit::decode(text).map_err(|_| NotAnAddress::Encoding)?;
    if found != prefix() {
        return Err(NotAnAddress::Prefix(found.to_lowercase()));
    }
    match (version, program.try_into()) {
        (segwit::VERSION_1, Ok(key)) => Ok(Owner(key)),
        (_, Ok(_) | Err(_)) => Err(NotAnAddress::Program),
    }
}

fn prefix() -> Hrp {
    Hrp::parse_unchecked(PREFIX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn addresses_round_trip_and_notice_a_wrong_letter(key: [u8; 32], place: prop::sample::Index, letter in "[a-z0-9]") {
            let owner = Owner(key);
            let text = of(&owner);
            prop_assert!(text.starts_with("naka1p"));
            prop_assert_eq!(read(&text), Ok(owner));
            prop_assert_eq!(read(&text.to_uppercase()), Ok(owner));
            let place = place.index(text.len());
            let mut wrong = text.clone();
            wrong.replace_range(place..=place, &letter);
            prop_assert!(wrong == text || read(&wrong).is_err());
        }
    }

    #[test]
    fn addresses_of_bitcoin_are_told_apart() {
        let taproot = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0";
        assert_eq!(read(taproot), Err(NotAnAddress::Prefix("bc".to_owned())));
        assert_eq!(read("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), Err(NotAnAddress::Encoding));
        let short = segwit::encode(prefix(), segwit::VERSION_0, &[0; 20]).expect("a program");
        assert_eq!(read(&short), Err(NotAnAddress::Program));
        assert_eq!(read(""), Err(NotAnAddress::Encoding));
    }
}
