//! What is told of transactions.

use chain::{BlockId, Txid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Digits, Spend};

/// A wallet handed a transaction to a node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TxSubmitted {
    /// The transaction.
    #[schemars(with = "Digits")]
    pub txid: Txid,
}

/// A transaction is in a node's mempool now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TxAccepted {
    /// The transaction.
    #[schemars(with = "Digits")]
    pub txid: Txid,
    /// Its size.
    pub bytes: u32,
    /// What it pays.
    pub fee: u64,
    /// Who sent it; null when a wallet handed it in.
    pub from: Option<String>,
}

/// A node refused a transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TxRejected {
    /// The transaction.
    #[schemars(with = "Digits")]
    pub txid: Txid,
    /// Who sent it; null when a wallet handed it in.
    pub from: Option<String>,
    /// The reason word, explained by `nakanet explain WORD`.
    pub reason: String,
    /// The reason in words.
    pub detail: String,
    /// Its rival, when it lost to one.
    pub conflicts_with: Option<ConflictTold>,
}

/// A transaction left a mempool for lack of room, age, a conflict with a block, or a lost parent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TxEvicted {
    /// The transaction.
    #[schemars(with = "Digits")]
    pub txid: Txid,
    /// The reason word.
    pub reason: String,
    /// Its rival, when it lost to one.
    pub conflicts_with: Option<ConflictTold>,
}

/// A transaction gave way to one that pays more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TxReplaced {
    /// The transaction.
    #[schemars(with = "Digits")]
    pub txid: Txid,
    /// The other.
    #[schemars(with = "Digits")]
    pub by: Txid,
    /// What it paid.
    pub fee: u64,
    /// What the other pays.
    pub new_fee: u64,
}

/// A transaction that a reorg took out of a chain and that could not return to the mempool.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Dropped {
    /// The transaction.
    #[schemars(with = "Digits")]
    pub txid: Txid,
    /// The reason word.
    pub reason: String,
    /// Its rival, when it lost to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflicts_with: Option<ConflictTold>,
}

/// A double spend's other side.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConflictTold {
    /// The transaction that already spends the coin.
    #[schemars(with = "Digits")]
    pub txid: Txid,
    /// The coin.
    pub outpoint: Spend,
    /// The block that confirms it; missing while it is in a mempool.
    #[schemars(with = "Option<Digits>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockId>,
}
