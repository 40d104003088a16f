//! How fast the virtual time of a simulation passes that somebody looks at.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base::Time;

use crate::limits::{SPEEDS, TEMPO_SLICE};

/// A tempo, shared by the view, which sets it, and the simulation, which keeps it.
#[derive(Debug)]
pub struct Tempo {
    /// In thousandths of real time.
    speed: AtomicU64,
    rests: AtomicBool,
    /// Whether nobody looks any more: time passes as fast as it can.
    free: AtomicBool,
    began: Instant,
    /// Real microseconds from there to when the simulation last asked. Nobody else looks at this and the next.
    asked: AtomicU64,
    /// How far virtual time had come then, in microseconds.
    reached: AtomicU64,
}

impl Tempo {
    /// So many thousandths of real time.
    #[must_use]
    pub fn new(speed: u64) -> Self {
        Self {
            speed: AtomicU64::new(speed.clamp(SPEEDS.0, SPEEDS.1)),
            rests: AtomicBool::new(false),
            free: AtomicBool::new(false),
            began: Instant::now(),
            asked: AtomicU64::new(0),
            reached: AtomicU64::new(0),
        }
    }

    /// How far virtual time has come by now, from `now` on and at most to `next`. Waits a little when it has not come that far.
    #[expect(
        clippy::disallowed_methods,
        reason = "a tempo is nothing but waiting, and each wait is short"
    )]
    pub fn until(&self, now: Time, next: Time) -> Time {
        if self.free.load(Ordering::Relaxed) {
            return next;
        }
        let (reached, wait) = self.reached(now, next);
        if reached < next {
            std::thread::sleep(wait);
        }
        reached.min(next)
    }

    /// How far virtual time has come, perhaps a little beyond `next`, and how long to wait before it is asked again.
    fn reached(&self, now: Time, next: Time) -> (Time, Duration) {
        let speed = self.speed();
        let real = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let passed = Duration::from_micros(real.saturating_sub(self.asked.swap(real, Ordering::Relaxed)));
        if self.rests() {
            self.reached.store(now.as_micros(), Ordering::Relaxed);
            return (now, TEMPO_SLICE);
        }
        let before = self.reached.load(Ordering::Relaxed).max(now.as_micros());
        // A simulation that cannot keep up owes nothing.
        let most = next.as_micros().saturating_add(scaled(TEMPO_SLICE, speed));
        let reached = before.saturating_add(scaled(passed, speed)).min(most);
        self.reached.store(reached, Ordering::Relaxed);
        let missing = next.as_micros().saturating_sub(reached);
        let wait = Duration::from_micros(missing.saturating_mul(1_000) / speed);
        (Time::from_micros(reached), wait.min(TEMPO_SLICE))
    }

    /// In thousandths of real time.
    #[must_use]
    pub fn speed(&self) -> u64 {
        self.speed.load(Ordering::Relaxed)
    }

    /// Twice as fast, or half as fast.
    pub fn change_speed(&self, faster: bool) {
        let speed = self.speed();
        let speed = if faster { speed.saturating_mul(2) } else { speed / 2 };
        self.speed.store(speed.clamp(SPEEDS.0, SPEEDS.1), Ordering::Relaxed);
    }

    /// Whether time stands still.
    #[must_use]
    pub fn rests(&self) -> bool {
        self.rests.load(Ordering::Relaxed)
    }

    /// Stops time, or lets it go on.
    pub fn toggle(&self) {
        self.rests.fetch_xor(true, Ordering::Relaxed);
    }

    /// Nobody looks any more: time passes as fast as it can.
    pub fn set_free(&self) {
        self.free.store(true, Ordering::Relaxed);
    }
}

/// Virtual microseconds in a real time at a speed.
fn scaled(real: Duration, speed: u64) -> u64 {
    let micros = real.as_micros().saturating_mul(u128::from(speed)) / 1_000;
    u64::try_from(micros).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_comes_as_far_as_its_speed_and_never_beyond_what_is_next() {
        let tempo = Tempo::new(1_000);
        let (now, next) = (Time::ZERO, Time::from_micros(30_000));
        let began = Instant::now();
        let mut at = now;
        while at < next {
            let reached = tempo.until(at, next);
            assert!(reached >= at && reached <= next);
            at = reached;
        }
        assert!(began.elapsed() >= Duration::from_millis(25), "{:?}", began.elapsed());
    }

    #[test]
    fn time_that_rests_stands_still_until_it_is_let_go() {
        let tempo = Tempo::new(SPEEDS.1);
        tempo.toggle();
        let now = Time::from_secs(5);
        assert_eq!(tempo.until(now, Time::from_secs(6)), now);
        tempo.set_free();
        assert_eq!(tempo.until(now, Time::from_secs(6)), Time::from_secs(6));
    }
}
