//! Networks in which nodes rest and networks in which nobody does: whatever happens in them, it is the same.

use std::fmt::Write as _;
use std::sync::Arc;

use base::{Hash, Rng, Seed};
use gossip::MessageKind;
use observe::Detail;
use scenario::{Overrides, Plan};

use crate::{Options, run};

/// Wallets that pay each other, few or many, seldom or often; some spend a coin twice, while the others pay.
fn payments(number: u64) -> String {
    let mut rng = Seed::from_number(number).child("payments", 0).rng();
    let spenders = rng.below(4);
    let mut steps = String::from("  { fund = \"alice\", coins = 5, on = \"n0\" },\n");
    for spender in 0..spenders {
        let _ = writeln!(steps, "  {{ fund = \"w{spender}\", coins = 2, on = \"n1\" }},");
    }
    steps += "  { mine = 2, on = \"n0\" },\n  { mine = 2, on = \"n1\" },\n  { sleep = \"30s\" },\n";
    let rate = one_of(&["1/s", "3/s", "3/s", "8/s"], &mut rng);
    let wallets = one_of(&["2", "5", "10", "60"], &mut rng);
    let pattern = one_of(&["poisson", "constant"], &mut rng);
    let _ = writeln!(
        steps,
        "  {{ load = \"alice\", rate = \"{rate}\", wallets = {wallets}, pattern = \"{pattern}\", lasting = \"60s\" }},"
    );
    for spender in 0..spenders {
        let pause = 1 + rng.below(12);
        let [a, b] = [rng.below(2), 2 + rng.below(2)];
        let _ = writeln!(
            steps,
            "  {{ sleep = \"{pause}s\" }},\n  {{ double-spend = \"w{spender}\", to = [\"bob\", \"carol\"], via = [\"n{a}\", \"n{b}\"], as = \"ds{spender}\" }},"
        );
    }
    steps
}

/// A network in which wallets pay each other: blocks may be too small for all that waits, and be told of in every way.
fn paying(number: u64) -> String {
    let mut rng = Seed::from_number(number).child("paying", 0).rng();
    let size = one_of(&["200kB", "20kB", "20kB"], &mut rng);
    let relay = one_of(&["headers", "headers", "compact", "announce", "push", "mesh"], &mut rng);
    let group = "hashrate = \"1kH/s\"\n";
    source(number, &payments(number))
        .replace("200kB", size)
        .replace(group, &format!("{group}relay = \"{relay}\"\n"))
}

/// A network of miners and what is done to it, after these steps. Latencies are few and round, so that much happens at one time.
fn source(number: u64, first: &str) -> String {
    let mut rng = Seed::from_number(number).child("whoever-rests", 0).rng();
    let nodes = 4 + rng.below(9);
    // Where nodes have lines, small messages wait for blocks.
    let has_lines = if first.is_empty() {
        rng.below(3) == 0
    } else {
        number % 4 == 3
    };
    let network = if has_lines {
        format!("[chain]\nmaturity = 1\n[network]\npreset = \"simblock-bitcoin-2015\"\nnodes = {nodes}\n")
    } else {
        let latency = one_of(&["10ms", "250ms", "1s"], &mut rng);
        let more = ["", "", "", "", "", ", jitter = \"5ms\"", ", bandwidth = \"8Mbit/s\""];
        let more = one_of(&more, &mut rng);
        let topology = one_of(
            &[
                "{ kind = \"ring\" }",
                "{ kind = \"full\" }",
                "{ kind = \"full\" }",
                "{ kind = \"random\", outbound = 2 }",
            ],
            &mut rng,
        );
        let interval = 1 + rng.below(8);
        let difficulty = nodes * 1_000 * interval;
        // A third of the networks toss a coin between blocks of equal work.
        let tie = ["first-seen", "first-seen", "random"][usize::try_from(number % 3).expect("below three")];
        format!(
            "[chain]\npreset = \"cluster\"\nproof-of-work = \"oracle\"\nretarget = \"fixed\"\ninterval = \"{interval}s\"\n\
             tie = \"{tie}\"\ndifficulty = {difficulty}\nmaturity = 1\nblock-size = \"200kB\"\n\
             [network]\ntopology = {topology}\nlink = {{ latency = \"{latency}\"{more} }}\n\
             [[network.group]]\ncount = {nodes}\nhashrate = \"1kH/s\"\n{}",
            slow_links(nodes, topology, &mut rng)
        )
    };
    let unit = if has_lines { 600 } else { 3 };
    let with = |steps: &str| format!("limit = \"1000h\"\n{network}[steps]\nrun = [\n{steps}]\n");
    let mut steps = first.to_owned();
    if has_lines && !first.is_empty() {
        // Blocks come while wallets pay.
        for node in 0..4 {
            let _ = writeln!(steps, "  {{ sleep = \"9s\" }},\n  {{ mine = 1, on = \"n{node}\" }},");
        }
    }
    for _ in 0..rng.below(9) {
        let pause = unit * (1 + rng.below(9));
        let more = format!("{steps}  {{ sleep = \"{pause}s\" }},\n  {},\n", step(nodes, &mut rng));
        // Not all can be done at any time: who is not linked cannot be disconnected.
        if parse(&with(&more)).is_ok() {
            steps = more;
        }
    }
    let _ = writeln!(steps, "  {{ sleep = \"{}s\" }},", unit * 12);
    with(&steps)
}

