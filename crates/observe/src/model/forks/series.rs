//! How nodes and hash power moved between the branches of a fork.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use base::{NodeId, Time};
use serde::Serialize;

use super::{ForkFacts, Members};
use crate::arrivals::{BlockNumber, Unreadable, What};
use crate::limits::MAX_SERIES_POINTS;
use crate::model::Model;
use crate::model::cast::{Change, Crew};
use crate::model::stays::{NodeStays, Stays};

/// How nodes and hash power moved between the branches of a fork, from its opening to its end, or until now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ForkSeries {
    /// Where things stood from each time on, at most [`MAX_SERIES_POINTS`].
    pub points: Vec<SeriesPoint>,
    /// Who was on which branch.
    pub sides: Vec<Side>,
    /// Each running node's stays on branches, from when to when: nodes that were on none are left out.
    #[serde(skip)]
    pub stays: Vec<NodeStays>,
}

/// Where things stood from a time on. Lists hold one entry for each branch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SeriesPoint {
    /// From when on.
    #[serde(rename = "t_us")]
    pub at: Time,
    /// How many running nodes were on each branch.
    pub nodes: Vec<u32>,
    /// Their hash power, in hashes per second.
    pub hash_power: Vec<u64>,
    /// How many running nodes were on none.
    pub elsewhere: u32,
}

/// Who was on one branch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Side {
    /// Which branch.
    pub branch: usize,
    /// The nodes that this branch was the first for.
    pub first_here: Vec<String>,
    /// The nodes that were on it at some time.
    pub ever_here: Vec<String>,
    /// The most running nodes that were on it at a time.
    pub most_nodes: u32,
    /// When the first node was seen on it, from the fork's opening on.
    pub from_us: Option<u64>,
    /// When the last node left it; none while one is there.
    pub until_us: Option<u64>,
}

/// Who is where, as a walk through the arrivals finds it.
struct Walk {
    members: Members,
    crew: Crew,
    /// The branch each node's tip is on.
    on: Vec<Option<usize>>,
    first_here: Vec<BTreeSet<NodeId>>,
    ever_here: Vec<BTreeSet<NodeId>>,
    sides_seen: BTreeSet<NodeId>,
    from: Vec<Option<Time>>,
    until: Vec<Option<Time>>,
    most: Vec<u32>,
    stays: Stays,
    points: Vec<SeriesPoint>,
    /// The least time between two points.
    step: u64,
}

impl Model {
    /// How nodes and hash power moved between the branches of a fork; none when there is no such fork.
    ///
    /// # Errors
    /// When what nodes followed was written to disk and cannot be read back.
    pub fn fork_series(&self, id: usize) -> Result<Option<ForkSeries>, Unreadable> {
        self.fork_series_until(id, self.now)
    }

    /// [`Model::fork_series`] up to some time.
    ///
    /// # Errors
    /// As there.
    pub fn fork_series_until(&self, id: usize, until: Time) -> Result<Option<ForkSeries>, Unreadable> {
        let Some(fork) = self.fork(id).filter(|fork| fork.opened <= until) else {
            return Ok(None);
        };
        let walk = self.walk_fork(fork, until)?;
        let micros = |times: Option<Time>| times.map(Time::as_micros);
        let side = |branch: usize| Side {
            branch,
            first_here: self.cast.ranges(walk.first_here[branch].iter().copied()),
            ever_here: self.cast.ranges(walk.ever_here[branch].iter().copied()),
            most_nodes: walk.most[branch],
            from_us: micros(walk.from[branch]),
            until_us: micros(walk.until[branch]),
        };
        let end = fork.end.as_ref().map(|(end, _)| *end).filter(|end| *end <= until);
        Ok(Some(ForkSeries {
            stays: walk.stays.until(end),
            sides: (0..walk.members.first.len()).map(side).collect(),
            points: walk.points,
        }))
    }

