//! Which blocks a node knows of.
//!
//! The ledger may be shared and know far more; a node acts only on what stands here. Order between branches is by work and by
//! name, never by [`BlockRef`]: the numbers of a shared ledger differ from those of one's own.

use std::collections::{BTreeMap, BTreeSet};

use chain::{BlockId, BlockRef, Ledger};

/// How far a node has come with a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// Never heard of.
    Unknown,
    /// The header is accepted; the body, or that of an ancestor, is missing.
    Header,
    /// The block and all its ancestors are here and valid in full.
    Connected,
    /// It, or an ancestor, breaks a rule.
    Invalid,
}

impl Standing {
    const fn from_bits(bits: u8) -> Self {
        match bits & 0b11 {
            0 => Self::Unknown,
            1 => Self::Header,
            2 => Self::Connected,
            _ => Self::Invalid,
        }
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Header => 1,
            Self::Connected => 2,
            Self::Invalid => 3,
        }
    }
}

/// One node's knowledge of blocks: two bits each, and the ends of branches.
#[derive(Debug)]
pub(crate) struct Knowledge {
    /// Four blocks a byte, in the ledger's numbering; blocks beyond the end are unknown.
    standings: Vec<u8>,
    /// The block the node follows.
    tip: BlockRef,
    /// The header with the most work that is not known to be invalid, the first seen at equal work.
    best_header: BlockRef,
    /// Headers, not invalid, that no other such header stands on; the one that came last is last.
    header_leaves: Vec<BlockRef>,
    /// Connected blocks that no other connected block stands on; the one that came last is last.
    connected_leaves: Vec<BlockRef>,
    /// More of them, of less work than the tip had when there were many: after a long run nearly all.
    settled_leaves: BTreeSet<BlockRef>,
    /// Ends of branches that break a rule.
    condemned_leaves: BTreeMap<BlockId, BlockRef>,
    /// Blocks that the operator marked invalid. Not a fact of the ledger: another node may think otherwise.
    marks: BTreeMap<BlockId, BlockRef>,
}

/// How far below a block its last connected ancestor is looked for one by one.
const NEAR: usize = 8;
/// When there are more ends of branches than these, those that have less work than the tip are set aside.
const MANY_LEAVES: usize = 8;

impl Knowledge {
    pub(crate) fn new() -> Self {
        let mut knowledge = Self {
            standings: Vec::new(),
            tip: BlockRef::GENESIS,
            best_header: BlockRef::GENESIS,
            header_leaves: vec![BlockRef::GENESIS],
            connected_leaves: vec![BlockRef::GENESIS],
            settled_leaves: BTreeSet::new(),
            condemned_leaves: BTreeMap::new(),
            marks: BTreeMap::new(),
        };
        knowledge.set(BlockRef::GENESIS, Standing::Connected);
        knowledge
    }

    /// Takes in a header whose parent is known.
    pub(crate) fn accept_header(&mut self, ledger: &Ledger, block: BlockRef) {
        assert_eq!(self.standing(block), Standing::Unknown, "a header is accepted once");
        self.set(block, Standing::Header);
        let parent = ledger.parent(block).expect("the genesis block is never accepted");
        assert_ne!(self.standing(parent), Standing::Unknown, "parents come first");
        grow(&mut self.header_leaves, parent, block);
        if ledger.work(block) > ledger.work(self.best_header) && !self.is_marked(ledger, block) {
            self.best_header = block;
        }
    }

    /// Notes that a block is here, valid, and stands on connected blocks.
    pub(crate) fn connect(&mut self, ledger: &Ledger, block: BlockRef) {
        let parent = ledger
            .parent(block)
            .expect("the genesis block is connected from the start");
        assert_eq!(self.standing(block), Standing::Header, "a block is connected once");
        assert_eq!(
            self.standing(parent),
            Standing::Connected,
            "parents are connected first"
        );
        self.set(block, Standing::Connected);
        if !self.connected_leaves.contains(&parent) {
            self.settled_leaves.remove(&parent);
        }
        grow(&mut self.connected_leaves, parent, block);
        self.settle_leaves(ledger);
    }

    fn settle_leaves(&mut self, ledger: &Ledger) {
        if self.connected_leaves.len() > MANY_LEAVES {
            let work = ledger.work(self.tip);
            let is_settled = |leaf: &mut BlockRef| ledger.work(*leaf) < work;
            let settled = self.connected_leaves.extract_if(.., is_settled);
            self.settled_leaves.extend(settled);
        }
    }

