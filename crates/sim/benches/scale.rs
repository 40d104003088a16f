//! How many node-blocks the simulator delivers per CPU second, and in how much memory. A node-block is one block that has reached one node.
//!
//! `cargo bench -p sim --bench scale -- NODES BLOCKS` runs SimBlock's Bitcoin network of 2015 (`simblock-bitcoin-2015`): everybody mines, blocks
//! of 535 kB every ten minutes, every node runs the full protocol. Without numbers, the table of docs/PERFORMANCE.md, each row in a
//! process of its own so that each has its own peak of memory. A third word, `compact` or `full`, is a detail in which the run is logged
//! into a folder: what observing costs.
//!
//! `cargo bench -p sim --bench scale -- payments NODES SECONDS` lets seven payments a second spread in a random network of so many nodes with
//! eight links each, a block every ten minutes, for so many virtual seconds: each payment is signed, checked, announced, asked for and relayed.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use base::NodeId;
use chain::{HashRate, Height};
use observe::Detail;
use scenario::networks::Network;
use scenario::plan::{Expectation, LinkPlan, NodePlan, Step, StepKind};
use scenario::uplink::Line;
use scenario::{Conditions, Overrides, Plan};
use sim::Options;

const NETWORK: &str = "simblock-bitcoin-2015";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<u32> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let logged = [Detail::Compact, Detail::Full]
        .into_iter()
        .find(|detail| words.contains(&detail.to_string()));
    match numbers.as_slice() {
        [nodes, seconds, ..] if words.contains(&"payments".to_owned()) => measure_payments(*nodes, *seconds),
        [nodes, blocks, ..] => measure(*nodes, *blocks, logged),
        _ => {
            for (nodes, blocks) in [("20", "52560"), ("1000", "100"), ("10000", "100"), ("100000", "100")] {
                let this = std::env::current_exe().expect("a program has a path");
                let status = Command::new(this)
                    .args([nodes, blocks])
                    .status()
                    .expect("it starts again");
                assert!(status.success(), "{nodes} nodes, {blocks} blocks: {status}");
            }
        }
    }
}

/// A run that is logged in this detail, or nowhere.
fn measure(nodes: u32, blocks: u32, logged: Option<Detail>) {
    let plan = Arc::new(plan(nodes, blocks));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = Options {
        detail: Some(logged.unwrap_or(Detail::Summary)),
        folder: logged.map(|_| folder.path().to_owned()),
        ..Options::default()
    };
    let before = cpu_seconds();
    let finished = sim::run(&plan, &options, &mut |_| {}).expect("a simulation starts");
    let seconds = cpu_seconds() - before;
    let node_blocks = f64::from(nodes) * f64::from(blocks);
    println!(
        "{nodes} nodes, {} links, {blocks} blocks: {:?}",
        plan.links.len(),
        finished.ending
    );
    println!("  cpu          {seconds:.2} s");
    println!("  node-blocks  {:.0} per CPU second", node_blocks / seconds);
    println!("  peak memory  {} MB", peak_memory_kib() / 1_024);
    for (kind, traffic) in finished.collector.history().traffic() {
        println!(
            "  {kind:?}: {:.2} for each node-block",
            as_f64(traffic.messages) / node_blocks
        );
    }
    println!("  digest       {}", finished.digest);
}

