//! Transactions that wait for a parent: bounded, and no peer can push out another's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::NodeId;
use chain::{Transaction, Txid, Wtxid};

use crate::limits::{MAX_ORPHAN_BYTES, MAX_ORPHAN_BYTES_PER_PEER, MAX_ORPHANS};

/// The orphans of one node.
///
/// Each is on the account of every peer that sent it (Bitcoin Core 30's orphanage). When there is too much, the heaviest account gives up its
/// oldest; an orphan is dropped when it is on nobody's account, so filling the place costs the filler's own orphans only.
#[derive(Clone, Debug, Default)]
pub struct Orphans {
    orphans: BTreeMap<Wtxid, Orphan>,
    children: BTreeMap<Txid, BTreeSet<Wtxid>>,
    accounts: BTreeMap<NodeId, Account>,
    bytes: u64,
    next_place: u64,
}

#[derive(Clone, Debug)]
struct Orphan {
    transaction: Arc<Transaction>,
    /// Who sent it, and its place in their account.
    senders: BTreeMap<NodeId, u64>,
}

#[derive(Clone, Debug, Default)]
struct Account {
    oldest_first: BTreeMap<u64, Wtxid>,
    bytes: u64,
}

impl Orphans {
    /// No orphans.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps an orphan on this peer's account; whether it is kept after making room.
    pub fn insert(&mut self, peer: NodeId, transaction: &Arc<Transaction>) -> bool {
        let (wtxid, bytes) = (transaction.wtxid(), u64::from(transaction.bytes()));
        let is_new = !self.orphans.contains_key(&wtxid);
        let orphan = self.orphans.entry(wtxid).or_insert_with(|| Orphan {
            transaction: Arc::clone(transaction),
            senders: BTreeMap::new(),
        });
        if orphan.senders.contains_key(&peer) {
            return true;
        }
        orphan.senders.insert(peer, self.next_place);
        let account = self.accounts.entry(peer).or_default();
        account.oldest_first.insert(self.next_place, wtxid);
        account.bytes += bytes;
        self.next_place += 1;
        if is_new {
            self.bytes += bytes;
            for input in transaction.inputs() {
                self.children.entry(input.txid).or_default().insert(wtxid);
            }
        }
        self.make_room(peer);
        self.contains(&wtxid)
    }

    /// Drops an orphan: it was accepted, or will never be.
    pub fn remove(&mut self, wtxid: &Wtxid) {
        let Some(orphan) = self.orphans.remove(wtxid) else {
            return;
        };
        let bytes = u64::from(orphan.transaction.bytes());
        self.bytes -= bytes;
        for (peer, place) in orphan.senders {
            self.close_entry(peer, place, bytes);
        }
        for input in orphan.transaction.inputs() {
            if let Some(children) = self.children.get_mut(&input.txid) {
                children.remove(wtxid);
                if children.is_empty() {
                    self.children.remove(&input.txid);
                }
            }
        }
    }

    /// The peer is gone, and with it what was on its account alone.
    pub fn remove_peer(&mut self, peer: NodeId) {
        let Some(account) = self.accounts.get(&peer) else {
            return;
        };
        let held: Vec<Wtxid> = account.oldest_first.values().copied().collect();
        for wtxid in held {
            self.release(peer, &wtxid);
        }
    }

    /// The orphans that spend an output of this transaction, each with the first peer that has it on its account; in the order of their names.
    #[must_use]
    pub fn children_of(&self, parent: &Txid) -> Vec<(NodeId, Arc<Transaction>)> {
        let children = self.children.get(parent).into_iter().flatten();
        let orphans = children.map(|wtxid| &self.orphans[wtxid]);
        orphans
            .map(|orphan| (orphan.first_sender(), Arc::clone(&orphan.transaction)))
            .collect()
    }

    /// Whether it is kept.
    #[must_use]
    pub fn contains(&self, wtxid: &Wtxid) -> bool {
        self.orphans.contains_key(wtxid)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.orphans.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orphans.is_empty()
    }

    /// Whether nothing is kept on this peer's account.
    #[must_use]
    pub fn is_empty_of(&self, peer: NodeId) -> bool {
        !self.accounts.contains_key(&peer)
    }

    fn make_room(&mut self, peer: NodeId) {
        while self
            .accounts
            .get(&peer)
            .is_some_and(|account| account.bytes > MAX_ORPHAN_BYTES_PER_PEER)
        {
            self.evict_from(peer);
        }
        while self.orphans.len() > MAX_ORPHANS || self.bytes > MAX_ORPHAN_BYTES {
            self.evict_from(self.heaviest());
        }
    }

    /// The account nearest to its fair share of either bound; of equals the highest number.
    fn heaviest(&self) -> NodeId {
        let weight = |account: &Account| {
            let count = account.oldest_first.len() as u64 * MAX_ORPHAN_BYTES;
            let bytes = account.bytes * MAX_ORPHANS as u64;
            count.max(bytes)
        };
        let heaviest = self.accounts.iter().max_by_key(|(id, account)| (weight(account), **id));
        *heaviest.expect("orphans are on somebody's account").0
    }

    fn evict_from(&mut self, peer: NodeId) {
        let oldest = self.accounts[&peer].oldest_first.first_key_value();
        let wtxid = *oldest.expect("an account that is kept holds something").1;
        self.release(peer, &wtxid);
    }

    /// Takes an orphan off one account, and drops it when it was the last.
    fn release(&mut self, peer: NodeId, wtxid: &Wtxid) {
        let orphan = self
            .orphans
            .get_mut(wtxid)
            .expect("accounts list orphans that are kept");
        if orphan.senders.len() == 1 {
            self.remove(wtxid);
            return;
        }
        let place = orphan.senders.remove(&peer).expect("accounts and senders agree");
        let bytes = u64::from(orphan.transaction.bytes());
        self.close_entry(peer, place, bytes);
    }

    fn close_entry(&mut self, peer: NodeId, place: u64, bytes: u64) {
        let account = self.accounts.get_mut(&peer).expect("senders have an account");
        account.oldest_first.remove(&place);
        account.bytes -= bytes;
        if account.oldest_first.is_empty() {
            self.accounts.remove(&peer);
        }
    }
}

impl Orphan {
    fn first_sender(&self) -> NodeId {
        let first = self.senders.iter().min_by_key(|(_, place)| **place);
        *first.expect("an orphan that is kept has a sender").0
    }
}

#[cfg(test)]
mod tests;
