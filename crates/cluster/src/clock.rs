//! The time since the run began.

use std::time::Duration;

use base::Time;
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
