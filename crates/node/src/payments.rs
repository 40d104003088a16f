//! Payments that are under way in a whole network: what is known of each is the same for all nodes, so that it is found out once.
//!
//! A payment is plain when nothing about it can differ between nodes that follow the same block and have what it stands on: it has no rival, and so few
//! relatives that no mempool can find them too many. What is not plain is for the nodes themselves.

use std::sync::Arc;

use base::NodeId;
use chain::{Amount, BlockRef, Coin, Ledger, OutPoint, Transaction, Txid, Wtxid};
use gossip::{Message, Names};

use crate::limits::{MAX_ANCESTORS, MAX_DESCENDANTS};
use crate::mempool::memory_of;
use crate::message_bytes;

/// A payment's number, in the order in which payments were first seen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct PaymentRef(u32);

impl PaymentRef {
    /// The number as a place in a list with one entry for each payment.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The payment at a place in such a list.
    ///
    /// # Panics
    /// When there are no four billion payments in memory.
    #[must_use]
    pub fn at(index: usize) -> Self {
        Self(u32::try_from(index).expect("memory ends before four billion payments"))
    }
}

/// How far a node is with a payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Far {
    /// Nothing is known of it.
    Nothing,
    /// It has heard of it from inbound peers, and waits for an outbound one.
    Heard,
    /// It has asked somebody for it, or has it.
    Asked,
}

/// All payments, and how far nodes are with each.
#[derive(Debug)]
pub struct Payments {
    rows: Vec<Row>,
    by_wtxid: Names,
    by_txid: Names,
    /// The first payment that spends a coin.
    by_coin: Names,
    /// How often a coin was found to be spent by a further payment.
    rivals: usize,
    /// A block that all chains have in common: what it or one before it holds is no longer under way.
    settled: BlockRef,
    /// How far nodes are with it, a bit each of both words: twice so many words for each payment.
    far: Vec<[u64; 2]>,
    width: usize,
}

/// What is known of a payment.
#[derive(Debug)]
struct Row {
    transaction: Arc<Transaction>,
    /// Payments that it spends of, and that spend of it.
    parents: Vec<PaymentRef>,
    children: Vec<PaymentRef>,
    /// Its size, and what the message takes that carries it, and an entry of a mempool.
    bytes: u32,
    message_bytes: u32,
    memory: usize,
    /// Whether another spends a coin that it spends.
    has_rival: bool,
    /// Whether so many are related to it that some mempool might find them too many.
    is_crowded: bool,
    /// On the chains of the two blocks that were asked about last.
    terms: [Option<(BlockRef, Option<Terms>)>; 2],
}

impl Row {
    const fn is_plain(&self) -> bool {
        !self.has_rival && !self.is_crowded
    }
}

/// What a payment is worth on a chain.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) fee: Amount,
    /// What has to wait in a mempool that takes it in: its parents, as far as they are not confirmed.
    pub(crate) needs: Box<[PaymentRef]>,
}

/// Nobody makes names up where all nodes are honest: hostile ones have none of this.
const SECRET: [u64; 2] = [0x2d35_8dcc_aa6c_78a5, 0x8bb8_4b93_962e_acc9];

