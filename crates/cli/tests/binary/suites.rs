//! `nakanet test`: whole folders.

use crate::stage::Stage;

const PASSES: &str = "[network]\nnodes = 2\n[steps]\nrun = [{ mine = 1, on = \"n0\" }, { wait = \"converged\", height = 1, within = \"9s\" }]\n";
const FAILS: &str = "[network]\nnodes = 2\n[steps]\nrun = [{ mine = 1, on = \"n0\" }, { expect = \"height\", height = 7, on = \"n0\" }]\n";

fn stage() -> Stage {
    let stage = Stage::new();
    std::fs::create_dir(stage.path("scenarios")).expect("the stage can be written");
    stage.write("scenarios/passes.toml", PASSES);
    stage
}

#[test]
fn a_folder_passes_and_leaves_no_run_folders() {
    let stage = stage();
    stage.write("scenarios/also.toml", PASSES);
    let output = stage.run(&["test"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(output.stdout.matches("ok  ").count(), 2, "{}", output.stdout);
    assert!(output.stdout.contains("PASSED  2 passed in"), "{}", output.stdout);
    let kept = std::fs::read_dir(stage.path("runs")).map_or(0, Iterator::count);
    assert_eq!(kept, 0);
    let output = stage.run(&["test", "--keep", "-k", "also", "-q"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(
        !output.stdout.contains("ok  ") && output.stdout.contains("1 passed"),
        "{}",
        output.stdout
    );
    assert_eq!(std::fs::read_dir(stage.path("runs")).map_or(0, Iterator::count), 1);
}

#[test]
fn what_fails_is_told_with_its_step_its_log_and_in_the_reports() {
    let stage = stage();
    stage.write("scenarios/fails.toml", FAILS);
    let output = stage.run(&["test", "scenarios", "--junit", "junit.xml"]);
    assert_eq!(output.code, 1, "{output:?}");
    for words in [
        "scenarios/fails.toml:4: expect",
        "n0: height 7",
        "n0: height 1",
        "FAILED  1 passed, 1 failed",
    ] {
        assert!(output.stdout.contains(words), "{words}: {}", output.stdout);
    }
    let log = output.stdout.lines().find_map(|line| line.trim().strip_prefix("log "));
    let log = log.expect("the log is named").trim();
    assert!(stage.path(log).join("events-0000.jsonl.zst").exists(), "{log}");
    let xml = std::fs::read_to_string(stage.path("junit.xml")).expect("the report");
    for words in [
        "tests=\"2\"",
        "failures=\"1\"",
        "classname=\"scenarios/fails.toml\"",
        "found    n0: height 1",
        "name=\"digest\"",
    ] {
        assert!(xml.contains(words), "{words}: {xml}");
    }
    let output = stage.run(&["test", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&output.stdout).expect("one JSON object");
    assert_eq!(
        (
            report["ok"].as_bool(),
            report["passed"].as_u64(),
            report["failed"].as_u64()
        ),
        (Some(false), Some(1), Some(1))
    );
    assert_eq!(report["tests"][0]["outcome"], "failed");
    assert_eq!(report["tests"][0]["step"]["found"], "n0: height 1");
}

#[test]
fn broken_files_are_failures_and_those_an_engine_cannot_run_are_not() {
    let stage = stage();
    stage.write("scenarios/broken.toml", "[network]\nnodse = 2\n");
    let output = stage.run(&["test"]);
    assert_eq!(output.code, 2, "{output:?}");
    assert!(output.stdout.contains("did you mean `nodes`?"), "{}", output.stdout);
    assert!(output.stdout.contains("1 passed, 1 with mistakes"), "{}", output.stdout);
    stage.write(
        "scenarios/broken.toml",
        "[network]\npreset = \"simblock-litecoin\"\nnodes = 9\n",
    );
    let output = stage.run(&["test", "--engine", "cluster"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stdout.contains("1 passed, 1 skipped"), "{}", output.stdout);
    let output = stage.run(&["test", "--engine", "cluster", "scenarios/broken.toml"]);
    assert_eq!(output.code, 2, "nothing was tested: {output:?}");
    let output = stage.run(&["test", "-k", "no such file"]);
    assert_eq!(output.code, 2, "{output:?}");
}

#[test]
fn an_interrupt_ends_all_runs_and_names_what_was_not_run() {
    let stage = stage();
    stage.write("scenarios/a-first.toml", PASSES);
    stage.write(
        "scenarios/b-endless.toml",
        "[network]\nnodes = 2\n[steps]\nrun = [{ wait = \"height\", height = 9, within = \"100s\" }]\n",
    );
    let run = [
        "test",
        "--engine",
        "cluster",
        "scenarios/a-first.toml",
        "scenarios/b-endless.toml",
        "scenarios/passes.toml",
    ];
    let mut run = stage.start(&run);
    run.line_with("a-first");
    run.interrupt();
    let (code, rest) = run.end();
    assert_eq!(code, Some(130), "{rest}");
    assert!(rest.contains("1 not run"), "{rest}");
}
