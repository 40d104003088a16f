//! A node as an engine keeps it that has couriers for many.

use std::collections::{BTreeMap, VecDeque};

use base::{NodeId, Time};
use chain::{BlockRef, Ledger, Wtxid};
use gossip::{Item, Message};

use super::street::is_outbound;
use super::{known, known_of_pool};
use crate::{
    Courier, Delivery, Event, Far, Input, List, Node, Outbox, Output, PaymentRef, Payments, Place, Satchel, TipChange,
    Unpacking,
};

/// How often what happened.
#[derive(Default, Debug)]
pub(super) struct Counts {
    pub(super) hired: usize,
    pub(super) relieved: usize,
    /// What a courier noted, heard, took in, sent and saw to in time; and what it left to the node.
    pub(super) noted: usize,
    pub(super) done: [usize; 4],
    pub(super) left: [usize; 4],
    /// Announcements that waited when the node took over.
    pub(super) put_back: usize,
    /// What of a satchel was unpacked: nothing, some or all; and how many blocks were followed without a look at it.
    pub(super) unpacked: [usize; 3],
    pub(super) blocks: usize,
    /// What came at the very time at which something was due.
    pub(super) at_once: usize,
    pub(super) accepted: usize,
    pub(super) rejected: BTreeMap<&'static str, usize>,
    pub(super) others: BTreeMap<&'static str, usize>,
}

