//! What a drawing is made of: branches, each a row of blocks on top of each other, that grow block by block.
//!
//! A branch goes on with the best of its last block's children: the one that leads to the tip with the most work, the smaller name of
//! equals. So which branches there are hangs on the blocks alone, and not on the order in which they came. A new block changes the branch it
//! stands on, and those below it that it takes over: nothing else is looked at again.

use std::cmp::Reverse;

use chain::{BlockId, Work};

/// A block as a drawing sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TreeBlock {
    /// Its name.
    pub id: BlockId,
    /// Its parent's place in the list of blocks; none for the first block of all.
    pub parent: Option<usize>,
    /// Its height: one more than its parent's.
    pub height: u32,
    /// The work of it and its ancestors.
    pub work: Work,
}

/// How good a block is to follow, and to draw on the left: work, then the smaller name.
type Rank = (Work, Reverse<BlockId>);

/// A block, its best child, that one's best child, and so on to a tip.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The place of the block below the first; none for the first block of all.
    pub(super) parent: Option<u32>,
    pub(super) first_height: u32,
    /// The places of its blocks.
    pub(super) blocks: Vec<u32>,
    /// How good its tip is.
    tip: Rank,
}

/// A tree of blocks. They are called by their places: the order in which they were pushed.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    lines: Vec<Line>,
    /// The line that each block is on.
    line_of: Vec<u32>,
}

impl Tree {
    /// No block yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            lines: Vec::new(),
            line_of: Vec::new(),
        }
    }

    /// Adds a block, whose place is the next.
    ///
    /// # Panics
    /// When its parent is not there, or not a block below it; when a second block has none; and beyond 2^32 blocks.
    pub fn push(&mut self, block: TreeBlock) {
        let place = u32::try_from(self.line_of.len()).expect("there are fewer blocks than 2^32");
        let tip = (block.work, Reverse(block.id));
        let Some(parent) = block.parent else {
            assert!(place == 0, "only the first block of all has no parent");
            self.begin((None, block.height), place, tip);
            return;
        };
        let below = self.line_of[parent] as usize;
        let line = &mut self.lines[below];
        let is_on_top = line.blocks.last().is_some_and(|last| *last as usize == parent);
        let at = block.height.checked_sub(line.first_height + 1);
        let stands_on = at.and_then(|at| line.blocks.get(at as usize));
        assert!(
            stands_on.is_some_and(|place| *place as usize == parent),
            "a block is one above its parent"
        );
        let grown = if is_on_top {
            line.blocks.push(place);
            line.tip = tip;
            self.line_of.push(self.line_of[parent]);
            below
        } else {
            let parent = u32::try_from(parent).expect("it is a place");
            self.begin((Some(parent), block.height), place, tip)
        };
        self.rise(grown);
    }

    fn begin(&mut self, (parent, first_height): (Option<u32>, u32), place: u32, tip: Rank) -> usize {
        let line = self.lines.len();
        self.line_of.push(u32::try_from(line).expect("no more than blocks"));
        self.lines.push(Line {
            parent,
            first_height,
            blocks: vec![place],
            tip,
        });
        line
    }

    /// The tip of a line is another: where it is better than that of the line it leaves, the two change places from there on.
    fn rise(&mut self, mut line: usize) {
        while let Some(parent) = self.lines[line].parent {
            let below = self.line_of[parent as usize] as usize;
            if self.lines[line].tip <= self.lines[below].tip {
                return;
            }
            let kept = (self.lines[line].first_height - self.lines[below].first_height) as usize;
            let better = std::mem::take(&mut self.lines[line].blocks);
            let tail = self.lines[below].blocks.split_off(kept);
            self.relabel(&better, below);
            self.relabel(&tail, line);
            self.lines[below].blocks.extend(better);
            self.lines[line].blocks = tail;
            let tip = self.lines[line].tip;
            self.lines[line].tip = std::mem::replace(&mut self.lines[below].tip, tip);
            line = below;
        }
    }

    fn relabel(&mut self, blocks: &[u32], line: usize) {
        let line = u32::try_from(line).expect("no more than blocks");
        for block in blocks {
            self.line_of[*block as usize] = line;
        }
    }

    /// How many blocks there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.line_of.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.line_of.is_empty()
    }

    /// The lines by the height and name of their first blocks, with their numbers: one comes after the line it leaves.
    pub(super) fn lines(&self, name: impl Fn(usize) -> BlockId) -> Vec<(usize, &Line)> {
        let mut lines: Vec<(usize, &Line)> = self.lines.iter().enumerate().collect();
        lines.sort_by_cached_key(|(_, line)| (line.first_height, name(line.blocks[0] as usize)));
        lines
    }

    /// The number of the line that a line leaves; none for the one that leaves none.
    pub(super) fn below(&self, line: &Line) -> Option<usize> {
        line.parent.map(|parent| self.line_of[parent as usize] as usize)
    }

    /// The most work of all.
    pub(super) fn most_work(&self) -> Option<Work> {
        self.lines.iter().map(Line::work).max()
    }
}

impl Line {
    /// The work of its tip.
    pub(super) const fn work(&self) -> Work {
        self.tip.0
    }

    pub(super) fn tip_height(&self) -> u32 {
        self.first_height + u32::try_from(self.blocks.len()).expect("no more than blocks") - 1
    }
}
