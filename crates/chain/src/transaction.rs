//! Transactions: inputs name outputs of earlier transactions, each input carries one signature.

use std::fmt;

use base::Hash;
use base::hash::NotAHash;
use serde::{Deserialize, Serialize};

use crate::{Amount, BlockId, Coin, Height, Owner, Signature, SigningKey};

/// The hash of everything in a transaction but its signatures: what outpoints name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Txid(pub Hash);

/// The hash of everything in a transaction, signatures included: what relay, caches and the merkle tree use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wtxid(pub Hash);

impl fmt::Display for Txid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Txid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.leading())
    }
}

impl std::str::FromStr for Txid {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Wtxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Wtxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.leading())
    }
}

/// One output of one transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct OutPoint {
    /// The transaction.
    pub txid: Txid,
    /// The place of the output in it, from 0.
    pub index: u32,
}

impl fmt::Display for OutPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.txid, self.index)
    }
}

/// Money and who may spend it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TxOutput {
    /// How much.
    pub value: Amount,
    /// Whose signature spends it.
    pub owner: Owner,
}

/// What makes a coinbase unlike any other transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Coinbase {
    /// The height of its block (BIP34's purpose: no two coinbases are alike).
    pub height: Height,
    /// What a miner changes when the nonce is used up.
    pub extra_nonce: u64,
    /// Free bytes, at most [`crate::limits::MAX_TAG_BYTES`].
    pub tag: Vec<u8>,
}

/// The parts of a transaction, before it has its names. See [`Transaction`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TransactionParts {
    /// Version; 1.
    pub version: u32,
    /// `Some` makes it a coinbase, which has no inputs.
    pub coinbase: Option<Coinbase>,
    /// The outputs it spends.
    pub inputs: Vec<OutPoint>,
    /// The outputs it creates.
    pub outputs: Vec<TxOutput>,
    /// Free bytes, at most [`crate::limits::MAX_MEMO_BYTES`].
    pub memo: Vec<u8>,
    /// One per input, in the order of inputs.
    pub signatures: Vec<Signature>,
}

/// A transaction and its two names, which are computed once. Its parts cannot change.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "TransactionParts", into = "TransactionParts")]
pub struct Transaction {
    parts: TransactionParts,
    txid: Txid,
    wtxid: Wtxid,
    bytes: u32,
}

impl Transaction {
    /// The transaction made of these parts; says nothing about its validity.
    #[must_use]
    pub fn new(_parts: TransactionParts) -> Self {
        todo!("chain")
    }

    /// An unsigned payment from inputs to outputs; sign it with [`Transaction::sign`].
    #[must_use]
    pub fn payment(_inputs: Vec<OutPoint>, _outputs: Vec<TxOutput>, _memo: &[u8]) -> Self {
        todo!("chain")
    }

    /// The coinbase of a block.
    #[must_use]
    pub fn coinbase(_coinbase: Coinbase, _outputs: Vec<TxOutput>) -> Self {
        todo!("chain")
    }

    /// The same transaction with every input signed by `key`. `coins` are the outputs that the inputs name, in that order.
    #[must_use]
    pub fn sign(self, _key: &SigningKey, _genesis: BlockId, _coins: &[Coin]) -> Self {
        todo!("chain")
    }

    /// The name that outpoints use.
    #[must_use]
    pub const fn txid(&self) -> Txid {
        self.txid
    }

    /// The name that relay and the merkle tree use.
    #[must_use]
    pub const fn wtxid(&self) -> Wtxid {
        self.wtxid
    }

    /// Bytes of the whole preimage, signatures included: what size limits and fee rates count.
    #[must_use]
    pub const fn bytes(&self) -> u32 {
        self.bytes
    }

    /// Its parts.
    #[must_use]
    pub const fn parts(&self) -> &TransactionParts {
        &self.parts
    }

    /// The outputs it spends; none in a coinbase.
    #[must_use]
    pub fn inputs(&self) -> &[OutPoint] {
        &self.parts.inputs
    }

    /// The outputs it creates.
    #[must_use]
    pub fn outputs(&self) -> &[TxOutput] {
        &self.parts.outputs
    }

    /// Whether it is a coinbase.
    #[must_use]
    pub const fn is_coinbase(&self) -> bool {
        self.parts.coinbase.is_some()
    }

    /// The outpoint of its output at `index`.
    #[must_use]
    pub const fn outpoint(&self, index: u32) -> OutPoint {
        OutPoint { txid: self.txid, index }
    }
}

impl From<TransactionParts> for Transaction {
    fn from(parts: TransactionParts) -> Self {
        Self::new(parts)
    }
}

impl From<Transaction> for TransactionParts {
    fn from(transaction: Transaction) -> Self {
        transaction.parts
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Transaction")
            .field(&self.txid)
            .field(&self.parts)
            .finish()
    }
}
