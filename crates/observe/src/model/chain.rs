//! The blocks of a run, and what each spends.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base::{NodeId, Time};
use chain::{BlockId, Height, Work};

use crate::arrivals::BlockNumber;
use crate::layout::{Growth, Tree, TreeBlock};
use crate::told::{BlockSpread, Convergence, TransactionInBlock};

/// A block that some node found valid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockFacts {
    /// Its name.
    pub id: BlockId,
    /// Its parent; none for the genesis block.
    pub parent: Option<BlockNumber>,
    /// Its height.
    pub height: Height,
    /// The work of it and its ancestors; unknown, and none, for the genesis block.
    pub chain_work: Work,
    /// Who mined it, when that was seen.
    pub miner: Option<NodeId>,
    /// When it was mined, if that was seen.
    pub mined: Option<Time>,
    /// When some node first had it.
    pub seen: Time,
    /// The time in its header, in seconds since 1970, if that was told.
    pub time: Option<u32>,
    /// How many transactions it has, the coinbase among them.
    pub transactions: usize,
    /// Its size.
    pub bytes: u64,
}

impl BlockFacts {
    fn in_tree(&self) -> TreeBlock {
        TreeBlock {
            id: self.id,
            parent: self.parent.map(BlockNumber::index),
            height: self.height.0,
            work: self.chain_work,
        }
    }
}

/// All blocks, by [`BlockNumber`]. A block's number is greater than its parent's.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    blocks: Vec<BlockFacts>,
    by_id: BTreeMap<BlockId, BlockNumber>,
    growth: Growth,
    children: Vec<Vec<BlockNumber>>,
    spends: BTreeMap<BlockNumber, Vec<TransactionInBlock>>,
    spreads: BTreeMap<BlockNumber, BlockSpread>,
    convergences: BTreeMap<BlockNumber, Convergence>,
    /// Blocks whose parent has not been seen, by that parent: they are held until it is, so that the picture is one tree.
    waiting: BTreeMap<BlockId, Vec<BlockFacts>>,
}

impl Chain {
    pub(super) fn new(genesis: BlockId) -> Self {
        let mut chain = Self::default();
        chain.insert(BlockFacts {
            id: genesis,
            parent: None,
            height: Height(0),
            chain_work: Work::ZERO,
            miner: None,
            mined: None,
            seen: Time::ZERO,
            time: None,
            transactions: 1,
            bytes: 0,
        });
        chain
    }

    /// Takes in a block that stands on `parent`. One that is known already stays as it is.
    pub(super) fn see(&mut self, mut block: BlockFacts, parent: BlockId) {
        if self.by_id.contains_key(&block.id) {
            return;
        }
        let Some(&number) = self.by_id.get(&parent) else {
            self.waiting.entry(parent).or_default().push(block);
            return;
        };
        block.parent = Some(number);
        let mut ready = vec![block];
        while let Some(block) = ready.pop() {
            let (id, seen) = (block.id, block.seen);
            if self.by_id.contains_key(&id) {
                continue;
            }
            let number = self.insert(block);
            for mut child in self.waiting.remove(&id).unwrap_or_default() {
                child.parent = Some(number);
                child.seen = child.seen.max(seen);
                ready.push(child);
            }
        }
    }

    pub(super) fn mined(&mut self, id: &BlockId, at: Time, (miner, time): (NodeId, u32)) {
        if let Some(number) = self.by_id.get(id) {
            let block = &mut self.blocks[number.index()];
            block.miner.get_or_insert(miner);
            block.mined.get_or_insert(at);
            block.time.get_or_insert(time);
        }
    }

    pub(super) fn spends(&mut self, id: &BlockId, transactions: Vec<TransactionInBlock>) {
        if let Some(&number) = self.by_id.get(id) {
            self.spends.insert(number, transactions);
        }
    }

    pub(super) fn spread(&mut self, spread: BlockSpread) {
        if let Some(&number) = self.by_id.get(&spread.block) {
            self.spreads.insert(number, spread);
        }
    }

    pub(super) fn converged(&mut self, convergence: Convergence) {
        if let Some(&number) = self.by_id.get(&convergence.block) {
            self.convergences.insert(number, convergence);
        }
    }

