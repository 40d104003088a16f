//! Who was on which branch of a fork, from when to when.

use std::ops::ControlFlow;

use base::{NodeId, Time};

use super::Model;
use super::cast::{Change, Crew};
use super::forks::Members;
use crate::arrivals::{BlockNumber, Unreadable, What};

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

/// Nodes as a walk through the arrivals finds them.
struct Walk {
    members: Members,
    crew: Crew,
    tips: Vec<BlockNumber>,
    stays: Vec<Vec<Stay>>,
}

impl Model {
    /// Who was on which branch of a fork, from when to when: nodes that were on none are left out. None when there is no such fork.
    ///
    /// # Errors
    /// When what nodes followed was written to disk and cannot be read back.
    pub fn fork_stays(&self, id: usize) -> Result<Option<Vec<NodeStays>>, Unreadable> {
        let Some(fork) = self.fork(id) else { return Ok(None) };
        let end = fork.end.as_ref().map(|(end, _)| *end);
        let until = end.unwrap_or(self.now);
        let tips = self.arrivals.tips_at(fork.opened)?;
        let mut walk = Walk {
            members: self.members(fork, until),
            crew: self.cast.crew_at(fork.opened),
            stays: vec![Vec::new(); tips.len()],
            tips,
        };
        for node in 0..walk.tips.len() {
            walk.place(fork.opened, NodeId::at(node));
        }
        let mut changes = self.cast.changes_within(fork.opened, until).iter().peekable();
        let after = Time::from_micros(fork.opened.as_micros().saturating_add(1));
        self.arrivals.walk((after, until), |arrival| {
            while let Some(change) = changes.next_if(|change| change.at <= arrival.at) {
                walk.change(change);
            }
            if arrival.what == What::Followed {
                walk.tips[arrival.node.index()] = arrival.block;
                walk.place(arrival.at, arrival.node);
            }
            ControlFlow::Continue(())
        })?;
        changes.for_each(|change| walk.change(change));
        for stay in walk.stays.iter_mut().filter_map(|stays| stays.last_mut()) {
            stay.until = stay.until.or(end);
        }
        let stays = walk
            .stays
            .into_iter()
            .enumerate()
            .filter(|(_, stays)| !stays.is_empty());
        let of_node = |(node, stays)| NodeStays {
            node: NodeId::at(node),
            stays,
        };
        Ok(Some(stays.map(of_node).collect()))
    }
}

impl Walk {
    fn change(&mut self, change: &Change) {
        self.crew.apply(change);
        self.place(change.at, change.node);
    }

    /// Ends a node's stay and begins another, if it is elsewhere now.
    fn place(&mut self, at: Time, node: NodeId) {
        let branch = self.members.branch_of.get(&self.tips[node.index()]).copied();
        let branch = branch.filter(|_| self.crew.running[node.index()]);
        let stays = &mut self.stays[node.index()];
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
}
