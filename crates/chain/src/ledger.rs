//! The ledger: every fact about every fork, at once.
//!
//! Facts are content-addressed and never retracted: this header exists and has this work, its body is valid or breaks this rule, this coin
//! was created in block C and spent in blocks S1 and S2. Nothing here depends on who knows a fact, so simulated nodes may share a ledger.
//!
//! Coins are multi-version: a coin is unspent at tip T when a block that created it is T or an ancestor of T and no block that spent it is.
//! Hence no undo data, no "disconnect": a reorg of any depth is a change of the pointer a *node* keeps, and a block is validated once in its life.

mod coins;
mod context;
mod index;
mod signatures;
mod tree;
mod validate;

use std::collections::BTreeMap;
use std::sync::Arc;

use base::Hash;

use self::coins::{Coins, View};
use self::index::{Body, Index};
use self::signatures::{Signatures, Spend};
use self::tree::Tree;
use crate::{
    Amount, Block, BlockId, Draft, Header, Height, OutPoint, Params, Reject, Transaction, TxOutput, Txid, Verdict,
    Work, preimage,
};

/// The ledger's handle for a header it has accepted, in order of acceptance. Means something only to the ledger that gave it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BlockRef(u32);

impl BlockRef {
    /// The genesis block, in every ledger.
    pub const GENESIS: Self = Self(0);

    /// The handle as a place in a list with one entry for each block.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What the ledger knows of a block whose header it has accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Status {
    /// No body has been checked yet.
    HeaderOnly,
    /// The block and all its ancestors are valid in full.
    Valid,
    /// The block or an ancestor breaks this rule; for a descendant the rule is [`Reject::BadPrevblk`], or [`Reject::Invalidated`]
    /// when there is nothing but an operator's mark.
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
    tree: Tree,
    index: Index,
    coins: Coins,
    signatures: Signatures,
}

impl Ledger {
    /// The ledger that knows only the genesis block that `params` stand for.
    ///
    /// # Panics
    /// When the parameters are unsound ([`Params::check`]).
    #[must_use]
    pub fn new(params: Params) -> Self {
        let genesis = Arc::new(params.genesis_block());
        let mut ledger = Self::from_genesis_header(params, &genesis.header);
        // As in Bitcoin, what the genesis block's coinbase creates cannot be spent: its coins are not taken in.
        ledger.index.get_mut(BlockRef(0)).body = Body::Valid {
            block: Some(genesis),
            supply: Amount::ZERO,
        };
        ledger
    }

    /// A ledger that begins at a header from elsewhere, of which it holds no body: for chains of headers alone, such as Bitcoin's.
    ///
    /// # Panics
    /// When the parameters are unsound ([`Params::check`]).
    #[must_use]
    pub fn from_genesis_header(params: Params, genesis: &Header) -> Self {
        if let Err(unsound) = params.check() {
            panic!("no chain can run by these parameters: {unsound}");
        }
        Self {
            params,
            tree: Tree::new(),
            index: Index::new(Self::genesis_entry(genesis)),
            coins: Coins::default(),
            signatures: Signatures::new(genesis.id()),
        }
    }

    /// Takes in a header: proof of work, known and valid parent, bits, time above the median, version. Knowing it already is no error,
    /// unless the block is known to be invalid: then the reason comes back.
    ///
    /// A header that is refused is not kept, so memory grows only with proof of work that stands on our chain.
    /// Whether its time is too far in the future is for the node to say ([`crate::header::check_not_future`]): that depends on a clock.
    pub fn add_header(&mut self, header: &Header) -> Result<BlockRef, Reject> {
        let id = header.id();
        if let Some(known) = self.find(&id) {
            return self.index.get(known).fault().map_or(Ok(known), Err);
        }
        let checked = self.check_header(header, &id)?;
        Ok(self.push_header(header, id, checked))
    }

    /// Takes in a header as [`Ledger::add_header`] does, but on its own merits: that it, or an ancestor, is known to be invalid does not matter.
    ///
    /// For nodes that may share this ledger. What invalid ancestors they know of they judge for themselves, and learn nothing from what
    /// others have found out.
    pub fn record_header(&mut self, header: &Header) -> Result<BlockRef, Reject> {
        let id = header.id();
        if let Some(known) = self.find(&id) {
            return Ok(known);
        }
        let (parent, target) = self.check_proof(header, &id)?;
        self.check_context(header, parent)?;
        Ok(self.push_header(header, id, (parent, target)))
    }

    /// Takes in the body of an accepted header whose parent is [`Status::Valid`], and validates the block in full.
    ///
    /// A body already found valid is not validated again, but one that does not match the header's root is refused every time.
    /// `Err` with [`crate::Verdict::Invalid`] marks the block; with `Mutated` the header stays as it was.
    ///
    /// # Panics
    /// When the header is not accepted, or its parent is not valid: callers hold bodies back until it is.
    pub fn add_body(&mut self, block: &Arc<Block>) -> Result<BlockRef, Reject> {
        let at = self.find(&block.id()).expect("headers are accepted before bodies");
        let entry = self.index.get(at);
        match (&entry.body, self.parent(at)) {
            (Body::Valid { block: Some(known), .. }, _) if Arc::ptr_eq(known, block) => {
                return entry.fault().map_or(Ok(at), Err);
            }
            (_, Some(parent)) => assert!(self.is_valid(parent), "bodies are held back until the parent is valid"),
            (_, None) => {}
        }
        validate::commitment(block)?;
        if let Some(reject) = entry.fault() {
            return Err(reject);
        }
        match (&entry.body, self.parent(at)) {
            (Body::Missing, Some(parent)) => self.settle(at, parent, block),
            (Body::Missing | Body::Valid { .. } | Body::Failed(_), _) => Ok(at),
        }
    }

