//! What has been begun so far, as far as the steps of operators are held against it.

use std::collections::{BTreeMap, BTreeSet};

use base::NodeId;
use chain::Amount;

use super::Director;
use crate::World;
use crate::build::operator::Standing;
use crate::plan::{Action, PaymentId, Plan, StepKind, WalletId};

/// What an action leaves behind that is seen neither in the world nor in the links.
#[derive(Debug)]
pub(super) struct Known {
    paid: BTreeSet<WalletId>,
    /// What the next block of a node pays, and how many blocks it had mined when that was ordered.
    pending: BTreeMap<NodeId, (Amount, u32)>,
    /// How many blocks each node will have mined when it has mined all that it was told to.
    promised: BTreeMap<NodeId, u32>,
    /// Of all double spends, those of steps to come among them.
    doubles: BTreeMap<PaymentId, [WalletId; 2]>,
    /// How many loads there are, those of steps to come among them.
    loads: u64,
}

impl Known {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut known = Self {
            paid: BTreeSet::new(),
            pending: BTreeMap::new(),
            promised: BTreeMap::new(),
            doubles: BTreeMap::new(),
            loads: 0,
        };
        for step in &plan.steps {
            if let StepKind::Act { action, .. } = &step.kind {
                known.is_named(action);
            }
        }
        known
    }

    /// Takes in what an action brings to know before it begins.
    pub(super) fn is_named(&mut self, action: &Action) {
        if let Action::DoubleSpend { payment, to, .. } = action {
            self.doubles.insert(*payment, *to);
        }
        if let Action::Load(load) = action {
            self.loads = self.loads.max(load.number + 1);
        }
    }

    /// Takes in that an action begins.
    pub(super) fn begins(&mut self, action: &Action, world: &World) {
        match action {
            Action::Fund { wallet, amount, on } => {
                self.paid.insert(*wallet);
                let mined = world.node(*on).mined;
                let before = self.pending(*on, world);
                let sum = before.checked_add(*amount).unwrap_or(Amount::MAX_MONEY);
                self.pending.insert(*on, (sum, mined));
            }
            Action::Send { to, .. } => {
                self.paid.insert(*to);
            }
            Action::DoubleSpend { to, .. } => self.paid.extend(to),
            // A node that goes down does not go on with what it was told to mine.
            Action::Stop { nodes }
            | Action::Kill { nodes }
            | Action::Restart { nodes }
            | Action::Upgrade { nodes, .. }
            | Action::Wipe { nodes } => {
                for node in nodes {
                    self.promised.remove(node);
                }
            }
            Action::Load(_)
            | Action::StopLoad { .. }
            | Action::Mine { .. }
            | Action::SetHashRate { .. }
            | Action::Partition { .. }
            | Action::Isolate { .. }
            | Action::Heal { .. }
            | Action::SetLink { .. }
            | Action::Connect { .. }
            | Action::Disconnect { .. }
            | Action::Start { .. }
            | Action::Pause { .. }
            | Action::Resume { .. }
            | Action::InjectBlock { .. } => {}
        }
    }

    /// What the next block of a node will pay: nothing that was ordered before the last.
    fn pending(&self, node: NodeId, world: &World) -> Amount {
        let ordered = self.pending.get(&node);
        let still = ordered.filter(|(_, mined)| *mined == world.node(node).mined);
        still.map_or(Amount::ZERO, |(amount, _)| *amount)
    }

    /// How many blocks a node will have mined when it has mined these too, after all that it was told to mine before.
    pub(super) fn promise(&mut self, node: NodeId, blocks: u32, world: &World) -> u32 {
        let before = self.promised.get(&node).copied().unwrap_or(0);
        let total = before.max(world.node(node).mined).saturating_add(blocks);
        self.promised.insert(node, total);
        total
    }
}

impl Director {
    /// What is so now, for a step to be held against.
    pub(super) fn standing(&self, world: &World) -> Standing {
        let pending = self.plan.node_ids().map(|node| (node, self.known.pending(node, world)));
        Standing {
            paused: self.plan.node_ids().filter(|node| world.node(*node).paused).collect(),
            running: world.nodes().iter().map(|node| node.running).collect(),
            linked: self.links.wanted().collect(),
            open_cuts: self.links.cuts().collect(),
            loading: self.loads.iter().map(|load| load.plan().from).collect(),
            paid: self.known.paid.clone(),
            pending: pending.filter(|(_, amount)| *amount > Amount::ZERO).collect(),
            doubles: self.known.doubles.clone(),
            loads: self.known.loads,
        }
    }
}
