//! Targets and their compact form ("bits").

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::uint::U256;
use crate::{BlockId, Params, Work};

/// A target in Bitcoin's compact form: a byte of exponent and three of mantissa, the highest bit a sign that no valid target has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CompactTarget(pub u32);

impl CompactTarget {
    const SIGN: u32 = 0x0080_0000;
    const MANTISSA: u32 = 0x007f_ffff;

    /// The target it stands for; `None` when it is negative, does not fit in 256 bits, or is zero (Bitcoin's `SetCompact`).
    #[must_use]
    pub fn target(self) -> Option<Target> {
        let bytes = self.0 >> 24;
        let mantissa = U256::from(u64::from(self.0 & Self::MANTISSA));
        let value = if bytes <= 3 {
            mantissa >> (8 * (3 - bytes))
        } else {
            mantissa << (8 * (bytes - 3))
        };
        let overflows = bytes > 3 && mantissa.bits() + 8 * (bytes - 3) > U256::BITS;
        let valid = self.0 & Self::SIGN == 0 && !overflows && !value.is_zero();
        valid.then_some(Target(value))
    }

    /// The bits for which finding a block takes this many hashes on average, but never easier than [`Params::EASIEST`].
    ///
    /// The compact form rounds the target down, so it may take up to one part in 32,768 more.
    #[must_use]
    pub fn from_expected_hashes(hashes: u128) -> Self {
        let easiest = Params::EASIEST.target().expect("a constant that is a target");
        Target::from_expected_hashes(hashes).min(easiest).compact()
    }
}

/// As `0x1d00ffff`.
impl fmt::Display for CompactTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

/// A 256-bit target: a header is proof of work when its hash, read as a little-endian number, is at most this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Target(pub U256);

impl Target {
    /// The target for which finding a block takes this many hashes on average; 0 counts as 1.
    #[must_use]
    pub fn from_expected_hashes(hashes: u128) -> Self {
        let hashes = U256::from(hashes.max(1));
        // 2^256 / hashes - 1, where 2^256 - hashes is what fits in 256 bits.
        let rest = (!hashes).checked_add(U256::ONE).expect("hashes are above 0");
        Self(rest.checked_div(hashes).expect("hashes are above 0"))
    }

    /// Its compact form, which keeps the 15 to 23 leading bits and rounds down (Bitcoin's `GetCompact`).
    #[must_use]
    pub fn compact(self) -> CompactTarget {
        let mut bytes = self.0.bits().div_ceil(8);
        let mut mantissa = if bytes <= 3 {
            self.0 << (8 * (3 - bytes))
        } else {
            self.0 >> (8 * (bytes - 3))
        };
        if mantissa.bits() == 24 {
            mantissa = mantissa >> 8;
            bytes += 1;
        }
        let mantissa = u32::try_from(mantissa.low_u64()).expect("at most 23 bits are left");
        CompactTarget(bytes << 24 | mantissa)
    }

    /// Whether a block of this name is proof of work.
    #[must_use]
    pub fn is_met_by(&self, id: &BlockId) -> bool {
        U256::from_le_bytes(&id.0.0) <= self.0
    }

    /// The hashes it takes on average to meet it: 2^256 / (target + 1), rounded down (Bitcoin's `GetBlockProof`).
    #[must_use]
    pub fn work(self) -> Work {
        let Some(divisor) = self.0.checked_add(U256::ONE) else {
            return Work(U256::ONE);
        };
        // 2^256 does not fit, so it is taken as (2^256 - target - 1) / (target + 1) + 1.
        let rest = (!self.0).checked_div(divisor).expect("the divisor is above 0");
        Work(rest.checked_add(U256::ONE).unwrap_or(U256::MAX))
    }
}

