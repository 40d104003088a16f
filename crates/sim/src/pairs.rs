//! Pairs of nodes: who is wanted to be connected, who is, and what the two ways between them are like.
//!
//! What a node needs to tell all its peers something lies together, in the order of their names: it is the most of what a run does.

use std::time::Duration;

use base::{NodeId, Seed, prefetch};
use scenario::{Conditions, Link};

/// One direction between the two nodes of a pair: twice the pair's row, and one more when it leads from the higher node to the lower.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Way(u32);

impl Way {
    #[cfg(test)]
    pub(crate) const fn first() -> Self {
        Self(0)
    }

    /// The other direction.
    pub(crate) const fn reversed(self) -> Self {
        Self(self.0 ^ 1)
    }

    const fn is_back(self) -> bool {
        self.0 & 1 == 1
    }

    const fn row(self) -> usize {
        (self.0 >> 1) as usize
    }
}

/// Two nodes that have, had or shall have something to do with each other.
#[derive(Debug)]
pub(crate) struct Pair {
    lower: NodeId,
    higher: NodeId,
    /// The way from who dials, when a connection is wanted.
    pub(crate) wanted: Option<Way>,
    /// Whether connections are refused for now.
    pub(crate) severed: bool,
    /// Whether one will not hear of the other any more.
    pub(crate) discouraged: bool,
    /// The connection's number, while it is open or opening.
    connection: Option<u32>,
}

/// What leads from one node of a pair to the other: a cache line.
#[derive(Debug)]
pub(crate) struct Exit {
    /// Where it leads.
    pub(crate) to: NodeId,
    /// In which direction of which pair.
    pub(crate) way: Way,
    /// Where its opposite stands among the other node's exits.
    pub(crate) opposite: u32,
    /// The pair's.
    connection: u32,
    /// What it is like.
    pub(crate) link: Link,
}

/// How many exits are looked through one by one: as many as share a cache line.
const NEAR: usize = 16;

/// No connection's number.
const NO_CONNECTION: u32 = u32::MAX;

impl Exit {
    /// The connection's number, while it is open or opening.
    pub(crate) const fn connection(&self) -> Option<u32> {
        if self.connection == NO_CONNECTION {
            None
        } else {
            Some(self.connection)
        }
    }
}

/// All pairs, and for each node those it is in.
#[derive(Debug)]
pub(crate) struct Pairs {
    rows: Vec<Pair>,
    /// By node, then by the other node, in order.
    exits: Vec<Vec<Exit>>,
    /// Where they lead, alone: to look through these reads fewer cache lines.
    peers: Vec<Vec<NodeId>>,
    conditions: Conditions,
    root: Seed,
}

impl Pairs {
    /// These pairs, which are to be connected, who is named first dials, each with the conditions of both its ways, among so many nodes. `conditions` are those of ways of which nothing else is said.
    pub(crate) fn new(
        nodes: usize,
        pairs: impl Iterator<Item = (NodeId, NodeId, Conditions)> + Clone,
        (conditions, root): (Conditions, Seed),
    ) -> Self {
        let mut all = Self {
            rows: Vec::new(),
            exits: room_for_exits(nodes, pairs.clone().flat_map(|(a, b, _)| [a, b])),
            peers: Vec::new(),
            conditions,
            root,
        };
        for (a, b, conditions) in pairs {
            let way = all.add(a, b);
            all.rows[way.row()].wanted = Some(way);
            for (way, from, to) in [(way, a, b), (way.reversed(), b, a)] {
                let exit = all.exit(way, to, (from, conditions));
                all.exits[from.index()].push(exit);
            }
        }
        for exits in &mut all.exits {
            exits.sort_by_key(|exit| exit.to);
            all.peers.push(exits.iter().map(|exit| exit.to).collect());
        }
        all.tell_all_opposites();
        all
    }

    /// All exits stand where they stand from now on.
    fn tell_all_opposites(&mut self) {
        // Whom nodes come to in the order of their names have the exits back in that order.
        let mut met = vec![0_u32; self.exits.len()];
        for node in 0..self.exits.len() {
            for at in 0..self.exits[node].len() {
                let other = self.peers[node][at].index();
                let opposite = met[other];
                met[other] += 1;
                let opposite = &mut self.exits[other][opposite as usize];
                assert_eq!(opposite.to.index(), node, "each way has one back");
                opposite.opposite = u32::try_from(at).expect("fewer peers than nodes");
            }
        }
    }

    /// A new row; the way from the one to the other.
    fn add(&mut self, from: NodeId, to: NodeId) -> Way {
        let (lower, higher) = (from.min(to), from.max(to));
        let way = u32::try_from(2 * self.rows.len()).expect("memory ends before four billion ways");
        self.rows.push(Pair {
            lower,
            higher,
            wanted: None,
            severed: false,
            discouraged: false,
            connection: None,
        });
        Way(way + u32::from(from != lower))
    }

