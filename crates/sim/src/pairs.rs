//! Pairs of nodes as rows: who is wanted to be connected, who is, and what the two ways between them are like.

use base::{NodeId, Seed};
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

    const fn index(self) -> usize {
        self.0 as usize
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
    pub(crate) connection: Option<u32>,
}

/// All pairs, and for each node those it is in.
#[derive(Debug)]
pub(crate) struct Pairs {
    rows: Vec<Pair>,
    /// By way: two for each row.
    links: Vec<Link>,
    /// By node, then by the other node, in order.
    of: Vec<Vec<(NodeId, Way)>>,
    conditions: Conditions,
    root: Seed,
}

impl Pairs {
    /// No pairs yet among so many nodes. `conditions` are those of ways of which nothing else is said.
    pub(crate) fn new(nodes: usize, conditions: Conditions, root: Seed) -> Self {
        Self {
            rows: Vec::new(),
            links: Vec::new(),
            of: vec![Vec::new(); nodes],
            conditions,
            root,
        }
    }

    /// The way from one node to another, when the two are a pair.
    pub(crate) fn find(&self, from: NodeId, to: NodeId) -> Option<Way> {
        self.find_after(from, to, &mut 0)
    }

    /// The same for one of many that are asked for in their order: `hint` is where the next one is looked for first.
    pub(crate) fn find_after(&self, from: NodeId, to: NodeId, hint: &mut usize) -> Option<Way> {
        let others = &self.of[from.index()];
        let at = if others.get(*hint).is_some_and(|(other, _)| *other == to) {
            *hint
        } else {
            others.binary_search_by_key(&to, |(other, _)| *other).ok()?
        };
        *hint = at + 1;
        Some(others[at].1)
    }

    /// The way from one node to another, who are a pair from now on.
    pub(crate) fn way(&mut self, from: NodeId, to: NodeId) -> Way {
        if let Some(way) = self.find(from, to) {
            return way;
        }
        let (lower, higher) = (from.min(to), from.max(to));
        let ways = u32::try_from(self.links.len()).expect("memory ends before four billion ways");
        self.rows.push(Pair {
            lower,
            higher,
            wanted: None,
            severed: false,
            discouraged: false,
            connection: None,
        });
        for (from, to) in [(lower, higher), (higher, lower)] {
            self.links
                .push(Link::new(self.conditions, || link_seed(&self.root, from, to)));
        }
        let way = Way(ways + u32::from(from != lower));
        self.enlist(from, to, way);
        self.enlist(to, from, way.reversed());
        way
    }

    fn enlist(&mut self, node: NodeId, other: NodeId, way: Way) {
        let others = &mut self.of[node.index()];
        let at = others.partition_point(|(known, _)| *known < other);
        others.insert(at, (other, way));
    }

    /// The ways that lead from a node, in the order of where they lead.
    pub(crate) fn from(&self, node: NodeId) -> impl Iterator<Item = Way> + '_ {
        self.of[node.index()].iter().map(|(_, way)| *way)
    }

    pub(crate) fn get(&self, way: Way) -> &Pair {
        &self.rows[way.row()]
    }

    pub(crate) fn get_mut(&mut self, way: Way) -> &mut Pair {
        &mut self.rows[way.row()]
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

    pub(crate) fn link(&self, way: Way) -> &Link {
        &self.links[way.index()]
    }

    pub(crate) fn link_mut(&mut self, way: Way) -> &mut Link {
        &mut self.links[way.index()]
    }

    /// Changes what a way is like.
    pub(crate) fn set(&mut self, way: Way, conditions: Conditions) {
        let (from, to) = self.ends(way);
        self.links[way.index()].set(conditions, || link_seed(&self.root, from, to));
    }
}

fn link_seed(root: &Seed, from: NodeId, to: NodeId) -> Seed {
    root.child("link", (u64::from(from.0) << 32) | u64::from(to.0))
}

impl Pair {
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

    #[test]
    fn the_two_ways_of_a_pair_share_a_row_and_have_a_link_each() {
        let mut pairs = Pairs::new(3, Conditions::default(), Seed::from_number(1));
        assert_eq!(pairs.find(n(2), n(0)), None);
        let way = pairs.way(n(2), n(0));
        assert_eq!(pairs.way(n(0), n(2)), way.reversed());
        assert_eq!((pairs.ends(way), pairs.rows.len()), ((n(2), n(0)), 1));
        let cut = Conditions {
            cut: true,
            ..Conditions::default()
        };
        pairs.set(way, cut);
        assert!(pairs.link(way).is_cut() && !pairs.link(way.reversed()).is_cut());
    }

    #[test]
    fn a_nodes_ways_are_in_the_order_of_where_they_lead() {
        let mut pairs = Pairs::new(4, Conditions::default(), Seed::from_number(1));
        for other in [3, 0, 1] {
            pairs.way(n(2), n(other));
        }
        let leads_to: Vec<u32> = pairs.from(n(2)).map(|way| pairs.ends(way).1.0).collect();
        assert_eq!(leads_to, [0, 1, 3]);
    }
}
