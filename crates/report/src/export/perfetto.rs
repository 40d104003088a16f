//! A time line for Perfetto and other viewers of Chrome's trace format: a track for each node, and tracks for steps, forks and cuts.

use std::path::Path;

use observe::log::{self, LoggedEvent};
use observe::model::Model;
use serde_json::{Value, json};

use super::Exported;
use crate::html::ReportError;
use crate::limits::MAX_TRACE_EVENTS;

/// The process whose threads are the nodes, and that of the run as a whole.
const NODES: u32 = 1;
const RUN: u32 = 2;

/// What nodes tell that is worth a mark; messages and what follows from them would drown it.
const MARKS: [&str; 8] = [
    "block_mined",
    "block_connected",
    "block_rejected",
    "tip_changed",
    "reorg",
    "peer_disconnected",
    "tx_submitted",
    "tx_rejected",
];

pub(super) fn trace(model: &Model, folder: &Path) -> Result<Exported, ReportError> {
    let mut events = names(model);
    events.extend(spans(model));
    let mut marks = Marks { events, left_out: 0 };
    for event in log::read(folder).map_err(observe::model::FollowError::from)? {
        let event = event.map_err(observe::model::FollowError::from)?;
        if let Some(mark) = mark(model, &event) {
            marks.push(mark);
        }
    }
    let Marks { events, left_out } = marks;
    let trace = json!({ "displayTimeUnit": "ms", "traceEvents": events });
    let text = serde_json::to_string(&trace).expect("a trace has no maps with keys other than text");
    Ok(Exported {
        text: text + "\n",
        left_out: (left_out > 0)
            .then(|| format!("the trace has {MAX_TRACE_EVENTS} events, {left_out} later ones had no room")),
    })
}

/// Events of a trace, as many as there is room for.
struct Marks {
    events: Vec<Value>,
    left_out: u64,
}

impl Marks {
    fn push(&mut self, mark: Value) {
        if self.events.len() < MAX_TRACE_EVENTS {
            self.events.push(mark);
        } else {
            self.left_out += 1;
        }
    }
}

fn names(model: &Model) -> Vec<Value> {
    let name = |kind: &str, process: u32, thread: usize, name: &str| json!({ "ph": "M", "name": kind, "pid": process, "tid": thread, "args": { "name": name } });
    let mut names = vec![
        name("process_name", NODES, 0, "nodes"),
        name("process_name", RUN, 0, "run"),
        name("thread_name", RUN, 0, "steps"),
        name("thread_name", RUN, 1, "cuts"),
    ];
    for (node, text) in model.cast().names().iter().enumerate() {
        names.push(name("thread_name", NODES, node, text));
    }
    names
}

/// Steps and cuts as stretches, forks as stretches that may overlap.
fn spans(model: &Model) -> Vec<Value> {
    let end = model.now();
    let lasted =
        |from: base::Time, until: Option<base::Time>| until.unwrap_or(end).as_micros().saturating_sub(from.as_micros());
    let mut spans = Vec::new();
    for step in model.steps() {
        spans.push(json!({
            "ph": "X", "cat": "step", "name": step.text, "pid": RUN, "tid": 0,
            "ts": step.started.as_micros(), "dur": lasted(step.started, step.ended), "args": step.state,
        }));
    }
    for cut in model.cuts() {
        let groups: Vec<String> = cut
            .groups
            .iter()
            .map(|nodes| model.cast().ranges(nodes.iter().copied()).join(" "))
            .collect();
        spans.push(json!({
            "ph": "X", "cat": "cut", "name": cut.id, "pid": RUN, "tid": 1,
            "ts": cut.from.as_micros(), "dur": lasted(cut.from, cut.until), "args": { "groups": groups },
        }));
    }
    for fork in model.forks() {
        let name = format!("fork {}", fork.id);
        let height = model.chain().block(fork.point).height;
        let span = |phase: &str, at: base::Time| {
            json!({
                "ph": phase, "cat": "fork", "name": name, "id": fork.id, "pid": RUN, "ts": at.as_micros(), "args": { "above": height },
            })
        };
        spans.push(span("b", fork.opened));
        spans.push(span("e", fork.end.as_ref().map_or(end, |(at, _)| *at)));
    }
    spans
}

fn mark(model: &Model, event: &LoggedEvent) -> Option<Value> {
    if !MARKS.contains(&event.kind.as_str()) {
        return None;
    }
    let node = model.cast().node(event.node.as_deref()?)?;
    Some(json!({
        "ph": "i", "s": "t", "cat": "node", "name": event.kind, "pid": NODES, "tid": node.index(), "ts": event.t_us, "args": event.fields,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_has_so_many_events_and_counts_the_others() {
        let mut marks = Marks {
            events: vec![Value::Null; MAX_TRACE_EVENTS - 1],
            left_out: 0,
        };
        (0..3).for_each(|_| marks.push(Value::Null));
        assert_eq!((marks.events.len(), marks.left_out), (MAX_TRACE_EVENTS, 2));
    }
}
