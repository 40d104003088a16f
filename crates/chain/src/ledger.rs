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
mod names;
mod prune;
mod queries;
mod signatures;
mod tree;
pub(crate) mod validate;
mod walk;

use std::num::NonZeroU32;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use self::coins::{Coins, View};
use self::index::{Body, Index};
pub use self::prune::Unspent;
use self::signatures::{Signatures, Spend};
use self::tree::Tree;
pub use self::walk::Walk;
use crate::{
    Amount, Block, BlockId, HashedHeader, Header, Height, Params, ProofOfWork, Reject, Transaction, TxOutput, Verdict,
};

/// The ledger's handle for a header it has accepted, in order of acceptance. Means something only to the ledger that gave it.
///
/// Its place plus one, so that none ([`Option`]) takes no room of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BlockRef(NonZeroU32);

impl BlockRef {
    /// The genesis block, in every ledger.
    pub const GENESIS: Self = Self(NonZeroU32::MIN);

    /// The handle as a place in a list with one entry for each block.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    /// One more than the place: of no block this is none.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0.get()
    }

    /// The block with such a number, if it is one's.
    #[must_use]
    pub fn numbered(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The block at a place in such a list.
    ///
    /// # Panics
    /// Beyond 2^32 blocks.
    #[must_use]
    pub const fn at(index: usize) -> Self {
        assert!(index < u32::MAX as usize, "a ledger ends before 2^32 blocks");
        #[expect(clippy::cast_possible_truncation, reason = "looked at just above")]
        match NonZeroU32::MIN.checked_add(index as u32) {
            Some(number) => Self(number),
            None => unreachable!(),
        }
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
    /// What the mining oracle sealed and nobody has taken in yet; empty where hashes are proof of work.
    sealed: FxHashSet<BlockId>,
    /// The lowest block whose coins are known; see [`Ledger::prune`].
    horizon: BlockRef,
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
        ledger.index.get_mut(BlockRef::GENESIS).body = Body::Valid {
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
        let genesis = HashedHeader::from(*genesis);
        Self {
            params,
            tree: Tree::new(genesis.time),
            index: Index::new(Self::genesis_entry(&genesis)),
            coins: Coins::default(),
            signatures: Signatures::new(genesis.id()),
            sealed: FxHashSet::default(),
            horizon: BlockRef::GENESIS,
        }
    }

    /// Makes the header of this id proof of work: the mining oracle's word ([`ProofOfWork::Oracle`]). All ledgers of a run are told,
    /// before the header goes out.
    ///
    /// # Panics
    /// When hashes are proof of work on this network: nobody's word counts there.
    pub fn seal(&mut self, id: BlockId) {
        let proof_of_work = self.params.proof_of_work;
        assert_eq!(proof_of_work, ProofOfWork::Oracle, "only an oracle's network has seals");
        self.sealed.insert(id);
    }

    /// Takes in a header: proof of work, known and valid parent, bits, time above the median, version. Knowing it already is no error,
    /// unless the block is known to be invalid: then the reason comes back.
    ///
    /// A header that is refused is not kept, so memory grows only with proof of work that stands on our chain.
    /// Whether its time is too far in the future is for the node to say ([`crate::header::check_not_future`]): that depends on a clock.
    pub fn add_header(&mut self, header: &Header) -> Result<BlockRef, Reject> {
        self.add_hashed_header(&HashedHeader::from(*header))
    }

    /// [`Ledger::add_header`] for a header that is hashed already.
    pub fn add_hashed_header(&mut self, header: &HashedHeader) -> Result<BlockRef, Reject> {
        if let Some(known) = self.find(&header.id()) {
            return self.index.get(known).fault().map_or(Ok(known), Err);
        }
        let checked = self.check_header(header)?;
        Ok(self.push_header(header, checked))
    }

    /// Takes in a header as [`Ledger::add_header`] does, but on its own merits: that it, or an ancestor, is known to be invalid does not matter.
    ///
    /// For nodes that may share this ledger. What invalid ancestors they know of they judge for themselves, and learn nothing from what
    /// others have found out.
    pub fn record_header(&mut self, header: &Header) -> Result<BlockRef, Reject> {
        self.record_hashed_header(&HashedHeader::from(*header))
    }

    /// [`Ledger::record_header`] for a header that is hashed already.
    pub fn record_hashed_header(&mut self, header: &HashedHeader) -> Result<BlockRef, Reject> {
        if let Some(known) = self.find(&header.id()) {
            return Ok(known);
        }
        let (parent, target) = self.check_proof(header)?;
        self.check_context(header, parent)?;
        Ok(self.push_header(header, (parent, target)))
    }

    /// The same for one that is not known here, and whose parent has been looked up already.
    ///
    /// # Panics
    /// When the parent is another, or a good header is known.
    pub fn record_child(&mut self, parent: BlockRef, header: &HashedHeader) -> Result<BlockRef, Reject> {
        assert_eq!(self.id(parent), header.parent, "a header stands on its parent");
        let target = self.check_work(header)?;
        self.check_context(header, parent)?;
        Ok(self.push_header(header, (parent, target)))
    }

    /// Takes in the body of an accepted header whose parent is [`Status::Valid`], and validates the block in full.
    ///
    /// A body already found valid is not validated again, but one that does not match the header's root is refused every time.
    /// `Err` with [`crate::Verdict::Invalid`] marks the block; with `Mutated` the header stays as it was, and so it does with
    /// [`Reject::PrevBlkPruned`]: below the horizon ([`Ledger::prune`]) nobody knows any more what the block may spend.
    ///
    /// # Panics
    /// When the header is not accepted, or its parent is not valid: callers hold bodies back until it is.
    pub fn add_body(&mut self, block: &Arc<Block>) -> Result<BlockRef, Reject> {
        let at = self.find(&block.id()).expect("headers are accepted before bodies");
        let is_known = self.body(at).is_some_and(|known| Arc::ptr_eq(known, block));
        if !is_known {
            let parent = self.parent(at);
            let may_come = parent.is_none_or(|parent| self.is_valid(parent));
            assert!(may_come, "bodies are held back until the parent is valid");
            block.check_commitment()?;
        }
        let entry = self.index.get(at);
        match entry.fault() {
            Some(reject) => Err(reject),
            None if entry.is_valid() => Ok(at),
            None if self.parent(at).is_some_and(|parent| self.is_pruned(parent)) => Err(Reject::PrevBlkPruned),
            None => self.settle(at, block),
        }
    }

    /// Validates a block, and keeps it or marks it.
    fn settle(&mut self, at: BlockRef, block: &Arc<Block>) -> Result<BlockRef, Reject> {
        let parent = self.parent(at).expect("the genesis block is valid from the start");
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

    /// Whether a block that nobody has found a nonce for would be valid in full, in the order of Bitcoin Core's `TestBlockValidity`.
    /// Changes nothing but what is remembered of signatures.
    ///
    /// # Errors
    /// The rule it breaks; [`Reject::PrevBlkNotFound`] when its parent is not known to be valid, and [`Reject::PrevBlkPruned`] below the
    /// horizon.
    pub fn check_proposal(&mut self, block: &Block) -> Result<(), Reject> {
        let parent = self.find(&block.header.parent).filter(|parent| self.is_valid(*parent));
        let parent = parent.ok_or(Reject::PrevBlkNotFound)?;
        if self.is_pruned(parent) {
            return Err(Reject::PrevBlkPruned);
        }
        block.check_commitment()?;
        validate::body(block, &self.params)?;
        self.check_context(&block.header, parent)?;
        self.validate(parent, block).map(|_| ())
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
        self.check_structure(transaction)?;
        assert_eq!(coins.len(), transaction.inputs().len(), "one coin for each input");
        let fee = validate::spending(transaction, coins, height, &self.params)?;
        if !self.signatures.are_fresh(&transaction.wtxid()) {
            let coins = coins.to_vec();
            self.signatures.check(&[Spend { transaction, coins }])?;
        }
        Ok(fee)
    }

    /// [`Transaction::check_structure`], which is not looked at again when all signatures are remembered to be good: they are checked after it.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check_structure(&self, transaction: &Transaction) -> Result<(), Reject> {
        if self.signatures.are_fresh(&transaction.wtxid()) {
            return Ok(());
        }
        validate::structure(transaction)
    }
}

#[cfg(test)]
mod tests;
