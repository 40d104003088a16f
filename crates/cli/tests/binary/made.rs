//! What is made of a run: its report, exports, and views where there is a terminal.

use crate::stage::{Stage, scenario};

#[test]
fn a_run_leaves_a_report_and_can_be_exported() {
    let stage = Stage::new();
    let output = stage.run(&["sim", &scenario("double-spend-across-a-partition.toml")]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stdout.contains("Report  runs/"), "{}", output.stdout);
    let report = std::fs::read_to_string(stage.path("runs/latest/report.html")).expect("the report");
    assert!(report.contains("ds to carol"), "the payment that won is named");
    assert!(stage.path("runs/latest/plots/tree.svg").exists());
    for (format, begins) in [
        ("csv", "block,parent,height"),
        ("dot", "digraph"),
        ("graphml", "<?xml"),
        ("mermaid", "graph LR"),
        ("svg", "<?xml"),
        ("perfetto", "{\"displayTimeUnit\""),
    ] {
        let output = stage.run(&["export", "--format", format]);
        assert_eq!(output.code, 0, "{output:?}");
        assert!(output.stdout.starts_with(begins), "{format}: {}", &output.stdout[..80]);
    }
    let output = stage.run(&["export", "runs/latest", "-f", "scenario", "--out", "again.toml"]);
    assert_eq!(output.code, 0, "{output:?}");
    let output = stage.run(&["sim", "again.toml"]);
    assert_eq!(output.code, 0, "{output:?}");
    let output = stage.run(&["report"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stdout.contains("report.html"), "{}", output.stdout);
}

#[test]
fn what_is_no_run_is_refused_with_its_name() {
    let stage = Stage::new();
    for arguments in [
        &["export", "nowhere", "-f", "csv"][..],
        &["report", "nowhere"],
        &["watch", "nowhere"],
    ] {
        let output = stage.run(arguments);
        assert_eq!(output.code, 2, "{output:?}");
        assert!(output.stderr.contains("nowhere"), "{}", output.stderr);
    }
}

#[test]
fn a_view_needs_a_terminal() {
    let stage = Stage::new();
    for command in ["run", "sim"] {
        let output = stage.run(&[command, &scenario("two-nodes.toml"), "--watch"]);
        assert_eq!(output.code, 2, "{output:?}");
        assert!(output.stderr.contains("a view needs a terminal"), "{}", output.stderr);
        assert!(!stage.path("runs").exists(), "nothing was started");
    }
}
