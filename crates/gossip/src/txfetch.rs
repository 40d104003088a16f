//! Who announced which transaction, who was asked for it, and who is asked next (Bitcoin Core's `txrequest`).

mod in_hand;
mod queue;

use std::collections::BTreeSet;

use base::{NodeId, Time};
use chain::Wtxid;

pub use self::in_hand::Request;
use self::queue::Queue;
use crate::limits::{
    INBOUND_DELAY, MAX_ANNOUNCED, MAX_ANNOUNCED_IN_ALL, MAX_TRANSACTIONS_IN_FLIGHT, OVERLOADED_DELAY,
    TRANSACTION_TIMEOUT,
};
use crate::names::Names;

/// One node's requests for transactions.
///
/// A transaction is asked of one announcer at a time: an outbound peer before an inbound one, then in the order of announcement; the next when
/// the answer is late, "not found", or the peer is gone. So a peer that announces first and never sends delays a transaction, but cannot censor it.
#[derive(Clone, Debug)]
pub struct TransactionFetch {
    /// Rows by name.
    names: Names,
    /// What is wanted, and rows that are free.
    rows: Vec<Row>,
    free: Vec<u32>,
    /// Transactions that nobody is asked for, by when their first announcer may be.
    waiting: Queue,
    /// Requests by when they are late.
    in_flight: Queue,
    /// Whose announcements count, in order, apart from what is kept of each, so that one is found in few cache lines.
    ids: Vec<NodeId>,
    peers: Vec<Peer>,
    /// Asked of somebody and no longer waited for; the answer may still come.
    given_up: BTreeSet<(NodeId, Wtxid)>,
}

/// A transaction that is wanted.
#[derive(Clone, Debug, Default)]
struct Row {
    wtxid: Wtxid,
    /// Those who were not asked yet, in the order of their announcements.
    announcers: Vec<Announcement>,
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
    peer: NodeId,
    inbound: bool,
    not_before: Time,
}

/// How many names are kept about one peer: at most [`MAX_ANNOUNCED`] altogether, each counted once.
#[derive(Clone, Copy, Debug)]
struct Peer {
    /// It announced these and was not asked yet.
    announced: u32,
    /// Asked of it and waited for.
    in_flight: u32,
    /// Asked of it and no longer waited for.
    given_up: u32,
}

impl Peer {
    const fn names(self) -> usize {
        self.announced as usize + self.in_flight as usize + self.given_up as usize
    }
}

/// A row that is freed keeps room for so many announcers.
const USUAL_ANNOUNCERS: usize = 16;

impl TransactionFetch {
    /// Nothing was announced, nobody is known. The secret keeps peers from making up names that take long to find.
    #[must_use]
    pub const fn new(secret: [u64; 2]) -> Self {
        Self {
            names: Names::new(secret),
            rows: Vec::new(),
            free: Vec::new(),
            waiting: Queue::new(),
            in_flight: Queue::new(),
            ids: Vec::new(),
            peers: Vec::new(),
            given_up: BTreeSet::new(),
        }
    }

    /// A peer whose announcements count.
    pub fn add_peer(&mut self, peer: NodeId) {
        if let Err(at) = self.find_peer(peer) {
            self.ids.insert(at, peer);
            let peer = Peer {
                announced: 0,
                in_flight: 0,
                given_up: 0,
            };
            self.peers.insert(at, peer);
        }
    }

    /// The peer is gone: what was asked of it is asked of the next announcer, and nothing of it remains.
    pub fn remove_peer(&mut self, peer: NodeId) {
        let Ok(at) = self.find_peer(peer) else { return };
        let gone = self.peers[at];
        if gone.announced + gone.in_flight > 0 {
            for row in 0..self.rows.len() {
                if self.drop_peer(row, at) {
                    self.refile(row);
                }
            }
        }
        if gone.given_up > 0 {
            self.given_up.retain(|(of, _)| *of != peer);
        }
        self.ids.remove(at);
        self.peers.remove(at);
    }

    /// The peer has a transaction that this node lacks. Ignored from a peer that is not known, has no room left, or was asked for it before
    /// and has not answered; whether it counts.
    pub fn announced(&mut self, peer: NodeId, wtxid: Wtxid, outbound: bool, now: Time) -> bool {
        let share = MAX_ANNOUNCED.min(MAX_ANNOUNCED_IN_ALL / self.peers.len().max(1));
        let Ok(at) = self.find_peer(peer) else { return false };
        if self.peers[at].names() >= share {
            return false;
        }
        let row = self.find(&wtxid);
        if row.is_some_and(|row| self.rows[row].names(peer)) || self.has_given_up(at, &wtxid) {
            return false;
        }
        let row = row.unwrap_or_else(|| self.add_row(wtxid));
        self.peers[at].announced += 1;
        self.rows[row].announcers.push(Announcement {
            peer,
            inbound: !outbound,
            not_before: if outbound { now } else { now + INBOUND_DELAY },
        });
        if self.rows[row].asked_of().is_none() {
            self.refile(row);
        }
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
        let Some(row) = self.find(wtxid) else { return };
        for place in 0..self.rows[row].announcers.len() {
            let peer = self.rows[row].announcers[place].peer;
            self.peer_mut(peer).announced -= 1;
        }
        if let State::Asked { of, .. } = self.rows[row].state {
            self.give_up(of, *wtxid);
        }
        self.unfile(row);
        self.free_row(row);
    }

