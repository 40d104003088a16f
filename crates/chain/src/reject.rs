//! Why a header, body or transaction is refused, in Bitcoin Core's words.

use thiserror::Error;

use crate::{Amount, CompactTarget, Height, OutPoint, Work};

/// A broken rule. `Display` names the offending and the expected value; [`Reject::word`] is the reason word of the interface.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[expect(
    missing_docs,
    reason = "each variant is the word in its name; Display says what its fields are"
)]
pub enum Reject {
    // Headers.
    #[error("hash is above the target {bits}")]
    HighHash { bits: CompactTarget },
    #[error("bits are {found}, the retarget rule demands {expected}")]
    BadDiffbits {
        found: CompactTarget,
        expected: CompactTarget,
    },
    #[error("bits {bits} are negative, overflow, zero, or easier than the limit")]
    BadTarget { bits: CompactTarget },
    #[error("time {time} is not above {median}, the median of the last 11")]
    TimeTooOld { time: u32, median: u32 },
    #[error("time {time} is after {latest}, the latest this node's clock allows")]
    TimeTooNew { time: u32, latest: u64 },
    #[error("time {time} of a window's first block is more than 600 s before its parent's {parent}")]
    TimeTimewarpAttack { time: u32, parent: u32 },
    #[error("version {version} is below {minimum}")]
    BadVersion { version: i32, minimum: i32 },
    #[error("a parent is invalid")]
    BadPrevblk,
    #[error("parent is not known")]
    PrevBlkNotFound,
    #[error("chain has work {work:x}, the least that is kept is {least:x}")]
    TooLittleChainwork { work: Work, least: Work },
    #[error("parent is below the prune horizon, so the coins it leaves are no longer known")]
    PrevBlkPruned,
    #[error("marked invalid by the operator")]
    Invalidated,
    // Bodies.
    #[error("transactions do not hash to the header's merkle root")]
    BadTxnmrklroot,
    #[error("two equal neighbours in the merkle tree")]
    BadTxnsDuplicate,
    #[error("body has {bytes} bytes, the limit is {limit}, and it is never empty")]
    BadBlkLength { bytes: u64, limit: u32 },
    #[error("first transaction is not a coinbase, or has inputs")]
    BadCbMissing,
    #[error("transaction {position} is a second coinbase")]
    BadCbMultiple { position: usize },
    #[error("coinbase says height {found}, the block has {expected}")]
    BadCbHeight { found: Height, expected: Height },
    #[error("coinbase creates {found}, subsidy and fees are {allowed}")]
    BadCbAmount { found: Amount, allowed: Amount },
    #[error("coinbase tag has {bytes} bytes, the limit is {limit}", limit = crate::limits::MAX_TAG_BYTES)]
    BadCbLength { bytes: usize },
    // Transactions.
    #[error("has no inputs")]
    BadTxnsVinEmpty,
    #[error("has no outputs")]
    BadTxnsVoutEmpty,
    #[error("has {bytes} bytes and {slots} inputs and outputs, the limits are {max_bytes} and {max_slots}", max_bytes = crate::limits::MAX_TRANSACTION_BYTES, max_slots = crate::limits::MAX_TRANSACTION_SLOTS)]
    BadTxnsOversize { bytes: u32, slots: usize },
    #[error("output {index} of {value} is above the money limit")]
    BadTxnsVoutToolarge { index: usize, value: Amount },
    #[error("outputs add up to more than the money limit")]
    BadTxnsTxouttotalToolarge,
    #[error("spends {outpoint} twice")]
    BadTxnsInputsDuplicate { outpoint: OutPoint },
    #[error("{outpoint} does not exist or is spent on this chain")]
    BadTxnsInputsMissingorspent { outpoint: OutPoint },
    #[error("{outpoint} is a coinbase output of height {created}, spendable from {spendable}, not at {height}")]
    BadTxnsPrematureSpendOfCoinbase {
        outpoint: OutPoint,
        created: Height,
        spendable: Height,
        height: Height,
    },
    #[error("output {outpoint} exists already and is unspent")]
    BadTxnsBip30 { outpoint: OutPoint },
    #[error("outputs of {outputs} exceed inputs of {inputs}")]
    BadTxnsInBelowout { inputs: Amount, outputs: Amount },
    #[error("inputs, or the fees of a block, add up to more than the money limit")]
    BadTxnsInputvaluesOutofrange,
    #[error("signature of input {input} does not verify")]
    BadSignature { input: usize },
    #[error("{signatures} signatures for {inputs} inputs")]
    BadWitnessCount { signatures: usize, inputs: usize },
    #[error("memo has {bytes} bytes, the limit is {limit}", limit = crate::limits::MAX_MEMO_BYTES)]
    BadMemoLength { bytes: usize },
}

/// What a broken rule says, and about whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The header, or the block it names, can never be valid. Remembered; its descendants are `bad-prevblk`.
    Invalid,
    /// The body is not the one the header commits to. The header is not touched; only the sender is at fault.
    Mutated,
    /// Cannot be said yet (future time, unknown parent), or no longer (pruned parent): not remembered, nobody is blamed.
    NotYet,
}

