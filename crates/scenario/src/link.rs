//! One model of a link for both engines: when does a message arrive that is sent now?
//!
//! Sans-IO: the simulator asks it and puts the arrival on its heap; the cluster asks the same code how long to hold a message back before
//! it goes to the real stream. Transports are reliable and ordered, so messages wait, but are neither reordered nor torn.

use std::time::Duration;

use base::{Rng, Seed, Time};
use serde::{Deserialize, Serialize};

/// What one direction of a link is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Conditions {
    /// One-way delay.
    pub latency: Duration,
    /// The most by which a message's delay is above or below the latency; each amount equally likely.
    pub jitter: Duration,
    /// Bits per second; bytes wait their turn. `None` is unlimited.
    pub bandwidth: Option<u64>,
    /// Whether nothing gets through: a one-way cut. The sender is not told.
    pub cut: bool,
}

/// One direction of one link, and where its queue stands. Small: a simulated network may have millions.
#[derive(Clone, Debug)]
pub struct Link {
    /// When the last byte accepted so far has left the sender.
    busy_until: Time,
    /// When the last message accepted so far arrives: nothing overtakes it.
    last_arrival: Time,
    latency_us: u64,
    /// What only some links have, and what was made for it stays.
    limits: Option<Box<Limits>>,
}

/// What holds messages up besides the latency.
#[derive(Clone, Debug)]
struct Limits {
    /// Bits per second; [`u64::MAX`] is unlimited.
    bandwidth: u64,
    cut: bool,
    /// The most by which messages come sooner or later.
    jitter_us: u64,
    /// Made when the link first has jitter.
    rng: Option<Rng>,
}

impl Link {
    /// An idle link. The seed is its own, and asked for when there is jitter: that on one link moves no other.
    #[must_use]
    pub fn new(conditions: Conditions, seed: impl FnOnce() -> Seed) -> Self {
        let mut link = Self {
            busy_until: Time::ZERO,
            last_arrival: Time::ZERO,
            latency_us: 0,
            limits: None,
        };
        link.set(conditions, seed);
        link
    }

    /// Changes what the link is like, for messages sent from now on. The seed is as in [`Link::new`].
    pub fn set(&mut self, conditions: Conditions, seed: impl FnOnce() -> Seed) {
        let Conditions {
            latency,
            jitter,
            bandwidth,
            cut,
        } = conditions;
        self.latency_us = micros(latency);
        if self.limits.is_none() && jitter.is_zero() && bandwidth.is_none() && !cut {
            return;
        }
        let rng = self.limits.take().and_then(|limits| limits.rng);
        let jitter_us = micros(jitter);
        self.limits = Some(Box::new(Limits {
            bandwidth: bandwidth.unwrap_or(u64::MAX),
            cut,
            jitter_us,
            rng: rng.or_else(|| (jitter_us > 0).then(|| seed().rng())),
        }));
    }

    /// Its one-way delay, jitter aside.
    #[must_use]
    pub const fn latency(&self) -> Duration {
        Duration::from_micros(self.latency_us)
    }

    /// Whether nothing gets through.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.limits.as_ref().is_some_and(|limits| limits.cut)
    }

    /// Whether it has a latency and nothing else.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.limits.is_none()
    }

    /// When the last message accepted so far arrives.
    #[must_use]
    pub const fn last_arrival(&self) -> Time {
        self.last_arrival
    }

    /// Something was sent without the link's knowledge, which has a latency and nothing else, and arrives then: nothing overtakes it.
    pub fn follow(&mut self, arrival: Time) {
        let left = Time::from_micros(arrival.as_micros().saturating_sub(self.latency_us));
        self.busy_until = self.busy_until.max(left);
        self.last_arrival = self.last_arrival.max(arrival);
    }

    /// When a message of this many bytes, sent now, arrives in full; `None` when it never does.
    pub fn send(&mut self, now: Time, bytes: u64) -> Option<Time> {
        let mut begins = self.busy_until.max(now);
        let mut delay_us = self.latency_us;
        if let Some(limits) = &mut self.limits {
            if limits.cut {
                return None;
            }
            begins += transmission(bytes, limits.bandwidth);
            delay_us = limits.delay_us(delay_us);
        }
        self.busy_until = begins;
        let arrival = Time::from_micros(begins.as_micros().saturating_add(delay_us));
        self.last_arrival = self.last_arrival.max(arrival);
        Some(self.last_arrival)
    }
}

