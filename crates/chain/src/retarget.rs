//! The two rules by which targets follow the hash power, as pure functions of times and heights.

use crate::uint::U256;
use crate::{CompactTarget, Target};

/// The target that bits stand for, which the ledger has checked when it accepted their header.
fn decode(bits: CompactTarget) -> Target {
    bits.target()
        .expect("bits of accepted headers and sound parameters are targets")
}

/// Bitcoin's rule at the end of a window (`CalculateNextWorkRequired`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// The seconds that a window should take: blocks times interval.
    pub timespan: u32,
    /// The easiest target allowed.
    pub limit: CompactTarget,
}

impl Window {
    /// The bits of the window that follows one with bits `old`, whose first and last block have these times.
    ///
    /// Between the first and the last block of a window lies one interval less than the window has blocks. Bitcoin compares
    /// that time with the whole window's, and so does this.
    #[must_use]
    pub fn next(&self, old: CompactTarget, first_time: u32, last_time: u32) -> CompactTarget {
        let timespan = i64::from(self.timespan);
        let taken = (i64::from(last_time) - i64::from(first_time)).clamp(timespan / 4, timespan * 4);
        let taken = u64::try_from(taken).expect("clamped to positive values");
        let limit = decode(self.limit);
        decode(old)
            .0
            .checked_mul_div(taken, u64::from(self.timespan))
            .map_or(limit, |target| Target(target.max(U256::ONE)).min(limit))
            .compact()
    }
}

/// aserti3-2d, the rule of Bitcoin Cash since November 2020.
///
/// <https://upgradespecs.bitcoincashnode.org/2020-11-15-asert/>
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asert {
    /// Bits of the anchor block.
    pub anchor_bits: CompactTarget,
    /// Seconds a block should take.
    pub interval: u32,
    /// Seconds behind schedule after which the target has doubled.
    pub half_life: u32,
    /// The easiest target allowed.
    pub limit: CompactTarget,
}

impl Asert {
    /// Bits of fixed-point fraction.
    const RADIX: u32 = 16;

    /// The bits of the block after one that stands `height_diff` above the anchor and is `time_diff` seconds later than the
    /// anchor's *parent*.
    #[must_use]
    pub fn next(&self, time_diff: i64, height_diff: u32) -> CompactTarget {
        let schedule = i128::from(self.interval) * (i128::from(height_diff) + 1);
        let exponent = ((i128::from(time_diff) - schedule) << Self::RADIX) / i128::from(self.half_life);
        let doublings = exponent >> Self::RADIX;
        let fraction = u64::try_from(exponent & 0xffff).expect("masked to 16 bits");
        let (product, carry) = decode(self.anchor_bits).0.widening_mul(Self::power_of_two(fraction));
        // The factor has a fixed point of its own, which comes off here.
        let shift = doublings - i128::from(Self::RADIX);
        let limit = decode(self.limit);
        match Self::shifted(product, carry, shift) {
            Some(target) => Target(target.max(U256::ONE)).min(limit).compact(),
            None => limit.compact(),
        }
    }

    /// 2^(fraction / 65536) * 65536 by the cubic of the specification; at most 0.013 % off.
    fn power_of_two(fraction: u64) -> u64 {
        let cubic = 195_766_423_245_049 * fraction + 971_821_376 * fraction.pow(2) + 5_127 * fraction.pow(3);
        65_536 + ((cubic + (1 << 47)) >> 48)
    }

    /// The 320-bit number `high * 2^256 + low`, shifted left, or right when negative; `None` when it does not fit in 256 bits.
    fn shifted(low: U256, high: u64, left: i128) -> Option<U256> {
        let by = u32::try_from(left.unsigned_abs()).unwrap_or(u32::MAX);
        if left > 0 {
            let fits = high == 0 && low.bits().saturating_add(by) <= U256::BITS;
            return (fits || low.is_zero()).then(|| low << by);
        }
        if high.checked_shr(by).unwrap_or(0) != 0 {
            return None;
        }
        let carried = U256::BITS
            .checked_sub(by)
            .map_or(U256::ZERO, |up| U256::from(high) << up);
        Some(U256(std::array::from_fn(|i| (low >> by).0[i] | carried.0[i])))
    }
}

#[cfg(test)]
mod tests;
