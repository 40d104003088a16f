//! The fee rate that a full mempool demands, and how it falls again.

use base::Time;

use crate::limits::FLOOR_HALF_LIFE;

/// A floor under fee rates, in base units per 1,000 bytes: raised by every eviction, halved with time.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Floor {
    rate: u64,
    raised_at: Time,
}

impl Floor {
    /// What is evicted must not come back for the same fee.
    pub(crate) fn raise(&mut self, now: Time, rate: u64) {
        if rate >= self.at(now) {
            *self = Self { rate, raised_at: now };
        }
    }

    /// Whether it was never raised.
    pub(crate) const fn is_none(&self) -> bool {
        self.rate == 0
    }

    /// The floor now.
    pub(crate) fn at(&self, now: Time) -> u64 {
        let halvings = now.since(self.raised_at).as_secs() / FLOOR_HALF_LIFE.as_secs();
        u32::try_from(halvings)
            .ok()
            .and_then(|halvings| self.rate.checked_shr(halvings))
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_rises_at_once_and_halves_with_time() {
        let mut floor = Floor::default();
        assert_eq!(floor.at(Time::ZERO), 0);
        floor.raise(Time::from_secs(5), 4_000);
        floor.raise(Time::from_secs(6), 3_000);
        assert_eq!(floor.at(Time::from_secs(6)), 4_000);
        let later = Time::from_secs(5) + FLOOR_HALF_LIFE;
        assert_eq!(floor.at(later), 2_000);
        floor.raise(later, 2_500);
        assert_eq!(floor.at(later + FLOOR_HALF_LIFE), 1_250);
        assert_eq!(floor.at(Time::MAX), 0);
    }
}
