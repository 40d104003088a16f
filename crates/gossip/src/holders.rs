//! Which peers are known to have which transactions, so that none is told of what it has.
//!
//! One row for each transaction that any peer is known to have, one bit in it for each peer: most transactions of late are known to be with
//! most peers, and a set of names for each peer would hold most names as often as there are peers.

use std::collections::VecDeque;

use base::NodeId;
use chain::Wtxid;

use crate::limits::MAX_KNOWN;
use crate::names::Names;

/// What all peers of a node have: of each the last [`MAX_KNOWN`] transactions, by when the node first heard that anybody has them.
///
/// What one peer announces takes no room of what others are known to have: a row goes when its last bit goes, and a peer has so many bits.
#[derive(Clone, Debug)]
pub struct Holders {
    /// In order, apart from what is kept of each, so that one is found in few cache lines.
    ids: Vec<NodeId>,
    peers: Vec<Peer>,
    /// Which columns are in use, a bit each.
    columns: Vec<u64>,
    names: Names,
    /// The oldest first; rows are numbered in this order.
    rows: VecDeque<Wtxid>,
    /// As many words for each row as there are words of columns.
    bits: VecDeque<u64>,
    /// The number of the oldest row.
    first: u64,
    /// Rows with a bit, which are those with a name. The others are swept away when there are many.
    held: usize,
}

#[derive(Clone, Copy, Debug)]
struct Peer {
    column: u32,
    /// How many bits it has.
    names: u32,
    /// It has no bit in rows before this one.
    oldest: u64,
}

/// So many rows may have no bit, besides a quarter as many as there are with one.
const SLACK: usize = 32;

impl Holders {
    /// Nobody has anything.
    #[must_use]
    pub const fn new(secret: [u64; 2]) -> Self {
        Self {
            ids: Vec::new(),
            peers: Vec::new(),
            columns: Vec::new(),
            names: Names::new(secret),
            rows: VecDeque::new(),
            bits: VecDeque::new(),
            first: 0,
            held: 0,
        }
    }

    /// A peer, which is not known to have anything.
    pub fn add_peer(&mut self, peer: NodeId) {
        let Err(at) = self.find_peer(peer) else { return };
        let column = self.take_column();
        self.ids.insert(at, peer);
        let peer = Peer {
            column,
            names: 0,
            oldest: self.first + self.rows.len() as u64,
        };
        self.peers.insert(at, peer);
    }

    /// The peer is gone, and all that was known of it.
    pub fn remove_peer(&mut self, peer: NodeId) {
        let Ok(at) = self.find_peer(peer) else { return };
        while self.peers[at].names > 0 {
            self.forget_oldest(at);
        }
        self.ids.remove(at);
        let Peer { column, .. } = self.peers.remove(at);
        self.columns[column as usize / 64] &= !(1 << (column % 64));
        self.sweep();
    }

    /// A peer's place in the order of peers.
    #[must_use]
    pub fn place_of(&self, peer: NodeId) -> Option<usize> {
        self.find_peer(peer).ok()
    }

    /// The peer at a place in the order of peers.
    #[must_use]
    pub fn peer(&self, at: usize) -> NodeId {
        self.ids[at]
    }

    /// A peer has a transaction; whether that is new.
    pub fn insert(&mut self, peer: NodeId, wtxid: &Wtxid) -> bool {
        let Ok(at) = self.find_peer(peer) else { return false };
        let row = self.find(wtxid).unwrap_or_else(|| self.add_row(wtxid));
        self.set(at, row)
    }

    /// All those peers have a transaction that `is_meant` says by their places in the order of peers; adds the places of those for whom that is new.
    pub fn insert_for(&mut self, wtxid: &Wtxid, is_meant: impl Fn(usize) -> bool, new: &mut Vec<usize>) {
        let mut row = self.find(wtxid);
        for at in (0..self.peers.len()).filter(|at| is_meant(*at)) {
            let row = *row.get_or_insert_with(|| self.add_row(wtxid));
            if self.set(at, row) {
                new.push(at);
            }
        }
    }

    /// Whether a peer is known to have a transaction.
    #[must_use]
    pub fn contains(&self, peer: NodeId, wtxid: &Wtxid) -> bool {
        let (Ok(at), Some(row)) = (self.find_peer(peer), self.find(wtxid)) else {
            return false;
        };
        let (word, bit) = self.bit(at, row);
        self.bits[word] & bit != 0
    }

    /// Whether all peers are known to have a transaction; there may be none.
    #[must_use]
    pub fn all_have(&self, wtxid: &Wtxid) -> bool {
        let Some(row) = self.find(wtxid) else {
            return self.peers.is_empty();
        };
        let first = self.index(row) * self.columns.len();
        let words = (first..).zip(&self.columns);
        words.into_iter().all(|(at, columns)| self.bits[at] == *columns)
    }

    fn find_peer(&self, peer: NodeId) -> Result<usize, usize> {
        self.ids.binary_search(&peer)
    }

