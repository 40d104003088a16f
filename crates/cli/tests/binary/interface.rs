//! The JSON-RPC interface as its users meet it: `node --rpc`, `up --rpc`, `nakanet rpc`.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::net::{TcpListener, TcpStream};

use crate::stage::{Running, Stage};

fn node(stage: &Stage, extra: &[&str]) -> (Running, String) {
    let arguments = ["node", "--data", "a", "--preset", "instant", "--rpc", "127.0.0.1:0"];
    let mut node = stage.start(&[&arguments, extra].concat());
    let line = node.line_with("JSON-RPC on ");
    let address = line.rsplit(' ').next().expect("an address").to_owned();
    (node, address)
}

#[test]
fn a_node_answers_by_its_folder_and_by_its_address() {
    let stage = Stage::new();
    let (node, address) = node(&stage, &[]);
    let count = stage.run(&["rpc", "a", "getblockcount"]);
    assert_eq!((count.code, count.stdout.as_str()), (0, "0\n"), "{count:?}");
    let mine = stage.run(&["rpc", "a", "getnewaddress"]);
    assert!(mine.stdout.starts_with("naka1p"), "{mine:?}");
    let made = stage.run(&["rpc", "a", "generatetoaddress", "2", mine.stdout.trim()]);
    assert!(made.code == 0 && made.stdout.starts_with("[\n"), "{made:?}");
    let block = stage.run(&["rpc", "a", "getblockhash", "2"]);
    assert!(made.stdout.contains(block.stdout.trim()));
    let quoted = stage.run(&["rpc", "a", "getbestblockhash", "--json"]);
    assert_eq!(quoted.stdout.trim(), format!("\"{}\"", block.stdout.trim()));
    assert!(
        stage.run(&["rpc", "a"]).stdout.contains("== Wallet =="),
        "help is what is asked by default"
    );

    let refused = stage.run(&["rpc", "a", "getblockhash", "-1"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.stderr.contains("error -8: Block height out of range"),
        "{refused:?}"
    );
    for (arguments, words) in [
        (vec!["rpc", "a", "getblockhash", "x"], "is no JSON"),
        (
            vec!["rpc", "b", "getblockcount"],
            "no address, no data folder and no node",
        ),
        (vec!["rpc", &address, "getblockcount"], "an address alone opens nothing"),
        (
            vec!["rpc", &address, "--user", "u", "--password", "p"],
            "does not take this user and password",
        ),
    ] {
        let output = stage.run(&arguments);
        assert_eq!(output.code, 2, "{output:?}");
        assert!(output.stderr.contains(words), "{output:?}");
    }
    let cookie = fs::read_to_string(stage.path("a/.cookie")).expect("there is one");
    let (user, password) = cookie.split_once(':').expect("a user and a password");
    let port = address.rsplit(':').next().expect("a port");
    for node in [&address, port, &format!("localhost:{port}")] {
        let output = stage.run(&["rpc", node, "--user", user, "--password", password, "getblockcount"]);
        assert_eq!((output.code, output.stdout.as_str()), (0, "2\n"), "{node}: {output:?}");
    }
    let taken = stage.run(&["node", "--data", "c", "--preset", "instant", "--rpc", &address]);
    assert_eq!(taken.code, 3, "{taken:?}");
    assert!(taken.stderr.contains(&format!("port {port} is in use")), "{taken:?}");

    assert_eq!(stage.run(&["rpc", "a", "stop"]).stdout, "nakanet stopping\n");
    let (code, rest) = node.end();
    assert_eq!(code, Some(0), "{rest}");
    let gone = stage.run(&["rpc", "a", "getblockcount"]);
    assert!(
        gone.code == 2 && gone.stderr.contains("start the node with --rpc"),
        "{gone:?}"
    );
}

#[test]
fn a_user_and_password_take_the_place_of_the_cookie() {
    let stage = Stage::new();
    let (node, address) = node(&stage, &["--rpc-user", "u", "--rpc-password", "p"]);
    assert!(!stage.path("a/.cookie").exists());
    let ask = |password: &str| stage.run(&["rpc", &address, "--user", "u", "--password", password, "getblockcount"]);
    assert_eq!((ask("p").code, ask("q").code), (0, 2));
    node.interrupt();
    assert_eq!(node.end().0, Some(0));
}

#[test]
fn other_machines_are_let_in_only_in_as_many_words() {
    let stage = Stage::new();
    let output = stage.run(&["node", "--data", "a", "--rpc", "0.0.0.0:0"]);
    assert_eq!(output.code, 2, "{output:?}");
    assert!(output.stderr.contains("--rpc-exposed"), "{output:?}");
    assert!(!stage.path("a").exists(), "nothing was started");
}

#[test]
fn every_node_of_a_cluster_answers_by_its_name() {
    for nodes in ["tasks", "process"] {
        let stage = Stage::new();
        let arguments = [
            "up",
            "-n",
            "2",
            "--mine-interval",
            "off",
            "--outbound",
            "1",
            "--rpc",
            "--nodes",
            nodes,
        ];
        let mut up = stage.start(&arguments);
        up.line_with("n0  JSON-RPC on 127.0.0.1:");
        up.line_with("n1  JSON-RPC on 127.0.0.1:");
        let mine = stage.run(&["rpc", "n0", "getnewaddress"]);
        let made = stage.run(&["rpc", "n0", "generatetoaddress", "1", mine.stdout.trim()]);
        assert_eq!(made.code, 0, "{made:?}");
        let heard = stage.run(&["rpc", "n1", "waitforblockheight", "1", "60000"]);
        assert!(heard.stdout.contains("\"height\": 1"), "{nodes}: {heard:?}");
        up.interrupt();
        let (code, rest) = up.end();
        assert_eq!(code, Some(130), "{nodes}: {rest}");
    }
}

/// The address of a node's interface, as its folder tells it.
pub(crate) fn interface(stage: &Stage, node: &str) -> String {
    fs::read_to_string(stage.path(&format!("runs/latest/nodes/{node}/rpc.address"))).expect("it has an interface")
}

/// All that a node is dialled at in its lives, as the node itself says.
fn dialled(stage: &Stage, node: &str) -> Vec<String> {
    let asked = stage.run(&["rpc", node, "getnetworkinfo"]);
    let told: serde_json::Value = serde_json::from_str(&asked.stdout).expect("it answers in JSON");
    let addresses = told["localaddresses"].as_array().expect("addresses");
    addresses.iter().map(|address| address["port"].to_string()).collect()
}

#[test]
fn a_node_keeps_both_its_ports_when_it_is_killed_wiped_and_started_again_and_nobody_takes_them_meanwhile() {
    for nodes in ["tasks", "process"] {
        let stage = Stage::new();
        let arguments = ["up", "-n", "2", "--mine-interval", "off", "--rpc", "--nodes", nodes];
        let (mut up, mut typed) = stage.start_typed(&arguments);
        up.line_with("n1  JSON-RPC on 127.0.0.1:");
        up.line_with("link up");
        let before = (dialled(&stage, "n0"), interface(&stage, "n0"));
        let ports = [
            before.0[0].clone(),
            before.1.rsplit(':').next().expect("a port").to_owned(),
        ];
        for (down, is_wiped) in [("kill", false), ("wipe", true), ("stop", false)] {
            writeln!(typed, "{down} = \"n0\"").expect("it reads");
            up.line_with("step");
            for port in &ports {
                let address = format!("127.0.0.1:{port}");
                let taken = TcpListener::bind(&address).expect_err("it is held");
                assert_eq!(taken.kind(), ErrorKind::AddrInUse, "{nodes}, {down}");
                let refused = TcpStream::connect(&address).expect_err("nobody listens");
                assert_eq!(refused.kind(), ErrorKind::ConnectionRefused, "{nodes}, {down}");
                let listen = format!("/ip4/127.0.0.1/tcp/{port}");
                let node = stage.run(&["node", "--data", "other", "--preset", "instant", "--listen", &listen]);
                assert_eq!(node.code, 3, "{node:?}");
                let words = format!("port {port} of {listen} is in use");
                assert!(node.stderr.contains(&words), "{node:?}");
            }
            assert!(!is_wiped || !stage.path("runs/latest/nodes/n0").exists());
            writeln!(typed, "start = \"n0\"").expect("it reads");
            up.line_with("step");
            assert_eq!(
                (dialled(&stage, "n0"), interface(&stage, "n0")),
                before,
                "{nodes}, {down}"
            );
            // Its peer finds it again.
            let mine = stage.run(&["rpc", "n0", "getnewaddress"]);
            let made = stage.run(&["rpc", "n0", "generatetoaddress", "1", mine.stdout.trim()]);
            assert_eq!(made.code, 0, "{made:?}");
            let tip = stage.run(&["rpc", "n0", "getblockcount"]);
            let heard = stage.run(&["rpc", "n1", "waitforblockheight", tip.stdout.trim(), "60000"]);
            assert!(
                heard.stdout.contains(&format!("\"height\": {}", tip.stdout.trim())),
                "{nodes}: {heard:?}"
            );
        }
        up.interrupt();
        assert_eq!(up.end().0, Some(130));
    }
}

#[test]
fn a_taken_port_is_named_before_anything_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port();
    for (flag, words) in [
        (
            format!("--rpc={port}"),
            format!("error: node n0: port {port} is in use; stop whoever listens there"),
        ),
        (
            format!("--p2p-port={port}"),
            format!("error: node n0: port {port} of /ip4/127.0.0.1/tcp/{port} is in use; stop whoever listens there"),
        ),
    ] {
        for nodes in ["tasks", "process"] {
            let stage = Stage::new();
            let output = stage.run(&["up", "-n", "2", "--nodes", nodes, &flag]);
            assert_eq!(output.code, 3, "{output:?}");
            assert!(
                output.stderr.starts_with(&words) && output.stderr.lines().count() == 1,
                "{output:?}"
            );
            let left = fs::read_dir(stage.path("runs")).map_or(0, Iterator::count);
            assert_eq!(left, 0, "nothing was started");
        }
    }
}

