//! An event's fields in words: what speaks to the eye, hashes short, lists of nodes in full.

use observe::log::LoggedEvent;
use observe::model::Model;
use serde_json::Value;

/// Fields that say little to the eye, or stand elsewhere in the row.
const DULL: [&str; 12] = [
    "chain_work",
    "old_work",
    "new_work",
    "time",
    "agent",
    "bytes",
    "parameters",
    "participants",
    "addrs",
    "transactions",
    "scenario_sha256",
    "totals",
];
/// Entries of a list that are told; the rest is counted.
const MAX_ENTRIES: usize = 4;
/// Characters of a text that are told.
const MAX_CHARACTERS: usize = 200;

pub(super) fn words(model: &Model, event: &LoggedEvent) -> String {
    let telling = event
        .fields
        .iter()
        .filter(|(key, value)| !DULL.contains(&key.as_str()) && !value.is_null());
    let words: Vec<String> = telling
        .map(|(key, value)| format!("{} {}", key.replace('_', " "), word(model, value)))
        .collect();
    words.join(", ")
}

fn word(model: &Model, value: &Value) -> String {
    match value {
        Value::String(text) => brief(model, text),
        Value::Array(list) => {
            let mut words: Vec<String> = list.iter().take(MAX_ENTRIES).map(|entry| word(model, entry)).collect();
            if list.len() > MAX_ENTRIES {
                words.push(format!("{} more", list.len() - MAX_ENTRIES));
            }
            if words.is_empty() {
                "none".to_owned()
            } else {
                words.join(" ")
            }
        }
        Value::Object(fields) => {
            let words: Vec<String> = fields
                .iter()
                .filter(|(key, value)| !DULL.contains(&key.as_str()) && !value.is_null())
                .map(|(key, value)| format!("{} {}", key.replace('_', " "), word(model, value)))
                .collect();
            format!("({})", words.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A hash by the digits that tell it from others: the last eight of a block, the first eight of all else.
fn brief(model: &Model, text: &str) -> String {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hash {
        return text.chars().take(MAX_CHARACTERS).collect();
    }
    let id: Option<chain::BlockId> = serde_json::from_value(Value::String(text.to_owned())).ok();
    if id.is_some_and(|id| model.chain().number(&id).is_some()) {
        return text[56..].to_owned();
    }
    text[..8].to_owned()
}