    /// Whether there may be requests that are now due.
    #[must_use]
    pub fn is_due(&self, now: Time) -> bool {
        self.waiting.next().is_some_and(|due| due <= now)
    }

    /// Adds the requests that are now due, at most [`MAX_TRANSACTIONS_IN_FLIGHT`] waited for from one peer.
    pub fn requests(&mut self, now: Time, out: &mut Vec<(NodeId, Vec<Wtxid>)>) {
        let first = out.len();
        while self.is_due(now)
            && let Some((_, row)) = self.waiting.first()
        {
            if let Some(peer) = self.ask_best(row, now) {
                let wtxid = self.rows[row].wtxid;
                match out[first..].binary_search_by_key(&peer, |(peer, _)| *peer) {
                    Ok(at) => out[first + at].1.push(wtxid),
                    Err(at) => out.insert(first + at, (peer, vec![wtxid])),
                }
            }
        }
    }

    /// The requests that are late: no longer waited for, the next announcer's turn.
    pub fn overdue(&mut self, now: Time) -> Vec<(NodeId, Wtxid)> {
        let mut overdue = Vec::new();
        while let Some((until, row)) = self.in_flight.first() {
            if until > now {
                break;
            }
            let Row { wtxid, state, .. } = self.rows[row];
            let State::Asked { of, .. } = state else {
                unreachable!("what is filed as in flight is asked of somebody");
            };
            self.give_up(of, wtxid);
            self.unfile(row);
            self.refile(row);
            overdue.push((of, wtxid));
        }
        overdue
    }

