//! Which connections a node wants, and when it dials for them (again).
//!
//! libp2p redials nothing, so this does: at once when a link is wanted or mended, then after 50 ms, twice as long each time, up to 5 s, with
//! jitter so that a network that was cut does not dial in step. Many that are due are dialled one after the other, so that the first is connected
//! before the last. Pure: asked with the time.

use std::time::Duration;

use base::{NodeId, Rng, Time};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};

use crate::limits::{FIRST_REDIAL, FRESH_DIAL, LAST_REDIAL};
use crate::net::Trouble;

/// Someone to be connected to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Who; learnt from the first connection when only an address was given.
    pub(crate) peer: Option<NodeId>,
    /// The key it must have, when that is known.
    pub(crate) peer_id: Option<PeerId>,
    /// Where.
    pub(crate) address: Multiaddr,
}

impl Target {
    /// The address with the key at its end, when that is known.
    fn whole_address(&self) -> Multiaddr {
        let address = self.address.clone();
        match self.peer_id {
            Some(key) => address.with(Protocol::P2p(key)),
            None => address,
        }
    }
}

#[derive(Debug)]
struct Entry {
    target: Target,
    state: State,
    /// Dials and short connections in a row that came to nothing.
    failures: u32,
    /// Why it is not connected, as far as it was told.
    told: Option<Trouble>,
    /// Not dialled while severed.
    is_held: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Waiting(Time),
    /// Since then.
    Dialing(ConnectionId, Time),
    /// Connected, whoever dialled, since then.
    Up(Time),
}

/// All of a node's targets. As many as the operator, or the plan, named.
#[derive(Debug)]
pub(crate) struct Dialer {
    entries: Vec<Entry>,
    rng: Rng,
}

impl Dialer {
    pub(crate) const fn new(rng: Rng) -> Self {
        Self {
            entries: Vec::new(),
            rng,
        }
    }

    /// Wants a connection from now on. A target that is known already may have moved to another address: it is dialled at once.
    pub(crate) fn want(&mut self, target: Target, now: Time) {
        let known = target.peer.and_then(|peer| self.of(peer));
        let Some(entry) = known else {
            self.entries.push(Entry {
                target,
                state: State::Waiting(now),
                failures: 0,
                told: None,
                is_held: false,
            });
            return;
        };
        entry.target = target;
        entry.failures = 0;
        if let State::Waiting(_) = entry.state {
            entry.state = State::Waiting(now);
        }
    }

    /// Wants no connection any more.
    pub(crate) fn forget(&mut self, peer: NodeId) {
        self.entries.retain(|entry| entry.target.peer != Some(peer));
    }

