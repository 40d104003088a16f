//! Why a transaction does not enter a mempool, in Bitcoin Core's words.

use chain::{Amount, BlockId, OutPoint, Reject};
use thiserror::Error;

use crate::event::Conflict;
use crate::limits::{MAX_ANCESTORS, MAX_DESCENDANTS, MAX_REPLACED};

/// A refusal. `Display` gives the detail; [`Refusal::word`] the reason word of the interface.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum Refusal {
    #[error("the mempool has it")]
    AlreadyInMempool,
    #[error("block {block} has it")]
    AlreadyKnown { block: BlockId },
    #[error("a coinbase is nothing outside its block")]
    Coinbase,
    #[error("{0}")]
    Broken(Reject),
    #[error("{} inputs name outputs that nobody has seen, the first {}", .0.len(), .0[0])]
    MissingInputs(Vec<OutPoint>),
    #[error("{} was spent by {}", .0.outpoint, .0.txid)]
    Spent(Box<Conflict>),
    #[error("{} is spent by {}", .0.outpoint, .0.txid)]
    Conflict(Box<Conflict>),
    #[error("fee {fee} does not replace what pays {replaced}: at least {required} is asked for")]
    InsufficientFee {
        fee: Amount,
        replaced: Amount,
        required: Amount,
        conflict: Box<Conflict>,
    },
    #[error("it would replace {count} transactions, the limit is {MAX_REPLACED}")]
    TooManyReplaced { count: usize, conflict: Box<Conflict> },
    #[error("a replacement may not spend {outpoint}, which is unconfirmed and new to what it replaces")]
    NewUnconfirmedInput {
        outpoint: OutPoint,
        conflict: Box<Conflict>,
    },
    #[error("fee {fee} is below {required}")]
    FeeTooLow { fee: Amount, required: Amount },
    #[error(
        "{ancestors} ancestors and {descendants} descendants, the limits are {MAX_ANCESTORS} and {MAX_DESCENDANTS}"
    )]
    TooLongChain { ancestors: usize, descendants: usize },
    #[error("everything else in a full mempool pays more")]
    Full,
}

impl Refusal {
    /// The reason word.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::AlreadyInMempool => "txn-already-in-mempool",
            Self::AlreadyKnown { .. } => "txn-already-known",
            Self::Coinbase => "coinbase",
            Self::Broken(reject) => reject.word(),
            Self::MissingInputs(_) => "missing-inputs",
            Self::Spent(_) => "bad-txns-inputs-missingorspent",
            Self::Conflict(_) => "txn-mempool-conflict",
            Self::InsufficientFee { .. } | Self::TooManyReplaced { .. } | Self::NewUnconfirmedInput { .. } => {
                "insufficient-fee"
            }
            Self::FeeTooLow { .. } => "mempool-min-fee-not-met",
            Self::TooLongChain { .. } => "too-long-mempool-chain",
            Self::Full => "mempool-full",
        }
    }

    /// The rival it lost to, when it lost to one.
    pub(crate) fn conflict(&self) -> Option<Conflict> {
        match self {
            Self::Spent(conflict)
            | Self::Conflict(conflict)
            | Self::InsufficientFee { conflict, .. }
            | Self::TooManyReplaced { conflict, .. }
            | Self::NewUnconfirmedInput { conflict, .. } => Some(**conflict),
            Self::AlreadyInMempool
            | Self::AlreadyKnown { .. }
            | Self::Coinbase
            | Self::Broken(_)
            | Self::MissingInputs(_)
            | Self::FeeTooLow { .. }
            | Self::TooLongChain { .. }
            | Self::Full => None,
        }
    }

    /// Whether no honest node could have sent it. What depends on the sender's tip (maturity, spent inputs) or on policy never is.
    pub(crate) const fn is_offence(&self) -> bool {
        match self {
            Self::Broken(
                Reject::BadTxnsPrematureSpendOfCoinbase { .. } | Reject::BadTxnsInputsMissingorspent { .. },
            ) => false,
            Self::Broken(_) | Self::Coinbase => true,
            Self::AlreadyInMempool
            | Self::AlreadyKnown { .. }
            | Self::MissingInputs(_)
            | Self::Spent(_)
            | Self::Conflict(_)
            | Self::InsufficientFee { .. }
            | Self::TooManyReplaced { .. }
            | Self::NewUnconfirmedInput { .. }
            | Self::FeeTooLow { .. }
            | Self::TooLongChain { .. }
            | Self::Full => false,
        }
    }
}
