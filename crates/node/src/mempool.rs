//! Transactions that wait for a block.
//!
//! Kept by txid; no two spend the same coin. Each knows its unconfirmed parents and children, so that a child can pay for its parent
//! and nothing stays without what it spends.

mod admit;
mod floor;
mod look;
mod rate;
mod refusal;
mod select;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::Time;
use chain::{Amount, Block, OutPoint, Transaction, TxOutput, Txid, Wtxid};
use rustc_hash::FxHashMap;

pub(crate) use admit::{Admitted, Chain};
use floor::Floor;
pub use look::{Package, Pooled};
use rate::FeeRate;
pub(crate) use refusal::Refusal;

use crate::event::Conflict;
use crate::limits::{MEMPOOL_ENTRY_OVERHEAD, MEMPOOL_EXPIRY};

/// An unconfirmed transaction and its place among the others.
#[derive(Debug)]
struct Entry {
    transaction: Arc<Transaction>,
    fee: Amount,
    added: Time,
    /// Its place in the order of arrival; parents have a lower one than their children.
    sequence: u64,
    /// In the order of their names, as its children are. There are few of both ([`crate::limits::MAX_ANCESTORS`]).
    parents: Vec<Txid>,
    children: Vec<Txid>,
    /// The better of its own rate and that of it and all its descendants: what losing it would cost.
    value: FeeRate,
}

impl Entry {
    fn rate(&self) -> FeeRate {
        FeeRate::new(self.fee, u64::from(self.transaction.bytes()))
    }

    fn key(&self) -> ValueKey {
        (self.value, Reverse(self.sequence), self.transaction.txid())
    }
}

/// The order of eviction: the least valuable first, the latest of equals.
type ValueKey = (FeeRate, Reverse<u64>, Txid);

/// A transaction that left, and the reason word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Evicted {
    pub(crate) txid: Txid,
    pub(crate) reason: &'static str,
    pub(crate) conflicts_with: Option<Conflict>,
}

impl Evicted {
    const fn new(txid: Txid, reason: &'static str) -> Self {
        Self {
            txid,
            reason,
            conflicts_with: None,
        }
    }
}

/// One node's unconfirmed transactions.
#[derive(Debug)]
pub(crate) struct Mempool {
    limit_bytes: usize,
    /// Base units per 1,000 bytes.
    min_relay_fee: u64,
    floor: Floor,
    /// Memory, as estimated by [`memory_of`].
    bytes: usize,
    next_sequence: u64,
    entries: BTreeMap<Txid, Entry>,
    by_wtxid: FxHashMap<Wtxid, Txid>,
    spent: FxHashMap<OutPoint, Txid>,
    by_value: BTreeSet<ValueKey>,
    by_age: BTreeSet<(Time, u64, Txid)>,
}

impl Mempool {
    pub(crate) fn new(limit_bytes: usize, min_relay_fee: u64) -> Self {
        Self {
            limit_bytes,
            min_relay_fee,
            floor: Floor::default(),
            bytes: 0,
            next_sequence: 0,
            entries: BTreeMap::new(),
            by_wtxid: FxHashMap::default(),
            spent: FxHashMap::default(),
            by_value: BTreeSet::new(),
            by_age: BTreeSet::new(),
        }
    }

    /// Takes out what a block confirms, and what can no longer be valid beside it.
    pub(crate) fn confirm(&mut self, block: &Block) -> Vec<Evicted> {
        let id = block.id();
        let mut evicted = Vec::new();
        for transaction in &block.transactions {
            let txid = transaction.txid();
            self.remove(&txid);
            for outpoint in transaction.inputs() {
                let Some(rival) = self.spent.get(outpoint).copied() else {
                    continue;
                };
                for lost in self.remove_with_descendants(&rival) {
                    let conflict = Conflict {
                        txid,
                        outpoint: *outpoint,
                        block: Some(id),
                    };
                    evicted.push(Evicted {
                        conflicts_with: (lost == rival).then_some(conflict),
                        ..Evicted::new(lost, "conflict")
                    });
                }
            }
        }
        evicted
    }

