//! What a step can do.

use super::sections::{BANDWIDTH, CUT, JITTER, LATENCY};
use super::{Action, Key, Kind, ToCome};
use crate::limits::{MAX_LOAD_WALLETS, MAX_MINE, MAX_STEPS};

const WITHIN: Key = Key::optional("within", Kind::Duration, "30s", "how long the effect may take to show");
const FEE: Key = Key::default("fee", Kind::Amount, "0.0001", "what the miner gets, in coins");
const SILENT: Key = Key::default(
    "silent",
    Kind::Flag,
    "false",
    "connections stay up and nothing gets through, as behind a dead router; otherwise they are closed",
);
const STEPS: Key = Key::required("steps", Kind::Steps, "what is done each time");
const AS_CUT: Key = Key::required("as", Kind::Name, "a name for `heal`");

/// Every action that is built.
pub(crate) static ACTIONS: &[Action] = &[
    // Flow.
    Action {
        verb: Key::required("wait", Kind::Expectation, "what must come to hold"),
        doc: "Waits until an expectation holds; the run fails when it does not in time",
        keys: &[Key::required("within", Kind::Duration, "how long it may take")],
        example: r#"wait = "converged", height = 12, within = "20s""#,
    },
    Action {
        verb: Key::required("expect", Kind::Expectation, "what must hold"),
        doc: "Checks that an expectation holds now",
        keys: &[],
        example: r#"expect = "diverged", groups = 2"#,
    },
    Action {
        verb: Key::required("never", Kind::Expectation, "what must not hold"),
        doc: "From here to the end of the run, the expectation must not hold: of no single node of `on`, or, for `converged`, `diverged` and `confirmed-once`, of all together",
        keys: &[],
        example: r#"never = "reorg", on = "n0", depth = 7"#,
    },
    Action {
        verb: Key::required("sleep", Kind::Duration, "how long"),
        doc: "Lets time pass; to wait for something, use `wait`",
        keys: &[],
        example: r#"sleep = "2s""#,
    },
    Action {
        verb: Key::required(
            "repeat",
            Kind::Integer {
                min: 1,
                max: MAX_STEPS as u64,
            },
            "how often",
        ),
        doc: "Does steps a number of times, one time after the other",
        keys: &[STEPS],
        example: r#"repeat = 3, steps = [{ mine = 1, on = "n0" }, { mine = 1, on = "n4" }]"#,
    },
    Action {
        verb: Key::required("for", Kind::Name, "what stands for the word in the steps, in braces"),
        doc: "Does steps for each of a list of words, in its order",
        keys: &[Key::required("in", Kind::Words, "the words"), STEPS],
        example: r#"for = "miner", in = ["n0", "n4"], steps = [{ mine = 1, on = "{miner}" }]"#,
    },
    // Mining and money.
    Action {
        verb: Key::required(
            "mine",
            Kind::Integer {
                min: 1,
                max: MAX_MINE as u64,
            },
            "how many blocks",
        ),
        doc: "A node mines blocks, one on the other, as fast as it can",
        keys: &[Key::required("on", Kind::Node, "who mines"), WITHIN],
        example: r#"mine = 12, on = "n0""#,
    },
    Action {
        verb: Key::required(
            "hashrate",
            Kind::Rates,
            "the hash rate of `on`, or of each node named; 0 stops mining",
        ),
        doc: "Changes hash rates",
        keys: &[
            Key::optional("on", Kind::Nodes, "the nodes of the table", "whose hash rate it is"),
            WITHIN,
        ],
        example: r#"hashrate = { n0 = "5kH/s", n1 = 2000 }"#,
    },
    Action {
        verb: Key::required("fund", Kind::Name, "the wallet"),
        doc: "The next block of a node pays part of its subsidy to a wallet",
        keys: &[
            Key::required("coins", Kind::Amount, "how much"),
            Key::optional(
                "on",
                Kind::Node,
                "the node of the next `mine`, else the first",
                "whose block",
            ),
            WITHIN,
        ],
        example: r#"fund = "alice", coins = 10"#,
    },
    Action {
        verb: Key::required("send", Kind::Name, "the wallet that pays"),
        doc: "A wallet pays another",
        keys: &[
            Key::required("to", Kind::Name, "the wallet that is paid"),
            Key::required("coins", Kind::Amount, "how much"),
            FEE,
            Key::optional(
                "via",
                Kind::Node,
                "the first honest node that runs",
                "who gets the transaction",
            ),
            Key::optional("as", Kind::Name, "no name", "a name for `of`"),
            WITHIN,
        ],
        example: r#"send = "alice", to = "bob", coins = 1, as = "rent""#,
    },
    Action {
        verb: Key::required("double-spend", Kind::Name, "the wallet that pays"),
        doc: "A wallet pays one coin to two others, each through another node",
        keys: &[
            Key::required("to", Kind::NamePair, "the two wallets that are paid"),
            Key::required("via", Kind::NodePair, "who gets which transaction"),
            Key::required("as", Kind::Name, "a name for `of`"),
            FEE,
            WITHIN,
        ],
        example: r#"double-spend = "alice", to = ["bob", "carol"], via = ["n0", "n4"], as = "theft""#,
    },
    Action {
        verb: Key::required(
            "load",
            Kind::Name,
            "the wallet whose coins are split among those of the load",
        ),
        doc: "Wallets pay each other at a rate; a payment for which no coin is ready is left out",
        keys: &[
            Key::required("rate", Kind::Rate, "how many payments are made"),
            Key::default(
                "wallets",
                Kind::Integer {
                    min: 1,
                    max: MAX_LOAD_WALLETS as u64,
                },
                "100",
                "how many wallets pay each other; each can have 25 unconfirmed payments in a row",
            ),
            Key::default(
                "pattern",
                Kind::Word {
                    built: &["constant", "poisson"],
                    to_come: &[],
                },
                "\"constant\"",
                "how the time between payments varies",
            ),
            FEE,
            Key::optional(
                "on",
                Kind::Nodes,
                "the honest nodes that run",
                "who gets the transactions, in turn",
            ),
            Key::optional(
                "lasting",
                Kind::Duration,
                "to the end",
                "how long after the first payment the last is made",
            ),
            WITHIN,
        ],
        example: r#"load = "alice", rate = "7/s", wallets = 50, lasting = "100s""#,
    },
    Action {
        verb: Key::required("stop-load", Kind::Name, "the wallet that the load was split from"),
        doc: "Ends a load",
        keys: &[],
        example: r#"stop-load = "alice""#,
    },
    // Links.
    Action {
        verb: Key::required("partition", Kind::NodeGroups, "the groups"),
        doc: "Cuts groups of nodes from each other; nodes in no group stay connected to all",
        keys: &[AS_CUT, SILENT, WITHIN],
        example: r#"partition = [["n0..n3"], ["n4..n7"]], as = "halves""#,
    },
    Action {
        verb: Key::required("isolate", Kind::Node, "the node"),
        doc: "Cuts a node from all others",
        keys: &[AS_CUT, SILENT, WITHIN],
        example: r#"isolate = "n3", as = "island""#,
    },
    Action {
        verb: Key::required("heal", Kind::Name, "the name of a partition or isolation, or `all`"),
        doc: "Ends a partition or isolation",
        keys: &[WITHIN],
        example: r#"heal = "split""#,
    },
    Action {
        verb: Key::required("link", Kind::NodePair, "the two nodes"),
        doc: "Changes what the link between two nodes is like",
        keys: &[
            LATENCY,
            JITTER,
            BANDWIDTH,
            CUT,
            Key::default("one-way", Kind::Flag, "false", "only from the first to the second node"),
            WITHIN,
        ],
        example: r#"link = ["n0", "n1"], latency = "2s", one-way = true"#,
    },
    Action {
        verb: Key::required("connect", Kind::NodePair, "the two nodes; the first dials"),
        doc: "Two nodes connect and stay connected",
        keys: &[WITHIN],
        example: r#"connect = ["n0", "n5"]"#,
    },
    Action {
        verb: Key::required("disconnect", Kind::NodePair, "the two nodes"),
        doc: "Two nodes disconnect and stay so",
        keys: &[WITHIN],
        example: r#"disconnect = ["n0", "n1"]"#,
    },
    // Nodes.
    Action {
        verb: Key::required("start", Kind::Nodes, "who"),
        doc: "Nodes start, from their disk if they ran before",
        keys: &[WITHIN],
        example: r#"start = "n7""#,
    },
    Action {
        verb: Key::required("stop", Kind::Nodes, "who"),
        doc: "Nodes stop in good order",
        keys: &[WITHIN],
        example: r#"stop = ["n1..n3"]"#,
    },
    Action {
        verb: Key::required("kill", Kind::Nodes, "who"),
        doc: "Nodes stop without warning: what is not on disk is lost",
        keys: &[WITHIN],
        example: r#"kill = "n3""#,
    },
    Action {
        verb: Key::required("restart", Kind::Nodes, "who"),
        doc: "Nodes stop in good order and start again from their disk",
        keys: &[WITHIN],
        example: r#"restart = "n3""#,
    },
    Action {
        verb: Key::required("upgrade", Kind::Nodes, "who"),
        doc: "Nodes stop in good order and start again from their disk as another program; in a cluster whose nodes are processes only",
        keys: &[
            Key::required("to", Kind::Name, "what `--program NAME=PATH` calls the program"),
            WITHIN,
        ],
        example: r#"upgrade = "n3", to = "next""#,
    },
    Action {
        verb: Key::required("pause", Kind::Nodes, "who"),
        doc: "Nodes stand still, with all they hold, until they are resumed; in a cluster only",
        keys: &[WITHIN],
        example: r#"pause = "n3""#,
    },
    Action {
        verb: Key::required("resume", Kind::Nodes, "who"),
        doc: "Nodes that were paused go on",
        keys: &[WITHIN],
        example: r#"resume = "n3""#,
    },
    Action {
        verb: Key::required("wipe", Kind::Nodes, "who"),
        doc: "Nodes stop without warning, if they run, and lose all that is on their disks",
        keys: &[WITHIN],
        example: r#"wipe = "n3""#,
    },
    // Adversary.
    Action {
        verb: Key::required(
            "inject-block",
            Kind::Word {
                built: &["bad-pow", "bad-merkle-root", "inflated-coinbase", "double-spend"],
                to_come: &[],
            },
            "what is wrong with the block",
        ),
        doc: "A hostile node offers a broken block to a peer",
        keys: &[
            Key::required("from", Kind::Node, "the hostile node"),
            Key::required("to", Kind::Node, "the peer; the two must be linked"),
            WITHIN,
        ],
        example: r#"inject-block = "bad-pow", from = "m0", to = "n0""#,
    },
];

