//! The chain with the most work, and what is stale: not on it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use base::NodeId;
use chain::{BlockId, Height};
use scenario::World;
use scenario::world::BlockFacts;

/// The chain with the most work of all that some node found valid; the smaller name of equals.
#[derive(Debug)]
pub struct BestChain<'a> {
    /// Its last block.
    pub tip: BlockId,
    /// That block's height.
    pub height: Height,
    world: &'a World,
    members: BTreeSet<BlockId>,
}

impl<'a> BestChain<'a> {
    /// The best chain of the blocks seen so far.
    #[must_use]
    pub fn of(world: &'a World) -> Self {
        let rank = |(id, facts): &(&BlockId, &BlockFacts)| (facts.chain_work, Reverse(**id));
        let best = world.blocks().iter().max_by_key(rank);
        let (tip, facts) = best.expect("the genesis block is always there");
        let members = std::iter::successors(Some(*tip), |at| world.block(at).map(|facts| facts.parent));
        Self {
            tip: *tip,
            height: facts.height,
            world,
            members: members.collect(),
        }
    }

    /// Whether a block is on it.
    #[must_use]
    pub fn contains(&self, block: &BlockId) -> bool {
        self.members.contains(block)
    }

    /// The blocks that are not on it, in the order they were first seen.
    pub fn stale(&self) -> impl Iterator<Item = (&BlockId, &BlockFacts)> {
        self.world.blocks().iter().filter(|(id, _)| !self.contains(id))
    }

    /// How many stale blocks each miner has; who has none is missing.
    #[must_use]
    pub fn stale_by_miner(&self) -> BTreeMap<NodeId, u32> {
        let mut count = BTreeMap::new();
        for miner in self.stale().filter_map(|(_, facts)| facts.miner) {
            *count.entry(miner).or_default() += 1;
        }
        count
    }
}
