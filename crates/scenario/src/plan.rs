//! A checked scenario: every name resolved, every number within its bounds.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use base::{NodeId, Seed};
use chain::{Amount, HashRate, Height, Params, SigningKey};
use node::config::Tie;
use node::{BlockSize, Relay, Strategy};
use serde::Serialize;

use crate::link::Conditions;
use crate::networks::Region;
use crate::uplink::{Line, Lines};

/// What a scenario file says, checked.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario's name.
    pub name: String,
    /// What the file's opening comment says it shows.
    pub description: String,
    /// The file's name as the user gave it, for messages (`scenarios/x.toml`).
    pub file: String,
    /// The file's text.
    pub source: Arc<str>,
    /// What the command line changed in it, seed aside: keys and values.
    pub set: Vec<(String, String)>,
    /// The seed that all randomness comes from.
    pub seed: u64,
    /// The run fails when it takes longer.
    pub limit: Duration,
    /// The network's rules.
    pub params: Params,
    /// What nodes do when two chains have the same work.
    pub tie: Tie,
    /// The nodes; a [`NodeId`] is a place in this list.
    pub nodes: Vec<NodePlan>,
    /// The groups that have names: which places of the list are theirs.
    pub groups: Vec<(String, Range<usize>)>,
    /// Who is connected to whom at the start, in order, each pair once.
    pub links: Vec<LinkPlan>,
    /// What links are like unless said otherwise.
    pub conditions: Conditions,
    /// How nodes use their lines; `None` when they have none, and only links bound what they send.
    pub lines: Option<Lines>,
    /// What blocks stand for on links, when that is more than what is in them.
    pub block_size: Option<BlockSize>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The names of wallets, in order of first mention.
    pub wallets: Vec<String>,
    /// The names of payments (`as` of send and double-spend), in order.
    pub payments: Vec<String>,
    /// The names of cuts (`as` of partition and isolate), in order.
    pub cuts: Vec<String>,
    /// The file beside the scenario that its links are from.
    pub attachment: Option<Attachment>,
    /// What is allowed but probably not meant, each with its line.
    pub warnings: Vec<String>,
}

/// A file beside the scenario that belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attachment {
    /// Its name, without a folder.
    pub name: String,
    /// What is in it.
    pub text: Arc<str>,
}

/// A wallet: a place in [`Plan::wallets`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct WalletId(pub usize);

/// A payment or double spend: a place in [`Plan::payments`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PaymentId(pub usize);

/// A partition or isolation: a place in [`Plan::cuts`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CutId(pub usize);

/// One node.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodePlan {
    /// Its name: `n0` unless its group has a name.
    pub name: String,
    /// Its hash power at the start.
    pub hashrate: HashRate,
    /// How it behaves.
    pub strategy: Strategy,
    /// How it tells of new blocks.
    pub relay: Relay,
    /// Where it is, in a network of the literature.
    pub region: Option<Region>,
    /// What its line carries, in such a network.
    pub line: Option<Line>,
    /// Whether it runs from the start, or only when a step starts it.
    pub started: bool,
}

/// One connection that is kept up: `a` dials `b`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkPlan {
    /// Who dials.
    pub a: NodeId,
    /// Who is dialled.
    pub b: NodeId,
    /// What it is like in both directions.
    pub conditions: Conditions,
}

/// One step of a scenario.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// The line in the file it begins on, from 1.
    pub line: u32,
    /// As written, on one line, without the braces.
    pub text: String,
    /// What it means.
    pub kind: StepKind,
}

/// What a step does.
#[derive(Clone, PartialEq, Debug)]
pub enum StepKind {
    /// Does something, and is done when its effect has been seen.
    Act {
        /// What.
        action: Action,
        /// How long the effect may take to show.
        within: Duration,
    },
    /// Must hold now.
    Expect(Expectation),
    /// Must come to hold.
    Wait {
        /// What.
        expectation: Expectation,
        /// How long it may take.
        within: Duration,
    },
    /// Must not hold from here to the end of the run.
    Never(Expectation),
    /// Lets time pass.
    Sleep(Duration),
}

