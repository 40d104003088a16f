//! What a node has to unpack of what couriers took in before it takes something in itself: what that concerns, with all relatives.

use chain::{Block, BlockRef, Ledger};
use gossip::{Item, Message};
use node::{Command, Input, Node, PaymentRef, Payments};

use super::{Couriers, Network, NodeId, State};

/// What a block confirms.
#[derive(Debug)]
pub(super) struct Confirmed {
    block: BlockRef,
    payments: Vec<PaymentRef>,
    /// The same, a bit for each payment from the first on.
    first: usize,
    bits: Vec<u64>,
    /// Whether all that it holds was seen, and nothing was that spends the same coins.
    is_plain: bool,
}

/// Of how many blocks it is remembered what they confirm.
const BLOCKS: usize = 4;

impl Confirmed {
    fn by(block: BlockRef, body: &Block, payments: &Payments) -> Self {
        let others = body.transactions.iter().filter(|other| !other.is_coinbase());
        let seen: Vec<Option<PaymentRef>> = others.map(|other| payments.find(&other.wtxid())).collect();
        let is_plain = seen
            .iter()
            .all(|payment| payment.is_some_and(|payment| !payments.has_rival(payment)));
        let seen: Vec<PaymentRef> = seen.into_iter().flatten().collect();
        let indices = seen.iter().map(|payment| payment.index());
        let first = indices.clone().min().unwrap_or(0);
        let mut bits = vec![0; indices.clone().max().map_or(0, |last| (last - first) / 64 + 1)];
        for index in indices {
            bits[(index - first) / 64] |= 1 << ((index - first) % 64);
        }
        Self {
            block,
            payments: seen,
            first,
            bits,
            is_plain,
        }
    }

    fn contains(&self, payment: PaymentRef) -> bool {
        let place = payment.index().checked_sub(self.first);
        place.is_some_and(|place| {
            let word = self.bits.get(place / 64).copied().unwrap_or(0);
            word >> (place % 64) & 1 == 1
        })
    }
}

/// What of a satchel is to be unpacked.
enum Unpacking {
    Nothing,
    These(Vec<PaymentRef>),
    All,
}

impl Couriers {
    /// What a block confirms.
    fn confirmed(&mut self, ledger: &Ledger, block: BlockRef) -> Option<usize> {
        if let Some(known) = self.confirmed.iter().position(|confirmed| confirmed.block == block) {
            return Some(known);
        }
        if self.confirmed.len() == BLOCKS {
            self.confirmed.remove(0);
        }
        let confirmed = Confirmed::by(block, ledger.body(block)?, &self.payments);
        self.confirmed.push(confirmed);
        Some(self.confirmed.len() - 1)
    }

    /// A node follows a block that stands on what it followed.
    pub(super) fn confirm(&mut self, (core, ledger): (&mut Node, &Ledger), node: NodeId, block: BlockRef) {
        let at = self.confirmed(ledger, block).expect("what is followed is here");
        let Self {
            confirmed,
            payments,
            states,
            ..
        } = self;
        let confirmed = &confirmed[at];
        for payment in &confirmed.payments {
            payments.set_far(*payment, node, node::Far::Nothing);
        }
        let satchel = &mut states[node.index()].satchel;
        core.confirm_in(payments, satchel, |payment| confirmed.contains(payment));
    }

    /// What concerns these, and all that are related to them; all when that is not plain.
    fn about(&self, ledger: &Ledger, payments: impl Iterator<Item = PaymentRef>) -> Unpacking {
        let relatives = self.payments.relatives(ledger, payments);
        if relatives.iter().any(|payment| self.payments.has_rival(*payment)) {
            return Unpacking::All;
        }
        Unpacking::These(relatives)
    }

