//! What happens around one node: payments that peers tell of, answers late and early, questions, blocks, peers that come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base::{NodeId, Rng, Seed, Time};
use chain::{Block, BlockRef, Ledger, OutPoint, Transaction, Wtxid};
use gossip::limits::{INBOUND_DELAY, TRANSACTION_TIMEOUT};
use gossip::{Item, Message};

use super::Life;
use super::bank::{Bank, add};
use crate::limits::MEMPOOL_EXPIRY;
use crate::testing::{forge, n, params, played_hello};
use crate::{Command, Input, Node, Output, Payments};

/// The first few are outbound.
pub(super) const PEERS: usize = 6;
const OUTBOUND: usize = 2;

pub(super) fn is_outbound(peer: NodeId) -> bool {
    (1..=OUTBOUND).contains(&peer.index())
}

/// Something on its way to the node.
pub(super) struct Parcel {
    pub(super) number: u64,
    pub(super) input: Input,
    /// How often its sender had come by then; none where it is no peer's.
    age: Option<(NodeId, u32)>,
}

/// See the module's documentation.
pub(super) struct Street<'a> {
    pub(super) ledger: Ledger,
    pub(super) now: Time,
    pub(super) rng: Rng,
    pub(super) life: Life,
    bank: &'a Bank,
    /// How many payments there are by now.
    front: usize,
    registered: BTreeSet<usize>,
    queue: BTreeMap<(Time, u64), Parcel>,
    sent: u64,
    /// Who is connected, and how often each has come.
    connected: BTreeSet<NodeId>,
    came: BTreeMap<NodeId, u32>,
    /// What others follow.
    pub(super) others: [BlockRef; 2],
    blocks: u64,
}

impl<'a> Street<'a> {
    pub(super) fn new(number: u64, life: Life, bank: &'a Bank) -> Self {
        let mut ledger = Ledger::new(params());
        let tip = bank.blocks.iter().map(|block| add(&mut ledger, block)).last();
        Self {
            ledger,
            now: Time::ZERO,
            rng: Seed::from_number(number).child("street", 0).rng(),
            life,
            bank,
            front: 0,
            registered: BTreeSet::new(),
            queue: BTreeMap::new(),
            sent: 0,
            connected: BTreeSet::new(),
            came: BTreeMap::new(),
            others: [tip.expect("there are blocks"); 2],
            blocks: 0,
        }
    }

    /// How it begins.
    pub(super) fn begin(&mut self) -> Vec<Input> {
        let submit = |block: &Arc<Block>| Input::Command(Command::SubmitBlock(Arc::clone(block)));
        let mut inputs = vec![Input::Tick];
        inputs.extend(self.bank.blocks.iter().map(submit));
        for peer in (1..=PEERS).map(n) {
            inputs.extend(self.come(peer));
        }
        inputs
    }

    fn come(&mut self, peer: NodeId) -> [Input; 2] {
        self.connected.insert(peer);
        *self.came.entry(peer).or_default() += 1;
        let mut hello = played_hello(&self.ledger);
        hello.tip = self.ledger.id(self.others[0]);
        hello.height = self.ledger.height(self.others[0]);
        let message = Message::Hello(Box::new(hello));
        let outbound = is_outbound(peer);
        [Input::Connected { peer, outbound }, Input::Received { peer, message }]
    }

