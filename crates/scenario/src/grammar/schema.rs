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
    Value::Object(schema)
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
    let mut schema = match of_kind(key.kind) {
        Value::Object(schema) => schema,
        other => unreachable!("every kind is an object: {other}"),
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

fn of_kind(kind: Kind) -> Value {
    let name = json!({ "type": "string", "pattern": "^[A-Za-z0-9_.-]{1,32}$" });
    let node = json!({ "type": "string" });
    let pair = |of: &Value| json!({ "type": "array", "items": of, "minItems": 2, "maxItems": 2 });
    let some_nodes = json!({
        "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }],
    });
    let hash_rate = json!({
        "oneOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? *[kMGTPE]?H/s$" },
        ],
    });
    match kind {
        Kind::Name => name,
        Kind::NamePair => pair(&name),
        Kind::Word { built, .. } => json!({ "enum": built }),
        Kind::Reason => json!({ "enum": REASONS.iter().map(|reason| reason.word).collect::<Vec<_>>() }),
        Kind::Expectation => {
            json!({ "enum": EXPECTATIONS.iter().map(|expectation| expectation.name).collect::<Vec<_>>() })
        }
        Kind::Node => node,
        Kind::NodePair => pair(&node),
        Kind::NodePairs => json!({ "type": "array", "items": pair(&node) }),
        Kind::Nodes => some_nodes,
        Kind::NodeGroups => json!({ "type": "array", "items": some_nodes }),
        Kind::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Share => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Amount => json!({
            "oneOf": [
                { "type": "number", "minimum": 0, "maximum": 21_000_000 },
                { "type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,8})?$" },
            ],
        }),
        Kind::Duration | Kind::Delay => json!({
            "type": "string",
            "pattern": "^[0-9]+(\\.[0-9]+)? *(us|ms|s|m|h|d)$",
        }),
        Kind::Bandwidth => json!({
            "type": "string",
            "pattern": "^([0-9]+(\\.[0-9]+)? *[kMG]?bit/s|unlimited)$",
        }),
        Kind::HashRate => hash_rate,
        Kind::Rates => json!({
            "oneOf": [hash_rate, { "type": "object", "additionalProperties": hash_rate, "minProperties": 1 }],
        }),
        Kind::Table(section) => Value::Object(of_section(section)),
        Kind::Tables(section) => json!({ "type": "array", "items": of_section(section) }),
        Kind::Steps => {
            let steps: Vec<_> = ACTIONS.iter().flat_map(of_action).collect();
            json!({ "type": "array", "items": { "oneOf": steps }, "maxItems": MAX_STEPS })
        }
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
    let keys = std::iter::once(&action.verb).chain(expectation.keys).chain(action.keys);
    let mut schema = of_keys(keys.collect());
    schema.insert("description".to_owned(), expectation.doc.into());
    schema["properties"][action.verb.name] = json!({ "const": expectation.name, "description": action.doc });
    if !expectation.one_of.is_empty() {
        let choice = expectation.one_of.iter().map(|key| json!({ "required": [key] }));
        schema.insert("oneOf".to_owned(), choice.collect());
    }
    Value::Object(schema)
}