    fn unpacking(
        &mut self,
        (core, ledger): (&Node, &Ledger),
        state: &State,
        input: &Input,
        now: base::Time,
    ) -> Unpacking {
        let find = |wtxid: &chain::Wtxid| self.payments.find(wtxid);
        match input {
            Input::Tick => {
                let expires = state.satchel.since().map(|since| since + node::limits::MEMPOOL_EXPIRY);
                if expires.is_some_and(|at| at <= now) {
                    Unpacking::All
                } else {
                    Unpacking::Nothing
                }
            }
            Input::Received { message, .. } => match message {
                Message::Announce(wtxids) => self.about(ledger, wtxids.iter().filter_map(find)),
                Message::Get(items) => {
                    let named = items.iter().filter_map(|item| match item {
                        Item::Transaction(wtxid) => find(wtxid),
                        Item::Parent(txid) => self.payments.find_txid(txid),
                        Item::Block(_) | Item::CompactBlock(_) => None,
                    });
                    self.about(ledger, named)
                }
                Message::Transaction(transaction) => {
                    let own = find(&transaction.wtxid());
                    let parents = self.payments.parents_of(transaction);
                    self.about_new(ledger, transaction, own.into_iter().chain(parents))
                }
                Message::Headers(_)
                | Message::GetHeaders { .. }
                | Message::AnnounceBlocks(_)
                | Message::NotFound(_) => Unpacking::Nothing,
                Message::Block(block) => self.on_block((core, ledger), block),
                Message::Hello(_)
                | Message::SendCompact { .. }
                | Message::CompactBlock(_)
                | Message::GetBlockTransactions { .. }
                | Message::BlockTransactions { .. }
                | Message::Graft
                | Message::Prune { .. } => Unpacking::All,
            },
            Input::Command(Command::Submit(transaction)) => {
                let parents = self.payments.parents_of(transaction);
                self.about_new(ledger, transaction, parents.into_iter())
            }
            Input::Command(Command::StopMining | Command::SetHashRate(_) | Command::Generate { .. }) => {
                Unpacking::Nothing
            }
            Input::Connected { .. }
            | Input::Disconnected { .. }
            | Input::Garbage { .. }
            | Input::Drawn
            | Input::Solved { .. }
            | Input::Restored { .. }
            | Input::Command(_) => Unpacking::All,
        }
    }

    /// The same as [`Couriers::about`], of a transaction that may spend what another spends.
    fn about_new(
        &self,
        ledger: &Ledger,
        transaction: &chain::Transaction,
        related: impl Iterator<Item = PaymentRef>,
    ) -> Unpacking {
        if self.payments.is_rival(transaction) {
            return Unpacking::All;
        }
        self.about(ledger, related)
    }

    /// A block that extends what the node follows, and that conflicts with nothing, is followed without a look at what it confirms.
    fn on_block(&mut self, (core, ledger): (&Node, &Ledger), block: &Block) -> Unpacking {
        let tip = core.view().tip();
        let known = ledger.find(&block.id()).filter(|at| ledger.parent(*at) == Some(tip));
        let Some(at) = known.filter(|_| core.follows_plainly()) else {
            return Unpacking::All;
        };
        // Its body is not known before somebody has connected it.
        match self.confirmed(ledger, at) {
            Some(confirmed) if self.confirmed[confirmed].is_plain => Unpacking::Nothing,
            Some(_) | None => Unpacking::All,
        }
    }
}

impl Network {
    /// A node is about to take something in: it unpacks what that concerns.
    pub(in crate::network) fn unpack(&mut self, node: NodeId, input: &Input) {
        let Some(state) = self.couriers.states.get_mut(node.index()) else {
            return;
        };
        if state.satchel.is_empty() {
            return;
        }
        let Some(core) = self.places[node.index()].node.as_deref_mut() else {
            return;
        };
        let state = std::mem::take(state);
        let unpacking = self
            .couriers
            .unpacking((core, &self.ledgers[0]), &state, input, self.now);
        let mut state = state;
        let (payments, satchel) = (&self.couriers.payments, &mut state.satchel);
        match unpacking {
            Unpacking::Nothing => {}
            Unpacking::These(these) => core.unpack(payments, satchel, |payment| these.contains(&payment)),
            Unpacking::All => core.unpack(payments, satchel, |_| true),
        }
        self.couriers.states[node.index()] = state;
    }
}