    fn all_connected_leaves(&self) -> Vec<BlockRef> {
        let settled = self.settled_leaves.iter();
        settled.chain(&self.connected_leaves).copied().collect()
    }

    /// Notes that a block breaks a rule, so that all known descendants do too. Gives them all, the block among them.
    pub(crate) fn condemn(&mut self, ledger: &Ledger, block: BlockRef) -> Vec<BlockRef> {
        let mut leaves = self.header_leaves(ledger);
        leaves.retain(|leaf| ledger.is_ancestor(block, *leaf));
        self.header_leaves.retain(|leaf| !leaves.contains(leaf));
        let mut condemned = vec![block];
        self.set(block, Standing::Invalid);
        for leaf in leaves {
            self.condemned_leaves.insert(ledger.id(leaf), leaf);
            for descendant in ledger.path(block, leaf) {
                if self.standing(descendant) != Standing::Invalid {
                    assert_eq!(
                        self.standing(descendant),
                        Standing::Header,
                        "a valid child of an invalid block"
                    );
                    self.set(descendant, Standing::Invalid);
                    condemned.push(descendant);
                }
            }
        }
        let parent = ledger.parent(block).expect("the genesis block is valid");
        if !self.header_leaves.iter().any(|leaf| ledger.is_ancestor(parent, *leaf)) {
            self.header_leaves.push(parent);
        }
        self.find_best_header(ledger);
        condemned
    }

    /// Follows another block.
    pub(crate) fn follow(&mut self, tip: BlockRef) {
        assert_eq!(
            self.standing(tip),
            Standing::Connected,
            "only a connected block is followed"
        );
        self.tip = tip;
    }

    /// Sets the operator's mark; or lifts those of the block, of its ancestors and of its descendants, as `reconsiderblock` does.
    pub(crate) fn mark(&mut self, ledger: &Ledger, block: BlockRef, marked: bool) {
        if marked {
            self.marks.insert(ledger.id(block), block);
        } else {
            let is_apart = |mark: BlockRef| !ledger.is_ancestor(mark, block) && !ledger.is_ancestor(block, mark);
            self.marks.retain(|_, mark| is_apart(*mark));
        }
        self.find_best_header(ledger);
    }

    fn find_best_header(&mut self, ledger: &Ledger) {
        let leaves = self.header_leaves(ledger);
        self.best_header = self.best_of(ledger, self.best_header, &leaves);
    }

    fn set(&mut self, block: BlockRef, standing: Standing) {
        let (byte, shift) = (block.index() / 4, block.index() % 4 * 2);
        if byte >= self.standings.len() {
            self.standings.resize(byte + 1, 0);
        }
        self.standings[byte] = self.standings[byte] & !(0b11 << shift) | standing.bits() << shift;
    }

    pub(crate) fn standing(&self, block: BlockRef) -> Standing {
        let (byte, shift) = (block.index() / 4, block.index() % 4 * 2);
        self.standings
            .get(byte)
            .map_or(Standing::Unknown, |byte| Standing::from_bits(byte >> shift))
    }

    /// The block of this name, when this node has heard of it.
    pub(crate) fn find(&self, ledger: &Ledger, id: &BlockId) -> Option<BlockRef> {
        ledger
            .find(id)
            .filter(|block| self.standing(*block) != Standing::Unknown)
    }

    pub(crate) fn is_connected(&self, block: BlockRef) -> bool {
        self.standing(block) == Standing::Connected
    }

    pub(crate) const fn tip(&self) -> BlockRef {
        self.tip
    }

    /// Whether no header is known that has more work than the tip, none of its work is without its body, none breaks a rule, and the operator marked none.
    pub(crate) fn is_at_tip(&self, ledger: &Ledger) -> bool {
        let is_rival = |best: BlockRef| self.is_connected(best) && ledger.work(best) == ledger.work(self.tip);
        let best = self.best_header;
        (best == self.tip || is_rival(best)) && self.condemned_leaves.is_empty() && self.marks.is_empty()
    }

    /// The connected blocks that have the tip's work, the tip aside, in no order that says anything. Of a node whose tip has the most work that it has connected.
    pub(crate) fn rivals(&self, ledger: &Ledger) -> impl Iterator<Item = BlockRef> {
        let is_rival = |leaf: &BlockRef| *leaf != self.tip && ledger.work(*leaf) == ledger.work(self.tip);
        self.connected_leaves.iter().copied().filter(is_rival)
    }

