//! The time since the run began.

use std::time::Duration;

use base::Time;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

/// Monotonic time, counted from the moment the run began. All nodes of a run share one origin.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that stands at [`Time::ZERO`] now.
    #[must_use]
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// The clock of a run that began when the system's monotonic clock stood there: see [`Clock::origin`].
    #[must_use]
    pub(crate) fn since(origin: u64) -> Self {
        let age = Duration::from_nanos(monotonic().saturating_sub(origin));
        let now = Instant::now();
        Self {
            origin: now.checked_sub(age).unwrap_or(now),
        }
    }

    /// Where the system's monotonic clock, which all its processes share, stood when this clock showed zero: in nanoseconds.
    pub(crate) fn origin(&self) -> u64 {
        let age = u64::try_from(self.origin.elapsed().as_nanos()).expect("a run lasts no five centuries");
        monotonic().saturating_sub(age)
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Time {
        Time::ZERO + self.origin.elapsed()
    }

    /// The moment at which the clock shows `time`; a century ahead for one that never comes.
    #[must_use]
    pub fn instant(&self, time: Time) -> Instant {
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        self.origin + time.since(Time::ZERO).min(CENTURY)
    }
}

/// What the system's monotonic clock shows, in nanoseconds. `Instant` reads the same one and does not say what it shows.
fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let whole = |part: i64| u64::try_from(part).expect("a monotonic clock shows no time before zero");
    whole(now.tv_sec) * 1_000_000_000 + whole(now.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_told_the_origin_of_another_shows_the_same() {
        let clock = Clock::start();
        let other = Clock::since(clock.origin());
        let (before, told, after) = (clock.now(), other.now(), clock.now());
        let slack = Duration::from_millis(1);
        assert!(
            told + slack >= before && told <= after + slack,
            "{before} {told} {after}"
        );
    }
}
