//! Payments, as [`node::Courier`]s deal with them: the same as what [`Network::handle`] makes of nodes' outputs, and with payments nearly all that happens.
//!
//! Most of it are announcements that tell a node nothing new: the receiver has the payment, or has asked somebody for it. Such a one never enters the queue of
//! events. It waits here with the time at which it arrives, until the receiver's courier does something, and the digest, which sums announcements, counts it
//! when it is sent. When the node itself takes over before it has arrived, that is taken back and the announcement put on the heap in
//! its place. The run is the same to the last byte.

mod glance;
mod satchels;
mod sending;

use std::collections::VecDeque;
use std::sync::Arc;

use base::{NodeId, Time};
use chain::{Ledger, Wtxid};
use gossip::{Item, Message, MessageKind};
use node::{Courier, Delivery, Event, Far, Input, List, Node, Output, PaymentRef, Payments, Place, Satchel, TipChange};
use observe::Detail;
use scenario::Plan;

use self::satchels::Confirmed;
use super::Network;
use super::beds::{Moment, has_come};
use super::rest::short_count;
use crate::digest::message_from;
use crate::engine::{Options, Verify};
use crate::heap::{Door, Turn};

/// A message about payments, in short.
#[derive(Clone, Debug)]
pub(crate) enum Paid {
    /// An announcement ([`Message::Announce`]).
    Told(List),
    /// A request ([`Message::Get`]).
    Asked(List),
    /// A payment ([`Message::Transaction`]).
    Sent(PaymentRef),
}

impl Paid {
    const fn kind(&self) -> MessageKind {
        match self {
            Self::Told(_) => MessageKind::Announce,
            Self::Asked(_) => MessageKind::Get,
            Self::Sent(_) => MessageKind::Transaction,
        }
    }

    /// The message that is meant.
    fn lengthen(&self, payments: &Payments) -> Message {
        match self {
            Self::Told(list) => {
                let names: Arc<[Wtxid]> = list.iter().map(|payment| payments.wtxid(*payment)).collect();
                Message::Announce(names)
            }
            Self::Asked(list) => {
                let items = list.iter().map(|payment| Item::Transaction(payments.wtxid(*payment)));
                Message::Get(items.collect())
            }
            Self::Sent(payment) => Message::Transaction(Arc::clone(payments.transaction(*payment))),
        }
    }
}

/// An announcement that says nothing new, and has arrived or will: half a cache line.
#[derive(Debug)]
struct Note {
    at: Time,
    turn: Turn,
    by: Place,
    list: List,
}

const _: () = assert!(size_of::<Note>() == 32, "half a cache line");

impl Note {
    fn has_arrived(&self, moment: Moment) -> bool {
        has_come((self.at, self.turn), moment)
    }
}

/// An announcement of a payment that a node has not heard of when it is sent.
#[derive(Clone, Copy, Debug)]
struct Coming {
    at: Time,
    turn: Turn,
    payment: PaymentRef,
    /// Whether an outbound peer sent it, who will be asked at once.
    outbound: bool,
}

impl Coming {
    /// Whether after it another announcement of this payment, with its time, says nothing new: the first is heard, or else the courier is called back.
    fn anticipates(&self, payment: PaymentRef, (note, outbound): (Moment, bool)) -> bool {
        self.payment == payment && (self.outbound || !outbound) && has_come((self.at, self.turn), note)
    }
}

/// What stands beside a node: the first cache line is all that who tells it of a payment looks at.
#[derive(Debug, Default)]
#[repr(C, align(64))]
struct State {
    courier: Option<Box<Courier>>,
    /// Which peers of who has a courier are outbound, a bit each.
    outbound: u64,
    /// What has been said to it, in the order of arrival.
    notes: VecDeque<Note>,
    /// All of it has arrived by that turn at that time.
    latest_at: Time,
    latest_turn: Turn,
    /// Of payments before this one nothing is known but by the node: since they were seen, something has left its mempool that no block confirmed.
    base: PaymentRef,
    /// What was last said to it that is news, since it has had this courier; the next is written over the first.
    coming: [Option<Coming>; 2],
    /// What couriers have taken in and the node has not unpacked, while there is no courier.
    satchel: Satchel,
}

const _: () = assert!(
    std::mem::offset_of!(State, coming) <= 64,
    "all before it is a cache line"
);

impl State {
    /// Lets an announcement wait. Seldom does one arrive before another that was sent earlier.
    fn keep(&mut self, note: Note) {
        let is_before = |at: Time, turn: Turn| has_come((at, turn), (note.at, Some(note.turn)));
        if self.notes.is_empty() || is_before(self.latest_at, self.latest_turn) {
            (self.latest_at, self.latest_turn) = (note.at, note.turn);
            self.notes.push_back(note);
        } else {
            let place = self.notes.partition_point(|other| is_before(other.at, other.turn));
            self.notes.insert(place, note);
        }
    }

