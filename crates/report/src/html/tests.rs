//! The report of a real run, and of one whose names are meant to do harm.

use std::path::Path;
use std::sync::Arc;

use scenario::Overrides;
use tempfile::TempDir;

use super::*;

/// Two halves confirm two spends of a coin, and meet.
const DOUBLE_SPEND: &str = include_str!("../../../../scenarios/double-spend-across-a-partition.toml");

/// A run in virtual time, in a folder.
pub(crate) fn recorded(source: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plan = scenario::parse("scenarios/x.toml", source, &Overrides::default());
    let plan = Arc::new(plan.expect("a scenario without fault"));
    let options = sim::Options {
        folder: Some(folder.path().to_owned()),
        ..sim::Options::default()
    };
    let mut finished = sim::run(&plan, &options, &mut |_| {}).expect("a simulation starts");
    finished.collector.finish(finished.at, finished.ending);
    folder
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("it was written")
}

#[test]
fn a_report_answers_who_was_where_for_how_long_and_which_payment_lost() {
    let folder = recorded(DOUBLE_SPEND);
    let written = write(folder.path()).expect("a report");
    let page = text(&written.report);
    for words in [
        "double-spend-across-a-partition",
        ">passed<",
        "Two halves of a network",
        "Fork 0 above height",
        "n0..n3",
        "n4..n7",
        "<s class=\"faint\">ds to bob</s>",
        "<b>ds to carol</b>",
        "Reorgs",
        "Nodes at the end",
        "How fast blocks spread",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.len() < 300_000, "{} bytes", page.len());
    let names: Vec<_> = written.plots.iter().filter_map(|plot| plot.file_name()).collect();
    assert_eq!(names, ["tree.svg", "propagation.svg", "fork-0.svg"]);
    for plot in &written.plots {
        let picture = text(plot);
        assert!(
            picture.starts_with("<?xml") && picture.trim_end().ends_with("</svg>"),
            "{}",
            plot.display()
        );
    }
    assert!(!folder.path().join("report.part").exists());
}

#[test]
fn a_report_needs_nothing_from_elsewhere_and_runs_nothing() {
    let folder = recorded(DOUBLE_SPEND);
    let page = text(&write(folder.path()).expect("a report").report);
    for word in [
        "<script", "src=", "href=", "url(", "@import", "http://", "https://", "onload",
    ] {
        assert!(!page.replace("http-equiv", "").contains(word), "{word}");
    }
}

#[test]
fn hostile_names_are_text() {
    let folder = recorded("[network]\nnodes = 2\n[steps]\nrun = [{ mine = 1, on = \"n0\" }]\n");
    let hostile = "<img src=x onerror=alert(1)>\\\"'&";
    let events = observe::log::read(folder.path()).expect("a log");
    let mut model = Model::new();
    for event in events {
        let event = event.expect("an event");
        let line = serde_json::to_string(&event).expect("JSON");
        let line = line
            .replace("\"n1\"", &format!("\"{hostile}\""))
            .replace("\"x\"", &format!("\"{hostile}\""));
        model.push(&serde_json::from_str(&line).expect("still JSON"));
    }
    let about = About {
        description: hostile.to_owned(),
        violations: vec![hostile.to_owned()],
        ..About::default()
    };
    let page = page(&model, &about).expect("a report");
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    assert!(!page.contains("<img"), "names are never markup");
}

#[test]
fn a_log_without_events_has_no_report() {
    let refusal = page(&Model::new(), &About::default()).expect_err("nothing is known");
    assert_eq!(refusal.to_string(), "the log has no events");
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert!(matches!(write(folder.path()), Err(ReportError::Log(_))));
}

#[test]
fn a_report_of_many_forks_stays_small() {
    let source = "limit = \"2h\"\n[chain]\npreset = \"cluster\"\ninterval = \"1s\"\nretarget = \"fixed\"\n[network]\n\
                  topology = { kind = \"random\", outbound = 4 }\n[[network.group]]\ncount = 20\nhashrate = 100\n\
                  [network.link]\nlatency = \"700ms\"\n[steps]\nrun = [{ sleep = \"240s\" }]\n";
    let folder = recorded(source);
    let follow = Follow::open(folder.path()).expect("a log");
    assert!(
        follow.model().forks().len() > 2 * crate::limits::MAX_FORKS,
        "many forks"
    );
    let page = text(&write(folder.path()).expect("a report").report);
    assert_eq!(page.matches("<h3>Fork ").count(), crate::limits::MAX_FORKS);
    assert!(page.contains("that cost the most blocks"));
    assert!(page.len() < MAX_REPORT_BYTES / 2, "{} bytes", page.len());
}