impl Limits {
    /// The latency, jittered to the microsecond.
    fn delay_us(&mut self, latency_us: u64) -> u64 {
        let most = self.jitter_us;
        match &mut self.rng {
            Some(rng) if most > 0 => (latency_us + rng.below(2 * most + 1)).saturating_sub(most),
            Some(_) | None => latency_us,
        }
    }
}

/// In microseconds; far below the greatest time, so that two of them can be added.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).map_or(u64::MAX / 4, |micros| micros.min(u64::MAX / 4))
}

/// How long so many bytes take at so many bits per second ([`u64::MAX`] is unlimited), to the microsecond.
pub(crate) fn transmission(bytes: u64, bandwidth: u64) -> Duration {
    if bandwidth == u64::MAX {
        return Duration::ZERO;
    }
    let micros = (u128::from(bytes) * 8 * 1_000_000).div_ceil(u128::from(bandwidth.max(1)));
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(conditions: Conditions) -> Link {
        Link::new(conditions, || Seed::from_number(1))
    }

    #[test]
    fn an_ideal_link_delivers_at_once() {
        assert_eq!(
            link(Conditions::default()).send(Time::from_secs(3), 1_000_000),
            Some(Time::from_secs(3))
        );
    }

    #[test]
    fn bytes_wait_their_turn() {
        let mut link = link(Conditions {
            latency: Duration::from_millis(50),
            bandwidth: Some(8_000_000),
            ..Conditions::default()
        });
        assert_eq!(link.send(Time::ZERO, 100_000), Some(Time::from_millis(150)));
        assert_eq!(link.send(Time::ZERO, 100_000), Some(Time::from_millis(250)));
        assert_eq!(link.send(Time::from_secs(1), 0), Some(Time::from_millis(1_050)));
    }

    #[test]
    fn jitter_stays_within_its_bounds_and_reorders_nothing() {
        let mut link = link(Conditions {
            latency: Duration::from_millis(50),
            jitter: Duration::from_millis(10),
            ..Conditions::default()
        });
        let mut last = Time::ZERO;
        let mut spread = (Duration::MAX, Duration::ZERO);
        for tenth in 0..1_000 {
            let now = Time::from_millis(tenth * 100);
            let arrival = link.send(now, 100).expect("not cut");
            assert!(arrival >= last);
            last = arrival;
            spread = (spread.0.min(arrival - now), spread.1.max(arrival - now));
        }
        assert!(
            spread.0 >= Duration::from_millis(40) && spread.0 < Duration::from_millis(42),
            "{spread:?}"
        );
        assert!(
            spread.1 <= Duration::from_millis(60) && spread.1 > Duration::from_millis(58),
            "{spread:?}"
        );
    }

    #[test]
    fn a_burst_on_a_jittery_link_keeps_its_order() {
        let mut link = link(Conditions {
            jitter: Duration::from_millis(10),
            ..Conditions::default()
        });
        let arrivals: Vec<_> = (0..100).map(|_| link.send(Time::from_secs(1), 10)).collect();
        assert!(arrivals.is_sorted());
    }

    #[test]
    fn a_cut_link_delivers_nothing_until_it_is_mended() {
        let mut link = link(Conditions {
            cut: true,
            ..Conditions::default()
        });
        assert_eq!(link.send(Time::ZERO, 1), None);
        link.set(Conditions::default(), || {
            unreachable!("nothing is drawn without jitter")
        });
        assert_eq!(link.send(Time::ZERO, 1), Some(Time::ZERO));
    }
}
