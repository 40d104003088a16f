//! The shape of the block tree: parents, heights, and skip pointers for ancestor queries in O(log n).

use super::BlockRef;
use crate::Height;
use crate::limits::MEDIAN_TIME_SPAN;

/// Where a block stands. Sixteen bytes, so that walks stay in the cache.
#[derive(Clone, Copy, Debug)]
struct Node {
    parent: BlockRef,
    /// An ancestor much further down; see [`skip_height`].
    skip: BlockRef,
    height: Height,
    /// The header's time, which the median of eleven is taken of.
    time: u32,
}

/// All blocks, from the genesis block on, every parent before its children.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// The tree of the genesis block alone.
    pub(super) fn new(time: u32) -> Self {
        let genesis = Node {
            parent: BlockRef::GENESIS,
            skip: BlockRef::GENESIS,
            height: Height(0),
            time,
        };
        Self { nodes: vec![genesis] }
    }

    /// Adds a child of `parent`.
    pub(super) fn push(&mut self, parent: BlockRef, time: u32) -> BlockRef {
        let height = self.height(parent).next();
        let skip = self
            .ancestor(parent, skip_height(height))
            .expect("skip pointers go downwards");
        let block = BlockRef::at(self.nodes.len());
        self.nodes.push(Node {
            parent,
            skip,
            height,
            time,
        });
        block
    }

    /// The median of the times of a block and its ancestors, [`MEDIAN_TIME_SPAN`] in all; the upper one of an even number.
    pub(super) fn median_time(&self, block: BlockRef) -> u32 {
        let mut times = [0; MEDIAN_TIME_SPAN];
        let mut first = MEDIAN_TIME_SPAN;
        let below = std::iter::successors(Some(block), |at| self.parent(*at));
        // From the last place on, as times mostly ascend and what is sorted is soon sorted.
        for (place, at) in times.iter_mut().rev().zip(below) {
            *place = self.node(at).time;
            first -= 1;
        }
        let times = &mut times[first..];
        times.sort_unstable();
        times[times.len() / 2]
    }

    pub(super) fn height(&self, block: BlockRef) -> Height {
        self.node(block).height
    }

    pub(super) fn parent(&self, block: BlockRef) -> Option<BlockRef> {
        (block != BlockRef::GENESIS).then(|| self.node(block).parent)
    }

    /// Bitcoin Core's `CBlockIndex::GetAncestor`.
    pub(super) fn ancestor(&self, block: BlockRef, height: Height) -> Option<BlockRef> {
        if self.height(block) < height {
            return None;
        }
        let mut at = block;
        while self.height(at) > height {
            at = self.towards(at, height);
        }
        Some(at)
    }

    pub(super) fn is_ancestor(&self, ancestor: BlockRef, block: BlockRef) -> bool {
        // A parent is always accepted before its child, so most queries end here.
        ancestor <= block && self.ancestor(block, self.height(ancestor)) == Some(ancestor)
    }

    pub(super) fn fork_point(&self, a: BlockRef, b: BlockRef) -> BlockRef {
        let height = self.height(a).min(self.height(b));
        let level = |block| self.ancestor(block, height).expect("the lower of both heights");
        let (mut a, mut b) = (level(a), level(b));
        while a != b {
            let (left, right) = (self.node(a), self.node(b));
            // Both are of one height, so their skips are too.
            (a, b) = if left.skip == right.skip {
                (left.parent, right.parent)
            } else {
                (left.skip, right.skip)
            };
        }
        a
    }

    pub(super) fn path(&self, ancestor: BlockRef, tip: BlockRef) -> Vec<BlockRef> {
        assert!(self.is_ancestor(ancestor, tip), "a path leads up from an ancestor");
        let mut path = Vec::with_capacity((self.height(tip).0 - self.height(ancestor).0) as usize);
        let mut at = tip;
        while at != ancestor {
            path.push(at);
            at = self.node(at).parent;
        }
        path.reverse();
        path
    }

    /// The block, ten ancestors, then ancestors in doubling steps, and the genesis block.
    pub(super) fn locator(&self, tip: BlockRef) -> Vec<BlockRef> {
        let mut locator = vec![tip];
        let mut height = self.height(tip).0;
        let mut step = 1;
        while height > 0 {
            height = height.saturating_sub(step);
            locator.extend(self.ancestor(tip, Height(height)));
            if locator.len() > 10 {
                step = step.saturating_mul(2);
            }
        }
        locator
    }

    /// The next block on the way down to a height below the block's.
    fn towards(&self, block: BlockRef, height: Height) -> BlockRef {
        let node = self.node(block);
        let skipped = skip_height(node.height);
        let next = skip_height(Height(node.height.0 - 1));
        // Stepping to the parent first pays when the parent's own skip lands closer above the goal.
        let parent_is_better = next.0 + 2 < skipped.0 && next >= height;
        let skips = skipped == height || (skipped > height && !parent_is_better);
        if skips { node.skip } else { node.parent }
    }

    fn node(&self, block: BlockRef) -> Node {
        self.nodes[block.index()]
    }
}

