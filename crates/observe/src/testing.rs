//! A small hand-made network for this crate's tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::{Hash, NodeId, Time};
use chain::uint::U256;
use chain::{Block, BlockId, HashRate, Header, Height, Params, Txid, Work};
use node::event::{DroppedTransaction, TipRef};
use node::{Event, TipChange};
use proptest::prelude::*;
use scenario::Plan;
use scenario::plan::NodePlan;

use crate::{Collector, Engine, RunEvent};

/// A plan of `nodes` honest nodes, `n0` and on, without steps.
pub(crate) fn plan(nodes: usize) -> Plan {
    let node = |index: usize| NodePlan {
        name: format!("n{index}"),
        hashrate: HashRate(1_000),
        strategy: node::Strategy::Honest,
        started: true,
        ..NodePlan::default()
    };
    Plan {
        file: "by-hand.toml".to_owned(),
        source: "name = \"by-hand\"\n".into(),
        seed: 7,
        limit: Duration::from_secs(60),
        nodes: (0..nodes).map(node).collect(),
        ..Plan::empty("by-hand", Params::instant())
    }
}

/// A name that shows as `text` and zeros: hexadecimal digits, at most eight.
pub(crate) fn id(text: &str) -> BlockId {
    format!("{text:0>64}").parse().expect("hexadecimal digits")
}

/// A transaction of a name that begins with `text`.
pub(crate) fn txid(text: &str) -> Txid {
    format!("{text:0<64}").parse().expect("hexadecimal digits")
}

/// A tree of blocks: their names, and their parents' places in it, 0 for the genesis block.
pub(crate) fn any_tree() -> impl Strategy<Value = Vec<(String, usize)>> {
    proptest::collection::vec(0..5_usize, 1..20).prop_map(|backs| {
        let block = |(place, back): (usize, usize)| (format!("b{place:02}"), place.saturating_sub(back));
        backs.into_iter().enumerate().map(block).collect()
    })
}

/// A network whose nodes' events are made up. Every call takes a millisecond.
pub(crate) struct Sketch {
    pub(crate) collector: Collector,
    blocks: BTreeMap<BlockId, TipRef>,
    parents: BTreeMap<BlockId, BlockId>,
    tips: Vec<TipRef>,
    nseq: u64,
    pub(crate) now: Time,
}

impl Sketch {
    /// All nodes of the plan are up.
    pub(crate) fn new(plan: Plan) -> Self {
        Self::observed_by(Collector::new(Arc::new(plan), Engine::Sim, None).expect("nothing is written"))
    }

    pub(crate) fn observed_by(collector: Collector) -> Self {
        let genesis = collector.world().genesis();
        let place = TipRef {
            block: genesis,
            height: Height(0),
            chain_work: collector.world().blocks()[&genesis].chain_work,
        };
        let nodes = collector.plan().nodes.len();
        let mut sketch = Self {
            collector,
            blocks: BTreeMap::from([(genesis, place)]),
            parents: BTreeMap::new(),
            tips: vec![place; nodes],
            nseq: 0,
            now: Time::ZERO,
        };
        for node in 0..nodes {
            sketch.start(node);
        }
        sketch
    }

    /// One node that has seen a tree's blocks in the order of `priorities`, but none before its parent, and follows none.
    pub(crate) fn of_tree(blocks: &[(String, usize)], priorities: &[u32]) -> Self {
        let mut sketch = Self::new(plan(1));
        sketch.mine_tree(blocks, priorities);
        sketch
    }

    /// The first node sees a tree's blocks in the order of `priorities`, but none before its parent, and follows none.
    pub(crate) fn mine_tree(&mut self, blocks: &[(String, usize)], priorities: &[u32]) {
        let genesis = self.collector.world().genesis();
        let mut waiting: Vec<usize> = (0..blocks.len()).collect();
        let mut told = vec![false; blocks.len() + 1];
        told[0] = true;
        while !waiting.is_empty() {
            let ready = waiting.iter().copied().filter(|&place| told[blocks[place].1]);
            let next = ready
                .min_by_key(|&place| priorities[place])
                .expect("the parent of the first is told");
            waiting.retain(|&place| place != next);
            told[next + 1] = true;
            let (name, parent) = &blocks[next];
            let parent = parent.checked_sub(1).map_or(genesis, |parent| id(&blocks[parent].0));
            self.mine_aside(0, name, parent);
        }
    }

