//! Who announced which transaction, who was asked for it, and who is asked next (Bitcoin Core's `txrequest`).

use std::collections::{BTreeMap, BTreeSet};

use base::{NodeId, Time};
use chain::Wtxid;

use crate::limits::{
    INBOUND_DELAY, MAX_ANNOUNCED, MAX_ANNOUNCED_IN_ALL, MAX_TRANSACTIONS_IN_FLIGHT, OVERLOADED_DELAY,
    TRANSACTION_TIMEOUT,
};

/// One node's requests for transactions.
///
/// A transaction is asked of one announcer at a time: an outbound peer before an inbound one, then in the order of announcement; the next when
/// the answer is late, "not found", or the peer is gone. So a peer that announces first and never sends delays a transaction, but cannot censor it.
#[derive(Clone, Debug, Default)]
pub struct TransactionFetch {
    transactions: BTreeMap<Wtxid, Announced>,
    /// Transactions that nobody is asked for, by when their first announcer may be.
    waiting: BTreeSet<(Time, Wtxid)>,
    /// Requests by when they are late.
    in_flight: BTreeSet<(Time, Wtxid)>,
    /// Whose announcements count, in order.
    known: Vec<NodeId>,
    /// Those of them that have announced anything.
    peers: BTreeMap<NodeId, Peer>,
    next_place: u64,
}

#[derive(Clone, Debug, Default)]
struct Announced {
    announcers: BTreeMap<NodeId, Announcement>,
    state: State,
}

/// Where a transaction is filed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    /// Nowhere: it was just announced, or has nobody left who could be asked.
    #[default]
    Idle,
    /// In `waiting`.
    Waiting { until: Time },
    /// In `in_flight`.
    Asked { of: NodeId, until: Time },
}

#[derive(Clone, Copy, Debug)]
struct Announcement {
    inbound: bool,
    place: u64,
    not_before: Time,
}

/// What is kept about one peer: at most [`MAX_ANNOUNCED`] names over all three sets, each name in at most one.
#[derive(Clone, Debug, Default)]
struct Peer {
    /// It announced these and was not asked yet.
    announced: BTreeSet<Wtxid>,
    /// Asked of it and waited for.
    in_flight: BTreeSet<Wtxid>,
    /// Asked of it and no longer waited for; the answer may still come.
    given_up: BTreeSet<Wtxid>,
}

impl Peer {
    fn names(&self) -> usize {
        self.announced.len() + self.in_flight.len() + self.given_up.len()
    }

    fn knows_of(&self, wtxid: &Wtxid) -> bool {
        self.announced.contains(wtxid) || self.in_flight.contains(wtxid) || self.given_up.contains(wtxid)
    }
}

impl TransactionFetch {
    /// Nothing was announced, nobody is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A peer whose announcements count.
    pub fn add_peer(&mut self, peer: NodeId) {
        if let Err(at) = self.known.binary_search(&peer) {
            self.known.insert(at, peer);
        }
    }

    /// The peer is gone: what was asked of it is asked of the next announcer, and nothing of it remains.
    pub fn remove_peer(&mut self, peer: NodeId) {
        if let Ok(at) = self.known.binary_search(&peer) {
            self.known.remove(at);
        }
        let Some(gone) = self.peers.remove(&peer) else {
            return;
        };
        for wtxid in gone.announced.iter().chain(&gone.in_flight) {
            self.revise(wtxid, |transaction| transaction.drop_peer(peer));
        }
    }

