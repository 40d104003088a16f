//! What a node does about payments while nothing else happens to it, in short: hears of them, asks for them, takes them in, tells of them and serves them.
//!
//! The definition is [`Node::handle`](crate::Node::handle). A courier is hired by a node of which all that concerns payments can be said shortly ([`Node::hire`](crate::Node::hire)), does
//! what the node would do, and leaves to the node what is out of the ordinary: then the node takes over with what came of it
//! ([`Node::relieve`](crate::Node::relieve)). Facts about payments stand in [`Payments`], once for all nodes; of a payment that
//! has been told of, nothing is left here but that it was taken in.

mod glance;
mod hire;
mod satchel;
mod unpacking;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Deref;
use std::sync::Arc;

use base::{NodeId, Rng, Time};
use chain::{BlockRef, Ledger, Wtxid};
use gossip::limits::{INBOUND_DELAY, TRANSACTION_TIMEOUT};

use crate::limits::{
    MAX_QUEUED_ANNOUNCEMENTS, MAX_WANTED_BY_COURIER, MEMPOOL_EXPIRY, SERVED_REMEMBERED, TEMPLATE_INTERVAL,
};
use crate::mempool::fee_at;
use crate::payments::{Far, PaymentRef, Payments, Terms};
use crate::transactions::announce_delay;

pub use self::satchel::Satchel;
use self::satchel::Taken;
pub use self::unpacking::Unpacking;

/// A peer, by its place among the node's peers.
pub type Place = u16;

/// Some payments, in the order in which they are named: nearly always it is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum List {
    /// One payment.
    One(PaymentRef),
    /// Any number of them.
    Many(Arc<[PaymentRef]>),
}

impl List {
    /// These payments.
    #[must_use]
    pub fn of(payments: &[PaymentRef]) -> Self {
        match payments {
            [payment] => Self::One(*payment),
            payments => Self::Many(payments.into()),
        }
    }
}

impl Deref for List {
    type Target = [PaymentRef];

    fn deref(&self) -> &[PaymentRef] {
        match self {
            Self::One(payment) => std::slice::from_ref(payment),
            Self::Many(payments) => payments,
        }
    }
}

/// Something that a courier sends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// A request.
    Ask(Place, List),
    /// An announcement to some peers, a bit each.
    Tell(u64, List),
    /// A payment.
    Send(Place, PaymentRef),
}

/// See the module's documentation. What is looked at together shares a cache line.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Courier {
    wanted: Vec<Wanted>,
    /// What peers will be told of.
    queue: Vec<Queued>,
    deadline: Time,
    /// Which of them are outbound, a bit each.
    outbound: u64,

    /// Who has announced what is wanted and was not asked for it, in the order of announcements.
    said: Vec<Said>,
    /// These times are [`Time::MAX`] where they are never.
    announce_at: Time,
    /// When something is due that is not a courier's.
    otherwise_due: Time,
    /// When the oldest payment has waited too long.
    expiry: Time,
    refresh_at: Time,
    node: NodeId,
    /// Payments from here on are here where the node is calm about them and they are not wanted. Of those before only the node knows.
    base: PaymentRef,

    /// What has been taken in, in order, and what the next will have for its place.
    satchel: Satchel,
    /// What was sent to whom, in order; the last minute of it at least.
    served: VecDeque<Service>,

    rng: Rng,
    refreshed_at: Time,
    /// What is left of the mempool, in bytes.
    room: usize,
    /// Base units per 1,000 bytes.
    min_relay_fee: u64,
    sequence: u32,
    tip: BlockRef,

    peers: Box<[NodeId]>,
    /// What the node has refused, and would not ask for.
    refused: Vec<PaymentRef>,
    /// Whether a template is to be renewed when the mempool changes.
    renews: bool,
}

/// A payment that is wanted.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    payment: PaymentRef,
    /// Who is asked for it; none while it waits for whom to ask.
    of: Option<Place>,
    until: Time,
    /// Who has announced it, a bit each.
    heard: u64,
}

#[derive(Clone, Copy, Debug)]
struct Said {
    payment: PaymentRef,
    by: Place,
    not_before: Time,
}

/// A payment that is here, and which peers have it.
#[derive(Clone, Copy, Debug)]
struct Queued {
    payment: PaymentRef,
    holders: u64,
}

