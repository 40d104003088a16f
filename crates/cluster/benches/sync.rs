//! How long a fresh node takes to catch up.
//!
//! `cargo bench -p cluster --bench sync [-- BLOCKS TRANSACTIONS]` gives two nodes a chain on disk and starts a third without one: first 10,000
//! empty blocks, then 2,000 blocks of 100 payments, or what is said. Each from two honest peers; then with one of them falling silent in the
//! middle of it, and a hostile node that answers nothing, beside; then with one of them behind a slow link that carries five small bodies a
//! second. It prints what each took by the clock, and the CPU time of all nodes together, as they share this process. The time of
//! the full ones is set beside what checking their signatures alone takes on one core, measured in the same run.
//!
//! Peers that lie about what they have, or send bodies that are not the header's, are in the test `threat_m7_c7_...`: they cost a question each.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::Seed;
use chain::{Amount, Block, Coin, Draft, Height, Ledger, Params, SigningKey, Transaction, TxOutput, mining};
use cluster::{Interrupt, Nodes, Progress, RunOptions, Store, run};
use scenario::{Overrides, StepState, parse};

#[path = "../../chain/benches/measure/mod.rs"]
#[expect(dead_code, reason = "nothing runs by turns here")]
mod measure;

use measure::cpu_time;

/// The peers of the node that catches up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peers {
    Honest,
    OneSilent,
    OneSlow,
}

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = match numbers[..] {
        [] => vec![(10_000, 0), (2_000, 100)],
        [blocks] => vec![(blocks, 0)],
        [blocks, transactions, ..] => vec![(blocks, transactions)],
    };
    for (blocks, transactions) in sizes {
        let chain = chain(blocks, transactions);
        let bytes: u64 = chain.iter().map(|block| block.bytes()).sum();
        println!("{blocks} blocks of {transactions} payments, {} MB", bytes / 1_000_000);
        let limit = signatures(&chain);
        for (name, peers) in [
            ("from two honest peers", Peers::Honest),
            ("from one honest, one that falls silent, one hostile", Peers::OneSilent),
            ("from one honest, one slow", Peers::OneSlow),
        ] {
            let (took, cpu) = sync(&chain, peers);
            print!(
                "  {name}: {:.2} s, {:.0} blocks/s, {:.2} s of CPU",
                took.as_secs_f64(),
                chain.len() as f64 / took.as_secs_f64(),
                cpu.as_secs_f64(),
            );
            if transactions > 0 {
                print!(
                    ", {:.0} payments/s, {:.2} of the signature limit of one core",
                    (blocks * transactions) as f64 / took.as_secs_f64(),
                    limit.as_secs_f64() / took.as_secs_f64()
                );
            }
            println!();
        }
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed(&Seed::from_number(1).child("payer", 0))
}

fn params() -> Params {
    Params {
        coinbase_maturity: 1,
        ..Params::instant()
    }
}

/// So many blocks, the first two aside with so many payments each, every one of which spends a payment of the block before.
fn chain(blocks: usize, transactions: usize) -> Vec<Arc<Block>> {
    let params = params();
    let genesis = params.genesis_block();
    let (id, owner) = (genesis.id(), key().owner());
    let mut ledger = Ledger::new(params);
    let mut tip = ledger.genesis();
    let mut coins: Vec<(chain::OutPoint, Coin)> = Vec::new();
    let mut chain = Vec::new();
    for height in 1..=u32::try_from(blocks).expect("few") {
        let spent = std::mem::take(&mut coins);
        let payments: Vec<Arc<Transaction>> = match height {
            1 => Vec::new(),
            // Everything that block 1 created, in as many parts as there are to be payments.
            2 if transactions > 0 => vec![pay(id, &spent, transactions)],
            _ => spent
                .iter()
                .map(|coin| pay(id, std::slice::from_ref(coin), 1))
                .collect(),
        };
        let draft = ledger.draft(tip, ledger.header(tip).time + 1);
        let subsidy = ledger.subsidy(draft.height);
        let block = Draft {
            coinbase_outputs: vec![TxOutput { value: subsidy, owner }],
            transactions: payments,
            ..draft
        };
        let mut block = block.assemble();
        block.header = mining::solve(&block.header, u32::MAX)
            .expect("one hash in two will do")
            .into();
        let from = match height {
            1 if transactions > 0 => 0..1,
            _ => 1..block.transactions.len(),
        };
        for transaction in &block.transactions[from] {
            for (index, output) in (0..).zip(transaction.outputs()) {
                let coin = Coin {
                    output: *output,
                    height: Height(height),
                    coinbase: transaction.is_coinbase(),
                };
                coins.push((transaction.outpoint(index), coin));
            }
        }
        let block = Arc::new(block);
        ledger.add_header(&block.header).expect("a valid header");
        tip = ledger.add_body(&block).expect("a valid block");
        chain.push(block);
    }
    chain
}

/// Pays everything to the payer again, in so many equal parts; what does not divide is a fee.
fn pay(genesis: chain::BlockId, coins: &[(chain::OutPoint, Coin)], parts: usize) -> Arc<Transaction> {
    let (inputs, coins): (Vec<_>, Vec<_>) = coins.iter().copied().unzip();
    let total: u64 = coins.iter().map(|coin| coin.output.value.units()).sum();
    let output = TxOutput {
        value: Amount::from_units(total / parts as u64),
        owner: key().owner(),
    };
    let payment = Transaction::payment(inputs, vec![output; parts], b"");
    Arc::new(payment.sign(&key(), genesis, &coins))
}

/// How long checking all signatures takes, and nothing else.
fn signatures(chain: &[Arc<Block>]) -> Duration {
    let genesis = params().genesis_block().id();
    let mut outputs = std::collections::BTreeMap::new();
    let mut claims = Vec::new();
    let owner = key().owner();
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
    let began = Instant::now();
    assert!(claims.iter().all(|(hash, signature)| owner.verifies(hash, signature)));
    began.elapsed()
}

/// Gives the chain to those who have it, and times the one who does not: from its start to the last block, by the clock and on all cores.
fn sync(chain: &[Arc<Block>], peers: Peers) -> (Duration, Duration) {
    let height = chain.len();
    let (edge, rest, step) = match peers {
        Peers::Honest => ("", "", ""),
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
    let options = RunOptions {
        data: data.path().to_owned(),
        nodes: Nodes::Tasks,
        folder: None,
        desk: None,
        rpc: false,
        interrupt: Interrupt::new(),
    };
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

fn fill(folder: &Path, chain: &[Arc<Block>]) {
    let mut store = Store::open(folder, params().genesis_block().id()).expect("a new folder");
    for blocks in chain.chunks(1_000) {
        store.append(blocks).expect("the disk works");
    }
    store.close().expect("the disk works");
}
