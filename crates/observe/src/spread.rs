//! How blocks spread: from the miner's `block_mined` to everyone else's `block_connected`.

use std::collections::{BTreeMap, VecDeque};

use base::{NodeId, Time, prefetch};
use chain::BlockId;
use node::Event;
use scenario::World;
use serde::Serialize;

use crate::limits::MAX_OPEN_SPREADS;

/// How far and how fast a block spread. Delays are in microseconds from its `block_mined`; percentiles are over the nodes it reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct BlockSpread {
    /// The block.
    pub block: BlockId,
    /// Nodes that have it, its miner among them.
    pub seen: usize,
    /// Running nodes that do not have it, at the end of measuring.
    pub never: usize,
    /// The median delay; none when it reached nobody but its miner.
    pub p50_us: Option<u64>,
    /// Nine of ten had it after this.
    pub p90_us: Option<u64>,
    /// Ninety-nine of a hundred had it after this.
    pub p99_us: Option<u64>,
    /// All of them had it after this.
    pub last_us: Option<u64>,
}

/// A block on its way.
#[derive(Debug)]
struct Spreading {
    mined: Time,
    reached: Reached,
    delays: Vec<u64>,
}

/// A set of nodes, a bit each.
#[derive(Debug, Default)]
struct Reached {
    bits: Vec<u64>,
    count: usize,
}

impl Reached {
    fn by(node: NodeId) -> Self {
        let mut reached = Self::default();
        reached.insert(node);
        reached
    }

    /// Whether the node is new.
    fn insert(&mut self, node: NodeId) -> bool {
        if self.contains(node) {
            return false;
        }
        let (word, bit) = (node.index() / 64, node.index() % 64);
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << bit;
        self.count += 1;
        true
    }

    /// The running nodes that are not in it.
    fn missing(&self, world: &World) -> impl Iterator<Item = NodeId> {
        // Most blocks reach all nodes in the end.
        let has_all = self.count == world.nodes().len();
        let ids = (0..if has_all { 0 } else { world.nodes().len() }).map(NodeId::at);
        ids.filter(|node| world.node(*node).running && !self.contains(*node))
    }

    fn contains(&self, node: NodeId) -> bool {
        let (word, bit) = (node.index() / 64, node.index() % 64);
        self.bits.get(word).is_some_and(|bits| bits >> bit & 1 == 1)
    }
}

/// What was measured of a block: a [`BlockSpread`] in little room, since there is one for each block of a long run.
#[derive(Clone, Copy, Debug)]
struct Measured {
    seen: u32,
    never: u32,
    /// At 50, 90, 99 and 100 percent, where it reached anybody but its miner.
    delays_us: Option<[u64; 4]>,
}

impl Measured {
    fn spread(self, block: BlockId) -> BlockSpread {
        let delay = |at: usize| self.delays_us.map(|delays| delays[at]);
        BlockSpread {
            block,
            seen: self.seen as usize,
            never: self.never as usize,
            p50_us: delay(0),
            p90_us: delay(1),
            p99_us: delay(2),
            last_us: delay(3),
        }
    }
}

/// Measures the spread of every block.
#[derive(Debug, Default)]
pub struct SpreadMeter {
    open: BTreeMap<BlockId, Spreading>,
    order: VecDeque<BlockId>,
    closed: BTreeMap<BlockId, Measured>,
    by_node: Vec<NodeDelays>,
    /// Room for the delays of a block, used again.
    room: Vec<u64>,
}

/// How long all blocks together took to reach a node.
#[derive(Clone, Copy, Debug, Default)]
struct NodeDelays {
    blocks: u64,
    micros: u64,
}

impl SpreadMeter {
    /// Takes in what a node tells; gives the spread of a block that has reached every running node, or that there is no more room for.
    pub fn observe(&mut self, now: Time, node: NodeId, event: &Event, world: &World) -> Option<BlockSpread> {
        if let Event::BlockMined { block, .. } = event
            && !self.open.contains_key(block)
            && !self.closed.contains_key(block)
        {
            let spreading = Spreading {
                mined: now,
                reached: Reached::by(node),
                delays: std::mem::take(&mut self.room),
            };
            self.open.insert(*block, spreading);
            self.order.push_back(*block);
        }
        if let Event::BlockConnected { block, .. } = event {
            return self.reach(now, node, block, world);
        }
        self.close_one_too_many(world)
    }