impl Reject {
    /// The reason word, as Bitcoin Core writes it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::HighHash { .. } => "high-hash",
            Self::BadDiffbits { .. } => "bad-diffbits",
            Self::BadTarget { .. } => "bad-target",
            Self::TimeTooOld { .. } => "time-too-old",
            Self::TimeTooNew { .. } => "time-too-new",
            Self::TimeTimewarpAttack { .. } => "time-timewarp-attack",
            Self::BadVersion { .. } => "bad-version",
            Self::BadPrevblk => "bad-prevblk",
            Self::PrevBlkNotFound => "prev-blk-not-found",
            Self::TooLittleChainwork { .. } => "too-little-chainwork",
            Self::PrevBlkPruned => "prev-blk-pruned",
            Self::Invalidated => "invalidated",
            Self::BadTxnmrklroot => "bad-txnmrklroot",
            Self::BadTxnsDuplicate => "bad-txns-duplicate",
            Self::BadBlkLength { .. } => "bad-blk-length",
            Self::BadCbMissing => "bad-cb-missing",
            Self::BadCbMultiple { .. } => "bad-cb-multiple",
            Self::BadCbHeight { .. } => "bad-cb-height",
            Self::BadCbAmount { .. } => "bad-cb-amount",
            Self::BadCbLength { .. } => "bad-cb-length",
            Self::BadTxnsVinEmpty => "bad-txns-vin-empty",
            Self::BadTxnsVoutEmpty => "bad-txns-vout-empty",
            Self::BadTxnsOversize { .. } => "bad-txns-oversize",
            Self::BadTxnsVoutToolarge { .. } => "bad-txns-vout-toolarge",
            Self::BadTxnsTxouttotalToolarge => "bad-txns-txouttotal-toolarge",
            Self::BadTxnsInputsDuplicate { .. } => "bad-txns-inputs-duplicate",
            Self::BadTxnsInputsMissingorspent { .. } => "bad-txns-inputs-missingorspent",
            Self::BadTxnsPrematureSpendOfCoinbase { .. } => "bad-txns-premature-spend-of-coinbase",
            Self::BadTxnsBip30 { .. } => "bad-txns-BIP30",
            Self::BadTxnsInBelowout { .. } => "bad-txns-in-belowout",
            Self::BadTxnsInputvaluesOutofrange => "bad-txns-inputvalues-outofrange",
            Self::BadSignature { .. } => "bad-signature",
            Self::BadWitnessCount { .. } => "bad-witness-count",
            Self::BadMemoLength { .. } => "bad-memo-length",
        }
    }

    /// What the broken rule says, and about whom.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::BadTxnmrklroot | Self::BadTxnsDuplicate => Verdict::Mutated,
            // What we have forgotten, and an operator's mark, which may be lifted again, are no peer's fault.
            Self::TimeTooNew { .. }
            | Self::PrevBlkNotFound
            | Self::TooLittleChainwork { .. }
            | Self::PrevBlkPruned
            | Self::Invalidated => Verdict::NotYet,
            Self::HighHash { .. }
            | Self::BadDiffbits { .. }
            | Self::BadTarget { .. }
            | Self::TimeTooOld { .. }
            | Self::TimeTimewarpAttack { .. }
            | Self::BadVersion { .. }
            | Self::BadPrevblk
            | Self::BadBlkLength { .. }
            | Self::BadCbMissing
            | Self::BadCbMultiple { .. }
            | Self::BadCbHeight { .. }
            | Self::BadCbAmount { .. }
            | Self::BadCbLength { .. }
            | Self::BadTxnsVinEmpty
            | Self::BadTxnsVoutEmpty
            | Self::BadTxnsOversize { .. }
            | Self::BadTxnsVoutToolarge { .. }
            | Self::BadTxnsTxouttotalToolarge
            | Self::BadTxnsInputsDuplicate { .. }
            | Self::BadTxnsInputsMissingorspent { .. }
            | Self::BadTxnsPrematureSpendOfCoinbase { .. }
            | Self::BadTxnsBip30 { .. }
            | Self::BadTxnsInBelowout { .. }
            | Self::BadTxnsInputvaluesOutofrange
            | Self::BadSignature { .. }
            | Self::BadWitnessCount { .. }
            | Self::BadMemoLength { .. } => Verdict::Invalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_never_change_is_held_against_a_block() {
        assert_eq!(Reject::BadTxnmrklroot.verdict(), Verdict::Mutated);
        assert_eq!(Reject::BadTxnsDuplicate.verdict(), Verdict::Mutated);
        assert_eq!(Reject::TimeTooNew { time: 2, latest: 1 }.verdict(), Verdict::NotYet);
        assert_eq!(Reject::PrevBlkNotFound.verdict(), Verdict::NotYet);
        assert_eq!(Reject::PrevBlkPruned.verdict(), Verdict::NotYet);
        assert_eq!(Reject::BadPrevblk.verdict(), Verdict::Invalid);
        assert_eq!(Reject::BadSignature { input: 0 }.verdict(), Verdict::Invalid);
    }

    #[test]
    fn messages_name_the_offending_and_the_expected_value() {
        let reject = Reject::BadVersion { version: 1, minimum: 4 };
        assert_eq!(reject.to_string(), "version 1 is below 4");
        assert_eq!(reject.word(), "bad-version");
        let reject = Reject::BadMemoLength { bytes: 81 };
        assert_eq!(reject.to_string(), "memo has 81 bytes, the limit is 80");
    }
}