/// A run waits for what its nodes are told through their interfaces.
#[test]
fn every_node_of_a_run_answers_while_it_goes_on() {
    for nodes in ["tasks", "process"] {
        let stage = Stage::new();
        let file = "[chain]\npreset = \"instant\"\n[network]\nnodes = 2\n[steps]\n\
                    run = [{ wait = \"height\", on = \"n1\", at-least = 3, within = \"60s\" }]\n";
        stage.write("asked.toml", file);
        let mut run = stage.start(&["run", "asked.toml", "--rpc", "--nodes", nodes]);
        run.line_with("n1  JSON-RPC on 127.0.0.1:");
        let mine = stage.run(&["rpc", "n0", "getnewaddress"]);
        let made = stage.run(&["rpc", "n0", "generatetoaddress", "3", mine.stdout.trim()]);
        assert_eq!(made.code, 0, "{made:?}");
        let (code, rest) = run.end();
        assert_eq!(code, Some(0), "{nodes}: {rest}");
    }
}

#[test]
fn bans_outlive_the_node_and_a_file_that_makes_no_sense_is_named() {
    let stage = Stage::new();
    let peer = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
    let (running, _) = node(&stage, &[]);
    for whom in ["10.0.0.0/8", peer] {
        let banned = stage.run(&["rpc", "a", "setban", whom, "add"]);
        assert_eq!(banned.code, 0, "{banned:?}");
    }
    running.kill();
    running.end();
    let (running, _) = node(&stage, &[]);
    let listed = stage.run(&["rpc", "a", "listbanned"]).stdout;
    assert!(listed.contains("10.0.0.0/8") && listed.contains(peer), "{listed}");
    for whom in ["10.0.0.0/8", peer] {
        let lifted = stage.run(&["rpc", "a", "setban", whom, "remove"]);
        assert_eq!(lifted.code, 0, "{lifted:?}");
    }
    stage.run(&["rpc", "a", "stop"]);
    running.end();
    let (running, _) = node(&stage, &[]);
    assert_eq!(stage.run(&["rpc", "a", "listbanned"]).stdout.trim(), "[]");
    stage.run(&["rpc", "a", "stop"]);
    running.end();
    stage.write("a/banlist.json", "nobody");
    let refused = stage.run(&["node", "--data", "a", "--preset", "instant"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("banlist.json"), "{refused:?}");
}

#[test]
fn threat_c2_a_node_that_was_told_how_much_work_there_must_be_passes_over_a_chain_with_less() {
    let stage = Stage::new();
    let mut full = stage.start(&["node", "--data", "a", "--preset", "instant", "--rpc", "127.0.0.1:0"]);
    // Whichever comes first.
    full.lines_with(&["listening on", "JSON-RPC on"]);
    let owner = stage.run(&["rpc", "a", "getnewaddress"]);
    let made = stage.run(&["rpc", "a", "generatetoaddress", "20", owner.stdout.trim()]);
    assert_eq!(made.code, 0, "{made:?}");
    let peer = full.address();
    // Two hashes for each block, the genesis block among them.
    for (folder, work, line) in [("b", "2b", "too-little-chainwork"), ("c", "2a", "tip height 20")] {
        let arguments = [
            "node",
            "--data",
            folder,
            "--preset",
            "instant",
            "--peer",
            &peer,
            "--minimum-work",
            work,
        ];
        stage.start(&arguments).line_with(line);
    }
}

/// Neither what a node answers, nor what it prints, nor what it writes beside its two secret files holds a secret, as it is or in hexadecimal digits.
#[test]
fn threat_d9_no_secret_leaves_its_file() {
    let stage = Stage::new();
    let (running, _) = node(&stage, &[]);
    let mine = stage.run(&["rpc", "a", "getnewaddress"]).stdout;
    stage.run(&["rpc", "a", "generatetoaddress", "11", mine.trim()]);
    let paid = stage.run(&["rpc", "a", "sendtoaddress", mine.trim(), "1"]);
    assert_eq!(paid.code, 0, "{paid:?}");

    let key = fs::read(stage.path("a/identity.key")).expect("it has a key");
    // What the protobuf of an ed25519 key holds: its kind, and the secret before the public half.
    let secret = &key[4..36];
    let wallet: serde_json::Value =
        serde_json::from_slice(&fs::read(stage.path("a/wallet.json")).expect("it has a wallet")).expect("JSON");
    let seed = wallet["seed"].as_str().expect("a seed").to_owned();
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let holds = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        text.contains(&hex) || text.contains(&seed) || bytes.windows(32).any(|window| window == secret)
    };
    assert!(holds(&key) && holds(seed.as_bytes()), "they would be found");

    let help = stage.run(&["rpc", "a", "help"]).stdout;
    let names = help.lines().filter_map(|line| line.split(' ').next());
    for method in
        names.filter(|name| !name.is_empty() && !name.starts_with("==") && !name.starts_with("wait") && *name != "stop")
    {
        let asked = stage.run(&["rpc", "a", method]);
        assert!(
            !holds(asked.stdout.as_bytes()) && !holds(asked.stderr.as_bytes()),
            "{method}"
        );
    }
    stage.run(&["rpc", "a", "stop"]);
    let (_, told) = running.end();
    assert!(!holds(told.as_bytes()), "{told}");
    let secrets = ["identity.key", "wallet.json"];
    for file in fs::read_dir(stage.path("a")).expect("it has a folder").flatten() {
        if !secrets.iter().any(|name| file.file_name() == *name) {
            let bytes = fs::read(file.path()).expect("it can be read");
            assert!(!holds(&bytes), "{}", file.path().display());
        }
    }
}