    fn exit(&self, way: Way, to: NodeId, (from, conditions): (NodeId, Conditions)) -> Exit {
        Exit {
            to,
            way,
            opposite: 0,
            connection: NO_CONNECTION,
            link: Link::new(conditions, || link_seed(&self.root, from, to)),
        }
    }

    /// A node's exits from a place on stand where they stand from now on.
    fn tell_opposites(&mut self, node: NodeId, first: usize) {
        for at in first..self.exits[node.index()].len() {
            let other = self.exits[node.index()][at].to;
            if let Some(opposite) = self.position(other, node) {
                self.exits[other.index()][opposite].opposite = u32::try_from(at).expect("fewer peers than nodes");
            }
        }
    }

    pub(crate) fn position(&self, from: NodeId, to: NodeId) -> Option<usize> {
        self.peers[from.index()].binary_search(&to).ok()
    }

    /// Where the exit from one node to another stands, when the two are a pair, for one of many that are asked for in their order: `hint` is
    /// where the next one is looked for first.
    pub(crate) fn position_after(&self, from: NodeId, to: NodeId, hint: &mut usize) -> Option<usize> {
        let peers = &self.peers[from.index()];
        let near = peers.iter().enumerate().skip(*hint).take(NEAR);
        let mut near = near.skip_while(|(_, peer)| **peer < to);
        let at = match near.next() {
            Some((at, peer)) if *peer == to => at,
            _ => self.position(from, to)?,
        };
        *hint = at + 1;
        Some(at)
    }

    /// The way from one node to another, who are a pair from now on.
    pub(crate) fn way(&mut self, from: NodeId, to: NodeId) -> Way {
        if let Some(at) = self.position(from, to) {
            return self.exits[from.index()][at].way;
        }
        let way = self.add(from, to);
        let places = [(way, from, to), (way.reversed(), to, from)].map(|(way, from, to)| {
            let exit = self.exit(way, to, (from, self.conditions));
            let at = self.peers[from.index()].partition_point(|known| *known < to);
            self.peers[from.index()].insert(at, to);
            self.exits[from.index()].insert(at, exit);
            (from, at)
        });
        for (node, at) in places {
            self.tell_opposites(node, at);
        }
        way
    }

    /// The ways that lead from a node, in the order of where they lead.
    pub(crate) fn from(&self, node: NodeId) -> impl Iterator<Item = Way> + '_ {
        self.exits[node.index()].iter().map(|exit| exit.way)
    }

    /// Has one of a node's exits fetched.
    pub(crate) fn glance(&self, (from, at): (NodeId, usize)) {
        prefetch(&self.exits[from.index()][at]);
    }

    /// Has fetched the exits that lead back to a node, if there is one of this number.
    pub(crate) fn glance_at_opposites(&self, node: usize) {
        for exit in self.exits.get(node).into_iter().flatten() {
            self.glance((exit.to, exit.opposite as usize));
        }
    }

    pub(crate) fn get(&self, way: Way) -> &Pair {
        &self.rows[way.row()]
    }

    pub(crate) fn get_mut(&mut self, way: Way) -> &mut Pair {
        &mut self.rows[way.row()]
    }

    /// The connection has this number from now on; gives the one before.
    pub(crate) fn set_connection(&mut self, way: Way, connection: Option<u32>) -> Option<u32> {
        for way in [way, way.reversed()] {
            let (from, at) = self.place(way);
            self.exits[from.index()][at].connection = connection.unwrap_or(NO_CONNECTION);
        }
        std::mem::replace(&mut self.rows[way.row()].connection, connection)
    }

    /// The connection that one of a node's exits is an end of has this number from now on.
    pub(crate) fn open(&mut self, (from, at): (NodeId, usize), connection: u32) {
        let exit = &mut self.exits[from.index()][at];
        exit.connection = connection;
        self.rows[exit.way.row()].connection = Some(connection);
    }

    /// Where the exit from one node to another stands, which stood at `hint` not long ago.
    pub(crate) fn position_near(&self, from: NodeId, to: NodeId, hint: u32) -> Option<usize> {
        let near = self.exits[from.index()].get(hint as usize);
        if near.is_some_and(|exit| exit.to == to) {
            return Some(hint as usize);
        }
        self.position(from, to)
    }

    /// Where a way leads from, and where to.
    pub(crate) fn ends(&self, way: Way) -> (NodeId, NodeId) {
        let pair = self.get(way);
        if way.is_back() {
            (pair.higher, pair.lower)
        } else {
            (pair.lower, pair.higher)
        }
    }

    /// Which of whose exits a way is.
    pub(crate) fn place(&self, way: Way) -> (NodeId, usize) {
        let (from, to) = self.ends(way);
        (from, self.position(from, to).expect("each row has two exits"))
    }

    /// A node's exits, in the order of where they lead.
    pub(crate) fn exits(&self, node: NodeId) -> &[Exit] {
        &self.exits[node.index()]
    }

    pub(crate) fn exit_mut(&mut self, from: NodeId, at: usize) -> &mut Exit {
        &mut self.exits[from.index()][at]
    }

    /// The one-way delay of a way, jitter aside.
    pub(crate) fn latency(&self, way: Way) -> Duration {
        let (from, at) = self.place(way);
        self.exits[from.index()][at].link.latency()
    }

    /// Changes what a way is like.
    pub(crate) fn set(&mut self, way: Way, conditions: Conditions) {
        let (from, at) = self.place(way);
        let exit = &mut self.exits[from.index()][at];
        exit.link.set(conditions, || link_seed(&self.root, from, exit.to));
    }
}