    pub(super) fn leave(&mut self, peer: NodeId) -> Input {
        self.connected.remove(&peer);
        Input::Disconnected { peer }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.rng.below(bound as u64)).expect("below it")
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.rng.below(100) < percent
    }

    /// What arrives next, and when.
    pub(super) fn next_arrival(&self) -> Option<Time> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes out what arrives next; none when its connection has closed since.
    pub(super) fn arrive(&mut self) -> Option<Parcel> {
        let (_, parcel) = self.queue.pop_first()?;
        let is_there = |(peer, age): (NodeId, u32)| self.connected.contains(&peer) && self.came[&peer] == age;
        parcel.age.is_none_or(is_there).then_some(parcel)
    }

    /// Some time later, or when something is due.
    fn some_time(&mut self, due: Option<Time>) -> Time {
        let due = due.filter(|due| *due >= self.now);
        match (self.below(5), due) {
            (0 | 1, Some(due)) => due,
            (0..=2, _) => self.now + Duration::from_millis(10),
            _ => self.now + Duration::from_micros(self.rng.below(self.life.latency_us)),
        }
    }

    /// A peer sends something; the number of it.
    fn send(&mut self, at: Time, peer: NodeId, message: Message) -> u64 {
        let age = self.came.get(&peer).map(|age| (peer, *age));
        self.put(at, Input::Received { peer, message }, age)
    }

    fn put(&mut self, at: Time, input: Input, age: Option<(NodeId, u32)>) -> u64 {
        let number = self.sent;
        self.sent += 1;
        self.queue.insert((at, number), Parcel { number, input, age });
        number
    }

    fn some_peer(&mut self) -> NodeId {
        n(1 + self.below(PEERS))
    }

    /// A payment of late, or one of any time; seldom one that is settled, or stands on what the node lacks.
    fn some_payment(&mut self, node: &Node) -> &'a Arc<Transaction> {
        let mut at = self.some_place();
        if self.chance(2) {
            return &self.bank.payments[at];
        }
        for _ in 0..8 {
            let lacks = |at: &usize| !self.is_confirmed(node, *at) && !self.waits(node, *at);
            if self.is_confirmed(node, at) {
                at = self.some_place();
            } else if let Some(parent) = self.bank.parents[at].iter().copied().find(lacks) {
                at = parent;
            }
        }
        &self.bank.payments[at]
    }

    fn some_place(&mut self) -> usize {
        let back = if self.chance(98) { 12 } else { self.front.max(1) };
        self.front.saturating_sub(1 + self.below(back))
    }

    fn is_confirmed(&self, node: &Node, at: usize) -> bool {
        let txid = self.bank.payments[at].txid();
        self.ledger.confirmation(&txid, node.knowledge.tip()).is_some()
    }

    fn waits(&self, node: &Node, at: usize) -> bool {
        node.has_transaction(&self.bank.payments[at].wtxid())
    }

    /// The same, mostly one that waits at the node.
    fn some_waiting(&mut self, node: &Node) -> &'a Arc<Transaction> {
        let mut payment = self.some_payment(node);
        for _ in 0..3 {
            if !node.has_transaction(&payment.wtxid()) {
                payment = self.some_payment(node);
            }
        }
        payment
    }

    /// One more payment is made; most are known to all that are honest.
    fn make_payment(&mut self, payments: &mut Payments, percent: u64) {
        if self.front == self.bank.payments.len() {
            return;
        }
        let at = self.front;
        self.front += 1;
        let has_parents = self.bank.parents[at]
            .iter()
            .all(|parent| self.registered.contains(parent));
        if self.bank.valid[at] && has_parents && self.chance(percent) {
            self.registered.insert(at);
            payments.add(&self.ledger, &self.bank.payments[at]);
        }
    }

    /// Something is planned, or happens at once to the node, of which this much is known. The numbers and peers of announcements are noted.
    pub(super) fn plan(
        &mut self,
        (node, payments): (&Node, &mut Payments),
        told: &mut Vec<(u64, NodeId, Arc<[Wtxid]>)>,
    ) -> Vec<Input> {
        let due = node.deadline().map(|(at, _)| at);
        if !node.relay.is_plain() && self.chance(5) {
            return self.put_in_order(node);
        }
        match self.below(100) {
            0..=11 => self.make_payment(payments, 97),
            12..=51 => {
                let peer = self.some_peer();
                let list = self.some_list(node, payments);
                let at = self.some_time(due);
                let number = self.send(at, peer, Message::Announce(Arc::clone(&list)));
                told.push((number, peer, list));
            }
            52..=62 => {
                let peer = self.some_peer();
                let count = if self.chance(70) { 1 } else { 1 + self.below(3) };
                let mut items: Vec<Item> = (0..count)
                    .map(|_| Item::Transaction(self.some_waiting(node).wtxid()))
                    .collect();
                if self.chance(3) {
                    items = vec![items[0]; 1 + self.below(5)];
                }
                let at = self.some_time(due);
                let times = if self.chance(4) { 2 + self.below(4) } else { 1 };
                for _ in 0..times {
                    self.send(at, peer, Message::Get(items.clone()));
                }
            }
            63 => return vec![Input::Tick],
            64 if self.chance(40) => {
                let payment = Arc::clone(self.some_payment(node));
                return vec![Input::Command(Command::Submit(payment))];
            }
            65 if self.chance(self.life.unrest) => {
                let peer = self.some_peer();
                if self.connected.contains(&peer) {
                    return vec![self.leave(peer)];
                }
                return self.come(peer).into();
            }
            66..=67 => {
                let absent = (1..=PEERS).map(n).find(|peer| !self.connected.contains(peer));
                return absent.map_or_else(Vec::new, |peer| self.come(peer).into());
            }
            68..=69 if self.chance(self.life.unrest) => return self.mine(node),
            70 if self.chance(10) => {
                // Nobody asked for it.
                let (peer, payment) = (self.some_peer(), Arc::clone(self.some_payment(node)));
                self.send(self.now, peer, Message::Transaction(payment));
            }
            _ => self.pass(due),
        }
        Vec::new()
    }

    /// Who has not answered leaves, or a block comes, so that what was refused may be valid.
    fn put_in_order(&mut self, node: &Node) -> Vec<Input> {
        if node.relay.orphans.is_empty() && node.relay.fetch.is_plain() {
            return self.mine(node);
        }
        let peer = self.some_peer();
        if self.connected.contains(&peer) {
            vec![self.leave(peer)]
        } else {
            self.come(peer).into()
        }
    }

    fn pass(&mut self, due: Option<Time>) {
        self.now = match (self.below(8), due) {
            (0..=2, Some(due)) => due.max(self.now).min(self.now + Duration::from_secs(70)),
            (3, _) => self.now + Duration::from_millis(self.rng.below(self.life.pause_ms * 10)),
            _ => self.now + Duration::from_millis(self.rng.below(self.life.pause_ms)),
        };
        if self.rng.below(500) == 0 {
            // All that waits gets too old, and most often something that is newer stands on it.
            self.now += MEMPOOL_EXPIRY - Duration::from_secs(self.rng.below(20));
        } else if self.chance(1) {
            self.now += [INBOUND_DELAY, TRANSACTION_TIMEOUT][usize::from(self.life.pause_ms > 100)];
        }
    }

    /// One payment, mostly, or a few, or many at once that nobody has heard of.
    fn some_list(&mut self, node: &Node, payments: &mut Payments) -> Arc<[Wtxid]> {
        let batch = self.life.batch;
        if batch > 20 && self.chance(3) {
            let first = self.front;
            for _ in 0..1 + self.below(batch) {
                self.make_payment(payments, 100);
            }
            let made = (first..self.front).map(|at| self.bank.payments[at].wtxid());
            return made.collect();
        }
        let count = if self.chance(70) { 1 } else { 1 + self.below(5) };
        (0..count).map(|_| self.some_payment(node).wtxid()).collect()
    }

    /// Peers answer what the node has sent, sooner or later, or never.
    pub(super) fn answer(&mut self, out: &[Output], due: Option<Time>) {
        for output in out {
            let Output::Send { peer, message } = output else {
                continue;
            };
            if let Message::Get(items) = message {
                for item in items {
                    self.answer_one(*peer, item, due);
                }
            } else if let Message::Announce(wtxids) = message {
                for part in wtxids.chunks(5) {
                    if self.chance(40) {
                        let items = part.iter().copied().map(Item::Transaction).collect();
                        let at = self.some_time(due);
                        self.send(at, *peer, Message::Get(items));
                    }
                }
            }
        }
    }

    fn answer_one(&mut self, peer: NodeId, item: &Item, due: Option<Time>) {
        if let Item::Block(id) = item {
            let block = self.ledger.find(id).and_then(|block| self.ledger.body(block).cloned());
            let at = self.some_time(due);
            self.send(at, peer, Message::Block(block.expect("it was made")));
            return;
        }
        let is_it = |payment: &&Arc<Transaction>| match item {
            Item::Transaction(wtxid) => payment.wtxid() == *wtxid,
            Item::Parent(txid) => payment.txid() == *txid,
            Item::Block(_) | Item::CompactBlock(_) => false,
        };
        let Some(payment) = self.bank.payments.iter().find(is_it) else {
            return;
        };
        let at = match self.below(200) {
            0 => return,
            1..=5 => {
                let at = self.some_time(due);
                self.send(at, peer, Message::NotFound(vec![*item]));
                return;
            }
            6..=7 => self.now + TRANSACTION_TIMEOUT,
            8 => self.now + TRANSACTION_TIMEOUT + Duration::from_millis(self.rng.below(2_000)),
            _ => self.some_time(due),
        };
        self.send(at, peer, Message::Transaction(Arc::clone(payment)));
        if self.chance(1) {
            self.send(at, peer, Message::Transaction(Arc::clone(payment)));
        }
    }

    /// Blocks that others have found, on the node's tip or beside it.
    fn mine(&mut self, node: &Node) -> Vec<Input> {
        let tip = node.knowledge.tip();
        let back = [0, 0, 0, 0, 1, 1, 2, 3][self.below(8)];
        let height = self.ledger.height(tip).0;
        let back = back.min(height - 2);
        let mut parent = self
            .ledger
            .ancestor(tip, chain::Height(height - back))
            .expect("it is above the coins");
        let mut candidates: Vec<Arc<Transaction>> = Vec::new();
        for block in self.ledger.path(parent, tip) {
            let body = self.ledger.body(block).expect("it is valid");
            candidates.extend(body.transactions[1..].iter().cloned());
        }
        let waiting = node.pool.by_arrival();
        candidates.extend(
            waiting
                .iter()
                .filter_map(|wtxid| node.pool.get_by_wtxid(wtxid).cloned()),
        );
        let first = self.front.saturating_sub(40);
        let made = (first..self.front).filter(|at| self.bank.valid[*at]);
        candidates.extend(made.map(|at| Arc::clone(&self.bank.payments[at])));
        let mut blocks = Vec::new();
        for _ in 0..=back {
            let most = self.below(12);
            candidates.retain(|_| self.rng.below(10) > 0);
            let transactions = self.fitting(parent, &candidates, most);
            self.blocks += 1;
            let mark = 1_000 + self.blocks;
            let block = forge(&self.ledger, parent, |draft| {
                draft.extra_nonce = mark;
                draft.transactions = transactions;
            });
            parent = add(&mut self.ledger, &block);
            blocks.push(block);
        }
        for at in 0..self.others.len() {
            if self.chance(70) {
                self.others[at] = parent;
            }
        }
        let peer = self.some_peer();
        if self.chance(70) && self.connected.contains(&peer) {
            // Their bodies are asked for.
            let message = Message::headers(blocks.iter().map(|block| block.header).collect::<Vec<_>>());
            return vec![Input::Received { peer, message }];
        }
        let submit = |block| Input::Command(Command::SubmitBlock(block));
        blocks.into_iter().map(submit).collect()
    }

    /// At most so many payments that a block on this one may hold together.
    fn fitting(&self, parent: BlockRef, candidates: &[Arc<Transaction>], most: usize) -> Vec<Arc<Transaction>> {
        let mut chosen: Vec<Arc<Transaction>> = Vec::new();
        let mut spent: BTreeSet<OutPoint> = BTreeSet::new();
        for candidate in candidates {
            let is_there = |outpoint: &OutPoint| {
                let of = chosen.iter().find(|other| other.txid() == outpoint.txid);
                !spent.contains(outpoint) && (of.is_some() || self.ledger.coin(outpoint, parent).is_some())
            };
            let is_new = self.ledger.confirmation(&candidate.txid(), parent).is_none()
                && chosen.iter().all(|other| other.txid() != candidate.txid());
            if chosen.len() < most && is_new && candidate.inputs().iter().all(is_there) {
                spent.extend(candidate.inputs());
                chosen.push(Arc::clone(candidate));
            }
        }
        chosen
    }
}