    fn insert(&mut self, mut block: BlockFacts) -> BlockNumber {
        let number = BlockNumber::at(self.blocks.len());
        if let Some(parent) = block.parent {
            self.children[parent.index()].push(number);
            // Whatever the line says that told of it.
            block.height = self.blocks[parent.index()].height.next();
        }
        self.by_id.insert(block.id, number);
        self.growth.push(block.in_tree());
        self.blocks.push(block);
        self.children.push(Vec::new());
        number
    }

    /// How many there are, the genesis block among them.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether there are none: before the log's first event.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// All blocks, by number.
    #[must_use]
    pub fn blocks(&self) -> &[BlockFacts] {
        &self.blocks
    }

    /// One block.
    #[must_use]
    pub fn block(&self, number: BlockNumber) -> &BlockFacts {
        &self.blocks[number.index()]
    }

    /// The number of a block that was seen.
    #[must_use]
    pub fn number(&self, id: &BlockId) -> Option<BlockNumber> {
        self.by_id.get(id).copied()
    }

    /// The blocks that stand on one, in the order they were seen.
    #[must_use]
    pub fn children(&self, number: BlockNumber) -> &[BlockNumber] {
        &self.children[number.index()]
    }

    /// What a block spends, its coinbase aside; none when that was not told.
    #[must_use]
    pub fn transactions(&self, number: BlockNumber) -> &[TransactionInBlock] {
        self.spends.get(&number).map_or(&[], Vec::as_slice)
    }

    /// All blocks that hold more than a coinbase, and what.
    pub fn all_transactions(&self) -> impl Iterator<Item = (BlockNumber, &TransactionInBlock)> {
        let listed = self.spends.iter();
        listed.flat_map(|(number, transactions)| transactions.iter().map(|transaction| (*number, transaction)))
    }

    /// How a block spread, once that has been measured.
    #[must_use]
    pub fn spread_of(&self, number: BlockNumber) -> Option<&BlockSpread> {
        self.spreads.get(&number)
    }

    /// How the network came to agree on a block, once that is known; of blocks that were never the best it never is.
    #[must_use]
    pub fn convergence_on(&self, number: BlockNumber) -> Option<&Convergence> {
        self.convergences.get(&number)
    }

    /// Blocks whose parent has not been seen: none, unless the log has lost something.
    #[must_use]
    pub fn without_parent(&self) -> usize {
        self.waiting.values().map(Vec::len).sum()
    }

    /// How many blocks had been seen at a time. They are the first so many, unless blocks were told of late.
    #[must_use]
    pub fn seen_at(&self, at: Time) -> usize {
        self.blocks.partition_point(|block| block.seen <= at)
    }

    /// The last block that two chains have in common.
    #[must_use]
    pub fn fork_point(&self, mut a: BlockNumber, mut b: BlockNumber) -> BlockNumber {
        // The greater number is no ancestor of the other: its parent has a smaller one.
        while a != b {
            let higher = if a > b { &mut a } else { &mut b };
            *higher = self.blocks[higher.index()]
                .parent
                .expect("all stand on the genesis block");
        }
        a
    }

    /// The blocks above `below` up to `tip`, the oldest first.
    #[must_use]
    pub fn path(&self, below: BlockNumber, tip: BlockNumber) -> Vec<BlockNumber> {
        let on_the_way = std::iter::successors(Some(tip), |at| self.blocks[at.index()].parent);
        let mut path: Vec<BlockNumber> = on_the_way.take_while(|at| *at > below).collect();
        path.reverse();
        path
    }

    /// The tree of the first so many blocks, to be laid out.
    pub(super) fn tree(&self, count: usize) -> Cow<'_, Tree> {
        self.growth.at(count.max(1), |place| self.blocks[place].in_tree())
    }

    /// The blocks whose name begins or ends with these digits, or whose last eight, which tables show, begin with them.
    pub fn matching<'a>(&'a self, digits: &'a str) -> impl Iterator<Item = BlockNumber> + 'a {
        let matches = move |block: &BlockFacts| {
            let name = block.id.to_string();
            name.starts_with(digits) || name.ends_with(digits) || name[56..].starts_with(digits)
        };
        let numbered = self.blocks.iter().enumerate();
        numbered
            .filter(move |(_, block)| matches(block))
            .map(|(place, _)| BlockNumber::at(place))
    }
}
