//! What a drawing is made of: blocks by number, and who stands on whom.

use std::cmp::Reverse;

use chain::{BlockId, Work};
use scenario::World;

/// A block as a drawing sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TreeBlock {
    /// Its name.
    pub id: BlockId,
    /// Its parent's place in the list; none for the first block of all.
    pub parent: Option<usize>,
    /// Its height: one more than its parent's.
    pub height: u32,
    /// The work of it and its ancestors.
    pub work: Work,
}

/// A tree of blocks, in whatever order they came.
#[derive(Clone, Debug)]
pub struct Tree {
    blocks: Vec<TreeBlock>,
    /// Their places by height and name, so that nothing hangs on the order of arrival.
    order: Vec<usize>,
    /// The place of the best tip above each block.
    best: Vec<usize>,
    /// The child that leads to that tip, where it is not the block itself.
    best_child: Vec<Option<usize>>,
}

impl Tree {
    /// The tree of these blocks.
    ///
    /// # Panics
    /// When there is none, or one names a parent that is not in the list or not a block below it.
    #[must_use]
    pub fn new(blocks: Vec<TreeBlock>) -> Self {
        assert!(!blocks.is_empty(), "the genesis block is always there");
        let mut order: Vec<usize> = (0..blocks.len()).collect();
        // Heights are most often in order already, and seldom alike.
        order.sort_by(|&one, &other| {
            let (one, other) = (&blocks[one], &blocks[other]);
            one.height.cmp(&other.height).then_with(|| one.id.cmp(&other.id))
        });
        let mut best: Vec<usize> = (0..blocks.len()).collect();
        let mut best_child = vec![None; blocks.len()];
        // How good a chain is to follow, and to draw on the left: work, then the smaller name.
        let rank = |place: usize| (blocks[place].work, Reverse(blocks[place].id));
        for &place in order.iter().rev() {
            let Some(parent) = blocks[place].parent else { continue };
            assert!(
                blocks[parent].height < blocks[place].height,
                "a block stands above its parent"
            );
            let own = best[parent] == parent && best_child[parent].is_none();
            if own && rank(best[place]) > rank(parent) || !own && rank(best[place]) > rank(best[parent]) {
                best[parent] = best[place];
                best_child[parent] = Some(place);
            }
        }
        Self {
            blocks,
            order,
            best,
            best_child,
        }
    }

    /// The tree of all blocks that were seen.
    #[must_use]
    pub fn of(world: &World) -> Self {
        let names: Vec<&BlockId> = world.blocks().keys().collect();
        let block = |(id, facts): (&BlockId, &scenario::world::BlockFacts)| TreeBlock {
            id: *id,
            parent: names.binary_search(&&facts.parent).ok(),
            height: facts.height.0,
            work: facts.chain_work,
        };
        Self::new(world.blocks().iter().map(block).collect())
    }

    /// The blocks, by their places.
    #[must_use]
    pub fn blocks(&self) -> &[TreeBlock] {
        &self.blocks
    }

    /// The places of the blocks that begin a branch: those that are not their parent's best child, by height and name.
    pub(super) fn beginnings(&self) -> impl Iterator<Item = usize> + '_ {
        let begins = |place: &usize| {
            self.blocks[*place]
                .parent
                .is_none_or(|parent| self.best_child[parent] != Some(*place))
        };
        self.order.iter().copied().filter(begins)
    }

    /// A block, its best child, that one's best child, and so on to a tip.
    pub(super) fn main_line(&self, first: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(first), |&place| self.best_child[place])
    }

    /// The work of the best tip above a block.
    pub(super) fn best_work(&self, place: usize) -> Work {
        self.blocks[self.best[place]].work
    }

    /// The most work of all.
    pub(super) fn most_work(&self) -> Work {
        let works = self.blocks.iter().map(|block| block.work);
        works.max().expect("there is a block")
    }
}
