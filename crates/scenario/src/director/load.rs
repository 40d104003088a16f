//! Loads: payments at a rate, from wallets that one funded wallet is split among.
//!
//! A load pays in lanes. Each lane is one coin that goes from wallet to wallet by one node, so that a payment's parent is always known where
//! it is handed in, and no two lanes conflict. What a lane's coin is worth and how long its chain of unconfirmed payments is, is kept from
//! payment to payment: no chain is ever searched for coins.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use base::{NodeId, Rng, Time};
use chain::{Amount, BlockId, Coin, Height, OutPoint, SigningKey, Transaction, TxOutput, Txid};
use node::Command;

use super::Order;
use super::wallet::{Book, Wallets};
use crate::plan::{LoadPlan, Pattern};
use crate::world::World;

/// The longest chain of unconfirmed payments: what mempools accept.
const MAX_UNCONFIRMED: usize = node::limits::MAX_ANCESTORS;

/// A load that goes on.
#[derive(Debug)]
pub(super) struct Load {
    plan: LoadPlan,
    keys: Vec<SigningKey>,
    /// The one to pay next is in front.
    lanes: VecDeque<Lane>,
    /// The tip of each node up to which its chain has been looked through: the genesis block at first.
    seen: Vec<BlockId>,
    rng: Rng,
    /// When the next payment is due.
    due: Time,
    /// When the last has been; known from the first payment on.
    end: Option<Time>,
}

/// A coin on its way from wallet to wallet.
#[derive(Clone, Copy, Debug)]
struct Lane {
    via: NodeId,
    outpoint: OutPoint,
    value: Amount,
    /// The place of its owner's key.
    owner: usize,
    /// The unconfirmed payments in a row that end with this coin; `None` until the coin that the lane begins with is confirmed.
    unconfirmed: Option<usize>,
}

impl Load {
    /// A load, and the payment that splits the wallet's coins among its lanes; or why there is none.
    pub(super) fn begin(
        plan: &LoadPlan,
        wallets: &mut Wallets,
        book: &Book<'_>,
        now: Time,
    ) -> Result<(Self, Arc<Transaction>), String> {
        let seed = book.plan.root_seed().child("load", plan.number);
        let keys: Vec<SigningKey> = (0..plan.wallets)
            .map(|number| SigningKey::from_seed(&seed.child("wallet", u64::from(number))))
            .collect();
        let owners: Vec<_> = keys.iter().map(SigningKey::owner).collect();
        let split = wallets.split(book, plan.from, (&owners, plan.fee))?;
        let lane = |(place, output): (usize, &TxOutput)| Lane {
            via: plan.on[place % plan.on.len()],
            outpoint: split.outpoint(u32::try_from(place).expect("few outputs fit a transaction")),
            value: output.value,
            owner: place,
            unconfirmed: None,
        };
        let lanes = split.outputs().iter().enumerate().map(lane).collect();
        let mut load = Self {
            plan: plan.clone(),
            keys,
            lanes,
            seen: vec![book.world.genesis(); book.plan.nodes.len()],
            rng: seed.child("times", 0).rng(),
            due: now,
            end: None,
        };
        load.due = now + load.pause();
        Ok((load, split))
    }

    pub(super) const fn plan(&self) -> &LoadPlan {
        &self.plan
    }

    /// When [`Load::pay`] is next wanted; `None` when the load is over.
    pub(super) fn due(&self) -> Option<Time> {
        let over = self.lanes.is_empty() || self.end.is_some_and(|end| self.due > end);
        (!over).then_some(self.due)
    }

    /// Makes the payments that are due. One for which no lane is ready is left out.
    pub(super) fn pay(&mut self, now: Time, world: &World, orders: &mut Vec<Order>) {
        while self.due().is_some_and(|due| due <= now) {
            if let Some(mut lane) = self.ready_lane(world) {
                self.end = self.end.or_else(|| Some(now + self.plan.lasting?));
                let transaction = self.payment(&mut lane, world);
                orders.push(Order::Command(lane.via, Command::Submit(transaction)));
                // A coin that does not pay for another payment is left where it is.
                if lane.value > self.plan.fee {
                    self.lanes.push_back(lane);
                }
            }
            let pause = self.pause();
            self.due += pause;
        }
    }

    fn pause(&mut self) -> Duration {
        match self.plan.pattern {
            Pattern::Constant => self.plan.every,
            Pattern::Poisson => self.rng.exponential(self.plan.every),
        }
    }

    /// The first lane that can pay, taken out of the row. Lanes whose last payment was refused are given up.
    fn ready_lane(&mut self, world: &World) -> Option<Lane> {
        for _ in 0..self.lanes.len() {
            let via = self.lanes.front()?.via;
            let facts = world.node(via);
            if facts.running && self.seen[via.index()] != facts.tip.block {
                self.look(via, world);
            }
            let lane = self.lanes.pop_front()?;
            if facts.refused.contains_key(&lane.outpoint.txid) {
                continue;
            }
            if facts.running && lane.unconfirmed.is_some_and(|row| row < MAX_UNCONFIRMED) {
                return Some(lane);
            }
            self.lanes.push_back(lane);
        }
        None
    }

    /// Looks which lanes' coins the new blocks of a node's chain confirm.
    fn look(&mut self, via: NodeId, world: &World) {
        let tip = world.node(via).tip.block;
        let before = std::mem::replace(&mut self.seen[via.index()], tip);
        let fork_point = world.fork_point(&before, &tip);
        let mut confirmed: BTreeSet<Txid> = BTreeSet::new();
        let mut at = tip;
        while at != fork_point {
            let facts = world.block(&at).expect("a node stands on blocks that it has told of");
            confirmed.extend(facts.transactions().iter().map(|transaction| transaction.txid()));
            at = facts.parent;
        }
        for lane in self.lanes.iter_mut().filter(|lane| lane.via == via) {
            if confirmed.contains(&lane.outpoint.txid) {
                lane.unconfirmed = Some(0);
            }
        }
    }

    /// The payment of a lane's coin to the next wallet, and the lane after it.
    fn payment(&mut self, lane: &mut Lane, world: &World) -> Arc<Transaction> {
        let coin = Coin {
            output: TxOutput {
                value: lane.value,
                owner: self.keys[lane.owner].owner(),
            },
            height: Height(0),
            coinbase: false,
        };
        let next = (lane.owner + 1) % self.keys.len();
        let value = lane
            .value
            .checked_sub(self.plan.fee)
            .expect("a lane that cannot pay the fee is left out");
        let output = TxOutput {
            value,
            owner: self.keys[next].owner(),
        };
        // The height that signatures do not cover is left at zero.
        let payment = Transaction::payment(vec![lane.outpoint], vec![output], b"");
        let signed = payment.sign(&self.keys[lane.owner], world.genesis(), &[coin]);
        *lane = Lane {
            outpoint: signed.outpoint(0),
            value,
            owner: next,
            unconfirmed: lane.unconfirmed.map(|row| row + 1),
            ..*lane
        };
        Arc::new(signed)
    }
}