    /// When [`TransactionFetch::requests`] or [`TransactionFetch::overdue`] next has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        [self.waiting.next(), self.in_flight.next()].into_iter().flatten().min()
    }

    /// Who has announced this transaction and was not asked for it yet, or is asked and waited for.
    pub fn announcers(&self, wtxid: &Wtxid) -> impl Iterator<Item = NodeId> {
        let row = self.find(wtxid).map(|row| &self.rows[row]);
        let asked = row.and_then(Row::asked_of);
        let waiting = row.into_iter().flat_map(|row| &row.announcers);
        waiting.map(|announcement| announcement.peer).chain(asked)
    }

    /// Whether somebody is asked for this transaction and waited for.
    #[must_use]
    pub fn is_asked(&self, wtxid: &Wtxid) -> bool {
        self.find(wtxid).is_some_and(|row| self.rows[row].asked_of().is_some())
    }

    /// Whether the transaction was announced, and is not settled.
    #[must_use]
    pub fn is_wanted(&self, wtxid: &Wtxid) -> bool {
        self.find(wtxid).is_some()
    }

    /// How many transactions are waited for from this peer.
    #[must_use]
    pub fn in_flight(&self, peer: NodeId) -> usize {
        self.find_peer(peer).map_or(0, |at| self.peers[at].in_flight as usize)
    }

    /// Whether no transaction is known that could be asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether nothing is kept about this peer.
    #[must_use]
    pub fn is_empty_of(&self, peer: NodeId) -> bool {
        let has_given_up = self.given_up.iter().any(|(of, _)| *of == peer);
        self.find_peer(peer).is_err() && !has_given_up && !self.rows.iter().any(|row| row.names(peer))
    }

    fn find_peer(&self, peer: NodeId) -> Result<usize, usize> {
        self.ids.binary_search(&peer)
    }

    fn peer_mut(&mut self, peer: NodeId) -> &mut Peer {
        let at = self
            .find_peer(peer)
            .expect("announcers are peers, and peers that leave announce nothing");
        &mut self.peers[at]
    }

    fn has_given_up(&self, at: usize, wtxid: &Wtxid) -> bool {
        self.peers[at].given_up > 0 && self.given_up.contains(&(self.ids[at], *wtxid))
    }

    fn find(&self, wtxid: &Wtxid) -> Option<usize> {
        let is = |row: u32| self.rows[row as usize].wtxid == *wtxid;
        self.names.find((&wtxid.0, 0), is).map(|row| row as usize)
    }

    fn add_row(&mut self, wtxid: Wtxid) -> usize {
        let row = self.free.pop().map_or(self.rows.len(), |row| row as usize);
        if row == self.rows.len() {
            self.rows.push(Row::default());
        }
        self.rows[row].wtxid = wtxid;
        self.names.insert((&wtxid.0, 0), handle_of(row));
        row
    }

    /// The row names nobody any more, and is filed nowhere.
    fn free_row(&mut self, row: usize) {
        let freed = &mut self.rows[row];
        freed.announcers.clear();
        freed.announcers.shrink_to(USUAL_ANNOUNCERS);
        freed.state = State::Idle;
        let wtxid = freed.wtxid;
        self.names.remove((&wtxid.0, 0), handle_of(row));
        self.free.push(handle_of(row));
    }

    /// Asks the best announcer that has room; when none has, all whose turn it was wait a while.
    fn ask_best(&mut self, row: usize, now: Time) -> Option<NodeId> {
        self.unfile(row);
        let announcers = self.rows[row].announcers.iter().enumerate();
        let best = announcers
            .filter(|(_, announcement)| announcement.not_before <= now)
            .filter(|(_, announcement)| self.in_flight(announcement.peer) < MAX_TRANSACTIONS_IN_FLIGHT)
            .min_by_key(|(place, announcement)| (announcement.inbound, *place));
        let Some((place, Announcement { peer, .. })) = best.map(|(place, best)| (place, *best)) else {
            self.rows[row].postpone(now);
            self.refile(row);
            return None;
        };
        let asked = self.peer_mut(peer);
        asked.announced -= 1;
        asked.in_flight += 1;
        self.rows[row].announcers.remove(place);
        let until = now + TRANSACTION_TIMEOUT;
        self.rows[row].state = State::Asked { of: peer, until };
        self.in_flight.insert((until, row), |row| self.rows[row].wtxid);
        Some(peer)
    }

    /// The peer owes this answer no longer; whether it did.
    fn answered(&mut self, peer: NodeId, wtxid: &Wtxid) -> bool {
        let Ok(at) = self.find_peer(peer) else { return false };
        let mut was_asked = false;
        if self.has_given_up(at, wtxid) {
            was_asked = self.given_up.remove(&(peer, *wtxid));
            self.peers[at].given_up -= 1;
        }
        if let Some(row) = self.find(wtxid) {
            was_asked |= self.rows[row].asked_of() == Some(peer);
            if self.drop_peer(row, at) {
                self.refile(row);
            }
        }
        was_asked
    }

    /// A request is waited for no longer. The row that says so is to be filed anew.
    fn give_up(&mut self, peer: NodeId, wtxid: Wtxid) {
        self.given_up.insert((peer, wtxid));
        let peer = self.peer_mut(peer);
        peer.in_flight -= 1;
        peer.given_up += 1;
    }

    /// Takes a peer out of a row; whether it was there, so that the row is to be filed anew.
    fn drop_peer(&mut self, row: usize, at: usize) -> bool {
        let peer = self.ids[at];
        if self.rows[row].asked_of() == Some(peer) {
            self.unfile(row);
            self.peers[at].in_flight -= 1;
            return true;
        }
        let announcers = &mut self.rows[row].announcers;
        let Some(place) = announcers.iter().position(|announcement| announcement.peer == peer) else {
            return false;
        };
        announcers.remove(place);
        self.peers[at].announced -= 1;
        true
    }

    /// Files a row by when its first announcer may be asked, unless somebody is asked, and drops it when nobody is left to ask.
    fn refile(&mut self, row: usize) {
        let next = match self.rows[row].state {
            State::Asked { .. } => return,
            State::Idle | State::Waiting { .. } => self.rows[row].next_turn(),
        };
        let state = next.map_or(State::Idle, |until| State::Waiting { until });
        if state != self.rows[row].state {
            self.unfile(row);
            self.rows[row].state = state;
            if let State::Waiting { until } = state {
                self.waiting.insert((until, row), |row| self.rows[row].wtxid);
            }
        }
        if state == State::Idle {
            self.free_row(row);
        }
    }

    fn unfile(&mut self, row: usize) {
        let name = |row: usize| self.rows[row].wtxid;
        match self.rows[row].state {
            State::Idle => {}
            State::Waiting { until } => self.waiting.remove((until, row), name),
            State::Asked { until, .. } => self.in_flight.remove((until, row), name),
        }
        self.rows[row].state = State::Idle;
    }
}

impl Row {
    const fn asked_of(&self) -> Option<NodeId> {
        match self.state {
            State::Asked { of, .. } => Some(of),
            State::Idle | State::Waiting { .. } => None,
        }
    }

    /// Whether the peer announced it or is asked for it.
    fn names(&self, peer: NodeId) -> bool {
        self.asked_of() == Some(peer) || self.announcers.iter().any(|announcement| announcement.peer == peer)
    }

    /// When the first announcer may be asked.
    fn next_turn(&self) -> Option<Time> {
        self.announcers.iter().map(|announcement| announcement.not_before).min()
    }

    /// Everybody whose turn it was waits.
    fn postpone(&mut self, now: Time) {
        for announcement in &mut self.announcers {
            if announcement.not_before <= now {
                announcement.not_before = now + OVERLOADED_DELAY;
            }
        }
    }
}

fn handle_of(row: usize) -> u32 {
    u32::try_from(row).expect("there are few rows")
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
