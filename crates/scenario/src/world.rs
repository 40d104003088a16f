//! What has been observed of a network, built from its nodes' events and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{NodeId, Time};
use chain::{Block, BlockId, Height, Txid, Work};
use node::Event;
use node::event::TipRef;

use crate::Plan;

/// A block that some node has found valid.
#[derive(Clone, Debug)]
pub struct BlockFacts {
    /// Its parent.
    pub parent: BlockId,
    /// Its height.
    pub height: Height,
    /// The work of it and its ancestors.
    pub chain_work: Work,
    /// Header and transactions.
    pub body: Arc<Block>,
    /// Who mined it, when that was seen.
    pub miner: Option<NodeId>,
    /// When it was first seen.
    pub first_seen: Time,
}

/// A reorg that a node went through.
#[derive(Clone, Debug)]
pub struct ReorgFacts {
    /// When.
    pub at: Time,
    /// Blocks disconnected.
    pub depth: u32,
    /// The last common block.
    pub fork_point: BlockId,
}

/// Something that a node refused.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// When.
    pub at: Time,
    /// The reason word.
    pub reason: &'static str,
    /// Who sent it.
    pub from: Option<NodeId>,
}

/// One node, as far as its events tell.
#[derive(Clone, Debug)]
pub struct NodeFacts {
    /// Whether it runs.
    pub running: bool,
    /// What it follows.
    pub tip: TipRef,
    /// The most work among the blocks it has connected.
    pub most_work: Work,
    /// Whom it is connected to.
    pub peers: BTreeSet<NodeId>,
    /// What waits in its mempool.
    pub mempool: BTreeSet<Txid>,
    /// How many blocks it has mined.
    pub mined: u32,
    /// The reorgs it went through.
    pub reorgs: Vec<ReorgFacts>,
    /// What it refused.
    pub rejections: Vec<Rejection>,
}

/// What has been observed of a network.
#[derive(Clone, Debug)]
pub struct World {
    nodes: Vec<NodeFacts>,
    blocks: BTreeMap<BlockId, BlockFacts>,
    genesis: BlockId,
}

impl World {
    /// A network of which nothing has been seen yet: no node runs.
    #[must_use]
    pub fn new(_plan: &Plan) -> Self {
        todo!("lead")
    }

    /// A node has started (again); it knows the genesis block until it tells more.
    pub fn node_started(&mut self, _node: NodeId) {
        todo!("lead")
    }

    /// A node has stopped.
    pub fn node_stopped(&mut self, _node: NodeId) {
        todo!("lead")
    }

    /// Takes in what a node tells.
    pub fn observe(&mut self, _now: Time, _node: NodeId, _event: &Event) {
        todo!("lead")
    }

    /// The nodes, by [`NodeId`].
    #[must_use]
    pub fn nodes(&self) -> &[NodeFacts] {
        &self.nodes
    }

    /// One node.
    #[must_use]
    pub fn node(&self, node: NodeId) -> &NodeFacts {
        &self.nodes[node.index()]
    }

    /// The genesis block.
    #[must_use]
    pub const fn genesis(&self) -> BlockId {
        self.genesis
    }

    /// A block that some node has found valid.
    #[must_use]
    pub fn block(&self, id: &BlockId) -> Option<&BlockFacts> {
        self.blocks.get(id)
    }

    /// All blocks seen, the genesis block among them, in the order of their names.
    #[must_use]
    pub const fn blocks(&self) -> &BTreeMap<BlockId, BlockFacts> {
        &self.blocks
    }

    /// The chain that ends at `tip`, genesis first.
    #[must_use]
    pub fn chain(&self, _tip: &BlockId) -> Vec<&BlockFacts> {
        todo!("lead")
    }
}
