//! Whole numbers of any size, by school methods.

use std::cmp::Ordering;

use base::hex;
use chain::Work;

/// A whole number: its binary digits, the lowest first, without leading zeros.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Big(Vec<bool>);

impl Big {
    /// The number.
    pub(super) fn from_u64(value: u64) -> Self {
        Self::trimmed((0..64).map(|digit| value >> digit & 1 == 1).collect())
    }

    /// The number with these bytes, the lowest first.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let digits = bytes
            .iter()
            .flat_map(|byte| (0..8).map(move |digit| byte >> digit & 1 == 1));
        Self::trimmed(digits.collect())
    }

    /// 2^exponent.
    pub(super) fn power_of_two(exponent: usize) -> Self {
        Self::from_u64(1).doubled(exponent)
    }

    /// How many binary digits it has; none for 0.
    pub(super) fn length(&self) -> usize {
        self.0.len()
    }

    /// Times 2^times.
    pub(super) fn doubled(&self, times: usize) -> Self {
        let zeros = std::iter::repeat_n(false, times);
        Self::trimmed(zeros.chain(self.0.iter().copied()).collect())
    }

    /// Divided by 2^times, rounded down.
    pub(super) fn halved(&self, times: usize) -> Self {
        Self::trimmed(self.0.iter().copied().skip(times).collect())
    }

    /// The sum.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let mut carry = false;
        let digits = (0..=self.length().max(other.length())).map(|place| {
            let (a, b) = (self.digit(place), other.digit(place));
            let sum = a ^ b ^ carry;
            carry = (a && b) || (carry && (a || b));
            sum
        });
        Self::trimmed(digits.collect())
    }

    /// The difference from a number that is not larger.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let mut borrow = false;
        let digits = (0..self.length()).map(|place| {
            let (a, b) = (self.digit(place), other.digit(place));
            let difference = a ^ b ^ borrow;
            borrow = (!a && (b || borrow)) || (b && borrow);
            difference
        });
        let difference = Self::trimmed(digits.collect());
        assert!(!borrow, "a larger number cannot be taken away");
        difference
    }

    /// The product, by adding up shifted copies.
    pub(super) fn times(&self, other: &Self) -> Self {
        let places = (0..other.length()).filter(|place| other.digit(*place));
        places.fold(Self::from_u64(0), |sum, place| sum.plus(&self.doubled(place)))
    }

    /// The quotient, rounded down, by long division.
    pub(super) fn divided_by(&self, divisor: &Self) -> Self {
        assert!(divisor.length() > 0, "nothing divides by 0");
        let places = (self.length() + 1).saturating_sub(divisor.length());
        let mut rest = self.halved(places);
        let mut quotient = vec![false; places];
        for place in (0..places).rev() {
            rest = rest.doubled(1);
            if self.digit(place) {
                rest = rest.plus(&Self::from_u64(1));
            }
            if rest >= *divisor {
                rest = rest.minus(divisor);
                quotient[place] = true;
            }
        }
        Self::trimmed(quotient)
    }

    /// Its lowest 32 digits.
    pub(super) fn low_u32(&self) -> u32 {
        (0..32).filter(|place| self.digit(*place)).map(|place| 1 << place).sum()
    }

    /// The number as chain work; the most there is when it is above.
    pub(super) fn to_work(&self) -> Work {
        if self.length() > 256 {
            return Work::from_be_hex(&"f".repeat(64)).expect("64 digits");
        }
        let byte = |index: usize| {
            (0..8)
                .filter(|bit| self.digit(8 * index + bit))
                .map(|bit| 1 << bit)
                .sum()
        };
        let bytes: Vec<u8> = (0..32).rev().map(byte).collect();
        Work::from_be_hex(&hex::encode(&bytes)).expect("64 digits")
    }

    fn digit(&self, place: usize) -> bool {
        self.0.get(place).copied().unwrap_or(false)
    }

    fn trimmed(mut digits: Vec<bool>) -> Self {
        while digits.last() == Some(&false) {
            digits.pop();
        }
        Self(digits)
    }
}

impl Ord for Big {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_length = self.length().cmp(&other.length());
        by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn big(value: u128) -> Big {
        Big::from_bytes(&value.to_le_bytes())
    }

    proptest! {
        #[test]
        fn arithmetic_is_that_of_machine_words(a: u64, b in 1..u64::MAX, shift in 0..64_usize) {
            let (wide_a, wide_b) = (u128::from(a), u128::from(b));
            let (x, y) = (Big::from_u64(a), Big::from_u64(b));
            prop_assert_eq!(x.plus(&y), big(wide_a + wide_b));
            prop_assert_eq!(x.plus(&y).minus(&y), x.clone());
            prop_assert_eq!(x.times(&y), big(wide_a * wide_b));
            prop_assert_eq!(x.divided_by(&y), big(wide_a / wide_b));
            prop_assert_eq!(x.doubled(shift), big(wide_a << shift));
            prop_assert_eq!(x.halved(shift), big(wide_a >> shift));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(u64::from(x.low_u32()), a & 0xffff_ffff);
        }
    }
}
