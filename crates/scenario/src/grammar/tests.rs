//! Reading, `explain` and the schema know the same words.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::{Overrides, parse};

/// A network in which every example makes sense, after these steps.
fn file_with(step: &str) -> String {
    let before = match step {
        "heal = \"split\"" => "{ partition = [[\"n0..n3\"], [\"n4..n7\"]], as = \"split\" },",
        "stop-load = \"alice\"" => "{ load = \"alice\", rate = \"1/s\" },",
        "start = \"n7\"" => "{ stop = \"n7\" },",
        "resume = \"n3\"" => "{ pause = \"n3\" },",
        _ => "",
    };
    format!(
        "[[network.group]]\ncount = 8\n[[network.group]]\nname = \"m\"\nstrategy = \"hostile\"\n[steps]\nrun = [\n\
         {{ fund = \"alice\", coins = 10 }}, {{ mine = 12, on = \"n0\" }},\n\
         {{ double-spend = \"alice\", to = [\"bob\", \"carol\"], via = [\"n0\", \"n4\"], as = \"ds\" }},\n\
         {before}\n{{ {step} }},\n]\n"
    )
}

#[test]
fn every_example_parses() {
    let actions = ACTIONS.iter().map(|action| (action.verb.name, action.example));
    let expectations = EXPECTATIONS
        .iter()
        .map(|expectation| (expectation.name, expectation.example));
    for (name, example) in actions.chain(expectations) {
        assert!(example.contains(name), "{name}: {example}");
        if let Err(errors) = parse("x.toml", &file_with(example), &Overrides::default()) {
            panic!("{name}: {}", errors[0]);
        }
    }
}

