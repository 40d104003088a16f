//! The tree as branches: each a row of blocks, and the lane it is drawn in.

use std::collections::BTreeMap;

use chain::{BlockId, Height};

use super::Tree;
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
    /// In each lane, from the lowest up: no two of a lane share a height.
    lanes: [Vec<Branch>; MAX_LANES],
    /// The lanes that a branch leaves from at a height, and of those that leave.
    leaving: BTreeMap<(u32, usize), Vec<usize>>,
    /// How many are not, for want of lanes.
    pub(super) left_out: usize,
}

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
}

impl Branches {
    pub(super) fn of(tree: &Tree) -> Self {
        let most = tree.most_work();
        let mut branches = Self {
            lanes: Default::default(),
            leaving: BTreeMap::new(),
            left_out: 0,
        };
        // The lane each block is drawn in; none yet, or none at all.
        let mut lane_of: Vec<Option<usize>> = vec![None; tree.blocks().len()];
        // By height and name, so that lanes do not hang on the order of arrival; parents come before what leaves them.
        for first in tree.beginnings() {
            let block = &tree.blocks()[first];
            let parent_lane = block.parent.map(|parent| lane_of[parent]);
            let lane = match parent_lane {
                Some(None) => None,
                Some(Some(lane)) => branches.free_lane(lane + 1, block.height),
                None => branches.free_lane(0, block.height),
            };
            let Some(lane) = lane else {
                branches.left_out += 1;
                continue;
            };
            let parent_lane = parent_lane.flatten();
            if let Some(parent) = parent_lane {
                branches
                    .leaving
                    .entry((block.height - 1, parent))
                    .or_default()
                    .push(lane);
            }
            let places = tree.main_line(first).inspect(|&place| lane_of[place] = Some(lane));
            let blocks = places.map(|place| tree.blocks()[place].id).collect();
            branches.lanes[lane].push(Branch {
                lane,
                stale: tree.best_work(first) < most,
                parent_lane,
                first_height: block.height,
                blocks,
            });
        }
        branches
    }

    /// The leftmost lane from this one on in which nothing reaches this height.
    fn free_lane(&self, from: usize, height: u32) -> Option<usize> {
        let is_free = |lane: &usize| {
            self.lanes[*lane]
                .last()
                .is_none_or(|branch| branch.tip_height().0 < height)
        };
        (from..MAX_LANES).find(is_free)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Branch> {
        self.lanes.iter().flatten()
    }

    /// The branches that have a block at a height, the leftmost first.
    pub(super) fn live_at(&self, height: Height) -> impl Iterator<Item = &Branch> {
        self.lanes.iter().filter_map(move |lane| {
            let begun = lane.partition_point(|branch| branch.first_height <= height.0);
            let last = lane[..begun].last()?;
            (last.tip_height() >= height).then_some(last)
        })
    }

    /// The lanes of the branches that leave the branch in `lane` from its block at a height.
    pub(super) fn leaving(&self, lane: usize, height: Height) -> &[usize] {
        self.leaving.get(&(height.0, lane)).map_or(&[], Vec::as_slice)
    }
}
