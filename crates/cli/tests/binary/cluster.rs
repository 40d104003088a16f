//! Real nodes: whole scenarios, single nodes as processes, interrupts, kills.

use std::io::Write as _;

use crate::stage::{Running, Stage, scenario};

fn passes_on_real_nodes(name: &str) {
    let stage = Stage::new();
    let output = stage.run(&["run", &scenario(name)]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stdout.contains("PASSED"), "{}", output.stdout);
    assert!(
        !stage.path("runs/latest/nodes").exists(),
        "databases of a run that passed are not kept"
    );
}

#[test]
fn two_nodes_pass_on_real_nodes() {
    passes_on_real_nodes("two-nodes.toml");
}

#[test]
fn the_double_spend_passes_on_real_nodes() {
    passes_on_real_nodes("double-spend-across-a-partition.toml");
}

#[test]
fn restarts_pass_on_real_nodes() {
    passes_on_real_nodes("restart-and-catch-up.toml");
}

#[test]
fn broken_blocks_are_refused_by_real_nodes() {
    passes_on_real_nodes("invalid-blocks-are-refused.toml");
}

#[test]
fn a_hundred_blocks_give_way_on_real_nodes() {
    passes_on_real_nodes("deep-reorg.toml");
}

#[test]
fn every_action_and_expectation_works_on_both_engines() {
    let stage = Stage::new();
    stage.write("every.toml", include_str!("every.toml"));
    for engine in ["sim", "cluster"] {
        let output = stage.run(&["run", "every.toml", "--engine", engine]);
        assert_eq!(output.code, 0, "{engine}: {output:?}");
    }
}

