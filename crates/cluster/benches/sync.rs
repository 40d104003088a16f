//! How long a fresh node takes to catch up.
//!
//! `cargo bench -p cluster --bench sync [-- BLOCKS TRANSACTIONS WORD]` gives two nodes a chain on disk and starts a third without one: first 10,000
//! empty blocks, then 2,000 blocks of 100 payments, or what is said. Each from two honest peers; then with one of them falling silent in the
//! middle of it, and a hostile node that answers nothing, beside; then with one of them behind a slow link that carries five small bodies a
//! second. It prints a table of what each took by the clock, and of the CPU time of all nodes together, as they share this process: the median
//! of seven runs, or of three where there are payments, with the least and the most. Those are set beside what checking their signatures
//! alone takes on one core, which is measured right before each run: what else the machine does slows both.
//!
//! At last from two honest peers among six that stall, lie about what they have, or send bodies that are not the header's. There no engine watches:
//! all nodes are alone, as `nakanet node` is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base::Hash;
use chain::{Block, Coin, Height, Signature};
use cluster::{Nodes, Progress, RunOptions, run};
use scenario::{Overrides, StepState, parse};

mod hostile;
#[path = "../../chain/benches/measure/mod.rs"]
#[expect(dead_code, reason = "nothing runs by turns here")]
mod measure;
mod stock;

use measure::cpu_time;
use stock::{chain, fill, key, params};

/// The peers of the node that catches up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peers {
    Honest,
    OneSilent,
    OneSlow,
    MostHostile,
}

/// Each row is the median of so many runs, by turns with the limit.
const RUNS_OF_EMPTY: usize = 7;
const RUNS_OF_FULL: usize = 3;

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = match numbers[..] {
        [] => vec![(10_000, 0), (2_000, 100)],
        [blocks] => vec![(blocks, 0)],
        [blocks, transactions, ..] => vec![(blocks, transactions)],
    };
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let words: Vec<&String> = words.iter().filter(|word| word.parse::<usize>().is_err()).collect();
    for (blocks, transactions) in sizes {
        let chain = chain(blocks, transactions);
        let bytes: u64 = chain.iter().map(|block| block.bytes()).sum();
        println!("\n{blocks} blocks of {transactions} payments, {} MB", bytes / 1_000_000);
        let claims = claims(&chain);
        head(transactions > 0);
        for (name, peers) in [
            ("from two honest peers", Peers::Honest),
            ("from one honest, one that falls silent, one hostile", Peers::OneSilent),
            ("from one honest, one slow", Peers::OneSlow),
            (
                "from two honest among two mute, two liars, two mutators",
                Peers::MostHostile,
            ),
        ] {
            if words.is_empty() || words.iter().any(|word| name.contains(*word)) {
                row(name, peers, &chain, &claims);
            }
        }
    }
}

fn head(has_payments: bool) {
    if has_payments {
        println!("| | by the clock | CPU | the limit: all signatures on one core | of the limit | by CPU time |");
        println!("|---|---|---|---|---|---|");
    } else {
        println!("| | by the clock | CPU |");
        println!("|---|---|---|");
    }
}

/// Syncs several times, each right after the limit was measured, and prints what it takes in the middle, with the least and the most.
fn row(name: &str, peers: Peers, chain: &[Arc<Block>], claims: &[Claim]) {
    let runs = if claims.is_empty() { RUNS_OF_EMPTY } else { RUNS_OF_FULL };
    let mut columns = [const { Vec::new() }; 5];
    for _ in 0..runs {
        let limit = verify(claims);
        let took = match peers {
            Peers::MostHostile => hostile::sync(chain),
            Peers::Honest | Peers::OneSilent | Peers::OneSlow => sync(chain, peers),
        };
        let seconds = [took.0, took.1, limit.0].map(|took| took.as_secs_f64());
        let ratios = [limit.0.as_secs_f64() / seconds[0], limit.1.as_secs_f64() / seconds[1]];
        for (column, figure) in columns.iter_mut().zip(seconds.into_iter().chain(ratios)) {
            column.push(figure);
        }
    }
    let shown = if claims.is_empty() { 2 } else { columns.len() };
    print!("| {name} |");
    for (place, column) in columns.iter_mut().take(shown).enumerate() {
        column.sort_by(f64::total_cmp);
        let unit = if place < 3 { " s" } else { "" };
        let (least, most) = (column[0], column[runs - 1]);
        print!(" {:.2}{unit} ({least:.2}-{most:.2}) |", column[runs / 2]);
    }
    println!();
}

