//! How long a network takes to start and connect, and a block to reach everybody.
//!
//! `cargo bench -p cluster --bench startup` starts 20, 50 and 300 nodes in this process, each dialling 8 others at random over TCP on the
//! loopback interface, with a database on disk each; then mines 50 blocks on one of 20 nodes, without link delays, and prints the median
//! time from the miner's first send to the last node's connect.
//!
//! Budgets on two cores: 20 nodes within 0.5 s, 50 within 2 s, 300 within 10 s; a block within 50 ms.

use std::sync::Arc;
use std::time::Duration;

use chain::Params;
use cluster::{Finished, Interrupt, Nodes, RunOptions, run};
use scenario::{Overrides, parse};

/// What the budgets are for: nodes, and how long they may take to start and connect.
const BUDGETS: [(usize, Duration); 3] = [
    (20, Duration::from_millis(500)),
    (50, Duration::from_secs(2)),
    (300, Duration::from_secs(10)),
];
const BLOCKS: usize = 50;

fn main() {
    for (nodes, budget) in BUDGETS {
        let finished = measure(nodes, 0);
        let (starting, connecting) = (finished.starting, finished.connecting);
        let total = starting + connecting;
        let verdict = if total <= budget { "within" } else { "OVER" };
        println!(
            "{nodes} nodes: started in {} ms, connected in {} ms, together {} ms ({verdict} {budget:?})",
            starting.as_millis(),
            connecting.as_millis(),
            total.as_millis(),
        );
    }
    let finished = measure(20, BLOCKS);
    let mut spreads: Vec<Duration> = finished
        .collector
        .spread()
        .all()
        .filter_map(|spread| spread.last_us)
        .map(Duration::from_micros)
        .collect();
    spreads.sort_unstable();
    let Some(median) = spreads.get(spreads.len() / 2) else {
        println!("no block reached everybody");
        return;
    };
    println!("a block reaches 20 nodes in {median:.1?} (median of {})", spreads.len());
}

/// Runs a network of `Params::instant` rules, of which the first node mines so many blocks, one after the other.
fn measure(nodes: usize, blocks: usize) -> Finished {
    assert_eq!(Params::instant().name, "instant");
    let mut steps: Vec<String> = Vec::new();
    for height in 1..=blocks {
        steps.push("{ mine = 1, on = \"n0\" }".to_owned());
        steps.push(format!(
            "{{ wait = \"converged\", height = {height}, within = \"30s\" }}"
        ));
    }
    if steps.is_empty() {
        steps.push("{ expect = \"height\", height = 0 }".to_owned());
    }
    let text = format!(
        "[network]\nnodes = {nodes}\ntopology = {{ kind = \"random\", outbound = 8 }}\n[steps]\nrun = [\n{}\n]\n",
        steps.join(",\n")
    );
    let plan = parse("startup.toml", &text, &Overrides::default()).expect("a scenario without faults");
    let data = tempfile::tempdir().expect("a folder for the nodes' data");
    let options = RunOptions {
        data: data.path().to_owned(),
        nodes: Nodes::Tasks,
        rpc: false,
        folder: None,
        desk: None,
        interrupt: Interrupt::new(),
    };
    let finished = run(&Arc::new(plan), &options, &mut |_| {}).expect("the network starts");
    assert!(finished.died.is_empty(), "{:?}", finished.died);
    finished
}
