//! Networks that others have simulated, with their parameters: M1, M3, G1, G2.

use std::sync::Arc;
use std::time::Duration;

use observe::Statistics;
use observe::stats::Delays;
use scenario::{Overrides, Plan};

use super::{Effort, Finding, as_f64, forks, relative_noise};
use crate::engine::Error;

/// SimBlock's own spread between seeds.
const SIMBLOCK_LITECOIN: f64 = 0.05;
const SIMBLOCK_BITCOIN: f64 = 0.10;
/// What differences of the models may do to Gervais et al.'s propagation.
const GERVAIS: f64 = 0.25;

/// SimBlock draws a new network for each seed, so some are run.
const GRAPHS: u64 = 3;

/// Why our spread differs from SimBlock's where it does.
const SIMBLOCK_REASON: &str =
    "our nodes speak a whole protocol: handshakes, headers first, one body at a time from one peer";
/// Why our figures differ from those of Gervais et al. where they do.
const GERVAIS_REASON: &str =
    "published with the real distribution of block sizes and TCP over ns-3; ours has the mean size and ideal queues";

pub(super) fn simblock_litecoin(effort: Effort) -> Result<Vec<Finding>, Error> {
    let graphs = graphs("simblock-litecoin", effort.of(10, 300))?;
    Ok(vec![simblock(
        "mean of blocks' p50, s",
        &graphs,
        (0.825, |delays| delays.p50_us),
        SIMBLOCK_LITECOIN,
    )])
}

pub(super) fn simblock_bitcoin(effort: Effort) -> Result<Vec<Finding>, Error> {
    let graphs = graphs("simblock-bitcoin-2015", effort.of(10, 200))?;
    Ok(vec![
        simblock(
            "mean of blocks' p50, s",
            &graphs,
            (9.4, |delays| delays.p50_us),
            SIMBLOCK_BITCOIN,
        ),
        simblock(
            "mean of blocks' p90, s",
            &graphs,
            (14.2, |delays| delays.p90_us),
            SIMBLOCK_BITCOIN,
        ),
    ])
}

fn simblock(
    statistic: &'static str,
    graphs: &[Statistics],
    (expected, delay): (f64, fn(&Delays) -> u64),
    relative: f64,
) -> Finding {
    let spreads: Vec<&Delays> = graphs
        .iter()
        .filter_map(|graph| graph.spread_by_block.as_ref())
        .collect();
    let blocks: usize = spreads.iter().map(|delays| delays.samples).sum();
    let sum: f64 = spreads
        .iter()
        .map(|delays| as_f64(delay(delays)) / 1e6 * as_f64(delays.samples as u64))
        .sum();
    Finding {
        statistic,
        expected,
        found: sum / as_f64(blocks as u64).max(1.0),
        tolerance: expected * relative,
        samples: (blocks as u64, "blocks"),
        reason: Some(SIMBLOCK_REASON),
    }
}

pub(super) fn gervais_propagation(effort: Effort) -> Result<Vec<Finding>, Error> {
    let statistics = forks::run(&preset("gervais-bitcoin", 1, effort.of(10, 300)))?;
    let expected = 14.7;
    Ok(vec![Finding {
        statistic: "median node's mean delay, s",
        expected,
        found: statistics
            .spread_by_node
            .map_or(0.0, |delays| as_f64(delays.p50_us) / 1e6),
        tolerance: expected * GERVAIS,
        samples: (statistics.stale.of, "blocks"),
        reason: Some(GERVAIS_REASON),
    }])
}

pub(super) fn gervais_stale(effort: Effort) -> Result<Vec<Finding>, Error> {
    let stale = forks::run(&preset("gervais-bitcoin", 1, effort.of(10, 2_000)))?.stale;
    let expected = 0.0151;
    Ok(vec![Finding {
        statistic: "stale share of blocks",
        expected,
        found: stale.share.unwrap_or(0.0),
        tolerance: expected * relative_noise(expected * as_f64(stale.of)),
        samples: (stale.of, "blocks"),
        reason: Some(GERVAIS_REASON),
    }])
}

fn graphs(name: &str, blocks: u32) -> Result<Vec<Statistics>, Error> {
    (1..=GRAPHS)
        .map(|seed| forks::run(&preset(name, seed, blocks)))
        .collect()
}

/// The preset as a scenario file would have it, until its first node has so many blocks.
fn preset(name: &str, seed: u64, blocks: u32) -> Arc<Plan> {
    let text = format!(
        "seed = {seed}\nlimit = \"1h\"\n[network]\npreset = \"{name}\"\n[steps]\nrun = [{{ sleep = \"1s\" }}]\n"
    );
    let plan = scenario::parse("law.toml", &text, &Overrides::default());
    let plan = plan.expect("a file of ours without mistakes");
    let limit = Duration::from_secs(1 << 40);
    Arc::new(Plan {
        limit,
        steps: vec![forks::until(blocks, limit)],
        ..plan
    })
}
