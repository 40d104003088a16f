//! Transactions: inputs name outputs of earlier transactions, each input carries one signature.

use std::fmt;

use base::Hash;
use base::hash::NotAHash;
use serde::{Deserialize, Serialize};

use crate::ledger::validate;
use crate::{Amount, BlockId, Coin, Height, Owner, Reject, Signature, SigningKey, preimage};

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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
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

impl TxOutput {
    /// Bytes of an output in its transaction's preimage.
    pub const BYTES: u64 = 40;
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
    /// Version; any is valid, ours write [`Transaction::VERSION`].
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
    /// The version that our wallets and miners write.
    pub const VERSION: u32 = 1;

    /// The transaction made of these parts; says nothing about its validity.
    #[must_use]
    pub fn new(parts: TransactionParts) -> Self {
        let (txid, wtxid, bytes) = preimage::names(&parts);
        Self {
            parts,
            txid,
            wtxid,
            bytes,
        }
    }

    /// An unsigned payment from inputs to outputs; sign it with [`Transaction::sign`].
    #[must_use]
    pub fn payment(inputs: Vec<OutPoint>, outputs: Vec<TxOutput>, memo: &[u8]) -> Self {
        Self::new(TransactionParts {
            version: Self::VERSION,
            coinbase: None,
            inputs,
            outputs,
            memo: memo.to_vec(),
            signatures: Vec::new(),
        })
    }

    /// The coinbase of a block.
    #[must_use]
    pub fn coinbase(coinbase: Coinbase, outputs: Vec<TxOutput>) -> Self {
        Self::new(TransactionParts {
            version: Self::VERSION,
            coinbase: Some(coinbase),
            inputs: Vec::new(),
            outputs,
            memo: Vec::new(),
            signatures: Vec::new(),
        })
    }

    /// The same transaction with every input signed by `key`. `coins` are the outputs that the inputs name, in that order.
    ///
    /// # Panics
    /// When there are not as many coins as inputs.
    #[must_use]
    pub fn sign(self, key: &SigningKey, genesis: BlockId, coins: &[Coin]) -> Self {
        let signatures = self
            .sighashes(&genesis, coins)
            .iter()
            .map(|message| key.sign(message))
            .collect();
        Self::new(TransactionParts {
            signatures,
            ..self.parts
        })
    }

    /// The message that the signature of each input is over, given the outputs that the inputs name, in that order.
    ///
    /// # Panics
    /// When there are not as many coins as inputs.
    #[must_use]
    pub fn sighashes(&self, genesis: &BlockId, coins: &[Coin]) -> Vec<Hash> {
        assert_eq!(coins.len(), self.parts.inputs.len(), "one coin for each input");
        preimage::sighashes(genesis, &self.txid, coins)
    }

    /// The rules that need nothing but the transaction itself (Bitcoin Core's `CheckTransaction`).
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check_structure(&self) -> Result<(), Reject> {
        validate::structure(self)
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

    /// Bytes of its whole content, signatures included, as hashed behind the tag: what size limits and fee rates count.
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
