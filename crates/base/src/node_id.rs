//! Which node is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A node, as the engine numbers it: in a scenario, its place in the plan; in a node that runs alone,
/// a number given to each remote identity it meets.
///
/// Names (`n0`, `alice`) belong to the plan, keys (libp2p's `PeerId`) to the cluster.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The place in a list that holds one entry per node.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The node at a place in such a list.
    ///
    /// # Panics
    /// When the place does not fit 32 bits; networks are capped far below.
    #[must_use]
    pub fn at(index: usize) -> Self {
        Self(u32::try_from(index).expect("networks are capped at a million nodes"))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}