/// For each of so many nodes, room for as many exits as it is an end of pairs.
fn room_for_exits(nodes: usize, ends: impl Iterator<Item = NodeId>) -> Vec<Vec<Exit>> {
    let mut counts = vec![0; nodes];
    for end in ends {
        counts[end.index()] += 1;
    }
    counts.into_iter().map(Vec::with_capacity).collect()
}

fn link_seed(root: &Seed, from: NodeId, to: NodeId) -> Seed {
    root.child("link", (u64::from(from.0) << 32) | u64::from(to.0))
}

impl Pair {
    /// The connection's number, while it is open or opening.
    pub(crate) const fn connection(&self) -> Option<u32> {
        self.connection
    }

    /// Whether a connection is wanted and nothing stands against it.
    pub(crate) const fn may_connect(&self) -> bool {
        self.wanted.is_some() && !self.severed && !self.discouraged && self.connection.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(number: u32) -> NodeId {
        NodeId(number)
    }

    fn pairs(nodes: usize, known: &[(u32, u32)]) -> Pairs {
        let conditions = Conditions::default();
        let known = known.iter().map(|(a, b)| (n(*a), n(*b), conditions));
        Pairs::new(nodes, known, (conditions, Seed::from_number(1)))
    }

    fn leads_to(pairs: &Pairs, node: u32) -> Vec<u32> {
        pairs.exits(n(node)).iter().map(|exit| exit.to.0).collect()
    }

    #[test]
    fn the_two_ways_of_a_pair_share_a_row_and_have_an_exit_each() {
        let mut pairs = pairs(3, &[]);
        assert_eq!(pairs.position(n(2), n(0)), None);
        let way = pairs.way(n(2), n(0));
        assert_eq!(pairs.way(n(0), n(2)), way.reversed());
        assert_eq!((pairs.ends(way), pairs.rows.len()), ((n(2), n(0)), 1));
        let cut = Conditions {
            cut: true,
            ..Conditions::default()
        };
        pairs.set(way, cut);
        let is_cut = |way| {
            let (from, at) = pairs.place(way);
            pairs.exits(from)[at].link.is_cut()
        };
        assert!(is_cut(way) && !is_cut(way.reversed()));
    }

    #[test]
    fn a_nodes_ways_are_in_the_order_of_where_they_lead_and_know_their_opposites() {
        let mut pairs = pairs(5, &[(2, 3), (0, 2), (1, 4)]);
        assert_eq!(leads_to(&pairs, 2), [0, 3]);
        for other in [4, 1] {
            pairs.way(n(2), n(other));
        }
        assert_eq!(leads_to(&pairs, 2), [0, 1, 3, 4]);
        for node in (0..5).map(n) {
            for (at, exit) in (0..).zip(pairs.exits(node)) {
                let opposite = &pairs.exits(exit.to)[exit.opposite as usize];
                assert_eq!(
                    (opposite.to, opposite.opposite, opposite.way),
                    (node, at, exit.way.reversed())
                );
            }
        }
    }

    #[test]
    fn a_connection_is_seen_from_both_ends() {
        let mut pairs = pairs(2, &[(1, 0)]);
        let way = pairs.way(n(0), n(1));
        assert_eq!(pairs.set_connection(way, Some(7)), None);
        assert!(
            [n(0), n(1)]
                .iter()
                .all(|node| pairs.exits(*node)[0].connection() == Some(7))
        );
        assert_eq!(pairs.set_connection(way.reversed(), None), Some(7));
        assert!(
            [n(0), n(1)]
                .iter()
                .all(|node| pairs.exits(*node)[0].connection().is_none())
        );
    }
}