/// The height that a block's skip pointer leads to (Bitcoin Core's `GetSkipHeight`).
fn skip_height(height: Height) -> Height {
    let without_lowest_bit = |n: u32| n & n.saturating_sub(1);
    let height = height.0;
    Height(match height {
        0 | 1 => 0,
        odd if odd % 2 == 1 => without_lowest_bit(without_lowest_bit(odd - 1)) + 1,
        even => without_lowest_bit(even),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A tree in which block i + 1 stands on the block that `choices[i]` picks among the last few.
    fn tree(choices: &[u32]) -> Tree {
        let mut tree = Tree::new(0);
        for (newest, choice) in (0_u32..).zip(choices) {
            let parent = BlockRef::at(newest.saturating_sub(*choice) as usize);
            tree.push(parent, 7 * (newest + 1) % 40);
        }
        tree
    }

    /// The block and all its ancestors by parents alone, the newest first.
    fn lineage(tree: &Tree, block: BlockRef) -> Vec<BlockRef> {
        std::iter::successors(Some(block), |at| tree.parent(*at)).collect()
    }

    proptest! {
        #[test]
        fn every_query_agrees_with_walking_the_parents(choices in prop::collection::vec(0..4_u32, 1..120)) {
            let tree = tree(&choices);
            let blocks: Vec<BlockRef> = (0..=choices.len()).map(BlockRef::at).collect();
            for &a in &blocks {
                let above = lineage(&tree, a);
                prop_assert_eq!(tree.height(a).0 as usize + 1, above.len());
                for (height, &ancestor) in (0..).zip(above.iter().rev()) {
                    prop_assert_eq!(tree.ancestor(a, Height(height)), Some(ancestor));
                }
                prop_assert_eq!(tree.ancestor(a, tree.height(a).next()), None);
                let mut times: Vec<u32> = above.iter().take(11).map(|at| tree.node(*at).time).collect();
                times.sort_unstable();
                prop_assert_eq!(tree.median_time(a), times[times.len() / 2]);
                for &b in &blocks {
                    prop_assert_eq!(tree.is_ancestor(b, a), above.contains(&b));
                    let common = lineage(&tree, b).into_iter().find(|block| above.contains(block));
                    prop_assert_eq!(Some(tree.fork_point(a, b)), common);
                }
                let mut path = tree.path(BlockRef::at(0), a);
                path.reverse();
                prop_assert_eq!(&path[..], &above[..above.len() - 1]);
            }
        }
    }

    /// Bitcoin Core counts at most 110 steps for 2^18 blocks.
    #[test]
    fn skips_reach_any_of_65536_blocks_in_few_steps() {
        let tree = tree(&[0; 65_536]);
        let tip = BlockRef::at(65_536);
        let steps = |height| {
            let (mut at, mut steps) = (tip, 0);
            while tree.height(at) > height {
                at = tree.towards(at, height);
                steps += 1;
            }
            steps
        };
        for height in (0..=65_536).step_by(7).map(Height) {
            assert_eq!(tree.ancestor(tip, height), Some(BlockRef::at(height.0 as usize)));
            assert!(steps(height) <= 110, "{} steps to height {height}", steps(height));
        }
    }

    #[test]
    fn locators_are_dense_at_the_tip_and_end_at_the_genesis_block() {
        let tree = tree(&[0; 1_000]);
        let heights: Vec<u32> = tree
            .locator(BlockRef::at(1_000))
            .into_iter()
            .map(|block| tree.height(block).0)
            .collect();
        let dense = 990..=1_000;
        assert!(heights[..11].iter().copied().eq(dense.rev()));
        assert_eq!(heights[11..], [988, 984, 976, 960, 928, 864, 736, 480, 0]);
        assert_eq!(tree.locator(BlockRef::at(0)), [BlockRef::at(0)]);
    }

    #[test]
    #[should_panic(expected = "a path leads up from an ancestor")]
    fn a_path_from_a_stranger_is_our_mistake() {
        let tree = tree(&[0, 1]);
        let _ = tree.path(BlockRef::at(1), BlockRef::at(2));
    }
}
