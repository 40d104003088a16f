//! What is known of each block: its header, its work, and whether it is valid.

use std::sync::Arc;

use super::BlockRef;
use super::names::Names;
use crate::{Amount, Block, BlockId, HashedHeader, Reject, Status, Work};

/// What has been found out about a block's body.
#[derive(Debug)]
pub(super) enum Body {
    /// Nothing yet.
    Missing,
    /// It is valid. The body is missing when it is pruned, and for a genesis header from elsewhere.
    Valid {
        block: Option<Arc<Block>>,
        /// All money there is after this block.
        supply: Amount,
    },
    /// It breaks this rule.
    Failed(Box<Reject>),
}

/// Why a block cannot be part of a valid chain, apart from its own body.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Taint {
    None,
    /// It or an ancestor is marked by the operator.
    Operator,
    /// An ancestor breaks a rule.
    Rule,
}

/// A block whose header has been accepted.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) header: HashedHeader,
    /// Of this block and all its ancestors.
    pub(super) work: Work,
    /// The median time of this block and the ten before.
    pub(super) median_time: u32,
    pub(super) body: Body,
    /// Marked by the operator.
    invalidated: bool,
    /// What the ancestors pass on.
    inherited: Taint,
    first_child: Option<BlockRef>,
    next_sibling: Option<BlockRef>,
}

impl Entry {
    /// A block of which only the header is known.
    #[inline]
    pub(super) fn new(header: &HashedHeader, work: Work, median_time: u32) -> Self {
        Self {
            header: *header,
            work,
            median_time,
            body: Body::Missing,
            invalidated: false,
            inherited: Taint::None,
            first_child: None,
            next_sibling: None,
        }
    }

    /// What this block passes on to its children.
    fn taint(&self) -> Taint {
        let own = match &self.body {
            Body::Failed(_) => Taint::Rule,
            Body::Missing | Body::Valid { .. } if self.invalidated => Taint::Operator,
            Body::Missing | Body::Valid { .. } => Taint::None,
        };
        own.max(self.inherited)
    }

    /// Why no valid chain has this block, when that is known.
    pub(super) fn fault(&self) -> Option<Reject> {
        match (&self.body, self.taint()) {
            (Body::Failed(reject), _) => Some(reject.as_ref().clone()),
            (_, Taint::Rule) => Some(Reject::BadPrevblk),
            (_, Taint::Operator) => Some(Reject::Invalidated),
            (_, Taint::None) => None,
        }
    }

    /// Whether the block and all its ancestors are valid in full.
    pub(super) fn is_valid(&self) -> bool {
        matches!(self.body, Body::Valid { .. }) && self.taint() == Taint::None
    }

    pub(super) fn status(&self) -> Status {
        match self.fault() {
            Some(reject) => Status::Invalid(reject),
            None if self.is_valid() => Status::Valid,
            None => Status::HeaderOnly,
        }
    }
}

/// All blocks by handle and by name.
#[derive(Debug)]
pub(super) struct Index {
    entries: Vec<Entry>,
    names: Names,
}

impl Index {
    /// The index of the genesis block alone.
    pub(super) fn new(genesis: Entry) -> Self {
        let mut names = Names::default();
        names.insert(&genesis.header.id(), BlockRef::GENESIS, |_| false);
        Self {
            entries: vec![genesis],
            names,
        }
    }

    /// Adds the block that the tree calls `block`.
    #[inline]
    pub(super) fn push(&mut self, block: BlockRef, parent: BlockRef, mut entry: Entry) {
        assert_eq!(block.index(), self.entries.len(), "tree and index grow together");
        entry.inherited = self.get(parent).taint();
        entry.next_sibling = self.get_mut(parent).first_child.replace(block);
        let (id, entries) = (entry.header.id(), &self.entries);
        self.names
            .insert(&id, block, |other| entries[other.index()].header.id() == id);
        self.entries.push(entry);
    }

    /// Remembers that the block's body breaks a rule.
    pub(super) fn fail(&mut self, block: BlockRef, reject: Reject) {
        self.get_mut(block).body = Body::Failed(Box::new(reject));
        self.pass_on(block);
    }

    /// Sets or lifts the operator's mark.
    pub(super) fn set_invalidated(&mut self, block: BlockRef, invalidated: bool) {
        self.get_mut(block).invalidated = invalidated;
        self.pass_on(block);
    }

    /// Lets go of a valid body; gives it when it was there.
    pub(super) fn drop_body(&mut self, block: BlockRef) -> Option<Arc<Block>> {
        match &mut self.get_mut(block).body {
            Body::Valid { block, .. } => block.take(),
            Body::Missing | Body::Failed(_) => None,
        }
    }

    pub(super) fn find(&self, id: &BlockId) -> Option<BlockRef> {
        self.names.find(id, |block| self.get(block).header.id() == *id)
    }

    pub(super) fn get(&self, block: BlockRef) -> &Entry {
        &self.entries[block.index()]
    }

    pub(super) fn get_mut(&mut self, block: BlockRef) -> &mut Entry {
        &mut self.entries[block.index()]
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The blocks that stand on this one, the newest first.
    pub(super) fn children(&self, block: BlockRef) -> impl Iterator<Item = BlockRef> + '_ {
        std::iter::successors(self.get(block).first_child, |child| self.get(*child).next_sibling)
    }

    /// Tells all descendants what has changed.
    fn pass_on(&mut self, block: BlockRef) {
        let mut changed = vec![block];
        while let Some(at) = changed.pop() {
            let taint = self.get(at).taint();
            let mut child = self.get(at).first_child;
            while let Some(at) = child {
                let entry = self.get_mut(at);
                if entry.inherited != taint {
                    entry.inherited = taint;
                    changed.push(at);
                }
                child = entry.next_sibling;
            }
        }
    }
}
