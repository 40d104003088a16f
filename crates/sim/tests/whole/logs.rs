//! The log of every scenario is what its schema says, holds together, and gives back the run.

use std::collections::{BTreeMap, BTreeSet};

use observe::layout::{Layout, View};
use observe::log::{self, LoggedEvent};
use observe::model::Follow;
use observe::told::{self, Told};
use observe::{Collector, Detail, verify};
use serde_json::Value;
use sim::Options;

use crate::files::{plan, scenarios};

/// A scenario's run, left in a folder.
fn run(file: &std::path::Path, detail: Detail) -> (tempfile::TempDir, Collector) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = Options {
        folder: Some(folder.path().to_owned()),
        detail: Some(detail),
        ..Options::default()
    };
    let mut finished = sim::run(&plan(file), &options, &mut |_| {}).expect("a simulation starts");
    finished.collector.finish(finished.at, finished.ending);
    (folder, finished.collector)
}

#[test]
fn every_line_is_of_a_kind_that_is_read_back_to_the_last_field() {
    let schema = jsonschema::validator_for(&told::json_schema()).expect("a sound schema");
    for file in scenarios("scenarios") {
        let (folder, _) = run(&file, Detail::for_plan(&plan(&file)));
        // Lines of one kind with the same fields are alike to the schema: one of a hundred is enough of the many.
        let mut seen = BTreeMap::<String, u64>::new();
        for event in log::read(folder.path()).expect("a log") {
            let event = event.expect("a sound log");
            let shape = format!("{} {:?}", event.kind, event.fields.keys());
            let count = seen.entry(shape).or_default();
            *count += 1;
            if *count > 20 && !count.is_multiple_of(100) {
                continue;
            }
            check_fields(&event);
            let line = serde_json::to_value(&event).expect("it was read");
            let complaints: Vec<String> = schema.iter_errors(&line).map(|error| error.to_string()).collect();
            assert!(complaints.is_empty(), "{line}: {complaints:?}");
        }
    }
}

fn check_fields(event: &LoggedEvent) {
    let told = Told::of(event).expect("its fields are those of its kind");
    let told = told.unwrap_or_else(|| panic!("{} is a kind that is not read", event.kind));
    let Value::Object(mut fields) = serde_json::to_value(&told).expect("it has no maps") else {
        panic!("an event is an object");
    };
    assert_eq!(fields.remove("kind"), Some(event.kind.clone().into()));
    assert_eq!(fields, event.fields, "{}", event.kind);
}

#[test]
fn every_log_holds_together_and_gives_back_what_was_seen() {
    for file in scenarios("scenarios") {
        for detail in BTreeSet::from([Detail::for_plan(&plan(&file)), Detail::Compact]) {
            let (folder, collector) = run(&file, detail);
            let verified = verify::verify(folder.path()).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            assert!(verified.complete && verified.digest == Some(true));
            assert_eq!(verified.tips.is_some(), detail != Detail::Summary);
            let follow = Follow::open(folder.path()).expect("a sound log");
            let (model, world) = (follow.model(), collector.world());
            assert_eq!((model.not_understood(), model.chain().without_parent()), (0, 0));
            assert_eq!(model.chain().len(), world.blocks().len());
            let moment = model.at(model.now()).expect("it can be read");
            for (node, state) in moment.nodes().iter().enumerate() {
                let facts = &world.nodes()[node];
                assert_eq!(
                    (state.running, state.peers.len()),
                    (facts.running, facts.peers.len()),
                    "{}",
                    state.name
                );
                if detail != Detail::Summary {
                    assert_eq!(
                        (state.tip, state.mined),
                        (facts.tip.block, facts.mined),
                        "{}",
                        state.name
                    );
                }
            }
            if detail == Detail::Full {
                check_tree(&follow, &collector);
                check_forks(&follow, &collector);
            }
        }
    }
}

fn check_tree(follow: &Follow, collector: &Collector) {
    let moment = follow.model().at(follow.model().now()).expect("it can be read");
    let (picture, layout) = (
        moment.tree(View::default()),
        Layout::of(collector.world(), View::default()),
    );
    let drawn: Vec<_> = picture.rows.iter().map(|row| (&row.cells, row.content)).collect();
    let expected: Vec<_> = layout.rows.iter().map(|row| (&row.cells, row.content)).collect();
    assert_eq!(drawn, expected);
}

fn check_forks(follow: &Follow, collector: &Collector) {
    let moment = follow.model().at(follow.model().now()).expect("it can be read");
    let cards = moment.forks();
    assert_eq!(cards.len(), collector.forks().len());
    for (card, fork) in cards.iter().zip(collector.forks()) {
        let tips: Vec<_> = card
            .branches
            .iter()
            .map(|branch| (branch.first, branch.told.tip, branch.told.blocks))
            .collect();
        let seen: Vec<_> = fork
            .branches
            .iter()
            .map(|branch| (branch.first, branch.tip, branch.blocks))
            .collect();
        assert_eq!(tips, seen, "fork {}", fork.id);
        let ends = (
            card.resolution.as_ref().map(|end| end.told.winner),
            fork.resolution.as_ref().map(|end| end.winner),
        );
        assert_eq!(ends.0, ends.1, "fork {}", fork.id);
    }
}

#[test]
fn a_message_that_a_cut_link_swallows_is_told_and_explains_who_never_heard() {
    let source = "[network]\nnodes = 2\n[network.link]\nlatency = \"50ms\"\n[steps]\nrun = [\n\
                  { partition = [[\"n0\"], [\"n1\"]], as = \"deaf\", silent = true },\n{ mine = 1, on = \"n0\" },\n{ sleep = \"1s\" },\n]\n";
    let plan = scenario::parse("deaf", source, &scenario::Overrides::default()).expect("a scenario without fault");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = Options {
        folder: Some(folder.path().to_owned()),
        ..Options::default()
    };
    let mut finished = sim::run(&std::sync::Arc::new(plan), &options, &mut |_| {}).expect("a simulation starts");
    finished.collector.finish(finished.at, finished.ending);
    verify::verify(folder.path()).expect("it holds");
    let follow = Follow::open(folder.path()).expect("a log");
    let mined = follow.model().chain().blocks()[1].id;
    let why = follow.why_block(&mined).expect("it can be read").expect("it was mined");
    assert_eq!(
        (why.nodes[1].connected_us, why.nodes[1].lost_messages > 0),
        (None, true)
    );
    let text = observe::text::why_block(&why, follow.model());
    assert!(text.contains("never heard of it: the link was cut\n"), "{text}");
}
