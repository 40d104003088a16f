//! Blocks: a header and the transactions it commits to.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{BlockId, Coinbase, CompactTarget, HashedHeader, Header, Height, Reject, Transaction, TxOutput, merkle};

/// A header and its body. Bodies travel and are kept as `Arc<Block>`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Block {
    /// The eighty bytes, and their hash.
    pub header: HashedHeader,
    /// The coinbase first, then parents before children.
    pub transactions: Vec<Arc<Transaction>>,
}

impl Block {
    /// The block's name: its header's.
    #[must_use]
    pub const fn id(&self) -> BlockId {
        self.header.id()
    }

    /// Bytes of header and transactions as size limits count them.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let bodies: u64 = self
            .transactions
            .iter()
            .map(|transaction| u64::from(transaction.bytes()))
            .sum();
        Header::BYTES as u64 + bodies
    }

    /// Whether the body is the one that the header commits to. Until that is certain, nothing it does says anything about the header.
    ///
    /// # Errors
    /// [`Reject::BadTxnmrklroot`], or [`Reject::BadTxnsDuplicate`] when another body has the same root (CVE-2012-2459).
    pub fn check_commitment(&self) -> Result<(), Reject> {
        let root = self.merkle_root();
        if root.hash != self.header.merkle_root {
            return Err(Reject::BadTxnmrklroot);
        }
        if root.mutated {
            return Err(Reject::BadTxnsDuplicate);
        }
        Ok(())
    }

    /// The merkle root over the body, whatever the header says, and whether another body may have the same.
    #[must_use]
    pub fn merkle_root(&self) -> merkle::Root {
        merkle_root(&self.transactions)
    }
}

fn merkle_root(transactions: &[Arc<Transaction>]) -> merkle::Root {
    merkle::root(transactions.iter().map(|transaction| transaction.wtxid().0))
}

/// What a block is made from, before its proof of work is found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// The block it stands on.
    pub parent: BlockId,
    /// Its height.
    pub height: Height,
    /// Its time, in Unix seconds.
    pub time: u32,
    /// Its bits.
    pub bits: CompactTarget,
    /// What the coinbase creates.
    pub coinbase_outputs: Vec<TxOutput>,
    /// Free bytes of the coinbase.
    pub tag: Vec<u8>,
    /// What tells apart two blocks that are alike in all else.
    pub extra_nonce: u64,
    /// The transactions after the coinbase, parents before children.
    pub transactions: Vec<Arc<Transaction>>,
}

impl Draft {
    /// The block: coinbase first, merkle root right, nonce 0, proof of work still to be found ([`crate::mining`]).
    #[must_use]
    pub fn assemble(self) -> Block {
        let coinbase = Coinbase {
            height: self.height,
            extra_nonce: self.extra_nonce,
            tag: self.tag,
        };
        let mut transactions = vec![Arc::new(Transaction::coinbase(coinbase, self.coinbase_outputs))];
        transactions.extend(self.transactions);
        let header = Header {
            version: Header::VERSION,
            parent: self.parent,
            merkle_root: merkle_root(&transactions).hash,
            time: self.time,
            bits: self.bits,
            nonce: 0,
        };
        Block {
            header: header.into(),
            transactions,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Params;

    #[test]
    fn an_assembled_block_commits_to_its_body() {
        let block = Params::instant().genesis_block();
        let root = block.merkle_root();
        assert_eq!(root.hash, block.header.merkle_root);
        assert!(!root.mutated);
        let bodies = u64::from(block.transactions[0].bytes());
        assert_eq!(block.bytes(), 80 + bodies);
    }
}
