//! Unsigned 256-bit integers: the little arithmetic that targets and work need.

use std::ops::{Not, Shl, Shr};

use base::hex;

/// An unsigned 256-bit integer; limbs from the least significant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct U256(pub [u64; 4]);

impl U256 {
    /// 0.
    pub const ZERO: Self = Self([0; 4]);
    /// 1.
    pub const ONE: Self = Self([1, 0, 0, 0]);
    /// 2^256 - 1.
    pub const MAX: Self = Self([u64::MAX; 4]);
    /// Bits of the widest value.
    pub const BITS: u32 = 256;

    /// The number with these bytes, the least significant first.
    #[must_use]
    pub fn from_le_bytes(bytes: &[u8; 32]) -> Self {
        let limb = |i: usize| u64::from_le_bytes(bytes[8 * i..8 * i + 8].try_into().expect("eight bytes"));
        Self(std::array::from_fn(limb))
    }

    /// Its bytes, the least significant first.
    #[must_use]
    pub fn to_le_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (place, limb) in bytes.chunks_exact_mut(8).zip(self.0) {
            place.copy_from_slice(&limb.to_le_bytes());
        }
        bytes
    }

    /// The number that 64 hexadecimal digits stand for, the most significant first.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes: [u8; 32] = hex::decode(text)?.try_into().ok()?;
        bytes.reverse();
        Some(Self::from_le_bytes(&bytes))
    }

    /// Sixty-four hexadecimal digits, the most significant first.
    #[must_use]
    pub fn to_hex(self) -> String {
        let mut bytes = self.to_le_bytes();
        bytes.reverse();
        hex::encode(&bytes)
    }

    /// Whether it is 0.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    /// Its lowest 64 bits.
    #[must_use]
    pub const fn low_u64(self) -> u64 {
        self.0[0]
    }

    /// Bits up to and with the highest that is set; 0 for 0.
    #[must_use]
    pub fn bits(self) -> u32 {
        Self::BITS - self.leading_zeros()
    }

    /// Zero bits above the highest that is set.
    #[must_use]
    pub fn leading_zeros(self) -> u32 {
        let mut zeros = 0;
        for limb in self.0.into_iter().rev() {
            zeros += limb.leading_zeros();
            if limb != 0 {
                break;
            }
        }
        zeros
    }

    /// The sum; `None` from 2^256 on.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let mut carry = false;
        let mut sum = Self::ZERO;
        for i in 0..4 {
            (sum.0[i], carry) = self.0[i].carrying_add(other.0[i], carry);
        }
        (!carry).then_some(sum)
    }

    /// The difference; `None` when it would be negative.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let mut borrow = false;
        let mut difference = Self::ZERO;
        for i in 0..4 {
            (difference.0[i], borrow) = self.0[i].borrowing_sub(other.0[i], borrow);
        }
        (!borrow).then_some(difference)
    }

    /// The product in 320 bits: its lower 256 and its upper 64.
    #[must_use]
    pub fn widening_mul(self, factor: u64) -> (Self, u64) {
        let mut carry = 0;
        let mut product = Self::ZERO;
        for i in 0..4 {
            (product.0[i], carry) = self.0[i].carrying_mul(factor, carry);
        }
        (product, carry)
    }

    /// `self * factor / divisor`, rounded down, the product taken in full; `None` from 2^256 on or when the divisor is 0.
    #[must_use]
    pub fn checked_mul_div(self, factor: u64, divisor: u64) -> Option<Self> {
        let (mut product, mut remainder) = self.widening_mul(factor);
        if remainder >= divisor {
            return None;
        }
        for limb in product.0.iter_mut().rev() {
            let dividend = u128::from(remainder) << 64 | u128::from(*limb);
            let narrow = |wide: u128| u64::try_from(wide).expect("the remainder is below the divisor");
            *limb = narrow(dividend / u128::from(divisor));
            remainder = narrow(dividend % u128::from(divisor));
        }
        Some(product)
    }

    /// The quotient, rounded down; `None` when the divisor is 0.
    #[must_use]
    pub fn checked_div(self, divisor: Self) -> Option<Self> {
        if divisor.is_zero() {
            return None;
        }
        let mut quotient = Self::ZERO;
        let mut remainder = self;
        let Some(steps) = self.bits().checked_sub(divisor.bits()) else {
            return Some(quotient);
        };
        for shift in (0..=steps).rev() {
            if let Some(rest) = remainder.checked_sub(divisor << shift) {
                remainder = rest;
                quotient.0[(shift / 64) as usize] |= 1 << (shift % 64);
            }
        }
        Some(quotient)
    }
}

impl From<u64> for U256 {
    fn from(value: u64) -> Self {
        Self([value, 0, 0, 0])
    }
}

impl From<u128> for U256 {
    fn from(value: u128) -> Self {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&value.to_le_bytes());
        Self::from_le_bytes(&bytes)
    }
}

impl Ord for U256 {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl PartialOrd for U256 {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Not for U256 {
    type Output = Self;