#[derive(Clone, Copy, Debug)]
struct Service {
    payment: PaymentRef,
    to: Place,
    at: Time,
}

impl Courier {
    /// When something is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        (self.deadline < Time::MAX).then_some(self.deadline)
    }

    /// Where a peer stands among all, most likely at `hint`.
    #[must_use]
    pub fn place(&self, peer: NodeId, hint: Option<usize>) -> Option<Place> {
        let is_there = |at: &usize| self.peers.get(*at) == Some(&peer);
        let at = hint.filter(is_there).or_else(|| self.peers.binary_search(&peer).ok())?;
        Place::try_from(at).ok()
    }

    /// The peer that stands there.
    #[must_use]
    pub fn peer(&self, place: Place) -> NodeId {
        self.peers[usize::from(place)]
    }

    /// Which peers are outbound, a bit each.
    #[must_use]
    pub const fn outbound(&self) -> u64 {
        self.outbound
    }

    const fn is_outbound(&self, place: Place) -> bool {
        self.outbound >> place & 1 == 1
    }

    /// Takes in a peer's announcement of payments about which the node is calm, with its time, in its order.
    pub fn note(&mut self, (at, by): (Time, Place), list: &[PaymentRef]) {
        for payment in list {
            if let Some(queued) = self.queue.iter_mut().find(|queued| queued.payment == *payment) {
                queued.holders |= 1 << by;
            } else if let Some(wanted) = self.wanted_place(*payment) {
                self.announced(wanted, (at, by));
            }
        }
    }

    /// A peer has announced payments. Whether that was ordinary: otherwise nothing has changed.
    pub fn hear(
        &mut self,
        payments: &mut Payments,
        (now, by): (Time, Place),
        list: &[PaymentRef],
        out: &mut Vec<Delivery>,
    ) -> bool {
        let whose = (self.node, self.base);
        if payments.are_calm(whose, self.is_outbound(by), list) {
            self.note((now, by), list);
            return true;
        }
        let has_room = self.wanted.len() + list.len() <= MAX_WANTED_BY_COURIER;
        if self.is_late(now) || !has_room || list.iter().any(|payment| *payment < self.base) {
            return false;
        }
        for payment in list {
            if payments.how_far(*payment, self.node) == Far::Asked {
                self.note((now, by), std::slice::from_ref(payment));
                continue;
            }
            let wanted = self.wanted_place(*payment).unwrap_or_else(|| {
                payments.set_far(*payment, self.node, Far::Heard);
                self.wanted.push(Wanted {
                    payment: *payment,
                    of: None,
                    until: Time::MAX,
                    heard: 0,
                });
                self.wanted.len() - 1
            });
            self.announced(wanted, (now, by));
        }
        self.ask(payments, now, out);
        self.go_on(now);
        true
    }

    /// A peer asks for payments. The same as [`Courier::hear`].
    pub fn serve(
        &mut self,
        payments: &mut Payments,
        (now, to): (Time, Place),
        list: &[PaymentRef],
        (may_send, out): (impl Fn(&Wtxid) -> bool, &mut Vec<Delivery>),
    ) -> bool {
        let may_send = |payment: &PaymentRef| self.may_serve(to, *payment, || may_send(&payments.wtxid(*payment)));
        let is_repeated = |at: usize| list[..at].contains(&list[at]);
        if self.is_late(now) || !list.iter().all(may_send) || (1..list.len()).any(is_repeated) {
            return false;
        }
        if self.served.len() + list.len() > self.served.capacity() {
            let is_old = |service: &mut Service| service.at + SERVED_REMEMBERED <= now;
            while self.served.pop_front_if(is_old).is_some() {}
        }
        for payment in list {
            if let Some(at) = self.satchel.place(*payment) {
                self.satchel.taken[at].sent |= 1 << to;
            }
            self.served.push_back(Service {
                payment: *payment,
                to,
                at: now,
            });
            out.push(Delivery::Send(to, *payment));
        }
        if self.deadline <= now {
            // As when anything comes at the very moment at which something is due.
            self.ask(payments, now, out);
            self.go_on(now);
        }
        true
    }

    /// Whether it is here, and was not sent to this peer. What was not taken in of late the node knows of.
    fn may_serve(&self, to: Place, payment: PaymentRef, may_send: impl FnOnce() -> bool) -> bool {
        if let Some(at) = self.satchel.place(payment) {
            return self.satchel.taken[at].sent >> to & 1 == 0;
        }
        let is_it = |service: &Service| (service.payment, service.to) == (payment, to);
        !self.served.iter().any(is_it) && may_send()
    }

    /// A payment has come from a peer: it is taken in, which is [`Event::TxAccepted`](crate::Event::TxAccepted). The same as [`Courier::hear`].
    pub fn take(
        &mut self,
        (payments, ledger): (&mut Payments, &mut Ledger),
        (now, from): (Time, Place),
        payment: PaymentRef,
        (is_here, out): (impl Fn(&Wtxid) -> bool, &mut Vec<Delivery>),
    ) -> bool {
        let Some(wanted) = self.wanted_place(payment) else {
            return false;
        };
        // What was seen before may have come by a block that was given up.
        if self.is_late(now) || payment < self.base || self.wanted[wanted].of != Some(from) {
            return false;
        }
        payments.look_up(ledger, payment, self.tip);
        let Some(Terms { fee, needs }) = payments.terms(payment, self.tip) else {
            return false;
        };
        let (memory, bytes) = (payments.memory(payment), payments.bytes(payment));
        let has_parents = needs.iter().all(|parent| self.has(payments, *parent, &is_here));
        if !has_parents || memory > self.room || *fee < fee_at(self.min_relay_fee, u64::from(bytes)) {
            return false;
        }
        let fee = *fee;
        let holders = self.wanted.swap_remove(wanted).heard | 1 << from;
        self.said.retain(|said| said.payment != payment);
        self.room -= memory;
        let sequence = self.sequence;
        self.sequence += 1;
        let taken = Taken {
            payment,
            sequence,
            at: now,
            fee,
            sent: 0,
        };
        self.satchel.push(payments, taken);
        self.expiry = self.expiry.min(now + MEMPOOL_EXPIRY);
        if holders != self.everybody() && self.queue.len() < MAX_QUEUED_ANNOUNCEMENTS {
            self.queue.push(Queued { payment, holders });
            if self.announce_at == Time::MAX {
                self.announce_at = now + announce_delay(&mut self.rng);
            }
        }
        if self.renews {
            let due = now.max(self.refreshed_at + TEMPLATE_INTERVAL);
            self.refresh_at = self.refresh_at.min(due);
        }
        self.ask(payments, now, out);
        self.go_on(now);
        true
    }

    /// Whether a payment waits in the mempool.
    fn has(&self, payments: &Payments, payment: PaymentRef, is_here: impl Fn(&Wtxid) -> bool) -> bool {
        if payment >= self.base {
            let is_settled = payments.how_far(payment, self.node) == Far::Asked && self.wanted_place(payment).is_none();
            is_settled && !self.refused.contains(&payment)
        } else {
            is_here(&payments.wtxid(payment))
        }
    }

    /// The time has come for something. The same as [`Courier::hear`].
    pub fn tick(&mut self, payments: &mut Payments, now: Time, out: &mut Vec<Delivery>) -> bool {
        if self.is_late(now) {
            return false;
        }
        if self.announce_at <= now {
            self.announce_at = Time::MAX;
            self.tell(out);
        }
        self.ask(payments, now, out);
        self.go_on(now);
        true
    }

    /// Tells each peer of what it is not known to have.
    fn tell(&mut self, out: &mut Vec<Delivery>) {
        if let [Queued { payment, holders }] = self.queue[..] {
            out.push(Delivery::Tell(self.everybody() & !holders, List::One(payment)));
            self.queue.clear();
            return;
        }
        // Most are told of the same in a row.
        let mut told = (0, Vec::new());
        let mut lacking = Vec::new();
        for place in self.places() {
            let queue = self.queue.iter().filter(|queued| queued.holders >> place & 1 == 0);
            lacking.clear();
            lacking.extend(queue.map(|queued| queued.payment));
            if lacking.is_empty() {
                continue;
            }
            if lacking != told.1 {
                out.extend((told.0 != 0).then(|| Delivery::Tell(told.0, List::of(&told.1))));
                told.0 = 0;
                std::mem::swap(&mut told.1, &mut lacking);
            }
            told.0 |= 1 << place;
        }
        out.extend((told.0 != 0).then(|| Delivery::Tell(told.0, List::of(&told.1))));
        self.queue.clear();
    }

    fn places(&self) -> std::ops::Range<Place> {
        0..Place::try_from(self.peers.len()).expect("at most as many as a word has bits")
    }

    fn everybody(&self) -> u64 {
        everybody(self.peers.len())
    }

    /// Whether something is due that is out of the ordinary.
    fn is_late(&self, now: Time) -> bool {
        let is_overdue = |wanted: &Wanted| wanted.of.is_some() && wanted.until <= now;
        self.otherwise_due <= now || self.expiry <= now || self.wanted.iter().any(is_overdue)
    }

    fn wanted_place(&self, payment: PaymentRef) -> Option<usize> {
        self.wanted.iter().position(|wanted| wanted.payment == payment)
    }

    /// A peer may be asked for what is wanted, as [`gossip::TransactionFetch::announced`] has it.
    fn announced(&mut self, wanted: usize, (at, by): (Time, Place)) {
        let is_outbound = self.is_outbound(by);
        let wanted = &mut self.wanted[wanted];
        if wanted.heard >> by & 1 == 1 {
            return;
        }
        wanted.heard |= 1 << by;
        let not_before = if is_outbound { at } else { at + INBOUND_DELAY };
        self.said.push(Said {
            payment: wanted.payment,
            by,
            not_before,
        });
        if wanted.of.is_none() {
            wanted.until = wanted.until.min(not_before);
        }
    }

    /// Asks for what is due, as [`gossip::TransactionFetch::requests`] has it: one peer is never asked for too much.
    fn ask(&mut self, payments: &mut Payments, now: Time, out: &mut Vec<Delivery>) {
        let is_due = |wanted: &Wanted| wanted.of.is_none() && wanted.until <= now;
        let mut all_due = (0..self.wanted.len()).filter(|at| is_due(&self.wanted[*at]));
        let Some(first) = all_due.next() else { return };
        let mut due: Vec<usize> = all_due.collect();
        if due.is_empty() {
            let payment = self.wanted[first].payment;
            out.push(Delivery::Ask(self.ask_for(payments, first, now), List::One(payment)));
            return;
        }
        due.push(first);
        due.sort_by_key(|at| (self.wanted[*at].until, payments.wtxid(self.wanted[*at].payment)));
        let mut asked: BTreeMap<Place, Vec<PaymentRef>> = BTreeMap::new();
        for at in due {
            let payment = self.wanted[at].payment;
            asked.entry(self.ask_for(payments, at, now)).or_default().push(payment);
        }
        out.extend(asked.iter().map(|(place, list)| Delivery::Ask(*place, List::of(list))));
    }

    /// Asks for what is due; whom.
    fn ask_for(&mut self, payments: &mut Payments, wanted: usize, now: Time) -> Place {
        let payment = self.wanted[wanted].payment;
        let of = self.ask_best(payment, now);
        self.wanted[wanted].of = Some(of);
        self.wanted[wanted].until = now + TRANSACTION_TIMEOUT;
        payments.set_far(payment, self.node, Far::Asked);
        of
    }

    /// An outbound peer before an inbound one, then who announced it first.
    fn ask_best(&mut self, payment: PaymentRef, now: Time) -> Place {
        let said = self.said.iter().enumerate();
        let may_be_asked = said.filter(|(_, said)| said.payment == payment && said.not_before <= now);
        let best = may_be_asked.min_by_key(|(at, said)| (!self.is_outbound(said.by), *at));
        let (at, _) = best.expect("it is due because somebody may be asked");
        self.said.remove(at).by
    }

    /// Renews the template when that is due, which changes nothing but when it is next, and finds out when something is due.
    fn go_on(&mut self, now: Time) {
        if self.refresh_at <= now {
            self.refresh_at = Time::MAX;
            self.refreshed_at = now;
        }
        self.set_deadline();
    }

    fn set_deadline(&mut self) {
        let own = self.announce_at.min(self.refresh_at);
        let all = own.min(self.otherwise_due).min(self.expiry);
        self.deadline = self.wanted.iter().fold(all, |first, wanted| first.min(wanted.until));
    }
}

/// A bit for each of so many peers, at most as many as a word has bits.
fn everybody(peers: usize) -> u64 {
    let spare = u32::try_from(peers).ok().and_then(|peers| u64::BITS.checked_sub(peers));
    spare.and_then(|spare| u64::MAX.checked_shr(spare)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
