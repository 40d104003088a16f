//! How long a node waits for a body before it asks somebody else.

use std::time::Duration;

use base::Time;

use super::usual::Usual;
use crate::limits::{MAX_STALL_TIMEOUT, STALL_TIMEOUT};

/// The stall timeout: two seconds, or as long as bodies usually take here; it doubles with every peer that stalls, and halves with every body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// In nanoseconds: nodes at rest are many, and to be small.
    stall_ns: u64,
    usual: Usual,
}

impl Patience {
    /// Nothing has come yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            stall_ns: nanos(STALL_TIMEOUT),
            usual: Usual::new(),
        }
    }

    pub(super) const fn stall_timeout(&self) -> Duration {
        Duration::from_nanos(self.stall_ns)
    }

    /// When a peer stalls that has been silent since then.
    #[must_use]
    pub fn ends(&self, silent_since: Time) -> Time {
        Time::from_micros(silent_since.as_micros().saturating_add(self.stall_ns / 1_000))
    }

    /// A body came after such a silence.
    pub fn learn(&mut self, silence: Duration) {
        // However late an answer is, it says no more than a request that came to nothing: or one peer could make this node wait for all.
        self.usual.learn(silence.min(self.stall_timeout() * 2));
        let least = STALL_TIMEOUT.max(self.usual.at_most());
        self.stall_ns = (self.stall_ns / 2).max(nanos(least)).min(nanos(MAX_STALL_TIMEOUT));
    }

    /// A peer stalled.
    pub fn wear_out(&mut self) {
        self.stall_ns = (self.stall_ns * 2).min(nanos(MAX_STALL_TIMEOUT));
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::new()
    }
}

const fn nanos(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(duration.subsec_nanos() as u64)
}
