//! Blocks: a header and the transactions it commits to.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{BlockId, Header, Transaction};

/// A header and its body. Bodies travel and are kept as `Arc<Block>`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Block {
    /// The eighty bytes.
    pub header: Header,
    /// The coinbase first, then parents before children.
    pub transactions: Vec<Arc<Transaction>>,
}

impl Block {
    /// The block's name: its header's.
    #[must_use]
    pub fn id(&self) -> BlockId {
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
}
