//! Whole runs in virtual time.

use serde_json::Value;

use crate::stage::{Stage, scenario};

/// Two nodes, and these steps.
fn two_nodes(steps: &str) -> String {
    format!("limit = \"60s\"\n[chain]\npreset = \"instant\"\n[network]\nnodes = 2\n[steps]\nrun = [\n{steps}\n]\n")
}

#[test]
fn a_scenario_that_passes_exits_0_and_shows_steps_tree_reorgs_and_verdict() {
    let stage = Stage::new();
    let output = stage.run(&[
        "run",
        &scenario("double-spend-across-a-partition.toml"),
        "--engine",
        "sim",
    ]);
    assert_eq!(output.code, 0, "{output:?}");
    for part in [
        "[12/12] ok",
        "Blocks",
        "Reorgs",
        "is spent by ds to carol",
        "PASSED",
        "Log     runs/",
    ] {
        assert!(output.stdout.contains(part), "{part} is missing in:\n{}", output.stdout);
    }
    assert!(!output.stdout.contains('\x1b'), "no colour in a pipe");
    assert!(stage.path("runs/latest/summary.json").exists());
    assert!(stage.path("runs/latest/scenario.toml").exists());
}

#[test]
fn a_failed_expectation_exits_1_and_names_the_place_and_both_sides() {
    let stage = Stage::new();
    stage.write(
        "wrong.toml",
        &two_nodes("{ mine = 2, on = \"n0\" },\n{ expect = \"height\", height = 3, on = \"n0\" },"),
    );
    let output = stage.run(&["run", "wrong.toml", "--engine", "sim"]);
    assert_eq!(output.code, 1, "{output:?}");
    for part in [
        "[2/2] FAIL",
        "wrong.toml:9",
        "expected n0: height 3",
        "found    n0: height 2",
        "Repeat  nakanet run",
    ] {
        assert!(output.stdout.contains(part), "{part} is missing in:\n{}", output.stdout);
    }
}

#[test]
fn the_command_that_repeats_a_run_can_be_pasted_into_a_shell() {
    let stage = Stage::new();
    let wrong = "{ expect = \"height\", height = 3, on = \"n0\" },";
    stage.write("it's wrong.toml", &two_nodes(wrong));
    let arguments = "--set network.nodes=3 --verify each --detail summary --check-wire --force";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let output = stage.run(&[&["sim", "it's wrong.toml"], &arguments[..]].concat());
    assert_eq!(output.code, 1, "{output:?}");
    let expected = format!(
        "Repeat  nakanet run 'it'\\''s wrong.toml' --engine sim {}",
        arguments.join(" ")
    );
    assert!(output.stdout.contains(&expected), "{}", output.stdout);
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_does_not_arrive_exits_3_and_says_why() {
    let stage = Stage::new();
    let full = std::fs::File::create("/dev/full").expect("a device that is always full");
    let output = stage.command(&["explain"]).stdout(full).output().expect("it starts");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let errors = String::from_utf8(output.stderr).expect("errors are UTF-8");
    assert!(errors.contains("cannot write to standard output"), "{errors}");
}

#[test]
fn a_run_folder_that_cannot_be_made_exits_3_and_is_named_once() {
    let stage = Stage::new();
    stage.write("two.toml", &two_nodes("{ mine = 1, on = \"n0\" },"));
    stage.write("taken", "a file");
    let output = stage.run(&["sim", "two.toml", "--out", "taken"]);
    assert_eq!(output.code, 3, "{output:?}");
    assert!(
        output.stderr.contains("cannot write the run folder taken/"),
        "{}",
        output.stderr
    );
    assert_eq!(output.stderr.matches("os error").count(), 1, "{}", output.stderr);
}

#[test]
fn a_run_over_its_limit_exits_5() {
    let stage = Stage::new();
    let wait = "{ wait = \"height\", height = 1, within = \"60s\" },";
    stage.write("slow.toml", &two_nodes(&format!("{{ sleep = \"30s\" }},\n{wait}")));
    assert_eq!(stage.run(&["run", "slow.toml", "--engine", "sim"]).code, 5);
}

#[test]
fn a_run_repeats_to_the_byte_in_another_process_and_not_under_another_seed() {
    let stage = Stage::new();
    let digest = |seed: &str| {
        let file = scenario("five-miners-by-hash-power.toml");
        let output = stage.run(&["run", &file, "--engine", "sim", "--json", "--seed", seed]);
        assert_eq!(output.code, 0, "{output:?}");
        let summary: Value = serde_json::from_str(&output.stdout).expect("one JSON object");
        summary["digest"].as_str().expect("a digest").to_owned()
    };
    let first = digest("5");
    assert_eq!(digest("5"), first);
    assert_ne!(digest("6"), first);
}

#[test]
fn a_value_of_the_file_can_be_set_from_outside() {
    let stage = Stage::new();
    stage.write(
        "two.toml",
        &two_nodes("{ mine = 2, on = \"n2\" },\n{ expect = \"height\", height = 2, on = \"n2\" },"),
    );
    assert_eq!(
        stage.run(&["run", "two.toml", "--engine", "sim"]).code,
        2,
        "there is no n2"
    );
    assert_eq!(
        stage
            .run(&["run", "two.toml", "--engine", "sim", "--set", "network.nodes=3"])
            .code,
        0
    );
}

#[test]
fn a_run_keeps_the_file_of_links_that_stood_beside_its_scenario() {
    let stage = Stage::new();
    let source = two_nodes("{ mine = 2, on = \"n0\" },\n{ wait = \"converged\", height = 2, within = \"9s\" },");
    let topology = "nodes = 2\ntopology = { kind = \"file\", file = \"pair.txt\" }";
    stage.write("linked.toml", &source.replace("nodes = 2", topology));
    let missing = stage.run(&["check", "linked.toml"]);
    assert_eq!(missing.code, 2, "{missing:?}");
    assert!(
        missing.stderr.contains("linked.toml:6:36: cannot read `pair.txt`"),
        "{}",
        missing.stderr
    );
    stage.write("pair.txt", "0 1\n");
    let output = stage.run(&["sim", "linked.toml"]);
    assert_eq!(output.code, 0, "{output:?}");
    // What the file says later is of no matter to the run.
    stage.write("pair.txt", "0 7\n");
    let output = stage.run(&["rerun", "runs/latest"]);
    assert!(output.stdout.starts_with("THE SAME"), "{output:?}");
}
