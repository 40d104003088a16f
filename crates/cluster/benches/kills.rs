//! A node that is killed again and again while it mines and reorganises.
//!
//! `cargo bench -p cluster --bench kills [-- KILLS]` runs two nodes as processes, of which the first is killed with SIGKILL at random moments, a
//! thousand times unless said otherwise, and started again from its disk. Both mine fast behind a slow link, so that forks and reorgs never
//! end. After every kill its database is opened: it must hold all it held before, every block of its own that the other node has heard of,
//! and nothing that breaks a rule. Every fifty kills it begins anew, or a chain of thousands of blocks would take longer to read than to
//! mine. Without `--bench` it kills twenty times: so does `cargo test`.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use base::{NodeId, Seed};
use chain::{BlockId, Ledger};
use cluster::{Progress, RunOptions, Store, run};
use observe::Collector;
use scenario::{Overrides, Plan, StepState, parse};

const KILLED: NodeId = NodeId(0);
const OTHER: NodeId = NodeId(1);
/// How long the node may run before it is killed, at most: it starts, connects, mines a few blocks and reorganises.
const MAX_LIFE_MILLIS: u64 = 400;
/// After so many kills both nodes begin with empty disks.
const KILLS_PER_CHAIN: usize = 50;

mod this;

fn main() {
    if this::worked() {
        return;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // As a test it is left out when others are asked for by name, or all are only to be listed.
    let mut filters = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-') && argument.parse::<usize>().is_err());
    let is_asked_for = arguments.iter().all(|argument| argument != "--list")
        && filters.all(|filter| "kills".contains(filter.as_str()));
    if !is_asked_for {
        return;
    }
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let given = arguments.iter().find_map(|argument| argument.parse().ok());
    let kills: usize = given.unwrap_or(if is_bench { 1_000 } else { 20 });
    for first in (0..kills).step_by(KILLS_PER_CHAIN) {
        exercise(first, KILLS_PER_CHAIN.min(kills - first));
    }
    println!("{kills} kills in all");
}

fn plan(first: usize, kills: usize) -> Arc<Plan> {
    let mut rng = Seed::from_number(1).child("kills", first as u64).rng();
    let mut steps = vec![r#"{ wait = "height", on = "n0", at-least = 3, within = "60s" }"#.to_owned()];
    for _ in 0..kills {
        let life = rng.below(MAX_LIFE_MILLIS);
        if life > 0 {
            steps.push(format!(r#"{{ sleep = "{life}ms" }}"#));
        }
        steps.push(r#"{ kill = "n0" }"#.to_owned());
        steps.push(r#"{ start = "n0" }"#.to_owned());
    }
    let text = format!(
        "limit = \"2h\"\n[chain]\npreset = \"instant\"\n[network]\ntopology = {{ kind = \"full\" }}\n\
         [[network.group]]\ncount = 2\nhashrate = 60\n[network.link]\nlatency = \"8ms\"\n[steps]\nrun = [\n{}\n]\n",
        steps.join(",\n")
    );
    Arc::new(parse("kills.toml", &text, &Overrides::default()).unwrap_or_else(|faults| panic!("{}", faults[0])))
}

/// What is known of the node that is killed.
#[derive(Default)]
struct Witness {
    /// Blocks that it mined and the other node has found valid, so it had announced them.
    announced: BTreeSet<BlockId>,
    /// What its disk held after the last kill, in order.
    held: Vec<BlockId>,
    seen: Option<BlockId>,
}

impl Witness {
    /// Follows the other node's chain back to where it was seen before.
    fn look(&mut self, collector: &Collector) {
        let world = collector.world();
        let tip = world.node(OTHER).tip.block;
        let mut at = tip;
        while self.seen != Some(at)
            && let Some(facts) = world.block(&at)
        {
            if facts.miner == Some(KILLED) && !self.announced.insert(at) {
                break;
            }
            at = facts.parent;
        }
        self.seen = Some(tip);
    }

    /// Opens the disk of the node that was just killed.
    fn examine(&mut self, folder: &Path, plan: &Plan) {
        let mut ledger = Ledger::new(plan.params.clone());
        let mut found = Vec::new();
        let store = Store::open(folder, plan.params.genesis_block().id()).unwrap_or_else(|error| panic!("{error}"));
        let restored = store.restore(|block| {
            found.push(block.id());
            let valid = ledger.add_header(&block.header).and_then(|_| ledger.add_body(&block));
            assert!(
                valid.is_ok(),
                "block {} of the disk is not valid: {valid:?}",
                block.id()
            );
        });
        restored.unwrap_or_else(|error| panic!("{error}"));
        store.close().expect("the disk works");
        assert!(
            found.starts_with(&self.held),
            "the disk has lost what it held after the last kill"
        );
        let on_disk: BTreeSet<BlockId> = found.iter().copied().collect();
        for block in &self.announced {
            assert!(
                on_disk.contains(block),
                "block {block} was announced and is not on disk"
            );
        }
        self.held = found;
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "other news is of no interest here")]
fn exercise(first: usize, kills: usize) {
    let plan = plan(first, kills);
    let data = tempfile::tempdir().expect("a folder for the nodes' data");
    let options = RunOptions::new(data.path(), this::processes());
    let mut witness = Witness::default();
    let mut killed = 0;
    let began = Instant::now();
    let finished = run(&plan, &options, &mut |progress| match progress {
        Progress::Observed(collector) => witness.look(collector),
        Progress::Step(report) => match &report.state {
            StepState::Passed { .. } if plan.steps[report.step].text.contains("kill") => {
                killed += 1;
                witness.examine(&data.path().join("n0"), &plan);
            }
            StepState::Failed { expected, found } => {
                let text = &plan.steps[report.step].text;
                println!(
                    "after {killed} kills, `{text}` failed after {:?}: expected {expected}, found {found}",
                    report.took
                );
            }
            StepState::Started | StepState::Passed { .. } => {}
        },
        _ => {}
    });
    let finished = finished.unwrap_or_else(|error| panic!("{error}"));
    assert!(finished.died.is_empty(), "{:?}", finished.died);
    assert_eq!(finished.outcome, Some(scenario::Outcome::Passed));
    assert_eq!(killed, kills);
    let violations = finished.collector.violations();
    assert!(violations.is_empty(), "{violations:?}");
    let reorgs = finished.collector.history().reorgs();
    let reorgs = reorgs.iter().filter(|record| record.node == KILLED).count();
    assert!(
        reorgs > 0 && !witness.announced.is_empty(),
        "too quiet a run to tell anything"
    );
    println!(
        "{killed} kills in {:.1?}: {} blocks on disk, {} of its own announced, {reorgs} reorgs; nothing lost",
        began.elapsed(),
        witness.held.len(),
        witness.announced.len(),
    );
}
