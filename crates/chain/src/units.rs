//! Heights, amounts and hash rates.

use std::fmt;
use std::iter::Sum;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How many blocks a block stands above the genesis block, which has height 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Height(pub u32);

impl Height {
    /// The height of a child.
    ///
    /// # Panics
    /// Above 2^32 - 1, which a chain of one block a second reaches after 136 years.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.checked_add(1).expect("a chain ends before 2^32 blocks"))
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An amount of money in base units; 100,000,000 make one coin.
///
/// Only checked arithmetic: a sum that overflows is a consensus fault (CVE-2010-5139), never a wrap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(u64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One coin.
    pub const COIN: Self = Self(100_000_000);
    /// The most that any output, or any sum, may be: 21,000,000 coins.
    pub const MAX_MONEY: Self = Self(21_000_000 * Self::COIN.0);

    /// This many base units, whether or not the rules allow so many.
    #[must_use]
    pub const fn from_units(units: u64) -> Self {
        Self(units)
    }

    /// This many whole coins; `None` above [`Amount::MAX_MONEY`].
    #[must_use]
    pub fn from_coins(coins: u64) -> Option<Self> {
        coins
            .checked_mul(Self::COIN.0)
            .map(Self)
            .filter(|amount| amount.is_money())
    }

    /// The amount in base units.
    #[must_use]
    pub const fn units(self) -> u64 {
        self.0
    }

    /// Whether the rules allow such an amount at all.
    #[must_use]
    pub fn is_money(self) -> bool {
        self <= Self::MAX_MONEY
    }

    /// The sum; `None` when it overflows 64 bits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference; `None` when it would be negative.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The sum of all; `None` when it, or a part of it, is above [`Amount::MAX_MONEY`].
    #[must_use]
    pub fn total(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, |sum, amount| {
            sum.checked_add(amount)
                .filter(|sum| amount.is_money() && sum.is_money())
        })
    }
}

/// In coins, as `12.5` or `0.00000001`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (coins, rest) = (self.0 / Self::COIN.0, self.0 % Self::COIN.0);
        if rest == 0 {
            return write!(f, "{coins}");
        }
        let fraction = format!("{rest:08}");
        write!(f, "{coins}.{}", fraction.trim_end_matches('0'))
    }
}

/// Hashes tried per second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HashRate(pub u64);

impl HashRate {
    /// Does not mine.
    pub const ZERO: Self = Self(0);

    /// How many hashes this rate tries in a while, rounded down.
    #[must_use]
    pub fn hashes_in(self, duration: Duration) -> u64 {
        u64::try_from(u128::from(self.0).saturating_mul(duration.as_micros()) / 1_000_000).unwrap_or(u64::MAX)
    }
}

impl Sum for HashRate {
    fn sum<I: Iterator<Item = Self>>(rates: I) -> Self {
        Self(rates.fold(0, |sum, rate| sum.saturating_add(rate.0)))
    }
}

/// As `2500 H/s`, `40 kH/s`, `1.5 MH/s`.
impl fmt::Display for HashRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0..1_000 => (1, "H/s"),
            1_000..1_000_000 => (1_000, "kH/s"),
            1_000_000..1_000_000_000 => (1_000_000, "MH/s"),
            1_000_000_000..1_000_000_000_000 => (1_000_000_000, "GH/s"),
            _ => (1_000_000_000_000, "TH/s"),
        };
        if self.0.is_multiple_of(unit) {
            write!(f, "{} {name}", self.0 / unit)
        } else {
            write!(f, "{}.{} {name}", self.0 / unit, self.0 % unit * 10 / unit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_above_the_money_limit_are_refused() {
        let half = Amount::from_units(1 << 63);
        assert_eq!(Amount::total([half, half]), None);
        assert_eq!(Amount::total([Amount::MAX_MONEY, Amount::from_units(1)]), None);
        assert_eq!(
            Amount::total([Amount::MAX_MONEY, Amount::ZERO]),
            Some(Amount::MAX_MONEY)
        );
        assert_eq!(Amount::from_coins(u64::MAX), None);
        assert_eq!(Amount::from_coins(21_000_001), None);
    }

    #[test]
    fn amounts_and_rates_print_for_people() {
        assert_eq!(Amount::from_units(1_250_000_000).to_string(), "12.5");
        assert_eq!(Amount::from_units(1).to_string(), "0.00000001");
        assert_eq!(HashRate(1_500_000).to_string(), "1.5 MH/s");
        assert_eq!(HashRate(40_000).to_string(), "40 kH/s");
    }

    #[test]
    fn a_rate_meters_hashes() {
        assert_eq!(HashRate(1_000).hashes_in(Duration::from_millis(10)), 10);
        assert_eq!(HashRate(u64::MAX).hashes_in(Duration::MAX), u64::MAX);
    }
}
