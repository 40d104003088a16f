//! How the links of a network of the literature are laid.

use base::{NodeId, Rng};

use super::LinkBounds;

/// A node gives up after so many tries per link it wants (`bitcoin-topology-helper.cc`).
const TRIES: usize = 10;

/// Links laid so far.
pub(super) struct Web {
    /// Each node's peers, whoever dialled.
    peers: Vec<Vec<usize>>,
    edges: Vec<(NodeId, NodeId)>,
}

/// Each node in turn dials so many others at random, or as many as there are, and accepts all who dial it (SimBlock's `BitcoinCoreTable`).
pub(super) fn outbound(degrees: &[usize], rng: &mut Rng) -> Vec<(NodeId, NodeId)> {
    let nodes = degrees.len();
    let mut web = Web::of(nodes);
    for (a, degree) in degrees.iter().enumerate() {
        for _ in 0..*degree {
            // Linked to all others: there is nobody left to dial.
            if web.peers[a].len() + 1 >= nodes {
                break;
            }
            let b = loop {
                let b = rng.index(nodes);
                if web.may_link(a, b) {
                    break b;
                }
            };
            web.link(a, b);
        }
    }
    web.edges
}

/// The first `pools` nodes are all linked to each other; then the pools, then all nodes in turn, dial others at random that are below their
/// greatest number of links, until they have their least or have tried ten times as often (`bitcoin-topology-helper.cc`).
pub(super) fn bounded(bounds: &[LinkBounds], pools: usize, rng: &mut Rng) -> Vec<(NodeId, NodeId)> {
    let mut web = Web::of(bounds.len());
    for a in 0..pools {
        (a + 1..pools).for_each(|b| web.link(a, b));
    }
    // A node takes no more links from others when it has left this list; its own dialling ends before that.
    let mut open: Vec<usize> = (0..bounds.len()).collect();
    for a in (0..pools).chain(0..bounds.len()) {
        let mut tries = TRIES * bounds[a].least;
        while web.peers[a].len() < bounds[a].least && tries > 0 && !open.is_empty() {
            tries -= 1;
            let place = rng.index(open.len());
            let b = open[place];
            if !web.may_link(a, b) {
                continue;
            }
            web.link(a, b);
            if web.peers[b].len() >= bounds[b].greatest {
                open.swap_remove(place);
            }
        }
    }
    web.edges
}

/// How many parts a network falls into; one when there is a path from everybody to everybody.
pub(super) fn parts(nodes: usize, edges: &[(NodeId, NodeId)]) -> usize {
    let mut parent: Vec<usize> = (0..nodes).collect();
    let mut parts = nodes;
    for (a, b) in edges {
        let (a, b) = (root(&mut parent, a.index()), root(&mut parent, b.index()));
        if a != b {
            parent[a] = b;
            parts -= 1;
        }
    }
    parts
}

/// The node that stands for the part `node` is in; paths are halved on the way.
fn root(parent: &mut [usize], mut node: usize) -> usize {
    while parent[node] != node {
        parent[node] = parent[parent[node]];
        node = parent[node];
    }
    node
}

impl Web {
    fn of(nodes: usize) -> Self {
        Self {
            peers: vec![Vec::new(); nodes],
            edges: Vec::new(),
        }
    }

    /// Whether they are two nodes without a link. The shorter list is searched: lists of pools are long.
    fn may_link(&self, a: usize, b: usize) -> bool {
        let (short, other) = if self.peers[a].len() <= self.peers[b].len() {
            (a, b)
        } else {
            (b, a)
        };
        a != b && !self.peers[short].contains(&other)
    }

    fn link(&mut self, a: usize, b: usize) {
        self.peers[a].push(b);
        self.peers[b].push(a);
        self.edges.push((NodeId::at(a), NodeId::at(b)));
    }
}
