//! Clusters in the background: started, found, given steps, looked into, ended, and nothing left behind.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::processes::wait_for_end;
use crate::stage::{Output, Stage};

/// A cluster in the background that is ended with the test, however that ends.
struct Cluster<'a>(&'a Stage);

impl<'a> Cluster<'a> {
    fn up(stage: &'a Stage, arguments: &[&str]) -> Self {
        let output = stage.run(&[&["up", "--detach", "-n", "3", "--mine-interval", "off"], arguments].concat());
        assert_eq!(output.code, 0, "{output:?}");
        assert!(output.stdout.contains("3 nodes in runs/"), "{}", output.stdout);
        Self(stage)
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        self.0.run(&["down", "--all"]);
    }
}

fn clusters(stage: &Stage) -> Vec<Value> {
    let output = stage.run(&["ps", "--json"]);
    assert_eq!(output.code, 0, "{output:?}");
    serde_json::from_str(&output.stdout).expect("a list")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn a_cluster_in_the_background_takes_steps_and_leaves_nothing_but_its_log() {
    let stage = Stage::new();
    let _cluster = Cluster::up(&stage, &[]);
    let [found] = &clusters(&stage)[..] else {
        panic!("one cluster runs");
    };
    assert_eq!(
        (&found["running"], &found["nodes"]),
        (&Value::Bool(true), &Value::from(3))
    );

    let (mut running, mut steps) = stage.start_typed(&["attach"]);
    steps.write_all(b"mine = 2, on = \"n0\"\n").expect("it reads");
    running.line_with("block  height 2");
    running.line_with("step");
    steps.write_all(b"quit\n").expect("it reads");
    let (code, rest) = running.end();
    assert_eq!(code, Some(0), "{rest}");
    assert!(rest.contains("the cluster goes on"), "{rest}");

    let logs = stage.run(&["logs", "--node", "n0"]);
    assert!(logs.stdout.contains("mined height=2"), "{logs:?}");
    assert!(
        logs.stdout.lines().all(|line| line.starts_with("n0 ")),
        "{}",
        logs.stdout
    );
    let nowhere = stage.run(&["logs", "--node", "n0", "--node", "n9", "runs/nowhere"]);
    assert_eq!(nowhere.code, 2, "{nowhere:?}");
    // They share a log, which could have something of anybody.
    let nobody = stage.run(&["logs", "--node", "n0", "--node", "n9"]);
    assert_eq!(nobody.code, 2, "{nobody:?}");
    assert!(nobody.stderr.contains("no log of a node `n9`"), "{}", nobody.stderr);

    let down = stage.run(&["down"]);
    assert_eq!(down.code, 0, "{down:?}");
    let folder = stage.path(&text(&found["folder"]));
    assert!(folder.join("summary.json").exists(), "what was seen is kept");
    for left in ["cluster.json", "steps.socket", "nodes/n0/lock"] {
        assert!(!folder.join(left).exists(), "{left}");
    }
    assert!(clusters(&stage).is_empty());
    let again = stage.run(&["down"]);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.stderr.contains("no cluster runs in runs"), "{}", again.stderr);
}

#[test]
fn a_cluster_that_was_killed_is_seen_to_be_gone_and_its_workers_with_it() {
    let stage = Stage::new();
    let _cluster = Cluster::up(&stage, &["--nodes", "process"]);
    let found = clusters(&stage).pop().expect("one cluster runs");
    let folder = stage.path(&text(&found["folder"]));
    let locks = ["cluster.json", "nodes/n0/lock", "nodes/n2/lock"].map(|name| folder.join(name));
    let locks = locks.map(|lock| File::open(lock).expect("it runs"));
    let killed = Command::new("kill").args(["-KILL", &text(&found["pid"])]).status();
    assert!(killed.expect("kill can be run").success());
    locks.into_iter().for_each(wait_for_end);

    assert_eq!(
        clusters(&stage).pop().expect("it is listed")["running"],
        Value::Bool(false)
    );
    let table = stage.run(&["ps"]).stdout;
    assert!(table.contains("gone") && table.contains("down --all"), "{table}");
    let Output { code, stdout, .. } = stage.run(&["down", "--all"]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("was not running any more"), "{stdout}");
    assert!(clusters(&stage).is_empty());
}

#[test]
fn one_of_several_clusters_must_be_named() {
    let stage = Stage::new();
    let _first = Cluster::up(&stage, &[]);
    let _second = Cluster::up(&stage, &["--seed", "2"]);
    let output = stage.run(&["down"]);
    assert_eq!(output.code, 2, "{output:?}");
    let found = clusters(&stage);
    assert_eq!(found.len(), 2);
    for cluster in &found {
        let folder = text(&cluster["folder"]);
        assert!(output.stderr.contains(&folder), "{}", output.stderr);
        assert_eq!(stage.run(&["down", &folder]).code, 0);
    }
}

#[test]
fn a_cluster_that_does_not_come_up_says_why_and_is_not_left() {
    let stage = Stage::new();
    let mut command = Command::new("sh");
    // Too few files for any cluster.
    command.arg("-c").arg("ulimit -n 60; exec \"$0\" up --detach -n 3");
    let output = command
        .arg(env!("CARGO_BIN_EXE_nakanet"))
        .current_dir(stage.path(""))
        .stdin(Stdio::null())
        .output();
    let output = output.expect("a shell starts");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{errors}");
    assert!(
        errors.contains("ulimit -n") && errors.contains("did not come up"),
        "{errors}"
    );
    assert!(clusters(&stage).is_empty());
}

#[test]
fn a_cluster_in_the_background_of_which_a_node_dies_says_where_its_tools_ask_and_what_it_ended_of() {
    let stage = Stage::new();
    let up = stage.run(&[
        "up",
        "--detach",
        "-n",
        "2",
        "--nodes",
        "process",
        "--rpc",
        "--mine-interval",
        "off",
    ]);
    let _cluster = Cluster(&stage);
    assert!(up.stdout.contains("n0  JSON-RPC on 127.0.0.1:"), "{up:?}");
    assert_eq!(stage.run(&["rpc", "n1", "getblockcount"]).stdout, "0\n");

    let cluster = File::open(stage.path("runs/latest/cluster.json")).expect("it runs");
    let worker = fs::read_to_string(stage.path("runs/latest/nodes/n1/lock")).expect("it runs");
    let killed = Command::new("kill").args(["-KILL", worker.trim()]).status();
    assert!(killed.expect("kill can be run").success());
    wait_for_end(cluster);
    for arguments in [["ps"], ["down"], ["attach"]] {
        let output = stage.run(&arguments);
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains("no cluster runs in runs"), "{said}");
        assert!(
            said.contains("has ended: node n1 died: its process ended, signal: 9 (SIGKILL); see runs/"),
            "{said}"
        );
    }
}
