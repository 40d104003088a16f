//! The ledger: every fact about every fork, at once.
//!
//! Facts are content-addressed and never retracted: this header exists and has this work, its body is valid or breaks this rule, this coin
//! was created in block C and spent in blocks S1 and S2. Nothing here depends on who knows a fact, so simulated nodes may share a ledger.
//!
//! Coins are multi-version: a coin is unspent at tip T when a block that created it is T or an ancestor of T and no block that spent it is.
//! Hence no undo data, no "disconnect": a reorg of any depth is a change of the pointer a *node* keeps, and a block is validated once in its life.

use std::sync::Arc;

use crate::{
    Amount, Block, BlockId, CompactTarget, Header, Height, OutPoint, Params, Reject, Transaction, TxOutput, Work,
};

/// The ledger's handle for a header it has accepted, in order of acceptance. Means something only to the ledger that gave it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BlockRef(u32);

/// What the ledger knows of a block whose header it has accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Status {
    /// No body has been checked yet.
    HeaderOnly,
    /// The block and all its ancestors are valid in full.
    Valid,
    /// The block or an ancestor breaks this rule; for a descendant the rule is [`Reject::BadPrevblk`].
    Invalid(Reject),
}

/// An output as a spender sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coin {
    /// How much, and whose.
    pub output: TxOutput,
    /// The height of the block that created it; for one still unconfirmed, the height it would have.
    pub height: Height,
    /// Whether a coinbase created it, so that it must mature.
    pub coinbase: bool,
}

/// All facts of one network's chain. See the module's documentation.
#[derive(Debug)]
pub struct Ledger {
    params: Params,
}

impl Ledger {
    /// The ledger that knows only the genesis block that `params` stand for.
    #[must_use]
    pub fn new(_params: Params) -> Self {
        todo!("chain")
    }

    /// A ledger that begins at a header from elsewhere, of which it holds no body: for chains of headers alone, such as Bitcoin's.
    #[must_use]
    pub fn from_genesis_header(_params: Params, _genesis: &Header) -> Self {
        todo!("chain")
    }

    /// Takes in a header: proof of work, known and valid parent, bits, time above the median, version. Knowing it already is no error.
    ///
    /// Whether its time is too far in the future is for the node to say ([`crate::header`]): that depends on a clock.
    pub fn add_header(&mut self, _header: &Header) -> Result<BlockRef, Reject> {
        todo!("chain")
    }

    /// Takes in the body of an accepted header whose parent is [`Status::Valid`], and validates the block in full.
    ///
    /// A body already found valid is not validated again, but one that does not match the header's root is refused every time.
    /// `Err` with [`crate::Verdict::Invalid`] marks the block; with `Mutated` the header stays as it was.
    ///
    /// # Panics
    /// When the header is not accepted, or its parent is not valid: callers hold bodies back until it is.
    pub fn add_body(&mut self, _body: &Arc<Block>) -> Result<BlockRef, Reject> {
        todo!("chain")
    }

    /// Marks a block, and so its descendants, invalid (`invalidateblock`: a debugging aid, not a real reorg), or lifts the mark.
    pub fn set_invalidated(&mut self, _block: BlockRef, _invalidated: bool) {
        todo!("chain")
    }

    /// The network's parameters.
    #[must_use]
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// The genesis block.
    #[must_use]
    pub fn genesis(&self) -> BlockRef {
        BlockRef(0)
    }

    /// The block of this name, when its header has been accepted.
    #[must_use]
    pub fn find(&self, _id: &BlockId) -> Option<BlockRef> {
        todo!("chain")
    }

    /// The block's name.
    #[must_use]
    pub fn id(&self, _block: BlockRef) -> BlockId {
        todo!("chain")
    }

    /// The block's header.
    #[must_use]
    pub fn header(&self, _block: BlockRef) -> &Header {
        todo!("chain")
    }

    /// The block's parent; none for the genesis block.
    #[must_use]
    pub fn parent(&self, _block: BlockRef) -> Option<BlockRef> {
        todo!("chain")
    }

    /// The block's height.
    #[must_use]
    pub fn height(&self, _block: BlockRef) -> Height {
        todo!("chain")
    }

    /// The work of the block and all its ancestors.
    #[must_use]
    pub fn work(&self, _block: BlockRef) -> Work {
        todo!("chain")
    }

    /// What is known of its validity.
    #[must_use]
    pub fn status(&self, _block: BlockRef) -> Status {
        todo!("chain")
    }

    /// The block's body, when it has been found valid.
    #[must_use]
    pub fn body(&self, _block: BlockRef) -> Option<&Arc<Block>> {
        todo!("chain")
    }

    /// The block's ancestor (or itself) at a height; none above its own. O(log n).
    #[must_use]
    pub fn ancestor(&self, _block: BlockRef, _height: Height) -> Option<BlockRef> {
        todo!("chain")
    }

    /// Whether `ancestor` is `block` or one of its ancestors. O(log n).
    #[must_use]
    pub fn is_ancestor(&self, _ancestor: BlockRef, _block: BlockRef) -> bool {
        todo!("chain")
    }

    /// The last block that both have in common. O(log n) ancestor queries.
    #[must_use]
    pub fn fork_point(&self, _a: BlockRef, _b: BlockRef) -> BlockRef {
        todo!("chain")
    }

    /// The blocks after `ancestor` up to and with `tip`, oldest first.
    ///
    /// # Panics
    /// When `ancestor` is not one.
    #[must_use]
    pub fn path(&self, _ancestor: BlockRef, _tip: BlockRef) -> Vec<BlockRef> {
        todo!("chain")
    }

    /// Names of the block, some ancestors ever further apart, and the genesis: what a peer needs to find the last common block.
    /// At most [`crate::limits::MAX_LOCATOR`].
    #[must_use]
    pub fn locator(&self, _tip: BlockRef) -> Vec<BlockId> {
        todo!("chain")
    }

    /// The median time of the block and its ten ancestors before: a child's time must be above it.
    #[must_use]
    pub fn median_time_past(&self, _block: BlockRef) -> u32 {
        todo!("chain")
    }

    /// The bits that a child must have.
    #[must_use]
    pub fn next_bits(&self, _parent: BlockRef) -> CompactTarget {
        todo!("chain")
    }

    /// The coin at an outpoint as a block on top of `tip` sees it: none when it was never created on that fork or is spent on it.
    #[must_use]
    pub fn coin(&self, _outpoint: &OutPoint, _tip: BlockRef) -> Option<Coin> {
        todo!("chain")
    }

    /// The block on `tip`'s chain that holds a transaction of this txid.
    #[must_use]
    pub fn confirmation(&self, _txid: &crate::Txid, _tip: BlockRef) -> Option<BlockRef> {
        todo!("chain")
    }

    /// Whether a block at `height` may hold the transaction, given the coins its inputs name, in that order; gives its fee.
    ///
    /// Checks structure, maturity, amounts and signatures; that the coins are unspent is for whoever gathered them.
    /// A verdict on signatures is remembered by wtxid.
    pub fn check_transaction(
        &mut self,
        _transaction: &Transaction,
        _coins: &[Coin],
        _height: Height,
    ) -> Result<Amount, Reject> {
        todo!("chain")
    }

    /// What a coinbase at this height may create, fees aside.
    #[must_use]
    pub fn subsidy(&self, _height: Height) -> Amount {
        todo!("chain")
    }
}