/// Sixty-four hexadecimal digits, the most significant first.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use base::Hash;
    use proptest::prelude::*;

    use super::*;

    fn target(bits: u32) -> Option<String> {
        CompactTarget(bits).target().map(|target| target.to_string())
    }

    /// The cases of Bitcoin Core's `arith_uint256_tests.cpp` (`bignum_SetCompact`).
    #[test]
    fn compact_forms_decode_as_in_bitcoin() {
        for zero in [
            0,
            0x0012_3456,
            0x0100_3456,
            0x0200_0056,
            0x0300_0000,
            0x0400_0000,
            0x0092_3456,
            0x0180_3456,
            0x0280_0056,
            0x0380_0000,
            0x0480_0000,
        ] {
            assert_eq!(target(zero), None, "{zero:#x} is zero");
        }
        for negative in [0x01fe_dcba, 0x0492_3456] {
            assert_eq!(target(negative), None, "{negative:#x} is negative");
        }
        for overflow in [0xff12_3456, 0x2300_0001, 0x2200_0100, 0x2101_0000] {
            assert_eq!(target(overflow), None, "{overflow:#x} overflows");
        }
        for (bits, tail, compact) in [
            (0x0112_3456, "12", 0x0112_0000),
            (0x0200_8000, "80", 0x0200_8000),
            (0x0212_3456, "1234", 0x0212_3400),
            (0x0312_3456, "123456", 0x0312_3456),
            (0x0412_3456, "12345600", 0x0412_3456),
            (0x0500_9234, "92340000", 0x0500_9234),
        ] {
            let found = CompactTarget(bits).target().expect("a valid target");
            assert_eq!(found.to_string(), format!("{tail:0>64}"), "{bits:#x}");
            assert_eq!(found.compact(), CompactTarget(compact), "{bits:#x}");
        }
        let widest = CompactTarget(0x2012_3456).target().expect("a valid target");
        assert_eq!(widest.to_string(), format!("{:0<64}", "123456"));
        assert_eq!(widest.compact(), CompactTarget(0x2012_3456));
        assert_eq!(Target(U256::from(0x80_u64)).compact(), CompactTarget(0x0200_8000));
        assert!(CompactTarget(0x2100_ffff).target().is_some());
        assert!(CompactTarget(0x2200_00ff).target().is_some());
    }

    /// The work of a block at difficulty 1, as every Bitcoin node reports it for its genesis block.
    #[test]
    fn work_matches_bitcoins_chainwork() {
        let work = CompactTarget(0x1d00_ffff).target().expect("a valid target").work();
        assert_eq!(work.to_string(), format!("{:0>64}", "100010001"));
        let easiest = Params::EASIEST.target().expect("a valid target").work();
        assert_eq!(easiest, Work(U256::from(2_u64)));
        assert_eq!(Target(U256::MAX).work(), Work(U256::ONE));
        assert_eq!(Target(U256::ZERO).work(), Work(U256::MAX));
    }

    #[test]
    fn a_hash_meets_the_target_it_equals_and_none_below() {
        let limit = Target(U256::from(256_u64));
        let id = |value: u64| BlockId(Hash(U256::from(value).to_le_bytes()));
        assert!(limit.is_met_by(&id(256)));
        assert!(limit.is_met_by(&id(0)));
        assert!(!limit.is_met_by(&id(257)));
    }

    #[test]
    fn the_easiest_bits_are_the_floor_of_difficulty() {
        for hashes in [0, 1, 2] {
            assert_eq!(CompactTarget::from_expected_hashes(hashes), Params::EASIEST);
        }
        assert!(CompactTarget::from_expected_hashes(3) < Params::EASIEST);
    }

    proptest! {
        #[test]
        fn compacting_is_idempotent_and_rounds_down(limbs: [u64; 4], cut in 0..256_u32) {
            let exact = Target(U256(limbs) >> cut);
            prop_assume!(!exact.0.is_zero());
            let rounded = exact.compact().target().expect("what a target compacts to is valid");
            prop_assert!(rounded <= exact);
            prop_assert!(exact.0.checked_sub(rounded.0).expect("rounds down").bits() + 15 <= exact.0.bits().max(15));
            prop_assert_eq!(rounded.compact(), exact.compact());
        }

        #[test]
        fn no_bits_make_the_decoder_fail_and_valid_ones_have_work(bits: u32) {
            if let Some(target) = CompactTarget(bits).target() {
                prop_assert_eq!(target.compact().target(), Some(target));
                prop_assert!(target.work() > Work::ZERO);
            }
        }

        #[test]
        fn expected_hashes_are_the_work_of_their_target(hashes in 1..u64::MAX) {
            let target = Target::from_expected_hashes(u128::from(hashes));
            prop_assert_eq!(target.work(), Work(U256::from(hashes)));
        }
    }
}
