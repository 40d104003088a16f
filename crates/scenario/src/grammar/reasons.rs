//! The reason words of refused headers, blocks, transactions and messages, and where each comes from.

/// A reason word, the rule it stands for, and the rule's source.
pub(crate) struct Reason {
    pub(crate) word: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) source: &'static str,
}

const fn reason(word: &'static str, rule: &'static str, source: &'static str) -> Reason {
    Reason { word, rule, source }
}

const HEADER: &str = "Bitcoin Core, CheckBlockHeader";
const CONTEXTUAL: &str = "Bitcoin Core, ContextualCheckBlockHeader";
const ACCEPT: &str = "Bitcoin Core, AcceptBlockHeader";
const BLOCK: &str = "Bitcoin Core, CheckBlock";
const CHECK: &str = "Bitcoin Core, CheckTransaction";
const INPUTS: &str = "Bitcoin Core, CheckTxInputs";
const MEMPOOL: &str = "Bitcoin Core, MemPoolAccept";
const OURS: &str = "ours";

/// Every reason word.
pub(crate) static REASONS: &[Reason] = &[
    // Headers.
    reason(
        "high-hash",
        "a block's hash must be at most its target: here is no proof of work",
        HEADER,
    ),
    reason(
        "bad-diffbits",
        "a header's bits must be what the retarget rule demands",
        CONTEXTUAL,
    ),
    reason(
        "bad-target",
        "bits must not be negative, overflow, be zero, or be easier than the limit",
        "Bitcoin Core, DeriveTarget",
    ),
    reason(
        "time-too-old",
        "a header's time must be above the median of the 11 before it",
        "Bitcoin Core, ContextualCheckBlockHeader; BIP113 uses the same median",
    ),
    reason(
        "time-too-new",
        "a header's time may be only so far ahead of the node's clock; it is looked at again later, and nobody is blamed",
        CONTEXTUAL,
    ),
    reason(
        "time-timewarp-attack",
        "the first block of a window may be at most 600 s earlier than its parent",
        "BIP94",
    ),
    reason(
        "bad-version",
        "a header's version must be one that the network knows",
        "BIP34, BIP65, BIP66",
    ),
    reason("bad-prevblk", "a block on an invalid block is invalid", ACCEPT),
    reason(
        "prev-blk-not-found",
        "the parent is not known; nobody is blamed",
        ACCEPT,
    ),
    reason(
        "too-little-chainwork",
        "the chain ends with less work than our own had 144 blocks ago, so its headers are not kept; nobody is blamed",
        ACCEPT,
    ),
    reason(
        "prev-blk-pruned",
        "the parent is so deep that the coins it left are forgotten; nobody is blamed",
        OURS,
    ),
    reason(
        "invalidated",
        "the operator has marked the block, or one below it, as invalid",
        "Bitcoin Core, invalidateblock",
    ),
    // Blocks.
    reason(
        "bad-txnmrklroot",
        "the transactions must hash to the header's merkle root; the header itself is not blamed",
        BLOCK,
    ),
    reason(
        "bad-txns-duplicate",
        "no transaction may be repeated so that the merkle root stays the same",
        "CVE-2012-2459",
    ),
    reason(
        "bad-blk-length",
        "a body has at least one transaction and at most the limit of bytes",
        BLOCK,
    ),
    reason("bad-cb-missing", "the first transaction must be a coinbase", BLOCK),
    reason("bad-cb-multiple", "only the first transaction may be a coinbase", BLOCK),
    reason("bad-cb-height", "a coinbase must say its block's height", "BIP34"),
    reason(
        "bad-cb-amount",
        "a coinbase may create the subsidy and the fees, and no more",
        "Bitcoin Core, ConnectBlock",
    ),
    reason("bad-cb-length", "a coinbase's tag has at most 32 bytes", CHECK),
    // Transactions.
    reason("bad-txns-vin-empty", "a transaction must have inputs", CHECK),
    reason("bad-txns-vout-empty", "a transaction must have outputs", CHECK),
    reason(
        "bad-txns-oversize",
        "a transaction has at most the limit of bytes, inputs and outputs",
        CHECK,
    ),
    reason(
        "bad-txns-vout-toolarge",
        "no output may be above 21,000,000 coins",
        CHECK,
    ),
    reason(
        "bad-txns-txouttotal-toolarge",
        "the outputs together may not be above 21,000,000 coins",
        "CVE-2010-5139",
    ),
    reason(
        "bad-txns-inputs-duplicate",
        "a transaction may not spend a coin twice",
        "CVE-2018-17144",
    ),
    reason(
        "bad-txns-inputs-missingorspent",
        "an input must name a coin that exists and is unspent on this chain",
        INPUTS,
    ),
    reason(
        "bad-txns-premature-spend-of-coinbase",
        "a reward must be so many blocks deep before it is spent",
        INPUTS,
    ),
    reason(
        "bad-txns-BIP30",
        "a transaction may not have the name of one that still has unspent outputs",
        "BIP30",
    ),
    reason(
        "bad-txns-in-belowout",
        "the outputs may not be more than the inputs",
        INPUTS,
    ),
    reason(
        "bad-txns-inputvalues-outofrange",
        "the inputs together, or the fees of a block, may not be above 21,000,000 coins",
        INPUTS,
    ),
    reason(
        "bad-signature",
        "every input must be signed by the coin's owner",
        "BIP340",
    ),
    reason(
        "bad-witness-count",
        "a transaction has one signature for each input",
        OURS,
    ),
    reason(
        "bad-memo-length",
        "a memo has at most 80 bytes",
        "Bitcoin Core, MAX_OP_RETURN_RELAY",
    ),
    // The mempool.
    reason("txn-already-in-mempool", "the transaction already waits here", MEMPOOL),
    reason("txn-already-known", "the transaction is already confirmed", MEMPOOL),
    reason(
        "txn-mempool-conflict",
        "another transaction that waits here spends the same coin: a double spend",
        MEMPOOL,
    ),
    reason(
        "mempool-min-fee-not-met",
        "the fee rate is below the floor of a full mempool, or below the relay fee",
        MEMPOOL,
    ),
    reason(
        "insufficient-fee",
        "a replacement must pay more than what it replaces, and for its own relay",
        "BIP125",
    ),
    reason(
        "too-long-mempool-chain",
        "a transaction may have at most 25 unconfirmed ancestors and descendants",
        MEMPOOL,
    ),
    reason(
        "mempool-full",
        "the mempool is full of transactions that pay more",
        MEMPOOL,
    ),
    reason("coinbase", "a coinbase is valid only in a block", MEMPOOL),
    reason(
        "missing-inputs",
        "an input's coin is not known yet: an orphan; nobody is blamed",
        MEMPOOL,
    ),
    // Messages.
    reason(
        "malformed",
        "bytes that are no message, or not in their one canonical form",
        OURS,
    ),
    reason("oversize", "a message above the limit of its kind", OURS),
    reason("unexpected", "a message out of turn", OURS),
];
