//! What the collector concludes: forks, and how blocks spread.

use chain::{BlockId, Height, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Digits;
use crate::forks::Cause;

/// A fork at one moment: when it opens, or as it progresses.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ForkTold {
    /// Its number, in the order of opening.
    pub fork: usize,
    /// The last common block.
    #[schemars(with = "Digits")]
    pub fork_point: BlockId,
    /// The fork point's height.
    #[schemars(with = "u32")]
    pub height: Height,
    /// Its branches, in the order they were seen; while it progresses, those that changed.
    pub branches: Vec<BranchTold>,
}

/// One branch at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BranchTold {
    /// Its number within the fork.
    pub id: usize,
    /// Its block with the most work.
    #[schemars(with = "Digits")]
    pub tip: BlockId,
    /// The tip's height.
    #[schemars(with = "u32")]
    pub tip_height: Height,
    /// How many blocks it has.
    pub blocks: u32,
    /// The tip's chain work.
    #[schemars(with = "Digits")]
    pub chain_work: Work,
    /// Who mined them.
    pub miners: Vec<String>,
    /// The running nodes whose tip is on it.
    pub nodes: Vec<String>,
    /// Their hash power together, in hashes per second.
    pub hash_power: String,
}

/// A fork is over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ForkResolved {
    /// Where it stood in the end.
    #[serde(flatten)]
    pub fork: ForkTold,
    /// How it ended.
    #[serde(flatten)]
    pub end: ForkEnd,
}

/// How a fork ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ForkEnd {
    /// The branch that all are on; null when all left the fork behind for a branch elsewhere.
    pub winner: Option<usize>,
    /// The other branches.
    pub losers: Vec<usize>,
    /// How long it lasted, in microseconds.
    pub lasted_us: u64,
    /// Blocks on the branches that lost.
    pub stale_blocks: u32,
    /// The most blocks that one node disconnected.
    pub deepest_reorg: u32,
    /// The nodes that went from one branch to another.
    pub nodes_reorged: Vec<String>,
    /// Why it ended.
    pub cause: Cause,
}

/// All follow the block with the most work, or another has more. Only honest nodes that run count; times are from when the first of them
/// followed it, null where it did not come to that.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Convergence {
    /// The block.
    #[schemars(with = "Digits")]
    pub block: BlockId,
    /// Its height.
    #[schemars(with = "u32")]
    pub height: Height,
    /// How many follow it.
    pub following: usize,
    /// Of how many.
    pub of: usize,
    /// Half of them followed it after this.
    pub p50_us: Option<u64>,
    /// Nine of ten followed it after this.
    pub p90_us: Option<u64>,
    /// Ninety-nine of a hundred followed it after this.
    pub p99_us: Option<u64>,
    /// All of them followed it after this.
    pub all_us: Option<u64>,
}

/// A block has reached everyone, or as many as it will. Delays count from `block_mined`; percentiles are over the nodes it reached.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BlockSpread {
    /// The block.
    #[schemars(with = "Digits")]
    pub block: BlockId,
    /// Nodes that have it, its miner among them.
    pub seen: usize,
    /// Running nodes that do not have it.
    pub never: usize,
    /// The median delay; null when it reached nobody but its miner.
    pub p50_us: Option<u64>,
    /// Nine of ten had it after this.
    pub p90_us: Option<u64>,
    /// Ninety-nine of a hundred had it after this.
    pub p99_us: Option<u64>,
    /// All of them had it after this.
    pub last_us: Option<u64>,
}
