//! Looking at a run that has ended: who was where, what was lost, why, and whether the log holds together.

use insta::assert_snapshot;
use serde_json::Value;

use crate::stage::{Output, Stage, scenario};

/// A double spend across a partition, in virtual time: the same for everyone.
fn double_spend(flags: &[&str]) -> Stage {
    let stage = Stage::new();
    let file = scenario("double-spend-across-a-partition.toml");
    let output = stage.run(&[&["sim", &file, "--quiet"], flags].concat());
    assert_eq!(output.code, 0, "{output:?}");
    stage
}

fn looked(stage: &Stage, arguments: &str) -> Output {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let output = stage.run(&arguments);
    assert_eq!(output.code, 0, "{arguments:?}: {output:?}");
    for line in output.stdout.lines() {
        assert!(line.chars().count() <= 80, "{arguments:?}: {line:?} is too long");
    }
    output
}

/// The last millisecond of the partition: by then each side has settled on its tip.
fn in_the_middle(stage: &Stage) -> String {
    let heal = stage.run(&["events", "--kind", "heal", "--json"]).stdout;
    let heal: Value = serde_json::from_str(&heal).expect("one line of JSON");
    format!("--at {}ms", heal["t_us"].as_u64().expect("a time") / 1_000)
}

/// A text without its times, which are others whenever nodes do anything at another time: numbers before a unit, and how they are aligned.
fn without_times(text: &str) -> String {
    let line = |line: &str| {
        let indent = &line[..line.len() - line.trim_start().len()];
        let mut words: Vec<&str> = line.split_whitespace().collect();
        for place in 1..words.len() {
            let unit = words[place].trim_end_matches([',', ':', ';']);
            if matches!(unit, "s" | "ms") && words[place - 1].parse::<f64>().is_ok() {
                words[place - 1] = "#";
                // So that neither changes with the other.
                words[place] = words[place].strip_prefix('m').unwrap_or(words[place]);
            }
        }
        if words.contains(&"#") {
            format!("{indent}{}", words.join(" "))
        } else {
            line.to_owned()
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_command_answers_on_eighty_columns() {
    let stage = double_spend(&[]);
    let then = in_the_middle(&stage);
    for (name, arguments) in [
        ("tree", "tree".to_owned()),
        ("tree_in_the_middle", format!("tree --from 11 {then}")),
        ("forks", "forks".to_owned()),
        ("forks_in_the_middle", format!("forks --open {then}")),
        ("reorgs", "reorgs runs/latest".to_owned()),
        ("why_block", "why 84838e07".to_owned()),
        ("why_transaction", "why 38d34b37".to_owned()),
        ("nodes_in_the_middle", format!("nodes {then}")),
    ] {
        assert_snapshot!(name, without_times(&looked(&stage, &arguments).stdout));
    }
    for (arguments, parts) in [
        (
            "events --about 38d34b37",
            [
                "tx_submitted      txid=38d34b37",
                "reorg             fork_point=88de0051",
            ],
        ),
        (
            "propagation",
            [
                " height  block     miner",
                "17 blocks; half of them reached half of the nodes within",
            ],
        ),
        (
            "propagation --block 89380205",
            ["0 ms  n4    -", "it reached 8 nodes, and 0 not"],
        ),
        ("verify", ["HOLDS  ", "  8 last tips where a replay ends too"]),
    ] {
        let output = looked(&stage, arguments).stdout;
        for part in parts {
            assert!(output.contains(part), "{part} is missing in:\n{output}");
        }
    }
}

#[test]
fn every_command_answers_in_json() {
    let stage = double_spend(&[]);
    let json = |arguments: &str| -> Value {
        let output = stage.run(&arguments.split(' ').collect::<Vec<_>>());
        assert_eq!(output.code, 0, "{output:?}");
        serde_json::from_str(&output.stdout).expect("one JSON value")
    };
    let forks = json("forks --json");
    let sides: Vec<&Value> = forks[0]["sides"].as_array().expect("a list").iter().collect();
    assert_eq!(sides[0]["first_here"], serde_json::json!(["n0..n3"]));
    assert_eq!(sides[1]["first_here"], serde_json::json!(["n4..n7"]));
    assert_eq!(forks[0]["resolution"]["cause"], "more_work");
    let rivals = &forks[0]["differences"][0]["rivals"][0]["spenders"];
    assert_eq!(
        (&rivals[0]["label"], &rivals[1]["label"]),
        (&"ds to carol".into(), &"ds to bob".into())
    );
    assert_eq!(json("tree --json")["rows"][0]["content"]["height"], 0);
    assert_eq!(json("reorgs --json")[0]["depth"], 2);
    assert_eq!(json("nodes --json")[0]["height"], 15);
    assert_eq!(json("propagation --json")[0]["seen"], 8);
    assert_eq!(json("why 38d34b37 --json")["confirmed"], false);
    assert_eq!(json("why 84838e07 --json")["stale"], true);
    assert_eq!(json("verify --json")["holds"], true);
    let reorgs = stage.run(&["events", "--kind", "reorg", "--json"]).stdout;
    let kinds = reorgs
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON")["kind"].clone());
    assert_eq!(kinds.collect::<Vec<_>>(), ["reorg"; 4]);
    assert_eq!(json("schema events")["properties"]["seq"]["type"], "integer");
}

#[test]
fn a_compact_log_answers_the_same_questions() {
    let (full, compact) = (double_spend(&[]), double_spend(&["--detail", "compact"]));
    let then = in_the_middle(&full);
    let at = |command: &str| format!("{command} {then}");
    let now = ["forks", "reorgs", "propagation --block 89380205"].map(str::to_owned);
    for arguments in [at("tree"), at("forks"), at("nodes")].iter().chain(&now) {
        assert_eq!(
            looked(&full, arguments).stdout,
            looked(&compact, arguments).stdout,
            "{arguments}"
        );
    }
    assert!(looked(&compact, "verify").stdout.starts_with("HOLDS"));
}

#[test]
fn two_runs_are_compared_event_by_event() {
    let stage = double_spend(&["--out", "one"]);
    let file = scenario("double-spend-across-a-partition.toml");
    stage.run(&["sim", &file, "--quiet", "--out", "again"]);
    stage.run(&["sim", &file, "--quiet", "--out", "other", "--seed", "8"]);
    let same = stage.run(&["diff", "one/latest", "again/latest"]);
    assert_eq!((same.code, same.stdout.trim()), (0, "THE SAME"), "{same:?}");
    let differs = stage.run(&["diff", "one/latest", "other/latest"]);
    assert_eq!(differs.code, 1, "{differs:?}");
    assert!(
        differs.stdout.starts_with("ANOTHER RUN  from event 0 on"),
        "{differs:?}"
    );
    let json = stage.run(&["diff", "one/latest", "other/latest", "--json"]);
    let json: Value = serde_json::from_str(&json.stdout).expect("one JSON value");
    assert_eq!((&json["seq"], &json["one"]["seed"]), (&0.into(), &"7".into()));
}

#[test]
fn a_log_that_does_not_give_back_its_run_does_not_hold() {
    let stage = double_spend(&[]);
    let summary = stage.path("runs/latest/summary.json");
    let text = std::fs::read_to_string(&summary).expect("a run leaves a summary");
    let mut json: Value = serde_json::from_str(&text).expect("JSON");
    json["nodes"][3]["tip"] = json["nodes"][3]["tip"]
        .as_str()
        .expect("a name")
        .replace('3', "4")
        .into();
    std::fs::write(&summary, json.to_string()).expect("room");
    let output = stage.run(&["verify"]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(
        output.stdout.contains("a replay of the log ends where the run ended"),
        "{output:?}"
    );
    assert!(output.stdout.contains("n3 at "), "{output:?}");
}

#[test]
fn what_cannot_be_found_is_told_with_what_could_be_meant() {
    let stage = double_spend(&[]);
    for (arguments, complaint) in [
        ("tree nowhere", "nowhere is no run's folder"),
        ("why zz", "is no name of a block or transaction"),
        (
            "why 0123456789",
            "no block or transaction has a name that begins or ends with",
        ),
        ("forks --fork 7", "there is no fork 7 among 1"),
        ("reorgs --node alice", "no node is called alice"),
        ("tree --at soon", "it is no time"),
    ] {
        let output = stage.run(&arguments.split(' ').collect::<Vec<_>>());
        assert_eq!(output.code, 2, "{arguments}: {output:?}");
        assert!(output.stderr.contains(complaint), "{arguments}: {output:?}");
    }
}

#[test]
fn events_are_followed_to_the_end_of_their_run() {
    let stage = double_spend(&[]);
    let output = stage.run(&["events", "--kind", "run_ended", "--follow"]);
    assert_eq!((output.code, output.stdout.lines().count()), (0, 1), "{output:?}");
}
