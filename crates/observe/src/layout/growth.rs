//! The tree as it grows, and as it was: what it was like when it had so many blocks is found from the picture kept before.

use std::borrow::Cow;

use super::tree::{Tree, TreeBlock};
use crate::limits::{TREE_PICTURE_BLOCKS, TREE_PICTURES};

/// A tree that grows, with pictures of it as it was.
#[derive(Clone, Debug)]
pub struct Growth {
    tree: Tree,
    /// The pictures, one for every so many blocks.
    kept: Vec<Tree>,
    every: usize,
}

impl Default for Growth {
    fn default() -> Self {
        Self::with_pictures_every(TREE_PICTURE_BLOCKS)
    }
}

impl Growth {
    pub(super) const fn with_pictures_every(blocks: usize) -> Self {
        Self {
            tree: Tree::new(),
            kept: Vec::new(),
            every: blocks,
        }
    }

    /// How many blocks each picture has.
    #[cfg(test)]
    pub(super) fn pictures(&self) -> impl Iterator<Item = usize> + '_ {
        self.kept.iter().map(Tree::len)
    }

    /// Adds a block, as [`Tree::push`] does.
    pub fn push(&mut self, block: TreeBlock) {
        self.tree.push(block);
        if !self.tree.len().is_multiple_of(self.every) {
            return;
        }
        if self.kept.len() == TREE_PICTURES {
            // Every second picture stays, and the next are as far apart as they.
            let mut place = 0;
            self.kept.retain(|_| {
                place += 1;
                place % 2 == 0
            });
            self.every *= 2;
        }
        if self.tree.len().is_multiple_of(self.every) {
            self.kept.push(self.tree.clone());
        }
    }

    /// The tree of the first so many blocks; `block` is the block at a place.
    pub fn at(&self, count: usize, block: impl Fn(usize) -> TreeBlock) -> Cow<'_, Tree> {
        if count == self.tree.len() {
            return Cow::Borrowed(&self.tree);
        }
        let before = (count / self.every).min(self.kept.len());
        let mut tree = before
            .checked_sub(1)
            .map_or_else(Tree::new, |last| self.kept[last].clone());
        for place in tree.len()..count {
            tree.push(block(place));
        }
        Cow::Owned(tree)
    }
}
