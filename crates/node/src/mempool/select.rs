//! What a miner takes from a mempool: packages by ancestor fee rate, so that a child pays for its parents.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use chain::{Amount, Transaction, Txid};

use super::rate::FeeRate;
use super::{Entry, Mempool};

/// Transactions for a block, parents before children.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    pub(crate) transactions: Vec<Arc<Transaction>>,
    pub(crate) fees: Amount,
}

/// A candidate with its unselected ancestors; of equal rates the earliest comes first.
type Package = (FeeRate, Reverse<u64>, Txid);

impl Mempool {
    /// The best packages that fit into this many bytes.
    ///
    /// A package's rate changes when some of its ancestors are taken with another. It is then put in again with its new rate,
    /// and the old copy is passed over when it comes up.
    pub(crate) fn select(&self, limit_bytes: u64) -> Selection {
        self.assert_all_is_here();
        let mut selection = Selection::default();
        let mut selected: BTreeSet<Txid> = BTreeSet::new();
        let mut room = limit_bytes;
        let mut heap: BinaryHeap<Package> = self
            .entries
            .iter()
            .map(|entry| self.package(&entry.transaction.txid(), &selected).0)
            .collect();
        while let Some(candidate) = heap.pop() {
            let txid = candidate.2;
            if selected.contains(&txid) {
                continue;
            }
            let (package, mut members) = self.package(&txid, &selected);
            if package != candidate {
                continue;
            }
            let bytes: u64 = members.iter().map(|entry| u64::from(entry.transaction.bytes())).sum();
            if bytes > room {
                continue;
            }
            room -= bytes;
            members.sort_by_key(|entry| entry.sequence);
            for entry in &members {
                selected.insert(entry.transaction.txid());
                selection.transactions.push(Arc::clone(&entry.transaction));
                selection.fees = Amount::from_units(selection.fees.units() + entry.fee.units());
            }
            for descendant in self.descendants_of_all(&members).difference(&selected) {
                heap.push(self.package(descendant, &selected).0);
            }
        }
        selection
    }

    /// A transaction with those of its ancestors that are not selected yet.
    fn package(&self, txid: &Txid, selected: &BTreeSet<Txid>) -> (Package, Vec<&Entry>) {
        let members: Vec<&Entry> = self
            .ancestors(txid)
            .difference(selected)
            .map(|txid| &self.entries[txid])
            .collect();
        let fee = members.iter().map(|entry| entry.fee.units()).sum();
        let bytes = members.iter().map(|entry| u64::from(entry.transaction.bytes())).sum();
        let rate = FeeRate::new(Amount::from_units(fee), bytes);
        ((rate, Reverse(self.entries[txid].sequence), *txid), members)
    }

    fn descendants_of_all(&self, members: &[&Entry]) -> BTreeSet<Txid> {
        let mut all = BTreeSet::new();
        for entry in members {
            all.extend(self.descendants(&entry.transaction.txid()));
        }
        all
    }
}
