//! How fast one core searches nonces, names headers and takes them in, beside what SHA-256's compressions alone take.
//!
//! Run with `cargo bench -p chain --bench hashing`. It prints figures and judges nothing: they are the machine's.

use std::hint::black_box;

use chain::{CompactTarget, HashedHeader, Header, Ledger, Params, mining};
use sha2::block_api::compress256;

mod measure;

use measure::race;

const HASHES: u32 = 500_000;
const HEADERS: u32 = 100_000;

fn main() {
    hashes();
    headers("a fixed target", &Params::instant());
    headers("Bitcoin's retarget", &easy(Params::mainnet_like()));
    headers("asert", &Params::cluster());
}

/// The same rules at the easiest target, so that a chain is soon mined.
fn easy(params: Params) -> Params {
    Params {
        limit: Params::EASIEST,
        initial_bits: Params::EASIEST,
        ..params
    }
}

/// So many compressions for each of `count` hashes, one after the other, and nothing else.
fn compressions(count: u32, each: u32) {
    let block = black_box([[0x5a; 64]]);
    let mut state = black_box([7; 8]);
    for _ in 0..count * each {
        compress256(&mut state, &block);
    }
    black_box(state);
}

fn hashes() {
    let header = Header {
        // The hardest target there is, which no search will meet.
        bits: CompactTarget(0x0300_0001),
        ..*Params::mainnet_like().genesis_block().header
    };
    race(
        "nonces searched",
        HASHES,
        || assert_eq!(mining::search(&header, 0..HASHES), None),
        || compressions(HASHES, 2),
    );
    race(
        "headers named",
        HASHES,
        || {
            for nonce in 0..HASHES {
                black_box(Header { nonce, ..header }.id());
            }
        },
        || compressions(HASHES, 3),
    );
}

fn headers(what: &str, params: &Params) {
    let hashed = chain_of_headers(params);
    let bytes: Vec<[u8; Header::BYTES]> = hashed.iter().map(|header| header.to_bytes()).collect();
    race(
        &format!("headers from their bytes, {what}"),
        HEADERS,
        || {
            let mut ledger = Ledger::new(params.clone());
            for bytes in &bytes {
                ledger.add_header(&Header::from_bytes(bytes)).expect("a good header");
            }
        },
        || compressions(HEADERS, 3),
    );
    race(
        &format!("headers already named, {what}"),
        HEADERS,
        || {
            let mut ledger = Ledger::new(params.clone());
            for header in &hashed {
                ledger.record_hashed_header(header).expect("a good header");
            }
        },
        || compressions(HEADERS, 3),
    );
}

/// A chain that keeps its schedule, so that its difficulty stays where it is.
fn chain_of_headers(params: &Params) -> Vec<HashedHeader> {
    let mut ledger = Ledger::new(params.clone());
    let mut tip = ledger.genesis();
    let interval = u32::try_from(params.interval.as_secs()).expect("ten minutes");
    (0..HEADERS)
        .map(|_| {
            let time = ledger.header(tip).time + interval;
            let header = *ledger.draft(tip, time).assemble().header;
            let header = HashedHeader::from(mining::solve(&header, u32::MAX).expect("two hashes"));
            tip = ledger.add_hashed_header(&header).expect("a good header");
            header
        })
        .collect()
}
