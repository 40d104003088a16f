//! How a run went: the verdict, and the figures that `summary.json` and `--json` give.

use std::collections::BTreeMap;

use base::{Hash, Time};
use chain::{BlockId, Height, Work};
use gossip::MessageKind;
use scenario::{Engine, Outcome, Plan};
use serde::Serialize;

use crate::Collector;
use crate::forks::{Cause, Fork};
use crate::history::Traffic;
use crate::invariants::{Rule, Violation};
use crate::spread::{SpreadMeter, percentile};
use crate::stats::Statistics;
/// Forks that a summary lists; all are in `forks.csv`.
const MAX_FORKS: usize = 1_000;

/// Why a run came to its end, as its engine knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The steps were gone through, as far as they went.
    Steps(Outcome),
    /// It was cut short: the user stopped it, or a node died.
    Interrupted,
}

/// How a run went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every step passed, and every invariant held.
    Passed,
    /// A step failed.
    StepFailed,
    /// An invariant was broken.
    InvariantBroken,
    /// A node exited that no step told to.
    NodeDied,
    /// The time limit was reached.
    OutOfTime,
    /// The user stopped it.
    Interrupted,
}

impl Verdict {
    /// The process's exit code.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::StepFailed | Self::InvariantBroken => 1,
            Self::NodeDied => 4,
            Self::OutOfTime => 5,
            Self::Interrupted => 130,
        }
    }

    /// The verdict in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::StepFailed => "a step failed",
            Self::InvariantBroken => "an invariant was broken",
            Self::NodeDied => "a node died unexpectedly",
            Self::OutOfTime => "out of time",
            Self::Interrupted => "interrupted",
        }
    }

    /// What matters most of how a run ended and what was found broken: a dead node explains a failed step, not the other way round.
    #[must_use]
    pub fn of(ending: Ending, violations: &[Violation]) -> Self {
        let died = violations.iter().any(|violation| violation.rule == Rule::NodesStayUp);
        match ending {
            Ending::Interrupted | Ending::Steps(_) if died => Self::NodeDied,
            Ending::Interrupted => Self::Interrupted,
            Ending::Steps(Outcome::Failed { .. }) => Self::StepFailed,
            Ending::Steps(Outcome::OutOfTime { .. }) => Self::OutOfTime,
            Ending::Steps(Outcome::Passed) if !violations.is_empty() => Self::InvariantBroken,
            Ending::Steps(Outcome::Passed) => Self::Passed,
        }
    }
}

/// The figures of a run. Nodes are named, lists of nodes are ranges, times are microseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// How it went.
    pub verdict: Verdict,
    /// The exit code that goes with it.
    pub exit_code: u8,
    /// The step that failed or was never done, from 0.
    pub step: Option<usize>,
    /// The scenario's name.
    pub scenario: String,
    /// The seed, as text.
    pub seed: String,
    /// Which engine ran it.
    pub engine: Engine,
    /// SHA-256 over all that happened: the same for the same scenario and seed in virtual time; none on real nodes, which never do the same twice.
    pub digest: Option<Hash>,
    /// How long it took.
    pub duration_us: u64,
    /// Every node, in order.
    pub nodes: Vec<NodeSummary>,
    /// All blocks together.
    pub blocks: BlocksSummary,
    /// How many forks there were.
    pub forks_seen: usize,
    /// The first of them.
    pub forks: Vec<ForkSummary>,
    /// How blocks spread.
    pub propagation: Propagation,
    /// What all blocks together say.
    pub statistics: Statistics,
    /// What was sent, by kind of message.
    pub messages: BTreeMap<MessageKind, Traffic>,
    /// Broken invariants.
    pub violations: Vec<Violation>,
    /// How many more there were.
    pub violations_left_out: u64,
    /// Whether all of it can be read again.
    pub log: LogSummary,
}

/// One node at the end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NodeSummary {
    /// Its name.
    pub name: String,
    /// Whether it ran.
    pub running: bool,
    /// Its tip, or its last when it is down.
    pub tip: BlockId,
    /// The tip's height.
    pub height: Height,
    /// The tip's chain work.
    pub chain_work: Work,
    /// Blocks it mined.
    pub mined: u32,
    /// Those of them that are stale.
    pub stale: u32,
    /// Reorgs it went through, of the last that are remembered.
    pub reorgs: usize,
    /// The deepest of them.
    pub deepest_reorg: u32,
}

/// All blocks together.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct BlocksSummary {
    /// The tip with the most work.
    pub best: BlockId,
    /// Its height.
    pub height: Height,
    /// Blocks seen, the genesis block aside.
    pub total: usize,
    /// Those that are not on the best tip's chain.
    pub stale: usize,
    /// Their share.
    pub stale_rate: f64,
    /// Reorgs of all nodes.
    pub reorgs: u64,
    /// The deepest of those that are remembered.
    pub deepest_reorg: usize,
}

/// One fork.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ForkSummary {
    /// Its number.
    pub id: usize,
    /// The last common block.
    pub fork_point: BlockId,
    /// The fork point's height.
    pub height: Height,
    /// When it opened.
    pub opened_us: u64,
    /// How long it lasted; none when it is open still.
    pub lasted_us: Option<u64>,
    /// Its branches.
    pub branches: Vec<BranchSummary>,
    /// The one that won.
    pub winner: Option<usize>,
    /// Why it ended.
    pub cause: Option<Cause>,
    /// The most blocks that one node disconnected.
    pub deepest_reorg: u32,
    /// Who went from one branch to another.
    pub nodes_reorged: Vec<String>,
}

