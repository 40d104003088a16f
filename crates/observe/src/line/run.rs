//! What tells one run from another: for the first line of the log and for `run.json`.

use base::Hash;
use chain::{BlockId, Params, Retarget};
use scenario::plan::NodePlan;
use scenario::{Engine, Plan};
use serde::ser::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::detail::Detail;

/// A run. Networks may be large, so nodes are written as they stand in the plan.
#[derive(serde::Serialize)]
pub(super) struct Run<'a> {
    tool_version: &'static str,
    scenario: &'a str,
    file: &'a str,
    scenario_sha256: String,
    seed: String,
    set: &'a [(String, String)],
    engine: Engine,
    detail: Detail,
    participants: Participants<'a>,
    parameters: Value,
}

impl<'a> Run<'a> {
    /// The run of a plan by an engine, told in this detail.
    #[must_use]
    pub(super) fn of(plan: &'a Plan, engine: Engine, detail: Detail) -> Self {
        Self {
            tool_version: env!("CARGO_PKG_VERSION"),
            scenario: &plan.name,
            file: &plan.file,
            scenario_sha256: base::hex::encode(&Hash::sha256(&[plan.source.as_bytes()]).0),
            seed: plan.seed.to_string(),
            set: &plan.set,
            engine,
            detail,
            participants: Participants(&plan.nodes),
            parameters: parameters(&plan.params),
        }
    }
}

/// The first line of the log.
#[derive(serde::Serialize)]
pub(super) struct RunStarted<'a> {
    kind: &'static str,
    #[serde(flatten)]
    run: Run<'a>,
    genesis: &'a BlockId,
}

impl<'a> RunStarted<'a> {
    pub(super) const fn new(run: Run<'a>, genesis: &'a BlockId) -> Self {
        Self {
            kind: "run_started",
            run,
            genesis,
        }
    }
}

struct Participants<'a>(&'a [NodePlan]);

#[derive(serde::Serialize)]
struct Participant<'a> {
    name: &'a str,
    hashrate: String,
    strategy: node::Strategy,
}

impl Serialize for Participants<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|node| Participant {
            name: &node.name,
            hashrate: node.hashrate.0.to_string(),
            strategy: node.strategy,
        }))
    }
}

fn parameters(params: &Params) -> Value {
    let retarget = match params.retarget {
        Retarget::Fixed => json!({ "rule": "fixed" }),
        Retarget::Bitcoin { window, timewarp_rule } => {
            json!({ "rule": "bitcoin", "window": window, "timewarp_rule": timewarp_rule })
        }
        Retarget::Asert { half_life } => json!({ "rule": "asert", "half_life_s": half_life }),
    };
    json!({
        "name": params.name,
        "limit": params.limit.to_string(),
        "initial_bits": params.initial_bits.to_string(),
        "interval_ms": u64::try_from(params.interval.as_millis()).unwrap_or(u64::MAX),
        "retarget": retarget,
        "halving_interval": params.halving_interval,
        "coinbase_maturity": params.coinbase_maturity,
        "initial_subsidy": params.initial_subsidy,
        "max_block_bytes": params.max_block_bytes,
        "max_future_ms": u64::try_from(params.max_future.as_millis()).unwrap_or(u64::MAX),
        "genesis_time": params.genesis_time,
    })
}
