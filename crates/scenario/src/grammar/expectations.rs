//! What can hold of a network.

use super::{Expectation, Key, Kind, ToCome};
use crate::limits::MAX_NODES;

const ON: Key = Key::optional(
    "on",
    Kind::Nodes,
    "all honest nodes that run at this step",
    "of which nodes it must hold",
);
const BLOCKS: Kind = Kind::Integer {
    min: 1,
    max: u32::MAX as u64,
};
const HEIGHT: Kind = Kind::Integer {
    min: 0,
    max: u32::MAX as u64,
};
const PEERS: Kind = Kind::Integer {
    min: 0,
    max: MAX_NODES as u64,
};
const AT_HEIGHT: Key = Key::optional("height", HEIGHT, "any", "the height of the tip");
const AT_LEAST: Key = Key::optional("at-least", HEIGHT, "any", "the least height of the tip");
const OF_PAYMENT: Key = Key::required("of", Kind::Name, "the `as` of a send or double-spend");

/// Every expectation that is built.
pub(crate) static EXPECTATIONS: &[Expectation] = &[
    // Chains.
    Expectation {
        name: "height",
        doc: "Each node's tip is at this height, or not below it",
        keys: &[AT_HEIGHT, AT_LEAST, ON],
        one_of: &["height", "at-least"],
        example: r#"wait = "height", at-least = 5, within = "10s""#,
    },
    Expectation {
        name: "converged",
        doc: "All follow one tip, at this height, not below it, or this many blocks above the highest tip when the step began",
        keys: &[
            AT_HEIGHT,
            AT_LEAST,
            Key::optional(
                "advance",
                BLOCKS,
                "any",
                "how many blocks above the highest tip when the step began",
            ),
            ON,
        ],
        one_of: &["height", "at-least", "advance"],
        example: r#"wait = "converged", advance = 3, within = "20s""#,
    },
    Expectation {
        name: "diverged",
        doc: "The nodes follow exactly this many tips",
        keys: &[
            Key::default(
                "groups",
                Kind::Integer {
                    min: 2,
                    max: MAX_NODES as u64,
                },
                "2",
                "how many tips",
            ),
            ON,
        ],
        one_of: &[],
        example: r#"expect = "diverged", groups = 2"#,
    },
    Expectation {
        name: "tip",
        doc: "Each follows the tip of another node, or a tip that a node mined",
        keys: &[
            Key::optional("same-as", Kind::Node, "any", "whose tip"),
            Key::optional("mined-by", Kind::Node, "any", "who mined it"),
            ON,
        ],
        one_of: &["same-as", "mined-by"],
        example: r#"wait = "tip", same-as = "n0", within = "10s""#,
    },
    Expectation {
        name: "reorg",
        doc: "Each has switched branches since the run began",
        keys: &[
            Key::optional("depth", BLOCKS, "any", "exactly how many blocks were disconnected"),
            Key::default("count", BLOCKS, "1", "at least how often"),
            ON,
        ],
        one_of: &[],
        example: r#"expect = "reorg", on = ["n0..n3"], depth = 2"#,
    },
    // Validation.
    Expectation {
        name: "rejected",
        doc: "Each has refused a block or transaction for this reason",
        keys: &[
            Key::required("reason", Kind::Reason, "the reason word"),
            Key::optional("from", Kind::Node, "anybody", "who sent it"),
            ON,
        ],
        one_of: &[],
        example: r#"wait = "rejected", reason = "high-hash", from = "m0", on = "n0", within = "10s""#,
    },
    // Transactions.
    Expectation {
        name: "confirmed",
        doc: "The payment is in each node's chain",
        keys: &[
            OF_PAYMENT,
            Key::default("depth", BLOCKS, "1", "at least how many blocks deep; 1 is the tip"),
            ON,
        ],
        one_of: &[],
        example: r#"wait = "confirmed", of = "ds", depth = 1, within = "10s""#,
    },
    Expectation {
        name: "confirmed-once",
        doc: "Exactly one side of a double spend is in each node's chain, the same everywhere",
        keys: &[
            Key::required("of", Kind::Name, "the `as` of a double-spend"),
            Key::optional("winner", Kind::Name, "either", "which wallet was paid"),
            ON,
        ],
        one_of: &[],
        example: r#"expect = "confirmed-once", of = "ds", winner = "carol""#,
    },
    Expectation {
        name: "balance",
        doc: "What a wallet owns in each node's chain",
        keys: &[
            Key::required("of", Kind::Name, "the wallet"),
            Key::required("coins", Kind::Amount, "how much"),
            ON,
        ],
        one_of: &[],
        example: r#"expect = "balance", of = "alice", coins = 10"#,
    },
    Expectation {
        name: "supply",
        doc: "The coins in each node's chain add up to what its blocks created",
        keys: &[
            Key::optional("coins", Kind::Amount, "what the blocks created", "the sum, exactly"),
            ON,
        ],
        one_of: &[],
        example: r#"expect = "supply""#,
    },
    Expectation {
        name: "in-mempool",
        doc: "The payment, or one side of the double spend, waits in each node's mempool",
        keys: &[OF_PAYMENT, ON],
        one_of: &[],
        example: r#"wait = "in-mempool", of = "ds", within = "5s""#,
    },
    // Network.
    Expectation {
        name: "peers",
        doc: "Each is connected to so many peers",
        keys: &[
            Key::optional("count", PEERS, "any", "exactly how many"),
            Key::optional("at-least", PEERS, "any", "not fewer"),
            Key::optional("at-most", PEERS, "any", "not more"),
            ON,
        ],
        one_of: &[],
        example: r#"wait = "peers", at-least = 2, at-most = 7, within = "10s""#,
    },
];

/// Expectations that the language will have.
pub(crate) static EXPECTATIONS_TO_COME: &[ToCome] = &[
    ("tips", "how many branch ends a node knows"),
    (
        "tip-is-most-work",
        "the tip has the most work of all valid blocks seen; checked in every run",
    ),
    ("common-ancestor", "the last block that nodes have in common"),
    ("block", "what a node thinks of a block"),
    (
        "chain-valid",
        "a naive checker finds the chain valid; checked in every run",
    ),
    ("accepted", "a node took in a block or transaction"),
    ("not-relayed", "a node told nobody of a block or transaction"),
    ("banned", "a node refuses a peer"),
    ("mempools-equal", "nodes have the same transactions waiting"),
    ("connected", "two nodes are connected"),
    ("propagation", "how fast blocks reach a share of the nodes"),
    ("stale-rate", "the share of blocks that are in no best chain"),
    ("fairness", "each miner's share of blocks is its share of hash power"),
    ("bytes", "how much was sent"),
    ("event", "events of a kind have been seen"),
    ("metric", "a metric is within bounds"),
    ("digest", "the digest of the run"),
    ("duration", "how long the run took"),
    ("agrees-with", "the other engine comes to the same verdicts"),
];