/// Something that a step does.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "each variant says what its fields are")]
pub enum Action {
    /// The next block that `on` mines pays this much of its reward to the wallet.
    Fund {
        wallet: WalletId,
        amount: Amount,
        on: NodeId,
    },
    /// A wallet pays another: `via` is the node that gets the transaction.
    Send {
        payment: PaymentId,
        from: WalletId,
        to: WalletId,
        amount: Amount,
        fee: Amount,
        via: NodeId,
    },
    /// One coin is paid to two wallets, each through another node.
    DoubleSpend {
        payment: PaymentId,
        from: WalletId,
        to: [WalletId; 2],
        fee: Amount,
        via: [NodeId; 2],
    },
    /// Payments are made at a rate from here on.
    Load(LoadPlan),
    /// The load from this wallet ends.
    StopLoad { from: WalletId },
    /// A node mines blocks on demand.
    Mine { blocks: u32, on: NodeId },
    /// Hash rates change.
    SetHashRate { rates: Vec<(NodeId, HashRate)> },
    /// Groups are cut from each other; nodes in no group stay connected to all. `silent`: connections stay up, but nothing gets through.
    Partition {
        cut: CutId,
        groups: Vec<Vec<NodeId>>,
        silent: bool,
    },
    /// A node is cut from all others.
    Isolate { cut: CutId, node: NodeId, silent: bool },
    /// A partition or isolation ends; `None` ends all.
    Heal { cut: Option<CutId> },
    /// A link's conditions change, in both directions or from `a` to `b` only.
    SetLink {
        a: NodeId,
        b: NodeId,
        conditions: LinkChange,
        one_way: bool,
    },
    /// Two nodes connect and stay connected: `a` dials.
    Connect { a: NodeId, b: NodeId },
    /// Two nodes disconnect and stay so.
    Disconnect { a: NodeId, b: NodeId },
    /// Nodes start.
    Start { nodes: Vec<NodeId> },
    /// Nodes stop in good order.
    Stop { nodes: Vec<NodeId> },
    /// Nodes stop without warning: what is not on disk is lost.
    Kill { nodes: Vec<NodeId> },
    /// Nodes stop in good order and start again from their disk.
    Restart { nodes: Vec<NodeId> },
    /// Nodes stop in good order and start again as another program, which whoever runs the plan has given this name.
    Upgrade { nodes: Vec<NodeId>, program: String },
    /// Nodes stand still until they are resumed.
    Pause { nodes: Vec<NodeId> },
    /// Nodes that stand still go on.
    Resume { nodes: Vec<NodeId> },
    /// Nodes stop without warning, if they run, and lose their disks.
    Wipe { nodes: Vec<NodeId> },
    /// A hostile node offers a broken block to a peer.
    InjectBlock {
        defect: BlockDefect,
        from: NodeId,
        to: NodeId,
    },
}

/// Payments at a rate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadPlan {
    /// Which load of the scenario, from 0.
    pub number: u64,
    /// Whose coins are split among the wallets of the load.
    pub from: WalletId,
    /// How many wallets pay each other.
    pub wallets: u32,
    /// The mean time between two payments.
    pub every: Duration,
    /// How that time varies.
    pub pattern: Pattern,
    /// What each payment costs.
    pub fee: Amount,
    /// Who gets the transactions, in turn.
    pub on: Vec<NodeId>,
    /// How long after the first payment the last is made; `None` goes on.
    pub lasting: Option<Duration>,
}

/// How the time between two payments varies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pattern {
    /// Not at all.
    Constant,
    /// Exponentially, as when many pay independently.
    Poisson,
}

/// What of a link changes; `None` stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LinkChange {
    /// One-way delay.
    pub latency: Option<Duration>,
    /// The most by which a message's delay differs from the latency.
    pub jitter: Option<Duration>,
    /// Bits per second; `Some(None)` is unlimited.
    pub bandwidth: Option<Option<u64>>,
    /// Whether nothing gets through.
    pub cut: Option<bool>,
}

impl LinkChange {
    /// The conditions after the change.
    #[must_use]
    pub fn applied_to(self, before: Conditions) -> Conditions {
        Conditions {
            latency: self.latency.unwrap_or(before.latency),
            jitter: self.jitter.unwrap_or(before.jitter),
            bandwidth: self.bandwidth.unwrap_or(before.bandwidth),
            cut: self.cut.unwrap_or(before.cut),
        }
    }
}

/// How an injected block is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockDefect {
    /// Its hash is above the target: `high-hash`.
    BadPow,
    /// Its transactions do not hash to its root: `bad-txnmrklroot`.
    BadMerkleRoot,
    /// Its coinbase creates one unit too much: `bad-cb-amount`.
    InflatedCoinbase,
    /// Two of its transactions spend one coin: `bad-txns-inputs-missingorspent`.
    DoubleSpend,
}