    /// Takes in a header that may be known, and whose parent is.
    pub(crate) fn accept_once(&mut self, ledger: &Ledger, block: BlockRef) {
        if !self.is_known(block) {
            self.accept_header(ledger, block);
        }
    }

    /// Whether the node has heard of a block.
    fn is_known(&self, block: BlockRef) -> bool {
        self.standing(block) != Standing::Unknown
    }

    pub(crate) const fn best_header(&self) -> BlockRef {
        self.best_header
    }

    /// Whether the operator marked the block or an ancestor.
    pub(crate) fn is_marked(&self, ledger: &Ledger, block: BlockRef) -> bool {
        self.marks.values().any(|mark| ledger.is_ancestor(*mark, block))
    }

    /// The connected, unmarked block with the most work; the present tip at equal work.
    pub(crate) fn best_connected(&self, ledger: &Ledger) -> BlockRef {
        self.best_of(ledger, self.tip, &in_order(ledger, &self.all_connected_leaves()))
    }

    /// The last connected ancestor of a block, or the block itself: connected blocks begin every chain.
    pub(crate) fn connected_base(&self, ledger: &Ledger, block: BlockRef) -> BlockRef {
        // Most often it is the parent, or little below it.
        let mut nearest = std::iter::successors(Some(block), |near| ledger.parent(*near)).take(NEAR);
        if let Some(base) = nearest.find(|near| self.is_connected(*near)) {
            return base;
        }
        let (mut connected, mut missing) = (0, ledger.height(block).0 + 1);
        while missing - connected > 1 {
            let middle = connected + (missing - connected) / 2;
            let at = ledger
                .ancestor(block, chain::Height(middle))
                .expect("a height at most the block's own");
            if self.is_connected(at) {
                connected = middle;
            } else {
                missing = middle;
            }
        }
        ledger
            .ancestor(block, chain::Height(connected))
            .expect("a height at most the block's own")
    }

    /// Headers at the ends of branches, in the order of their names.
    pub(crate) fn header_leaves(&self, ledger: &Ledger) -> Vec<BlockRef> {
        in_order(ledger, &self.header_leaves)
    }

    /// Ends of branches that break a rule, in the order of their names.
    pub(crate) fn condemned_leaves(&self) -> impl Iterator<Item = BlockRef> {
        self.condemned_leaves.values().copied()
    }

    /// The connected ends of branches, the tip first, then by work, then by name.
    pub(crate) fn tips(&self, ledger: &Ledger) -> Vec<BlockRef> {
        let mut tips = in_order(ledger, &self.all_connected_leaves());
        tips.sort_by_key(|leaf| (*leaf != self.tip, std::cmp::Reverse(ledger.work(*leaf))));
        if tips.first() != Some(&self.tip) {
            tips.insert(0, self.tip);
        }
        tips
    }

    /// The most work among the leaves, each cut back below the operator's marks; `present` at equal work when it stands unmarked.
    fn best_of(&self, ledger: &Ledger, present: BlockRef, leaves: &[BlockRef]) -> BlockRef {
        let usable = self.standing(present) != Standing::Invalid && !self.is_marked(ledger, present);
        let mut best = if usable { present } else { ledger.genesis() };
        for leaf in leaves {
            let candidate = self.below_marks(ledger, *leaf);
            if ledger.work(candidate) > ledger.work(best) {
                best = candidate;
            }
        }
        best
    }

    fn below_marks(&self, ledger: &Ledger, leaf: BlockRef) -> BlockRef {
        let mut candidate = leaf;
        for mark in self.marks.values() {
            if ledger.is_ancestor(*mark, candidate) {
                candidate = ledger.parent(*mark).expect("the genesis block is never marked");
            }
        }
        candidate
    }
}

/// A leaf has come, which takes the place of its parent if that was one. Most often the last to come is the parent of the next.
fn grow(leaves: &mut Vec<BlockRef>, parent: BlockRef, leaf: BlockRef) {
    if let Some(last) = leaves.last_mut().filter(|last| **last == parent) {
        *last = leaf;
        return;
    }
    if let Some(at) = leaves.iter().position(|at| *at == parent) {
        leaves.remove(at);
    }
    leaves.push(leaf);
}

/// By name, which is the same order in every ledger.
fn in_order(ledger: &Ledger, leaves: &[BlockRef]) -> Vec<BlockRef> {
    let mut leaves = leaves.to_vec();
    leaves.sort_by_key(|leaf| ledger.id(*leaf));
    leaves
}
