//! What concerns transactions alone, so that the node need not look at the rest of itself: with payments, nearly all that happens.

use base::{NodeId, Time};
use chain::{Ledger, Wtxid};
use gossip::Message;
use gossip::limits::MAX_ITEMS;

use crate::context::Context;
use crate::{Input, Node, Output, Strategy};

impl Node {
    /// Takes in a peer's announcement of transactions about which it is calm ([`Node::is_calm_about_transaction`]); whether it was one. Nothing else is done
    /// that may be due.
    pub(crate) fn hears_calmly(&mut self, cx: &mut Context<'_>, input: &Input) -> bool {
        let Input::Received { peer, message } = input else {
            return false;
        };
        let Message::Announce(wtxids) = message else {
            return false;
        };
        let Some(announcer) = self.peers.ready(*peer).filter(|_| wtxids.len() <= MAX_ITEMS) else {
            return false;
        };
        let is_calm = |wtxid: &Wtxid| self.is_calm_about_transaction(announcer.outbound, wtxid);
        if !wtxids.iter().all(is_calm) {
            return false;
        }
        cx.received(*peer, message);
        self.hear_of(cx.ledger, (cx.now, *peer), wtxids);
        true
    }

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

    /// Whether all that follows from a peer's announcement of a transaction is that the peer has it, and may be asked for it: it waits here for a block,
    /// or was refused since the last one, or somebody is asked for it, or it waits for an outbound peer to announce it and this one is not. It stays so until the node hears or does
    /// something else about that transaction.
    fn is_calm_about_transaction(&self, outbound: bool, wtxid: &Wtxid) -> bool {
        let fetch = &self.relay.fetch;
        let is_wanted = || {
            if outbound {
                fetch.is_asked(wtxid)
            } else {
                fetch.is_wanted(wtxid)
            }
        };
        let is_known = || self.pool.find(wtxid).is_some() || self.relay.rejected().contains(wtxid);
        self.config.strategy == Strategy::Honest && (is_known() || is_wanted())
    }

    /// A peer has these transactions.
    pub(crate) fn hear_of(&mut self, ledger: &Ledger, said: (Time, NodeId), wtxids: &[Wtxid]) {
        for wtxid in wtxids {
            self.hear(ledger, said, (wtxid, self.pool.find(wtxid)));
        }
    }

    /// A peer has this transaction, which may be in a row of the mempool.
    fn hear(&mut self, ledger: &Ledger, (at, peer): (Time, NodeId), (wtxid, row): (&Wtxid, Option<u32>)) {
        let Some((place, announcer)) = self.peers.ready_at(peer) else {
            return;
        };
        if let Some(row) = row {
            self.pool.add_holder(row, place);
        } else if !self.relay.is_settled(wtxid) && !self.is_syncing_at(ledger, at) {
            self.relay.fetch.announced(peer, *wtxid, announcer.outbound, at);
        }
    }
}

const fn is_payment(message: &Message) -> bool {
    matches!(
        message,
        Message::Get(_) | Message::Announce(_) | Message::Transaction(_)
    )
}
