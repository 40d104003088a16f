//! How often chains fork, by the delay of blocks: F1, F2, F3.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base::NodeId;
use chain::{CompactTarget, HashRate, Height, Params, ProofOfWork, Retarget};
use observe::Statistics;
use scenario::plan::{Expectation, LinkPlan, NodePlan, Step, StepKind};
use scenario::{Conditions, Plan};

use super::{Effort, Finding, as_f64, options, relative_noise};
use crate::engine::{self, Error};

/// The time between blocks of the whole network, where only its ratio to the delay matters.
const INTERVAL: Duration = Duration::from_secs(10);
/// Hashes per second of each miner.
const RATE: u64 = 1_000_000;
/// One-way latencies from a block's being found to its being connected: the header, the question, the body (BIP130).
const TRIPS: u32 = 3;
/// Links that each node of the random network dials.
const DIALS: usize = 3;

pub(super) fn two_miners(effort: Effort) -> Result<Vec<Finding>, Error> {
    full_mesh(2, effort)
}

pub(super) fn many_miners(effort: Effort) -> Result<Vec<Finding>, Error> {
    full_mesh(16, effort)
}

/// Equal miners, all linked to all by the same constant delay: a tenth of the interval until a block is connected.
fn full_mesh(miners: u32, effort: Effort) -> Result<Vec<Finding>, Error> {
    let delay = INTERVAL / 10;
    let pairs = (0..miners).flat_map(|a| (a + 1..miners).map(move |b| (NodeId(a), NodeId(b))));
    let blocks = effort.of(48_000 / (miners + 8), 60_000);
    let plan = network(
        miners,
        pairs.collect(),
        Timing {
            interval: INTERVAL,
            latency: delay / TRIPS,
            blocks,
        },
    );
    let stale = run(&plan)?.stale;
    let x = delay.as_secs_f64() / INTERVAL.as_secs_f64();
    let expected = (1.0 - 1.0 / f64::from(miners)) * x / (1.0 + x);
    Ok(vec![Finding {
        statistic: "stale share of blocks",
        expected,
        found: stale.share.unwrap_or(0.0),
        tolerance: expected * relative_noise(expected * as_f64(stale.of)),
        samples: (stale.of, "blocks"),
        reason: None,
    }])
}

/// Equal miners on a random network. Who heard what when is measured, as the law asks; a miner knows its own block at once.
pub(super) fn any_network(effort: Effort) -> Result<Vec<Finding>, Error> {
    const NODES: u32 = 20;
    let blocks = effort.of(1_500, 15_000);
    let timing = Timing {
        interval: INTERVAL,
        latency: INTERVAL / 150,
        blocks,
    };
    let plan = network(NODES, random_pairs(NODES), timing);
    let mut finished = engine::run(&plan, &options(), &mut |_| {})?;
    let statistics = finished.collector.finish(finished.at, finished.ending).statistics;
    let means: Vec<u64> = finished.collector.spread().node_means().collect();
    let mean = as_f64(means.iter().sum()) / as_f64(means.len().max(1) as u64) / 1e6;
    let unaware = mean * f64::from(NODES - 1) / f64::from(NODES);
    let expected = 1.0 - libm::exp(-unaware / INTERVAL.as_secs_f64());
    let forks = statistics.forks_per_block;
    Ok(vec![Finding {
        statistic: "forks per block",
        expected,
        found: forks.share.unwrap_or(0.0),
        tolerance: expected * relative_noise(expected * as_f64(forks.of)),
        samples: (forks.of, "heights"),
        reason: None,
    }])
}

pub(super) fn run(plan: &Arc<Plan>) -> Result<Statistics, Error> {
    let mut finished = engine::run(plan, &options(), &mut |_| {})?;
    let summary = finished.collector.finish(finished.at, finished.ending);
    Ok(summary.statistics)
}

fn random_pairs(nodes: u32) -> Vec<(NodeId, NodeId)> {
    let mut rng = base::Seed::from_number(1).child("laws/topology", 0).rng();
    let mut pairs = BTreeSet::new();
    for a in (0..nodes).map(NodeId) {
        let mut dialled = 0;
        while dialled < DIALS {
            let b = NodeId::at(rng.index(nodes as usize));
            if a != b && pairs.insert((a.min(b), a.max(b))) {
                dialled += 1;
            }
        }
    }
    pairs.into_iter().collect()
}

/// What a network of equal miners is like in time.
#[derive(Clone, Copy)]
pub(super) struct Timing {
    /// Between blocks of the whole network, in whole seconds.
    pub(super) interval: Duration,
    /// Of every link, one way.
    pub(super) latency: Duration,
    /// How many blocks it is to have.
    pub(super) blocks: u32,
}

/// A network of equal miners at constant difficulty that runs until the first has so many blocks.
pub(super) fn network(miners: u32, pairs: Vec<(NodeId, NodeId)>, timing: Timing) -> Arc<Plan> {
    let hashes = u128::from(RATE) * u128::from(miners) * u128::from(timing.interval.as_secs());
    let params = Params {
        retarget: Retarget::Fixed,
        interval: timing.interval,
        initial_bits: CompactTarget::from_expected_hashes(hashes),
        proof_of_work: ProofOfWork::Oracle,
        ..Params::instant()
    };
    let node = |index: u32| NodePlan {
        name: format!("n{index}"),
        hashrate: HashRate(RATE),
        started: true,
        ..NodePlan::default()
    };
    let conditions = Conditions {
        latency: timing.latency,
        ..Conditions::default()
    };
    let link = |(a, b)| LinkPlan { a, b, conditions };
    let within = Duration::from_secs(1 << 40);
    Arc::new(Plan {
        limit: within,
        nodes: (0..miners).map(node).collect(),
        links: pairs.into_iter().map(link).collect(),
        conditions,
        steps: vec![until(timing.blocks, within)],
        ..Plan::empty("law", params)
    })
}

/// Waits until the first node has so many blocks.
pub(super) fn until(blocks: u32, within: Duration) -> Step {
    let expectation = Expectation::Height {
        on: vec![NodeId(0)],
        height: Height(blocks),
        at_least: true,
    };
    Step {
        line: 1,
        text: "wait = \"height\"".to_owned(),
        kind: StepKind::Wait { expectation, within },
    }
}
