//! Transactions that wait for a block.
//!
//! Kept by txid; no two spend the same coin. Each knows its unconfirmed parents and children, so that a child can pay for its parent
//! and nothing stays without what it spends.

mod admit;
mod age;
mod entries;
mod floor;
mod look;
mod rate;
mod refusal;
mod select;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeSet;
use std::sync::Arc;

use base::Time;
use chain::{Amount, Block, OutPoint, Transaction, TxOutput, Txid, Wtxid};

pub(crate) use admit::{Admitted, Chain};
use age::ByAge;
use entries::{Entries, Entry};
use floor::Floor;
pub use look::{Package, Pooled};
use rate::FeeRate;
pub(crate) use rate::fee_at;
pub(crate) use refusal::Refusal;
use value::ByValue;

use crate::courier::Satchel;
use crate::event::Conflict;
use crate::limits::{MEMPOOL_COIN_OVERHEAD, MEMPOOL_ENTRY_OVERHEAD, MEMPOOL_EXPIRY};

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

/// What is known of transactions that wait here and are in a courier's satchel.
#[derive(Clone, Copy, Debug, Default)]
struct Elsewhere {
    count: usize,
    bytes: usize,
    /// When the first came.
    since: Option<Time>,
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
    entries: Entries,
    /// What waits here and is not in its rows.
    elsewhere: Elsewhere,
    /// None before it was ever full, and none again when half has left.
    by_value: Option<ByValue>,
    by_age: ByAge,
}

impl Mempool {
    /// The secret is for [`gossip::Names`].
    pub(crate) fn new(limit_bytes: usize, min_relay_fee: u64, secret: [u64; 2]) -> Self {
        Self {
            limit_bytes,
            min_relay_fee,
            floor: Floor::default(),
            bytes: 0,
            next_sequence: 0,
            entries: Entries::new(secret),
            elsewhere: Elsewhere::default(),
            by_value: None,
            by_age: ByAge::default(),
        }
    }