impl Payments {
    /// No payments, among so many nodes.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self {
            rows: Vec::new(),
            by_wtxid: Names::new(SECRET),
            by_txid: Names::new(SECRET),
            by_coin: Names::new(SECRET),
            rivals: 0,
            settled: BlockRef::GENESIS,
            far: Vec::new(),
            width: nodes.div_ceil(64),
        }
    }

    /// The number that the next payment will have.
    #[must_use]
    pub fn next(&self) -> PaymentRef {
        PaymentRef::at(self.rows.len())
    }

    /// The number of a transaction that was seen.
    #[must_use]
    pub fn find(&self, Wtxid(name): &Wtxid) -> Option<PaymentRef> {
        let is = |row: u32| self.rows[row as usize].transaction.wtxid().0 == *name;
        self.by_wtxid.find((name, 0), is).map(PaymentRef)
    }

    /// Gives a transaction that a node has accepted a number, unless it has one.
    pub fn add(&mut self, ledger: &Ledger, transaction: &Arc<Transaction>) -> PaymentRef {
        if let Some(known) = self.find(&transaction.wtxid()) {
            return known;
        }
        let payment = self.next();
        let (mut parents, mut has_rival) = (Vec::new(), false);
        for outpoint in transaction.inputs() {
            if let Some(parent) = self.find_txid(&outpoint.txid)
                && !parents.contains(&parent)
            {
                parents.push(parent);
                self.rows[parent.index()].children.push(payment);
            }
            if let Some(rival) = self.spender(outpoint) {
                self.rows[rival.index()].has_rival = true;
                has_rival = true;
                self.rivals += 1;
            } else {
                self.by_coin.insert((&outpoint.txid.0, outpoint.index), payment.0);
            }
        }
        self.by_wtxid.insert((&transaction.wtxid().0, 0), payment.0);
        self.by_txid.insert((&transaction.txid().0, 0), payment.0);
        let bytes = message_bytes(None, &Message::Transaction(Arc::clone(transaction)));
        self.rows.push(Row {
            transaction: Arc::clone(transaction),
            parents,
            children: Vec::new(),
            bytes: transaction.bytes(),
            message_bytes: u32::try_from(bytes).expect("messages are far smaller"),
            memory: memory_of(transaction),
            has_rival,
            is_crowded: false,
            terms: [const { None }; 2],
        });
        self.far.resize(self.rows.len() * self.width, [0; 2]);
        self.look_at_relatives(ledger, payment);
        payment
    }

    /// The number of a payment of this txid that was seen.
    #[must_use]
    pub fn find_txid(&self, Txid(name): &Txid) -> Option<PaymentRef> {
        let is = |row: u32| self.rows[row as usize].transaction.txid().0 == *name;
        self.by_txid.find((name, 0), is).map(PaymentRef)
    }

    fn spender(&self, outpoint: &OutPoint) -> Option<PaymentRef> {
        let is = |row: u32| self.rows[row as usize].transaction.inputs().contains(outpoint);
        self.by_coin
            .find((&outpoint.txid.0, outpoint.index), is)
            .map(PaymentRef)
    }

    /// Whether some chain may not hold it yet.
    fn is_under_way(&self, ledger: &Ledger, payment: PaymentRef) -> bool {
        let txid = self.transaction(payment).txid();
        ledger.confirmation(&txid, self.settled).is_none()
    }

    /// Where relatives are so many that some mempool might find them too many, none of them is plain. No mempool of a chain that goes on from the
    /// settled block holds any but those that are under way.
    fn look_at_relatives(&mut self, ledger: &Ledger, payment: PaymentRef) {
        let ancestors = reach(payment, |of| {
            let parents = self.rows[of.index()].parents.iter().copied();
            parents.filter(|parent| self.is_under_way(ledger, *parent))
        });
        let mut is_crowd = ancestors.len() > MAX_ANCESTORS;
        let mut relatives = Vec::new();
        for ancestor in &ancestors {
            let descendants = reach(*ancestor, |of| self.rows[of.index()].children.iter().copied());
            is_crowd |= descendants.len() > MAX_DESCENDANTS;
            relatives.extend(descendants);
        }
        if is_crowd {
            for relative in relatives {
                self.rows[relative.index()].is_crowded = true;
            }
        }
    }

    /// These, and all that are under way and stand on them or beside them or carry them, in no order that says anything.
    #[must_use]
    pub fn relatives(&self, ledger: &Ledger, of: impl Iterator<Item = PaymentRef>) -> Vec<PaymentRef> {
        let mut all: Vec<PaymentRef> = Vec::new();
        for payment in of {
            if all.contains(&payment) {
                continue;
            }
            let relatives = reach(payment, |of| {
                let Row { parents, children, .. } = &self.rows[of.index()];
                let related = parents.iter().chain(children).copied();
                related.filter(|other| self.is_under_way(ledger, *other))
            });
            all.extend(relatives);
        }
        all
    }

    /// What a transaction spends of payments that were seen.
    #[must_use]
    pub fn parents_of(&self, transaction: &Transaction) -> Vec<PaymentRef> {
        let inputs = transaction.inputs().iter();
        inputs.filter_map(|outpoint| self.find_txid(&outpoint.txid)).collect()
    }

    /// Whether a transaction spends a coin that another spends which was seen.
    #[must_use]
    pub fn is_rival(&self, transaction: &Transaction) -> bool {
        let inputs = transaction.inputs().iter();
        let mut spenders = inputs.filter_map(|outpoint| self.spender(outpoint));
        spenders.any(|spender| self.wtxid(spender) != transaction.wtxid())
    }

    /// Whether some other payment that was seen spends a coin that this one spends.
    #[must_use]
    pub fn has_rival(&self, payment: PaymentRef) -> bool {
        self.rows[payment.index()].has_rival
    }

    /// Whether nothing about it can differ between nodes that follow the same block and have what it stands on.
    #[cfg(test)]
    pub(crate) fn is_plain(&self, payment: PaymentRef) -> bool {
        self.rows[payment.index()].is_plain()
    }

    /// How often a coin was found to be spent by a further payment.
    #[must_use]
    pub const fn rivals(&self) -> usize {
        self.rivals
    }

    /// All chains have this block in common from now on.
    pub fn settle(&mut self, ledger: &Ledger, block: BlockRef) {
        if !ledger.is_ancestor(self.settled, block) {
            // What was taken for settled is not. That is seldom.
            for row in &mut self.rows {
                row.is_crowded = true;
            }
        }
        self.settled = block;
    }

    /// The block that all chains have in common.
    #[must_use]
    pub const fn settled(&self) -> BlockRef {
        self.settled
    }

    /// The transaction itself.
    #[must_use]
    pub fn transaction(&self, payment: PaymentRef) -> &Arc<Transaction> {
        &self.rows[payment.index()].transaction
    }

    /// Its name.
    #[must_use]
    pub fn wtxid(&self, payment: PaymentRef) -> Wtxid {
        self.transaction(payment).wtxid()
    }

    /// What the message takes that carries it, in bytes.
    #[must_use]
    pub fn message_bytes(&self, payment: PaymentRef) -> u32 {
        self.rows[payment.index()].message_bytes
    }

    /// The size that it pays for, in bytes.
    pub(crate) fn bytes(&self, payment: PaymentRef) -> u32 {
        self.rows[payment.index()].bytes
    }

    /// What it takes in a mempool, in bytes.
    pub(crate) fn memory(&self, payment: PaymentRef) -> usize {
        self.rows[payment.index()].memory
    }

    /// How far a node is with it, as far as that is known.
    #[must_use]
    pub fn how_far(&self, payment: PaymentRef, node: NodeId) -> Far {
        let [calm, waits] = self.far[payment.index() * self.width + node.index() / 64];
        match (calm >> (node.index() % 64) & 1, waits >> (node.index() % 64) & 1) {
            (1, _) => Far::Asked,
            (0, 1) => Far::Heard,
            _ => Far::Nothing,
        }
    }

    /// Whether all that follows from a peer's announcement of these is that the peer has them, and may be asked for them. Of what was seen before `base` nothing is
    /// known.
    #[must_use]
    pub fn are_calm(&self, (node, base): (NodeId, PaymentRef), outbound: bool, list: &[PaymentRef]) -> bool {
        list.iter().all(|payment| {
            let [calm, waits] = self.far[payment.index() * self.width + node.index() / 64];
            // Who has it nobody can guess.
            let waits = waits & if outbound { 0 } else { u64::MAX };
            (*payment >= base) & ((calm | waits) >> (node.index() % 64) & 1 == 1)
        })
    }

    /// Notes how far a node is with it.
    pub fn set_far(&mut self, payment: PaymentRef, node: NodeId, far: Far) {
        let [calm, waits] = &mut self.far[payment.index() * self.width + node.index() / 64];
        let bit = 1 << (node.index() % 64);
        let set = |word: &mut u64, is_set: bool| *word = if is_set { *word | bit } else { *word & !bit };
        set(calm, far == Far::Asked);
        set(waits, far == Far::Heard);
    }

    /// Finds out what a plain payment is worth on the chain of a block, unless that is known.
    pub(crate) fn look_up(&mut self, ledger: &mut Ledger, payment: PaymentRef, tip: BlockRef) {
        let row = &self.rows[payment.index()];
        let is_known = row.terms.iter().flatten().any(|(at, _)| *at == tip);
        if row.is_plain() && !is_known {
            let terms = self.work_out(ledger, payment, tip);
            let known = &mut self.rows[payment.index()].terms;
            known.swap(0, 1);
            known[0] = Some((tip, terms));
        }
    }

    /// What was found out ([`Payments::look_up`]); none when the payment is not plain, or breaks a rule there.
    pub(crate) fn terms(&self, payment: PaymentRef, tip: BlockRef) -> Option<&Terms> {
        let row = &self.rows[payment.index()];
        let mut known = row.terms.iter().flatten().filter(|_| row.is_plain());
        known.find(|(at, _)| *at == tip)?.1.as_ref()
    }

    fn work_out(&self, ledger: &mut Ledger, payment: PaymentRef, tip: BlockRef) -> Option<Terms> {
        let transaction = self.transaction(payment);
        if ledger.confirmation(&transaction.txid(), tip).is_some() {
            return None;
        }
        let height = ledger.height(tip).next();
        let (mut coins, mut needs) = (Vec::new(), Vec::new());
        for outpoint in transaction.inputs() {
            let parent = self.find_txid(&outpoint.txid);
            let waiting = parent.filter(|_| ledger.confirmation(&outpoint.txid, tip).is_none());
            let Some(parent) = waiting else {
                coins.push(ledger.coin(outpoint, tip)?);
                continue;
            };
            let index = usize::try_from(outpoint.index).ok()?;
            coins.push(Coin {
                output: *self.transaction(parent).outputs().get(index)?,
                height,
                coinbase: false,
            });
            if !needs.contains(&parent) {
                needs.push(parent);
            }
        }
        let fee = ledger.check_transaction(transaction, &coins, height).ok()?;
        Some(Terms {
            fee,
            needs: needs.into(),
        })
    }
}

/// All that is reached from one, itself included.
fn reach<I: Iterator<Item = PaymentRef>>(from: PaymentRef, next: impl Fn(PaymentRef) -> I) -> Vec<PaymentRef> {
    let mut reached = vec![from];
    let mut at = 0;
    while let Some(payment) = reached.get(at) {
        for other in next(*payment) {
            if !reached.contains(&other) {
                reached.push(other);
            }
        }
        at += 1;
    }
    reached
}
