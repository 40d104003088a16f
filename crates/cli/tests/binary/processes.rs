//! Runs whose nodes are processes: the same scenarios pass, ends are meant or told, and nobody is left behind.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;

use crate::interface::interface;
use crate::stage::{PATIENCE, Running, Stage, scenario};

fn passes_on_processes(name: &str) {
    let stage = Stage::new();
    let output = stage.run(&["run", &scenario(name), "--nodes", "process"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stdout.contains("PASSED"), "{}", output.stdout);
    let log = fs::read_to_string(stage.path("runs/latest/logs/n0.log")).expect("each node has a log");
    assert!(log.contains("tip"), "{log}");
}

#[test]
fn the_double_spend_passes_on_processes() {
    passes_on_processes("double-spend-across-a-partition.toml");
}

#[test]
fn restarts_pass_on_processes() {
    passes_on_processes("restart-and-catch-up.toml");
}

#[test]
fn broken_blocks_are_refused_by_processes() {
    passes_on_processes("invalid-blocks-are-refused.toml");
}

#[test]
fn a_hundred_blocks_give_way_on_processes() {
    passes_on_processes("deep-reorg.toml");
}

#[test]
fn every_action_and_expectation_works_on_processes() {
    let stage = Stage::new();
    stage.write("every.toml", include_str!("every.toml"));
    let output = stage.run(&["run", "every.toml", "--nodes", "process"]);
    assert_eq!(output.code, 0, "{output:?}");
}

/// One node stands still and catches up, another is killed while it does, a third loses its disk, a fourth stands still to the end.
const STILL: &str = r#"
name = "still"
[network]
nodes = 4
topology = { kind = "full" }
[steps]
run = [
  { mine = 2, on = "n0" },
  { wait = "converged", height = 2, within = "30s" },
  { pause = ["n1", "n2"] },
  { mine = 2, on = "n0" },
  { wait = "height", on = "n3", height = 4, within = "30s" },
  { expect = "height", on = ["n1", "n2"], height = 2 },
  { kill = "n2" },
  { resume = "n1" },
  { start = "n2" },
  { wait = "converged", height = 4, within = "30s" },
  { mine = 1, on = "n2" },
  { wipe = ["n1", "n3"] },
  { start = ["n1", "n3"] },
  { wait = "converged", height = 5, within = "30s" },
  { pause = "n3" },
  { mine = 1, on = "n0" },
]
"#;

#[test]
fn processes_are_paused_resumed_killed_and_wiped_as_tasks_are() {
    for nodes in ["tasks", "process"] {
        let stage = Stage::new();
        stage.write("still.toml", STILL);
        let output = stage.run(&["run", "still.toml", "--nodes", nodes, "--keep"]);
        assert_eq!(output.code, 0, "{nodes}: {output:?}");
        for node in ["n0", "n3"] {
            let lock = stage.path(&format!("runs/latest/nodes/{node}/lock"));
            assert!(!lock.exists(), "{nodes}: {node} stopped in good order");
        }
    }
}

/// The file of the program that is a node, by the process id in its folder's lock.
fn program_of(stage: &Stage, node: &str) -> PathBuf {
    let pid = fs::read_to_string(lock_of(stage, node)).expect("it runs");
    fs::read_link(format!("/proc/{}/exe", pid.trim())).expect("Linux tells what a process runs")
}

#[test]
#[cfg(target_os = "linux")]
fn a_node_is_upgraded_to_another_program_by_a_step_and_by_hand_and_stays_with_it() {
    let stage = Stage::new();
    let (first, next) = (PathBuf::from(env!("CARGO_BIN_EXE_nakanet")), stage.path("next-nakanet"));
    fs::copy(&first, &next).expect("a copy of the program");
    let first = first.canonicalize().expect("it is there");
    stage.write(
        "up.toml",
        "limit = \"10m\"\n[network]\nnodes = 2\n[steps]\nrun = [\n{ mine = 3, on = \"n0\" },\n\
         { wait = \"converged\", height = 3, within = \"30s\" },\n{ upgrade = \"n0\", to = \"next\" },\n{ kill = \"n0\" },\n\
         { start = \"n0\" },\n{ wait = \"height\", on = \"n1\", height = 9, within = \"5m\" },\n]\n",
    );
    let mut run = stage.start(&["run", "up.toml", "--nodes", "process", "--program", "next=next-nakanet"]);
    let upgraded = run.line_with("[3/6] ok");
    assert!(
        upgraded.contains("n0 at height 3"),
        "its chain came from its disk: {upgraded}"
    );
    run.line_with("[5/6] ok");
    assert_eq!(program_of(&stage, "n0"), next);
    assert_eq!(program_of(&stage, "n1"), first);
    run.interrupt();
    run.end();

    let stage = Stage::new();
    let arguments = [
        "up",
        "-n",
        "2",
        "--mine-interval",
        "off",
        "--rpc",
        "--nodes",
        "process",
        "--program",
    ];
    let program = format!("next={}", next_to(&stage).display());
    let (mut up, mut typed) = stage.start_typed(&[&arguments[..], &[program.as_str()]].concat());
    up.line_with("link up");
    let before = interface(&stage, "n1");
    writeln!(typed, "upgrade = \"n1\", to = \"next\"").expect("it reads");
    up.line_with("n1 at height 0");
    assert_eq!(program_of(&stage, "n1"), next_to(&stage));
    assert_eq!(interface(&stage, "n1"), before, "the other program got the same socket");
    up.interrupt();
    up.end();
}

/// A copy of the program in the stage's folder.
fn next_to(stage: &Stage) -> PathBuf {
    let path = stage.path("next-nakanet");
    if !path.exists() {
        fs::copy(env!("CARGO_BIN_EXE_nakanet"), &path).expect("a copy of the program");
    }
    path
}

#[test]
fn tasks_and_programs_that_nobody_named_are_no_upgrade() {
    let stage = Stage::new();
    stage.write(
        "up.toml",
        "[network]\nnodes = 2\n[steps]\nrun = [\n{ upgrade = \"n0\", to = \"next\" },\n]\n",
    );
    let nakanet = env!("CARGO_BIN_EXE_nakanet");
    let (next, other) = (format!("next={nakanet}"), format!("other={nakanet}"));
    for (arguments, code, words) in [
        (vec![], 1, "tasks to none"),
        (
            vec!["--nodes", "process", "--program", &other],
            1,
            "there is no program `next`, but other",
        ),
        (vec!["--program", &next], 2, "add --nodes process"),
        (
            vec!["--nodes", "process", "--program", "next=nothing"],
            2,
            "there is no file nothing",
        ),
        (vec!["--engine", "sim"], 2, "`upgrade`"),
    ] {
        let output = stage.run(&[&["run", "up.toml"], &arguments[..]].concat());
        assert_eq!(output.code, code, "{output:?}");
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains(words), "{said}");
    }
}