    /// Takes out what has waited too long, and what stands on it.
    pub(crate) fn expire(&mut self, now: Time) -> Vec<Evicted> {
        let mut evicted = Vec::new();
        while let Some(txid) = self
            .oldest()
            .filter(|(expires, _)| *expires <= now)
            .map(|(_, txid)| txid)
        {
            let lost = self.remove_with_descendants(&txid);
            evicted.extend(lost.into_iter().map(|txid| Evicted::new(txid, "expiry")));
        }
        evicted
    }

    /// Empties the mempool: everything in the order of arrival, with the time it arrived.
    pub(crate) fn take_all(&mut self) -> Vec<(Arc<Transaction>, Time)> {
        let mut entries: Vec<Entry> = std::mem::take(&mut self.entries).into_values().collect();
        entries.sort_by_key(|entry| entry.sequence);
        self.by_wtxid.clear();
        self.spent.clear();
        self.by_value.clear();
        self.by_age.clear();
        self.bytes = 0;
        entries
            .into_iter()
            .map(|entry| (entry.transaction, entry.added))
            .collect()
    }

    /// Makes room: the least valuable packages go, and the floor rises above what they paid.
    fn trim(&mut self, now: Time) -> Vec<Txid> {
        let mut evicted = Vec::new();
        while self.bytes > self.limit_bytes {
            let Some((value, _, txid)) = self.by_value.first().copied() else {
                break;
            };
            self.floor
                .raise(now, value.per_kilobyte().saturating_add(self.min_relay_fee));
            evicted.extend(self.remove_with_descendants(&txid));
        }
        evicted
    }

    fn insert(&mut self, transaction: Arc<Transaction>, fee: Amount, added: Time) {
        let txid = transaction.txid();
        let mut parents = Vec::new();
        for outpoint in transaction.inputs() {
            let rival = self.spent.insert(*outpoint, txid);
            assert_eq!(rival, None, "no two transactions of a mempool spend the same coin");
            if let Some(parent) = self.entries.get_mut(&outpoint.txid) {
                link(&mut parent.children, txid);
                link(&mut parents, outpoint.txid);
            }
        }
        self.bytes += memory_of(&transaction);
        self.by_wtxid.insert(transaction.wtxid(), txid);
        self.by_age.insert((added, self.next_sequence, txid));
        let entry = Entry {
            value: FeeRate::new(fee, u64::from(transaction.bytes())),
            transaction,
            fee,
            added,
            sequence: self.next_sequence,
            parents,
            children: Vec::new(),
        };
        self.next_sequence += 1;
        self.by_value.insert(entry.key());
        self.entries.insert(txid, entry);
        self.revalue_ancestors(&txid);
    }

    /// Takes out one transaction; its children stay.
    fn remove(&mut self, txid: &Txid) -> Option<Entry> {
        let entry = self.entries.remove(txid)?;
        self.by_value.remove(&entry.key());
        self.by_age.remove(&(entry.added, entry.sequence, *txid));
        self.by_wtxid.remove(&entry.transaction.wtxid());
        self.bytes -= memory_of(&entry.transaction);
        for outpoint in entry.transaction.inputs() {
            self.spent.remove(outpoint);
        }
        for parent in &entry.parents {
            if let Some(parent) = self.entries.get_mut(parent) {
                parent.children.retain(|child| child != txid);
            }
        }
        for child in &entry.children {
            if let Some(child) = self.entries.get_mut(child) {
                child.parents.retain(|parent| parent != txid);
            }
        }
        Some(entry)
    }

    /// Takes out a transaction and all that stand on it, in the order of their names.
    fn remove_with_descendants(&mut self, txid: &Txid) -> Vec<Txid> {
        let leaving = self.descendants(txid);
        let mut touched: BTreeSet<Txid> = BTreeSet::new();
        for txid in &leaving {
            touched.extend(self.ancestors(txid));
        }
        for txid in &leaving {
            self.remove(txid);
        }
        for txid in touched.difference(&leaving) {
            self.revalue(txid);
        }
        leaving.into_iter().collect()
    }

