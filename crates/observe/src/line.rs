//! From a record to its line of JSON: the envelope, nodes by their names.

use std::time::Duration;

use base::{Hash, NodeId};
use chain::{Params, Retarget, Txid};
use scenario::{ControlReport, Deed, Engine, Plan, StepReport, StepState};
use serde_json::{Map, Value, json};

use crate::detail::Detail;
use crate::lagging::Standing;
use crate::record::{Derived, Intervention, Record, RunEvent};

/// The version of the log's schema: `v` of every line.
pub const SCHEMA: u32 = 1;

/// Fields that hold one node.
const NODE_FIELDS: [&str; 3] = ["peer", "from", "miner"];
/// Fields that hold a list of nodes, written as ranges.
const NODE_LIST_FIELDS: [&str; 3] = ["nodes", "miners", "nodes_reorged"];

/// The record as one line of JSON, without the line's end.
#[must_use]
pub fn line(record: &Record, plan: &Plan) -> String {
    let (node, nseq) = match &record.what {
        RunEvent::Node { node, nseq, .. } => (Some(*node), Some(*nseq)),
        RunEvent::NodeStarted { node, .. }
        | RunEvent::NodeStopped { node, .. }
        | RunEvent::Intervention { node, .. }
        | RunEvent::Derived(
            Derived::NodeLagging(Standing { node, .. })
            | Derived::NodeCaughtUp {
                standing: Standing { node, .. },
                ..
            },
        ) => (Some(*node), None),
        RunEvent::RunStarted { .. }
        | RunEvent::RunEnded { .. }
        | RunEvent::Step(_)
        | RunEvent::Control(_)
        | RunEvent::Derived(_) => (None, None),
    };
    let mut line = Map::new();
    line.insert("v".to_owned(), json!(SCHEMA));
    line.insert("seq".to_owned(), json!(record.seq));
    line.insert("t_us".to_owned(), json!(record.at.as_micros()));
    line.insert("node".to_owned(), json!(node.map(|node| plan.name_of(node))));
    line.insert("nseq".to_owned(), json!(nseq));
    line.extend(fields(record, plan));
    Value::Object(line).to_string()
}

/// The record's kind and fields, as they stand in its line.
#[must_use]
pub fn fields(record: &Record, plan: &Plan) -> Map<String, Value> {
    let Value::Object(mut fields) = told(&record.what, plan) else {
        unreachable!("every event is an object");
    };
    name_nodes(&mut fields, plan);
    fields
}

/// An event's kind and fields, nodes by number.
fn told(what: &RunEvent, plan: &Plan) -> Value {
    match what {
        RunEvent::Node { event, .. } => to_value(event),
        RunEvent::RunStarted {
            engine,
            detail,
            genesis,
        } => {
            let mut told = json!({ "kind": "run_started" });
            merge(&mut told, run(plan, *engine, *detail));
            merge(&mut told, json!({ "genesis": genesis }));
            told
        }
        RunEvent::RunEnded { reason, ok, totals } => {
            json!({ "kind": "run_ended", "reason": reason, "ok": ok, "totals": totals })
        }
        RunEvent::NodeStarted {
            node,
            peer_id,
            addrs,
            restored,
        } => {
            let setup = &plan.nodes[node.index()];
            let mut told = json!({
                "kind": "node_started", "peer_id": peer_id, "addrs": addrs, "restored": restored,
                "strategy": setup.strategy, "hashrate": setup.hashrate.0.to_string(),
            });
            if let Some(region) = setup.region {
                merge(&mut told, json!({ "region": region.name() }));
            }
            told
        }
        RunEvent::NodeStopped { reason, expected, .. } => {
            json!({ "kind": "node_stopped", "reason": reason, "expected": expected })
        }
        RunEvent::Intervention { what, .. } => {
            let kind = match what {
                Intervention::Paused => "node_paused",
                Intervention::Resumed => "node_resumed",
                Intervention::Wiped => "node_wiped",
            };
            json!({ "kind": kind })
        }
        RunEvent::Step(report) => step(report, plan),
        RunEvent::Control(report) => control(report),
        RunEvent::Derived(derived) => to_value(derived),
    }
}

