//! What many blocks say together: how often chains fork, how fast blocks spread, who earned what.
//!
//! Counts and times are integers and exact; shares and their intervals are for people and for comparing with the literature. Nothing but
//! the four operations and the square root is done with them, which give the same bits on every machine.

mod interval;
mod proportion;

use std::collections::BTreeMap;

use base::{NodeId, Time};
use chain::HashRate;
use serde::Serialize;

use crate::Collector;
use crate::spread::{BlockSpread, SpreadMeter, percentile};

pub use interval::Intervals;
pub use proportion::{Proportion, Z_99};

/// Miners that a summary lists; a scenario with more has most of them earn nothing.
const MAX_MINERS: usize = 1_000;

/// The statistics of a run.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Statistics {
    /// Stale blocks, of all that were mined.
    pub stale: Proportion,
    /// Forks that opened, for each block of the best chain.
    pub forks_per_block: Proportion,
    /// The time between neighbours of the best chain; none when it has fewer than two blocks.
    pub intervals: Option<Intervals>,
    /// How blocks spread, block by block, as SimBlock reports it.
    pub spread_by_block: Option<Delays>,
    /// How blocks spread, node by node, as Gervais et al. report it.
    pub spread_by_node: Option<Delays>,
    /// Who mined the best chain; those without hash power who mined nothing are missing.
    pub revenue: Vec<Revenue>,
    /// Bytes that nodes sent.
    pub bytes_sent: Bytes,
    /// How many reorgs there were, by depth.
    pub reorg_depths: BTreeMap<usize, u64>,
}

/// Percentiles of delays, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Delays {
    /// How many blocks, or nodes, they are from.
    pub samples: usize,
    /// The mean over blocks of the time after which half of the nodes had the block; or the median over nodes of the node's mean delay.
    pub p50_us: u64,
    /// The same for nine of ten nodes.
    pub p90_us: u64,
    /// The same for ninety-nine of a hundred.
    pub p99_us: u64,
}

/// What a miner earned.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Revenue {
    /// Its name.
    pub node: String,
    /// Its blocks, of all on the best chain.
    pub blocks: Proportion,
    /// Its part of the hash power that the run began with.
    pub hash_share: f64,
}

/// Bytes that nodes sent: one node's, over all nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Bytes {
    /// All nodes together.
    pub total: u64,
    /// The mean, rounded down.
    pub mean: u64,
    /// The median node.
    pub p50: u64,
    /// Nine of ten sent no more than this.
    pub p90: u64,
    /// Nobody sent more.
    pub most: u64,
}

impl Statistics {
    /// The statistics of what has been observed so far.
    #[must_use]
    pub fn of(collector: &Collector) -> Self {
        let chain = collector.best_chain();
        let blocks = collector.world().blocks().len() as u64 - 1;
        let stale = chain.stale().count() as u64;
        let mined: Vec<Time> = best_chain_times(collector);
        Self {
            stale: Proportion::new(stale, blocks),
            forks_per_block: Proportion::new(collector.forks().len() as u64, u64::from(chain.height.0)),
            intervals: Intervals::between(&mined),
            spread_by_block: by_block(collector.spread()),
            spread_by_node: by_node(collector.spread()),
            revenue: revenue(collector),
            bytes_sent: bytes_sent(collector),
            reorg_depths: collector.history().reorg_depths().clone(),
        }
    }
}

/// When the blocks of the best chain were first seen, the genesis block aside, by height.
fn best_chain_times(collector: &Collector) -> Vec<Time> {
    let (chain, world) = (collector.best_chain(), collector.world());
    let mut times = Vec::new();
    let mut at = world.block(&chain.tip);
    while let Some(facts) = at.filter(|facts| facts.height.0 > 0) {
        times.push(facts.first_seen);
        at = world.block(&facts.parent);
    }
    times.reverse();
    times
}

/// SimBlock's definition: each block's percentile over the nodes it reached; then the mean over blocks.
fn by_block(spread: &SpreadMeter) -> Option<Delays> {
    let mean = |delay: fn(BlockSpread) -> Option<u64>| mean(spread.all().filter_map(delay));
    Some(Delays {
        samples: spread.all().filter(|block| block.p50_us.is_some()).count(),
        p50_us: mean(|block| block.p50_us)?,
        p90_us: mean(|block| block.p90_us)?,
        p99_us: mean(|block| block.p99_us)?,
    })
}

/// Gervais' definition: each node's mean delay over the blocks that reached it; then the percentile over nodes.
fn by_node(spread: &SpreadMeter) -> Option<Delays> {
    let mut means: Vec<u64> = spread.node_means().collect();
    means.sort_unstable();
    Some(Delays {
        samples: means.len(),
        p50_us: percentile(&means, 50)?,
        p90_us: percentile(&means, 90)?,
        p99_us: percentile(&means, 99)?,
    })
}

fn mean(values: impl Iterator<Item = u64>) -> Option<u64> {
    let (sum, count) = values.fold((0_u128, 0_u128), |(sum, count), value| {
        (sum + u128::from(value), count + 1)
    });
    let mean = sum.checked_div(count)?;
    Some(u64::try_from(mean).expect("a mean is not above the greatest"))
}

#[expect(clippy::cast_precision_loss, reason = "shares for people")]
fn revenue(collector: &Collector) -> Vec<Revenue> {
    let (plan, world, chain) = (collector.plan(), collector.world(), collector.best_chain());
    let mut mined: BTreeMap<NodeId, u64> = BTreeMap::new();
    for miner in world
        .blocks()
        .iter()
        .filter(|(id, _)| chain.contains(id))
        .filter_map(|(_, facts)| facts.miner)
    {
        *mined.entry(miner).or_default() += 1;
    }
    let rate = |node: NodeId| plan.nodes[node.index()].hashrate;
    let all: HashRate = plan.node_ids().map(rate).sum();
    let earns = |node: &NodeId| rate(*node) > HashRate::ZERO || mined.contains_key(node);
    let share = |node: NodeId| Revenue {
        node: plan.name_of(node).to_owned(),
        blocks: Proportion::new(mined.get(&node).copied().unwrap_or(0), u64::from(chain.height.0)),
        hash_share: rate(node).0 as f64 / all.0.max(1) as f64,
    };
    plan.node_ids().filter(earns).take(MAX_MINERS).map(share).collect()
}

fn bytes_sent(collector: &Collector) -> Bytes {
    let mut sent: Vec<u64> = collector
        .history()
        .sent_by_node()
        .iter()
        .map(|traffic| traffic.bytes)
        .collect();
    sent.sort_unstable();
    let total: u64 = sent.iter().sum();
    Bytes {
        total,
        mean: total / (sent.len() as u64).max(1),
        p50: percentile(&sent, 50).unwrap_or(0),
        p90: percentile(&sent, 90).unwrap_or(0),
        most: sent.last().copied().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests;