    pub(crate) fn start(&mut self, node: usize) {
        self.observe(RunEvent::NodeStarted {
            node: NodeId::at(node),
            peer_id: String::new(),
            addrs: Vec::new(),
            restored: 0,
        });
        self.tips[node] = self.blocks[&self.collector.world().genesis()];
    }

    pub(crate) fn stop(&mut self, node: usize, expected: bool) {
        self.observe(RunEvent::NodeStopped {
            node: NodeId::at(node),
            reason: "stopped".to_owned(),
            expected,
        });
    }

    pub(crate) fn tell(&mut self, node: usize, event: Event) {
        self.nseq += 1;
        self.observe(RunEvent::Node {
            node: NodeId::at(node),
            nseq: self.nseq,
            event: Box::new(event),
        });
    }

    /// A node mines `text` on its tip.
    pub(crate) fn mine(&mut self, node: usize, text: &str) {
        let parent = self.tips[node].block;
        self.mine_on(node, text, parent);
    }

    /// A node mines `text` on a block, and follows it when that is more work.
    pub(crate) fn mine_on(&mut self, node: usize, text: &str, parent: BlockId) {
        self.mine_aside(node, text, parent);
        self.connect(node, text);
    }

    /// A node mines `text` on a block, and stays where it is.
    pub(crate) fn mine_aside(&mut self, node: usize, text: &str, parent: BlockId) {
        let (block, at) = (id(text), self.blocks[&parent]);
        let place = TipRef {
            block,
            height: at.height.next(),
            chain_work: at.chain_work + Work(U256::from(2_u64)),
        };
        self.blocks.insert(block, place);
        self.parents.insert(block, parent);
        let mined = Event::BlockMined {
            block,
            parent,
            height: place.height,
            chain_work: place.chain_work,
            time: 0,
            txs: 1,
            bytes: 200,
            body: self.body(block),
        };
        self.tell(node, mined);
    }

    /// What a node follows.
    pub(crate) fn tip_of(&self, node: usize) -> BlockId {
        self.tips[node].block
    }

    /// A node connects a block it lacks, and follows it when that is more work.
    pub(crate) fn connect(&mut self, node: usize, text: &str) {
        self.learn(node, text);
        if self.blocks[&id(text)].chain_work > self.tips[node].chain_work {
            self.follow(node, text, Vec::new());
        }
    }

    /// A node connects a block it lacks.
    pub(crate) fn learn(&mut self, node: usize, text: &str) {
        let (place, parent) = (self.blocks[&id(text)], self.parents[&id(text)]);
        let connected = Event::BlockConnected {
            block: place.block,
            parent,
            height: place.height,
            chain_work: place.chain_work,
            txs: 1,
            bytes: 200,
            body: self.body(place.block),
        };
        self.tell(node, connected);
    }

    /// A node switches to a block; `dropped` is told when that is a reorg.
    pub(crate) fn follow(&mut self, node: usize, text: &str, dropped: Vec<DroppedTransaction>) {
        let (old, new) = (self.tips[node], self.blocks[&id(text)]);
        let fork_point = self.collector.world().fork_point(&old.block, &new.block);
        let how = if fork_point == old.block {
            TipChange::Extend
        } else {
            let disconnected = self.path(fork_point, old.block);
            self.tell(
                node,
                Event::Reorg {
                    fork_point,
                    depth: u32::try_from(disconnected.len()).expect("short"),
                    disconnected,
                    connected: self.path(fork_point, new.block),
                    old_work: old.chain_work,
                    new_work: new.chain_work,
                    txs_returned: vec![txid("aa")],
                    txs_dropped: dropped,
                },
            );
            TipChange::Reorg
        };
        self.tips[node] = new;
        self.tell(node, Event::TipChanged { old, new, how });
    }

    fn path(&self, from: BlockId, to: BlockId) -> Vec<BlockId> {
        let mut path = Vec::new();
        let mut at = to;
        while at != from {
            path.push(at);
            at = self.parents[&at];
        }
        path.reverse();
        path
    }

    fn body(&self, block: BlockId) -> Arc<Block> {
        Arc::new(Block {
            header: Header {
                version: Header::VERSION,
                parent: self.parents[&block],
                merkle_root: Hash::ZERO,
                time: 0,
                bits: Params::EASIEST,
                nonce: 0,
            }
            .into(),
            transactions: Vec::new(),
        })
    }

    fn observe(&mut self, event: RunEvent) {
        self.now += Duration::from_millis(1);
        self.collector.observe(self.now, event);
    }
}
