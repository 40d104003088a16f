//! Announcements of transactions that tell a node nothing new: with payments, the most common message there is.

use base::{NodeId, Time};
use chain::{Ledger, Wtxid};

use crate::{Node, Strategy};

impl Node {
    /// Whether all that follows from announcements of a transaction is that their senders have it, and may be asked for it: it waits here for a block,
    /// or somebody is asked for it. It stays so until the node hears or does something else about that transaction.
    #[must_use]
    pub fn is_calm_about_transaction(&self, wtxid: &Wtxid) -> bool {
        self.config.strategy == Strategy::Honest
            && (self.pool.get_by_wtxid(wtxid).is_some() || self.relay.fetch.is_asked(wtxid))
    }

    /// Takes in a peer's announcement of a transaction about which it is calm, at any time before its next input.
    ///
    /// # Panics
    /// When it was not calm.
    pub fn note_transaction(&mut self, ledger: &Ledger, (at, peer): (Time, NodeId), wtxid: &Wtxid) {
        let deadline = self.relay.fetch.deadline();
        self.hear_of(ledger, (at, peer), std::slice::from_ref(wtxid));
        assert_eq!(self.relay.fetch.deadline(), deadline, "nobody is to be asked for it");
    }

    /// A peer has these transactions.
    pub(crate) fn hear_of(&mut self, ledger: &Ledger, (at, peer): (Time, NodeId), wtxids: &[Wtxid]) {
        let is_syncing = self.is_syncing_at(ledger, at);
        for wtxid in wtxids {
            self.relay.has(&self.peers, peer, wtxid);
            let is_settled = self.pool.get_by_wtxid(wtxid).is_some() || self.relay.is_settled(wtxid);
            if !is_settled
                && !is_syncing
                && let Some(announcer) = self.peers.ready(peer)
            {
                self.relay.fetch.announced(peer, *wtxid, announcer.outbound, at);
            }
        }
    }
}