    fn walk_fork(&self, fork: &ForkFacts, until: Time) -> Result<Walk, Unreadable> {
        let end = fork.end.as_ref().map_or(until, |(end, _)| until.min(*end));
        let tips = self.arrivals.tips_at(fork.opened)?;
        let mut walk = Walk::new(
            self.members(fork, end),
            self.cast.crew_at(fork.opened),
            (fork.opened, end),
        );
        for (node, &tip) in tips.iter().enumerate() {
            walk.follow(fork.opened, NodeId::at(node), tip);
        }
        walk.note(fork.opened);
        let changes = self.cast.changes_within(fork.opened, end);
        let mut changes = changes.iter().filter(|change| change.at > fork.opened).peekable();
        let after = Time::from_micros(fork.opened.as_micros().saturating_add(1));
        self.arrivals.walk((after, end), |arrival| {
            while let Some(change) = changes.next_if(|change| change.at <= arrival.at) {
                walk.change(change);
            }
            if arrival.what == What::Followed {
                walk.follow(arrival.at, arrival.node, arrival.block);
                walk.note(arrival.at);
            }
            ControlFlow::Continue(())
        })?;
        changes.for_each(|change| walk.change(change));
        Ok(walk)
    }
}

impl ForkSeries {
    /// When nodes were most at odds: when the second of the branches first had the most followers that it ever had, and most nodes were on some
    /// branch. None when nothing is known of it.
    #[must_use]
    pub fn widest(&self) -> Option<Time> {
        let second = |point: &SeriesPoint| {
            let mut nodes = point.nodes.clone();
            nodes.sort_unstable();
            nodes.iter().rev().nth(1).copied().unwrap_or(0)
        };
        let first_of_equals = |(place, point): &(usize, &SeriesPoint)| {
            let all: u32 = point.nodes.iter().sum();
            (second(point), all, std::cmp::Reverse(*place))
        };
        let widest = self.points.iter().enumerate().max_by_key(first_of_equals);
        widest.map(|(_, point)| point.at)
    }
}

impl SeriesPoint {
    fn stands_like(&self, other: &Self) -> bool {
        self.nodes == other.nodes && self.hash_power == other.hash_power && self.elsewhere == other.elsewhere
    }
}

impl Walk {
    fn new(members: Members, crew: Crew, (from, to): (Time, Time)) -> Self {
        let (branches, nodes) = (members.first.len(), crew.running.len());
        Self {
            on: vec![None; nodes],
            members,
            crew,
            first_here: vec![BTreeSet::new(); branches],
            ever_here: vec![BTreeSet::new(); branches],
            sides_seen: BTreeSet::new(),
            from: vec![None; branches],
            until: vec![None; branches],
            most: vec![0; branches],
            stays: Stays::new(nodes),
            points: Vec::new(),
            step: (to.as_micros() - from.as_micros()) / (MAX_SERIES_POINTS as u64 - 2) + 1,
        }
    }

    /// A node goes up or down, or hashes faster or slower.
    fn change(&mut self, change: &Change) {
        self.crew.apply(change);
        self.stay(change.at, change.node);
        self.note(change.at);
    }

    fn stay(&mut self, at: Time, node: NodeId) {
        let branch = self.on[node.index()].filter(|_| self.crew.running[node.index()]);
        self.stays.place(at, node, branch);
    }

    fn follow(&mut self, at: Time, node: NodeId, tip: BlockNumber) {
        let branch = self.members.branch_of.get(&tip).copied();
        let left = std::mem::replace(&mut self.on[node.index()], branch);
        if let Some(branch) = branch {
            self.ever_here[branch].insert(node);
            self.from[branch].get_or_insert(at);
            self.until[branch] = None;
            if self.sides_seen.insert(node) {
                self.first_here[branch].insert(node);
            }
        }
        if let Some(left) = left.filter(|_| left != branch)
            && !self.on.contains(&Some(left))
        {
            self.until[left] = Some(at);
        }
        self.stay(at, node);
    }

    /// Notes where things stand, unless nothing is another; points that lie close together are one, the last of them.
    fn note(&mut self, at: Time) {
        let branches = self.members.first.len();
        let mut point = SeriesPoint {
            at,
            nodes: vec![0; branches],
            hash_power: vec![0; branches],
            elsewhere: 0,
        };
        for (node, branch) in self.on.iter().enumerate().filter(|(node, _)| self.crew.running[*node]) {
            match branch {
                Some(branch) => {
                    point.nodes[*branch] += 1;
                    point.hash_power[*branch] = point.hash_power[*branch].saturating_add(self.crew.rates[node].0);
                }
                None => point.elsewhere += 1,
            }
        }
        for (most, nodes) in self.most.iter_mut().zip(&point.nodes) {
            *most = (*most).max(*nodes);
        }
        match self.points.last_mut() {
            Some(last) if last.at.as_micros() / self.step == at.as_micros() / self.step => {
                point.at = last.at;
                *last = point;
            }
            Some(last) if last.stands_like(&point) => {}
            Some(_) | None => self.points.push(point),
        }
    }
}