    /// The peer has a transaction that this node lacks. Ignored from a peer that is not known, has no room left, or was asked for it before
    /// and has not answered; whether it counts.
    pub fn announced(&mut self, peer: NodeId, wtxid: Wtxid, outbound: bool, now: Time) -> bool {
        let share = MAX_ANNOUNCED.min(MAX_ANNOUNCED_IN_ALL / self.known.len().max(1));
        if self.known.binary_search(&peer).is_err() {
            return false;
        }
        let announcer = self.peers.entry(peer).or_default();
        if announcer.knows_of(&wtxid) || announcer.names() >= share {
            return false;
        }
        announcer.announced.insert(wtxid);
        let announcement = Announcement {
            inbound: !outbound,
            place: self.next_place,
            not_before: if outbound { now } else { now + INBOUND_DELAY },
        };
        self.next_place += 1;
        self.transactions.entry(wtxid).or_default();
        self.revise(&wtxid, |transaction| {
            transaction.announcers.insert(peer, announcement);
        });
        true
    }

    /// A transaction came from this peer; whether it was asked of this peer. What was asked of others stays asked.
    ///
    /// Other announcers are asked next, unless the transaction is settled by [`TransactionFetch::forget`].
    pub fn received(&mut self, peer: NodeId, wtxid: &Wtxid) -> bool {
        self.answered(peer, wtxid)
    }

    /// The peer says that it does not have the transaction; whether it was asked.
    pub fn not_found(&mut self, peer: NodeId, wtxid: &Wtxid) -> bool {
        self.answered(peer, wtxid)
    }

    /// The transaction is settled: here, or refused for good. Whoever was asked for it still may answer.
    pub fn forget(&mut self, wtxid: &Wtxid) {
        let Some(transaction) = self.transactions.remove(wtxid) else {
            return;
        };
        self.unfile(wtxid, transaction.state);
        for peer in transaction.announcers.keys() {
            self.peer_mut(*peer).announced.remove(wtxid);
        }
        if let State::Asked { of, .. } = transaction.state {
            self.give_up(of, wtxid);
        }
    }

    /// Adds the requests that are now due, at most [`MAX_TRANSACTIONS_IN_FLIGHT`] waited for from one peer.
    pub fn requests(&mut self, now: Time, out: &mut Vec<(NodeId, Vec<Wtxid>)>) {
        if self.waiting.is_empty() {
            return;
        }
        let mut requests: BTreeMap<NodeId, Vec<Wtxid>> = BTreeMap::new();
        while let Some(&(due, wtxid)) = self.waiting.first() {
            if due > now {
                break;
            }
            if let Some(peer) = self.ask_best(&wtxid, now) {
                requests.entry(peer).or_default().push(wtxid);
            }
        }
        out.extend(requests);
    }

    /// The requests that are late: no longer waited for, the next announcer's turn.
    pub fn overdue(&mut self, now: Time) -> Vec<(NodeId, Wtxid)> {
        let mut overdue = Vec::new();
        while let Some(&(until, wtxid)) = self.in_flight.first() {
            if until > now {
                break;
            }
            let State::Asked { of, .. } = self.transactions[&wtxid].state else {
                unreachable!("what is filed as in flight is asked of somebody");
            };
            self.give_up(of, &wtxid);
            self.revise(&wtxid, |transaction| transaction.drop_peer(of));
            overdue.push((of, wtxid));
        }
        overdue
    }

