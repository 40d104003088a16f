//! From a node to its courier, and back.

use std::collections::VecDeque;

use base::{NodeId, Time};
use chain::Ledger;
use gossip::{Item, Request};

use super::{Courier, Place, Queued, Said, Satchel, Wanted};
use crate::limits::{MAX_COURIER_PEERS, MAX_REFUSED_OF_COURIER, MAX_WANTED_BY_COURIER};
use crate::payments::{Far, PaymentRef, Payments};
use crate::peers::{Peer, Stage};
use crate::{Node, Strategy};

impl Node {
    /// Leaves payments to a courier, when all that concerns them can be said shortly: no orphan and few that were refused of late, nobody who owes an answer
    /// that is not waited for, a mempool with room, and a search for blocks that goes on. The node keeps what waited before; what it waits for goes over.
    ///
    /// Of payments from `base` on the node has those about which it is known to be calm. The satchel, which is of the last courier, is left empty where there is a new one.
    pub fn hire(
        &mut self,
        ledger: &Ledger,
        payments: &mut Payments,
        (base, satchel): (PaymentRef, &mut Satchel),
    ) -> Option<Courier> {
        let tip = self.knowledge.tip();
        let is_plain = self.is_drawn && !self.tells_messages && self.config.strategy == Strategy::Honest;
        let is_up_to_date = || !self.is_behind(ledger) && ledger.is_ancestor(payments.settled(), tip);
        let hashrate = self.config.hashrate;
        if !is_plain || !is_up_to_date() || !self.miner.goes_on(hashrate) || !self.relay.is_plain() {
            return None;
        }
        let room = self.pool.plain_room()?;
        let sequence = u32::try_from(self.pool.next_sequence()).ok()?;
        let (peers, outbound) = self.courier_peers()?;
        let queue = self.queued_plainly(payments)?;
        let (wanted, said) = self.wanted_plainly(payments, &peers)?;
        let refused = self.refused_plainly(payments, &wanted)?;
        self.hand_over(payments, (&peers, &wanted), &refused);
        let mut courier = Courier {
            node: self.id,
            tip,
            base,
            peers,
            outbound,
            min_relay_fee: self.config.min_relay_fee,
            room,
            renews: self.miner.renews(hashrate),
            refresh_at: self.miner.refresh_at.unwrap_or(Time::MAX),
            refreshed_at: self.miner.refreshed_at,
            otherwise_due: self.deadline_without_payments.map_or(Time::MAX, |(at, _)| at),
            expiry: self.pool.deadline().unwrap_or(Time::MAX),
            announce_at: self.relay.announce_at.take().unwrap_or(Time::MAX),
            rng: self.relay.rng.clone(),
            wanted,
            said,
            queue,
            satchel: std::mem::take(satchel),
            sequence,
            served: VecDeque::new(),
            refused,
            deadline: Time::MAX,
        };
        courier.set_deadline();
        Some(courier)
    }

    /// What all peers are to be told of, where each of it is here and stands there once.
    fn queued_plainly(&self, payments: &Payments) -> Option<Vec<Queued>> {
        let queue = self.relay.announcements.waiting().iter().map(|wtxid| {
            let row = self.pool.find(wtxid)?;
            let holders = self.pool.holders(row);
            let payment = payments.find(wtxid)?;
            Some(Queued { payment, holders })
        });
        let queue = queue.collect::<Option<Vec<Queued>>>()?;
        // After a reorg one may be queued for the second time.
        let is_repeated = |at: usize| queue[..at].iter().any(|queued| queued.payment == queue[at].payment);
        (!(0..queue.len()).any(is_repeated)).then_some(queue)
    }

    /// What is wanted, and who may be asked for it, where all of it was seen and each peer owes what is waited for.
    fn wanted_plainly(&self, payments: &Payments, peers: &[NodeId]) -> Option<(Vec<Wanted>, Vec<Said>)> {
        let place = |peer: NodeId| Place::try_from(peers.binary_search(&peer).ok()?).ok();
        let (mut wanted, mut said) = (Vec::new(), Vec::new());
        for request in self.relay.fetch.in_hand() {
            // One that is here was sent by a wallet meanwhile, or a block held it that was given up.
            if wanted.len() == MAX_WANTED_BY_COURIER || self.has_transaction(&request.wtxid) {
                return None;
            }
            let payment = payments.find(&request.wtxid)?;
            let first = request.announcers.iter().map(|(_, _, not_before)| *not_before).min();
            let (of, until) = match request.asked {
                Some((peer, until)) => (Some(place(peer)?), until),
                None => (None, first?),
            };
            let mut heard = of.map_or(0, |of| 1 << of);
            for (peer, _, not_before) in request.announcers {
                let by = place(peer)?;
                heard |= 1 << by;
                said.push(Said {
                    payment,
                    by,
                    not_before,
                });
            }
            wanted.push(Wanted {
                payment,
                of,
                until,
                heard,
            });
        }
        let owes_it = |(at, peer): (usize, &NodeId)| {
            let asked = wanted.iter().filter(|wanted| wanted.of.map(usize::from) == Some(at));
            let row = self.peers.get(*peer);
            row.is_some_and(|row| row.transactions_owed() >= asked.count())
        };
        peers.iter().enumerate().all(owes_it).then_some((wanted, said))
    }