    /// Takes out what a block confirms, and what can no longer be valid beside it.
    pub(crate) fn confirm(&mut self, block: &Block) -> Vec<Evicted> {
        let id = block.id();
        let mut evicted = Vec::new();
        for transaction in &block.transactions {
            let txid = transaction.txid();
            self.remove_from_below(&txid);
            for outpoint in transaction.inputs() {
                let Some(rival) = self.spender(outpoint) else {
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
        self.assert_all_is_here();
        self.by_value = None;
        self.by_age.clear();
        self.bytes = 0;
        let entries = self.entries.take_all();
        entries
            .into_iter()
            .map(|entry| (entry.transaction, entry.added))
            .collect()
    }

    /// Makes room: the least valuable packages go, and the floor rises above what they paid.
    fn trim(&mut self, now: Time) -> Vec<Txid> {
        let mut evicted = Vec::new();
        while self.bytes() > self.limit_bytes {
            self.assert_all_is_here();
            let Some((value, txid)) = self.least_valuable() else {
                break;
            };
            self.floor
                .raise(now, value.per_kilobyte().saturating_add(self.min_relay_fee));
            evicted.extend(self.remove_with_descendants(&txid));
        }
        evicted
    }

    /// The transaction whose loss costs least, and what it is worth: the better of its own rate and that of it and all its descendants.
    fn least_valuable(&mut self) -> Option<(FeeRate, Txid)> {
        if self.by_value.is_none() {
            let mut by_value = ByValue::default();
            for entry in self.entries.iter() {
                by_value.set(entry.transaction.txid(), entry.sequence, self.value_of(entry));
            }
            self.by_value = Some(by_value);
        }
        self.by_value.as_ref()?.least()
    }

    /// What room is left in bytes, where nothing is known but what waits: it was not full of late.
    pub(crate) fn plain_room(&self) -> Option<usize> {
        let is_plain = self.by_value.is_none() && self.floor.is_none() && self.entries.has_narrow_holders();
        self.limit_bytes.checked_sub(self.bytes()).filter(|_| is_plain)
    }

    /// What the next to come has for its place in the order of arrival.
    pub(crate) const fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Some have come that are not in rows.
    pub(crate) const fn set_next_sequence(&mut self, sequence: u64) {
        self.next_sequence = sequence;
    }

    /// Notes what waits here and is not in rows. What looks at all has it brought before.
    pub(crate) fn note_elsewhere(&mut self, satchel: &Satchel) {
        self.elsewhere = Elsewhere {
            count: satchel.len(),
            bytes: satchel.bytes(),
            since: satchel.since(),
        };
    }

    fn assert_all_is_here(&self) {
        assert_eq!(self.elsewhere.count, 0, "what looks at all has it brought before");
    }

    fn insert(&mut self, transaction: Arc<Transaction>, fee: Amount, added: Time) -> u32 {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.bring(transaction, (fee, added), sequence)
    }

    /// Takes in what was checked under all rules, for this fee at this time, with its place in the order of arrival; its row.
    pub(crate) fn bring(&mut self, transaction: Arc<Transaction>, (fee, added): (Amount, Time), sequence: u64) -> u32 {
        self.bytes += memory_of(&transaction);
        let row = self.entries.insert(transaction, (fee, added), sequence);
        self.by_age.push(added, sequence, row);
        let mut ancestors = Vec::new();
        self.entries.add_ancestors(row, &mut ancestors);
        for ancestor in &ancestors[1..] {
            let descendants = self.entries.here(*ancestor).descendants();
            self.entries.set_descendants(*ancestor, descendants + 1);
        }
        if self.by_value.is_some() {
            for ancestor in &ancestors {
                self.revalue(*ancestor);
            }
        }
        row
    }

    /// Takes out a transaction that a block holds. What it stands on left before it, or is counted anew.
    fn remove_from_below(&mut self, txid: &Txid) {
        let Some(row) = self.entries.find(txid) else { return };
        let mut ancestors = Vec::new();
        self.entries.add_ancestors(row, &mut ancestors);
        self.remove(txid);
        for ancestor in &ancestors[1..] {
            self.recount(*ancestor);
        }
    }

    /// Takes out one transaction; its children stay.
    fn remove(&mut self, txid: &Txid) -> Option<Entry> {
        let entry = self.entries.remove(txid)?;
        self.bytes -= memory_of(&entry.transaction);
        self.by_age.settle(&self.entries);
        if let Some(by_value) = &mut self.by_value {
            by_value.remove(txid, entry.sequence);
        }
        if self.bytes < self.limit_bytes / 2 {
            self.by_value = None;
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
            if let Some(row) = self.entries.find(txid) {
                self.recount(row);
            }
        }
        leaving.into_iter().collect()
    }

    /// Counts anew what stands on what is in a row, and what that is worth.
    fn recount(&mut self, row: u32) {
        let txid = self.entries.here(row).transaction.txid();
        let descendants = self.descendants(&txid).len();
        self.entries.set_descendants(row, descendants);
        if self.by_value.is_some() {
            self.revalue(row);
        }
    }

    /// Computes anew what that and its descendants are worth, where that is kept.
    fn revalue(&mut self, row: u32) {
        let entry = self.entries.here(row);
        let (txid, sequence, value) = (entry.transaction.txid(), entry.sequence, self.value_of(entry));
        if let Some(by_value) = &mut self.by_value {
            by_value.set(txid, sequence, value);
        }
    }

    fn value_of(&self, entry: &Entry) -> FeeRate {
        if entry.children().is_empty() {
            return entry.rate();
        }
        let (mut fee, mut bytes) = (0, 0);
        for txid in self.descendants(&entry.transaction.txid()) {
            let entry = &self.entries[&txid];
            fee += entry.fee.units();
            bytes += u64::from(entry.transaction.bytes());
        }
        FeeRate::new(Amount::from_units(fee), bytes).max(entry.rate())
    }

    /// All that a transaction stands on, itself included.
    fn ancestors(&self, txid: &Txid) -> BTreeSet<Txid> {
        self.reach(txid, Entry::parents)
    }

    /// All that stands on a transaction, itself included.
    fn descendants(&self, txid: &Txid) -> BTreeSet<Txid> {
        self.reach(txid, Entry::children)
    }

    fn reach(&self, from: &Txid, next: impl Fn(&Entry) -> &[u32]) -> BTreeSet<Txid> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<u32> = self.entries.find(from).into_iter().collect();
        while let Some(row) = open.pop() {
            let entry = self.entries.here(row);
            if reached.insert(entry.transaction.txid()) {
                open.extend(next(entry));
            }
        }
        reached
    }

    fn oldest(&self) -> Option<(Time, Txid)> {
        let (added, row) = self.by_age.first()?;
        let oldest = self.entries.at(row)?;
        Some((added + MEMPOOL_EXPIRY, oldest.transaction.txid()))
    }

    /// When the oldest transaction has waited too long.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let own = self.by_age.first().map(|(added, _)| added);
        let oldest = [own, self.elsewhere.since].into_iter().flatten().min();
        oldest.map(|added| added + MEMPOOL_EXPIRY)
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
        let entry = self.entries.at(self.find(wtxid)?);
        entry.map(|entry| &entry.transaction)
    }

    /// The row of a transaction, while it is here.
    pub(crate) fn find(&self, wtxid: &Wtxid) -> Option<u32> {
        self.entries.find_by_wtxid(wtxid)
    }

    /// The peer that stands there among all has what is in a row; whether that is new.
    pub(crate) fn add_holder(&mut self, row: u32, at: usize) -> bool {
        self.entries.add_holder(row, at)
    }

    /// Whether the peer that stands there among all is known to have what is in a row.
    pub(crate) fn has_holder(&self, row: u32, at: usize) -> bool {
        self.entries.has_holder(row, at)
    }

    /// Which peers are known to have what is in a row, the first 64 of them, a bit each.
    pub(crate) fn holders(&self, row: u32) -> u64 {
        self.entries.holders(row)
    }

    /// Notes that all at once.
    pub(crate) fn set_holders(&mut self, row: u32, holders: u64) {
        self.entries.set_holders(row, holders);
    }

    /// A peer has come, and stands there among all.
    pub(crate) fn insert_holder(&mut self, at: usize) {
        self.entries.insert_holder(at);
    }

    /// The peer is gone that stood there among all.
    pub(crate) fn remove_holder(&mut self, at: usize) {
        self.entries.remove_holder(at);
    }

    /// All, in no order that says anything.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Transaction>> {
        self.assert_all_is_here();
        self.entries.iter().map(|entry| &entry.transaction)
    }

    /// The names of all, in the order of arrival: parents before children.
    pub(crate) fn by_arrival(&self) -> Vec<Wtxid> {
        self.assert_all_is_here();
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.sort_by_key(|entry| entry.sequence);
        entries.into_iter().map(|entry| entry.transaction.wtxid()).collect()
    }

    /// Memory taken, in bytes.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes + self.elsewhere.bytes
    }
}

/// About what an entry takes in memory: the limit is on this, not on wire bytes, so that it holds whatever transactions look like.
pub(crate) fn memory_of(transaction: &Transaction) -> usize {
    let coins = MEMPOOL_COIN_OVERHEAD * transaction.inputs().len();
    usize::try_from(transaction.bytes()).expect("32 bits fit") + coins + MEMPOOL_ENTRY_OVERHEAD
}