    /// Whether all that an announcement says will have been said before, by another that is under way.
    fn expects(&self, list: &List, note: (Moment, bool)) -> bool {
        let coming = || self.coming.iter().flatten();
        let is_expected = |payment: &PaymentRef| coming().any(|coming| coming.anticipates(*payment, note));
        list.iter().all(is_expected)
    }

    /// An announcement that says something new arrives then.
    fn expect(&mut self, list: &List, (at, turn, outbound): (Time, Turn, bool)) {
        if let List::One(payment) = list {
            let payment = *payment;
            self.coming.swap(0, 1);
            self.coming[1] = Some(Coming {
                at,
                turn,
                payment,
                outbound,
            });
        }
    }

    /// The courier, to whom everything has been said that has arrived.
    fn courier(&mut self, moment: Moment) -> Option<&mut Courier> {
        let courier = self.courier.as_deref_mut()?;
        while let Some(note) = self.notes.pop_front_if(|note| note.has_arrived(moment)) {
            courier.note((note.at, note.by), &note.list);
        }
        Some(courier)
    }
}

/// Couriers, and what they know together.
#[derive(Debug)]
pub(super) struct Couriers {
    payments: Payments,
    /// Of all nodes; empty where nodes deal with payments themselves.
    states: Vec<State>,
    /// Whether all nodes' exits are where their ends are: none has been added since there are ends.
    go_by_ends: bool,
    /// Whether none is hired any more.
    are_dismissed: bool,
    /// How many blocks there were when all nodes were last found to follow the same one.
    settled_at: usize,
    /// What the last few blocks confirm.
    confirmed: Vec<Confirmed>,
    /// What announcements and requests take: the first and each further payment, in bytes.
    told: (u64, u64),
    asked: (u64, u64),
    /// Room, used again.
    deliveries: Vec<Delivery>,
}

impl Couriers {
    /// None hired. Where all messages are told of, or go through the codec, or nodes number blocks differently, nodes deal with payments themselves.
    pub(super) fn new(plan: &Plan, options: &Options, detail: Detail) -> Self {
        let may_be_short = options.verify == Verify::Shared && !options.check_wire && !detail.tells_messages();
        let nodes = if may_be_short { plan.nodes.len() } else { 0 };
        let bytes = |message: &dyn Fn(usize) -> Message| {
            let [one, two] = [1, 2].map(|count| node::message_bytes(None, &message(count)));
            (one, two - one)
        };
        let name = Wtxid::default();
        Self {
            payments: Payments::new(nodes),
            states: (0..nodes).map(|_| State::default()).collect(),
            go_by_ends: false,
            are_dismissed: false,
            settled_at: 0,
            confirmed: Vec::new(),
            told: bytes(&|count| Message::Announce(vec![name; count].into())),
            asked: bytes(&|count| Message::Get(vec![Item::Transaction(name); count])),
            deliveries: Vec::new(),
        }
    }

    /// Whether there are any payments that couriers may deal with.
    fn are_open(&self) -> bool {
        !self.states.is_empty() && !self.are_dismissed && self.payments.next() > PaymentRef::default()
    }

    /// A node's courier, to whom everything has been said that has arrived, and what it works with.
    fn at_work(&mut self, node: NodeId, moment: Moment) -> Option<(&mut Courier, &mut Payments, &mut Vec<Delivery>)> {
        if !self.are_open() {
            return None;
        }
        let courier = self.states.get_mut(node.index())?.courier(moment)?;
        Some((courier, &mut self.payments, &mut self.deliveries))
    }

    /// When a node's courier has something to do.
    pub(super) fn deadline(&self, node: NodeId) -> Option<Option<Time>> {
        if !self.are_open() {
            return None;
        }
        let courier = self.states.get(node.index())?.courier.as_ref()?;
        Some(courier.deadline())
    }

    /// What a message takes.
    fn bytes(&self, paid: &Paid) -> u64 {
        match paid {
            Paid::Told(list) => self.told_bytes(list),
            Paid::Asked(list) => list_bytes(self.asked, list),
            Paid::Sent(payment) => u64::from(self.payments.message_bytes(*payment)),
        }
    }

    fn told_bytes(&self, list: &List) -> u64 {
        list_bytes(self.told, list)
    }