/// Actions that the language will have.
pub(crate) static ACTIONS_TO_COME: &[ToCome] = &[
    ("always", "the expectation must hold from here to the end of the run"),
    ("at", "does a step at a given time"),
    ("every", "does steps again and again"),
    ("let", "gives a name to a tip, height or transaction"),
    ("note", "writes a line into the log"),
    ("parallel", "does steps at the same time"),
    ("checkpoint", "keeps the state of the run to come back to"),
    ("add", "adds nodes"),
    ("remove", "removes nodes for good"),
    ("clock", "puts a node's clock ahead or behind"),
    ("churn", "nodes come and go at random"),
    ("flap", "a link goes up and down"),
    ("eclipse", "connects a victim to attackers only"),
    ("clear-faults", "ends every fault of links"),
    ("random-faults", "makes faults at random within a budget"),
    ("mine-until", "a node mines until an expectation holds"),
    ("stop-mining", "nodes stop mining; `hashrate = 0` does the same"),
    ("fork", "mines a branch from a given block"),
    ("withhold", "a node keeps its blocks to itself"),
    ("release", "a node publishes what it kept"),
    ("difficulty-shock", "hash power changes at once"),
    ("conflict", "spends a coin of a payment once more"),
    ("chain", "submits a chain of transactions"),
    ("replace", "replaces a payment by one with a higher fee"),
    ("submit", "submits a transaction as it is"),
    ("strategy", "changes how a node behaves"),
    ("inject-tx", "a hostile node offers a broken transaction"),
    ("flood", "a hostile node sends more than it may"),
    ("garbage", "a hostile node sends bytes that are no message"),
    ("stale-sync", "a hostile node answers requests with old or no blocks"),
];
