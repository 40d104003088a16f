//! What may be looked at of an unconfirmed transaction.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::Time;
use chain::{Amount, OutPoint, Transaction, Txid};

use super::Mempool;

/// An unconfirmed transaction and its place among the others.
#[derive(Clone, Debug)]
pub struct Pooled {
    /// The transaction.
    pub transaction: Arc<Transaction>,
    /// What it pays.
    pub fee: Amount,
    /// When it came.
    pub added: Time,
    /// What it spends of the mempool.
    pub parents: BTreeSet<Txid>,
    /// What spends it.
    pub children: BTreeSet<Txid>,
    /// All that it stands on, itself included.
    pub ancestors: Package,
    /// All that stands on it, itself included.
    pub descendants: Package,
}

/// A few unconfirmed transactions together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Package {
    /// Which.
    pub txids: BTreeSet<Txid>,
    /// Their bytes.
    pub bytes: u64,
    /// What they pay together.
    pub fees: Amount,
}

impl Mempool {
    /// Whether nothing is unconfirmed.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.len() + self.elsewhere.count == 0
    }

    /// The unconfirmed transaction of this txid, and its place among the others.
    pub(crate) fn look(&self, txid: &Txid) -> Option<Pooled> {
        let entry = self.entries.get(txid)?;
        Some(Pooled {
            transaction: Arc::clone(&entry.transaction),
            fee: entry.fee,
            added: entry.added,
            parents: self.entries.names(entry.parents()),
            children: self.entries.names(entry.children()),
            ancestors: self.summed(self.ancestors(txid)),
            descendants: self.summed(self.descendants(txid)),
        })
    }

    /// The unconfirmed transaction that spends a coin.
    pub(crate) fn spender(&self, outpoint: &OutPoint) -> Option<Txid> {
        self.entries.spender(outpoint).map(|entry| entry.transaction.txid())
    }

    /// What all pay together.
    pub(crate) fn total_fees(&self) -> Amount {
        self.assert_all_is_here();
        let fees = self.entries.iter().map(|entry| entry.fee.units());
        Amount::from_units(fees.fold(0, u64::saturating_add))
    }

    fn summed(&self, txids: BTreeSet<Txid>) -> Package {
        let (mut bytes, mut fees) = (0, 0_u64);
        for txid in &txids {
            let entry = &self.entries[txid];
            bytes += u64::from(entry.transaction.bytes());
            fees = fees.saturating_add(entry.fee.units());
        }
        Package {
            txids,
            bytes,
            fees: Amount::from_units(fees),
        }
    }
}
