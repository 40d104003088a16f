//! The reorgs of a run.

use base::{NodeId, Time};
use chain::Txid;

use crate::arrivals::BlockNumber;
use crate::told::Dropped;

/// A reorg that a node went through. Lists of blocks are oldest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReorgFacts {
    /// When.
    pub at: Time,
    /// Who.
    pub node: NodeId,
    /// The fork whose branches it went between; none when that was never told.
    pub fork: Option<usize>,
    /// The last common block.
    pub fork_point: BlockNumber,
    /// Blocks that are no longer in its chain: as many as the reorg is deep.
    pub disconnected: Vec<BlockNumber>,
    /// Blocks that came instead.
    pub connected: Vec<BlockNumber>,
    /// Transactions that went back to its mempool.
    pub returned: Vec<Txid>,
    /// Transactions that could not.
    pub dropped: Vec<Dropped>,
}

impl ReorgFacts {
    /// Whether another node went through the same.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.fork_point == other.fork_point
            && self.disconnected == other.disconnected
            && self.connected == other.connected
            && self.returned == other.returned
            && self.dropped == other.dropped
    }
}