    /// Wants no connection to whoever is at this address any more. Whether one was wanted.
    pub(crate) fn forget_address(&mut self, address: &Multiaddr) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.target.address != *address);
        self.entries.len() < before
    }

    /// Whether a connection to whoever is at this address is wanted.
    pub(crate) fn wants_address(&self, address: &Multiaddr) -> bool {
        self.entries.iter().any(|entry| entry.target.address == *address)
    }

    /// How many connections are wanted.
    pub(crate) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Dials everybody who is wanted and not connected, at once.
    pub(crate) fn dial_all(&mut self, now: Time) {
        for entry in &mut self.entries {
            if let State::Waiting(_) = entry.state {
                entry.state = State::Waiting(now);
                entry.failures = 0;
            }
        }
    }

    /// Dials no more until [`Dialer::release`].
    pub(crate) fn hold(&mut self, peer: NodeId) {
        if let Some(entry) = self.of(peer) {
            entry.is_held = true;
        }
    }

    /// Dials again, at once.
    pub(crate) fn release(&mut self, peer: NodeId, now: Time) {
        if let Some(entry) = self.of(peer) {
            entry.is_held = false;
            entry.failures = 0;
            if let State::Waiting(_) = entry.state {
                entry.state = State::Waiting(now);
            }
        }
    }

    /// The target that is due, and its place; [`Dialer::dialing`] or [`Dialer::refused`] must follow.
    pub(crate) fn due(&self, now: Time) -> Option<(usize, Target)> {
        let is_due = |entry: &Entry| !entry.is_held && matches!(entry.state, State::Waiting(at) if at <= now);
        let place = self.entries.iter().position(is_due)?;
        let is_next = self.fresh_until(now).is_none();
        is_next.then(|| (place, self.entries[place].target.clone()))
    }

    /// Until when the last dial is fresh, if it is: others wait for it so long and no longer, as some never come to an end.
    pub(crate) fn fresh_until(&self, now: Time) -> Option<Time> {
        let until = |entry: &Entry| match entry.state {
            State::Dialing(_, since) => Some(since + FRESH_DIAL),
            State::Waiting(_) | State::Up(_) => None,
        };
        self.entries.iter().filter_map(until).max().filter(|until| *until > now)
    }

    /// The target at this place is being dialled.
    pub(crate) fn dialing(&mut self, place: usize, connection: ConnectionId, now: Time) {
        self.entries[place].state = State::Dialing(connection, now);
    }

    /// The target at this place could not even be dialled.
    pub(crate) fn refused(&mut self, place: usize, now: Time) {
        let failures = self.entries[place].failures;
        let wait = self.wait(failures);
        let entry = &mut self.entries[place];
        entry.failures += 1;
        entry.state = State::Waiting(now + wait);
    }

    /// When something is next due, or the last dial no longer fresh.
    pub(crate) fn deadline(&self, now: Time) -> Option<Time> {
        let due = |entry: &Entry| match entry.state {
            State::Waiting(at) if !entry.is_held => Some(at),
            State::Waiting(_) | State::Dialing(..) | State::Up(_) => None,
        };
        let next = || self.entries.iter().filter_map(due).min();
        self.fresh_until(now).or_else(next)
    }

    /// A peer is connected, by this connection.
    pub(crate) fn opened(&mut self, peer: NodeId, connection: ConnectionId, now: Time) {
        for entry in &mut self.entries {
            if matches!(entry.state, State::Dialing(dialled, _) if dialled == connection) {
                entry.target.peer = Some(peer);
            }
            if entry.target.peer == Some(peer) && !matches!(entry.state, State::Up(_)) {
                entry.state = State::Up(now);
                entry.told = None;
            }
        }
    }

    /// A peer is not connected any more.
    pub(crate) fn lost(&mut self, peer: NodeId, now: Time) {
        for place in 0..self.entries.len() {
            let entry = &mut self.entries[place];
            if let State::Up(since) = entry.state
                && entry.target.peer == Some(peer)
            {
                // A connection that lasted shows that all is well; one that did not is as good as a failed dial.
                if now.since(since) >= LAST_REDIAL {
                    entry.failures = 0;
                }
                self.refused(place, now);
            }
        }
    }

    /// Notes why a dial comes to nothing; gives what was dialled when that is news.
    pub(crate) fn blame(&mut self, connection: ConnectionId, trouble: &Trouble) -> Option<Multiaddr> {
        let place = self.dialed_by(connection)?;
        self.blame_at(place, trouble)
    }

    /// Notes why the target at this place cannot be dialled; gives it when that is news.
    pub(crate) fn blame_at(&mut self, place: usize, trouble: &Trouble) -> Option<Multiaddr> {
        let entry = &mut self.entries[place];
        let is_news = trouble.is_news_after(entry.told.as_ref());
        is_news.then(|| {
            entry.told = Some(trouble.clone());
            entry.target.whole_address()
        })
    }

    /// A dial came to nothing, or its connection closed before it was of use.
    pub(crate) fn failed(&mut self, connection: ConnectionId, now: Time) {
        if let Some(place) = self.dialed_by(connection) {
            self.refused(place, now);
        }
    }

    /// Whoever was dialled with this connection is never to be dialled again; gives where that was.
    pub(crate) fn give_up(&mut self, connection: ConnectionId) -> Option<Multiaddr> {
        let place = self.dialed_by(connection)?;
        Some(self.entries.remove(place).target.whole_address())
    }

    fn dialed_by(&self, connection: ConnectionId) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| matches!(entry.state, State::Dialing(dialled, _) if dialled == connection))
    }

    fn of(&mut self, peer: NodeId) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.target.peer == Some(peer))
    }

    /// Between three quarters and five quarters of the back-off.
    fn wait(&mut self, failures: u32) -> Duration {
        let doubled = 2_u32
            .checked_pow(failures)
            .map(|factor| FIRST_REDIAL.saturating_mul(factor));
        let wait = doubled.unwrap_or(LAST_REDIAL).min(LAST_REDIAL);
        let micros = u64::try_from(wait.as_micros()).expect("a few seconds");
        Duration::from_micros(micros * 3 / 4 + self.rng.below(micros / 2 + 1))
    }
}

#[cfg(test)]
mod tests {
    use base::Seed;

    use super::*;

    fn dialer() -> Dialer {
        Dialer::new(Seed::from_number(1).rng())
    }

    fn target(peer: u32) -> Target {
        Target {
            peer: Some(NodeId(peer)),
            peer_id: None,
            address: "/ip4/127.0.0.1/tcp/1".parse().unwrap(),
        }
    }

    fn connection(number: usize) -> ConnectionId {
        ConnectionId::new_unchecked(number)
    }

    fn dial(dialer: &mut Dialer, number: usize, now: Time) {
        let (place, _) = dialer.due(now).expect("one is due");
        dialer.dialing(place, connection(number), now);
        assert_eq!(dialer.deadline(now), Some(now + FRESH_DIAL));
    }

