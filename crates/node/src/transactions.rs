//! Transactions from peers and wallets: announced, asked for, checked, kept, announced on.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use base::{NodeId, Rng, Seed, Time};
use chain::{BlockRef, OutPoint, Transaction, Txid, Wtxid};
use gossip::limits::MAX_ITEMS;
use gossip::{Item, Known, Message, Offence, Orphans, TransactionFetch};

use crate::announcements::Announcements;
use crate::context::Context;
use crate::limits::{ANNOUNCE_DELAY, MAX_PARENTS_ASKED};
use crate::mempool::{Admitted, Chain, Mempool, Refusal};
use crate::peers::Peers;
use crate::reorg::body_of;
use crate::{Event, Node};

/// Transactions on their way.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) fetch: TransactionFetch,
    pub(crate) orphans: Orphans,
    /// Refused since the tip last changed; not asked for again.
    rejected: Known<Wtxid>,
    pub(crate) announcements: Announcements,
    /// When queued announcements go out.
    pub(crate) announce_at: Option<Time>,
    pub(crate) rng: Rng,
}

/// How long announcements wait for others.
pub(crate) fn announce_delay(rng: &mut Rng) -> Duration {
    let micros = u64::try_from(ANNOUNCE_DELAY.as_micros()).expect("a tenth of a second");
    Duration::from_micros(rng.below(micros))
}

impl Relay {
    pub(crate) fn new(seed: &Seed, secret: [u64; 2]) -> Self {
        Self {
            fetch: TransactionFetch::new(secret),
            orphans: Orphans::new(),
            rejected: Known::new(),
            announcements: Announcements::default(),
            announce_at: None,
            rng: seed.child("announce", 0).rng(),
        }
    }

    /// Whether nothing is known that could be asked for, waits for a parent, or was refused of late.
    pub(crate) fn is_idle(&self) -> bool {
        self.fetch.is_empty() && self.orphans.is_empty() && self.rejected.is_empty() && self.announce_at.is_none()
    }

    pub(crate) fn has_no_orphans(&self) -> bool {
        self.orphans.is_empty()
    }

    /// Whether nothing is known but what may be asked for, what all peers are to be told of, and what was refused.
    pub(crate) fn is_plain(&self) -> bool {
        self.orphans.is_empty() && self.fetch.is_plain() && self.announcements.has_no_newcomers()
    }

    /// Whether a transaction need not be asked for, though it does not wait for a block here.
    pub(crate) fn is_settled(&self, wtxid: &Wtxid) -> bool {
        self.rejected.contains(wtxid) || self.orphans.contains(wtxid)
    }

    /// What was refused since the last block.
    pub(crate) const fn rejected(&self) -> &Known<Wtxid> {
        &self.rejected
    }

    /// The peer is gone, and all that was kept of it.
    pub(crate) fn remove_peer(&mut self, peer: NodeId) {
        self.fetch.remove_peer(peer);
        self.orphans.remove_peer(peer);
        self.announcements.remove_peer(peer);
    }

    /// Sets the time of the next announcements, unless it is set. Random, so that a spy with many connections cannot tell who was first.
    fn schedule(&mut self, now: Time) {
        if self.announce_at.is_none() {
            self.announce_at = Some(now + announce_delay(&mut self.rng));
        }
    }
}

impl Node {
    /// A peer has these transactions.
    pub(crate) fn announced(&mut self, cx: &mut Context<'_>, peer: NodeId, wtxids: &[Wtxid]) {
        if wtxids.len() > MAX_ITEMS {
            let detail = format!("{} transactions in one announcement", wtxids.len());
            self.penalise(cx, peer, Offence::Flooding, detail);
            return;
        }
        self.hear_of(cx.ledger, (cx.now, peer), wtxids);
    }

