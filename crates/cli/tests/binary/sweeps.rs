//! Many runs of one scenario.

use crate::stage::Stage;

/// Two miners, five blocks at two seconds each.
const MINING: &str = "limit = \"600s\"\n[chain]\npreset = \"cluster\"\n[network.link]\nlatency = \"10ms\"\n\
                      [[network.group]]\ncount = 2\nhashrate = \"1kH/s\"\n\
                      [steps]\nrun = [\n{ wait = \"height\", at-least = 5, within = \"500s\" },\n]\n";

#[test]
fn a_sweep_has_a_row_for_each_run_and_goes_on_where_it_ended() {
    let stage = Stage::new();
    stage.write("mining.toml", MINING);
    let vary = ["--vary", "network.link.latency=10ms,200ms"];
    let arguments = |seeds| {
        [
            "sweep",
            "mining.toml",
            "--seeds",
            seeds,
            vary[0],
            vary[1],
            "--jobs",
            "2",
        ]
    };
    let first = stage.run(&arguments("0..1"));
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.stderr.contains("[4/4]"), "{}", first.stderr);
    let path = stage.path("mining-sweep.csv");
    let before = std::fs::read_to_string(&path).expect("the sweep's file");
    assert_eq!(before.lines().count(), 5, "{before}");
    assert!(
        before.starts_with("scenario,seed,network.link.latency,verdict,digest,"),
        "{before}"
    );
    let again = stage.run(&arguments("0..2"));
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.stderr.contains("4 of 6 runs are in"), "{}", again.stderr);
    let after = std::fs::read_to_string(&path).expect("the sweep's file");
    assert!(after.starts_with(&before), "rows are never changed: {after}");
    assert_eq!(after.lines().count(), 7, "{after}");
    let means: Vec<&str> = again.stdout.lines().take(3).collect();
    assert!(means[1].contains("10ms") && means[2].contains("200ms"), "{means:?}");
    assert!(means[1].contains(" 3 "), "three runs a point: {means:?}");
}

#[test]
fn runs_that_fail_are_named_and_a_point_that_is_no_scenario_runs_nothing() {
    let stage = Stage::new();
    stage.write("mining.toml", &MINING.replace("500s", "1ms"));
    let output = stage.run(&["sweep", "mining.toml", "--seeds", "4"]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(
        output.stdout.contains("FAILED  seed 4: step_failed"),
        "{}",
        output.stdout
    );
    let output = stage.run(&[
        "sweep",
        "mining.toml",
        "--seeds",
        "5",
        "--vary",
        "network.link.latency=1ms,soon",
        "--out",
        "x.csv",
    ]);
    assert_eq!(output.code, 2, "{output:?}");
    assert!(!stage.path("x.csv").exists());
}

#[test]
fn rows_of_another_scenario_or_other_settings_are_left_alone() {
    let stage = Stage::new();
    stage.write("mining.toml", MINING);
    let arguments = ["sweep", "mining.toml", "--seeds", "1"];
    assert_eq!(stage.run(&arguments).code, 0);
    let path = stage.path("mining-sweep.csv");
    let rows = std::fs::read_to_string(&path).expect("the sweep's file");
    let set = [&arguments[..], &["--set", "network.link.latency=20ms"]].concat();
    let other_settings = stage.run(&set);
    stage.write("mining.toml", &MINING.replace("10ms", "30ms"));
    let other_scenario = stage.run(&arguments);
    for output in [other_settings, other_scenario] {
        assert_eq!(output.code, 2, "{output:?}");
        assert!(output.stderr.contains("choose another --out"), "{}", output.stderr);
    }
    assert_eq!(std::fs::read_to_string(&path).expect("the sweep's file"), rows);
}

#[test]
fn a_file_that_is_no_sweeps_is_not_emptied() {
    let stage = Stage::new();
    stage.write("mining.toml", MINING);
    stage.write("notes.txt", "a line without its end");
    let output = stage.run(&["sweep", "mining.toml", "--seeds", "1", "--out", "notes.txt"]);
    assert_eq!(output.code, 2, "{output:?}");
    let notes = std::fs::read_to_string(stage.path("notes.txt")).expect("it is there");
    assert_eq!(notes, "a line without its end");
}
