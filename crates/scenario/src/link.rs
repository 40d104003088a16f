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

/// One direction of one link, and where its queue stands.
#[derive(Clone, Debug)]
pub struct Link {
    conditions: Conditions,
    /// When the last byte accepted so far has left the sender.
    busy_until: Time,
    /// When the last message accepted so far arrives: nothing overtakes it.
    last_arrival: Time,
    rng: Rng,
}

impl Link {
    /// An idle link. `seed` is its own: jitter on one link moves no other.
    #[must_use]
    pub fn new(conditions: Conditions, seed: &Seed) -> Self {
        Self {
            conditions,
            busy_until: Time::ZERO,
            last_arrival: Time::ZERO,
            rng: seed.rng(),
        }
    }

    /// Changes what the link is like, for messages sent from now on.
    pub fn set(&mut self, conditions: Conditions) {
        self.conditions = conditions;
    }

    /// What it is like.
    #[must_use]
    pub const fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// When a message of this many bytes, sent now, arrives in full; `None` when it never does.
    pub fn send(&mut self, now: Time, bytes: u64) -> Option<Time> {
        if self.conditions.cut {
            return None;
        }
        let start = self.busy_until.max(now);
        self.busy_until = start
            + self
                .conditions
                .bandwidth
                .map_or(Duration::ZERO, |bandwidth| transmission(bytes, bandwidth));
        let arrival = self.busy_until + self.delay();
        self.last_arrival = self.last_arrival.max(arrival);
        Some(self.last_arrival)
    }

    /// The latency, jittered to the microsecond.
    fn delay(&mut self) -> Duration {
        let Conditions { latency, jitter, .. } = self.conditions;
        if jitter.is_zero() {
            return latency;
        }
        let jitter = u64::try_from(jitter.as_micros()).unwrap_or(u64::MAX / 4);
        let above = self.rng.below(2 * jitter + 1);
        (latency + Duration::from_micros(above)).saturating_sub(Duration::from_micros(jitter))
    }
}

/// How long so many bytes take at so many bits per second, to the microsecond.
pub(crate) fn transmission(bytes: u64, bandwidth: u64) -> Duration {
    let micros = (u128::from(bytes) * 8 * 1_000_000).div_ceil(u128::from(bandwidth.max(1)));
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(conditions: Conditions) -> Link {
        Link::new(conditions, &Seed::from_number(1))
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
        link.set(Conditions::default());
        assert_eq!(link.send(Time::ZERO, 1), Some(Time::ZERO));
    }
}
