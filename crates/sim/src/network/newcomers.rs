//! Nodes that have come up and done nothing since. What they are follows from the plan, so they are made when they do something.

use std::sync::Arc;

use base::{NodeId, Time};
use chain::{BlockRef, HashRate};
use node::{Command, Goal, Input, Neighbour, Outbox, Relay, Resting};

use super::Network;
use super::meetings::Meetings;

/// Who has not been made yet.
#[derive(Debug, Default)]
pub(super) struct Newcomers {
    /// Of all nodes; empty where each was made when it started.
    unmade: Vec<bool>,
    /// Where each node's exits begin among those of all.
    first: Vec<u32>,
    /// Whether the node dialled, for each of its exits.
    dialled: Vec<bool>,
    /// When mining began.
    mine_from: Option<Time>,
}

impl Newcomers {
    /// Whether a node is up and has not been made.
    pub(super) fn has(&self, node: NodeId) -> bool {
        self.unmade.get(node.index()).is_some_and(|is_unmade| *is_unmade)
    }

    fn take(&mut self, node: NodeId) -> bool {
        self.unmade.get_mut(node.index()).is_some_and(std::mem::take)
    }
}

impl Network {
    /// Whether all planned links came up at once.
    pub(crate) const fn came_up_at_once(&self) -> bool {
        !self.newcomers.unmade.is_empty()
    }

    /// Lets all nodes come up that run from the start, and meet.
    pub(super) fn come_up(&mut self, meetings: &Meetings) {
        let plan = Arc::clone(&self.plan);
        for node in plan.node_ids().filter(|node| plan.nodes[node.index()].started) {
            self.tell_of_start(node, 0);
        }
        self.meet(meetings);
        let mut exits = 0;
        let first = plan.node_ids().map(|node| {
            let first = u32::try_from(exits).expect("memory ends before four billion ways");
            exits += self.pairs.exits(node).len();
            first
        });
        let first: Vec<u32> = first.collect();
        let mut dialled = vec![false; exits];
        for (node, exit) in meetings.dialled() {
            dialled[(first[node.index()] + exit) as usize] = true;
        }
        self.newcomers = Newcomers {
            unmade: plan.nodes.iter().map(|node| node.started).collect(),
            first,
            dialled,
            mine_from: None,
        };
    }

    /// Makes a node that has not been made.
    pub(super) fn make(&mut self, node: NodeId) {
        if !self.newcomers.take(node) {
            return;
        }
        let mut core = self.new_core(node, HashRate::ZERO);
        let first = self.newcomers.first[node.index()] as usize;
        let exits = self.pairs.exits(node).iter().zip(&self.newcomers.dialled[first..]);
        let met = exits.filter(|(exit, _)| exit.connection().is_some());
        let ledger = &mut self.ledgers[0];
        core.be_greeted(ledger, met.map(|(exit, dialled)| (exit.to, *dialled)));
        let rate = self.plan.nodes[node.index()].hashrate;
        if let Some(at) = self.newcomers.mine_from.filter(|_| rate > HashRate::ZERO) {
            // What it searches for is known here.
            let begin = Input::Command(Command::SetHashRate(rate));
            core.handle(ledger, at, begin, &mut Outbox::new());
        }
        self.places[node.index()].node = Some(core);
    }

    /// Lets all newcomers mine as planned, and rest.
    pub(super) fn put_newcomers_to_rest(&mut self) {
        let nodes = || (0..self.places.len()).map(NodeId::at);
        let has_met_all = |node: &NodeId| {
            let mut exits = self.pairs.exits(*node).iter();
            exits.all(|exit| exit.connection().is_some())
        };
        let rests = |node: &NodeId| {
            self.beds.are_open() && self.plan.nodes[node.index()].relay == Relay::Headers && has_met_all(node)
        };
        let newcomers: Vec<NodeId> = nodes().filter(|node| self.newcomers.has(*node)).collect();
        let (resting, others): (Vec<NodeId>, Vec<NodeId>) = newcomers.into_iter().partition(rests);
        for node in others {
            self.make(node);
        }
        self.newcomers.mine_from = Some(self.now);
        let Some(first) = resting.first() else { return };
        let bed = Resting::newcomer(&self.plan.node_config(*first)).expect("honest nodes that tell headers rest");
        for node in resting {
            let exits = self.pairs.exits(node).iter();
            let neighbours = exits.filter_map(|exit| Some((Neighbour::newcomer(exit.to), exit.connection()?)));
            self.beds.lie_down(node, bed.clone(), neighbours);
        }
    }

    /// Lets a newcomer mine as planned.
    pub(super) fn begin_at_rest(&mut self, node: NodeId) {
        let bits = self.ledgers[0].next_bits(BlockRef::GENESIS);
        self.mine(node, Some(Goal { bits, on_demand: false }));
    }
}