/// Something that can hold of a network. `on` lists the nodes it is about.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "each variant says what its fields are")]
pub enum Expectation {
    /// Each node's tip is at this height, or, with `at_least`, not below it.
    Height {
        on: Vec<NodeId>,
        height: Height,
        at_least: bool,
    },
    /// All have one tip, at a height as in [`Expectation::Height`] or `advance` above the highest when the step began.
    Converged {
        on: Vec<NodeId>,
        at: Option<(Height, bool)>,
        advance: Option<u32>,
    },
    /// They follow exactly this many tips.
    Diverged { on: Vec<NodeId>, groups: usize },
    /// Each follows the tip of another node, or one that this node mined.
    Tip {
        on: Vec<NodeId>,
        same_as: Option<NodeId>,
        mined_by: Option<NodeId>,
    },
    /// Each has seen a reorg: of exactly this depth, or any; at least this often.
    Reorg {
        on: Vec<NodeId>,
        depth: Option<u32>,
        count: u32,
    },
    /// Each has refused a block or transaction for this reason word, from this peer if said.
    Rejected {
        on: Vec<NodeId>,
        reason: String,
        from: Option<NodeId>,
    },
    /// The payment is this many blocks deep in each node's chain.
    Confirmed { on: Vec<NodeId>, of: PaymentId, depth: u32 },
    /// Exactly one side of the double spend is in each node's chain, the same everywhere, and it pays the winner if said.
    ConfirmedOnce {
        on: Vec<NodeId>,
        of: PaymentId,
        winner: Option<WalletId>,
    },
    /// What the wallet owns in each node's chain.
    Balance {
        on: Vec<NodeId>,
        of: WalletId,
        amount: Amount,
    },
    /// The coins in each node's chain add up to what its blocks created; to this amount if said.
    Supply { on: Vec<NodeId>, amount: Option<Amount> },
    /// The payment (any side of a double spend) waits in each node's mempool.
    InMempool { on: Vec<NodeId>, of: PaymentId },
    /// Each has a number of peers within these bounds.
    Peers {
        on: Vec<NodeId>,
        at_least: usize,
        at_most: usize,
    },
}

impl Expectation {
    /// What must not come to hold of any single node, when this must never hold: one for each node it is about, or itself when it is about
    /// them together.
    #[must_use]
    pub fn of_single_nodes(&self) -> Vec<Self> {
        let mut single = self.clone();
        if matches!(
            self,
            Self::Converged { .. } | Self::Diverged { .. } | Self::ConfirmedOnce { .. }
        ) {
            return vec![single];
        }
        let nodes = std::mem::take(single.on_mut());
        let about = |node| {
            let mut single = single.clone();
            *single.on_mut() = vec![node];
            single
        };
        nodes.into_iter().map(about).collect()
    }

    /// The nodes it is about.
    const fn on_mut(&mut self) -> &mut Vec<NodeId> {
        match self {
            Self::Height { on, .. }
            | Self::Converged { on, .. }
            | Self::Diverged { on, .. }
            | Self::Tip { on, .. }
            | Self::Reorg { on, .. }
            | Self::Rejected { on, .. }
            | Self::Confirmed { on, .. }
            | Self::ConfirmedOnce { on, .. }
            | Self::Balance { on, .. }
            | Self::Supply { on, .. }
            | Self::InMempool { on, .. }
            | Self::Peers { on, .. } => on,
        }
    }
}

impl Plan {
    /// Whether a node keeps to the rules: what must hold of a network holds of such nodes.
    #[must_use]
    pub fn is_honest(&self, node: NodeId) -> bool {
        self.nodes[node.index()].strategy == Strategy::Honest
    }

    /// A plan of nothing under these rules: no node, no step, ideal links.
    #[must_use]
    pub fn empty(name: &str, params: Params) -> Self {
        Self {
            name: name.to_owned(),
            description: String::new(),
            file: String::new(),
            source: Arc::from(""),
            set: Vec::new(),
            seed: 1,
            limit: Duration::from_secs(120),
            params,
            tie: Tie::FirstSeen,
            nodes: Vec::new(),
            groups: Vec::new(),
            links: Vec::new(),
            conditions: Conditions::default(),
            lines: None,
            block_size: None,
            steps: Vec::new(),
            wallets: Vec::new(),
            payments: Vec::new(),
            cuts: Vec::new(),
            attachment: None,
            warnings: Vec::new(),
        }
    }

    /// The seed that all randomness of the run comes from.
    #[must_use]
    pub fn root_seed(&self) -> Seed {
        Seed::from_number(self.seed)
    }

    /// The key of a wallet: the same name and seed, the same key.
    #[must_use]
    pub fn wallet_key(&self, wallet: WalletId) -> SigningKey {
        SigningKey::from_seed(&self.root_seed().child("wallet", 0).child(&self.wallets[wallet.0], 0))
    }

    /// A node's name.
    #[must_use]
    pub fn name_of(&self, node: NodeId) -> &str {
        &self.nodes[node.index()].name
    }

    /// The node of this name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<NodeId> {
        self.nodes.iter().position(|node| node.name == name).map(NodeId::at)
    }

    /// All nodes, in order.
    pub fn node_ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.nodes.len()).map(NodeId::at)
    }
}