impl Counts {
    pub(super) fn outputs(&mut self, out: &[Output]) {
        for output in out {
            match output {
                Output::Emit(event) => match event.as_ref() {
                    Event::TxAccepted { .. } => self.accepted += 1,
                    Event::TxRejected { reason, .. } => *self.rejected.entry(reason).or_default() += 1,
                    Event::TxEvicted { reason, .. } => *self.others.entry(reason).or_default() += 1,
                    Event::TxReplaced { .. } => *self.others.entry("replaced").or_default() += 1,
                    Event::Reorg { .. } => *self.others.entry("reorg").or_default() += 1,
                    _ => {}
                },
                Output::Hangup { .. } => *self.others.entry("hangup").or_default() += 1,
                Output::Send { message, .. } => match message {
                    Message::NotFound(_) => *self.others.entry("not-found").or_default() += 1,
                    Message::Get(items) if matches!(items[0], Item::Parent(_)) => {
                        *self.others.entry("parent").or_default() += 1;
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.hired += other.hired;
        self.relieved += other.relieved;
        self.noted += other.noted;
        for at in 0..4 {
            self.done[at] += other.done[at];
            self.left[at] += other.left[at];
        }
        self.put_back += other.put_back;
        self.blocks += other.blocks;
        for at in 0..3 {
            self.unpacked[at] += other.unpacked[at];
        }
        self.at_once += other.at_once;
        self.accepted += other.accepted;
        for (reason, count) in other.rejected {
            *self.rejected.entry(reason).or_default() += count;
        }
        for (reason, count) in other.others {
            *self.others.entry(reason).or_default() += count;
        }
    }

    /// All of it happened often.
    pub(super) fn check(&self) {
        let Self {
            done, left, unpacked, ..
        } = self;
        assert!(self.hired > 4_000 && self.accepted > 5_000, "{self:?}");
        assert!(done.iter().all(|count| *count > 1_000), "{self:?}");
        assert!(left.iter().all(|count| *count > 150), "{self:?}");
        assert!(unpacked.iter().all(|count| *count > 80) && self.blocks > 10, "{self:?}");
        assert!(
            self.noted > 1_000 && self.put_back > 1_000 && self.at_once > 300,
            "{self:?}"
        );
        for reason in [
            "too-long-mempool-chain",
            "mempool-min-fee-not-met",
            "txn-mempool-conflict",
        ] {
            assert!(self.rejected[reason] > 20, "{self:?}");
        }
        for what in ["expiry", "mempool-full", "not-found", "parent", "reorg", "replaced"] {
            assert!(self.others[what] > 15, "{self:?}");
        }
    }
}

/// What a message or a deadline is to a courier.
#[derive(Clone, Copy)]
enum Kind {
    Hear,
    Take,
    Serve,
    Tick,
}

/// See the module's documentation.
pub(super) struct Helped {
    node: Node,
    pub(super) payments: Payments,
    base: PaymentRef,
    courier: Option<Courier>,
    satchel: Satchel,
    /// Announcements on their way that say nothing new, and those that have arrived.
    calm: BTreeMap<u64, (NodeId, List)>,
    arrived: VecDeque<(Time, NodeId, List)>,
    pub(super) counts: Counts,
}

impl Helped {
    pub(super) fn new(node: Node) -> Self {
        Self {
            node,
            payments: Payments::new(1),
            base: PaymentRef::default(),
            courier: None,
            satchel: Satchel::default(),
            calm: BTreeMap::new(),
            arrived: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        match &self.courier {
            Some(courier) => courier.deadline(),
            None => self.node.deadline().map(|(at, _)| at),
        }
    }

    fn list(&self, wtxids: impl Iterator<Item = Wtxid>) -> Option<List> {
        let list: Option<Vec<PaymentRef>> = wtxids.map(|wtxid| self.payments.find(&wtxid)).collect();
        list.filter(|list| !list.is_empty()).map(|list| List::of(&list))
    }

    /// A peer's announcement leaves for it.
    pub(super) fn is_told(&mut self, number: u64, peer: NodeId, wtxids: &[Wtxid]) {
        let Some(courier) = &self.courier else { return };
        let Some(list) = self.list(wtxids.iter().copied()) else {
            return;
        };
        let whose = (self.node.id, self.base);
        if courier.place(peer, None).is_some() && self.payments.are_calm(whose, is_outbound(peer), &list) {
            self.calm.insert(number, (peer, list));
        }
    }

    /// What it puts out. Whenever it takes over from its courier, it knows what one knows that has none.
    pub(super) fn take(
        &mut self,
        ledger: &mut Ledger,
        (now, number): (Time, Option<u64>),
        (input, plain): (&Input, &Node),
    ) -> Outbox {
        if let Some((peer, list)) = number.and_then(|number| self.calm.remove(&number)) {
            self.arrived.push_back((now, peer, list));
            return Vec::new();
        }
        self.note();
        let due = self.deadline();
        if let Some(out) = self.do_shortly(ledger, now, input) {
            self.counts.at_once += usize::from(due == Some(now) && !matches!(input, Input::Tick));
            return out;
        }
        let mut out = Outbox::new();
        let courier = self.courier.take();
        let is_relieved = courier.is_some();
        if let Some(courier) = courier {
            self.counts.put_back += self.calm.len();
            self.calm.clear();
            self.satchel = self.node.relieve(ledger, &mut self.payments, courier);
            self.counts.relieved += 1;
        }
        self.unpack(ledger, now, input);
        self.node.handle(ledger, now, input.clone(), &mut out);
        self.look_at(ledger, &out);
        if is_relieved {
            // By now both have taken this in.
            assert_eq!(known(&self.node, now), known(plain, now), "at {now}: {input:?}");
            if self.counts.relieved.is_multiple_of(4) {
                self.node.unpack(&self.payments, &mut self.satchel, |_| true);
                assert_eq!(known_of_pool(&self.node), known_of_pool(plain), "at {now}: {input:?}");
            }
        }
        out
    }

    /// It unpacks what this concerns.
    fn unpack(&mut self, ledger: &Ledger, now: Time, input: &Input) {
        let Self {
            node,
            payments,
            satchel,
            counts,
            ..
        } = self;
        if satchel.is_empty() {
            return;
        }
        let is_plain = |block| is_plain(ledger, payments, block);
        let unpacking = node.unpacking((ledger, payments), (now, input), is_plain);
        match &unpacking {
            Unpacking::Nothing => {
                let is_block = matches!(
                    input,
                    Input::Received {
                        message: Message::Block(_),
                        ..
                    }
                );
                counts.blocks += usize::from(is_block);
                counts.unpacked[0] += 1;
            }
            Unpacking::These(these) => {
                counts.unpacked[1] += 1;
                node.unpack(payments, satchel, |payment| these.contains(&payment));
            }
            Unpacking::All => {
                counts.unpacked[2] += 1;
                node.unpack(payments, satchel, |_| true);
            }
        }
    }

    fn note(&mut self) {
        if let Some(courier) = &mut self.courier {
            for (at, peer, list) in self.arrived.drain(..) {
                let place = courier.place(peer, None).expect("connections stay open");
                courier.note((at, place), &list);
                self.counts.noted += 1;
            }
        }
        assert!(
            self.arrived.is_empty(),
            "only who has a courier lets announcements wait"
        );
    }

    /// Lets the courier do it.
    fn do_shortly(&mut self, ledger: &mut Ledger, now: Time, input: &Input) -> Option<Outbox> {
        self.courier.as_ref()?;
        let (kind, from, list) = match input {
            Input::Tick => (Kind::Tick, None, List::of(&[])),
            Input::Received { peer, message } => {
                let (kind, list) = self.shorten(message)?;
                (kind, Some(*peer), list)
            }
            _ => return None,
        };
        let courier = self.courier.as_mut().expect("it is there");
        let place = from.map(|peer| courier.place(peer, None).expect("its peers are the node's"));
        let (node, payments) = (&self.node, &mut self.payments);
        let mut deliveries = Vec::new();
        let who = (now, place.unwrap_or_default());
        let is_done = match kind {
            Kind::Tick => courier.tick(payments, now, &mut deliveries),
            Kind::Hear => courier.hear(payments, who, &list, &mut deliveries),
            Kind::Serve => {
                let peer = from.expect("somebody asks");
                let may_send = |wtxid: &Wtxid| node.has_not_sent(peer, wtxid);
                courier.serve(payments, who, &list, (may_send, &mut deliveries))
            }
            Kind::Take => {
                let is_here = |wtxid: &Wtxid| node.has_transaction(wtxid);
                courier.take((payments, ledger), who, list[0], (is_here, &mut deliveries))
            }
        };
        if !is_done {
            assert_eq!(deliveries, [], "what is left to the node was not begun");
            self.counts.left[kind as usize] += 1;
            return None;
        }
        self.counts.done[kind as usize] += 1;
        let mut out = Outbox::new();
        if let Kind::Take = kind {
            let transaction = self.payments.transaction(list[0]);
            out.push(Output::Emit(Box::new(Event::TxAccepted {
                txid: transaction.txid(),
                bytes: transaction.bytes(),
                fee: chain::Amount::ZERO,
                from,
            })));
        }
        for delivery in &deliveries {
            self.carry_out(delivery, &mut out);
        }
        Some(out)
    }

    fn shorten(&self, message: &Message) -> Option<(Kind, List)> {
        match message {
            Message::Announce(wtxids) => Some((Kind::Hear, self.list(wtxids.iter().copied())?)),
            Message::Get(items) => {
                let named = items.iter().map(|item| match item {
                    Item::Transaction(wtxid) => Some(*wtxid),
                    _ => None,
                });
                let named: Vec<Wtxid> = named.collect::<Option<_>>()?;
                Some((Kind::Serve, self.list(named.into_iter())?))
            }
            Message::Transaction(transaction) => Some((Kind::Take, self.list(std::iter::once(transaction.wtxid()))?)),
            _ => None,
        }
    }

    fn carry_out(&self, delivery: &Delivery, out: &mut Outbox) {
        let courier = self.courier.as_ref().expect("it is there");
        let mut send = |place: Place, message: Message| {
            let peer = courier.peer(place);
            out.push(Output::Send { peer, message });
        };
        match delivery {
            Delivery::Ask(place, list) => {
                let items = list
                    .iter()
                    .map(|payment| Item::Transaction(self.payments.wtxid(*payment)));
                send(*place, Message::Get(items.collect()));
            }
            Delivery::Tell(places, list) => {
                for place in (0..64).filter(|place| places >> place & 1 == 1) {
                    let wtxids = list.iter().map(|payment| self.payments.wtxid(*payment));
                    send(place, Message::Announce(wtxids.collect()));
                }
            }
            Delivery::Send(place, payment) => {
                let transaction = self.payments.transaction(*payment).clone();
                send(*place, Message::Transaction(transaction));
            }
        }
    }

    /// It has put this out: payments that it accepted have a number now, and what has left is known to have.
    fn look_at(&mut self, ledger: &Ledger, left: &[Output]) {
        for output in left {
            let Output::Emit(event) = output else { continue };
            match event.as_ref() {
                Event::TxAccepted { txid, .. } => {
                    if let Some(transaction) = self.node.transaction_named(txid) {
                        let payment = self.payments.add(ledger, transaction);
                        self.payments.set_far(payment, self.node.id, Far::Asked);
                    }
                }
                Event::Reorg { .. } | Event::TxEvicted { .. } | Event::TxReplaced { .. } => {
                    self.base = self.payments.next();
                }
                Event::TipChanged {
                    old,
                    new,
                    how: TipChange::Extend,
                } => {
                    let [old, new] = [old, new].map(|tip| ledger.find(&tip.block).expect("it was followed"));
                    for block in ledger.path(old, new) {
                        self.confirm(ledger, block);
                    }
                }
                _ => {}
            }
        }
    }

    fn confirm(&mut self, ledger: &Ledger, block: BlockRef) {
        let body = ledger.body(block).expect("what is followed is here");
        let wtxids = body.transactions.iter().map(|transaction| transaction.wtxid());
        let confirmed: Vec<PaymentRef> = wtxids.filter_map(|wtxid| self.payments.find(&wtxid)).collect();
        for payment in &confirmed {
            self.payments.set_far(*payment, self.node.id, Far::Nothing);
        }
        if !is_plain(ledger, &self.payments, block) {
            self.base = self.payments.next();
        }
        let is_confirmed = |payment| confirmed.contains(&payment);
        self.node.confirm_in(&self.payments, &mut self.satchel, is_confirmed);
    }

    /// It has a courier again where it can. Others follow these blocks.
    pub(super) fn left_to_itself(&mut self, ledger: &Ledger, others: [BlockRef; 2]) {
        if self.courier.is_some() {
            return;
        }
        let tip = self.node.knowledge.tip();
        let common = others
            .iter()
            .fold(tip, |common, other| ledger.fork_point(common, *other));
        self.payments.settle(ledger, common);
        let packed = (self.base, &mut self.satchel);
        self.courier = self.node.hire(ledger, &mut self.payments, packed);
        self.counts.hired += usize::from(self.courier.is_some());
    }
}

/// Whether all payments that a block holds were seen, and nothing was that spends the same coins.
fn is_plain(ledger: &Ledger, payments: &Payments, block: BlockRef) -> bool {
    let body = ledger.body(block).expect("it was found by somebody");
    body.transactions[1..].iter().all(|transaction| {
        let payment = payments.find(&transaction.wtxid());
        payment.is_some_and(|payment| !payments.has_rival(payment))
    })
}
