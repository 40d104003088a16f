//! How much of a run is told, chosen before it begins.

use std::fmt;

use node::Event;
use node::event::TipChange;
use scenario::Plan;
use scenario::plan::{Action, Expectation, StepKind};
use serde::{Deserialize, Serialize};

use crate::limits::LOG_BUDGET;

/// How much is told. Figures, forks, reorgs, verdicts and the engine's digest are the same in all of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// Every event, messages among them.
    #[default]
    Full,
    /// Messages are counted and not told. Of each block it is told how it spread, not when each node had it.
    Compact,
    /// As compact, without how blocks spread and who connects to whom: blocks mined, forks, reorgs, refusals, connections lost.
    Summary,
}

/// Bytes of a line about a message, a step of one block on one node, and a block, as they were found in logs of the scenarios.
const MESSAGE_LINE: u64 = 260;
const NODE_LINES: u64 = 4 * 420;
const BLOCK_LINES: u64 = 2 * 500;

impl Detail {
    /// The most detail whose log is estimated to stay within [`LOG_BUDGET`].
    #[must_use]
    pub fn for_plan(plan: &Plan) -> Self {
        let within = |detail: &Self| detail.estimated_bytes(plan) <= LOG_BUDGET;
        [Self::Full, Self::Compact]
            .into_iter()
            .find(within)
            .unwrap_or(Self::Summary)
    }

    /// About how large the log of a run of this plan is before compression: by its nodes, links and expected blocks.
    #[must_use]
    pub fn estimated_bytes(self, plan: &Plan) -> u64 {
        let (nodes, links) = (plan.nodes.len() as u64, plan.links.len() as u64);
        // A block is announced over every link, asked for and sent once to every node; each message is sent and received.
        let messages = 2 * (links + 2 * nodes);
        let for_each_block = match self {
            Self::Full => messages * MESSAGE_LINE + nodes * NODE_LINES + BLOCK_LINES,
            Self::Compact => BLOCK_LINES,
            Self::Summary => BLOCK_LINES / 2,
        };
        expected_blocks(plan).saturating_mul(for_each_block)
    }

    /// Whether nodes need to tell of messages.
    #[must_use]
    pub const fn tells_messages(self) -> bool {
        matches!(self, Self::Full)
    }

    /// Whether an event of a node has a line in the log.
    #[must_use]
    pub const fn tells(self, event: &Event) -> bool {
        match self {
            Self::Full => true,
            Self::Compact => !is_routine(event),
            Self::Summary => !is_routine(event) && !matches!(event, Event::PeerConnected { .. }),
        }
    }
}

/// What happens on every node for every block or transaction.
const fn is_routine(event: &Event) -> bool {
    match event {
        Event::MessageSent { .. }
        | Event::MessageReceived { .. }
        | Event::MessageDropped { .. }
        | Event::HeaderAccepted { .. }
        | Event::BlockReceived { .. }
        | Event::BlockConnected { .. }
        | Event::TxAccepted { .. }
        | Event::TipChanged {
            how: TipChange::Extend, ..
        } => true,
        Event::TipChanged {
            how: TipChange::Reorg, ..
        }
        | Event::PeerConnected { .. }
        | Event::PeerDisconnected { .. }
        | Event::PeerPenalised { .. }
        | Event::BlockMined { .. }
        | Event::BlockRejected { .. }
        | Event::OrphanHeld { .. }
        | Event::OrphanResolved { .. }
        | Event::Reorg { .. }
        | Event::TxSubmitted { .. }
        | Event::TxRejected { .. }
        | Event::TxEvicted { .. }
        | Event::TxReplaced { .. } => false,
    }
}

/// How many blocks the steps ask for; where they ask for none, how many the time limit has room for.
fn expected_blocks(plan: &Plan) -> u64 {
    let (mut mined, mut highest) = (0, 0);
    for step in &plan.steps {
        match &step.kind {
            StepKind::Act {
                action: Action::Mine { blocks, .. },
                ..
            } => mined += u64::from(*blocks),
            StepKind::Wait {
                expectation: Expectation::Height { height, .. },
                ..
            } => highest = highest.max(u64::from(height.0)),
            StepKind::Act { .. }
            | StepKind::Wait { .. }
            | StepKind::Expect(_)
            | StepKind::Never(_)
            | StepKind::Sleep(_) => {}
        }
    }
    if mined + highest > 0 {
        return mined + highest;
    }
    let interval = plan.params.interval.as_millis().max(1);
    u64::try_from(plan.limit.as_millis() / interval).unwrap_or(u64::MAX)
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::Compact => "compact",
            Self::Summary => "summary",
        })
    }
}

#[cfg(test)]
mod tests {
    use chain::{Height, Params};
    use scenario::plan::{NodePlan, Step};

    use super::*;

    fn plan(nodes: usize, blocks: u32) -> Plan {
        let mut plan = Plan::empty("test", Params::instant());
        plan.nodes = vec![NodePlan::default(); nodes];
        let expectation = Expectation::Height {
            on: Vec::new(),
            height: Height(blocks),
            at_least: true,
        };
        plan.steps = vec![Step {
            line: 1,
            text: String::new(),
            kind: StepKind::Wait {
                expectation,
                within: plan.limit,
            },
        }];
        plan
    }

    #[test]
    fn detail_falls_as_runs_grow() {
        assert_eq!(Detail::for_plan(&plan(100, 100)), Detail::Full);
        assert_eq!(Detail::for_plan(&plan(10_000, 100)), Detail::Compact);
        assert_eq!(Detail::for_plan(&plan(20, 4_000_000)), Detail::Summary);
    }

    #[test]
    fn a_plan_that_asks_for_no_height_is_as_long_as_its_limit() {
        let mut plan = plan(10, 0);
        plan.params.interval = plan.limit / 7;
        assert_eq!(expected_blocks(&plan), 7);
    }
}