    fn not(self) -> Self {
        Self(self.0.map(|limb| !limb))
    }
}

/// Bits shifted out at the top are lost; shifting by 256 or more gives 0.
impl Shl<u32> for U256 {
    type Output = Self;

    fn shl(self, by: u32) -> Self {
        let (limbs, bits) = ((by / 64) as usize, by % 64);
        let at = |i: usize| i.checked_sub(limbs).map_or(0, |i| self.0[i]);
        let below = |i: usize| if i == 0 { 0 } else { at(i - 1) };
        Self(std::array::from_fn(|i| {
            at(i) << bits | below(i).checked_shr(64 - bits).unwrap_or(0)
        }))
    }
}

/// Bits shifted out at the bottom are lost; shifting by 256 or more gives 0.
impl Shr<u32> for U256 {
    type Output = Self;

    fn shr(self, by: u32) -> Self {
        let (limbs, bits) = ((by / 64) as usize, by % 64);
        let at = |i: usize| self.0.get(i + limbs).copied().unwrap_or(0);
        Self(std::array::from_fn(|i| {
            at(i) >> bits | at(i + 1).checked_shl(64 - bits).unwrap_or(0)
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_u256() -> impl Strategy<Value = U256> {
        // Random limbs alone would hardly ever be small, so the width is drawn first.
        (any::<[u64; 4]>(), 0..=256_u32).prop_map(|(limbs, cut)| U256(limbs) >> cut)
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_128_bits(a: u128, b: u128, cut in 0..128_u32, shift in 0..=128_u32) {
            let b = b >> cut;
            let wide = |x: u128| U256::from(x);
            if let Some(sum) = a.checked_add(b) {
                prop_assert_eq!(wide(a).checked_add(wide(b)), Some(wide(sum)));
            }
            prop_assert_eq!(wide(a).checked_sub(wide(b)), a.checked_sub(b).map(wide));
            prop_assert_eq!(wide(a).checked_div(wide(b)), a.checked_div(b).map(wide));
            prop_assert_eq!(wide(a) >> shift, wide(a.checked_shr(shift).unwrap_or(0)));
            prop_assert_eq!((wide(a) << shift) >> shift, wide(a));
            prop_assert_eq!(wide(a).bits(), 128 - a.leading_zeros());
            prop_assert_eq!(wide(a).cmp(&wide(b)), a.cmp(&b));
        }

        #[test]
        fn small_factors_agree_with_128_bits(a: u64, factor: u64, divisor: u64) {
            let product = u128::from(a) * u128::from(factor);
            prop_assert_eq!(U256::from(a).widening_mul(factor), (U256::from(product), 0));
            let expected = product.checked_div(u128::from(divisor)).map(U256::from);
            prop_assert_eq!(U256::from(a).checked_mul_div(factor, divisor), expected);
        }

        #[test]
        fn a_quotient_times_its_divisor_is_within_the_divisor(a in any_u256(), divisor in 1..u64::MAX) {
            let quotient = a.checked_div(U256::from(divisor)).expect("the divisor is not 0");
            let (product, carry) = quotient.widening_mul(divisor);
            prop_assert_eq!(carry, 0);
            let rest = a.checked_sub(product).expect("the quotient is rounded down");
            prop_assert!(rest < U256::from(divisor));
            prop_assert_eq!(a.checked_mul_div(1, divisor), Some(quotient));
        }

        #[test]
        fn sums_and_differences_undo_each_other(a in any_u256(), b in any_u256()) {
            match a.checked_add(b) {
                Some(sum) => prop_assert_eq!(sum.checked_sub(b), Some(a)),
                None => prop_assert!(!a < b),
            }
            prop_assert_eq!(a.checked_add(!a), Some(U256::MAX));
        }

        #[test]
        fn bytes_and_text_round_trip(a in any_u256()) {
            prop_assert_eq!(U256::from_le_bytes(&a.to_le_bytes()), a);
            prop_assert_eq!(U256::from_hex(&a.to_hex()), Some(a));
        }

        #[test]
        fn a_shift_is_repeated_doubling(a in any_u256(), by in 0..300_u32) {
            let mut doubled = a;
            let mut halved = a;
            for _ in 0..by {
                doubled = doubled << 1;
                halved = halved >> 1;
            }
            prop_assert_eq!(a << by, doubled);
            prop_assert_eq!(a >> by, halved);
        }
    }

    #[test]
    fn the_edges_are_refused_rather_than_wrapped() {
        assert_eq!(U256::MAX.checked_add(U256::ONE), None);
        assert_eq!(U256::ZERO.checked_sub(U256::ONE), None);
        assert_eq!(U256::ONE.checked_div(U256::ZERO), None);
        assert_eq!(U256::MAX.checked_mul_div(2, 1), None);
        assert_eq!(U256::MAX.checked_mul_div(1, 0), None);
        assert_eq!(U256::MAX.checked_mul_div(u64::MAX, u64::MAX), Some(U256::MAX));
        assert_eq!(U256::ZERO.bits(), 0);
        assert_eq!(U256::MAX.bits(), 256);
        assert_eq!(U256::from_hex("00"), None);
    }
}