    /// A transaction came from a peer.
    pub(crate) fn transaction(&mut self, cx: &mut Context<'_>, peer: NodeId, transaction: &Arc<Transaction>) {
        let (txid, wtxid) = (transaction.txid(), transaction.wtxid());
        let mut was_asked = self.relay.fetch.received(peer, &wtxid);
        let mut was_owed = false;
        if let Some(sender) = self.peers.ready_mut(peer) {
            was_asked |= sender.settles_parent(&txid);
            was_owed = sender.settles(&Item::Transaction(wtxid));
        }
        if !was_asked {
            if was_owed {
                // The second answer to a question that was asked twice.
                return;
            }
            let detail = format!("transaction {txid}, which nobody asked for");
            self.penalise(cx, peer, Offence::Unexpected, detail);
            return;
        }
        match self.pool.find(&wtxid) {
            Some(row) => note_holder((&self.peers, &mut self.pool), peer, row),
            None => self.take_transaction(cx, Some(peer), transaction),
        }
        self.relay.fetch.forget(&wtxid);
    }

    /// Checks a transaction and keeps it, or not; then what waited for it. `from` is none for a wallet's.
    pub(crate) fn take_transaction(
        &mut self,
        cx: &mut Context<'_>,
        from: Option<NodeId>,
        transaction: &Arc<Transaction>,
    ) {
        match (self.admit(cx, transaction), from) {
            (Ok(admitted), _) => {
                self.keep(cx, from, transaction, admitted);
                self.retry_orphans(cx, [transaction.txid()]);
            }
            (Err(Refusal::MissingInputs(missing)), Some(peer)) => {
                self.hold_orphan(cx, peer, transaction, &missing);
            }
            (Err(refusal), _) => self.refuse_transaction(cx, from, transaction, &refusal),
        }
    }

    fn admit(&mut self, cx: &mut Context<'_>, transaction: &Arc<Transaction>) -> Result<Admitted, Refusal> {
        let tip = self.knowledge.tip();
        let mut chain = Chain { ledger: cx.ledger, tip };
        self.pool.admit(&mut chain, cx.now, transaction)
    }

    /// Tells what an admission changed, and announces the newcomer.
    fn keep(&mut self, cx: &mut Context<'_>, from: Option<NodeId>, transaction: &Arc<Transaction>, admitted: Admitted) {
        let txid = transaction.txid();
        for (replaced, fee) in admitted.replaced {
            cx.emit(Event::TxReplaced {
                txid: replaced,
                by: txid,
                fee,
                new_fee: admitted.fee,
            });
        }
        self.emit_evicted(cx, admitted.evicted);
        let Some(row) = admitted.kept else {
            self.refuse_transaction(cx, from, transaction, &Refusal::Full);
            return;
        };
        cx.emit(Event::TxAccepted {
            txid,
            bytes: transaction.bytes(),
            fee: admitted.fee,
            from,
        });
        let wtxid = transaction.wtxid();
        for peer in self.relay.fetch.announcers(&wtxid).chain(from) {
            note_holder((&self.peers, &mut self.pool), peer, row);
        }
        self.queue_announcement(cx, wtxid, row);
        self.miner.mempool_changed(cx.now, self.config.hashrate);
    }

    fn refuse_transaction(
        &mut self,
        cx: &mut Context<'_>,
        from: Option<NodeId>,
        transaction: &Transaction,
        refusal: &Refusal,
    ) {
        self.relay.rejected.insert(transaction.wtxid());
        cx.emit(Event::TxRejected {
            txid: transaction.txid(),
            from,
            reason: refusal.word(),
            detail: refusal.to_string(),
            conflicts_with: refusal.conflict(),
        });
        if let Some(peer) = from.filter(|_| refusal.is_offence()) {
            self.penalise(cx, peer, Offence::InvalidTransaction, refusal.to_string());
        }
    }

    /// Keeps a transaction whose inputs nobody has seen, and asks its sender for its parents.
    fn hold_orphan(
        &mut self,
        cx: &mut Context<'_>,
        peer: NodeId,
        transaction: &Arc<Transaction>,
        missing: &[OutPoint],
    ) {
        let Some(sender) = self.peers.ready_mut(peer) else {
            return;
        };
        if !self.relay.orphans.insert(peer, transaction) {
            return;
        }
        let parents_asked = sender.parents_asked();
        let parents: BTreeSet<Txid> = missing.iter().map(|outpoint| outpoint.txid).collect();
        let mut asked = Vec::new();
        for parent in parents {
            if parents_asked.len() < MAX_PARENTS_ASKED && parents_asked.insert(parent) {
                asked.push(parent);
            }
        }
        self.request(cx, peer, asked.into_iter().map(Item::Parent));
    }