    /// A node has a block; gives what [`SpreadMeter::observe`] does.
    pub fn reach(&mut self, now: Time, node: NodeId, block: &BlockId, world: &World) -> Option<BlockSpread> {
        if let Some(spreading) = self.open.get_mut(block)
            && spreading.reached.insert(node)
        {
            let delay = u64::try_from(now.since(spreading.mined).as_micros()).unwrap_or(u64::MAX);
            spreading.delays.push(delay);
            if self.by_node.len() <= node.index() {
                self.by_node.resize(node.index() + 1, NodeDelays::default());
            }
            self.by_node[node.index()].blocks += 1;
            let micros = &mut self.by_node[node.index()].micros;
            *micros = micros.saturating_add(delay);
            let may_be_all = spreading.reached.count >= world.running();
            if may_be_all && spreading.reached.missing(world).next().is_none() {
                return self.close(block, world);
            }
        }
        self.close_one_too_many(world)
    }

    fn close_one_too_many(&mut self, world: &World) -> Option<BlockSpread> {
        (self.open.len() > MAX_OPEN_SPREADS).then(|| self.close_oldest(world))?
    }

    /// See [`crate::Collector::glance`].
    pub(crate) fn glance(&self, node: NodeId) {
        if let Some(row) = self.by_node.get(node.index()) {
            prefetch(row);
        }
    }

    /// Ends the measuring of the block that is measured longest; `None` when there is none. Call it until then when a run ends.
    pub fn close_oldest(&mut self, world: &World) -> Option<BlockSpread> {
        while let Some(block) = self.order.pop_front() {
            if self.open.contains_key(&block) {
                return self.close(&block, world);
            }
        }
        None
    }

    /// The spread of a block whose measuring has ended.
    #[must_use]
    pub fn of(&self, block: &BlockId) -> Option<BlockSpread> {
        self.closed.get(block).map(|measured| measured.spread(*block))
    }

    /// All measured blocks, in the order of their names.
    pub fn all(&self) -> impl Iterator<Item = BlockSpread> {
        self.closed.iter().map(|(block, measured)| measured.spread(*block))
    }

    /// The mean delay, in microseconds, of the blocks that reached a node: for each node that any reached, in order.
    pub fn node_means(&self) -> impl Iterator<Item = u64> {
        let mean = |node: &NodeDelays| node.micros.checked_div(node.blocks);
        self.by_node.iter().filter_map(mean)
    }

    fn close(&mut self, block: &BlockId, world: &World) -> Option<BlockSpread> {
        let Spreading {
            reached, mut delays, ..
        } = self.open.remove(block)?;
        // Blocks close in about the order they were mined, so this stays short.
        while self.order.front().is_some_and(|oldest| !self.open.contains_key(oldest)) {
            self.order.pop_front();
        }
        delays.sort_unstable();
        let at = |percent| percentile(&delays, percent);
        let count = |nodes: usize| u32::try_from(nodes).expect("nodes are counted by 32 bits");
        let measured = Measured {
            seen: count(reached.count),
            never: count(reached.missing(world).count()),
            delays_us: at(50).and_then(|p50| Some([p50, at(90)?, at(99)?, at(100)?])),
        };
        self.closed.insert(*block, measured);
        delays.clear();
        self.room = delays;
        Some(measured.spread(*block))
    }
}

/// The smallest of the sorted values that is not below `percent` percent of them (nearest rank).
#[must_use]
pub fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Sketch, id, plan};

    #[test]
    fn a_block_that_reaches_nobody_is_given_up_when_there_is_no_more_room() {
        let mut sketch = Sketch::new(plan(2));
        let genesis = sketch.collector.world().genesis();
        for block in 0..=MAX_OPEN_SPREADS {
            assert_eq!(sketch.collector.spread().all().count(), 0);
            sketch.mine_aside(0, &format!("{block:x}"), genesis);
        }
        let spread = sketch.collector.spread().all().next().expect("the oldest is closed");
        assert_eq!((spread.block, spread.seen, spread.never), (id("0"), 1, 1));
        assert_eq!(spread.last_us, None);
    }

    #[test]
    fn delays_count_from_the_miner_to_each_other_node() {
        let mut sketch = Sketch::new(plan(4));
        sketch.mine(0, "a1");
        let mined = sketch.now.as_micros() - 2_000;
        for node in [1, 2, 1] {
            sketch.connect(node, "a1");
        }
        assert_eq!(sketch.collector.spread().of(&id("a1")), None, "one has not got it");
        sketch.learn(3, "a1");
        let spread = sketch.collector.spread().of(&id("a1")).expect("all have it");
        assert_eq!((spread.seen, spread.never), (4, 0));
        assert_eq!(spread.last_us, Some(sketch.now.as_micros() - mined));
        assert_eq!(
            spread.p50_us,
            Some(5_000),
            "the second of three: mined, connected, followed, and twice more"
        );
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let values: Vec<u64> = (1..=10).collect();
        assert_eq!(percentile(&values, 50), Some(5));
        assert_eq!(percentile(&values, 90), Some(9));
        assert_eq!(percentile(&values, 99), Some(10));
        assert_eq!(percentile(&[7], 50), Some(7));
        assert_eq!(percentile(&[], 50), None);
    }
}
