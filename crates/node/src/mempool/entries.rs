//! Unconfirmed transactions as rows, found by either of their names and by what they spend.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::Time;
use chain::{Amount, OutPoint, Transaction, Txid, Wtxid};
use gossip::Names;

use super::rate::FeeRate;

/// An unconfirmed transaction and its place among the others.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) transaction: Arc<Transaction>,
    pub(super) fee: Amount,
    pub(super) added: Time,
    /// Its place in the order of arrival; parents have a lower one than their children.
    pub(super) sequence: u64,
    /// Most have none.
    links: Option<Box<Links>>,
}

/// Unconfirmed relatives, by their rows, in no order that says anything. There are few of both ([`crate::limits::MAX_ANCESTORS`]).
#[derive(Debug)]
struct Links {
    parents: Vec<u32>,
    children: Vec<u32>,
    /// How many stand on it, itself included.
    descendants: u32,
}

impl Links {
    fn new(parents: Vec<u32>) -> Box<Self> {
        Box::new(Self {
            parents,
            children: Vec::new(),
            descendants: 1,
        })
    }
}

impl Entry {
    pub(super) fn rate(&self) -> FeeRate {
        FeeRate::new(self.fee, u64::from(self.transaction.bytes()))
    }

    /// How many stand on it, itself included.
    pub(super) fn descendants(&self) -> usize {
        self.links.as_deref().map_or(1, |links| links.descendants as usize)
    }

    /// The rows of what it spends of the mempool.
    pub(super) fn parents(&self) -> &[u32] {
        self.links.as_deref().map_or(&[], |links| &links.parents)
    }

    /// The rows of what spends it.
    pub(super) fn children(&self) -> &[u32] {
        self.links.as_deref().map_or(&[], |links| &links.children)
    }
}

/// Rows, and tables of their names. A row is free when its transaction has left, and taken by the next that comes.
#[derive(Debug)]
pub(super) struct Entries {
    rows: Vec<Option<Entry>>,
    free: Vec<u32>,
    by_txid: Names,
    by_wtxid: Names,
    /// By each coin that an entry spends.
    by_coin: Names,
    /// Which peers are known to have what is in a row, a bit each: so many words for each row.
    holders: Vec<u64>,
    width: usize,
}

impl Entries {
    pub(super) const fn new(secret: [u64; 2]) -> Self {
        Self {
            rows: Vec::new(),
            free: Vec::new(),
            by_txid: Names::new(secret),
            by_wtxid: Names::new(secret),
            by_coin: Names::new(secret),
            holders: Vec::new(),
            width: 1,
        }
    }

    /// Puts in a transaction that is not there and spends what no other does, and links it with its parents. Gives its row.
    pub(super) fn insert(&mut self, transaction: Arc<Transaction>, (fee, added): (Amount, Time), sequence: u64) -> u32 {
        let txid = transaction.txid();
        let row = self.free.pop().unwrap_or_else(|| {
            self.rows.push(None);
            self.holders.resize(self.rows.len() * self.width, 0);
            u32::try_from(self.rows.len() - 1).expect("memory ends before four billion transactions")
        });
        let mut parents = Vec::new();
        for outpoint in transaction.inputs() {
            let rival = self.spender(outpoint);
            assert!(rival.is_none(), "no two transactions of a mempool spend the same coin");
            self.by_coin.insert((&outpoint.txid.0, outpoint.index), row);
            if let Some(parent) = self.find(&outpoint.txid) {
                let links = &mut self.at_mut(parent).links;
                link(&mut links.get_or_insert_with(|| Links::new(Vec::new())).children, row);
                link(&mut parents, parent);
            }
        }
        self.by_txid.insert((&txid.0, 0), row);
        self.by_wtxid.insert((&transaction.wtxid().0, 0), row);
        self.rows[row as usize] = Some(Entry {
            transaction,
            fee,
            added,
            sequence,
            links: (!parents.is_empty()).then(|| Links::new(parents)),
        });
        row
    }

