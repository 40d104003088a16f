//! What became of transactions, as far as it does not hang on a node.

use std::collections::BTreeMap;

use base::{NodeId, Time};
use chain::Txid;
use serde::Serialize;

use crate::told::TxAccepted;

/// A transaction, as it was first told of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Transaction {
    /// Its name.
    pub txid: Txid,
    /// What the scenario calls it, and whom it pays: `ds to bob`.
    pub label: Option<String>,
    /// When it was first told of.
    #[serde(rename = "first_us")]
    pub first: Time,
    /// The node that a wallet handed it to, when that was seen.
    pub submitted_to: Option<NodeId>,
    /// Its size, when a node accepted it.
    pub bytes: Option<u32>,
    /// What it pays, when a node accepted it.
    pub fee: Option<u64>,
}

/// All transactions that were told of, coinbases aside.
#[derive(Clone, Debug, Default)]
pub struct Transactions {
    known: BTreeMap<Txid, Transaction>,
    labels: BTreeMap<Txid, String>,
}

impl Transactions {
    pub(super) fn submitted(&mut self, at: Time, node: NodeId, txid: Txid) {
        self.entry(at, txid).submitted_to.get_or_insert(node);
    }

    pub(super) fn accepted(&mut self, at: Time, told: &TxAccepted) {
        let entry = self.entry(at, told.txid);
        entry.bytes = Some(told.bytes);
        entry.fee = Some(told.fee);
    }

    pub(super) fn label(&mut self, txid: Txid, label: String) {
        if let Some(known) = self.known.get_mut(&txid) {
            known.label = Some(label.clone());
        }
        self.labels.insert(txid, label);
    }

    fn entry(&mut self, at: Time, txid: Txid) -> &mut Transaction {
        let label = self.labels.get(&txid).cloned();
        self.known.entry(txid).or_insert(Transaction {
            txid,
            label,
            first: at,
            submitted_to: None,
            bytes: None,
            fee: None,
        })
    }

    /// All that were told of, in the order of their names.
    pub fn all(&self) -> impl Iterator<Item = &Transaction> {
        self.known.values()
    }

    /// One.
    #[must_use]
    pub fn transaction(&self, txid: &Txid) -> Option<&Transaction> {
        self.known.get(txid)
    }

    /// What the scenario calls a transaction.
    #[must_use]
    pub fn label_of(&self, txid: &Txid) -> Option<&str> {
        self.labels.get(txid).map(String::as_str)
    }

    /// What the scenario calls which transaction.
    #[must_use]
    pub const fn labels(&self) -> &BTreeMap<Txid, String> {
        &self.labels
    }
}
