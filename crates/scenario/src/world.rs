//! What has been observed of a network, built from its nodes' events and nothing else.

mod mempools;
mod told;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use base::{NodeId, Time, prefetch};
use chain::{Amount, Block, BlockId, Coin, Height, Ledger, OutPoint, Transaction, Txid, Work};
use indexmap::IndexMap;
use node::Event;
use node::event::TipRef;
use rustc_hash::FxBuildHasher;

use crate::Plan;

use self::mempools::Mempools;
pub use self::told::{NodeFacts, Rejections, ReorgFacts};

/// A block that some node has found valid.
#[derive(Clone, Debug)]
pub struct BlockFacts {
    /// Its parent.
    pub parent: BlockId,
    /// Its height.
    pub height: Height,
    /// The work of it and its ancestors.
    pub chain_work: Work,
    /// Header and transactions; none once they were let go ([`World::let_go`]).
    pub body: Option<Arc<Block>>,
    /// Who mined it, when that was seen.
    pub miner: Option<NodeId>,
    /// When it was first seen.
    pub first_seen: Time,
}

impl BlockFacts {
    /// What the block holds; nothing once that was let go.
    #[must_use]
    pub fn transactions(&self) -> &[Arc<Transaction>] {
        self.body.as_ref().map_or(&[], |body| &body.transactions)
    }
}

/// The last few blocks that were new: most of what is told is about one of them, on one node after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latest {
    blocks: [BlockId; 4],
    next: usize,
}

impl Latest {
    /// Whether it was new a short while ago.
    #[must_use]
    pub fn contains(&self, block: &BlockId) -> bool {
        self.blocks.contains(block)
    }

    /// A block is new.
    pub const fn push(&mut self, block: BlockId) {
        self.blocks[self.next] = block;
        self.next = (self.next + 1) % self.blocks.len();
    }
}

/// Blocks by name, in the order they were first seen: in runs of half a million blocks a tree of names is looked through for a tenth of the time.
pub type Blocks = IndexMap<BlockId, BlockFacts, FxBuildHasher>;

/// What has been observed of a network.
#[derive(Clone, Debug)]
pub struct World {
    nodes: Vec<NodeFacts>,
    mempools: Mempools,
    blocks: Blocks,
    /// Of `blocks`.
    latest: Latest,
    /// Those whose bodies are here, in the order they were first seen.
    bodies: VecDeque<BlockId>,
    genesis: TipRef,
    /// How many nodes run.
    running: usize,
}

