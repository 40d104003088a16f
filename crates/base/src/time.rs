//! Time since a run began.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment, in microseconds since the run began: virtual in a simulation, monotonic in a cluster.
///
/// Never a date. A node's wall clock is its configured epoch plus this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(u64);

impl Time {
    /// The moment the run began.
    pub const ZERO: Self = Self(0);
    /// A moment that never comes: 584,000 years in.
    pub const MAX: Self = Self(u64::MAX);

    /// The moment this many microseconds in.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The moment this many milliseconds in.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// The moment this many seconds in.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// Microseconds since the run began.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole seconds since the run began.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Seconds since the run began, for people.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "shown to people with three decimals")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The time that passed since `earlier`; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    /// Saturates at [`Time::MAX`]: a deadline too far away is one that never comes.
    fn add(self, duration: Duration) -> Self {
        let whole = duration.as_secs().saturating_mul(1_000_000);
        let micros = whole.saturating_add(u64::from(duration.subsec_micros()));
        Self(self.0.saturating_add(micros))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub for Time {
    type Output = Duration;

    /// The same as [`Time::since`].
    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.0 / 1_000_000, self.0 / 1_000 % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Time::MAX + Duration::from_secs(1), Time::MAX);
        assert_eq!(Time::ZERO - Time::from_secs(5), Duration::ZERO);
        assert_eq!(Time::from_secs(5) - Time::from_secs(2), Duration::from_secs(3));
        assert_eq!(Time::from_secs(u64::MAX), Time::MAX);
    }

    #[test]
    fn times_print_with_milliseconds() {
        assert_eq!(Time::from_micros(1_234_567).to_string(), "1.234s");
    }
}
