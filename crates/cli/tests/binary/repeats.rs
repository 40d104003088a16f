//! Runs in virtual time, repeated.

use crate::stage::{Stage, scenario};

/// A run of one block; `--set` makes it five.
const ONE_BLOCK: &str = "[network]\nnodes = 2\n[steps]\nrun = [\n{ mine = 1, on = \"n0\" },\n]\n";

#[test]
fn a_run_repeats_from_its_folder_alone() {
    let stage = Stage::new();
    stage.write("one.toml", ONE_BLOCK);
    let ran = stage.run(&["sim", "one.toml", "--seed", "9", "--set", "network.nodes=3"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    stage.write("one.toml", "this file is not needed any more");
    let output = stage.run(&["rerun", "runs/latest"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stdout.starts_with("THE SAME"), "{}", output.stdout);
}

#[test]
fn what_differs_from_the_record_is_shown_and_exits_1() {
    let stage = Stage::new();
    stage.write("one.toml", ONE_BLOCK);
    assert_eq!(stage.run(&["sim", "one.toml"]).code, 0);
    let scenario = stage.path("runs/latest/scenario.toml");
    std::fs::write(&scenario, ONE_BLOCK.replace("n0", "n1")).expect("it can be written");
    let output = stage.run(&["rerun", "runs/latest"]);
    assert_eq!(output.code, 1, "{output:?}");
    for part in ["ANOTHER RUN", "the first line that differs is", "  was {", "  is  {"] {
        assert!(output.stdout.contains(part), "{part} is missing in:\n{}", output.stdout);
    }
}

#[test]
fn what_is_no_run_in_virtual_time_is_bad_input() {
    let stage = Stage::new();
    let output = stage.run(&["rerun", "nowhere"]);
    assert_eq!(output.code, 2, "{output:?}");
    assert!(output.stderr.contains("run.json"), "{}", output.stderr);
    let ran = stage.run(&["run", &scenario("two-nodes.toml")]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let output = stage.run(&["rerun", "runs/latest"]);
    assert_eq!(output.code, 2, "{output:?}");
    assert!(output.stderr.contains("real nodes"), "{}", output.stderr);
}
