//! Work: how many hashes a chain stands for.

use std::fmt;
use std::ops::Add;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::uint::U256;

/// The expected number of hashes behind a block or chain, 256 bits. Shown as Bitcoin Core's `chainwork`: 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Work(pub U256);

impl Work {
    /// None.
    pub const ZERO: Self = Self(U256::ZERO);
    /// The most there can be, at which sums stay.
    pub const MAX: Self = Self(U256::MAX);

    /// The work that 64 hexadecimal digits stand for, the most significant first.
    #[must_use]
    pub fn from_be_hex(text: &str) -> Option<Self> {
        U256::from_hex(text).map(Self)
    }

    /// As much work so many times; the most there can be when that is more.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        match self.0.widening_mul(u64::from(count)) {
            (product, 0) => Self(product),
            _ => Self::MAX,
        }
    }

    /// How much more than `other` it is; nothing when it is less.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        self.0.checked_sub(other.0).map_or(Self::ZERO, Self)
    }
}

/// Without the leading zeros.
impl fmt::LowerHex for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_hex();
        let digits = text.trim_start_matches('0');
        f.pad_integral(true, "0x", if digits.is_empty() { "0" } else { digits })
    }
}

/// Stays at 2^256 - 1, which no chain of hashes that were really tried can reach.
impl Add for Work {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.checked_add(other.0).unwrap_or(U256::MAX))
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}

impl Serialize for Work {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Work {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_be_hex(&text).ok_or_else(|| D::Error::custom("expected 64 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_shown_as_chainwork_and_read_back() {
        let work = Work(U256::from(0x0001_0001_0001_u64));
        assert_eq!(work.to_string(), format!("{:0>64}", "100010001"));
        assert_eq!(Work::from_be_hex(&work.to_string()), Some(work));
        assert_eq!(Work::from_be_hex("100010001"), None);
    }

    #[test]
    fn sums_and_differences_stay_in_range() {
        let one = Work(U256::ONE);
        assert_eq!(Work(U256::MAX) + one, Work(U256::MAX));
        assert_eq!((one + one).saturating_sub(one), one);
        assert_eq!(Work::ZERO.saturating_sub(one), Work::ZERO);
        assert_eq!(one.times(3), one + one + one);
        assert_eq!((Work::MAX.times(1), Work::MAX.times(2)), (Work::MAX, Work::MAX));
        assert_eq!(format!("{:x} {:x} {:#x}", Work::ZERO, one.times(260), one), "0 104 0x1");
    }
}
