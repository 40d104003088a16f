//! The independent validator: every rule of consensus again, by plain replay from the genesis block.
//!
//! Shares the chain's types, hashing and signature primitive, and nothing else: no ledger, no cache, no arithmetic of targets. Slow and simple
//! on purpose, so that a mistake in [`chain::Ledger`] has to be made twice, in two ways, to stay unseen.

mod big;
mod bodies;
mod headers;

use std::fmt;
use std::sync::Arc;

use chain::{Amount, Block, BlockId, Height, Params, Work};

use bodies::Replay;

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
    let Some(first) = blocks.first().filter(|first| ***first == genesis) else {
        return Err(Fault {
            block: blocks.first().map_or(BlockId::ZERO, |first| first.id()),
            height: Height(0),
            word: "bad-genesis",
            detail: format!("the chain must begin with {}", genesis.id()),
        });
    };
    let mut replay = Replay::new(params, first);
    let mut each = headers::work(&genesis.header);
    let mut work = each.clone();
    for (index, block) in blocks.iter().enumerate().skip(1) {
        let height = Height(u32::try_from(index).expect("a chain ends before 2^32 blocks"));
        headers::check(params, &blocks[..index], &block.header)
            .and_then(|()| replay.check(height, block))
            .map_err(|(word, detail)| Fault {
                block: block.id(),
                height,
                word,
                detail,
            })?;
        if block.header.bits != blocks[index - 1].header.bits {
            each = headers::work(&block.header);
        }
        work = work.plus(&each);
    }
    let last = blocks.last().unwrap_or(first);
    Ok(Checked {
        tip: last.id(),
        height: Height(u32::try_from(blocks.len() - 1).expect("a chain ends before 2^32 blocks")),
        work: work.to_work(),
        supply: replay.supply(),
        transactions: replay.transactions(),
    })
}

#[cfg(test)]
mod tests;