fn to_value(event: &impl serde::Serialize) -> Value {
    serde_json::to_value(event).expect("events have no maps with keys other than text")
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

/// What tells one run from another: for the first line of the log and for `run.json`.
#[must_use]
pub fn run(plan: &Plan, engine: Engine, detail: Detail) -> Value {
    let nodes: Vec<Value> = plan
        .nodes
        .iter()
        .map(|node| json!({ "name": node.name, "hashrate": node.hashrate.0.to_string(), "strategy": node.strategy }))
        .collect();
    json!({
        "tool_version": env!("CARGO_PKG_VERSION"),
        "scenario": plan.name,
        "file": plan.file,
        "scenario_sha256": base::hex::encode(&Hash::sha256(&[plan.source.as_bytes()]).0),
        "seed": plan.seed.to_string(),
        "set": plan.set,
        "engine": engine,
        "detail": detail,
        "participants": nodes,
        "parameters": parameters(&plan.params),
    })
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

fn step(report: &StepReport, plan: &Plan) -> Value {
    let step = &plan.steps[report.step];
    let mut told = json!({ "kind": "step", "step": report.step, "line": step.line, "text": step.text });
    merge(&mut told, state(&report.state, report.took));
    merge(&mut told, payments(report.deed.as_ref()));
    told
}

fn control(report: &ControlReport) -> Value {
    let ControlReport {
        control,
        who,
        action,
        text,
        ..
    } = report;
    let mut told = json!({ "kind": "control", "control": control, "who": who, "action": action, "text": text });
    merge(&mut told, state(&report.state, report.took));
    merge(&mut told, payments(report.deed.as_ref()));
    told
}

/// What the transactions are called that a step has handed in, when it has.
fn payments(deed: Option<&Deed>) -> Value {
    match deed {
        Some(Deed::Paid(payments)) => {
            let payment = |(txid, label): &(Txid, String)| json!({ "txid": txid, "label": label });
            json!({ "payments": payments.iter().map(payment).collect::<Vec<Value>>() })
        }
        Some(
            Deed::Cut { .. }
            | Deed::Healed { .. }
            | Deed::LinkChanged { .. }
            | Deed::LinkWanted { .. }
            | Deed::HashRates(_),
        )
        | None => json!({}),
    }
}

/// Where a step stands, and how long it has taken.
fn state(state: &StepState, took: Duration) -> Value {
    let mut told = match state {
        StepState::Started => json!({ "state": "started" }),
        StepState::Passed { found } => json!({ "state": "passed", "found": found }),
        StepState::Failed { expected, found } => json!({ "state": "failed", "expected": expected, "found": found }),
    };
    let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    merge(&mut told, json!({ "took_us": took }));
    told
}

/// Puts names where nodes' numbers stand.
fn name_nodes(fields: &mut Map<String, Value>, plan: &Plan) {
    for (key, value) in fields.iter_mut() {
        if NODE_FIELDS.contains(&key.as_str()) {
            if let Some(node) = node_in(value) {
                *value = json!(plan.name_of(node));
            }
        } else if let Value::Array(list) = value {
            if NODE_LIST_FIELDS.contains(&key.as_str()) {
                let nodes: Vec<NodeId> = list.iter().filter_map(node_in).collect();
                *value = json!(plan.ranges(nodes));
            } else {
                for entry in list {
                    if let Value::Object(fields) = entry {
                        name_nodes(fields, plan);
                    }
                }
            }
        }
    }
}

fn node_in(value: &Value) -> Option<NodeId> {
    value.as_u64().and_then(|node| u32::try_from(node).ok()).map(NodeId)
}
