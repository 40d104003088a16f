//! The JSON Schema of scenario files, for editors.

use serde_json::{Map, Value, json};

use super::{ACTIONS, Action, EXPECTATIONS, Expectation, FILE, Key, Kind, Need, REASONS, Section};
use crate::limits::MAX_STEPS;

/// The JSON Schema (draft 2020-12) of scenario files, from the same tables that read them.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = of_section(&FILE);
    let head = [
        ("$schema", "https://json-schema.org/draft/2020-12/schema"),
        ("title", "A nakanet scenario"),
    ];
    for (key, value) in head {
        schema.insert(key.to_owned(), value.into());
    }
    schema.insert("$defs".to_owned(), definitions());
    sorted(Value::Object(schema))
}

/// The same value with the keys of every object in order: whether `serde_json` keeps or sorts them depends on what else is built.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.into_iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            let entries = entries.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(entries.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => scalar,
    }
}

fn of_section(section: &Section) -> Map<String, Value> {
    let mut schema = of_keys(section.keys.iter().collect());
    schema.insert("description".to_owned(), section.doc.into());
    schema
}

/// A table with exactly these keys.
fn of_keys(keys: Vec<&Key>) -> Map<String, Value> {
    let required = keys
        .iter()
        .filter(|key| matches!(key.need, Need::Required))
        .map(|key| key.name);
    let required: Vec<_> = required.collect();
    let properties: Map<_, _> = keys.into_iter().map(|key| (key.name.to_owned(), of_key(key))).collect();
    let schema = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    let Value::Object(schema) = schema else {
        unreachable!("written as an object")
    };
    schema
}

fn of_key(key: &Key) -> Value {
    let Value::Object(mut schema) = of_kind(key.kind) else {
        unreachable!("the schema of every kind is written as an object")
    };
    let (words, default) = match key.need {
        Need::Required => (String::new(), None),
        Need::Optional(absent) => (format!(" (default: {absent})"), None),
        Need::Default(text) => (String::new(), Some(default(text))),
    };
    schema.insert("description".to_owned(), format!("{}{words}", key.doc).into());
    if let Some(default) = default {
        schema.insert("default".to_owned(), default);
    }
    Value::Object(schema)
}

/// A default of the grammar: a word, a number or a flag of TOML, which JSON writes alike.
fn default(text: &str) -> Value {
    serde_json::from_str(text).expect("defaults of the grammar are scalars that JSON and TOML write alike")
}

/// What several keys take, written once.
fn definitions() -> Value {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let or = |first: Value, second: Value| json!({ "oneOf": [first, second] });
    let refer = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
    let words = |words: Vec<&str>| json!({ "enum": words });
    let steps: Vec<_> = ACTIONS.iter().flat_map(of_action).collect();
    json!({
        "steps": { "type": "array", "items": { "oneOf": steps }, "maxItems": MAX_STEPS },
        "name": text("^[A-Za-z0-9_.-]{1,32}$"),
        "node": { "type": "string" },
        "nodes": or(refer("node"), json!({ "type": "array", "items": refer("node"), "minItems": 1 })),
        "pair": { "type": "array", "items": refer("node"), "minItems": 2, "maxItems": 2 },
        "amount": or(
            json!({ "type": "number", "minimum": 0, "maximum": 21_000_000 }),
            text("^[0-9]+(\\.[0-9]{1,8})?$"),
        ),
        "time": text("^[0-9]+(\\.[0-9]+)? *(us|ms|s|m|h|d)$"),
        "bandwidth": text("^([0-9]+(\\.[0-9]+)? *[kMG]?bit/s|unlimited)$"),
        "rate": text("^[0-9]+(\\.[0-9]+)? */ *[smh]$"),
        "bytes": text("^[0-9]+(\\.[0-9]+)? *[kM]?B$"),
        "hashrate": or(
            json!({ "type": "integer", "minimum": 0 }),
            text("^[0-9]+(\\.[0-9]+)? *[kMGTPE]?H/s$"),
        ),
        "reason": words(REASONS.iter().map(|reason| reason.word).collect()),
    })
}

fn of_kind(kind: Kind) -> Value {
    let refer = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
    let list = |of: Value| json!({ "type": "array", "items": of });
    match kind {
        Kind::Name => refer("name"),
        Kind::NamePair => json!({ "type": "array", "items": refer("name"), "minItems": 2, "maxItems": 2 }),
        Kind::File => json!({ "type": "string", "pattern": "^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$" }),
        Kind::Word { built, .. } => json!({ "enum": built }),
        Kind::Reason => refer("reason"),
        Kind::Expectation => unreachable!("a step says which expectation it is about"),
        Kind::Node => refer("node"),
        Kind::NodePair => refer("pair"),
        Kind::NodePairs => list(refer("pair")),
        Kind::Nodes => refer("nodes"),
        Kind::NodeGroups => list(refer("nodes")),
        Kind::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Share => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Amount => refer("amount"),
        Kind::Duration | Kind::Delay => refer("time"),
        Kind::Bandwidth => refer("bandwidth"),
        Kind::Rate => refer("rate"),
        Kind::Bytes => refer("bytes"),
        Kind::HashRate => refer("hashrate"),
        Kind::Rates => {
            let each = json!({ "type": "object", "additionalProperties": refer("hashrate"), "minProperties": 1 });
            json!({ "oneOf": [refer("hashrate"), each] })
        }
        Kind::Table(section) => Value::Object(of_section(section)),
        Kind::Tables(section) => list(Value::Object(of_section(section))),
        Kind::Words => json!({ "type": "array", "items": refer("name"), "minItems": 1 }),
        Kind::Steps => refer("steps"),
    }
}

/// The steps that an action makes: one, or one for each expectation.
fn of_action(action: &'static Action) -> Vec<Value> {
    if !matches!(action.verb.kind, Kind::Expectation) {
        let keys = std::iter::once(&action.verb).chain(action.keys).collect();
        let mut schema = of_keys(keys);
        schema.insert("description".to_owned(), action.doc.into());
        return vec![Value::Object(schema)];
    }
    EXPECTATIONS
        .iter()
        .map(|expectation| of_expectation(action, expectation))
        .collect()
}

fn of_expectation(action: &'static Action, expectation: &'static Expectation) -> Value {
    let mut schema = of_keys(expectation.keys.iter().chain(action.keys).collect());
    let verb = json!({ "const": expectation.name, "description": action.doc });
    schema["properties"][action.verb.name] = verb;
    if let Some(required) = schema["required"].as_array_mut() {
        required.insert(0, action.verb.name.into());
    }
    schema.insert("description".to_owned(), expectation.doc.into());
    if !expectation.one_of.is_empty() {
        let choice = expectation.one_of.iter().map(|key| json!({ "required": [key] }));
        schema.insert("oneOf".to_owned(), choice.collect());
    }
    Value::Object(schema)
}