    /// Validates a block, and keeps it or marks it.
    fn settle(&mut self, at: BlockRef, parent: BlockRef, block: &Arc<Block>) -> Result<BlockRef, Reject> {
        match self.validate(parent, block) {
            Ok(supply) => {
                self.coins.apply(at, block);
                self.index.get_mut(at).body = Body::Valid {
                    block: Some(Arc::clone(block)),
                    supply,
                };
                Ok(at)
            }
            Err(reject) => {
                assert_eq!(reject.verdict(), Verdict::Invalid, "the body is the one committed to");
                self.index.fail(at, reject.clone());
                Err(reject)
            }
        }
    }

    /// Checks a body that its header commits to, the cheap rules first; gives all money there is after it. Changes nothing but
    /// what is remembered of signatures.
    fn validate(&mut self, parent: BlockRef, block: &Block) -> Result<Amount, Reject> {
        let height = self.height(parent).next();
        validate::body(block, &self.params)?;
        validate::coinbase_height(block, height)?;
        let mut view = View::new(&self.coins, &self.tree, parent);
        let mut fees = Amount::ZERO;
        let mut spends = Vec::with_capacity(block.transactions.len());
        for transaction in &block.transactions {
            if !transaction.is_coinbase() {
                let coins = view.spend(transaction)?;
                let fee = validate::spending(transaction, &coins, height, &self.params)?;
                fees = Amount::total([fees, fee]).ok_or(Reject::BadTxnsInputvaluesOutofrange)?;
                spends.push(Spend { transaction, coins });
            }
            view.create(transaction, height)?;
        }
        let created = validate::coinbase_amount(block, self.subsidy(height), fees)?;
        self.signatures.check(&spends)?;
        let supply = self.supply(parent).checked_sub(fees);
        let supply = supply.expect("fees are paid from money there is");
        Ok(supply.checked_add(created).expect("sound parameters bound the issue"))
    }

    /// Marks a block, and so its descendants, invalid (`invalidateblock`: a debugging aid, not a real reorg), or lifts the mark.
    /// The genesis block is given and cannot be marked: nothing happens.
    pub fn set_invalidated(&mut self, block: BlockRef, invalidated: bool) {
        if block != self.genesis() {
            self.index.set_invalidated(block, invalidated);
        }
    }

    /// Whether a block at `height` may hold the transaction, given the coins its inputs name, in that order; gives its fee.
    ///
    /// Checks structure, maturity, amounts and signatures; that the coins are unspent is for whoever gathered them. A coinbase is
    /// refused as `bad-cb-multiple`. That all signatures are good is remembered by wtxid.
    ///
    /// # Panics
    /// When there are not as many coins as inputs.
    pub fn check_transaction(
        &mut self,
        transaction: &Transaction,
        coins: &[Coin],
        height: Height,
    ) -> Result<Amount, Reject> {
        if transaction.is_coinbase() {
            return Err(Reject::BadCbMultiple { position: 1 });
        }
        validate::structure(transaction)?;
        assert_eq!(coins.len(), transaction.inputs().len(), "one coin for each input");
        let fee = validate::spending(transaction, coins, height, &self.params)?;
        let coins = coins.to_vec();
        self.signatures.check(&[Spend { transaction, coins }])?;
        Ok(fee)
    }
}

/// Queries. All of them are look-ups in arrays, or a few of those.
impl Ledger {
    /// The network's parameters.
    #[must_use]
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// The genesis block.
    #[must_use]
    pub const fn genesis(&self) -> BlockRef {
        BlockRef(0)
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
        self.index.get(block).id
    }

    /// The block's header.
    #[must_use]
    pub fn header(&self, block: BlockRef) -> &Header {
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

    /// The block's body, when it has been found valid.
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

    /// The block on `tip`'s chain that holds a transaction of this txid.
    #[must_use]
    pub fn confirmation(&self, txid: &Txid, tip: BlockRef) -> Option<BlockRef> {
        self.coins.place(txid, tip, &self.tree)
    }

    /// The transaction that spends the coin at an outpoint on `tip`'s chain, and its block.
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

    /// Every coin that a block on top of `tip` may spend. Goes through the whole chain.
    #[must_use]
    pub fn unspent(&self, tip: BlockRef) -> BTreeMap<OutPoint, Coin> {
        let blocks = self.tree.path(self.genesis(), tip);
        let bodies = blocks.into_iter().filter_map(|block| self.body(block));
        let transactions = bodies.flat_map(|body| &body.transactions);
        transactions
            .flat_map(|transaction| {
                (0..)
                    .zip(transaction.outputs())
                    .map(|(index, _)| transaction.outpoint(index))
            })
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

#[cfg(test)]
mod tests;
