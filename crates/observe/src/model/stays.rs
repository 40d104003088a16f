//! Who was on which branch of a fork, from when to when.

use base::{NodeId, Time};

/// A node's stays on the branches of a fork, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeStays {
    /// The node.
    pub node: NodeId,
    /// Its stays: none overlap.
    pub stays: Vec<Stay>,
}

/// A node's stay on one branch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stay {
    /// Which.
    pub branch: usize,
    /// From when on: when it came, or the fork opened.
    pub from: Time,
    /// Until when: when it left, went down, or the fork was over; none while it is there.
    pub until: Option<Time>,
}

/// The stays of all nodes, as they are gathered.
#[derive(Debug)]
pub(super) struct Stays(Vec<Vec<Stay>>);

impl Stays {
    /// Of so many nodes, none so far.
    pub(super) fn new(nodes: usize) -> Self {
        Self(vec![Vec::new(); nodes])
    }

    /// A node is on a branch now, or on none: ends its stay and begins another, if that is elsewhere.
    pub(super) fn place(&mut self, at: Time, node: NodeId, branch: Option<usize>) {
        let stays = &mut self.0[node.index()];
        let there = stays.last_mut().filter(|stay| stay.until.is_none());
        if there.as_ref().map(|stay| stay.branch) == branch {
            return;
        }
        if let Some(stay) = there {
            stay.until = Some(at);
        }
        if let Some(branch) = branch {
            stays.push(Stay {
                branch,
                from: at,
                until: None,
            });
        }
    }

    /// The stays of the nodes that had any; those that go on end with the fork, if it is over.
    pub(super) fn until(mut self, end: Option<Time>) -> Vec<NodeStays> {
        for stay in self.0.iter_mut().filter_map(|stays| stays.last_mut()) {
            stay.until = stay.until.or(end);
        }
        let nodes = self.0.into_iter().enumerate();
        let stayed = nodes.filter(|(_, stays)| !stays.is_empty());
        let of_node = |(node, stays)| NodeStays {
            node: NodeId::at(node),
            stays,
        };
        stayed.map(of_node).collect()
    }
}
