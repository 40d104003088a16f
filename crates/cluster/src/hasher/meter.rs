//! How many hashes a miner is owed.

use base::Time;
use chain::HashRate;

use crate::limits::MAX_HASHING_DEBT;

const MICROS_PER_SECOND: u128 = 1_000_000;

/// Turns a rate and the passing of time into hashes, to the last one.
///
/// Pure: asked with the time. Fractions are carried over, so the hashes given add up to the rate exactly, however irregularly it is asked.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    rate: HashRate,
    since: Time,
    /// Owed millionths of a hash.
    carry: u128,
    missed: u64,
}

impl Meter {
    pub(super) const fn new(rate: HashRate, now: Time) -> Self {
        Self {
            rate,
            since: now,
            carry: 0,
            missed: 0,
        }
    }

    /// Changes the rate from now on; what was owed at the old rate stays owed.
    pub(super) fn set_rate(&mut self, rate: HashRate, now: Time) {
        if rate != self.rate {
            self.accrue(now);
            self.rate = rate;
        }
    }

    /// Whole hashes owed now.
    pub(super) fn owed(&mut self, now: Time) -> u64 {
        self.accrue(now);
        u64::try_from(self.carry / MICROS_PER_SECOND).unwrap_or(u64::MAX)
    }

    /// Takes hashes that were tried off what is owed.
    ///
    /// # Panics
    /// When more were tried than are owed.
    pub(super) fn tried(&mut self, hashes: u64) {
        self.carry = self
            .carry
            .checked_sub(u128::from(hashes) * MICROS_PER_SECOND)
            .expect("no miner tries more than it is owed");
    }

    /// Hashes lost for good since the last call, because more than [`MAX_HASHING_DEBT`] of time was owed.
    pub(super) fn take_missed(&mut self) -> u64 {
        std::mem::take(&mut self.missed)
    }

    fn accrue(&mut self, now: Time) {
        self.carry += u128::from(self.rate.0) * now.since(self.since).as_micros();
        self.since = self.since.max(now);
        let most = u128::from(self.rate.0) * MAX_HASHING_DEBT.as_micros();
        // Whole hashes only: what is left of one is not lost but not yet earned, and all that a slow miner ever has.
        let lost = self.carry.saturating_sub(most) / MICROS_PER_SECOND;
        self.carry -= lost * MICROS_PER_SECOND;
        self.missed = self.missed.saturating_add(u64::try_from(lost).unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Takes all that is owed at each of these moments.
    fn drain(meter: &mut Meter, moments: impl IntoIterator<Item = Time>) -> u64 {
        moments
            .into_iter()
            .map(|now| {
                let owed = meter.owed(now);
                meter.tried(owed);
                owed
            })
            .sum()
    }

    #[test]
    fn hashes_add_up_to_the_rate_however_irregular_the_ticks() {
        for rate in [1, 3, 7, 999, 1_000_003] {
            let mut meter = Meter::new(HashRate(rate), Time::ZERO);
            let moments = (1..=10_000_u64).map(|tick| Time::from_micros(tick * 10_000 - tick * 7_919 % 9_000));
            let end = Time::from_secs(100);
            let hashes = drain(&mut meter, moments.chain([end]));
            assert_eq!(hashes, rate * 100, "at {rate} H/s");
            assert_eq!(meter.take_missed(), 0);
        }
    }

    #[test]
    fn what_a_slow_machine_owes_too_long_is_lost_and_counted() {
        let mut meter = Meter::new(HashRate(1_000), Time::ZERO);
        let hashes = drain(&mut meter, [Time::from_secs(2)]);
        assert_eq!(hashes, HashRate(1_000).hashes_in(MAX_HASHING_DEBT));
        assert_eq!(hashes + meter.take_missed(), 2_000);
        assert_eq!(meter.take_missed(), 0);
    }

    #[test]
    fn a_rate_of_nothing_is_owed_nothing_and_misses_nothing() {
        let mut meter = Meter::new(HashRate::ZERO, Time::ZERO);
        assert_eq!(drain(&mut meter, [Time::from_secs(9)]), 0);
        assert_eq!(meter.take_missed(), 0);
    }

    #[test]
    fn a_new_rate_counts_from_when_it_was_set() {
        let mut meter = Meter::new(HashRate(1_000), Time::ZERO);
        meter.set_rate(HashRate(100), Time::from_millis(10));
        assert_eq!(meter.owed(Time::from_millis(110)), 10 + 10);
    }

    #[test]
    fn time_that_stands_still_owes_nothing_more() {
        let mut meter = Meter::new(HashRate(1_000), Time::from_secs(1));
        assert_eq!(meter.owed(Time::ZERO), 0);
        assert_eq!(meter.owed(Time::from_secs(1) + Duration::from_millis(10)), 10);
    }
}
