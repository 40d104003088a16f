//! Where each block of the tree is drawn: lanes, rows, and what is folded. For plain text, terminal, page and picture alike.
//!
//! The same blocks give the same layout, in whatever order they came: branches are ordered by height and name, never by arrival.

mod branches;
mod growth;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use chain::{BlockId, Height};
use scenario::World;
use serde::Serialize;

use crate::Fork;
use crate::limits::{MAX_LANES, MAX_ROWS};
use branches::{Branch, Branches};

pub use growth::Growth;
pub use tree::{Tree, TreeBlock};

/// What of the tree is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    /// The lowest height.
    pub from: Height,
    /// The greatest height.
    pub to: Height,
    /// The most rows, at most [`MAX_ROWS`]; the newest are kept.
    pub rows: usize,
}

impl View {
    /// Rows of a view that goes with a report of failure.
    const ROWS_AROUND: usize = 40;

    /// The last rows of the tree, from a block before the oldest open fork on, or the last one when none is open.
    #[must_use]
    pub fn around(forks: &[Fork]) -> Self {
        let open = forks.iter().filter(|fork| fork.resolution.is_none());
        let fork = open.min_by_key(|fork| fork.height).or(forks.last());
        Self {
            from: Height(fork.map_or(0, |fork| fork.height.0.saturating_sub(1))),
            rows: Self::ROWS_AROUND,
            ..Self::default()
        }
    }
}

impl Default for View {
    /// All of it, within [`MAX_ROWS`].
    fn default() -> Self {
        Self {
            from: Height(0),
            to: Height(u32::MAX),
            rows: MAX_ROWS,
        }
    }
}

/// A drawing of the tree, the oldest blocks on top, the chain with the most work in lane 0.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Layout {
    /// From top to bottom.
    pub rows: Vec<Row>,
    /// Rows above them for which there was no room.
    pub rows_left_out: usize,
    /// Branches that are not drawn because [`MAX_LANES`] are side by side already.
    pub branches_left_out: usize,
}

/// One row of the drawing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Row {
    /// One for each lane.
    pub cells: Vec<Cell>,
    /// What stands in it.
    pub content: Content,
}

/// What stands in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// A block.
    Block {
        /// Which.
        block: BlockId,
        /// Its height.
        height: Height,
        /// Whether it is not an ancestor of a tip with the most work, nor one itself.
        stale: bool,
    },
    /// Only lines, from a block to its further children.
    Fork,
    /// Heights at which nothing forks, ends or is anyone's tip.
    Fold {
        /// How many blocks are not shown.
        blocks: usize,
    },
}

/// One lane's part of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A block.
    Block,
    /// A branch passes.
    Through,
    /// A branch passes; blocks are left out.
    Folded,
    /// A branch goes on, and others leave it to the right.
    Leave,
    /// A line passes from left to right.
    Across,
    /// The same, and a branch passes.
    Cross,
    /// A branch begins, and the line goes on to the right.
    Begin,
    /// A branch begins, where the line ends.
    BeginLast,
}

impl Layout {
    /// Lays out the tree of all blocks seen. Heights of running nodes' tips are not folded.
    #[must_use]
    pub fn of(world: &World, view: View) -> Self {
        let tips = world.nodes().iter().filter(|node| node.running);
        let mut blocks: Vec<_> = world.blocks().iter().collect();
        // Parents come first.
        blocks.sort_by_key(|(id, facts)| (facts.height, **id));
        let mut places: BTreeMap<BlockId, usize> = BTreeMap::new();
        let mut tree = Tree::new();
        for (place, (id, facts)) in blocks.iter().enumerate() {
            tree.push(TreeBlock {
                id: **id,
                parent: places.get(&facts.parent).copied(),
                height: facts.height.0,
                work: facts.chain_work,
            });
            places.insert(**id, place);
        }
        Self::of_tree(
            (&tree, |place: usize| *blocks[place].0),
            tips.map(|node| node.tip.height),
            view,
        )
    }

