//! What a node has to unpack of what couriers took in before it takes something in itself: what that concerns, with all relatives.

use chain::{Block, BlockRef, Ledger};
use node::{Input, Node, PaymentRef, Payments, Unpacking};

use super::{Couriers, Network, NodeId};

/// What a block confirms.
#[derive(Debug)]
pub(super) struct Confirmed {
    block: BlockRef,
    payments: Vec<PaymentRef>,
    /// The same.
    marked: Marked,
    /// Whether all that it holds was seen, and nothing was that spends the same coins.
    is_plain: bool,
    /// How many rivals had been seen when this was found out.
    rivals: usize,
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
        Self {
            block,
            marked: Marked::new(&seen),
            payments: seen,
            is_plain,
            rivals: payments.rivals(),
        }
    }
}

/// Some payments, of which many are asked whether they are among them: a bit for each from the first on.
#[derive(Debug)]
struct Marked {
    first: usize,
    bits: Vec<u64>,
}

impl Marked {
    fn new(payments: &[PaymentRef]) -> Self {
        let indices = payments.iter().map(|payment| payment.index());
        let first = indices.clone().min().unwrap_or(0);
        let mut bits = vec![0; indices.clone().max().map_or(0, |last| (last - first) / 64 + 1)];
        for index in indices {
            bits[(index - first) / 64] |= 1 << ((index - first) % 64);
        }
        Self { first, bits }
    }

    fn contains(&self, payment: PaymentRef) -> bool {
        let place = payment.index().checked_sub(self.first);
        place.is_some_and(|place| {
            let word = self.bits.get(place / 64).copied().unwrap_or(0);
            word >> (place % 64) & 1 == 1
        })
    }
}

impl Couriers {
    /// What a block confirms. What was found out before another rival was seen may be otherwise by now.
    fn confirmed<'a>(
        lately: &'a mut Vec<Confirmed>,
        (ledger, payments): (&Ledger, &Payments),
        block: BlockRef,
    ) -> Option<&'a Confirmed> {
        lately.retain(|confirmed| confirmed.rivals == payments.rivals());
        let known = lately.iter().position(|confirmed| confirmed.block == block);
        let at = if let Some(known) = known {
            known
        } else {
            let confirmed = Confirmed::by(block, ledger.body(block)?, payments);
            if lately.len() == BLOCKS {
                lately.remove(0);
            }
            lately.push(confirmed);
            lately.len() - 1
        };
        Some(&lately[at])
    }

    /// A node follows a block that stands on what it followed.
    pub(super) fn confirm(&mut self, (core, ledger): (&mut Node, &Ledger), node: NodeId, block: BlockRef) {
        let Self {
            confirmed,
            payments,
            states,
            ..
        } = self;
        let confirmed = Self::confirmed(confirmed, (ledger, payments), block).expect("what is followed is here");
        for payment in &confirmed.payments {
            payments.set_far(*payment, node, node::Far::Nothing);
        }
        let state = &mut states[node.index()];
        if !confirmed.is_plain {
            // What has left with a copy that is signed otherwise, or was seen later, is not told of.
            state.base = payments.next();
        }
        core.confirm_in(payments, &mut state.satchel, |payment| {
            confirmed.marked.contains(payment)
        });
    }
}

impl Network {
    /// A node is about to take something in: it unpacks what that concerns.
    pub(in crate::network) fn unpack(&mut self, node: NodeId, input: &Input) {
        let Couriers {
            states,
            payments,
            confirmed,
            ..
        } = &mut self.couriers;
        let Some(state) = states.get_mut(node.index()).filter(|state| !state.satchel.is_empty()) else {
            return;
        };
        let Some(core) = self.places[node.index()].node.as_deref_mut() else {
            return;
        };
        let facts = (&self.ledgers[0], &*payments);
        let unpacking = core.unpacking(facts, (self.now, input), |block| {
            // Its body is not known before somebody has connected it.
            Couriers::confirmed(confirmed, facts, block).is_some_and(|confirmed| confirmed.is_plain)
        });
        let satchel = &mut state.satchel;
        match unpacking {
            Unpacking::Nothing => {}
            Unpacking::These(these) => {
                let these = Marked::new(&these);
                core.unpack(payments, satchel, |payment| these.contains(payment));
            }
            Unpacking::All => core.unpack(payments, satchel, |_| true),
        }
    }
}