    /// Takes out one transaction; its relatives know it no more.
    pub(super) fn remove(&mut self, txid: &Txid) -> Option<Entry> {
        let row = self.find(txid)?;
        let mut entry = self.rows[row as usize].take()?;
        self.free.push(row);
        let first = row as usize * self.width;
        self.holders[first..first + self.width].fill(0);
        self.by_txid.remove((&txid.0, 0), row);
        self.by_wtxid.remove((&entry.transaction.wtxid().0, 0), row);
        for outpoint in entry.transaction.inputs() {
            self.by_coin.remove((&outpoint.txid.0, outpoint.index), row);
        }
        if let Some(links) = entry.links.take() {
            for parent in &links.parents {
                if let Some(links) = &mut self.at_mut(*parent).links {
                    links.children.retain(|child| *child != row);
                }
            }
            for child in &links.children {
                if let Some(links) = &mut self.at_mut(*child).links {
                    links.parents.retain(|parent| *parent != row);
                }
            }
        }
        Some(entry)
    }

    /// Notes how many stand on what is in a row, itself included.
    pub(super) fn set_descendants(&mut self, row: u32, descendants: usize) {
        if let Some(links) = &mut self.at_mut(row).links {
            links.descendants = u32::try_from(descendants).expect("there are few");
        }
    }

    /// Adds to a list of rows one and all that it stands on, but not what is in the list. There are few.
    pub(super) fn add_ancestors(&self, row: u32, out: &mut Vec<u32>) {
        let mut next = out.len();
        if !out.contains(&row) {
            out.push(row);
        }
        while let Some(row) = out.get(next) {
            next += 1;
            for parent in self.here(*row).parents() {
                if !out.contains(parent) {
                    out.push(*parent);
                }
            }
        }
    }

    /// Empties all, and gives what was there in the order of arrival.
    pub(super) fn take_all(&mut self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = std::mem::take(&mut self.rows).into_iter().flatten().collect();
        entries.sort_unstable_by_key(|entry| entry.sequence);
        self.free.clear();
        self.holders.clear();
        self.by_txid.clear();
        self.by_wtxid.clear();
        self.by_coin.clear();
        entries
    }

    /// What is in a row.
    pub(super) fn at(&self, row: u32) -> Option<&Entry> {
        self.rows[row as usize].as_ref()
    }

    /// What is in the row of somebody's relative.
    pub(super) fn here(&self, row: u32) -> &Entry {
        self.at(row).expect("relatives know of each other that leaves")
    }

    fn at_mut(&mut self, row: u32) -> &mut Entry {
        let entry = self.rows[row as usize].as_mut();
        entry.expect("relatives know of each other that leaves")
    }

    /// The names of what is in these rows.
    pub(super) fn names(&self, rows: &[u32]) -> BTreeSet<Txid> {
        rows.iter().map(|row| self.here(*row).transaction.txid()).collect()
    }

    pub(super) fn get(&self, txid: &Txid) -> Option<&Entry> {
        self.at(self.find(txid)?)
    }

    /// The row of a transaction.
    pub(super) fn find_by_wtxid(&self, wtxid: &Wtxid) -> Option<u32> {
        let is = |row: u32| self.at(row).is_some_and(|entry| entry.transaction.wtxid() == *wtxid);
        self.by_wtxid.find((&wtxid.0, 0), is)
    }

    /// The peer that stands there has what is in a row; whether that is new.
    pub(super) fn add_holder(&mut self, row: u32, at: usize) -> bool {
        if at / 64 >= self.width {
            self.widen(at / 64 + 1);
        }
        let word = &mut self.holders[row as usize * self.width + at / 64];
        let is_new = *word >> (at % 64) & 1 == 0;
        *word |= 1 << (at % 64);
        is_new
    }