    #[test]
    fn a_wanted_peer_is_dialled_at_once_and_then_ever_more_rarely() {
        let mut dialer = dialer();
        let mut now = Time::from_secs(1);
        dialer.want(target(1), now);
        let mut waits = Vec::new();
        for number in 0..12 {
            dial(&mut dialer, number, now);
            dialer.failed(connection(number), now);
            let next = dialer.deadline(Time::ZERO).unwrap();
            waits.push(next - now);
            now = next;
        }
        for (place, wait) in waits.iter().enumerate() {
            let full = (FIRST_REDIAL * 2_u32.pow(u32::try_from(place).unwrap())).min(LAST_REDIAL);
            assert!(*wait >= full * 3 / 4 && *wait <= full * 5 / 4, "wait {place}: {wait:?}");
        }
        assert!(waits[11] > Duration::from_secs(3));
    }

    #[test]
    fn one_is_dialled_after_the_other_and_a_dial_that_takes_long_keeps_nobody_waiting() {
        let mut dialer = dialer();
        let now = Time::from_secs(1);
        for peer in 1..=3 {
            dialer.want(target(peer), now);
        }
        assert_eq!(dialer.deadline(now), Some(now));
        dial(&mut dialer, 1, now);
        assert!(dialer.due(now).is_none());
        // It is connected.
        dialer.opened(NodeId(1), connection(1), now);
        assert_eq!(dialer.deadline(now), Some(now));
        dial(&mut dialer, 2, now);
        // It takes long.
        let late = now + FRESH_DIAL;
        assert!(dialer.fresh_until(late).is_none());
        dial(&mut dialer, 3, late);
    }

    #[test]
    fn a_connection_that_lasted_starts_the_back_off_anew() {
        let mut dialer = dialer();
        dialer.want(target(1), Time::ZERO);
        for number in 0..6 {
            let now = dialer.deadline(Time::ZERO).unwrap();
            dial(&mut dialer, number, now);
            dialer.failed(connection(number), now);
        }
        let now = dialer.deadline(Time::ZERO).unwrap();
        dialer.opened(NodeId(1), connection(99), now);
        assert_eq!(dialer.deadline(Time::ZERO), None);
        let later = now + Duration::from_secs(60);
        dialer.lost(NodeId(1), later);
        assert!(dialer.deadline(Time::ZERO).unwrap() - later <= FIRST_REDIAL * 5 / 4);
    }

    #[test]
    fn short_connections_count_as_failures() {
        let mut dialer = dialer();
        dialer.want(target(1), Time::ZERO);
        let mut now = Time::ZERO;
        for number in 0..8 {
            dial(&mut dialer, number, now);
            dialer.opened(NodeId(1), connection(number), now);
            dialer.lost(NodeId(1), now);
            now = dialer.deadline(Time::ZERO).unwrap();
        }
        assert!(now > Time::from_secs(5), "{now}");
    }

    #[test]
    fn a_held_peer_is_not_dialled_until_released() {
        let mut dialer = dialer();
        dialer.want(target(1), Time::ZERO);
        dialer.hold(NodeId(1));
        assert_eq!(dialer.deadline(Time::ZERO), None);
        assert!(dialer.due(Time::from_secs(9)).is_none());
        dialer.release(NodeId(1), Time::from_secs(9));
        assert_eq!(dialer.deadline(Time::ZERO), Some(Time::from_secs(9)));
    }

    #[test]
    fn a_peer_that_moved_is_dialled_at_once() {
        let mut dialer = dialer();
        dialer.want(target(1), Time::ZERO);
        dial(&mut dialer, 0, Time::ZERO);
        dialer.failed(connection(0), Time::ZERO);
        let moved = Target {
            address: "/ip4/127.0.0.1/tcp/2".parse().unwrap(),
            ..target(1)
        };
        dialer.want(moved.clone(), Time::ZERO);
        let due = dialer.due(Time::ZERO).map(|(_, target)| target.address);
        assert_eq!(due, Some(moved.address));
    }

    #[test]
    fn a_nameless_target_learns_who_answers() {
        let mut dialer = dialer();
        dialer.want(
            Target {
                peer: None,
                ..target(0)
            },
            Time::ZERO,
        );
        dial(&mut dialer, 3, Time::ZERO);
        dialer.opened(NodeId(5), connection(3), Time::ZERO);
        dialer.lost(NodeId(5), Time::ZERO);
        assert!(dialer.deadline(Time::ZERO).is_some());
        dialer.forget(NodeId(5));
        assert_eq!(dialer.deadline(Time::ZERO), None);
    }

    #[test]
    fn nobody_dials_himself_twice() {
        let mut dialer = dialer();
        dialer.want(target(1), Time::ZERO);
        dial(&mut dialer, 0, Time::ZERO);
        assert!(dialer.give_up(connection(0)).is_some());
        dialer.failed(connection(0), Time::ZERO);
        assert_eq!(dialer.deadline(Time::ZERO), None);
    }
}
