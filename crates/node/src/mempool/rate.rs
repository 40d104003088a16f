//! Fee rates, compared exactly.

use std::cmp::Ordering;

use chain::Amount;

/// A fee over the bytes it pays for. Equal rates of different sizes are equal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FeeRate {
    fee: u64,
    bytes: u64,
}

impl FeeRate {
    /// # Panics
    /// When there are no bytes: every transaction has some.
    pub(crate) fn new(fee: Amount, bytes: u64) -> Self {
        assert!(bytes > 0, "a rate needs bytes");
        Self {
            fee: fee.units(),
            bytes,
        }
    }

    /// Base units per 1,000 bytes, rounded up.
    pub(crate) fn per_kilobyte(self) -> u64 {
        let rate = (u128::from(self.fee) * 1_000).div_ceil(u128::from(self.bytes));
        u64::try_from(rate).unwrap_or(u64::MAX)
    }
}

/// The fee that this many bytes owe at a rate in base units per 1,000 bytes, rounded up.
pub(crate) fn fee_at(rate: u64, bytes: u64) -> Amount {
    let fee = (u128::from(rate) * u128::from(bytes)).div_ceil(1_000);
    Amount::from_units(u64::try_from(fee).unwrap_or(u64::MAX))
}

impl Ord for FeeRate {
    fn cmp(&self, other: &Self) -> Ordering {
        let ours = u128::from(self.fee) * u128::from(other.bytes);
        let theirs = u128::from(other.fee) * u128::from(self.bytes);
        ours.cmp(&theirs)
    }
}

impl PartialOrd for FeeRate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for FeeRate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for FeeRate {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_compare_without_rounding() {
        let rate = |fee, bytes| FeeRate::new(Amount::from_units(fee), bytes);
        assert_eq!(rate(1, 3), rate(2, 6));
        assert!(rate(1_000_001, 3_000_000) > rate(1, 3));
        assert!(rate(u64::MAX, 1) > rate(u64::MAX - 1, 1));
        assert_eq!(rate(1, 3).per_kilobyte(), 334);
    }

    #[test]
    fn a_fee_owed_is_rounded_up() {
        assert_eq!(fee_at(1_000, 250), Amount::from_units(250));
        assert_eq!(fee_at(1, 250), Amount::from_units(1));
        assert_eq!(fee_at(0, 250), Amount::ZERO);
        assert_eq!(fee_at(u64::MAX, 100_000), Amount::from_units(u64::MAX));
    }
}
