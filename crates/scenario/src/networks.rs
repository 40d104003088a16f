//! Networks of the literature, as presets: where nodes are, how fast their lines are, whom they dial and who mines.
//!
//! - [`Network::preset`] finds one by its name, [`Network::sample`] draws nodes and links from it.
//! - `simblock` and `gervais` hold the figures, each with its source; `draw` the distributions they are given by; `wiring` how links are laid.
//!
//! A published model is kept as it was published, faults included; where ours differs, the field or function says so.

mod draw;
mod gervais;
mod sample;
mod simblock;
mod wiring;

use std::time::Duration;

use base::{NodeId, Rng};

/// A part of the world. Both families of presets know the same six.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "each is called what it is")]
pub enum Region {
    NorthAmerica,
    Europe,
    SouthAmerica,
    AsiaPacific,
    Japan,
    Australia,
}

/// One entry per region, in the order of [`Region::ALL`].
type PerRegion<T> = [T; Region::ALL.len()];

impl Region {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 6] = [
        Self::NorthAmerica,
        Self::Europe,
        Self::SouthAmerica,
        Self::AsiaPacific,
        Self::Japan,
        Self::Australia,
    ];

    /// Its name in scenario files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NorthAmerica => "north-america",
            Self::Europe => "europe",
            Self::SouthAmerica => "south-america",
            Self::AsiaPacific => "asia-pacific",
            Self::Japan => "japan",
            Self::Australia => "australia",
        }
    }

    /// Its place in a table.
    const fn index(self) -> usize {
        self as usize
    }
}

/// A model of a network.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Network {
    /// What scenario files call it.
    pub name: &'static str,
    /// Where its figures are from.
    pub source: &'static str,
    /// How many nodes the published runs have.
    pub nodes: usize,
    /// The time between blocks in the published runs.
    pub interval: Duration,
    /// The size of a block in the published runs; the mean where sizes vary.
    pub block_bytes: u32,
    /// What a node takes to handle a block of that size before it passes it on.
    pub processing: Duration,
    /// What every message but a block takes on top of its latency.
    pub message_overhead: Duration,
    /// When a latency is drawn.
    pub redraw: Redraw,
    /// How blocks share a node's upload.
    pub upload: Upload,
    /// The share of the nodes in each region; they add up to one.
    shares: PerRegion<f64>,
    /// Mean one-way delays in milliseconds, from the row's region to the column's.
    latency: &'static PerRegion<PerRegion<f64>>,
    bandwidth: Bandwidth,
    wiring: Wiring,
    mining: Mining,
}

/// When the latency between two nodes is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Redraw {
    /// For each message anew; a later message may overtake an earlier one.
    EachMessage,
    /// Once for a link, for both directions.
    EachLink,
}

/// How blocks share a node's upload. In both models a node has one queue for all its peers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Upload {
    /// The next block begins when the last has arrived: the line is idle while a block is under way.
    StopAndWait,
    /// The next block begins when the last has left at the sender's upload rate; what is under way delays nobody.
    Pipelined,
}

/// What the lines of nodes carry, in bits per second.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Bandwidth {
    /// The same for all nodes of a region.
    Nominal(&'static PerRegion<Line<u64>>),
    /// Drawn for each node.
    Drawn {
        regions: &'static PerRegion<Line<Quantiles>>,
        /// The line of a pool, in both directions.
        pools: u64,
    },
}

/// The two directions of a node's line.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Line<T> {
    download: T,
    upload: T,
}

/// A measured distribution of bandwidths, in Mbit/s.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Quantiles {
    mean: f64,
    /// At 5, 10, 25, 50, 75, 90 and 95 percent.
    at: [f64; 7],
}

/// Whom nodes dial.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Wiring {
    /// Each dials so many others at random and accepts all who dial it. Entry k is the share of nodes that dial at most k + 1.
    Outbound { at_most: &'static [f64] },
    /// Each dials until it has its least number of links, and accepts up to its greatest. Pools are all linked to each other.
    Bounded {
        bins: &'static [DegreeBin],
        pools: LinkBounds,
    },
}

/// Nodes whose least number of links is in `low..high`, each equally likely; their greatest is `slack` more.
#[derive(Clone, Copy, PartialEq, Debug)]
struct DegreeBin {
    low: usize,
    high: usize,
    slack: usize,
    percent: f64,
}

/// How many links a node wants, and how many it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct LinkBounds {
    least: usize,
    greatest: usize,
}

/// Who mines.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Mining {
    /// Everybody, with a normally distributed power in hashes per millisecond, at least one.
    Everybody { mean: f64, deviation: f64 },
    /// These; other nodes do not.
    Pools(&'static [Pool]),
}

/// A mining pool, run as one node.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Pool {
    share: f64,
    region: Region,
}

/// A network drawn from a model.
#[derive(Clone, PartialEq, Debug)]
pub struct Sampled {
    /// The nodes; a [`NodeId`] is a place in this list. Pools are the first, the largest first.
    pub nodes: Vec<SampledNode>,
    /// Who dials whom, each pair once.
    pub edges: Vec<(NodeId, NodeId)>,
}

/// A node of such a network.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SampledNode {
    /// Where it is.
    pub region: Region,
    /// Bits per second.
    pub upload: u64,
    /// Bits per second.
    pub download: u64,
    /// Its part of the network's hash power; all parts add up to one.
    pub hash_share: f64,
    /// How many others it dials.
    pub outbound: usize,
}

impl Network {
    /// Every preset.
    pub const PRESETS: [Self; 5] = [
        simblock::BITCOIN_2015,
        simblock::BITCOIN_2019,
        simblock::LITECOIN,
        simblock::DOGECOIN,
        gervais::BITCOIN,
    ];

    /// The preset of this name.
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        Self::PRESETS.into_iter().find(|network| network.name == name)
    }

    /// The share of the nodes that are in a region; of those that are no pools, where there are pools.
    #[must_use]
    pub const fn share(&self, region: Region) -> f64 {
        self.shares[region.index()]
    }

    /// The mean one-way delay between two regions.
    #[must_use]
    pub fn mean_latency(&self, from: Region, to: Region) -> Duration {
        Duration::from_secs_f64(self.latency[from.index()][to.index()] / 1_000.0)
    }

    /// A one-way delay between two regions, for one message or for one link as [`Network::redraw`] says.
    ///
    /// Pareto distributed: the shape is a fifth of the mean in milliseconds, which puts the floor five milliseconds below the mean.
    /// Below a mean of 10 ms (within Japan) the variance is infinite: rare delays are extreme, in the published models too.
    pub fn latency(&self, from: Region, to: Region, rng: &mut Rng) -> Duration {
        let millis = draw::pareto(self.latency[from.index()][to.index()], rng);
        Duration::try_from_secs_f64(millis / 1_000.0).expect("a draw of 53 bits is far below the greatest duration")
    }

    /// The bits per second at which a block goes from one node to another once its turn has come.
    #[must_use]
    pub fn rate(&self, from: &SampledNode, to: &SampledNode) -> u64 {
        match self.upload {
            Upload::StopAndWait => from.upload.min(to.download),
            // A link of ns-3 has one rate for both directions.
            Upload::Pipelined => from.upload.min(from.download).min(to.upload).min(to.download),
        }
    }
}

#[cfg(test)]
mod tests;
