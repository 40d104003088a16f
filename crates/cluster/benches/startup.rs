//! How long a network takes to start and connect, and a block to reach everybody.
//!
//! `cargo bench -p cluster --bench startup [-- agreement]` starts 20, 50 and 300 nodes in this process, each dialling 8 others at random over TCP on the
//! loopback interface, with a database on disk each; then mines 50 blocks on one of 20 nodes, without link delays, and prints the median
//! time from the miner's first send to the last node's connect. Then 20 nodes as processes of their own. Then 2 nodes, and 20, as tasks and as
//! processes, in two halves that are cut apart and mine 3 and 5 blocks: how long after the cut is healed all of them agree, dials included,
//! and until the last link across the cut is up, and what that takes of both cores; the medians of nine. With the word, only that.
//!
//! Budgets on two cores: 20 nodes within 0.5 s, 50 within 2 s, 300 within 10 s; a block within 50 ms; agreement within 30 ms.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chain::{Height, Params};
use cluster::{Finished, Nodes, Progress, RunOptions, run};
use scenario::world::NodeFacts;
use scenario::{Overrides, StepState, parse};

#[path = "../../chain/benches/measure/mod.rs"]
#[expect(dead_code, reason = "nothing runs by turns here")]
mod measure;
mod this;

use measure::cpu_time;

/// What the budgets are for: nodes, and how long they may take to start and connect.
const BUDGETS: [(usize, Duration); 3] = [
    (20, Duration::from_millis(500)),
    (50, Duration::from_secs(2)),
    (300, Duration::from_secs(10)),
];
const BLOCKS: usize = 50;

fn main() {
    if this::worked() {
        return;
    }
    if !std::env::args().any(|argument| argument == "agreement") {
        in_this_process();
        as_processes();
    }
    for nodes in [2, 20] {
        agreement(nodes, "tasks", &Nodes::Tasks);
        agreement(nodes, "processes", &this::processes());
    }
}

fn in_this_process() {
    for (nodes, budget) in BUDGETS {
        let finished = measure(nodes, 0, Nodes::Tasks);
        tell(&format!("{nodes} nodes"), &finished, budget);
    }
    let finished = measure(20, BLOCKS, Nodes::Tasks);
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

fn as_processes() {
    let finished = measure(20, 0, this::processes());
    tell("20 nodes as processes", &finished, BUDGETS[0].1);
}

fn tell(what: &str, finished: &Finished, budget: Duration) {
    let (starting, connecting) = (finished.starting, finished.connecting);
    let total = starting + connecting;
    let verdict = if total <= budget { "within" } else { "OVER" };
    println!(
        "{what}: started in {} ms, connected in {} ms, together {} ms ({verdict} {budget:?})",
        starting.as_millis(),
        connecting.as_millis(),
        total.as_millis(),
    );
}

fn agreement(nodes: usize, as_what: &str, living: &Nodes) {
    const HEAL: usize = 5;
    let half = nodes / 2;
    let (first, second) = (format!("n0..n{}", half - 1), format!("n{half}..n{}", nodes - 1));
    let outbound = 8.min(nodes - 1);
    let text = format!(
        "[network]\nnodes = {nodes}\ntopology = {{ kind = \"random\", outbound = {outbound} }}\n[steps]\nrun = [\n\
         {{ partition = [[\"{first}\"], [\"{second}\"]], as = \"halves\" }},\n\
         {{ mine = 3, on = \"n0\" }},\n{{ mine = 5, on = \"n{half}\" }},\n\
         {{ wait = \"converged\", on = [\"{first}\"], height = 3, within = \"30s\" }},\n\
         {{ wait = \"converged\", on = [\"{second}\"], height = 5, within = \"30s\" }},\n\
         {{ heal = \"halves\" }},\n{{ wait = \"converged\", height = 5, within = \"30s\" }},\n]\n"
    );
    let plan = Arc::new(
        parse("agreement.toml", &text, &Overrides::default()).unwrap_or_else(|faults| panic!("{}", faults[0])),
    );
    let (mut worked, (mut agreed, mut linked)): (Vec<Duration>, (Vec<Duration>, Vec<Duration>)) = (0..9)
        .map(|_| {
            let data = tempfile::tempdir().expect("a folder for the nodes' data");
            let (mut healed, mut agreed, mut linked) = (None, None, None);
            let (mut cpu, mut worked) = (Duration::ZERO, Duration::ZERO);
            let finished = run(&plan, &RunOptions::new(data.path(), living.clone()), &mut |progress| {
                if let Progress::Step(report) = progress
                    && report.step == HEAL
                {
                    match report.state {
                        StepState::Started => {
                            cpu = cpu_time() + cpu_of_workers();
                            healed = Some(Instant::now());
                        }
                        StepState::Passed { .. } => {
                            linked = Some(Instant::now());
                            worked = cpu_time() + cpu_of_workers() - cpu;
                        }
                        StepState::Failed { .. } => {}
                    }
                } else if let Progress::Observed(collector) = progress
                    && healed.is_some()
                    && agreed.is_none()
                {
                    let is_at_tip = |node: &NodeFacts| node.tip.height == Height(5);
                    agreed = collector.world().nodes().iter().all(is_at_tip).then(Instant::now);
                }
            });
            let finished = finished.expect("the network starts");
            assert!(finished.died.is_empty(), "{:?}", finished.died);
            let healed = healed.expect("they were cut apart");
            let since = |at: Option<Instant>| at.expect("they agree").duration_since(healed);
            (worked, (since(agreed), since(linked)))
        })
        .unzip();
    for (what, all) in [
        ("agree after", &mut agreed),
        ("have all their links after", &mut linked),
        ("take for that, of CPU time,", &mut worked),
    ] {
        all.sort_unstable();
        println!(
            "{nodes} {as_what} in halves of 3 and 5 blocks that are joined {what} {:.1?} (median of {}, from {:.1?} to {:.1?})",
            all[all.len() / 2],
            all.len(),
            all[0],
            all[all.len() - 1],
        );
    }
}

/// Runs a network of `Params::instant` rules, of which the first node mines so many blocks, one after the other.
fn measure(nodes: usize, blocks: usize, living: Nodes) -> Finished {
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
    let finished =
        run(&Arc::new(plan), &RunOptions::new(data.path(), living), &mut |_| {}).expect("the network starts");
    assert!(finished.died.is_empty(), "{:?}", finished.died);
    finished
}

/// CPU time of all nodes that are processes and run now; nothing where the system does not tell.
fn cpu_of_workers() -> Duration {
    let me = std::process::id().to_string();
    let Ok(processes) = fs::read_dir("/proc") else {
        return Duration::ZERO;
    };
    let of_thread = |thread: fs::DirEntry| {
        let told = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    };
    let of_worker = |process: fs::DirEntry| {
        let stat = fs::read_to_string(process.path().join("stat")).ok()?;
        // The name before it is in brackets and may have spaces; then come the state and the parent.
        let parent = stat.rsplit(')').next()?.split_whitespace().nth(1)?;
        let threads = (parent == me)
            .then(|| fs::read_dir(process.path().join("task")))?
            .ok()?;
        Some(threads.flatten().filter_map(of_thread).sum::<Duration>())
    };
    processes.flatten().filter_map(of_worker).sum()
}