    /// A message in short, if it is about payments that were seen.
    fn shorten(&self, message: &Message) -> Option<Paid> {
        let find = |wtxid: &Wtxid| self.payments.find(wtxid);
        let list = |list: Option<Vec<PaymentRef>>| list.filter(|list| !list.is_empty()).map(|list| List::of(&list));
        if let Message::Announce(wtxids) = message {
            list(wtxids.iter().map(find).collect()).map(Paid::Told)
        } else if let Message::Get(items) = message {
            let named = items.iter().map(|item| match item {
                Item::Transaction(wtxid) => find(wtxid),
                Item::Block(_) | Item::CompactBlock(_) | Item::Parent(_) => None,
            });
            list(named.collect()).map(Paid::Asked)
        } else if let Message::Transaction(transaction) = message {
            find(&transaction.wtxid()).map(Paid::Sent)
        } else {
            None
        }
    }

    /// A node itself has left this: notes what it has accepted, and whether something has left its mempool.
    fn look_at(&mut self, core: &mut Node, ledger: &Ledger, node: NodeId, left: &[Output]) {
        for output in left {
            let Output::Emit(event) = output else { continue };
            if let Event::TxAccepted { txid, .. } = event.as_ref()
                && let Some(transaction) = core.transaction_named(txid)
            {
                let payment = self.payments.add(ledger, transaction);
                self.payments.set_far(payment, node, Far::Asked);
            }
        }
        let is_upset = |output: &Output| matches!(output, Output::Emit(event) if upsets(event));
        if left.iter().any(is_upset) {
            self.states[node.index()].base = self.payments.next();
        }
        for output in left {
            if let Output::Emit(event) = output
                && let Event::TipChanged {
                    old,
                    new,
                    how: TipChange::Extend,
                } = event.as_ref()
            {
                let [old, new] = [old, new].map(|tip| ledger.find(&tip.block).expect("it was followed"));
                for block in ledger.path(old, new) {
                    self.confirm((core, ledger), node, block);
                }
            }
        }
    }
}

/// What a list takes, of which the first and each further payment take so much.
fn list_bytes((first, further): (u64, u64), list: &List) -> u64 {
    first + (list.len() as u64 - 1) * further
}

/// Whether something has left a mempool.
fn upsets(event: &Event) -> bool {
    matches!(
        event,
        Event::Reorg { .. } | Event::TxEvicted { .. } | Event::TxReplaced { .. }
    )
}

impl Network {
    /// A message about payments arrives.
    pub(super) fn arrive_paid(&mut self, (door, connection): (Door, u32), paid: &Paid) {
        let Some(((peer, node), at)) = self.come_in(door, connection) else {
            return;
        };
        let bytes = short_count(self.couriers.bytes(paid));
        if let Paid::Told(_) = paid {
            self.digest.announced_transactions(self.now, node, (peer, bytes));
        } else {
            let about = message_from(peer, bytes);
            self.digest.happened(self.now, node, (paid.kind() as u8, about));
        }
        if !self.courier_takes((node, peer), at, paid) {
            let message = paid.lengthen(&self.couriers.payments);
            self.handle(node, Input::Received { peer, message });
        }
    }

    /// Lets a node's courier take something in; whether it did.
    fn courier_takes(&mut self, (node, peer): (NodeId, NodeId), at: Option<usize>, paid: &Paid) -> bool {
        let goes_by_ends = self.couriers.go_by_ends;
        let at_work = self.couriers.at_work(node, (self.now, self.turn));
        let Some((courier, payments, deliveries)) = at_work else {
            return false;
        };
        // Who is at which end does not change while there is a courier.
        let place = at.filter(|_| goes_by_ends).and_then(|at| Place::try_from(at).ok());
        let place = place
            .or_else(|| courier.place(peer, at))
            .expect("its peers are the node's");
        debug_assert_eq!(courier.peer(place), peer, "a courier's peers stand where ends do");
        let from = (self.now, place);
        let is_taken = match paid {
            Paid::Told(list) => courier.hear(payments, from, list, deliveries),
            Paid::Asked(list) => {
                let core = self.places[node.index()].node.as_deref();
                let may_send = |wtxid: &Wtxid| core.is_some_and(|core| core.has_not_sent(peer, wtxid));
                courier.serve(payments, from, list, (may_send, deliveries))
            }
            Paid::Sent(payment) => {
                let core = self.places[node.index()].node.as_deref();
                let is_here = |wtxid: &Wtxid| core.is_some_and(|core| core.has_transaction(wtxid));
                let facts = (&mut *payments, &mut self.ledgers[0]);
                courier.take(facts, from, *payment, (is_here, deliveries))
            }
        };
        if is_taken {
            if let Paid::Sent(payment) = paid {
                let txid = self.couriers.payments.transaction(*payment).txid();
                self.digest.accepted(self.now, node, &txid);
                self.places[node.index()].told += 1;
                self.collector.accept(node, &txid);
            }
            self.deliver(node);
        }
        is_taken
    }

