//! What concerns transactions alone, so that the node need not look at the rest of itself: with payments, nearly all that happens.

use base::{NodeId, Time};
use chain::{Ledger, Wtxid};
use gossip::Message;

use crate::context::Context;
use crate::{Input, Node, Output, Strategy};

impl Node {
    /// Takes in an input that concerns transactions alone, or asks for items, when nothing else is due; whether it was one. It is what
    /// [`Node::handle`] does, without a look at what cannot have changed.
    pub(crate) fn only_pays(&mut self, cx: &mut Context<'_>, input: &Input) -> bool {
        let is_due = |deadline: Option<(Time, _)>| deadline.is_some_and(|(at, _)| at <= cx.now);
        if self.config.strategy != Strategy::Honest || is_due(self.deadline_without_payments) {
            return false;
        }
        let before = cx.out.len();
        let mut only_serves = false;
        if let Input::Received { peer, message } = input {
            if is_due(self.deadline) || self.peers.ready(*peer).is_none() || !is_payment(message) {
                return false;
            }
            cx.received(*peer, message);
            if let Message::Get(items) = message {
                self.get(cx, *peer, items);
                only_serves = true;
            } else if let Message::Announce(wtxids) = message {
                self.announced(cx, *peer, wtxids);
            } else if let Message::Transaction(transaction) = message {
                self.transaction(cx, *peer, transaction);
            }
        } else if matches!(input, Input::Tick) {
            self.drop_late_transactions(cx);
            self.send_announcements(cx);
        } else {
            return false;
        }
        let has_dropped_somebody = cx.out[before..]
            .iter()
            .any(|output| matches!(output, Output::Hangup { .. }));
        if has_dropped_somebody {
            self.follow_up(cx, self.knowledge.tip());
            self.set_deadline();
        } else if !only_serves {
            self.send_transaction_requests(cx);
            self.refresh_template(cx);
            self.set_deadline_of_payments();
        }
        true
    }

    /// Whether all peers are known to have a transaction, so that it says nothing at all when one of them announces it.
    #[must_use]
    pub fn all_have(&self, wtxid: &Wtxid) -> bool {
        self.pool.get_by_wtxid(wtxid).is_some() && self.relay.all_have(wtxid)
    }

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

const fn is_payment(message: &Message) -> bool {
    matches!(
        message,
        Message::Get(_) | Message::Announce(_) | Message::Transaction(_)
    )
}
