//! Who is linked to whom at the start: the shapes of networks.

use std::collections::BTreeSet;

use base::{NodeId, Rng, Seed};

/// The shape of a network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Topology {
    /// Everybody with everybody.
    Full,
    /// Each with the next, the last with the first.
    Ring,
    /// Each with the next.
    Line,
    /// All with the first.
    Star,
    /// Each with its parent; a node has at most this many children.
    Tree {
        /// Children of a node.
        degree: usize,
    },
    /// Rows of a square, each with its neighbours to the right and below.
    Grid,
    /// A ring in which each is linked to its nearest, and a share of the longer links lead anywhere (Watts and Strogatz 1998).
    /// The ring itself stays, so that the network is connected.
    SmallWorld {
        /// Links of a node, half to each side.
        degree: usize,
        /// The share of longer links that lead anywhere, in millionths.
        rewire: u32,
    },
    /// Each new node links to earlier ones, the likelier the more links they have (Barabási and Albert 1999).
    ScaleFree {
        /// Links of a new node.
        degree: usize,
    },
    /// Each node dials so many others at random, as Bitcoin's nodes do; one of them is the next in a random ring, so that the network is
    /// connected.
    Random {
        /// How many each dials, or as many as there are.
        outbound: usize,
    },
    /// These.
    Edges(Vec<(NodeId, NodeId)>),
    /// Nobody with anybody.
    None,
}

impl Topology {
    /// What a file without a topology has.
    #[must_use]
    pub const fn default_for(nodes: usize) -> Self {
        if nodes < 10 {
            Self::Full
        } else {
            Self::Random { outbound: 8 }
        }
    }

    /// The most links it can have among so many nodes.
    #[must_use]
    pub fn most_links(&self, nodes: usize) -> usize {
        let all = nodes.saturating_mul(nodes.saturating_sub(1)) / 2;
        let links = match self {
            Self::Full => all,
            Self::Ring | Self::Line | Self::Star | Self::Tree { .. } => nodes,
            Self::Grid => nodes.saturating_mul(2),
            Self::SmallWorld { degree, .. } => nodes.saturating_mul((degree / 2).max(1)),
            Self::ScaleFree { degree: each } | Self::Random { outbound: each } => nodes.saturating_mul(*each),
            Self::Edges(edges) => edges.len(),
            Self::None => 0,
        };
        links.min(all)
    }

    /// The links among so many nodes: who dials whom, each pair once.
    #[must_use]
    pub fn links(&self, nodes: usize, seed: &Seed) -> Vec<(NodeId, NodeId)> {
        let mut links = Links::default();
        let mut rng = seed.rng();
        match self {
            Self::Full => (0..nodes).for_each(|a| (a + 1..nodes).for_each(|b| links.add(a, b))),
            Self::Ring => (0..nodes).for_each(|a| links.add(a, (a + 1) % nodes)),
            Self::Line => (1..nodes).for_each(|b| links.add(b - 1, b)),
            Self::Star => (1..nodes).for_each(|a| links.add(a, 0)),
            Self::Tree { degree } => (1..nodes).for_each(|a| links.add(a, (a - 1) / degree)),
            Self::Grid => links.grid(nodes),
            Self::SmallWorld { degree, rewire } => links.small_world(nodes, (*degree, *rewire), &mut rng),
            Self::ScaleFree { degree } => links.scale_free(nodes, *degree, &mut rng),
            Self::Random { outbound } => links.random(nodes, *outbound, &mut rng),
            Self::Edges(edges) => edges.iter().for_each(|(a, b)| links.add(a.index(), b.index())),
            Self::None => {}
        }
        links.list
    }
}

/// Links in the order they were added, each pair once.
#[derive(Default)]
struct Links {
    list: Vec<(NodeId, NodeId)>,
    pairs: BTreeSet<(usize, usize)>,
}

impl Links {
    /// Adds a link, unless it joins a node to itself or two that are linked already.
    fn add(&mut self, a: usize, b: usize) {
        if a != b && self.pairs.insert((a.min(b), a.max(b))) {
            self.list.push((NodeId::at(a), NodeId::at(b)));
        }
    }

    fn has(&self, a: usize, b: usize) -> bool {
        self.pairs.contains(&(a.min(b), a.max(b)))
    }

    fn grid(&mut self, nodes: usize) {
        let width = (1..=nodes).find(|width| width * width >= nodes).unwrap_or(1);
        for a in 0..nodes {
            if (a + 1) % width != 0 && a + 1 < nodes {
                self.add(a, a + 1);
            }
            if a + width < nodes {
                self.add(a, a + width);
            }
        }
    }

    fn small_world(&mut self, nodes: usize, (degree, rewire): (usize, u32), rng: &mut Rng) {
        for a in 0..nodes {
            self.add(a, (a + 1) % nodes);
        }
        for distance in 2..=(degree / 2).min(nodes / 2) {
            for a in 0..nodes {
                let mut b = (a + distance) % nodes;
                if rng.below(1_000_000) < u64::from(rewire) {
                    // Somewhere new is found at once, unless the node is linked to nearly all: then the lattice's own link will do.
                    let anywhere = (0..32)
                        .map(|_| rng.index(nodes))
                        .find(|far| *far != a && !self.has(a, *far));
                    b = anywhere.unwrap_or(b);
                }
                self.add(a, b);
            }
        }
    }

    fn scale_free(&mut self, nodes: usize, degree: usize, rng: &mut Rng) {
        let core = (degree + 1).min(nodes);
        for a in 0..core {
            (0..a).for_each(|b| self.add(a, b));
        }
        // Each node once per link: a draw from here is a draw by degree.
        let mut ends: Vec<usize> = self.list.iter().flat_map(|(a, b)| [a.index(), b.index()]).collect();
        for a in core..nodes {
            let mut chosen = BTreeSet::new();
            while chosen.len() < degree {
                chosen.insert(ends[rng.index(ends.len())]);
            }
            for b in chosen {
                self.add(a, b);
                ends.extend([a, b]);
            }
        }
    }

    fn random(&mut self, nodes: usize, outbound: usize, rng: &mut Rng) {
        let mut ring: Vec<usize> = (0..nodes).collect();
        rng.shuffle(&mut ring);
        let mut degrees = vec![0; nodes];
        for (place, a) in ring.iter().enumerate() {
            let b = ring[(place + 1) % nodes];
            if *a != b && !self.has(*a, b) {
                self.add(*a, b);
                degrees[*a] += 1;
                degrees[b] += 1;
            }
        }
        for a in 0..nodes {
            for _ in 1..outbound {
                // Linked to all others: there is nobody left to dial.
                if degrees[a] + 1 >= nodes {
                    break;
                }
                let b = loop {
                    let b = rng.index(nodes);
                    if b != a && !self.has(a, b) {
                        break b;
                    }
                };
                self.add(a, b);
                degrees[a] += 1;
                degrees[b] += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests;