    /// A node's deadline has come; whether its courier sees to that.
    pub(super) fn courier_ticks(&mut self, node: NodeId) -> bool {
        let at_work = self.couriers.at_work(node, (self.now, self.turn));
        let Some((courier, payments, deliveries)) = at_work else {
            return false;
        };
        let is_seen_to = courier.tick(payments, self.now, deliveries);
        if is_seen_to {
            self.deliver(node);
        }
        is_seen_to
    }

    /// Sends what a courier is to send. A courier's peers stand where the node's exits do.
    fn deliver(&mut self, node: NodeId) {
        let mut deliveries = std::mem::take(&mut self.couriers.deliveries);
        for delivery in deliveries.drain(..) {
            match delivery {
                Delivery::Ask(place, list) => self.send_paid((node, usize::from(place)), Paid::Asked(list)),
                Delivery::Send(place, payment) => self.send_paid((node, usize::from(place)), Paid::Sent(payment)),
                Delivery::Tell(places, list) => self.tell_all_paid(node, places, &list),
            }
        }
        self.couriers.deliveries = deliveries;
        self.set_tick(node);
    }

    /// Hires a courier for a node, where it can have one.
    pub(super) fn hire_courier(&mut self, node: NodeId) {
        if !self.couriers.are_open() || self.beds.is_at_rest(node) {
            return;
        }
        if !self.is_settled_in(node) {
            return;
        }
        let Couriers { payments, states, .. } = &mut self.couriers;
        let state = &mut states[node.index()];
        if let Some(core) = self.places[node.index()].node.as_mut()
            && state.courier.is_none()
        {
            let packed = (state.base, &mut state.satchel);
            state.courier = core.hire(&self.ledgers[0], payments, packed).map(Box::new);
            state.outbound = state.courier.as_deref().map_or(0, Courier::outbound);
            self.note_connections(node);
        }
    }

    /// Has a node deal with payments itself: what has been said to its courier is noted, and what has not arrived is heard on arrival.
    pub(super) fn call_courier_back(&mut self, node: NodeId) {
        let moment = (self.now, self.turn);
        let Couriers { payments, states, .. } = &mut self.couriers;
        let Some(state) = states.get_mut(node.index()) else {
            return;
        };
        if state.courier(moment).is_none() {
            return;
        }
        let courier = state.courier.take().expect("it is there");
        let core = self.places[node.index()].node.as_mut();
        let core = core.expect("who has a courier is up");
        state.satchel = core.relieve(&self.ledgers[0], payments, *courier);
        state.coming = [None; 2];
        let mut notes = std::mem::take(&mut state.notes);
        for note in notes.drain(..) {
            let exit = &self.pairs.exits(node)[usize::from(note.by)];
            let (way, connection) = (exit.way.reversed(), exit.connection());
            let paid = Paid::Told(note.list);
            let bytes = short_count(self.couriers.bytes(&paid));
            self.digest.not_announced_transactions(note.at, node, (exit.to, bytes));
            let connection = connection.expect("connections stay open while there is a courier");
            self.heap
                .put_back_paid(note.at, note.turn, ((Door::Way(way), connection), paid));
        }
        self.couriers.states[node.index()].notes = notes;
    }

    /// A node itself has left this.
    pub(super) fn look_at_payments(&mut self, node: NodeId, left: &[Output]) {
        let accepts =
            |output: &Output| matches!(output, Output::Emit(event) if matches!(**event, Event::TxAccepted { .. }));
        if self.couriers.states.is_empty() {
            return;
        }
        let ledger = &self.ledgers[0];
        if self.couriers.settled_at != ledger.len() && left.iter().any(accepts) {
            let mut agree = true;
            let common = self.tips().reduce(|a, b| {
                agree &= a == b;
                ledger.fork_point(a, b)
            });
            if let Some(common) = common {
                self.couriers.payments.settle(ledger, common);
            }
            if agree {
                self.couriers.settled_at = ledger.len();
            }
        }
        if let Some(core) = self.places[node.index()].node.as_deref_mut() {
            self.couriers.look_at(core, ledger, node, left);
        }
    }

    /// A node that is down hears nothing.
    pub(super) fn forget_payments(&mut self, node: NodeId) {
        if let Some(state) = self.couriers.states.get_mut(node.index()) {
            state.base = self.couriers.payments.next();
            state.satchel = Satchel::default();
        }
    }

    /// From now on all nodes deal with payments themselves, and nothing is under way that is not on the heap.
    pub(super) fn dismiss_couriers(&mut self) {
        for node in (0..self.couriers.states.len()).map(NodeId::at) {
            self.call_courier_back(node);
        }
        self.couriers.are_dismissed = true;
    }
}
