//! Exports of one run: each is what its readers expect, and capped ones say so.

use observe::model::Follow;
use tempfile::TempDir;

use super::*;
use crate::html::tests::recorded;
use crate::limits::MAX_MERMAID_BLOCKS;

/// Two halves that part above block 1 and meet again.
const SPLIT: &str = r#"
[network]
nodes = 4
topology = { kind = "full" }
[network.link]
latency = "5ms"
[steps]
run = [
  { mine = 1, on = "n0" },
  { wait = "converged", height = 1, within = "9s" },
  { partition = [["n0..n1"], ["n2..n3"]], as = "split" },
  { mine = 1, on = "n0" },
  { mine = 2, on = "n3" },
  { heal = "split" },
  { wait = "converged", height = 3, within = "9s" },
]
"#;

fn run() -> TempDir {
    recorded(SPLIT)
}

fn check(format: Format) -> String {
    let folder = run();
    let follow = Follow::open(folder.path()).expect("a log");
    let exported = export(follow.model(), folder.path(), format).expect("it can be exported");
    assert_eq!(exported.left_out, None);
    exported.text
}

#[test]
fn blocks_are_rows() {
    let table = check(Format::Csv);
    let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split(',').collect()).collect();
    assert_eq!(rows.len(), 6, "a head, the genesis block, and four more:\n{table}");
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{table}");
    let stale: Vec<&str> = rows[1..]
        .iter()
        .filter(|row| row[9] == "true")
        .map(|row| row[4])
        .collect();
    assert_eq!(stale, ["n0"], "{table}");
    assert_eq!(
        rows.iter().filter(|row| row[14] == "4").count(),
        1,
        "all follow one:\n{table}"
    );
}

#[test]
fn graphs_have_a_vertex_for_each_block_and_an_edge_to_each_parent() {
    let dot = check(Format::Dot);
    assert!(dot.starts_with("digraph blocks {") && dot.ends_with("}\n"), "{dot}");
    assert_eq!(
        (dot.matches("label=").count(), dot.matches(" -> ").count()),
        (5, 4),
        "{dot}"
    );
    assert_eq!(dot.matches("dashed").count(), 1, "{dot}");
    let graphml = check(Format::GraphMl);
    assert_eq!(
        (graphml.matches("<node ").count(), graphml.matches("<edge ").count()),
        (5, 4),
        "{graphml}"
    );
    assert!(graphml.contains("<data key=\"followers\">n0..n3</data>"), "{graphml}");
    let mermaid = check(Format::Mermaid);
    assert_eq!(
        (mermaid.matches("\"]").count(), mermaid.matches("\")").count()),
        (4, 1),
        "{mermaid}"
    );
    assert_eq!(mermaid.matches(" --> ").count(), 4, "{mermaid}");
}

#[test]
fn a_graph_that_has_no_room_for_all_blocks_says_so() {
    let source = "[chain]\npreset = \"instant\"\n[network]\nnodes = 1\n[steps]\nrun = [{ mine = 300, on = \"n0\" }]\n";
    let folder = recorded(source);
    let follow = Follow::open(folder.path()).expect("a log");
    let exported = export(follow.model(), folder.path(), Format::Mermaid).expect("it can be exported");
    assert_eq!(
        exported.left_out.as_deref(),
        Some("the graph has the newest 250 of 301 blocks")
    );
    assert_eq!(exported.text.matches("\"]").count(), MAX_MERMAID_BLOCKS);
    assert_eq!(exported.text.matches(" --> ").count(), MAX_MERMAID_BLOCKS - 1);
}

#[test]
fn the_picture_is_the_whole_tree() {
    let picture = check(Format::Svg);
    assert_eq!(picture.matches("<circle ").count(), 5, "{picture}");
    assert_eq!(picture.matches("hollow c").count(), 1, "{picture}");
}

#[test]
fn the_time_line_has_a_track_for_each_node_and_what_happened_on_it() {
    let trace: serde_json::Value = serde_json::from_str(&check(Format::Perfetto)).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("a list");
    let count = |phase: &str, category: &str| {
        let matching = events
            .iter()
            .filter(|event| event["ph"] == phase && event["cat"] == category);
        matching.count()
    };
    assert_eq!(
        (
            count("X", "step"),
            count("X", "cut"),
            count("b", "fork"),
            count("e", "fork")
        ),
        (7, 1, 1, 1)
    );
    let reorgs: Vec<u64> = events
        .iter()
        .filter(|event| event["name"] == "reorg")
        .filter_map(|event| event["tid"].as_u64())
        .collect();
    assert_eq!(reorgs.len(), 2, "{reorgs:?}");
    assert!(
        reorgs.iter().all(|node| *node < 2),
        "n0 and n1 gave up a block: {reorgs:?}"
    );
}

#[test]
fn what_was_done_by_hand_becomes_a_scenario_that_does_it() {
    let source = "# An idle network.\nseed = 3\n[network]\nnodes = 4\ntopology = { kind = \"full\" }\n[steps]\n\
                  run = [{ sleep = \"3s\" }, { wait = \"converged\", height = 2, within = \"9s\" }, { expect = \"reorg\", on = \"n0\", depth = 1 }]\n";
    let by_hand = [
        (1_000, "partition = [[\"n0\"], [\"n1..n3\"]], as = \"split\""),
        (1_200, "mine = 1, on = \"n0\""),
        (1_200, "mine = 2, on = \"n1\""),
        (4_000, "heal = \"split\""),
    ];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plan = ::scenario::parse("x.toml", source, &::scenario::Overrides::default()).expect("a sound file");
    let script = by_hand.map(|(millis, text)| {
        let instruction = ::scenario::Instruction::new("test", text);
        (base::Time::from_millis(millis), instruction)
    });
    let options = sim::Options {
        folder: Some(folder.path().to_owned()),
        script: script.into(),
        ..sim::Options::default()
    };
    let mut finished = sim::run(&std::sync::Arc::new(plan), &options, &mut |_| {}).expect("it starts");
    finished.collector.finish(finished.at, finished.ending);
    assert_eq!(finished.ending, observe::Ending::Steps(::scenario::Outcome::Passed));

    let exported = ByHand::of(folder.path()).expect("a run folder");
    assert_eq!(exported.text.matches("# by hand").count(), 4, "{}", exported.text);
    let folder = recorded(&exported.text);
    let follow = Follow::open(folder.path()).expect("a log");
    let (_, ended) = follow.model().ended().expect("it ended");
    assert!(ended.ok, "{}\n{ended:?}", exported.text);
    assert_eq!(follow.model().reorgs().len(), 1);
}