    /// Lays out a tree, given what the block at a place is called. Heights of `tips` are not folded.
    #[must_use]
    pub fn of_tree(
        (tree, name): (&Tree, impl Fn(usize) -> BlockId),
        tips: impl IntoIterator<Item = Height>,
        view: View,
    ) -> Self {
        let branches = Branches::of(tree, &name);
        let mut layout = Self {
            rows: Vec::new(),
            rows_left_out: 0,
            branches_left_out: branches.left_out,
        };
        let telling = telling_heights(&branches, tips, view);
        let kept = view.rows.min(MAX_ROWS);
        // Every height has a row at least, so that only the last so many can be kept: those below are counted, not drawn.
        let drawn = telling.len().saturating_sub(kept);
        let mut next = view.from.0;
        for (place, &height) in telling.iter().enumerate() {
            if place < drawn {
                layout.rows_left_out += rows_to(&branches, next, height);
            } else if height - next > 1 {
                layout.fold(&branches, next..height);
                layout.draw((&branches, &name), Height(height));
            } else {
                (next..=height).for_each(|height| layout.draw((&branches, &name), Height(height)));
            }
            next = height + 1;
        }
        let above = layout.rows.len().saturating_sub(kept);
        layout.rows_left_out += above;
        layout.rows.drain(..above);
        layout
    }

    /// The blocks of a height, the leftmost first, and the lines to what forks from them.
    fn draw(&mut self, (branches, name): (&Branches<'_>, impl Fn(usize) -> BlockId), height: Height) {
        let live: Vec<&Branch<'_>> = branches.live_at(height).collect();
        for branch in &live {
            let cell = |lane| match live.iter().find(|other| other.lane == lane) {
                Some(_) if lane == branch.lane => Cell::Block,
                Some(other) if lane > branch.lane || other.tip_height() > height => Cell::Through,
                Some(_) | None => Cell::Empty,
            };
            let content = Content::Block {
                block: name(branch.block_at(height)),
                height,
                stale: branch.stale,
            };
            self.push(cell, content);
        }
        let goes_on = live.iter().filter(|branch| branch.tip_height() > height);
        let mut passing: BTreeSet<usize> = goes_on.map(|branch| branch.lane).collect();
        for parent in &live {
            let children = branches.leaving(parent.lane, height);
            if let Some(&last) = children.iter().max() {
                self.push(
                    |lane| leaving_cell(lane, (parent.lane, last), children, &passing),
                    Content::Fork,
                );
                passing.extend(children);
            }
        }
    }

    fn fold(&mut self, branches: &Branches<'_>, heights: std::ops::Range<u32>) {
        let live: Vec<&Branch<'_>> = branches.live_at(Height(heights.start)).collect();
        let cell = |lane| {
            if live.iter().any(|branch| branch.lane == lane) {
                Cell::Folded
            } else {
                Cell::Empty
            }
        };
        let blocks = heights.len() * live.len();
        self.push(cell, Content::Fold { blocks });
    }

    fn push(&mut self, cell: impl Fn(usize) -> Cell, content: Content) {
        let mut cells: Vec<Cell> = (0..MAX_LANES).map(cell).collect();
        let used = cells
            .iter()
            .rposition(|cell| *cell != Cell::Empty)
            .map_or(0, |last| last + 1);
        cells.truncate(used);
        self.rows.push(Row { cells, content });
    }
}

/// A cell of the line from one lane to the last of its new children.
fn leaving_cell(lane: usize, (from, last): (usize, usize), children: &[usize], passing: &BTreeSet<usize>) -> Cell {
    let passes = passing.contains(&lane);
    if lane == from {
        Cell::Leave
    } else if lane == last {
        Cell::BeginLast
    } else if children.contains(&lane) {
        Cell::Begin
    } else if (from..last).contains(&lane) {
        if passes { Cell::Cross } else { Cell::Across }
    } else if passes {
        Cell::Through
    } else {
        Cell::Empty
    }
}

/// How many rows there are from a height to a telling one, both included.
fn rows_to(branches: &Branches<'_>, from: u32, height: u32) -> usize {
    let at = |height: u32| {
        let live = branches.live_at(Height(height));
        live.map(|branch| 1 + usize::from(!branches.leaving(branch.lane, Height(height)).is_empty()))
            .sum::<usize>()
    };
    if height - from > 1 {
        1 + at(height)
    } else {
        (from..=height).map(at).sum()
    }
}

/// The heights at which something forks, begins, ends, or is a running node's tip.
fn telling_heights(branches: &Branches<'_>, tips: impl IntoIterator<Item = Height>, view: View) -> Vec<u32> {
    let mut heights = vec![view.from.0];
    for branch in branches.all() {
        if let Some(fork) = branch.fork_height() {
            heights.extend([fork.0, fork.0 + 1]);
        }
        heights.push(branch.tip_height().0);
    }
    heights.extend(tips.into_iter().map(|height| height.0));
    heights.push(view.to.0.min(heights.iter().copied().max().unwrap_or(0)));
    heights.retain(|height| (view.from.0..=view.to.0).contains(height));
    heights.sort_unstable();
    heights.dedup();
    heights
}

#[cfg(test)]
mod tests;
