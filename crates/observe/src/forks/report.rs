//! What the log says of a fork.

use base::NodeId;
use chain::{BlockId, HashRate, Height, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fork;

/// A fork at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ForkReport {
    /// Its number, in the order of opening.
    pub fork: usize,
    /// The last common block.
    pub fork_point: BlockId,
    /// The fork point's height.
    pub height: Height,
    /// Its branches, in the order they were seen; while it progresses, those that changed.
    pub branches: Vec<BranchReport>,
}

/// One branch at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BranchReport {
    /// Its number within the fork.
    pub id: usize,
    /// Its block with the most work.
    pub tip: BlockId,
    /// The tip's height.
    pub tip_height: Height,
    /// How many blocks it has.
    pub blocks: u32,
    /// The tip's chain work.
    pub chain_work: Work,
    /// Who mined them.
    pub miners: Vec<NodeId>,
    /// The running nodes whose tip is on it.
    pub nodes: Vec<NodeId>,
    /// Their hash power together, in hashes per second, as text.
    #[serde(serialize_with = "as_text")]
    pub hash_power: HashRate,
}

/// How a fork ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Resolution {
    /// The branch that all are on; none when all left the fork behind for a branch elsewhere.
    pub winner: Option<usize>,
    /// The other branches.
    pub losers: Vec<usize>,
    /// From its opening, in microseconds.
    pub lasted_us: u64,
    /// Blocks on the branches that lost.
    pub stale_blocks: u32,
    /// The most blocks that one node disconnected.
    pub deepest_reorg: u32,
    /// The nodes that went from one branch to another.
    pub nodes_reorged: Vec<NodeId>,
    /// Why it ended.
    pub cause: Cause,
}

/// Why a fork ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The winner had more work, and nodes on other branches came over.
    MoreWork,
    /// Nodes came over at equal work (ties are broken at random).
    EqualWork,
    /// No node ever followed another branch.
    Unfollowed,
    /// The nodes on other branches stopped.
    FollowersStopped,
    /// The fork stood on a branch that itself lost.
    Abandoned,
}

impl Cause {
    /// The cause in words, to follow "ended because".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::MoreWork => "one branch had more work",
            Self::EqualWork => "a tie was broken at random",
            Self::Unfollowed => "no node followed another branch",
            Self::FollowersStopped => "the nodes on other branches stopped",
            Self::Abandoned => "the branch it stood on lost",
        }
    }
}

impl Fork {
    /// The fork as it stands. `rates` are the nodes' hash rates, by [`NodeId`].
    pub(super) fn report(&self, rates: &[HashRate]) -> ForkReport {
        self.report_of(rates, 0..self.branches.len())
    }

    /// Some of its branches as they stand.
    pub(super) fn report_of(&self, rates: &[HashRate], branches: impl IntoIterator<Item = usize>) -> ForkReport {
        let branch = |id: usize| {
            let branch = &self.branches[id];
            BranchReport {
                id,
                tip: branch.tip,
                tip_height: branch.height,
                blocks: branch.blocks,
                chain_work: branch.chain_work,
                miners: branch.miners.iter().copied().collect(),
                nodes: self.on_branch(id).collect(),
                hash_power: self.on_branch(id).map(|node| rates[node.index()]).sum(),
            }
        };
        ForkReport {
            fork: self.id,
            fork_point: self.point,
            height: self.height,
            branches: branches.into_iter().map(branch).collect(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn as_text<S: serde::Serializer>(rate: &HashRate, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&rate.0)
}
