//! Events, one on a line.

use base::{NodeId, Time};
use scenario::Plan;
use serde_json::{Map, Value};

use super::{clip, moment};
use crate::history::History;
use crate::line;
use crate::log::LoggedEvent;
use crate::record::Record;

/// Fields that say little to the eye.
const DULL: [&str; 8] = [
    "chain_work",
    "old_work",
    "new_work",
    "time",
    "bytes",
    "agent",
    "txs",
    "parent",
];

/// A node's last `count` events but messages, the oldest first.
#[must_use]
pub fn last_events(history: &History, plan: &Plan, node: NodeId, count: usize) -> String {
    let mut lines: Vec<String> = history
        .recent(node)
        .rev()
        .take(count)
        .map(|record| event(record, plan))
        .collect();
    lines.reverse();
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// An event on one line: when, what kind, and the fields of its log line that speak to the eye.
#[must_use]
pub fn event(record: &Record, plan: &Plan) -> String {
    let mut fields = line::fields(record, plan);
    let kind = fields.shift_remove("kind");
    let kind = kind.as_ref().and_then(Value::as_str).unwrap_or_default();
    clip(&format!("{:>12}  {kind:17} {}", moment(record.at), words(&fields)))
}

/// A line of a log on one line: when, who told it, what kind, and the fields that speak to the eye.
#[must_use]
pub fn logged(event: &LoggedEvent) -> String {
    let node = event.node.as_deref().unwrap_or("-");
    let at = moment(Time::from_micros(event.t_us));
    clip(&format!(
        "{at:>12}  {node:5} {:17} {}",
        event.kind,
        words(&event.fields)
    ))
}

fn words(fields: &Map<String, Value>) -> String {
    let telling = fields
        .iter()
        .filter(|(key, value)| !DULL.contains(&key.as_str()) && !value.is_null());
    let words: Vec<String> = telling
        .map(|(key, value)| format!("{key}={}", word(key, value)))
        .collect();
    words.join(" ")
}

/// A value in a word: of a list its length, of a place in the chain its height and block.
fn word(key: &str, value: &Value) -> String {
    match value {
        // Blocks' names begin with zeros, transactions' do not.
        Value::String(text) if is_hash(text) && matches!(key, "txid" | "by") => text[..8].to_owned(),
        Value::String(text) => brief(text).to_owned(),
        Value::Array(list) => list.len().to_string(),
        Value::Object(fields) => match (fields.get("height"), fields.get("block").and_then(Value::as_str)) {
            (Some(height), Some(block)) => format!("{height}/{}", brief(block)),
            _ => format!("({})", words(fields)),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// The last eight digits of a hash, other text as it is.
fn brief(text: &str) -> &str {
    if is_hash(text) { &text[56..] } else { text }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