/// A run of three processes that waits for what does not come; `n2` is paused.
fn long_run(stage: &Stage) -> Running {
    stage.write(
        "long.toml",
        "limit = \"10m\"\n[network]\nnodes = 3\n[steps]\nrun = [\n{ mine = 1, on = \"n0\" },\n{ pause = \"n2\" },\n\
         { wait = \"height\", on = \"n1\", height = 9, within = \"5m\" },\n]\n",
    );
    let mut run = stage.start(&["run", "long.toml", "--nodes", "process"]);
    run.line_with("[2/3] ok");
    run
}

/// The lock of a node's folder, which holds its process id.
fn lock_of(stage: &Stage, node: &str) -> PathBuf {
    let runs = fs::read_dir(stage.path("runs")).expect("the run has a folder");
    let folder = runs.map(|run| run.expect("an entry").path()).next();
    folder
        .expect("the run has a folder")
        .join("nodes")
        .join(node)
        .join("lock")
}

/// Waits until whoever holds this lock has ended: the system lets go of it then, and not before.
pub(crate) fn wait_for_end(lock: File) {
    let (send, ended) = channel();
    thread::spawn(move || send.send(lock.lock()));
    let locked = ended.recv_timeout(PATIENCE).expect("the process ends");
    locked.expect("a file can be locked");
}

#[test]
fn workers_do_not_outlive_a_run_that_is_killed_not_even_paused_ones() {
    let stage = Stage::new();
    let run = long_run(&stage);
    let locks = ["n0", "n1", "n2"].map(|node| File::open(lock_of(&stage, node)).expect("it runs"));
    run.kill();
    locks.into_iter().for_each(wait_for_end);
}