    /// Whether the peer that stands there is known to have what is in a row.
    pub(super) fn has_holder(&self, row: u32, at: usize) -> bool {
        at / 64 < self.width && self.holders[row as usize * self.width + at / 64] >> (at % 64) & 1 == 1
    }

    /// Which peers are known to have what is in a row, the first 64 of them, a bit each.
    pub(super) fn holders(&self, row: u32) -> u64 {
        self.holders[row as usize * self.width]
    }

    /// Notes that all at once.
    pub(super) fn set_holders(&mut self, row: u32, holders: u64) {
        self.holders[row as usize * self.width] = holders;
    }

    /// Whether one word is enough for all peers.
    pub(super) const fn has_narrow_holders(&self) -> bool {
        self.width == 1
    }

    /// A peer stands there that is not known to have anything; those that stood there and behind move on by one.
    pub(super) fn insert_holder(&mut self, at: usize) {
        let last_place = |words: &[u64]| words.last().is_some_and(|word| word >> 63 == 1);
        if at / 64 >= self.width || self.holders.chunks(self.width).any(last_place) {
            self.widen(self.width.max(at / 64) + 1);
        }
        let below = (1_u64 << (at % 64)) - 1;
        for words in self.holders.chunks_mut(self.width) {
            let mut carried = 0;
            for (number, word) in words.iter_mut().enumerate().skip(at / 64) {
                let moved = if number == at / 64 { *word & !below } else { *word };
                let stays = *word ^ moved;
                *word = stays | moved << 1 | carried;
                carried = moved >> 63;
            }
        }
    }

    /// The peer is gone that stood there; those behind move up by one.
    pub(super) fn remove_holder(&mut self, at: usize) {
        let below = (1_u64 << (at % 64)) - 1;
        for words in self.holders.chunks_mut(self.width) {
            for number in at / 64..words.len() {
                let next = words.get(number + 1).map_or(0, |next| next & 1);
                let stays = if number == at / 64 { words[number] & below } else { 0 };
                let moved = if number == at / 64 {
                    words[number] >> 1 & !below
                } else {
                    words[number] >> 1
                };
                words[number] = stays | moved | next << 63;
            }
        }
    }

    fn widen(&mut self, width: usize) {
        let mut holders = Vec::with_capacity(self.rows.len() * width);
        for words in self.holders.chunks(self.width) {
            holders.extend(words);
            holders.resize(holders.len() + width - self.width, 0);
        }
        (self.holders, self.width) = (holders, width);
    }

    /// Who spends a coin.
    pub(super) fn spender(&self, outpoint: &OutPoint) -> Option<&Entry> {
        let is = |row: u32| {
            let spends = |entry: &Entry| entry.transaction.inputs().contains(outpoint);
            self.at(row).is_some_and(spends)
        };
        self.at(self.by_coin.find((&outpoint.txid.0, outpoint.index), is)?)
    }

    pub(super) fn contains(&self, txid: &Txid) -> bool {
        self.find(txid).is_some()
    }

    /// All, in the order of rows, which says nothing.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.rows.iter().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.by_txid.len()
    }

    /// How many coins are spent.
    #[cfg(test)]
    pub(super) fn coins(&self) -> usize {
        assert_eq!(self.by_wtxid.len(), self.len(), "each has both names");
        self.by_coin.len()
    }

    /// The row of the transaction of this txid.
    pub(super) fn find(&self, txid: &Txid) -> Option<u32> {
        let is = |row: u32| self.at(row).is_some_and(|entry| entry.transaction.txid() == *txid);
        self.by_txid.find((&txid.0, 0), is)
    }
}

impl std::ops::Index<&Txid> for Entries {
    type Output = Entry;

    fn index(&self, txid: &Txid) -> &Entry {
        self.get(txid).expect("it is here")
    }
}

/// Puts a row into a list, unless it is there.
fn link(links: &mut Vec<u32>, row: u32) {
    if !links.contains(&row) {
        // Most have one.
        links.reserve_exact(usize::from(links.is_empty()));
        links.push(row);
    }
}
