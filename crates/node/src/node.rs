//! The node: knowledge, and the one way to change it.

use base::{NodeId, Seed, Time};
use chain::{BlockRef, HashRate, Ledger, Transaction, Wtxid};
use std::sync::Arc;

use crate::seam::{Deadline, Input, Outbox};
use crate::{Config, Strategy};

/// One participant. See the crate's documentation.
#[derive(Debug)]
pub struct Node {
    id: NodeId,
    config: Config,
    seed: Seed,
}

impl Node {
    /// A node that knows the genesis block and nobody.
    #[must_use]
    pub fn new(id: NodeId, config: Config, seed: Seed) -> Self {
        Self { id, config, seed }
    }

    /// The one way to change a node. Never blocks, never fails: a peer's fault becomes an event and a score.
    ///
    /// `ledger` may be this node's own or shared with others: it holds facts, and the node acts only on those it has been told.
    pub fn handle(&mut self, _ledger: &mut Ledger, _now: Time, _input: Input, _out: &mut Outbox) {
        todo!("node")
    }

    /// When [`Input::Tick`] is next wanted, and why.
    #[must_use]
    pub fn deadline(&self) -> Option<Deadline> {
        todo!("node")
    }

    /// What may be looked at from outside.
    #[must_use]
    pub const fn view(&self) -> View<'_> {
        View { node: self }
    }
}

/// A node, read-only.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    node: &'a Node,
}

impl<'a> View<'a> {
    /// Which node.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.node.id
    }

    /// The block it follows.
    #[must_use]
    pub fn tip(&self) -> BlockRef {
        todo!("node")
    }

    /// The tips of all branches it has in full, the best first.
    #[must_use]
    pub fn tips(&self) -> Vec<BlockRef> {
        todo!("node")
    }

    /// Peers whose handshake is done, in order.
    #[must_use]
    pub fn peers(&self) -> Vec<NodeId> {
        todo!("node")
    }

    /// Its unconfirmed transactions, in the order of their names.
    #[must_use]
    pub fn mempool(&self) -> Vec<&'a Arc<Transaction>> {
        todo!("node")
    }

    /// Whether it has this transaction unconfirmed.
    #[must_use]
    pub fn has_unconfirmed(&self, _wtxid: &Wtxid) -> bool {
        todo!("node")
    }

    /// Its hash power now.
    #[must_use]
    pub const fn hashrate(&self) -> HashRate {
        self.node.config.hashrate
    }

    /// How it behaves.
    #[must_use]
    pub const fn strategy(&self) -> Strategy {
        self.node.config.strategy
    }

    /// The seed its own randomness comes from.
    #[must_use]
    pub const fn seed(&self) -> &'a Seed {
        &self.node.seed
    }
}