#[test]
fn an_interrupted_run_stops_its_workers_in_good_order() {
    let stage = Stage::new();
    let run = long_run(&stage);
    run.interrupt();
    let (code, rest) = run.end();
    assert_eq!(code, Some(130), "{rest}");
    for node in ["n0", "n1", "n2"] {
        let lock = lock_of(&stage, node);
        assert!(!lock.exists(), "{} was left behind: {rest}", lock.display());
    }
}

/// A terminal's Ctrl-C is for the whole group of the run, which then stops its workers itself.
#[test]
fn workers_are_no_part_of_the_group_that_a_terminal_interrupts() {
    let stage = Stage::new();
    let run = long_run(&stage);
    for node in ["n0", "n1", "n2"] {
        let pid = fs::read_to_string(lock_of(&stage, node)).expect("it runs");
        let group = Command::new("ps").args(["-o", "pgid=", "-p", pid.trim()]).output();
        let group = String::from_utf8(group.expect("ps can be run").stdout).expect("a number");
        assert_eq!(group.trim(), pid.trim(), "{node}");
    }
    run.interrupt();
    run.end();
}

#[test]
fn a_worker_that_ends_untold_ends_the_run_and_is_named() {
    let stage = Stage::new();
    let run = long_run(&stage);
    let worker = fs::read_to_string(lock_of(&stage, "n1")).expect("it runs");
    let status = Command::new("kill").args(["-KILL", worker.trim()]).status();
    assert!(status.expect("kill can be run").success());
    let (code, rest) = run.end();
    assert_eq!(code, Some(4), "{rest}");
    assert!(
        rest.contains("node n1 died: its process ended, signal: 9 (SIGKILL); see ") && rest.contains("logs/n1.log"),
        "{rest}"
    );
}

#[test]
fn a_worker_that_cannot_open_its_folder_says_why() {
    let stage = Stage::new();
    let run = long_run(&stage);
    let database = lock_of(&stage, "n0").with_file_name("chain.redb");
    run.interrupt();
    run.end();
    fs::write(&database, "x".repeat(10_000)).expect("it can be written");
    let folder = database.parent().expect("it is in a folder").to_owned();
    let plan = scenario::parse(
        "bad.toml",
        "[network]\nnodes = 1\n[steps]\nrun = [{ mine = 1, on = \"n0\" }]\n",
        &scenario::Overrides::default(),
    );
    let program = cluster::Program {
        path: env!("CARGO_BIN_EXE_nakanet").into(),
        arguments: vec!["worker".into()],
        upgrades: std::collections::BTreeMap::new(),
        logs: None,
    };
    let data = folder.parent().expect("it is in a folder");
    let options = cluster::RunOptions::new(data, cluster::Nodes::Processes(program));
    let plan = std::sync::Arc::new(plan.expect("a sound file"));
    let error = cluster::run(&plan, &options, &mut |_| {}).expect_err("a node cannot start");
    assert!(
        error.to_string().starts_with("node n0: ") && error.to_string().contains("is no chain database of nakanet"),
        "{error}"
    );
}

#[test]
fn a_program_that_is_no_worker_is_told_of() {
    let stage = Stage::new();
    let by_hand = stage.run(&["worker"]);
    assert_eq!(by_hand.code, 3, "{by_hand:?}");
    assert!(by_hand.stderr.contains("not by hand"), "{}", by_hand.stderr);

    stage.write(
        "up.toml",
        "[network]\nnodes = 2\n[steps]\nrun = [{ upgrade = \"n0\", to = \"next\" }]\n",
    );
    for program in ["/bin/true", "/bin/cat"] {
        let next = format!("next={program}");
        let output = stage.run(&["run", "up.toml", "--nodes", "process", "--program", &next]);
        assert_eq!(output.code, 4, "{output:?}");
        let said = format!("{}{}", output.stdout, output.stderr);
        let words = format!("node n0 died: {program} ended before it said a word, exit status: ");
        assert!(
            said.contains(&words) && said.contains("it may be no nakanet; see runs/"),
            "{said}"
        );
    }
}
