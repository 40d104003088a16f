//! An event's fields in words: what speaks to the eye, hashes short, lists of nodes in full.

use std::time::Duration;

use observe::log::LoggedEvent;
use observe::model::Model;
use scenario::words::duration;
use serde_json::Value;

/// Fields that say little to the eye, or stand elsewhere in the row.
const DULL: [&str; 13] = [
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
    "line",
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
    let words: Vec<String> = telling.map(|(key, value)| field(model, key, value)).collect();
    words.join(", ")
}

/// A field: spans of time in words, steps counted from 1 as everywhere else.
fn field(model: &Model, key: &str, value: &Value) -> String {
    let (name, value) = match (key.strip_suffix("_us"), value.as_u64()) {
        (Some(name), Some(micros)) => (name, duration(Duration::from_micros(micros))),
        (None, Some(step)) if key == "step" => (key, (step + 1).to_string()),
        (Some(_) | None, _) => (key, word(model, value)),
    };
    format!("{} {value}", name.replace('_', " "))
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
                .map(|(key, value)| field(model, key, value))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_event_says_is_for_the_eye() {
        let event = json!({
            "v": 1, "seq": 0, "t_us": 0, "node": null, "nseq": null, "kind": "step", "step": 6, "line": 29, "text": "heal = \"split\"",
            "took_us": 321_418, "txid": "ab".repeat(32), "nodes": ["n0", "n1", "n2", "n3", "n5"], "conflicts_with": { "p50_us": 2_000, "block": null },
        });
        let event: LoggedEvent = serde_json::from_value(event).expect("an event");
        assert_eq!(
            words(&Model::new(), &event),
            "step 7, text heal = \"split\", took 321 ms, txid abababab, nodes n0 n1 n2 n3 1 more, conflicts with (p50 2.0 ms)"
        );
    }
}