    /// The lowest column that is not in use.
    fn take_column(&mut self) -> u32 {
        let free = (0..self.columns.len()).find(|word| self.columns[*word] != u64::MAX);
        let word = free.unwrap_or_else(|| {
            self.widen();
            self.columns.len() - 1
        });
        let bit = self.columns[word].trailing_ones() as usize;
        self.columns[word] |= 1 << bit;
        u32::try_from(word * 64 + bit).expect("there are few peers")
    }

    /// Makes room for 64 more columns.
    fn widen(&mut self) {
        let before = self.columns.len();
        self.columns.push(0);
        let mut bits = VecDeque::with_capacity(self.rows.len() * (before + 1));
        for row in 0..self.rows.len() {
            bits.extend(self.bits.range(row * before..(row + 1) * before));
            bits.push_back(0);
        }
        self.bits = bits;
    }

    fn find(&self, wtxid: &Wtxid) -> Option<u64> {
        let index = |handle: u32| handle.wrapping_sub(handle_of(self.first)) as usize;
        let found = self
            .names
            .find((&wtxid.0, 0), |handle| self.rows.get(index(handle)) == Some(wtxid));
        found.map(|handle| self.first + index(handle) as u64)
    }

    /// A row for a transaction that has none. Somebody is to have a bit in it at once: who has no bit has no name.
    fn add_row(&mut self, wtxid: &Wtxid) -> u64 {
        self.sweep();
        let row = self.first + self.rows.len() as u64;
        self.rows.push_back(*wtxid);
        self.bits.extend(self.columns.iter().map(|_| 0));
        self.names.insert((&wtxid.0, 0), handle_of(row));
        row
    }

    fn index(&self, row: u64) -> usize {
        usize::try_from(row - self.first).expect("rows are in memory")
    }

    /// Where a peer's bit in a row is.
    fn bit(&self, at: usize, row: u64) -> (usize, u64) {
        let column = self.peers[at].column;
        let first = self.index(row) * self.columns.len();
        (first + column as usize / 64, 1 << (column % 64))
    }

    fn is_held(&self, row: u64) -> bool {
        let first = self.index(row) * self.columns.len();
        self.bits
            .range(first..first + self.columns.len())
            .any(|word| *word != 0)
    }

    /// A peer has the transaction of a row; whether that is new. One that knows of [`MAX_KNOWN`] younger ones is not remembered to have it.
    fn set(&mut self, at: usize, row: u64) -> bool {
        let (word, bit) = self.bit(at, row);
        if self.bits[word] & bit != 0 {
            return false;
        }
        let Peer { names, oldest, .. } = self.peers[at];
        if names as usize == MAX_KNOWN && row < oldest {
            return true;
        }
        self.held += usize::from(!self.is_held(row));
        self.bits[word] |= bit;
        self.peers[at].names += 1;
        self.peers[at].oldest = oldest.min(row);
        if self.peers[at].names as usize > MAX_KNOWN {
            self.forget_oldest(at);
        }
        true
    }

    /// Takes the oldest bit of a peer that has one, and oldest rows that have none left.
    fn forget_oldest(&mut self, at: usize) {
        let mut row = self.peers[at].oldest.max(self.first);
        loop {
            let (word, bit) = self.bit(at, row);
            if self.bits[word] & bit != 0 {
                self.bits[word] &= !bit;
                break;
            }
            row += 1;
        }
        self.peers[at].names -= 1;
        self.peers[at].oldest = row + 1;
        if self.is_held(row) {
            return;
        }
        self.held -= 1;
        let wtxid = self.rows[self.index(row)];
        self.names.remove((&wtxid.0, 0), handle_of(row));
        while !self.rows.is_empty() && !self.is_held(self.first) {
            self.rows.pop_front();
            self.bits.drain(..self.columns.len());
            self.first += 1;
        }
    }

    /// When too many rows have no bit, drops those, and numbers the others anew.
    fn sweep(&mut self) {
        if self.rows.len() <= self.held + self.held / 4 + SLACK {
            return;
        }
        let held: Vec<bool> = (self.first..self.first + self.rows.len() as u64)
            .map(|row| self.is_held(row))
            .collect();
        let width = self.columns.len();
        let mut kept = held.iter();
        self.rows.retain(|_| kept.next() == Some(&true));
        let mut kept = held.iter().flat_map(|held| std::iter::repeat_n(held, width));
        self.bits.retain(|_| kept.next() == Some(&true));
        self.first += held.len() as u64;
        self.names.clear();
        for (row, wtxid) in (self.first..).zip(&self.rows) {
            self.names.insert((&wtxid.0, 0), handle_of(row));
        }
        for peer in &mut self.peers {
            peer.oldest = self.first;
        }
    }
}

/// Rows are told apart by the low half of their numbers.
#[expect(clippy::cast_possible_truncation, reason = "memory ends before four billion rows")]
const fn handle_of(row: u64) -> u32 {
    row as u32
}

#[cfg(test)]
mod tests;
