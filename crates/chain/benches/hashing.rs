//! How fast one core hashes, checks headers and checks signatures.
//!
//! Run with `cargo bench -p chain --bench hashing`. It prints figures and judges nothing: they are the machine's.

use std::hint::black_box;
use std::time::Instant;

use base::{Hash, Seed};
use chain::{CompactTarget, HashedHeader, Header, Ledger, Params, SigningKey, mining};

/// Each figure is the best of so many runs, as other programs may want the core too.
const RUNS: u32 = 5;
const HASHES: u32 = 4_000_000;
const HEADERS: u32 = 100_000;
const SIGNATURES: u32 = 5_000;

fn main() {
    hashes();
    headers();
    signatures();
}

/// Prints how many of `count` things a second `run` does.
fn report(what: &str, count: u32, mut run: impl FnMut()) {
    let best = (0..RUNS).map(|_| {
        let begin = Instant::now();
        run();
        begin.elapsed()
    });
    let best = best.min().expect("more than one run").as_secs_f64();
    println!("{what:<42}{:>14.0} /s", f64::from(count) / best);
}

fn hashes() {
    let header = Header {
        // The hardest target there is, which no search will meet.
        bits: CompactTarget(0x0300_0001),
        ..Params::mainnet_like().genesis_block().header
    };
    report("mining::search, nonces", HASHES, || {
        assert_eq!(mining::search(&header, 0..HASHES), None);
    });
    report("Header::id", HASHES, || {
        for nonce in 0..HASHES {
            black_box(Header { nonce, ..header }.id());
        }
    });
}

fn headers() {
    let params = Params {
        limit: Params::EASIEST,
        initial_bits: Params::EASIEST,
        ..Params::mainnet_like()
    };
    let hashed = chain_of_headers(&params);
    let plain: Vec<Header> = hashed.iter().map(|header| *header.header()).collect();
    report("Ledger::add_header", HEADERS, || {
        let mut ledger = Ledger::new(params.clone());
        for header in &plain {
            ledger.add_header(header).expect("a good header");
        }
    });
    report("Ledger::add_hashed_header", HEADERS, || {
        let mut ledger = Ledger::new(params.clone());
        for header in &hashed {
            ledger.add_hashed_header(header).expect("a good header");
        }
    });
}

/// A chain that keeps its schedule, so that its difficulty stays where it is.
fn chain_of_headers(params: &Params) -> Vec<HashedHeader> {
    let mut ledger = Ledger::new(params.clone());
    let mut tip = ledger.genesis();
    let interval = u32::try_from(params.interval.as_secs()).expect("ten minutes");
    (0..HEADERS)
        .map(|_| {
            let time = ledger.header(tip).time + interval;
            let header = ledger.draft(tip, time).assemble().header;
            let header = HashedHeader::from(mining::solve(&header, u32::MAX).expect("two hashes"));
            tip = ledger.add_hashed_header(&header).expect("a good header");
            header
        })
        .collect()
}

fn signatures() {
    let key = SigningKey::from_seed(&Seed::from_number(0));
    let owner = key.owner();
    let signed: Vec<_> = (0..SIGNATURES)
        .map(|number| {
            let message = Hash::sha256(&[&number.to_le_bytes()]);
            (message, key.sign(&message))
        })
        .collect();
    report("Owner::verifies, signatures", SIGNATURES, || {
        assert!(
            signed
                .iter()
                .all(|(message, signature)| owner.verifies(message, signature))
        );
    });
}
