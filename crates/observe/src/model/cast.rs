//! The nodes of a run: names, hash power, and when each was up.

use std::collections::BTreeMap;

use base::{NodeId, Time};
use chain::HashRate;

use crate::told::Participant;

/// The nodes. See the module's documentation.
#[derive(Clone, Debug, Default)]
pub struct Cast {
    names: Vec<String>,
    by_name: BTreeMap<String, NodeId>,
    strategies: Vec<String>,
    /// Where each is, in a network of the literature.
    regions: Vec<Option<String>>,
    rates: Vec<HashRate>,
    changes: Vec<Change>,
}

/// Something changed with a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub(super) at: Time,
    pub(super) node: NodeId,
    pub(super) what: ChangeKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ChangeKind {
    Up,
    Down,
    Paused,
    Resumed,
    /// It has fallen behind.
    Behind,
    CaughtUp,
    Rate(HashRate),
}

/// Which nodes are up, and how much each hashes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Crew {
    pub(super) running: Vec<bool>,
    pub(super) paused: Vec<bool>,
    pub(super) behind: Vec<bool>,
    pub(super) rates: Vec<HashRate>,
}

impl Crew {
    pub(super) fn apply(&mut self, change: &Change) {
        let node = change.node.index();
        match change.what {
            ChangeKind::Up => self.running[node] = true,
            ChangeKind::Down => {
                self.running[node] = false;
                self.paused[node] = false;
                self.behind[node] = false;
            }
            ChangeKind::Paused => self.paused[node] = true,
            ChangeKind::Resumed => self.paused[node] = false,
            ChangeKind::Behind => self.behind[node] = true,
            ChangeKind::CaughtUp => self.behind[node] = false,
            ChangeKind::Rate(rate) => self.rates[node] = rate,
        }
    }
}

impl Cast {
    pub(super) fn new(participants: &[Participant]) -> Self {
        let mut cast = Self::default();
        for participant in participants {
            cast.by_name
                .insert(participant.name.clone(), NodeId::at(cast.names.len()));
            cast.names.push(participant.name.clone());
            cast.strategies.push(participant.strategy.clone());
            cast.regions.push(None);
            cast.rates.push(rate(&participant.hashrate));
        }
        cast
    }

    pub(super) fn change(&mut self, at: Time, node: NodeId, what: ChangeKind) {
        self.changes.push(Change { at, node, what });
    }

    /// A node is up, and says where it is.
    pub(super) fn place(&mut self, node: NodeId, region: Option<String>) {
        self.regions[node.index()] = region;
    }

    /// How many nodes there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none: before the log's first event.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Their names, by [`NodeId`].
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A node's name.
    #[must_use]
    pub fn name(&self, node: NodeId) -> &str {
        &self.names[node.index()]
    }

    /// How a node behaves.
    #[must_use]
    pub fn strategy(&self, node: NodeId) -> &str {
        &self.strategies[node.index()]
    }

    /// Where a node is, in a network of the literature; none in others, and before it has started.
    #[must_use]
    pub fn region(&self, node: NodeId) -> Option<&str> {
        self.regions[node.index()].as_deref()
    }

    /// The node of a name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    /// The nodes that names and ranges of names stand for, as the log has them: `n0..n3`. Unknown names are left out.
    pub fn nodes<'a>(&self, names: impl IntoIterator<Item = &'a String>) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        for name in names {
            if let Some(node) = self.node(name) {
                nodes.push(node);
            } else if let Some((first, last)) = name.split_once("..")
                && let (Some(first), Some(last)) = (self.node(first), self.node(last))
            {
                nodes.extend((first.0..=last.0).map(NodeId));
            }
        }
        nodes
    }

    /// Nodes by name, neighbours as ranges.
    #[must_use]
    pub fn ranges(&self, nodes: impl IntoIterator<Item = NodeId>) -> Vec<String> {
        scenario::words::ranges(|node| self.name(node), nodes)
    }

    /// Who was up at a time, and how much each hashed.
    pub(super) fn crew_at(&self, at: Time) -> Crew {
        let mut crew = Crew {
            running: vec![false; self.len()],
            paused: vec![false; self.len()],
            behind: vec![false; self.len()],
            rates: self.rates.clone(),
        };
        for change in self.changes_within(Time::ZERO, at) {
            crew.apply(change);
        }
        crew
    }

    /// What changed from one time to another, both included.
    pub(super) fn changes_within(&self, from: Time, to: Time) -> &[Change] {
        let begun = self.changes.partition_point(|change| change.at < from);
        let ended = self.changes.partition_point(|change| change.at <= to);
        &self.changes[begun..ended.max(begun)]
    }
}

/// Hashes per second, as the log writes them.
pub(super) fn rate(text: &str) -> HashRate {
    HashRate(text.parse().unwrap_or(0))
}
