//! The envelope: one line of the log.

use base::{NodeId, Time};
use chain::BlockId;
use node::Event;
use scenario::{ControlReport, Engine, StepReport};
use serde::Serialize;

use crate::convergence::Convergence;
use crate::detail::Detail;
use crate::forks::{ForkReport, Resolution};
use crate::lagging::Standing;
use crate::spread::BlockSpread;
use crate::told::{BlockTransactions, HashRateChanged, Heal, LinkChanged, Partition, Totals};

/// One event of a run, in its place.
#[derive(Clone, Debug)]
pub struct Record {
    /// The collector's total order, from 0.
    pub seq: u64,
    /// When, since the run began.
    pub at: Time,
    /// What.
    pub what: RunEvent,
}

/// Everything that is logged.
#[derive(Clone, Debug)]
#[expect(
    missing_docs,
    reason = "fields are the log's; docs of each kind say what is not plain from their names"
)]
pub enum RunEvent {
    /// Told by a node; `nseq` is the node's own counter, so that a gap shows a lost event.
    Node { node: NodeId, nseq: u64, event: Box<Event> },
    /// The run began. Written by [`crate::Collector::new`]; engines never hand it in.
    RunStarted {
        engine: Engine,
        detail: Detail,
        genesis: BlockId,
    },
    /// The run ended: with what verdict, and whether all was well. Written by [`crate::Collector::finish`]; engines never hand it in.
    RunEnded { reason: String, ok: bool, totals: Totals },
    /// A node is up. `peer_id` and `addrs` in a cluster only; `restored` blocks came from its disk.
    NodeStarted {
        node: NodeId,
        peer_id: String,
        addrs: Vec<String>,
        restored: usize,
    },
    /// A node is down: `reason` is `stopped`, `killed` or what went wrong; `expected` when a step told it to.
    NodeStopped {
        node: NodeId,
        reason: String,
        expected: bool,
    },
    /// Something was done to a node that it does not tell of itself.
    Intervention { node: NodeId, what: Intervention },
    /// News of a step.
    Step(StepReport),
    /// News of a step that an operator handed in.
    Control(ControlReport),
    /// What the collector concludes from the events before. Engines never hand these in.
    Derived(Derived),
}

impl RunEvent {
    /// Whether a [`scenario::World`] is another after it, as far as expectations can tell.
    pub(crate) fn changes_the_world(&self) -> bool {
        match self {
            Self::Node { event, .. } => !matches!(
                event.as_ref(),
                Event::MessageSent { .. }
                    | Event::MessageReceived { .. }
                    | Event::MessageDropped { .. }
                    | Event::HeaderAccepted { .. }
                    | Event::BlockReceived { .. }
                    | Event::OrphanHeld { .. }
                    | Event::OrphanResolved { .. }
            ),
            Self::RunStarted { .. }
            | Self::NodeStarted { .. }
            | Self::NodeStopped { .. }
            | Self::Intervention { .. } => true,
            Self::RunEnded { .. } | Self::Step(_) | Self::Control(_) | Self::Derived(_) => false,
        }
    }
}

/// What can be done to a node behind its back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Intervention {
    /// It stands still.
    Paused,
    /// It goes on.
    Resumed,
    /// It has lost its disk, while it was down.
    Wiped,
}

/// A conclusion from several nodes' events.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Derived {
    /// Two blocks with one parent are valid somewhere.
    ForkOpened(ForkReport),
    /// A branch grew, or a node went from one to another: the branches that changed.
    ForkProgress(ForkReport),
    /// The fork is over.
    ForkResolved {
        /// Where it stood in the end.
        #[serde(flatten)]
        fork: ForkReport,
        /// How it ended.
        #[serde(flatten)]
        resolution: Resolution,
    },
    /// A block has reached everyone, or as many as it will.
    BlockSpread(BlockSpread),
    /// All follow the block with the most work, or another has more.
    Convergence(Convergence),
    /// A node has fallen behind.
    NodeLagging(Standing),
    /// It has not any more.
    NodeCaughtUp {
        /// Where it stands.
        #[serde(flatten)]
        standing: Standing,
        /// How long it was behind, in microseconds.
        lasted_us: u64,
    },
    /// What a block that was not seen before spends.
    BlockTransactions(BlockTransactions),
    /// A partition or isolation has taken effect.
    Partition(Partition),
    /// One is over.
    Heal(Heal),
    /// A link is another.
    LinkChanged(LinkChanged),
    /// Nodes hash faster or slower.
    HashRateChanged(HashRateChanged),
}