/// Links on which several announcements are under way at a time, of blocks that both ends have long had by others.
fn slow_links(nodes: u64, topology: &str, rng: &mut Rng) -> String {
    let mut links = String::new();
    if topology.contains("full") {
        let first = rng.below(nodes);
        for other in 1..nodes.min(2 + rng.below(4)) {
            let between = [first, (first + other) % nodes]
                .map(|node| format!("\"n{node}\""))
                .join(", ");
            let latency = one_of(&["4s", "9s", "1s", "500ms"], rng);
            let _ = writeln!(
                links,
                "[[network.links]]\nbetween = [{between}]\nlatency = \"{latency}\""
            );
        }
    }
    links
}

fn parse(source: &str) -> Result<Plan, String> {
    scenario::parse("whoever-rests", source, &Overrides::default()).map_err(|diagnostics| format!("{diagnostics:?}"))
}

fn one_of<'a>(words: &[&'a str], rng: &mut Rng) -> &'a str {
    words[usize::try_from(rng.below(words.len() as u64)).expect("one of a few")]
}

/// Something that gets nodes up, changes links or closes connections.
fn step(nodes: u64, rng: &mut Rng) -> String {
    let a = rng.below(nodes);
    let b = (a + 1 + rng.below(nodes - 1)) % nodes;
    match rng.below(7) {
        0 => format!("{{ disconnect = [\"n{a}\", \"n{b}\"] }}"),
        1 => format!("{{ connect = [\"n{a}\", \"n{b}\"] }}"),
        2 => format!("{{ restart = \"n{a}\" }}"),
        3 => format!("{{ mine = 2, on = \"n{a}\" }}"),
        4 => format!("{{ hashrate = \"2kH/s\", on = \"n{a}\" }}"),
        _ => {
            let how = one_of(
                &[
                    "latency = \"3s\"",
                    "latency = \"10ms\"",
                    "latency = \"0ms\"",
                    "jitter = \"20ms\"",
                    "cut = true",
                    "latency = \"1s\", one-way = true",
                ],
                rng,
            );
            format!("{{ link = [\"n{a}\", \"n{b}\"], {how} }}")
        }
    }
}

/// The digest of a run, and how many transactions were sent.
fn digest(source: &str, detail: Detail) -> (Hash, u64) {
    let plan = Arc::new(parse(source).unwrap_or_else(|error| panic!("{error}\n{source}")));
    let options = Options {
        detail: Some(detail),
        ..Options::default()
    };
    let finished = run(&plan, &options, &mut |_| {}).expect("a simulation starts");
    let traffic = finished.collector.history().traffic();
    let transactions = traffic.get(&MessageKind::Transaction);
    (finished.digest, transactions.map_or(0, |traffic| traffic.messages))
}

fn check(number: u64, source: &str) -> u64 {
    let digests = [Detail::Full, Detail::Summary].map(|detail| digest(source, detail));
    assert_eq!(digests[0], digests[1], "{number}:\n{source}");
    digests[0].1
}

/// In full detail nobody rests.
#[test]
fn what_happens_does_not_depend_on_who_rests() {
    for number in 0..150 {
        check(number, &source(number, ""));
    }
}

/// In full detail every announcement of a transaction is heard on arrival.
#[test]
fn what_happens_does_not_depend_on_when_announcements_of_transactions_are_noted() {
    let transactions: u64 = (0..80).map(|number| check(number, &paying(number))).sum();
    assert!(transactions > 12_000, "{transactions} transactions");
}
