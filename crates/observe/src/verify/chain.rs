//! The blocks of a log, and who spends which coin.

use std::collections::BTreeMap;

use chain::{BlockId, Height, Work};

use super::{Wrong, wrong};
use crate::arrivals::BlockNumber;
use crate::told::{BlockTransactions, Spend};

/// A block as its first line told it.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// In the order of first lines.
    number: BlockNumber,
    parent: Option<BlockId>,
    height: Height,
    work: Option<Work>,
}

/// All blocks.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    known: BTreeMap<BlockId, Block>,
    /// By number.
    names: Vec<BlockId>,
    /// The blocks that spend each coin.
    spenders: BTreeMap<Spend, Vec<BlockId>>,
}

impl Blocks {
    pub(super) fn begin(&mut self, genesis: BlockId) {
        let block = Block {
            number: BlockNumber(0),
            parent: None,
            height: Height(0),
            work: None,
        };
        self.known.insert(genesis, block);
        self.names.push(genesis);
    }

    pub(super) fn number(&self, id: &BlockId) -> Option<BlockNumber> {
        self.known.get(id).map(|block| block.number)
    }

    pub(super) fn name(&self, number: BlockNumber) -> BlockId {
        self.names[number.index()]
    }

    /// How many there are, the genesis block aside.
    pub(super) fn count(&self) -> u64 {
        (self.known.len() as u64).saturating_sub(1)
    }

    pub(super) fn coins(&self) -> u64 {
        self.spenders.len() as u64
    }

    pub(super) fn see(&mut self, id: BlockId, parent: BlockId, (height, work): (Height, Work)) -> Result<(), Wrong> {
        let Some(below) = self.known.get(&parent) else {
            return Err(wrong(
                "a block stands on one told of before",
                "its parent before it",
                parent,
            ));
        };
        if height != below.height.next() {
            return Err(wrong("a block is one above its parent", below.height.next(), height));
        }
        if below.work.is_some_and(|below| work <= below) {
            return Err(wrong(
                "work grows from block to block",
                "more than its parent has",
                work,
            ));
        }
        let number = BlockNumber::at(self.names.len());
        let (parent, work) = (Some(parent), Some(work));
        let block = self.known.entry(id).or_insert(Block {
            number,
            parent,
            height,
            work,
        });
        if block.number == number {
            self.names.push(id);
        }
        if block.parent != parent || block.work != work {
            return Err(wrong(
                "a block is the same whoever tells of it",
                "what was told before",
                id,
            ));
        }
        Ok(())
    }

    pub(super) fn height(&self, id: &BlockId) -> Result<Height, Wrong> {
        let known = self.known.get(id).map(|block| block.height);
        known.ok_or_else(|| wrong("a line speaks of blocks told of before", "a block that was told of", id))
    }

    /// Whether `blocks`, the oldest first, lead from `below` to `tip`.
    pub(super) fn is_path(&self, below: BlockId, blocks: &[BlockId], tip: BlockId) -> bool {
        let mut at = below;
        for block in blocks {
            if self.known.get(block).and_then(|block| block.parent) != Some(at) {
                return false;
            }
            at = *block;
        }
        at == tip
    }

    pub(super) fn spend(&mut self, told: &BlockTransactions) -> Result<(), Wrong> {
        self.height(&told.block)?;
        for transaction in &told.transactions {
            for coin in &transaction.inputs {
                let before = self.spenders.get(coin).map_or(&[][..], Vec::as_slice);
                if before.iter().any(|other| self.is_ancestor(other, told.block)) {
                    let coin = format!("{}:{} once", coin.txid, coin.index);
                    return Err(wrong(
                        "no chain spends a coin twice",
                        coin,
                        format!("again in {}", told.block),
                    ));
                }
                self.spenders.entry(*coin).or_default().push(told.block);
            }
        }
        Ok(())
    }

    fn is_ancestor(&self, of: &BlockId, mut block: BlockId) -> bool {
        let Some(target) = self.known.get(of) else { return false };
        while let Some(facts) = self.known.get(&block).filter(|facts| facts.height >= target.height) {
            if block == *of {
                return true;
            }
            let Some(parent) = facts.parent else { return false };
            block = parent;
        }
        false
    }
}