/// What a signature is to be checked for.
type Claim = (Hash, Signature);

/// As many signatures as are in the chain, of the same owner.
fn claims(chain: &[Arc<Block>]) -> Vec<Claim> {
    let genesis = params().genesis_block().id();
    let mut outputs = std::collections::BTreeMap::new();
    let mut claims = Vec::new();
    for (height, block) in (1..).zip(chain) {
        for transaction in &block.transactions {
            let coins: Vec<Coin> = transaction.inputs().iter().map(|input| outputs[input]).collect();
            if !coins.is_empty() {
                // The same as those in the block: whose payments they are makes no difference to what checking them takes.
                let hashes = transaction.sighashes(&genesis, &coins);
                claims.extend(hashes.into_iter().map(|hash| (hash, key().sign(&hash))));
            }
            for (index, output) in (0..).zip(transaction.outputs()) {
                let coin = Coin {
                    output: *output,
                    height: Height(height),
                    coinbase: transaction.is_coinbase(),
                };
                outputs.insert(transaction.outpoint(index), coin);
            }
        }
    }
    claims
}

/// How long checking all signatures takes on one core, and nothing else: by the clock, and by CPU time.
fn verify(claims: &[Claim]) -> (Duration, Duration) {
    let owner = key().owner();
    let (began, cpu) = (Instant::now(), cpu_time());
    assert!(claims.iter().all(|(hash, signature)| owner.verifies(hash, signature)));
    (began.elapsed(), cpu_time() - cpu)
}

/// Gives the chain to those who have it, and times the one who does not: from its start to the last block, by the clock and on all cores.
fn sync(chain: &[Arc<Block>], peers: Peers) -> (Duration, Duration) {
    let height = chain.len();
    let (edge, rest, step) = match peers {
        Peers::Honest | Peers::MostHostile => ("", "", ""),
        Peers::OneSilent => (
            ", [\"s0\", \"m0\"]",
            "[[network.group]]\nname = \"m\"\nstrategy = \"hostile\"\n",
            "{ link = [\"n1\", \"s0\"], cut = true, one-way = true },\n",
        ),
        Peers::OneSlow => (
            "",
            "[[network.links]]\nbetween = [\"s0\", \"n1\"]\nbandwidth = \"8kbit/s\"\n",
            "",
        ),
    };
    let text = format!(
        "limit = \"1h\"\n[chain]\npreset = \"instant\"\nmaturity = 1\n[network]\n\
         topology = {{ kind = \"edges\", edges = [[\"s0\", \"n0\"], [\"s0\", \"n1\"]{edge}] }}\n\
         [[network.group]]\nname = \"n\"\ncount = 2\n[[network.group]]\nname = \"s\"\nstart = false\n{rest}\
         [steps]\nrun = [\n{{ start = \"s0\" }},\n{step}\
         {{ wait = \"height\", on = \"s0\", height = {height}, within = \"30m\" }},\n]\n"
    );
    let plan = parse("sync.toml", &text, &Overrides::default()).unwrap_or_else(|faults| panic!("{}", faults[0]));
    let data = tempfile::tempdir().expect("a folder for the nodes' data");
    for node in ["n0", "n1"] {
        fill(&data.path().join(node), chain);
    }
    let options = RunOptions::new(data.path(), Nodes::Tasks);
    let plan = Arc::new(plan);
    let (mut began, mut cpu, mut took) = (Instant::now(), cpu_time(), None);
    let finished = run(&plan, &options, &mut |progress| {
        if let Progress::Step(report) = progress {
            let text = &plan.steps[report.step].text;
            match report.state {
                StepState::Started if text.contains("start") => (began, cpu) = (Instant::now(), cpu_time()),
                StepState::Passed { .. } if text.contains("wait") => took = Some((began.elapsed(), cpu_time() - cpu)),
                StepState::Started | StepState::Passed { .. } | StepState::Failed { .. } => {}
            }
        }
    });
    let finished = finished.unwrap_or_else(|error| panic!("{error}"));
    assert!(finished.died.is_empty(), "{:?}", finished.died);
    took.expect("the node has caught up")
}
