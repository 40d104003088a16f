//! The tree as branches: each a row of blocks, and the lane it is drawn in.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chain::{BlockId, Height, Work};
use scenario::World;

use crate::limits::MAX_LANES;

/// A block, its best child, that one's best child, and so on to a tip.
#[derive(Debug)]
pub(super) struct Branch {
    /// Where it is drawn, counted from the left.
    pub(super) lane: usize,
    /// Whether it leads to no tip with the most work.
    pub(super) stale: bool,
    /// The lane of the branch it leaves; none for the main branch.
    parent_lane: Option<usize>,
    first_height: u32,
    blocks: Vec<BlockId>,
}

/// All branches that are drawn.
#[derive(Debug)]
pub(super) struct Branches {
    drawn: Vec<Branch>,
    /// How many are not, for want of lanes.
    pub(super) left_out: usize,
}

/// How good a chain is to follow, and to draw on the left: work, then the smaller name.
type Rank = (Work, Reverse<BlockId>);

impl Branch {
    /// The height of the block it leaves from; none for the main branch.
    pub(super) fn fork_height(&self) -> Option<Height> {
        self.parent_lane.map(|_| Height(self.first_height - 1))
    }

    pub(super) fn tip_height(&self) -> Height {
        let blocks = u32::try_from(self.blocks.len()).expect("heights are below 2^32");
        Height(self.first_height + blocks - 1)
    }

    pub(super) fn block_at(&self, height: Height) -> BlockId {
        self.blocks[(height.0 - self.first_height) as usize]
    }

    fn is_live_at(&self, height: Height) -> bool {
        (self.first_height..=self.tip_height().0).contains(&height.0)
    }
}

impl Branches {
    pub(super) fn of(world: &World) -> Self {
        let tree = Tree::of(world);
        let most = tree.best[&world.genesis()].0;
        let mut drawn: Vec<Branch> = Vec::new();
        let mut left_out = 0;
        // By height and name, so that lanes do not hang on the order of arrival; parents come before what leaves them.
        let mut waiting = BTreeMap::from([((0, world.genesis()), None)]);
        while let Some(((first_height, first), parent_lane)) = waiting.pop_first() {
            let free = |lane: &usize| {
                let mut there = drawn.iter().filter(|branch| branch.lane == *lane);
                there.all(|branch| branch.tip_height().0 < first_height)
            };
            let Some(lane) = (parent_lane.map_or(0, |lane| lane + 1)..MAX_LANES).find(free) else {
                left_out += tree.count_branches(first);
                continue;
            };
            let blocks = tree.main_line(first);
            for (height, block) in (first_height..).zip(&blocks) {
                for side in tree.side_children(*block) {
                    waiting.insert((height + 1, side), Some(lane));
                }
            }
            drawn.push(Branch {
                lane,
                stale: tree.best[&first].0 < most,
                parent_lane,
                first_height,
                blocks,
            });
        }
        drawn.sort_by_key(|branch| (branch.lane, branch.first_height));
        Self { drawn, left_out }
    }

    pub(super) fn all(&self) -> &[Branch] {
        &self.drawn
    }

    /// The branches that have a block at a height, the leftmost first.
    pub(super) fn live_at(&self, height: Height) -> impl Iterator<Item = &Branch> {
        self.drawn.iter().filter(move |branch| branch.is_live_at(height))
    }

    /// The lanes of the branches that leave the branch in `lane` from its block at a height.
    pub(super) fn leaving(&self, lane: usize, height: Height) -> Vec<usize> {
        let leaves = |branch: &&Branch| branch.first_height == height.0 + 1 && branch.parent_lane == Some(lane);
        self.drawn.iter().filter(leaves).map(|branch| branch.lane).collect()
    }
}

/// Who is whose child, and the best tip above each block.
struct Tree {
    children: BTreeMap<BlockId, Vec<BlockId>>,
    best: BTreeMap<BlockId, Rank>,
}

impl Tree {
    fn of(world: &World) -> Self {
        let mut children: BTreeMap<BlockId, Vec<BlockId>> = BTreeMap::new();
        let mut by_height: Vec<(Height, BlockId)> = Vec::new();
        for (id, facts) in world.blocks() {
            children.entry(facts.parent).or_default().push(*id);
            by_height.push((facts.height, *id));
        }
        by_height.sort_unstable();
        let mut best: BTreeMap<BlockId, Rank> = BTreeMap::new();
        for (_, id) in by_height.into_iter().rev() {
            let own = (world.blocks()[&id].chain_work, Reverse(id));
            let above = children.get(&id).into_iter().flatten().map(|child| best[child]);
            best.insert(id, above.fold(own, Ord::max));
        }
        Self { children, best }
    }

    fn main_line(&self, first: BlockId) -> Vec<BlockId> {
        std::iter::successors(Some(first), |block| self.best_child(*block)).collect()
    }

    fn best_child(&self, block: BlockId) -> Option<BlockId> {
        let children = self.children.get(&block)?;
        children.iter().copied().max_by_key(|child| self.best[child])
    }

    fn side_children(&self, block: BlockId) -> impl Iterator<Item = BlockId> + '_ {
        let best = self.best_child(block);
        let children = self.children.get(&block).into_iter().flatten().copied();
        children.filter(move |child| Some(*child) != best)
    }

    /// How many branches a block and all that stands on it make.
    fn count_branches(&self, first: BlockId) -> usize {
        let mut count = 0;
        let mut waiting = vec![first];
        while let Some(first) = waiting.pop() {
            count += 1;
            for block in self.main_line(first) {
                waiting.extend(self.side_children(block));
            }
        }
        count
    }
}
