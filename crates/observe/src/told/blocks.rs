//! What is told of blocks and tips.

use chain::{BlockId, Height, Txid, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Digits, Dropped};

/// A node found a block.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BlockMined {
    /// The block.
    #[schemars(with = "Digits")]
    pub block: BlockId,
    /// Its parent.
    #[schemars(with = "Digits")]
    pub parent: BlockId,
    /// Its height.
    #[schemars(with = "u32")]
    pub height: Height,
    /// The work of it and its ancestors.
    #[schemars(with = "Digits")]
    pub chain_work: Work,
    /// The time in its header, in seconds since 1970.
    pub time: u32,
    /// How many transactions it has, the coinbase among them.
    pub txs: usize,
    /// Its size.
    pub bytes: u64,
}

/// What a block spends, told once for each block that has more than a coinbase, when it is first seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BlockTransactions {
    /// The block.
    #[schemars(with = "Digits")]
    pub block: BlockId,
    /// Its transactions in their order, the coinbase aside.
    pub transactions: Vec<TransactionInBlock>,
}

/// A transaction of a block.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TransactionInBlock {
    /// Its name.
    #[schemars(with = "Digits")]
    pub txid: Txid,
    /// The coins it spends.
    pub inputs: Vec<Spend>,
}

/// A coin: an output of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Spend {
    /// The transaction that made it.
    #[schemars(with = "Digits")]
    pub txid: Txid,
    /// The place of the output in it, from 0.
    pub index: u32,
}

/// A node found a header valid.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct HeaderAccepted {
    /// The block.
    #[schemars(with = "Digits")]
    pub block: BlockId,
    /// Its parent.
    #[schemars(with = "Digits")]
    pub parent: BlockId,
    /// Its height.
    #[schemars(with = "u32")]
    pub height: Height,
    /// The work of it and its ancestors.
    #[schemars(with = "Digits")]
    pub chain_work: Work,
    /// The time in it, in seconds since 1970.
    pub time: u32,
    /// Who sent it; null for one's own.
    pub from: Option<String>,
}

/// A block's body arrived at a node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BlockReceived {
    /// The block.
    #[schemars(with = "Digits")]
    pub block: BlockId,
    /// Who sent it.
    pub from: String,
    /// Its size.
    pub bytes: u64,
    /// Whether it was there already.
    pub duplicate: bool,
}

/// A node found a block valid, and has all its ancestors.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BlockConnected {
    /// The block.
    #[schemars(with = "Digits")]
    pub block: BlockId,
    /// Its parent.
    #[schemars(with = "Digits")]
    pub parent: BlockId,
    /// Its height.
    #[schemars(with = "u32")]
    pub height: Height,
    /// The work of it and its ancestors.
    #[schemars(with = "Digits")]
    pub chain_work: Work,
    /// How many transactions it has, the coinbase among them.
    pub txs: usize,
    /// Its size.
    pub bytes: u64,
}

/// A node refused a header or body.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BlockRejected {
    /// The block.
    #[schemars(with = "Digits")]
    pub block: BlockId,
    /// Who sent it; null when it was handed in.
    pub from: Option<String>,
    /// The reason word, explained by `nakanet explain WORD`.
    pub reason: String,
    /// The reason in words.
    pub detail: String,
    /// What it cost the sender.
    pub penalty: u32,
}

/// A header or body waits for its parent, or for its time to come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OrphanHeld {
    /// The block.
    #[schemars(with = "Digits")]
    pub block: BlockId,
    /// Its parent.
    #[schemars(with = "Digits")]
    pub parent: BlockId,
    /// Who sent it.
    pub from: String,
}

/// What a block waited for has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OrphanResolved {
    /// The block.
    #[schemars(with = "Digits")]
    pub block: BlockId,
}

/// A node follows another tip.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TipChanged {
    /// What it followed.
    pub old: Place,
    /// What it follows.
    pub new: Place,
    /// `extend` or `reorg`.
    pub how: String,
}

/// A block, and where its chain stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The block.
    #[schemars(with = "Digits")]
    pub block: BlockId,
    /// Its height.
    #[schemars(with = "u32")]
    pub height: Height,
    /// The work of it and its ancestors.
    #[schemars(with = "Digits")]
    pub chain_work: Work,
}

/// A node left blocks for others; told before the change of tip that it explains. Lists are oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Reorg {
    /// The last common block.
    #[schemars(with = "Digits")]
    pub fork_point: BlockId,
    /// How many blocks were disconnected.
    pub depth: u32,
    /// They.
    #[schemars(with = "Vec<Digits>")]
    pub disconnected: Vec<BlockId>,
    /// Those that came instead.
    #[schemars(with = "Vec<Digits>")]
    pub connected: Vec<BlockId>,
    /// The chain work before.
    #[schemars(with = "Digits")]
    pub old_work: Work,
    /// The chain work after.
    #[schemars(with = "Digits")]
    pub new_work: Work,
    /// Transactions that went back to the mempool.
    #[schemars(with = "Vec<Digits>")]
    pub txs_returned: Vec<Txid>,
    /// Transactions that could not.
    pub txs_dropped: Vec<Dropped>,
}