    fn revalue_ancestors(&mut self, txid: &Txid) {
        for ancestor in self.ancestors(txid) {
            self.revalue(&ancestor);
        }
    }

    /// Computes anew what a transaction and its descendants are worth.
    fn revalue(&mut self, txid: &Txid) {
        let (mut fee, mut bytes) = (0, 0);
        for txid in self.descendants(txid) {
            let entry = &self.entries[&txid];
            fee += entry.fee.units();
            bytes += u64::from(entry.transaction.bytes());
        }
        let package = FeeRate::new(Amount::from_units(fee), bytes);
        let entry = self.entries.get_mut(txid).expect("only what is here is revalued");
        self.by_value.remove(&entry.key());
        entry.value = package.max(entry.rate());
        self.by_value.insert(entry.key());
    }

    /// All that a transaction stands on, itself included.
    fn ancestors(&self, txid: &Txid) -> BTreeSet<Txid> {
        self.reach(txid, |entry| &entry.parents)
    }

    /// All that stands on a transaction, itself included.
    fn descendants(&self, txid: &Txid) -> BTreeSet<Txid> {
        self.reach(txid, |entry| &entry.children)
    }

    fn reach(&self, from: &Txid, next: impl Fn(&Entry) -> &Vec<Txid>) -> BTreeSet<Txid> {
        let mut reached = BTreeSet::new();
        let mut open = vec![*from];
        while let Some(txid) = open.pop() {
            if let Some(entry) = self.entries.get(&txid)
                && reached.insert(txid)
            {
                open.extend(next(entry).iter().copied());
            }
        }
        reached
    }

    fn oldest(&self) -> Option<(Time, Txid)> {
        let (added, _, txid) = self.by_age.first()?;
        Some((*added + MEMPOOL_EXPIRY, *txid))
    }

    /// When the oldest transaction has waited too long.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.oldest().map(|(expires, _)| expires)
    }

    /// The lowest fee rate that gets in now, in base units per 1,000 bytes.
    pub(crate) fn min_fee(&self, now: Time) -> u64 {
        self.floor.at(now).max(self.min_relay_fee)
    }

    /// The output at an outpoint of an unconfirmed transaction.
    fn output(&self, outpoint: &OutPoint) -> Option<TxOutput> {
        let entry = self.entries.get(&outpoint.txid)?;
        let index = usize::try_from(outpoint.index).ok()?;
        entry.transaction.outputs().get(index).copied()
    }

    pub(crate) fn get(&self, txid: &Txid) -> Option<&Arc<Transaction>> {
        self.entries.get(txid).map(|entry| &entry.transaction)
    }

    pub(crate) fn get_by_wtxid(&self, wtxid: &Wtxid) -> Option<&Arc<Transaction>> {
        self.get(self.by_wtxid.get(wtxid)?)
    }

    /// All, in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Transaction>> {
        self.entries.values().map(|entry| &entry.transaction)
    }

    /// The names of all, in the order of arrival: parents before children.
    pub(crate) fn by_arrival(&self) -> Vec<Wtxid> {
        let mut entries: Vec<&Entry> = self.entries.values().collect();
        entries.sort_by_key(|entry| entry.sequence);
        entries.into_iter().map(|entry| entry.transaction.wtxid()).collect()
    }

    /// Memory taken, in bytes.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Puts a name into its place, unless it is there.
fn link(links: &mut Vec<Txid>, txid: Txid) {
    if let Err(place) = links.binary_search(&txid) {
        links.insert(place, txid);
    }
}

/// About what an entry takes in memory: the limit is on this, not on wire bytes, so that it holds whatever transactions look like.
fn memory_of(transaction: &Transaction) -> usize {
    let links = size_of::<(OutPoint, Txid)>() * 2 * transaction.inputs().len();
    usize::try_from(transaction.bytes()).expect("32 bits fit") + links + MEMPOOL_ENTRY_OVERHEAD
}