#[test]
fn no_word_means_two_things() {
    let mut words = BTreeSet::new();
    let actions = ACTIONS.iter().map(|action| action.verb.name);
    for word in actions.chain(ACTIONS_TO_COME.iter().map(|(word, _)| *word)) {
        assert!(words.insert(word), "{word}");
    }
    // A step's action is the one key that is an action: no other key may look like one.
    let keys = ACTIONS.iter().flat_map(|action| action.keys);
    for key in keys.chain(EXPECTATIONS.iter().flat_map(|expectation| expectation.keys)) {
        assert!(!words.contains(key.name), "{}", key.name);
    }
    let expectations = EXPECTATIONS.iter().map(|expectation| expectation.name);
    let reasons: Vec<_> = REASONS.iter().map(|reason| reason.word).collect();
    assert_eq!(reasons.iter().collect::<BTreeSet<_>>().len(), reasons.len());
    let all: Vec<_> = expectations
        .chain(EXPECTATIONS_TO_COME.iter().map(|(word, _)| *word))
        .collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn everything_can_be_explained() {
    let actions = ACTIONS.iter().map(|action| (action.verb.name, action.doc));
    let expectations = EXPECTATIONS
        .iter()
        .map(|expectation| (expectation.name, expectation.doc));
    let reasons = REASONS.iter().map(|reason| (reason.word, reason.rule));
    for (word, doc) in actions.chain(expectations).chain(reasons) {
        let text = explain(word).unwrap_or_else(|| panic!("{word}"));
        assert!(text.starts_with(&format!("{word}: {doc}.")), "{text}");
        assert!(overview().contains(doc), "{word}");
    }
    for (word, doc) in ACTIONS_TO_COME.iter().chain(EXPECTATIONS_TO_COME) {
        let text = explain(word).unwrap_or_else(|| panic!("{word}"));
        assert!(text.contains(doc), "{text}");
    }
    assert_eq!(explain("frobnicate"), None);
    assert_eq!(nearest_word("partitoin"), Some("partition"));
    assert_eq!(nearest_word("zzz"), None);
}

#[test]
fn an_explanation_shows_every_key() {
    insta::assert_snapshot!(explain("double-spend").expect("an action"));
    insta::assert_snapshot!(explain("converged").expect("an expectation"));
}

/// The words that `Reject::word` can give, read from where they are written.
#[test]
fn every_reason_of_the_chain_is_known() {
    let source = include_str!("../../../chain/src/reject.rs");
    let words: Vec<_> = source
        .lines()
        .filter(|line| line.contains("Self::") && line.contains("=> \""))
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert!(words.len() > 30 && words.contains(&"high-hash"), "{words:?}");
    for word in words {
        assert!(REASONS.iter().any(|reason| reason.word == word), "{word}");
    }
}

fn keys_of(schema: &Value) -> BTreeSet<&str> {
    let properties = schema["properties"].as_object().unwrap_or_else(|| panic!("{schema}"));
    properties.keys().map(String::as_str).collect()
}

/// The tables of the schema and of the grammar, compared from the file down.
fn compare(section: &Section, schema: &Value) {
    assert_eq!(
        keys_of(schema),
        section.keys.iter().map(|key| key.name).collect(),
        "{}",
        section.name
    );
    assert_eq!(schema["additionalProperties"], false, "{}", section.name);
    for key in section.keys {
        let inner = &schema["properties"][key.name];
        assert!(inner["description"].is_string(), "{}", key.name);
        if let Kind::Table(section) = key.kind {
            compare(section, inner);
        }
        if let Kind::Tables(section) = key.kind {
            compare(section, &inner["items"]);
        }
    }
}

#[test]
fn the_schema_has_the_keys_that_are_read() {
    let schema = json_schema();
    compare(&FILE, &schema);
    let steps = &schema["$defs"]["steps"]["items"]["oneOf"];
    let steps = steps.as_array().expect("a list of kinds of steps");
    let about_expectations = ACTIONS
        .iter()
        .filter(|action| matches!(action.verb.kind, Kind::Expectation))
        .count();
    assert_eq!(
        steps.len(),
        ACTIONS.len() - about_expectations + about_expectations * EXPECTATIONS.len()
    );
    for action in ACTIONS {
        let with_verb = steps.iter().filter(|step| keys_of(step).contains(action.verb.name));
        for step in with_verb {
            let chosen = step["properties"][action.verb.name]["const"].as_str();
            let expected = chosen.map_or(&[][..], |name| expectation(name).expect("a known expectation").keys);
            let keys = action.keys.iter().chain(expected).chain([&action.verb]);
            assert_eq!(
                keys_of(step),
                keys.map(|key| key.name).collect(),
                "{}",
                action.verb.name
            );
        }
    }
}

#[test]
fn the_schema_beside_the_files_is_the_generated_one() {
    let committed = include_str!("../../../../scenarios/schema.json");
    assert!(
        committed.trim_end() == format!("{:#}", json_schema()),
        "scenarios/schema.json differs; write it anew with `cargo xtask schema`"
    );
}

#[test]
fn the_reference_names_every_word() {
    let reference = include_str!("../../../../docs/SCENARIOS.md");
    let mentions = |word: &str| reference.contains(&format!("`{word}`"));
    fn keys(section: &'static Section) -> Vec<&'static Key> {
        let inner = section.keys.iter().flat_map(|key| {
            if let Kind::Table(section) | Kind::Tables(section) = key.kind {
                return keys(section);
            }
            Vec::new()
        });
        section.keys.iter().chain(inner).collect()
    }
    let of_steps = ACTIONS
        .iter()
        .flat_map(|action| action.keys.iter().chain([&action.verb]));
    let of_expectations = EXPECTATIONS.iter().flat_map(|expectation| expectation.keys);
    for key in keys(&FILE).into_iter().chain(of_steps).chain(of_expectations) {
        assert!(mentions(key.name), "docs/SCENARIOS.md does not mention `{}`", key.name);
    }
    let to_come = ACTIONS_TO_COME
        .iter()
        .chain(EXPECTATIONS_TO_COME)
        .map(|(word, _)| *word);
    let expectations = EXPECTATIONS.iter().map(|expectation| expectation.name);
    for word in to_come
        .chain(expectations)
        .chain(REASONS.iter().map(|reason| reason.word))
    {
        assert!(mentions(word), "docs/SCENARIOS.md does not mention `{word}`");
    }
}
