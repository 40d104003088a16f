//! The tables of a scenario file and their keys.

use chain::Params;

use super::{Key, Kind, Section};
use crate::limits::MAX_NODES;

const SEEDS: Kind = Kind::Integer {
    min: 0,
    max: i64::MAX as u64,
};
const COUNT: Kind = Kind::Integer {
    min: 1,
    max: MAX_NODES as u64,
};
const BLOCKS: Kind = Kind::Integer {
    min: 1,
    max: u32::MAX as u64,
};

/// The file itself.
pub(crate) static FILE: Section = Section {
    name: "",
    doc: "A scenario: a network, its links, and what happens",
    keys: &[
        Key::optional("name", Kind::Name, "the file's name", "what the scenario is called"),
        Key::default(
            "seed",
            SEEDS,
            "1",
            "where all randomness comes from: same seed, same network",
        ),
        Key::default(
            "limit",
            Kind::Duration,
            "\"120s\"",
            "the run fails when it takes longer",
        ),
        Key::optional(
            "chain",
            Kind::Table(&CHAIN),
            "preset `instant`",
            "the rules of the network",
        ),
        Key::required("network", Kind::Table(&NETWORK), "the nodes and their links"),
        Key::optional(
            "steps",
            Kind::Table(&STEPS),
            "nothing happens",
            "what happens, in order",
        ),
    ],
};

static CHAIN: Section = Section {
    name: "chain",
    doc: "The rules of the network: a preset, and what differs from it",
    keys: &[
        Key::default(
            "preset",
            words(&Params::PRESETS),
            "\"instant\"",
            "the rules to start from",
        ),
        Key::optional(
            "name",
            Kind::Name,
            "the preset's name",
            "keeps networks of the same rules apart",
        ),
        Key::optional(
            "interval",
            Kind::Duration,
            "the preset's",
            "the time a block should take",
        ),
        Key::optional(
            "retarget",
            words(&["fixed", "bitcoin", "asert"]),
            "the preset's",
            "how the target follows the hash power",
        ),
        Key::optional(
            "window",
            Kind::Integer { min: 2, max: 1_000_000 },
            "2016",
            "for `bitcoin`: blocks between two changes of the target",
        ),
        Key::optional(
            "timewarp-rule",
            Kind::Flag,
            "false",
            "for `bitcoin`: BIP94's rule on the time of a window's first block",
        ),
        Key::optional(
            "half-life",
            Kind::Duration,
            "30 intervals",
            "for `asert`: how far behind schedule the target has doubled; whole seconds",
        ),
        Key::optional(
            "difficulty",
            Kind::Integer {
                min: 2,
                max: i64::MAX as u64,
            },
            "the hashes that all nodes try in one interval; 2 with `instant` or without hash rates",
            "hashes that the first block takes on average",
        ),
        Key::optional(
            "halving",
            BLOCKS,
            "the preset's",
            "blocks between two halvings of the subsidy",
        ),
        Key::optional("maturity", BLOCKS, "the preset's", "blocks until a reward may be spent"),
        Key::optional(
            "subsidy",
            Kind::Amount,
            "the preset's",
            "what the first block may create",
        ),
        Key::optional(
            "max-block-bytes",
            Kind::Integer {
                min: 1_000,
                max: 1 << 20,
            },
            "the preset's",
            "the most bytes of a block's transactions",
        ),
        Key::optional(
            "max-future",
            Kind::Duration,
            "2 h or 12 intervals, whichever is less; 2 h with `instant` or intervals below 1 s",
            "how far ahead of a node's clock a header may be",
        ),
        Key::optional(
            "proof-of-work",
            words(&["sha256d", "oracle"]),
            "`oracle` with a network preset, else `sha256d`",
            "what makes a header proof of work: its hash, or the word of the simulation, which can be given at any difficulty",
        ),
        Key::optional(
            "block-size",
            Kind::Bytes,
            "the network preset's, else what is in them",
            "what blocks stand for on links, when that is more than what is in them; the mean where sizes vary",
        ),
        Key::default(
            "block-sizes",
            words(&["constant", "exponential", "uniform"]),
            "\"constant\"",
            "how sizes vary around `block-size`; `uniform` goes from nothing to twice the mean",
        ),
        Key::default(
            "tie",
            words(&["first-seen", "random"]),
            "\"first-seen\"",
            "which of two chains with the same work a node follows",
        ),
    ],
};

