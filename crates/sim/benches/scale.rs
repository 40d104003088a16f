//! How many node-blocks the simulator delivers per CPU second, and in how much memory. A node-block is one block that has reached one node.
//!
//! `cargo bench -p sim --bench scale -- NODES BLOCKS` (1,000 and 100 when not given): every node runs the full protocol on a random network
//! with 8 outbound links each, 100 ms of latency, and 1 % of the nodes mining a block every 600 s between them.

use std::sync::Arc;
use std::time::Duration;

use base::NodeId;
use chain::{CompactTarget, HashRate, Height, Params, Retarget};
use node::Strategy;
use scenario::plan::{Expectation, LinkPlan, NodePlan, Step, StepKind};
use scenario::{Conditions, Plan};
use sim::Options;

fn main() {
    let numbers: Vec<u32> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let nodes = numbers.first().copied().unwrap_or(1_000);
    let blocks = numbers.get(1).copied().unwrap_or(100);
    let plan = Arc::new(plan(nodes, blocks));
    let before = cpu_seconds();
    let finished = sim::run(&plan, &Options::default(), &mut |_| {}).expect("a simulation starts");
    let seconds = cpu_seconds() - before;
    let node_blocks = f64::from(nodes) * f64::from(blocks);
    println!(
        "{nodes} nodes, {} links, {blocks} blocks: {:?}",
        plan.links.len(),
        finished.ending
    );
    println!("cpu          {seconds:.2} s");
    println!("node-blocks  {:.0} per CPU second", node_blocks / seconds);
    println!("peak memory  {} MB", peak_memory_kib() / 1_024);
    println!(
        "events       {}, digest {}",
        finished.collector.events(),
        finished.collector.digest()
    );
}

fn plan(nodes: u32, blocks: u32) -> Plan {
    let miners = (nodes / 100).max(1);
    let conditions = Conditions {
        latency: Duration::from_millis(100),
        ..Conditions::default()
    };
    let params = Params {
        retarget: Retarget::Fixed,
        initial_bits: CompactTarget::from_expected_hashes(16),
        interval: Duration::from_secs(600),
        ..Params::instant()
    };
    let mut plan = Plan {
        limit: Duration::from_secs(u64::MAX / 2_000_000),
        ..Plan::empty("scale", params)
    };
    plan.nodes = (0..nodes)
        .map(|index| NodePlan {
            name: format!("n{index}"),
            hashrate: if index < miners { HashRate(1) } else { HashRate::ZERO },
            strategy: Strategy::Honest,
            started: true,
            ..NodePlan::default()
        })
        .collect();
    plan.links = links(&plan, nodes, conditions);
    plan.conditions = conditions;
    let on = vec![NodeId(nodes - 1)];
    let expectation = Expectation::Height {
        on,
        height: Height(blocks),
        at_least: true,
    };
    let within = Duration::from_secs(1 << 40);
    plan.steps = vec![Step {
        line: 1,
        text: String::new(),
        kind: StepKind::Wait { expectation, within },
    }];
    plan
}

/// Eight random others for each node.
fn links(plan: &Plan, nodes: u32, conditions: Conditions) -> Vec<LinkPlan> {
    let mut rng = plan.root_seed().child("topology", 0).rng();
    let mut pairs = std::collections::BTreeSet::new();
    let mut links = Vec::new();
    for a in 0..nodes {
        for _ in 0..8 {
            let b = u32::try_from(rng.below(u64::from(nodes))).expect("below a u32");
            if a != b && pairs.insert((a.min(b), a.max(b))) {
                links.push(LinkPlan {
                    a: NodeId(a),
                    b: NodeId(b),
                    conditions,
                });
            }
        }
    }
    links
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