    /// Looks again at the orphans of transactions that have come, and at theirs in turn.
    fn retry_orphans(&mut self, cx: &mut Context<'_>, parents: impl IntoIterator<Item = Txid>) {
        if self.relay.orphans.is_empty() {
            return;
        }
        let mut open: VecDeque<Txid> = parents.into_iter().collect();
        while let Some(parent) = open.pop_front() {
            for (sender, orphan) in self.relay.orphans.children_of(&parent) {
                match self.admit(cx, &orphan) {
                    Ok(admitted) => {
                        self.relay.orphans.remove(&orphan.wtxid());
                        self.keep(cx, Some(sender), &orphan, admitted);
                        open.push_back(orphan.txid());
                    }
                    Err(Refusal::MissingInputs(_)) => {}
                    Err(refusal) => {
                        self.relay.orphans.remove(&orphan.wtxid());
                        self.refuse_transaction(cx, Some(sender), &orphan, &refusal);
                    }
                }
            }
        }
    }

    /// Blocks joined the chain: what was refused may be valid now, and what they confirm is settled.
    pub(crate) fn transactions_confirmed(&mut self, cx: &mut Context<'_>, connected: &[BlockRef]) {
        self.relay.rejected = Known::new();
        for block in connected {
            let body = body_of(cx, *block);
            for transaction in &body.transactions {
                self.relay.fetch.forget(&transaction.wtxid());
                self.relay.orphans.remove(&transaction.wtxid());
            }
            self.retry_orphans(cx, body.transactions.iter().map(|transaction| transaction.txid()));
        }
    }

    /// Will tell every peer about a transaction in a row of the mempool that is not known to have it.
    pub(crate) fn queue_announcement(&mut self, cx: &mut Context<'_>, wtxid: Wtxid, row: u32) {
        let lacks_it = |(at, _): (usize, NodeId)| !self.pool.has_holder(row, at);
        if self.peers.all_ready_in_place().any(lacks_it) && self.relay.announcements.queue(wtxid) {
            self.relay.schedule(cx.now);
        }
    }

    /// Will tell a new peer about all that waits here, so that what was sent while nobody listened reaches the network.
    pub(crate) fn queue_mempool_for(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        if self.pool.is_empty() || self.peers.ready(peer).is_none() {
            return;
        }
        self.relay.schedule(cx.now);
        self.relay.announcements.add_peer(peer, self.pool.by_arrival());
    }

    /// Sends the announcements that have been queued.
    pub(crate) fn send_announcements(&mut self, cx: &mut Context<'_>) {
        if self.relay.announce_at.is_none_or(|at| at > cx.now) {
            return;
        }
        self.relay.announce_at = None;
        let whose = (&self.peers, &mut self.pool);
        self.relay
            .announcements
            .take(whose, |peer, wtxids| cx.send(peer, Message::Announce(wtxids)));
    }

    /// Drops transactions that have waited too long, and turns to the next announcer of those that did not come.
    pub(crate) fn drop_late_transactions(&mut self, cx: &mut Context<'_>) {
        let expired = self.pool.expire(cx.now);
        if !expired.is_empty() {
            self.miner.mempool_changed(cx.now, self.config.hashrate);
        }
        self.emit_evicted(cx, expired);
        let mut late: BTreeSet<NodeId> = BTreeSet::new();
        for (peer, _) in self.relay.fetch.overdue(cx.now) {
            late.insert(peer);
        }
        for peer in late {
            let detail = "transactions were announced, asked for and did not come".to_owned();
            self.penalise(cx, peer, Offence::Stalled, detail);
        }
    }
}

/// A peer has what is in a row of the mempool.
pub(crate) fn note_holder((peers, pool): (&Peers, &mut Mempool), peer: NodeId, row: u32) {
    if let Some((at, _)) = peers.ready_at(peer) {
        pool.add_holder(row, at);
    }
}