fn measure_payments(nodes: u32, seconds: u32) {
    let last = nodes - 1;
    // Hashes that all of them do in ten minutes.
    let difficulty = nodes * 1_000 * 600;
    let source = format!(
        r#"
limit = "24h"
[chain]
preset = "cluster"
proof-of-work = "oracle"
retarget = "fixed"
interval = "10m"
difficulty = {difficulty}
maturity = 1
[network]
nodes = {nodes}
topology = {{ kind = "random", outbound = 8 }}
link = {{ latency = "50ms" }}
[steps]
run = [
  {{ fund = "alice", coins = 5, on = "n0" }},
  {{ mine = 2, on = "n0" }},
  {{ wait = "converged", height = 2, within = "60s" }},
  {{ load = "alice", rate = "7/s", wallets = 500, pattern = "poisson", lasting = "{seconds}s" }},
  {{ sleep = "10s" }},
  {{ mine = 1, on = "n0" }},
  {{ hashrate = "1kH/s", on = "n0..n{last}" }},
  {{ sleep = "{seconds}s" }},
]
"#
    );
    let plan = match scenario::parse("payments", &source, &Overrides::default()) {
        Ok(plan) => Arc::new(plan),
        Err(diagnostics) => panic!("{diagnostics:?}"),
    };
    let options = Options {
        detail: Some(Detail::Summary),
        ..Options::default()
    };
    let before = cpu_seconds();
    let finished = sim::run(&plan, &options, &mut |_| {}).expect("a simulation starts");
    let cpu = cpu_seconds() - before;
    println!(
        "{nodes} nodes, 7 payments a second for {seconds} s: {:?}",
        finished.ending
    );
    println!("  cpu          {cpu:.2} s");
    println!(
        "  each payment on each node {:.2} us",
        cpu * 1e6 / (f64::from(nodes) * 7.0 * f64::from(seconds))
    );
    println!("  peak memory  {} MB", peak_memory_kib() / 1_024);
    for (kind, traffic) in finished.collector.history().traffic() {
        println!("  {kind:?}: {} messages, {} bytes", traffic.messages, traffic.bytes);
    }
    println!("  digest       {}", finished.digest);
}

/// The network drawn for so many nodes, until the last of them has so many blocks.
fn plan(nodes: u32, blocks: u32) -> Plan {
    let source = format!("limit = \"1h\"\n[network]\npreset = \"{NETWORK}\"\nnodes = 2\n[steps]\nrun = []\n");
    let mut plan = scenario::parse("scale", &source, &Overrides::default()).expect("a scenario without fault");
    let network = Network::preset(NETWORK).expect("a preset");
    let sampled = network.sample(
        usize::try_from(nodes).expect("32 bits"),
        &plan.root_seed().child("network", 0),
    );
    plan.limit = Duration::from_secs(1 << 40);
    plan.nodes = (0..)
        .zip(&sampled.nodes)
        .map(|(number, node)| NodePlan {
            name: format!("n{number}"),
            hashrate: part_of_an_exahash(node.hash_share),
            region: Some(node.region),
            line: Some(Line {
                download: node.download,
                upload: node.upload,
            }),
            started: true,
            ..NodePlan::default()
        })
        .collect();
    let mut latencies = plan.root_seed().child("latencies", 0).rng();
    let region = |node: NodeId| sampled.nodes[node.index()].region;
    plan.links = sampled
        .edges
        .iter()
        .map(|(a, b)| LinkPlan {
            a: *a,
            b: *b,
            conditions: Conditions {
                latency: network
                    .latency(region(*a), region(*b), &mut latencies)
                    .min(Duration::from_secs(30)),
                ..Conditions::default()
            },
        })
        .collect();
    plan.steps = vec![Step {
        line: 1,
        text: String::new(),
        kind: StepKind::Wait {
            expectation: Expectation::Height {
                on: vec![NodeId(nodes - 1)],
                height: Height(blocks),
                at_least: true,
            },
            within: Duration::from_secs(1 << 40),
        },
    }];
    plan
}

#[expect(clippy::cast_precision_loss, reason = "shown to people")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of 10^18, to 53 bits"
)]
fn part_of_an_exahash(share: f64) -> HashRate {
    HashRate((1e18 * share) as u64)
}

/// User and system time of this process, in seconds.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells of processes in /proc");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .expect("a name in parentheses")
        .split_whitespace()
        .collect();
    let ticks: f64 = [fields[11], fields[12]]
        .iter()
        .map(|field| field.parse::<f64>().expect("a number"))
        .sum();
    ticks / 100.0
}

fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells of processes in /proc");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .expect("the peak is told");
    line.split_whitespace()
        .nth(1)
        .and_then(|number| number.parse().ok())
        .expect("a number")
}
