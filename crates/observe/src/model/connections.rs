//! Who was connected to whom, at any time.

use std::collections::BTreeSet;

use base::{NodeId, Time};

use crate::limits::CONNECTION_CHANGES;

/// A connection as one end sees it: that end, and the other.
type End = (NodeId, NodeId);

/// A connection came or went.
#[derive(Clone, Copy, Debug)]
enum Change {
    Up(End),
    Down(End),
    /// A node is down, or up anew: it has no connections.
    Forgotten(NodeId),
}

/// All connections, as both ends told of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections {
    changes: Vec<(Time, Change)>,
    now: BTreeSet<End>,
    /// Pictures of all, and how many changes lie before each.
    pictures: Vec<(usize, BTreeSet<End>)>,
}

impl Connections {
    pub(super) fn up(&mut self, at: Time, node: NodeId, peer: NodeId) {
        self.change(at, Change::Up((node, peer)));
    }

    pub(super) fn down(&mut self, at: Time, node: NodeId, peer: NodeId) {
        self.change(at, Change::Down((node, peer)));
    }

    pub(super) fn forget(&mut self, at: Time, node: NodeId) {
        self.change(at, Change::Forgotten(node));
    }

    fn change(&mut self, at: Time, change: Change) {
        let pictured = self.pictures.last().map_or(0, |(changes, _)| *changes);
        // Pictures take no more room than the changes between them do.
        if self.changes.len() - pictured >= CONNECTION_CHANGES.max(self.now.len()) {
            self.pictures.push((self.changes.len(), self.now.clone()));
        }
        apply(&mut self.now, change);
        self.changes.push((at, change));
    }

    /// Every node's peers at a time, by [`NodeId`].
    pub(super) fn at(&self, at: Time, nodes: usize) -> Vec<Vec<NodeId>> {
        let until = self.changes.partition_point(|(when, _)| *when <= at);
        let pictured = self.pictures.partition_point(|(changes, _)| *changes <= until);
        let (from, mut ends) = match pictured.checked_sub(1) {
            Some(last) => self.pictures[last].clone(),
            None => (0, BTreeSet::new()),
        };
        for (_, change) in &self.changes[from..until] {
            apply(&mut ends, *change);
        }
        let mut peers = vec![Vec::new(); nodes];
        for (node, peer) in ends {
            peers[node.index()].push(peer);
        }
        peers
    }
}

fn apply(ends: &mut BTreeSet<End>, change: Change) {
    match change {
        Change::Up(end) => {
            ends.insert(end);
        }
        Change::Down(end) => {
            ends.remove(&end);
        }
        Change::Forgotten(node) => {
            let own: Vec<End> = ends
                .range((node, NodeId(0))..=(node, NodeId(u32::MAX)))
                .copied()
                .collect();
            for end in own {
                ends.remove(&end);
            }
        }
    }
}