    /// What was refused since the last block of what was seen, where it is little and nobody is asked for it. A peer that announces it says nothing new.
    fn refused_plainly(&self, payments: &Payments, wanted: &[Wanted]) -> Option<Vec<PaymentRef>> {
        let rejected = self.relay.rejected();
        if rejected.len() > MAX_REFUSED_OF_COURIER {
            return None;
        }
        // A wallet's that was refused may have been here, or be here by now.
        let refused = rejected.iter().filter(|wtxid| !self.has_transaction(wtxid));
        let refused: Vec<PaymentRef> = refused.filter_map(|wtxid| payments.find(wtxid)).collect();
        let is_wanted = |payment: &PaymentRef| wanted.iter().any(|wanted| wanted.payment == *payment);
        (!refused.iter().any(is_wanted)).then_some(refused)
    }

    /// What is wanted, and what all peers are to be told of, is a courier's from now on.
    fn hand_over(&mut self, payments: &mut Payments, (peers, wanted): (&[NodeId], &[Wanted]), refused: &[PaymentRef]) {
        for payment in refused {
            payments.set_far(*payment, self.id, Far::Asked);
        }
        self.relay.fetch.clear();
        self.relay.announcements.clear();
        for Wanted { payment, of, .. } in wanted {
            let Some(of) = of else {
                payments.set_far(*payment, self.id, Far::Heard);
                continue;
            };
            payments.set_far(*payment, self.id, Far::Asked);
            if let Some(peer) = self.peers.ready_mut(peers[usize::from(*of)]) {
                peer.settles(&Item::Transaction(payments.wtxid(*payment)));
            }
        }
    }

    /// Its peers, and which of them are outbound, where a courier can deal with them.
    fn courier_peers(&self) -> Option<(Box<[NodeId]>, u64)> {
        let is_plain = |row: &Peer| row.stage == Stage::Ready && row.is_asked_for_no_parents();
        let peers: Box<[NodeId]> = self.peers.all().map(|(id, _)| id).collect();
        let may_be = (1..=MAX_COURIER_PEERS).contains(&peers.len()) && self.peers.all().all(|(_, row)| is_plain(row));
        let bits = self.peers.all().enumerate();
        may_be.then(|| (peers, bits.map(|(at, (_, row))| u64::from(row.outbound) << at).sum()))
    }

    /// Takes over from a courier: what it waited for is waited for here, and what it is to tell of is told of here. What else it took in waits here as well, and stays in
    /// its satchel, until it is [unpacked](Node::unpack).
    ///
    /// # Panics
    /// When the courier is not this node's, or its peers are others by now.
    pub fn relieve(&mut self, ledger: &Ledger, payments: &mut Payments, mut courier: Courier) -> Satchel {
        assert_eq!(courier.node, self.id, "a courier has one node");
        self.pool.set_next_sequence(courier.sequence.into());
        self.pool.note_elsewhere(&courier.satchel);
        if !courier.queue.is_empty() {
            let queue = courier.queue.iter().map(|queued| queued.payment);
            let relatives = payments.relatives(ledger, queue);
            self.unpack(payments, &mut courier.satchel, |payment| relatives.contains(&payment));
        }
        for Queued { payment, holders } in &courier.queue {
            let wtxid = payments.wtxid(*payment);
            let row = self.pool.find(&wtxid).expect("it was taken in, or here before");
            self.pool.set_holders(row, *holders);
            self.relay.announcements.queue(wtxid);
        }
        for service in &courier.served {
            let item = Item::Transaction(payments.wtxid(service.payment));
            let peer = self.peers.ready_mut(courier.peer(service.to));
            peer.expect("its peers are the same").served.count(item, service.at);
        }
        for payment in &courier.refused {
            payments.set_far(*payment, self.id, Far::Nothing);
        }
        for wanted in &courier.wanted {
            let wtxid = payments.wtxid(wanted.payment);
            let said = courier.said.iter().filter(|said| said.payment == wanted.payment);
            let announcers = said.map(|said| (courier.peer(said.by), !courier.is_outbound(said.by), said.not_before));
            let asked = wanted.of.map(|of| (courier.peer(of), wanted.until));
            payments.set_far(wanted.payment, self.id, Far::Nothing);
            if let Some((peer, _)) = asked {
                let peer = self.peers.ready_mut(peer).expect("its peers are the same");
                peer.owes(&Item::Transaction(wtxid));
            }
            self.relay.fetch.put_back(Request {
                wtxid,
                announcers: announcers.collect(),
                asked,
            });
        }
        let time = |at: Time| (at < Time::MAX).then_some(at);
        self.relay.announce_at = time(courier.announce_at);
        self.relay.rng = courier.rng;
        self.miner.refresh_at = time(courier.refresh_at);
        self.miner.refreshed_at = courier.refreshed_at;
        self.set_deadline_of_payments();
        courier.satchel
    }

    /// Whether a transaction waits for a block here. Of what a courier has taken in only that knows.
    #[must_use]
    pub fn has_transaction(&self, wtxid: &chain::Wtxid) -> bool {
        self.pool.find(wtxid).is_some()
    }

    /// Whether it waits here, and was not sent to this peer of late.
    #[must_use]
    pub fn has_not_sent(&self, peer: NodeId, wtxid: &chain::Wtxid) -> bool {
        let was_sent = |row: &Peer| row.served.has(&Item::Transaction(*wtxid));
        self.has_transaction(wtxid) && !self.peers.ready(peer).is_none_or(was_sent)
    }

    /// A transaction that waits for a block here.
    #[must_use]
    pub fn transaction_named(&self, txid: &chain::Txid) -> Option<&std::sync::Arc<chain::Transaction>> {
        self.pool.get(txid)
    }
}

const _: () = assert!(MAX_WANTED_BY_COURIER <= gossip::limits::MAX_ANNOUNCED_IN_ALL / MAX_COURIER_PEERS);
