//! Bad input, and the commands that start nothing.

use serde_json::Value;

use crate::stage::{Stage, scenario};

#[test]
fn a_broken_file_exits_2_and_shows_every_mistake_with_its_place() {
    let stage = Stage::new();
    let text = "limti = \"60s\"\n[network]\nnodes = 1000000000\n[steps]\nrun = [\n{ mien = 2, on = \"n0\" },\n]\n";
    stage.write("broken.toml", text);
    let output = stage.run(&["check", "broken.toml"]);
    assert_eq!(output.code, 2, "{output:?}");
    for part in [
        "broken.toml:1:1",
        "limit",
        "broken.toml:3:",
        "1000",
        "broken.toml:6:",
        "mine",
    ] {
        assert!(output.stderr.contains(part), "{part} is missing in:\n{}", output.stderr);
    }
    let run = stage.run(&["run", "broken.toml"]);
    assert_eq!(run.code, 2);
    assert!(!stage.path("runs").exists(), "nothing was started");
}

#[test]
fn a_file_that_is_not_there_exits_2_and_is_named() {
    let output = Stage::new().run(&["run", "nowhere.toml"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("cannot read nowhere.toml"), "{}", output.stderr);
}

#[test]
fn what_is_no_file_or_has_no_end_exits_2_and_says_so() {
    let stage = Stage::new();
    std::fs::create_dir(stage.path("folder")).expect("it can be made");
    let folder = stage.run(&["check", "folder"]);
    assert_eq!(folder.code, 2, "{folder:?}");
    assert!(folder.stderr.contains("it is a folder"), "{}", folder.stderr);
    let endless = stage.run(&["check", "/dev/zero"]);
    assert_eq!(endless.code, 2, "{endless:?}");
    assert!(endless.stderr.contains("at most"), "{}", endless.stderr);
}

#[test]
fn a_wrong_flag_exits_2_and_is_named() {
    let output = Stage::new().run(&["run", "--sede", "7"]);
    assert_eq!(output.code, 2);
    assert!(
        output.stderr.contains("--sede") && output.stderr.contains("--seed"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_value_that_no_network_or_node_can_have_exits_2_and_its_flag_is_named() {
    let stage = Stage::new();
    for (command, flag, value) in [
        ("up", "--mine-interval", "soon"),
        ("up", "--mine-interval", "0s"),
        ("up", "--latency", "50"),
        ("up", "--outbound", "0"),
        ("node", "--listen", "/ip4/127.0.0.1/udp/4000/quic-v1"),
        ("node", "--peer", "127.0.0.1:4000"),
        ("node", "--agent", "n\u{1b}de"),
        ("node", "--rpc-user", ""),
        ("node", "--rpc-password", ""),
    ] {
        let data = ["--data", "data"];
        let data = if command == "node" { &data[..] } else { &[] };
        let output = stage.run(&[&[command, flag, value], data].concat());
        assert_eq!(output.code, 2, "{output:?}");
        assert!(output.stderr.contains(flag), "{}", output.stderr);
    }
    for value in ["next", "=/bin/true", "next="] {
        let output = stage.run(&["up", "--nodes", "process", "--program", value]);
        assert_eq!(output.code, 2, "{output:?}");
        assert!(output.stderr.contains("such as next=/opt/nakanet"), "{}", output.stderr);
    }
    assert!(
        !stage.path("runs").exists() && !stage.path("data").exists(),
        "nothing was started"
    );
}

#[test]
fn diagnostics_can_be_had_as_json() {
    let stage = Stage::new();
    stage.write("broken.toml", "nodes = 3\n");
    let output = stage.run(&["check", "broken.toml", "--json"]);
    assert_eq!(output.code, 2);
    let report: Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(report[0]["ok"], false);
    assert_eq!(report[0]["diagnostics"][0]["line"], 1);
}

#[test]
fn every_scenario_is_listed_with_what_it_shows() {
    let folder = scenario("");
    let output = Stage::new().run(&["list", &folder, "--json"]);
    assert_eq!(output.code, 0, "{output:?}");
    let list: Value = serde_json::from_str(&output.stdout).expect("JSON");
    let list = list.as_array().expect("a list");
    assert!(list.len() >= 7);
    assert!(
        list.iter()
            .all(|entry| !entry["description"].as_str().unwrap_or_default().is_empty()),
        "{list:?}"
    );
}

#[test]
fn words_are_explained_and_a_slip_is_met_with_the_nearest() {
    let stage = Stage::new();
    for word in ["partition", "converged", "bad-cb-amount"] {
        assert_eq!(stage.run(&["explain", word]).code, 0, "{word}");
    }
    let output = stage.run(&["explain", "convergd"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("did you mean `converged`"), "{}", output.stderr);
}

#[test]
fn the_schema_in_the_repository_is_the_one_printed() {
    let output = Stage::new().run(&["schema", "scenario"]);
    let committed = std::fs::read_to_string(scenario("schema.json")).expect("scenarios/schema.json");
    assert_eq!(output.stdout, committed, "write it again with `cargo xtask schema`");
}
