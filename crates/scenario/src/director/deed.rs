//! What a step has done to the network, for the log: names resolved, also those that operators gave.

use base::NodeId;
use chain::{HashRate, Txid};

use super::{Director, StepState};
use crate::plan::{Action, CutId, LinkChange, StepKind};

/// What a step has done that nodes do not tell of themselves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// Groups of nodes are cut from each other; nodes in no group are connected to all.
    Cut {
        /// What the cut is called.
        name: String,
        /// Who is with whom.
        groups: Vec<Vec<NodeId>>,
        /// Whether connections stay up and swallow what is sent.
        silent: bool,
    },
    /// A cut is over.
    Healed {
        /// What it was called; none when all were healed.
        name: Option<String>,
    },
    /// A link is another.
    LinkChanged {
        /// One end.
        a: NodeId,
        /// The other.
        b: NodeId,
        /// What of it.
        change: LinkChange,
        /// Whether only messages from `a` to `b` are concerned.
        one_way: bool,
    },
    /// A link is wanted, or no more.
    LinkWanted {
        /// One end.
        a: NodeId,
        /// The other.
        b: NodeId,
        /// Whether it is.
        wanted: bool,
    },
    /// Nodes hash faster or slower.
    HashRates(Vec<(NodeId, HashRate)>),
    /// Transactions were handed in: what they are called.
    Paid(Vec<(Txid, String)>),
}

impl Director {
    /// What a step has done, once it has passed.
    pub(super) fn deed(&self, kind: &StepKind, state: &StepState) -> Option<Deed> {
        match (kind, state) {
            (StepKind::Act { action, .. }, StepState::Passed { .. }) => self.deed_of(action),
            (StepKind::Act { .. }, StepState::Started | StepState::Failed { .. })
            | (StepKind::Expect(_) | StepKind::Wait { .. } | StepKind::Never(_) | StepKind::Sleep(_), _) => None,
        }
    }

    fn deed_of(&self, action: &Action) -> Option<Deed> {
        let cut_name = |cut: &CutId| self.plan.cuts[cut.0].clone();
        match action {
            Action::Partition { cut, groups, silent } => Some(Deed::Cut {
                name: cut_name(cut),
                groups: groups.clone(),
                silent: *silent,
            }),
            Action::Isolate { cut, node, silent } => {
                let others = self.plan.node_ids().filter(|other| other != node);
                Some(Deed::Cut {
                    name: cut_name(cut),
                    groups: vec![vec![*node], others.collect()],
                    silent: *silent,
                })
            }
            Action::Heal { cut } => Some(Deed::Healed {
                name: cut.as_ref().map(cut_name),
            }),
            &Action::SetLink {
                a,
                b,
                conditions,
                one_way,
            } => Some(Deed::LinkChanged {
                a,
                b,
                change: conditions,
                one_way,
            }),
            &Action::Connect { a, b } => Some(Deed::LinkWanted { a, b, wanted: true }),
            &Action::Disconnect { a, b } => Some(Deed::LinkWanted { a, b, wanted: false }),
            Action::SetHashRate { rates } => Some(Deed::HashRates(rates.clone())),
            Action::Send { payment, .. } | Action::DoubleSpend { payment, .. } => {
                let made = self.wallets.payment(*payment)?;
                Some(Deed::Paid(made.labels(*payment, &self.plan).collect()))
            }
            // Nodes, blocks and transactions tell of these themselves.
            Action::Fund { .. }
            | Action::Load(_)
            | Action::StopLoad { .. }
            | Action::Mine { .. }
            | Action::Start { .. }
            | Action::Stop { .. }
            | Action::Kill { .. }
            | Action::Restart { .. }
            | Action::Upgrade { .. }
            | Action::Pause { .. }
            | Action::Resume { .. }
            | Action::Wipe { .. }
            | Action::InjectBlock { .. } => None,
        }
    }
}