/// One branch of a fork.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BranchSummary {
    /// Its tip.
    pub tip: BlockId,
    /// How many blocks it has.
    pub blocks: u32,
    /// Who mined them.
    pub miners: Vec<String>,
    /// Who was on it at the end of the fork.
    pub nodes: Vec<String>,
}

/// How blocks spread, over all that reached someone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Propagation {
    /// How many blocks that is.
    pub blocks: usize,
    /// The median block reached half of its nodes after this.
    pub p50_us: Option<u64>,
    /// The median block reached nine of ten of its nodes after this.
    pub p90_us: Option<u64>,
    /// The slowest block reached its last node after this.
    pub last_us: Option<u64>,
}

/// Whether the log is whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LogSummary {
    /// How many events there were.
    pub events: u64,
    /// SHA-256 over their lines.
    pub digest: Hash,
    /// Whether all of them were written where they were to be written.
    pub complete: bool,
    /// Why not.
    pub error: Option<String>,
}

impl Summary {
    /// The figures as they stand.
    #[must_use]
    pub fn of(collector: &Collector, now: Time, ending: Ending) -> Self {
        let plan = collector.plan();
        let verdict = Verdict::of(ending, collector.violations());
        let listed = collector.forks().iter().take(MAX_FORKS);
        Self {
            verdict,
            exit_code: verdict.exit_code(),
            step: match ending {
                Ending::Steps(Outcome::Failed { step } | Outcome::OutOfTime { step }) => Some(step),
                Ending::Steps(Outcome::Passed) | Ending::Interrupted => None,
            },
            scenario: plan.name.clone(),
            seed: plan.seed.to_string(),
            engine: collector.engine(),
            digest: collector.run_digest(),
            duration_us: now.as_micros(),
            nodes: nodes(collector),
            blocks: blocks(collector),
            forks_seen: collector.forks().len(),
            forks: listed.map(|fork| ForkSummary::of(fork, plan)).collect(),
            propagation: Propagation::of(collector.spread()),
            statistics: Statistics::of(collector),
            messages: collector.history().traffic(),
            violations: collector.violations().to_vec(),
            violations_left_out: collector.violations_left_out(),
            log: LogSummary {
                events: collector.events(),
                digest: collector.digest(),
                complete: collector.log_error().is_none(),
                error: collector.log_error().map(ToString::to_string),
            },
        }
    }
}

fn nodes(collector: &Collector) -> Vec<NodeSummary> {
    let (plan, world) = (collector.plan(), collector.world());
    let stale_by_miner = collector.best_chain().stale_by_miner();
    let node = |node| {
        let facts = world.node(node);
        NodeSummary {
            name: plan.name_of(node).to_owned(),
            running: facts.running,
            tip: facts.tip.block,
            height: facts.tip.height,
            chain_work: facts.tip.chain_work,
            mined: facts.mined,
            stale: stale_by_miner.get(&node).copied().unwrap_or(0),
            reorgs: facts.reorgs.len(),
            deepest_reorg: facts.reorgs.iter().map(|reorg| reorg.depth).max().unwrap_or(0),
        }
    };
    plan.node_ids().map(node).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people, of numbers far below 2^53")]
fn blocks(collector: &Collector) -> BlocksSummary {
    let chain = collector.best_chain();
    let (total, stale) = (collector.world().blocks().len() - 1, chain.stale().count());
    let reorgs = collector.history().reorgs();
    BlocksSummary {
        best: chain.tip,
        height: chain.height,
        total,
        stale,
        stale_rate: if total == 0 { 0.0 } else { stale as f64 / total as f64 },
        reorgs: collector.history().reorgs_seen(),
        deepest_reorg: reorgs.iter().map(|it| it.reorg.disconnected.len()).max().unwrap_or(0),
    }
}

impl ForkSummary {
    fn of(fork: &Fork, plan: &Plan) -> Self {
        let branch = |index: usize| {
            let branch = &fork.branches[index];
            BranchSummary {
                tip: branch.tip,
                blocks: branch.blocks,
                miners: plan.ranges(branch.miners.iter().copied()),
                nodes: plan.ranges(fork.on_branch(index)),
            }
        };
        let end = fork.resolution.as_ref();
        Self {
            id: fork.id,
            fork_point: fork.point,
            height: fork.height,
            opened_us: fork.opened.as_micros(),
            lasted_us: end.map(|end| end.lasted_us),
            branches: (0..fork.branches.len()).map(branch).collect(),
            winner: end.and_then(|end| end.winner),
            cause: end.map(|end| end.cause),
            deepest_reorg: fork.deepest_reorg,
            nodes_reorged: plan.ranges(fork.reorged.iter().copied()),
        }
    }
}

impl Propagation {
    fn of(spread: &SpreadMeter) -> Self {
        let sorted = |delay: fn(crate::spread::BlockSpread) -> Option<u64>| {
            let mut delays: Vec<u64> = spread.all().filter_map(delay).collect();
            delays.sort_unstable();
            delays
        };
        let medians = sorted(|block| block.p50_us);
        Self {
            blocks: medians.len(),
            p50_us: percentile(&medians, 50),
            p90_us: percentile(&sorted(|block| block.p90_us), 50),
            last_us: sorted(|block| block.last_us).last().copied(),
        }
    }
}