impl World {
    /// A network of which nothing has been seen yet: no node runs.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let ledger = Ledger::new(plan.params.clone());
        let body = Arc::new(plan.params.genesis_block());
        let genesis = TipRef {
            block: body.id(),
            height: Height(0),
            chain_work: ledger.work(ledger.genesis()),
        };
        let facts = BlockFacts {
            parent: BlockId::ZERO,
            height: Height(0),
            chain_work: genesis.chain_work,
            body: Some(body),
            miner: None,
            first_seen: Time::ZERO,
        };
        Self {
            nodes: vec![NodeFacts::down(genesis); plan.nodes.len()],
            mempools: Mempools::new(plan.nodes.len()),
            blocks: Blocks::from_iter([(genesis.block, facts)]),
            latest: Latest::default(),
            bodies: VecDeque::new(),
            genesis,
            running: 0,
        }
    }

    /// A node has started (again); it knows the genesis block until it tells more.
    pub fn node_started(&mut self, node: NodeId) {
        self.mempools.clear(node);
        let facts = &mut self.nodes[node.index()];
        facts.peers.clear();
        self.running += usize::from(!facts.running);
        facts.running = true;
        facts.paused = false;
        facts.blank = false;
        facts.tip = self.genesis;
        facts.most_work = self.genesis.chain_work;
    }

    /// A node has stopped. Its tip stays in view as its last.
    pub fn node_stopped(&mut self, node: NodeId) {
        self.mempools.clear(node);
        let facts = &mut self.nodes[node.index()];
        facts.peers.clear();
        self.running -= usize::from(facts.running);
        facts.running = false;
        facts.paused = false;
    }

    /// A node stands still from now on.
    pub fn node_paused(&mut self, node: NodeId) {
        self.nodes[node.index()].paused = true;
    }

    /// A node does not stand still any more.
    pub fn node_resumed(&mut self, node: NodeId) {
        self.nodes[node.index()].paused = false;
    }

    /// A node that is down has lost all that was on its disk. Its last tip stays in view.
    pub fn node_wiped(&mut self, node: NodeId) {
        self.nodes[node.index()].blank = true;
    }

    /// Takes in what a node tells; says whether it is of a block that nobody had told of.
    pub fn observe(&mut self, now: Time, node: NodeId, event: &Event) -> bool {
        self.nodes[node.index()].observe(now, event);
        let known = self.blocks.len();
        match event {
            Event::BlockMined {
                block,
                height,
                chain_work,
                body,
                ..
            } => {
                let place = TipRef {
                    block: *block,
                    height: *height,
                    chain_work: *chain_work,
                };
                self.add_block(now, place, body).miner = Some(node);
                self.latest.push(*block);
            }
            Event::BlockConnected { block, .. } if self.latest.contains(block) => {}
            Event::BlockConnected {
                block,
                height,
                chain_work,
                body,
                ..
            } => {
                let place = TipRef {
                    block: *block,
                    height: *height,
                    chain_work: *chain_work,
                };
                self.add_block(now, place, body);
            }
            Event::TipChanged { new, .. } => self.change_tip(node, *new),
            Event::Reorg { txs_returned, .. } => {
                for txid in txs_returned {
                    self.mempools.insert(node, *txid);
                }
            }
            Event::TxAccepted { txid, .. } => self.mempools.insert(node, *txid),
            Event::TxEvicted { txid, .. } | Event::TxReplaced { txid, .. } => self.mempools.remove(node, txid),
            Event::PeerConnected { .. }
            | Event::PeerDisconnected { .. }
            | Event::PeerPenalised { .. }
            | Event::MessageSent { .. }
            | Event::MessageReceived { .. }
            | Event::MessageDropped { .. }
            | Event::HeaderAccepted { .. }
            | Event::BlockReceived { .. }
            | Event::BlockRejected { .. }
            | Event::OrphanHeld { .. }
            | Event::OrphanResolved { .. }
            | Event::TxSubmitted { .. }
            | Event::TxRejected { .. } => {}
        }
        self.blocks.len() > known
    }

    fn add_block(&mut self, now: Time, place: TipRef, body: &Arc<Block>) -> &mut BlockFacts {
        let bodies = &mut self.bodies;
        self.blocks.entry(place.block).or_insert_with(|| {
            bodies.push_back(place.block);
            BlockFacts {
                parent: body.header.parent,
                height: place.height,
                chain_work: place.chain_work,
                body: Some(Arc::clone(body)),
                miner: None,
                first_seen: now,
            }
        })
    }

    /// Lets go of the bodies of all blocks below this one; gives these blocks.
    ///
    /// # Panics
    /// When the block has not been observed.
    pub fn let_go(&mut self, block: &BlockId) -> Vec<BlockId> {
        let height = self.blocks[block].height;
        let mut gone = Vec::new();
        while let Some(id) = self.bodies.front() {
            let facts = self.blocks.get_mut(id).expect("only blocks have bodies");
            if facts.height >= height {
                break;
            }
            facts.body = None;
            gone.extend(self.bodies.pop_front());
        }
        gone
    }

    /// The bodies of the blocks above an ancestor up to and with a block, in their order.
    ///
    /// # Panics
    /// When the one is no ancestor of the other, or a block between has not been observed.
    #[must_use]
    pub fn path(&self, ancestor: &BlockId, block: &BlockId) -> Vec<Arc<Block>> {
        let mut path = Vec::new();
        let mut at = *block;
        while at != *ancestor {
            let facts = &self.blocks[&at];
            path.extend(facts.body.clone());
            at = facts.parent;
        }
        path.reverse();
        path
    }

    /// Whether a block was new a short while ago: that some node has it says nothing new.
    #[must_use]
    pub fn is_latest(&self, block: &BlockId) -> bool {
        self.latest.contains(block)
    }

    /// A node was greeted by these peers.
    pub fn meet(&mut self, node: NodeId, peers: impl Iterator<Item = NodeId>) {
        let mut met = peers.collect();
        self.nodes[node.index()].peers.append(&mut met);
    }

    /// A transaction waits in a node's mempool.
    pub fn accept(&mut self, node: NodeId, txid: Txid) {
        self.mempools.insert(node, txid);
    }

    /// A node has connected a block that is known, and follows it.
    pub fn follow(&mut self, node: NodeId, block: TipRef) {
        let facts = &mut self.nodes[node.index()];
        facts.most_work = facts.most_work.max(block.chain_work);
        self.change_tip(node, block);
    }

    /// Moves a node's tip; what the blocks on the way to the new one confirm is no longer in its mempool.
    fn change_tip(&mut self, node: NodeId, new: TipRef) {
        let old = std::mem::replace(&mut self.nodes[node.index()].tip, new);
        if self.mempools.len(node) == 0 {
            return;
        }
        let fork_point = self.fork_point(&old.block, &new.block);
        let mut at = new.block;
        while at != fork_point {
            let facts = &self.blocks[&at];
            for transaction in facts.transactions() {
                self.mempools.remove(node, &transaction.txid());
            }
            at = facts.parent;
        }
    }

    /// The nodes, by [`NodeId`].
    #[must_use]
    pub fn nodes(&self) -> &[NodeFacts] {
        &self.nodes
    }

    /// How many nodes run.
    #[must_use]
    pub const fn running(&self) -> usize {
        self.running
    }

    /// One node.
    #[must_use]
    pub fn node(&self, node: NodeId) -> &NodeFacts {
        &self.nodes[node.index()]
    }

    /// Has fetched what [`World::follow`] is about, and does not wait for it.
    pub fn glance(&self, node: NodeId) {
        let facts = self.node(node);
        prefetch(&facts.most_work);
        prefetch(&facts.tip.chain_work);
        self.mempools.glance(node);
    }

    /// Whether a transaction waits in a node's mempool.
    #[must_use]
    pub fn waits_in(&self, node: NodeId, txid: &Txid) -> bool {
        self.mempools.contains(node, txid)
    }

    /// How many transactions wait in a node's mempool.
    #[must_use]
    pub fn mempool_len(&self, node: NodeId) -> usize {
        self.mempools.len(node)
    }

    /// Whether two nodes are connected, as both see it.
    #[must_use]
    pub fn connected(&self, a: NodeId, b: NodeId) -> bool {
        self.node(a).peers.contains(&b) && self.node(b).peers.contains(&a)
    }

    /// Whether either of two nodes sees a connection between them.
    #[must_use]
    pub fn touching(&self, a: NodeId, b: NodeId) -> bool {
        self.node(a).peers.contains(&b) || self.node(b).peers.contains(&a)
    }

    /// The genesis block.
    #[must_use]
    pub const fn genesis(&self) -> BlockId {
        self.genesis.block
    }

    /// A block that some node has found valid.
    #[must_use]
    pub fn block(&self, id: &BlockId) -> Option<&BlockFacts> {
        self.blocks.get(id)
    }

    /// All blocks seen, the genesis block among them, in the order they were first seen.
    #[must_use]
    pub const fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    /// The chain that ends at `tip`, genesis first.
    ///
    /// # Panics
    /// When a block of it has not been observed: nodes tell of a block before they stand on it.
    #[must_use]
    pub fn chain(&self, tip: &BlockId) -> Vec<&BlockFacts> {
        let mut chain = vec![&self.blocks[tip]];
        while let Some(parent) = chain.last().and_then(|facts| self.blocks.get(&facts.parent)) {
            chain.push(parent);
        }
        chain.reverse();
        assert!(
            chain[0].height == Height(0),
            "a node stands on blocks that it has told of"
        );
        chain
    }

    /// The last block that two chains have in common.
    #[must_use]
    pub fn fork_point(&self, a: &BlockId, b: &BlockId) -> BlockId {
        let (mut a, mut b) = (*a, *b);
        while a != b {
            let (height_a, height_b) = (self.blocks[&a].height, self.blocks[&b].height);
            if height_a >= height_b {
                a = self.blocks[&a].parent;
            }
            if height_b >= height_a {
                b = self.blocks[&b].parent;
            }
        }
        a
    }

    /// The coins that are unspent at the end of a chain, by plain replay.
    #[must_use]
    pub fn coins(&self, tip: &BlockId) -> BTreeMap<OutPoint, Coin> {
        let mut coins = BTreeMap::new();
        for facts in self.chain(tip) {
            for transaction in facts.transactions() {
                for outpoint in transaction.inputs() {
                    coins.remove(outpoint);
                }
                for (index, output) in (0..).zip(transaction.outputs()) {
                    let coinbase = transaction.is_coinbase();
                    coins.insert(
                        transaction.outpoint(index),
                        Coin {
                            output: *output,
                            height: facts.height,
                            coinbase,
                        },
                    );
                }
            }
        }
        coins
    }

    /// How deep a transaction is buried in a chain: 1 in its tip, none when it is not in it.
    #[must_use]
    pub fn depth(&self, txid: &Txid, tip: &BlockId) -> Option<u32> {
        let chain = self.chain(tip);
        let top = chain.last()?.height;
        let holds = |facts: &&&BlockFacts| facts.transactions().iter().any(|tx| tx.txid() == *txid);
        chain.iter().rev().find(holds).map(|facts| top.0 - facts.height.0 + 1)
    }

    /// What the blocks of a chain created and did not burn: the sum of its unspent coins.
    #[must_use]
    pub fn supply(&self, tip: &BlockId) -> Option<Amount> {
        Amount::total(self.coins(tip).values().map(|coin| coin.output.value))
    }
}