#[test]
fn databases_are_kept_when_asked_for() {
    let stage = Stage::new();
    let output = stage.run(&["run", &scenario("two-nodes.toml"), "--keep"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(stage.path("runs/latest/nodes/n0/chain.redb").exists());
}

#[test]
fn a_run_in_real_time_is_interrupted_in_good_order() {
    let stage = Stage::new();
    stage.write(
        "long.toml",
        "limit = \"10m\"\n[chain]\npreset = \"instant\"\n[network]\nnodes = 3\n[steps]\nrun = [\n{ mine = 1, on = \"n0\" },\n{ wait = \"height\", height = 2, within = \"5m\" },\n]\n",
    );
    let mut run = stage.start(&["run", "long.toml"]);
    run.line_with("[1/2] ok");
    run.interrupt();
    let (code, rest) = run.end();
    assert_eq!(code, Some(130), "{rest}");
    assert!(rest.contains("INTERRUPTED"), "{rest}");
    assert!(stage.path("runs/latest/summary.json").exists(), "what was seen is kept");
    let locks = std::fs::read_dir(stage.path("runs/latest/nodes/n0")).expect("the node's folder is kept");
    let names: Vec<_> = locks.map(|entry| entry.expect("an entry").file_name()).collect();
    assert!(
        !names.iter().any(|name| name.to_string_lossy().contains("lock")),
        "{names:?}"
    );
}

#[test]
fn a_run_interrupted_while_it_starts_exits_130_and_keeps_no_databases() {
    let stage = Stage::new();
    // A greeting takes so long that the links cannot be up when the interrupt comes.
    let slow = "[network]\nnodes = 2\n[network.link]\nlatency = \"20s\"\n";
    stage.write("slow.toml", &format!("{slow}[steps]\nrun = [{{ sleep = \"1s\" }}]\n"));
    let mut run = stage.start(&["run", "slow.toml"]);
    run.line_with("all nodes up");
    run.interrupt();
    let (code, rest) = run.end();
    assert_eq!(code, Some(130), "{rest}");
    assert!(
        rest.contains("INTERRUPTED  while the nodes were starting") && !rest.contains("error"),
        "{rest}"
    );
    let runs = std::fs::read_dir(stage.path("runs")).expect("the run has a folder");
    let runs: Vec<_> = runs.map(|run| run.expect("an entry").path()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert!(runs[0].join("run.json").exists() && !runs[0].join("nodes").exists());
}

#[test]
fn two_nodes_started_by_hand_find_each_other_and_agree() {
    let stage = Stage::new();
    let mut miner = stage.start(&["node", "--data", "miner", "--preset", "instant", "--hashrate", "20H/s"]);
    let address = address(&mut miner);
    let mut other = stage.start(&["node", "--data", "other", "--preset", "instant", "--peer", &address]);
    other.line_with("connected");
    other.line_with("tip height 5 ");
    miner.interrupt();
    let (code, rest) = miner.end();
    assert_eq!(code, Some(0), "{rest}");
    other.interrupt();
    assert_eq!(other.end().0, Some(0));
}

#[test]
fn networks_with_other_rules_do_not_mix() {
    let stage = Stage::new();
    let mut one = stage.start(&["node", "--data", "one", "--preset", "instant"]);
    let address = address(&mut one);
    let mut other = stage.start(&[
        "node",
        "--data",
        "other",
        "--preset",
        "cluster",
        "--peer",
        &address,
        "--hashrate",
        "20H/s",
    ]);
    other.line_with("tip height 3 ");
    one.interrupt();
    let (_, rest) = one.end();
    assert!(!rest.contains("connected") && !rest.contains("tip"), "{rest}");
    other.interrupt();
    other.end();
}

#[test]
fn a_node_killed_while_it_mines_comes_back_with_what_it_had() {
    let stage = Stage::new();
    let arguments = ["node", "--data", "data", "--preset", "instant", "--hashrate", "50H/s"];
    let mut node = stage.start(&arguments);
    let mined = node.line_with("mined height 12 ");
    let id = mined
        .split("..")
        .nth(1)
        .expect("the block's last digits")
        .trim()
        .to_owned();
    node.kill();
    node.end();
    let mut again = stage.start(&["node", "--data", "data", "--preset", "instant"]);
    let restored = again.line_with("blocks came from disk");
    let count: u32 = restored
        .split(' ')
        .next()
        .and_then(|word| word.parse().ok())
        .expect("a count");
    assert!(count >= 12, "{restored}");
    let mut peer = stage.start(&[
        "node",
        "--data",
        "peer",
        "--preset",
        "instant",
        "--peer",
        &again.address(),
    ]);
    assert!(
        peer.line_with("tip height 12 ").contains(&id),
        "the block that was announced is still in the chain"
    );
    for node in [again, peer] {
        node.interrupt();
        node.end();
    }
}

#[test]
fn a_folder_or_port_in_use_exits_3_and_names_it_and_harms_nothing() {
    let stage = Stage::new();
    let mut first = stage.start(&["node", "--data", "data", "--preset", "instant", "--hashrate", "20H/s"]);
    let address = address(&mut first);
    let port = address.split('/').nth(4).expect("a port").to_owned();
    let second = stage.run(&["node", "--data", "data", "--preset", "instant"]);
    assert_eq!(second.code, 3, "{second:?}");
    assert!(second.stderr.contains("in use by another process"), "{}", second.stderr);
    let listen = format!("/ip4/127.0.0.1/tcp/{port}");
    let third = stage.run(&[
        "node",
        "--data",
        "elsewhere",
        "--preset",
        "instant",
        "--listen",
        &listen,
    ]);
    assert_eq!(third.code, 3, "{third:?}");
    assert!(third.stderr.contains(&format!("port {port}")), "{}", third.stderr);
    first.line_with("mined height 3 ");
    first.interrupt();
    assert_eq!(first.end().0, Some(0));
}

fn address(node: &mut Running) -> String {
    node.line_with("listening on");
    node.address()
}

#[test]
fn a_cluster_that_is_up_takes_steps_from_its_console() {
    let stage = Stage::new();
    let (mut up, mut console) = stage.start_typed(&["up", "-n", "4", "--mine-interval", "off"]);
    let mut type_in = |line: &str| writeln!(console, "{line}").expect("it reads");
    up.line_with("links up");
    type_in("help partition");
    up.line_with("partition");
    type_in("partition = [[\"n0\"], [\"n1..n3\"]], as = \"split\"");
    up.line_with("links down");
    type_in("{ mine = 1, on = \"n0\" }");
    up.line_with("1 block mined, height 1");
    type_in("mine = 2, on = \"n9\"");
    type_in("{ mine = 2, on = \"n3\" }");
    up.line_with("2 blocks mined, height 2");
    type_in("heal = \"split\"");
    up.lines_with(&["links up", "reorg"]);
    type_in("quit");
    let (code, rest) = up.end();
    assert_eq!(code, Some(130), "{rest}");
    assert!(rest.contains("console:1:18: unknown node `n9`"), "{rest}");
}
