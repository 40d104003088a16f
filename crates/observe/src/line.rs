//! From a record to its line of JSON: the envelope, nodes by their names.

mod node_started;
mod run;

use std::io::{self, Write};
use std::time::Duration;

use base::NodeId;
use chain::Txid;
use scenario::{ControlReport, Deed, Engine, Plan, StepReport, StepState};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Map, Value, json};

use self::node_started::NodeStarted;
use self::run::{Run, RunStarted};
use crate::detail::Detail;
use crate::lagging::Standing;
use crate::record::{Derived, Intervention, Record, RunEvent};

/// The version of the log's schema: `v` of every line.
pub const SCHEMA: u32 = 1;

/// Bytes that most lines have room in.
const LINE_BYTES: usize = 512;
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
    let envelope = Envelope {
        v: SCHEMA,
        seq: record.seq,
        t_us: record.at.as_micros(),
        node: node.map(|node| plan.name_of(node)),
        nseq,
    };
    let mut line = Vec::with_capacity(LINE_BYTES);
    serde_json::to_writer(&mut line, &envelope).expect("text is written to memory");
    // The event's fields follow in the same object.
    line.pop();
    let mut writer = Serializer::with_formatter(&mut line, Naming::new(plan));
    match &record.what {
        RunEvent::Node { event, .. } => event.serialize(&mut writer),
        RunEvent::Derived(derived) => derived.serialize(&mut writer),
        RunEvent::RunStarted {
            engine,
            detail,
            genesis,
        } => {
            let run = Run::of(plan, *engine, *detail);
            RunStarted::new(run, genesis).serialize(&mut writer)
        }
        RunEvent::NodeStarted { .. } => NodeStarted::of(&record.what, plan).serialize(&mut writer),
        RunEvent::RunEnded { .. }
        | RunEvent::NodeStopped { .. }
        | RunEvent::Intervention { .. }
        | RunEvent::Step(_)
        | RunEvent::Control(_) => told(&record.what, plan).serialize(&mut writer),
    }
    .expect("events have no maps with keys other than text");
    String::from_utf8(line).expect("JSON is UTF-8")
}

/// The record's kind and fields, as they stand in its line.
#[must_use]
pub fn fields(record: &Record, plan: &Plan) -> Map<String, Value> {
    let line: Result<Map<String, Value>, _> = serde_json::from_str(&line(record, plan));
    let mut fields = line.expect("a line is an object");
    for of_envelope in ["v", "seq", "t_us", "node", "nseq"] {
        fields.shift_remove(of_envelope);
    }
    fields
}

/// What every line begins with.
#[derive(Serialize)]
struct Envelope<'a> {
    v: u32,
    seq: u64,
    t_us: u64,
    node: Option<&'a str>,
    nseq: Option<u64>,
}

/// Writes an event's fields behind those of its envelope, with names where the numbers of nodes stand: what a field holds is told by its key.
struct Naming<'a> {
    plan: &'a Plan,
    depth: usize,
    /// Whether a key is being written.
    in_key: bool,
    holds: Holds,
    /// The nodes of the list that is being written.
    list: Option<Vec<NodeId>>,
}

/// What the value behind a key is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Node,
    Nodes,
    Other,
}

impl<'a> Naming<'a> {
    const fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            depth: 0,
            in_key: false,
            holds: Holds::Other,
            list: None,
        }
    }
}

impl Formatter for Naming<'_> {
    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        writer.write_all(if self.depth == 1 { b"," } else { b"{" })
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.in_key = true;
        if first { Ok(()) } else { writer.write_all(b",") }
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.in_key = false;
        Ok(())
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if self.in_key {
            self.holds = if NODE_FIELDS.contains(&fragment) {
                Holds::Node
            } else if NODE_LIST_FIELDS.contains(&fragment) {
                Holds::Nodes
            } else {
                Holds::Other
            };
        }
        writer.write_all(fragment.as_bytes())
    }

    fn write_u32<W: ?Sized + Write>(&mut self, writer: &mut W, value: u32) -> io::Result<()> {
        match (&mut self.list, self.holds) {
            (Some(list), _) => list.push(NodeId(value)),
            (None, Holds::Node) => serde_json::to_writer(writer, self.plan.name_of(NodeId(value)))?,
            (None, Holds::Nodes | Holds::Other) => write!(writer, "{value}")?,
        }
        Ok(())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.holds == Holds::Nodes {
            self.list = Some(Vec::new());
            return Ok(());
        }
        writer.write_all(b"[")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first || self.list.is_some() {
            return Ok(());
        }
        writer.write_all(b",")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let Some(nodes) = self.list.take() else {
            return writer.write_all(b"]");
        };
        self.holds = Holds::Other;
        Ok(serde_json::to_writer(writer, &self.plan.ranges(nodes))?)
    }
}

/// The kind and fields of an event that does not say them itself.
fn told(what: &RunEvent, plan: &Plan) -> Value {
    match what {
        RunEvent::RunEnded { reason, ok, totals } => {
            json!({ "kind": "run_ended", "reason": reason, "ok": ok, "totals": totals })
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
        RunEvent::Node { .. } | RunEvent::Derived(_) | RunEvent::RunStarted { .. } | RunEvent::NodeStarted { .. } => {
            unreachable!("these are written as they are")
        }
    }
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

/// What tells one run from another, for `run.json`.
#[must_use]
pub fn run(plan: &Plan, engine: Engine, detail: Detail) -> Value {
    serde_json::to_value(Run::of(plan, engine, detail)).expect("a run has no maps with keys other than text")
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
