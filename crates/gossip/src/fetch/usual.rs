//! How long peers are usually silent before a body comes: on slow lines, and behind others in a queue, longer than on fast ones.

use std::time::Duration;

/// A smoothed silence and how far silences are from it, as TCP keeps them of round trips (RFC 6298).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Usual {
    /// Nobody waits for an hour.
    smoothed_us: u32,
    deviation_us: u32,
}

impl Usual {
    /// Nothing has come yet.
    pub(super) const fn new() -> Self {
        Self {
            smoothed_us: 0,
            deviation_us: 0,
        }
    }

    /// A body came after a silence.
    pub(super) fn learn(&mut self, silence: Duration) {
        let silence = u32::try_from(silence.as_micros()).unwrap_or(u32::MAX / 8);
        if self.smoothed_us == 0 {
            self.smoothed_us = silence;
            self.deviation_us = silence / 2;
            return;
        }
        let off = silence.abs_diff(self.smoothed_us);
        self.deviation_us = self.deviation_us - self.deviation_us / 4 + off / 4;
        self.smoothed_us = self.smoothed_us - self.smoothed_us / 8 + silence / 8;
    }

    /// Hardly any body takes longer.
    pub(super) const fn at_most(&self) -> Duration {
        Duration::from_micros(self.smoothed_us as u64 + 4 * self.deviation_us as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: impl IntoIterator<Item = u64>) -> Duration {
        let mut usual = Usual::new();
        for silence in seconds {
            usual.learn(Duration::from_secs(silence));
        }
        usual.at_most()
    }

    #[test]
    fn what_is_usual_follows_what_comes() {
        assert_eq!(after([]), Duration::ZERO);
        assert_eq!(after([2]), Duration::from_secs(6));
        let steady = after([2; 50]);
        assert!(
            steady >= Duration::from_secs(2) && steady < Duration::from_millis(2_100),
            "{steady:?}"
        );
        let mixed = after([1, 9].into_iter().cycle().take(50));
        assert!(mixed > Duration::from_secs(9), "{mixed:?}");
    }

    #[test]
    fn one_late_body_is_soon_forgotten() {
        let usual = after([1; 20].into_iter().chain([8]).chain([1; 20]));
        assert!(usual < Duration::from_secs(2), "{usual:?}");
    }
}
