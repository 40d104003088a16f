//! What transactions are worth to a full mempool: the order of eviction.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chain::Txid;
use rustc_hash::FxHashMap;

use super::rate::FeeRate;

/// The least valuable first, the latest of equals.
type Key = (FeeRate, Reverse<u64>, Txid);

/// The order of eviction. Kept from when the mempool is full until half of it has left: most mempools never are, and one that swings around
/// its limit does not make it anew each time.
#[derive(Debug, Default)]
pub(super) struct ByValue {
    order: BTreeSet<Key>,
    /// Never iterated over.
    values: FxHashMap<Txid, FeeRate>,
}

impl ByValue {
    /// Notes what a transaction with a place in the order of arrival is worth.
    pub(super) fn set(&mut self, txid: Txid, sequence: u64, value: FeeRate) {
        if let Some(before) = self.values.insert(txid, value) {
            self.order.remove(&(before, Reverse(sequence), txid));
        }
        self.order.insert((value, Reverse(sequence), txid));
    }

    pub(super) fn remove(&mut self, txid: &Txid, sequence: u64) {
        if let Some(value) = self.values.remove(txid) {
            self.order.remove(&(value, Reverse(sequence), *txid));
        }
    }

    /// The least valuable, and what it is worth.
    pub(super) fn least(&self) -> Option<(FeeRate, Txid)> {
        self.order.first().map(|(value, _, txid)| (*value, *txid))
    }

    #[cfg(test)]
    pub(super) fn get(&self, txid: &Txid, sequence: u64) -> Option<FeeRate> {
        let value = *self.values.get(txid)?;
        self.order.contains(&(value, Reverse(sequence), *txid)).then_some(value)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.order.len(), self.values.len(), "each has its place");
        self.order.len()
    }
}
