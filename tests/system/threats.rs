//! Every threat that a node must stand has a test that is named after it. docs/THREATS.md says what each is.

use std::collections::BTreeSet;

use crate::files::{Source, root, rust_files};

/// Threats of the rules, of mempools and sync, of the wire, of disk and host.
const THREATS: [(&str, u32, u32); 6] = [
    ("c", 1, 17),
    ("m", 1, 9),
    ("p", 1, 4),
    ("p", 10, 15),
    ("d", 1, 12),
    ("s", 8, 8),
];

/// The threats that the names of tests begin with: `threat_c6_c7_what_happens` is for two.
fn tested() -> BTreeSet<String> {
    let mut tested = BTreeSet::new();
    for Source { text, .. } in rust_files() {
        for name in text.split("fn threat_").skip(1) {
            let ids = name.split('_').take_while(|part| is_id(part));
            tested.extend(ids.map(str::to_owned));
        }
    }
    tested
}

fn is_id(part: &str) -> bool {
    let mut letters = part.chars();
    letters.next().is_some_and(|letter| "cmpdsh".contains(letter))
        && part.len() > 1
        && letters.all(|letter| letter.is_ascii_digit())
}

#[test]
fn every_threat_has_a_test_of_its_name() {
    let tested = tested();
    let ids = THREATS
        .iter()
        .flat_map(|(kind, first, last)| (*first..=*last).map(move |number| format!("{kind}{number}")));
    let missing: Vec<String> = ids.filter(|id| !tested.contains(id)).collect();
    assert!(missing.is_empty(), "no test is called threat_<id>_... for {missing:?}");
}

#[test]
fn a_test_may_stand_for_two_threats_and_its_words_for_none() {
    assert!(is_id("c6") && is_id("p15"));
    assert!(!is_id("c") && !is_id("a1") && !is_id("coin") && !is_id("6"));
}

/// A thread that panics ends the process, and a sum that overflows panics: a node fails whole, never half.
#[test]
fn threat_d11_a_release_fails_whole() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    let (_, release) = manifest
        .split_once("[profile.release]")
        .expect("there is a release profile");
    let profile = release.split("\n[").next().expect("a split has a first part");
    for line in ["panic = \"abort\"", "overflow-checks = true"] {
        assert!(profile.lines().any(|it| it == line), "{line}");
    }
}
