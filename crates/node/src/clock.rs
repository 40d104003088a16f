//! A node's wall clock: the only time that block times are compared with.

use std::time::Duration;

use base::Time;

/// The wall clock: the run's epoch, the time since, and how wrong the operator made it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    epoch_millis: i64,
    skew_millis: i64,
}

/// What a wall clock showed when the run began: all there is to one that is not set, in eight bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    began_millis: i64,
}

impl Setting {
    /// As [`Clock::unix_secs`].
    pub(crate) fn unix_secs(self, now: Time) -> u64 {
        let since_start = i64::try_from(now.as_micros() / 1_000).expect("a thousandth of what 64 bits hold");
        let millis = self.began_millis.saturating_add(since_start);
        u64::try_from(millis / 1_000).unwrap_or(0)
    }
}

impl Clock {
    pub(crate) fn new(epoch: Duration) -> Self {
        Self {
            epoch_millis: i64::try_from(epoch.as_millis()).unwrap_or(i64::MAX),
            skew_millis: 0,
        }
    }

    /// How far the clock is ahead of the true time from now on.
    pub(crate) const fn set_skew(&mut self, millis: i64) {
        self.skew_millis = millis;
    }

    /// What the clock shows, in Unix seconds. Stays at 1970 rather than going below.
    pub(crate) fn unix_secs(&self, now: Time) -> u64 {
        self.as_set().unix_secs(now)
    }

    /// The same clock, while nobody sets it.
    pub(crate) const fn as_set(&self) -> Setting {
        let began_millis = self.epoch_millis.saturating_add(self.skew_millis);
        Setting { began_millis }
    }

    /// The moment at which the clock shows this many Unix seconds.
    pub(crate) fn when(&self, unix_secs: u64) -> Time {
        let millis = i128::from(unix_secs) * 1_000 - i128::from(self.skew_millis) - i128::from(self.epoch_millis);
        Time::from_millis(u64::try_from(millis.max(0)).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_found_for_a_time_is_the_first_at_which_the_clock_shows_it() {
        for skew in [0, 1, -1, 2_500, -2_500, 86_400_000] {
            let mut clock = Clock::new(Duration::from_millis(1_767_225_600_300));
            clock.set_skew(skew);
            let shown = 1_767_400_000;
            let when = clock.when(shown);
            assert_eq!(clock.unix_secs(when), shown, "skew {skew}");
            let before = Time::from_micros(when.as_micros() - 1);
            assert_eq!(clock.unix_secs(before), shown - 1, "skew {skew}");
        }
    }

    /// THREATS C5: the ends of the range never overflow.
    #[test]
    fn threat_c5_d6_the_most_absurd_skews_stay_in_range() {
        let mut clock = Clock::new(Duration::from_secs(1_767_225_600));
        clock.set_skew(i64::MIN);
        assert_eq!(clock.unix_secs(Time::ZERO), 0);
        assert_eq!(clock.when(u64::MAX), Time::MAX);
        clock.set_skew(i64::MAX);
        assert!(clock.unix_secs(Time::MAX) > 9_000_000_000_000);
        assert_eq!(clock.when(0), Time::ZERO);
    }
}
