//! The independent validator: every rule of consensus again, by plain replay from the genesis block.
//!
//! Shares the chain's types, hashing and signature primitive, and nothing else: no ledger, no cache, no arithmetic of targets. Slow and simple
//! on purpose, so that a mistake in [`chain::Ledger`] has to be made twice, in two ways, to stay unseen.

mod big;
mod bodies;
mod headers;

use std::fmt;
use std::sync::Arc;

use chain::{Amount, Block, BlockId, HashedHeader, Height, Params, Work};

use big::Big;
use bodies::Replay;
use headers::Headers;

/// What a valid chain adds up to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checked {
    /// The tip.
    pub tip: BlockId,
    /// The tip's height.
    pub height: Height,
    /// The expected hashes of all blocks together.
    pub work: Work,
    /// The coins that are unspent at the tip.
    pub supply: Amount,
    /// Transactions, coinbases among them.
    pub transactions: u64,
}

/// The first rule that a chain breaks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The block that breaks it.
    pub block: BlockId,
    /// That block's place in the chain.
    pub height: Height,
    /// The rule, by the reason word of [`chain::Reject::word`].
    pub word: &'static str,
    /// What was expected and found.
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            block,
            height,
            word,
            detail,
        } = self;
        write!(f, "block {} at height {height}: {word}: {detail}", block.short())
    }
}

impl std::error::Error for Fault {}

/// A broken rule, before it is known where.
type Broken = (&'static str, String);

/// Checks a whole chain, genesis block first, against every rule but the one about the future, which depends on a clock.
///
/// # Errors
/// The first rule that is broken, and where. A chain without blocks, or with another genesis block, breaks `bad-genesis`.
///
/// # Panics
/// When the parameters' own bits are no target.
pub fn check_chain(params: &Params, blocks: &[Arc<Block>]) -> Result<Checked, Fault> {
    let genesis = params.genesis_block();
    if blocks.first().is_none_or(|first| **first != genesis) {
        return Err(Fault {
            block: blocks.first().map_or(BlockId::ZERO, |first| first.id()),
            height: Height(0),
            word: "bad-genesis",
            detail: format!("the chain must begin with {}", genesis.id()),
        });
    }
    let mut chain = Chain::new(params);
    for block in &blocks[1..] {
        chain.push(block)?;
    }
    Ok(chain.checked())
}

/// A chain that is checked block by block: what was checked need not be kept.
#[derive(Clone, Debug)]
pub struct Chain {
    params: Params,
    headers: Headers,
    replay: Replay,
    /// The expected hashes of all blocks together, and of the last one.
    work: Big,
    each: Big,
}

impl Chain {
    /// The genesis block alone.
    ///
    /// # Panics
    /// When the parameters' own bits are no target.
    #[must_use]
    pub fn new(params: &Params) -> Self {
        let genesis = params.genesis_block();
        let work = headers::work(&genesis.header);
        Self {
            headers: Headers::new(genesis.header),
            replay: Replay::new(params, &genesis),
            each: work.clone(),
            work,
            params: params.clone(),
        }
    }

    /// Checks the next block.
    ///
    /// # Errors
    /// The first rule that it breaks. Nothing further means anything then.
    pub fn push(&mut self, block: &Block) -> Result<(), Fault> {
        let height = self.height().next();
        headers::check(&self.params, &self.headers, &block.header)
            .and_then(|()| self.replay.check(height, block))
            .map_err(|(word, detail)| Fault {
                block: block.id(),
                height,
                word,
                detail,
            })?;
        if block.header.bits != self.last().bits {
            self.each = headers::work(&block.header);
        }
        self.work = self.work.plus(&self.each);
        self.headers.push(block.header);
        Ok(())
    }

    /// Forgets what no rule asks for any more if nothing is spent of what the chain holds: coins, but not their sum, and headers.
    pub fn forget(&mut self) {
        self.replay.forget();
        self.headers.forget(headers::looks_back(&self.params));
    }

    /// What the chain adds up to so far.
    #[must_use]
    pub fn checked(&self) -> Checked {
        Checked {
            tip: self.last().id(),
            height: self.height(),
            work: self.work.to_work(),
            supply: self.replay.supply(),
            transactions: self.replay.transactions(),
        }
    }

    /// The last block's height.
    ///
    /// # Panics
    /// When there are 2^32 blocks.
    #[must_use]
    pub fn height(&self) -> Height {
        Height(u32::try_from(self.headers.len() - 1).expect("a chain ends before 2^32 blocks"))
    }

    /// The last block's header.
    #[must_use]
    pub fn last(&self) -> &HashedHeader {
        self.headers.last()
    }
}

#[cfg(test)]
mod tests;
