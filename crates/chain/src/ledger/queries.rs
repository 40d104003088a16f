//! What the ledger can be asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::Hash;

use super::index::Body;
use super::{BlockRef, Coin, Ledger, Status};
use crate::{Amount, Block, BlockId, Draft, HashedHeader, Header, Height, OutPoint, Params, Txid, Work, preimage};

/// Look-ups in arrays, or a few of those, unless they say otherwise.
impl Ledger {
    /// The network's parameters.
    #[must_use]
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// The genesis block.
    #[must_use]
    pub const fn genesis(&self) -> BlockRef {
        BlockRef::GENESIS
    }

    /// How many blocks there are, the genesis block among them. Handles count from 0 up to this.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always a genesis block")]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// The block of this name, when its header has been accepted.
    #[must_use]
    pub fn find(&self, id: &BlockId) -> Option<BlockRef> {
        self.index.find(id)
    }

    /// The block's name.
    #[must_use]
    pub fn id(&self, block: BlockRef) -> BlockId {
        self.index.get(block).header.id()
    }

    /// The block's header.
    #[must_use]
    pub fn header(&self, block: BlockRef) -> &Header {
        &self.index.get(block).header
    }

    /// The block's header and name.
    #[must_use]
    pub fn hashed_header(&self, block: BlockRef) -> &HashedHeader {
        &self.index.get(block).header
    }

    /// The block's parent; none for the genesis block.
    #[must_use]
    pub fn parent(&self, block: BlockRef) -> Option<BlockRef> {
        self.tree.parent(block)
    }

    /// The blocks that stand on this one, the newest first.
    pub fn children(&self, block: BlockRef) -> impl Iterator<Item = BlockRef> + '_ {
        self.index.children(block)
    }

    /// The block's height.
    #[must_use]
    pub fn height(&self, block: BlockRef) -> Height {
        self.tree.height(block)
    }

    /// The work of the block and all its ancestors.
    #[must_use]
    pub fn work(&self, block: BlockRef) -> Work {
        self.index.get(block).work
    }

    /// What is known of its validity.
    #[must_use]
    pub fn status(&self, block: BlockRef) -> Status {
        self.index.get(block).status()
    }

    /// Whether it is [`Status::Valid`].
    #[must_use]
    pub fn is_valid(&self, block: BlockRef) -> bool {
        self.index.get(block).is_valid()
    }

    /// The block's body, when it has been found valid and is not pruned.
    #[must_use]
    pub fn body(&self, block: BlockRef) -> Option<&Arc<Block>> {
        match &self.index.get(block).body {
            Body::Valid { block, .. } => block.as_ref(),
            Body::Missing | Body::Failed(_) => None,
        }
    }

    /// The block's ancestor (or itself) at a height; none above its own. O(log n).
    #[must_use]
    pub fn ancestor(&self, block: BlockRef, height: Height) -> Option<BlockRef> {
        self.tree.ancestor(block, height)
    }

    /// Whether `ancestor` is `block` or one of its ancestors. O(log n).
    #[must_use]
    pub fn is_ancestor(&self, ancestor: BlockRef, block: BlockRef) -> bool {
        self.tree.is_ancestor(ancestor, block)
    }

    /// The last block that both have in common. O(log n).
    #[must_use]
    pub fn fork_point(&self, a: BlockRef, b: BlockRef) -> BlockRef {
        self.tree.fork_point(a, b)
    }

    /// The blocks after `ancestor` up to and with `tip`, oldest first.
    ///
    /// # Panics
    /// When `ancestor` is not one.
    #[must_use]
    pub fn path(&self, ancestor: BlockRef, tip: BlockRef) -> Vec<BlockRef> {
        self.tree.path(ancestor, tip)
    }

    /// Names of the block, some ancestors ever further apart, and the genesis: what a peer needs to find the last common block.
    /// At most [`crate::limits::MAX_LOCATOR`].
    #[must_use]
    pub fn locator(&self, tip: BlockRef) -> Vec<BlockId> {
        let blocks = self.tree.locator(tip);
        blocks.into_iter().map(|block| self.id(block)).collect()
    }

    /// The median time of the block and its ten ancestors before: a child's time must be above it.
    #[must_use]
    pub fn median_time_past(&self, block: BlockRef) -> u32 {
        self.index.get(block).median_time
    }

    /// The coin at an outpoint as a block on top of `tip` sees it: none when it was never created on that fork or is spent on it.
    #[must_use]
    pub fn coin(&self, outpoint: &OutPoint, tip: BlockRef) -> Option<Coin> {
        self.coins.find(outpoint, tip, &self.tree)
    }

    /// The block on `tip`'s chain that holds a transaction of this txid, when it is not pruned.
    #[must_use]
    pub fn confirmation(&self, txid: &Txid, tip: BlockRef) -> Option<BlockRef> {
        self.coins.place(txid, tip, &self.tree)
    }

    /// The transaction that spends the coin at an outpoint on `tip`'s chain, and its block, when that is not pruned.
    #[must_use]
    pub fn spender(&self, outpoint: &OutPoint, tip: BlockRef) -> Option<(Txid, BlockRef)> {
        let block = self.coins.spent_in(outpoint, tip, &self.tree)?;
        let mut transactions = self.body(block)?.transactions.iter();
        let spender = transactions.find(|transaction| transaction.inputs().contains(outpoint))?;
        Some((spender.txid(), block))
    }

    /// What a coinbase at this height may create, fees aside.
    #[must_use]
    pub fn subsidy(&self, height: Height) -> Amount {
        self.params.subsidy(height)
    }

    /// All money there is at `tip`: subsidies less what coinbases left unclaimed. Nothing for a block that has no valid body.
    #[must_use]
    pub fn supply(&self, tip: BlockRef) -> Amount {
        match &self.index.get(tip).body {
            Body::Valid { supply, .. } => *supply,
            Body::Missing | Body::Failed(_) => Amount::ZERO,
        }
    }

    /// Every coin that a block on top of `tip` may spend. Goes through the whole chain. Means nothing at a block that is pruned.
    #[must_use]
    pub fn unspent(&self, tip: BlockRef) -> BTreeMap<OutPoint, Coin> {
        let blocks = self.tree.path(self.genesis(), tip);
        let bodies = blocks.into_iter().filter_map(|block| self.body(block));
        let transactions = bodies.flat_map(|body| &body.transactions);
        let outpoints = transactions.flat_map(|transaction| {
            (0..)
                .zip(transaction.outputs())
                .map(|(index, _)| transaction.outpoint(index))
        });
        outpoints
            .chain(self.coins.settled())
            .filter_map(|outpoint| self.coin(&outpoint, tip).map(|coin| (outpoint, coin)))
            .collect()
    }

    /// The hash of every coin that a block on top of `tip` may spend, in the order of outpoints. Goes through the whole chain.
    #[must_use]
    pub fn coins_digest(&self, tip: BlockRef) -> Hash {
        preimage::coins(&self.unspent(tip))
    }

    /// A draft of a child of `parent` without transactions and without outputs: height and bits are what the rules demand.
    #[must_use]
    pub fn draft(&self, parent: BlockRef, time: u32) -> Draft {
        Draft {
            parent: self.id(parent),
            height: self.height(parent).next(),
            time,
            bits: self.next_bits(parent),
            coinbase_outputs: Vec::new(),
            tag: Vec::new(),
            extra_nonce: 0,
            transactions: Vec::new(),
        }
    }
}