    /// When [`TransactionFetch::requests`] or [`TransactionFetch::overdue`] next has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let next = |set: &BTreeSet<(Time, Wtxid)>| set.first().map(|&(time, _)| time);
        next(&self.waiting).into_iter().chain(next(&self.in_flight)).min()
    }

    /// How many transactions are waited for from this peer.
    #[must_use]
    pub fn in_flight(&self, peer: NodeId) -> usize {
        self.peers.get(&peer).map_or(0, |peer| peer.in_flight.len())
    }

    /// Whether no transaction is known that could be asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }

    /// Whether nothing is kept about this peer.
    #[must_use]
    pub fn is_empty_of(&self, peer: NodeId) -> bool {
        let names = |transaction: &Announced| {
            transaction.asked_of() == Some(peer) || transaction.announcers.contains_key(&peer)
        };
        self.known.binary_search(&peer).is_err() && !self.transactions.values().any(names)
    }

    /// Asks the best announcer that has room; when none has, all whose turn it was wait a while.
    fn ask_best(&mut self, wtxid: &Wtxid, now: Time) -> Option<NodeId> {
        let announcers = &self.transactions[wtxid].announcers;
        let best = announcers
            .iter()
            .filter(|(_, announcement)| announcement.not_before <= now)
            .filter(|(id, _)| self.in_flight(**id) < MAX_TRANSACTIONS_IN_FLIGHT)
            .min_by_key(|(_, announcement)| (announcement.inbound, announcement.place));
        let Some(peer) = best.map(|(id, _)| *id) else {
            self.revise(wtxid, |transaction| transaction.postpone(now));
            return None;
        };
        let asked = self.peer_mut(peer);
        asked.announced.remove(wtxid);
        asked.in_flight.insert(*wtxid);
        self.revise(wtxid, |transaction| {
            transaction.announcers.remove(&peer);
            transaction.state = State::Asked {
                of: peer,
                until: now + TRANSACTION_TIMEOUT,
            };
        });
        Some(peer)
    }

    /// The peer owes this answer no longer; whether it did.
    fn answered(&mut self, peer: NodeId, wtxid: &Wtxid) -> bool {
        let Some(answering) = self.peers.get_mut(&peer) else {
            return false;
        };
        answering.announced.remove(wtxid);
        let was_asked = answering.in_flight.remove(wtxid) || answering.given_up.remove(wtxid);
        self.revise(wtxid, |transaction| transaction.drop_peer(peer));
        was_asked
    }

    fn give_up(&mut self, peer: NodeId, wtxid: &Wtxid) {
        let peer = self.peer_mut(peer);
        peer.in_flight.remove(wtxid);
        peer.given_up.insert(*wtxid);
    }

    fn peer_mut(&mut self, peer: NodeId) -> &mut Peer {
        self.peers
            .get_mut(&peer)
            .expect("announcers are peers, and peers that leave announce nothing")
    }

    /// Changes what is known of a transaction, files it anew, and drops it when nobody is left to ask.
    fn revise(&mut self, wtxid: &Wtxid, change: impl FnOnce(&mut Announced)) {
        let Some(transaction) = self.transactions.get_mut(wtxid) else {
            return;
        };
        let before = transaction.state;
        change(transaction);
        if transaction.asked_of().is_none() {
            transaction.state = transaction
                .next_turn()
                .map_or(State::Idle, |until| State::Waiting { until });
        }
        let after = transaction.state;
        self.unfile(wtxid, before);
        match after {
            State::Idle => {
                self.transactions.remove(wtxid);
            }
            State::Waiting { until } => {
                self.waiting.insert((until, *wtxid));
            }
            State::Asked { until, .. } => {
                self.in_flight.insert((until, *wtxid));
            }
        }
    }

    fn unfile(&mut self, wtxid: &Wtxid, state: State) {
        match state {
            State::Idle => {}
            State::Waiting { until } => {
                self.waiting.remove(&(until, *wtxid));
            }
            State::Asked { until, .. } => {
                self.in_flight.remove(&(until, *wtxid));
            }
        }
    }
}

impl Announced {
    const fn asked_of(&self) -> Option<NodeId> {
        match self.state {
            State::Asked { of, .. } => Some(of),
            State::Idle | State::Waiting { .. } => None,
        }
    }

    /// When the first announcer may be asked.
    fn next_turn(&self) -> Option<Time> {
        self.announcers
            .values()
            .map(|announcement| announcement.not_before)
            .min()
    }

    fn drop_peer(&mut self, peer: NodeId) {
        self.announcers.remove(&peer);
        if self.asked_of() == Some(peer) {
            self.state = State::Idle;
        }
    }

    /// Everybody whose turn it was waits.
    fn postpone(&mut self, now: Time) {
        for announcement in self.announcers.values_mut() {
            if announcement.not_before <= now {
                announcement.not_before = now + OVERLOADED_DELAY;
            }
        }
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
