//! The tree as branches: each a row of blocks, and the lane it is drawn in.

use std::collections::BTreeMap;

use chain::{BlockId, Height};

use super::tree::{Line, Tree};
use crate::limits::MAX_LANES;

/// A line of the tree, in its lane.
#[derive(Debug)]
pub(super) struct Branch<'a> {
    /// Where it is drawn, counted from the left.
    pub(super) lane: usize,
    /// Whether it leads to no tip with the most work.
    pub(super) stale: bool,
    /// The lane of the branch it leaves; none for the main branch.
    parent_lane: Option<usize>,
    line: &'a Line,
}

/// All branches that are drawn.
#[derive(Debug)]
pub(super) struct Branches<'a> {
    /// In each lane, from the lowest up: no two of a lane share a height.
    lanes: [Vec<Branch<'a>>; MAX_LANES],
    /// The lanes that a branch leaves from at a height, and of those that leave.
    leaving: BTreeMap<(u32, usize), Vec<usize>>,
    /// How many are not, for want of lanes.
    pub(super) left_out: usize,
}

impl Branch<'_> {
    /// The height of the block it leaves from; none for the main branch.
    pub(super) fn fork_height(&self) -> Option<Height> {
        self.parent_lane.map(|_| Height(self.line.first_height - 1))
    }

    pub(super) fn tip_height(&self) -> Height {
        Height(self.line.tip_height())
    }

    /// The place of its block at a height.
    pub(super) fn block_at(&self, height: Height) -> usize {
        self.line.blocks[(height.0 - self.line.first_height) as usize] as usize
    }
}

impl<'a> Branches<'a> {
    /// Puts the lines of a tree into lanes; `name` is what the block at a place is called.
    pub(super) fn of(tree: &'a Tree, name: impl Fn(usize) -> BlockId) -> Self {
        let most = tree.most_work();
        let mut branches = Self {
            lanes: Default::default(),
            leaving: BTreeMap::new(),
            left_out: 0,
        };
        // By height and name, so that lanes do not hang on the order of arrival; those that are left come before those that leave them.
        let lines = tree.lines(name);
        // The lane each line is drawn in; none yet, or none at all.
        let mut lane_of: Vec<Option<usize>> = vec![None; lines.len()];
        for (number, line) in lines {
            let parent_lane = tree.below(line).map(|below| lane_of[below]);
            let lane = match parent_lane {
                Some(None) => None,
                Some(Some(lane)) => branches.free_lane(lane + 1, line.first_height),
                None => branches.free_lane(0, line.first_height),
            };
            let Some(lane) = lane else {
                branches.left_out += 1;
                continue;
            };
            lane_of[number] = Some(lane);
            let parent_lane = parent_lane.flatten();
            if let Some(parent) = parent_lane {
                branches
                    .leaving
                    .entry((line.first_height - 1, parent))
                    .or_default()
                    .push(lane);
            }
            branches.lanes[lane].push(Branch {
                lane,
                stale: Some(line.work()) < most,
                parent_lane,
                line,
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

    pub(super) fn all(&self) -> impl Iterator<Item = &Branch<'a>> {
        self.lanes.iter().flatten()
    }

    /// The branches that have a block at a height, the leftmost first.
    pub(super) fn live_at(&self, height: Height) -> impl Iterator<Item = &Branch<'a>> {
        self.lanes.iter().filter_map(move |lane| {
            let begun = lane.partition_point(|branch| branch.line.first_height <= height.0);
            let last = lane[..begun].last()?;
            (last.tip_height() >= height).then_some(last)
        })
    }

    /// The lanes of the branches that leave the branch in `lane` from its block at a height.
    pub(super) fn leaving(&self, lane: usize, height: Height) -> &[usize] {
        self.leaving.get(&(height.0, lane)).map_or(&[], Vec::as_slice)
    }
}
