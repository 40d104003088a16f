//! The arrows of the house: who may depend on whom. `docs/ARCHITECTURE.md` tells why.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::files::{root, rust_files};

/// Each crate, and the crates of ours that it may depend on.
const HOUSE: [(&str, &[&str]); 15] = [
    ("base", &[]),
    ("chain", &["base"]),
    ("gossip", &["base", "chain"]),
    ("node", &["base", "chain", "gossip"]),
    ("scenario", &["base", "chain", "gossip", "node"]),
    ("observe", &["base", "chain", "gossip", "node", "scenario"]),
    ("report", &["base", "chain", "scenario", "observe"]),
    ("terminal", &["base", "chain", "scenario", "observe"]),
    ("sim", &["base", "chain", "gossip", "node", "scenario", "observe"]),
    ("page", &["base", "chain", "scenario", "observe"]),
    ("rpc", &["base", "chain", "gossip", "node"]),
    (
        "cluster",
        &["base", "chain", "gossip", "node", "scenario", "observe", "rpc"],
    ),
    (
        "cli",
        &[
            "base", "chain", "gossip", "node", "scenario", "observe", "page", "report", "terminal", "sim", "cluster",
            "rpc",
        ],
    ),
    ("xtask", &[]),
    ("system-tests", &[]),
];

/// Crates that must give the same bytes on every machine.
const DETERMINISTIC: [&str; 6] = ["base", "chain", "gossip", "node", "scenario", "sim"];

/// What a deterministic crate must not name: clocks, threads of its own, files, sockets, the environment, ambient randomness.
const NOT_DETERMINISTIC: [&str; 9] = [
    "Instant::now",
    "SystemTime",
    "std::thread",
    "std::fs",
    "std::net",
    "std::env",
    "RandomState",
    "HashMap::new()",
    "rand::",
];

#[test]
fn crates_depend_only_along_the_arrows_of_the_house() {
    let manifest = root().join("Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .expect("cargo metadata");
    let house: BTreeMap<&str, BTreeSet<&str>> = HOUSE
        .iter()
        .map(|(name, allowed)| (*name, allowed.iter().copied().collect()))
        .collect();
    let ours: BTreeSet<&str> = house.keys().copied().collect();
    let found: BTreeSet<&str> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(found, ours, "the workspace's members and the table of the house differ");
    for package in metadata.workspace_packages() {
        let arrows = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Normal);
        let arrows: BTreeSet<&str> = arrows
            .map(|dependency| dependency.name.as_str())
            .filter(|name| ours.contains(name))
            .collect();
        let allowed = &house[package.name.as_str()];
        assert!(
            arrows.is_subset(allowed),
            "{} depends on {arrows:?}, allowed are {allowed:?}",
            package.name
        );
    }
}

#[test]
fn only_the_wire_and_the_store_know_the_codec() {
    let allowed = ["crates/gossip/src/wire", "crates/cluster/src/store"];
    for source in rust_files() {
        let uses = source.text.contains("bincode::") || source.text.contains("use bincode");
        let exempt =
            allowed.iter().any(|prefix| source.path.starts_with(prefix)) || source.path.ends_with("architecture.rs");
        assert!(!uses || exempt, "{} uses the codec", source.path);
    }
}

#[test]
fn deterministic_crates_name_no_source_of_chance() {
    for source in rust_files() {
        let inside = DETERMINISTIC
            .iter()
            .any(|name| source.path.starts_with(&format!("crates/{name}/src/")));
        if !inside
            || source.path.ends_with("tests.rs")
            || source.path.ends_with("testing.rs")
            || source.path.contains("/tests/")
        {
            continue;
        }
        let production = source
            .text
            .split("#[cfg(test)]")
            .next()
            .expect("a split has a first part");
        for word in NOT_DETERMINISTIC {
            assert!(!production.contains(word), "{} names {word}", source.path);
        }
    }
}

#[test]
fn only_the_cluster_the_servers_and_the_binary_are_asynchronous() {
    // The desk stands between threads and tasks, and runs none itself.
    let allowed = [
        "crates/cluster/",
        "crates/cli/",
        "crates/page/",
        "crates/rpc/",
        "crates/observe/src/operator.rs",
        "tests/",
    ];
    for source in rust_files() {
        let uses = source.text.contains("async fn") || source.text.contains("tokio::");
        assert!(
            !uses || allowed.iter().any(|prefix| source.path.starts_with(prefix)),
            "{} is asynchronous",
            source.path
        );
    }
}

#[test]
fn base_stays_small() {
    let lines: usize = rust_files()
        .iter()
        .filter(|source| source.path.starts_with("crates/base/"))
        .map(|s| s.text.lines().count())
        .sum();
    assert!(
        lines <= 800,
        "base has {lines} lines; it takes in only what three crates need"
    );
}
