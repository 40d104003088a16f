//! Why a block or transaction ended as it did: for each node when it saw it, from whom, and what it made of it.

mod block;
mod transaction;

use std::collections::BTreeMap;

use chain::{BlockId, Txid};
use serde::Serialize;

use super::{BlockNumber, Follow, Model};
use crate::arrivals::Unreadable;
use crate::log::ReadError;

pub use block::{NodeAndBlock, WhyBlock};
pub use transaction::{InBlock, NodeAndTransaction, Rival, WhyTransaction};

/// What part of a name can stand for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(tag = "what", content = "name", rename_all = "snake_case")]
pub enum Named {
    /// A block.
    Block(BlockId),
    /// A transaction.
    Transaction(Txid),
}

/// Why something cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum WhyError {
    /// The log cannot be read again.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// What nodes followed cannot be.
    #[error(transparent)]
    Arrivals(#[from] Unreadable),
}

impl Model {
    /// The blocks and transactions whose name begins with some digits, or, as tables show blocks, ends with them. A name in full is one.
    #[must_use]
    pub fn named(&self, digits: &str) -> Vec<Named> {
        let digits = digits.to_ascii_lowercase();
        if let Ok(hash) = digits.parse::<base::Hash>() {
            let (block, txid) = (BlockId(hash), Txid(hash));
            let block = self.chain.number(&block).map(|_| Named::Block(block));
            let known = self.transactions.transaction(&txid).is_some() || self.places().contains_key(&txid);
            return block
                .into_iter()
                .chain(known.then_some(Named::Transaction(txid)))
                .collect();
        }
        let blocks = self
            .chain
            .matching(&digits)
            .map(|number| Named::Block(self.chain.block(number).id));
        let known = self.transactions.all().map(|known| known.txid);
        let confirmed = self.chain.all_transactions().map(|(_, transaction)| transaction.txid);
        let matching = known
            .chain(confirmed)
            .filter(|txid| txid.to_string().starts_with(&digits));
        let mut named: Vec<Named> = blocks.chain(matching.map(Named::Transaction)).collect();
        named.sort_unstable();
        named.dedup();
        named
    }

    /// The blocks that each transaction is in.
    fn places(&self) -> BTreeMap<Txid, Vec<BlockNumber>> {
        let mut places: BTreeMap<Txid, Vec<BlockNumber>> = BTreeMap::new();
        for (block, transaction) in self.chain.all_transactions() {
            places.entry(transaction.txid).or_default().push(block);
        }
        places
    }

    /// The fork and branch on which a block lost; none when it did not lose, or nobody told of a fork.
    fn lost_at(&self, number: BlockNumber) -> Option<(usize, usize)> {
        self.forks.iter().rev().find_map(|fork| {
            let winner = fork.end.as_ref()?.1.end.winner?;
            let branch = *self.members(fork, self.now).branch_of.get(&number)?;
            (branch != winner).then_some((fork.id, branch))
        })
    }

    /// Whether a block is not on the chain with the most work of all that were seen.
    fn is_stale(&self, number: BlockNumber) -> bool {
        let rank = |place: &usize| {
            let block = &self.chain.blocks()[*place];
            (block.chain_work, std::cmp::Reverse(block.id))
        };
        let best = (0..self.chain.len()).max_by_key(rank).map(BlockNumber::at);
        best.is_some_and(|best| self.chain.fork_point(best, number) != number)
    }
}

impl Follow {
    /// Why a block ended as it did; none when nobody told of it.
    ///
    /// # Errors
    /// When the log cannot be read again.
    pub fn why_block(&self, id: &BlockId) -> Result<Option<WhyBlock>, WhyError> {
        match self.model().chain.number(id) {
            Some(number) => WhyBlock::of(self, number).map(Some),
            None => Ok(None),
        }
    }

    /// Why a transaction ended as it did; none when nobody told of it.
    ///
    /// # Errors
    /// When the log cannot be read again.
    pub fn why_transaction(&self, txid: &Txid) -> Result<Option<WhyTransaction>, WhyError> {
        WhyTransaction::of(self, txid)
    }
}