static NETWORK: Section = Section {
    name: "network",
    doc: "The nodes and their links: a preset, `nodes` or groups",
    keys: &[
        Key::optional(
            "preset",
            words(&[
                "simblock-bitcoin-2015",
                "simblock-bitcoin-2019",
                "simblock-litecoin",
                "simblock-dogecoin",
                "gervais-bitcoin",
            ]),
            "no model",
            "a network of the literature: regions, latencies, lines, links and hash power are drawn from it",
        ),
        Key::optional(
            "hashrate",
            Kind::HashRate,
            "1EH/s with a preset",
            "with a preset: the hash power of all nodes together",
        ),
        RELAY,
        Key::optional(
            "nodes",
            COUNT,
            "the preset's, or what the groups say",
            "how many nodes there are: n0, n1, ...",
        ),
        Key::optional(
            "group",
            Kind::Tables(&GROUP),
            "`nodes` honest nodes",
            "groups of like nodes",
        ),
        Key::optional(
            "topology",
            Kind::Table(&TOPOLOGY),
            "full below 10 nodes, else random",
            "who is linked to whom at the start",
        ),
        Key::optional(
            "link",
            Kind::Table(&LINK),
            "ideal links",
            "what links are like unless said otherwise",
        ),
        Key::optional("links", Kind::Tables(&LINKS), "none differ", "single links that differ"),
    ],
};

const RELAY: Key = Key::optional(
    "relay",
    words(&["headers", "announce", "compact", "push", "mesh"]),
    "`headers`; for a group, the network's",
    "how nodes tell of new blocks",
);

static GROUP: Section = Section {
    name: "network.group",
    doc: "A group of like nodes; groups without a name share one row of names, n0, n1, ...",
    keys: &[
        Key::optional("name", Kind::Name, "n", "the nodes of group `m` are m0, m1, ..."),
        Key::default("count", COUNT, "1", "how many nodes"),
        Key::default(
            "hashrate",
            Kind::HashRate,
            "0",
            "the hash power of each at the start; 0 does not mine",
        ),
        Key::default(
            "strategy",
            Kind::Word {
                built: &["honest", "hostile"],
                to_come: &["selfish", "stubborn", "double-spender"],
            },
            "\"honest\"",
            "honest nodes follow the rules; hostile ones do only what `inject-block` tells them",
        ),
        RELAY,
        Key::default("start", Kind::Flag, "true", "whether they run from the start"),
    ],
};

static TOPOLOGY: Section = Section {
    name: "network.topology",
    doc: "Who is linked to whom at the start",
    keys: &[
        Key::required(
            "kind",
            Kind::Word {
                built: &[
                    "full",
                    "ring",
                    "line",
                    "star",
                    "tree",
                    "grid",
                    "small-world",
                    "scale-free",
                    "random",
                    "edges",
                    "file",
                    "none",
                ],
                to_come: &[],
            },
            "the shape of the network",
        ),
        Key::optional("outbound", COUNT, "8", "for `random`: how many others each node dials"),
        Key::optional(
            "degree",
            COUNT,
            "2 for a tree, 4 for small-world, 3 for scale-free",
            "for `tree`: children of a node; `small-world`: links of a node; `scale-free`: links of a new node",
        ),
        Key::optional(
            "rewire",
            Kind::Share,
            "0.1",
            "for `small-world`: the share of longer links that lead anywhere",
        ),
        Key::optional(
            "edges",
            Kind::NodePairs,
            "none",
            "for `edges`: the links; the first of a pair dials",
        ),
        Key::optional(
            "file",
            Kind::File,
            "none",
            "for `file`: an edge list (two nodes a line) or GraphML, in the scenario's folder",
        ),
    ],
};

pub(crate) const LATENCY: Key = Key::optional("latency", Kind::Delay, "unchanged", "one-way delay");
pub(crate) const JITTER: Key = Key::optional(
    "jitter",
    Kind::Delay,
    "unchanged",
    "the most by which a message's delay differs from the latency",
);
pub(crate) const BANDWIDTH: Key = Key::optional(
    "bandwidth",
    Kind::Bandwidth,
    "unchanged",
    "bits per second; messages wait their turn",
);
pub(crate) const CUT: Key = Key::optional("cut", Kind::Flag, "unchanged", "whether nothing gets through");

static LINK: Section = Section {
    name: "network.link",
    doc: "What links are like unless said otherwise",
    keys: &[
        Key::default("latency", Kind::Delay, "\"0s\"", LATENCY.doc),
        Key::default("jitter", Kind::Delay, "\"0s\"", JITTER.doc),
        Key::default("bandwidth", Kind::Bandwidth, "\"unlimited\"", BANDWIDTH.doc),
    ],
};

static LINKS: Section = Section {
    name: "network.links",
    doc: "One link that differs, in both directions",
    keys: &[
        Key::required("between", Kind::NodePair, "the two nodes; the topology must link them"),
        LATENCY,
        JITTER,
        BANDWIDTH,
        CUT,
    ],
};

static STEPS: Section = Section {
    name: "steps",
    doc: "What happens, in order",
    keys: &[Key::required("run", Kind::Steps, "the steps, each an inline table")],
};

const fn words(built: &'static [&'static str]) -> Kind {
    Kind::Word { built, to_come: &[] }
}
