//! How fast blocks are submitted over JSON-RPC, each on disk before its answer: by one client after the other's answer, and by many at a time,
//! whose blocks share commits.
//!
//! ```text
//! cargo bench -p rpc --bench rpc [-- BLOCKS CLIENTS]
//! ```
//!
//! Empty blocks of the `instant` preset; each client extends a branch of its own from the genesis block. Beside it: what this disk takes to
//! sync one page, as every durable answer takes at least that, alone or shared.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use base::hex;
use chain::{Amount, Block, Ledger, Owner, Params, TxOutput, mining};
use cluster::{Interrupt, SoloEvent, SoloOptions};
use rpc::{Options, raw};

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse::<usize>().ok());
    let blocks = numbers.next().unwrap_or(256);
    let clients = numbers.next().unwrap_or(64);

    let sync = sync_time();
    println!("one page synced          {:9.2} ms", millis(sync));
    let (took, connect) = submit(&[branch(0, blocks)]);
    let alone = rate(blocks, took);
    println!(
        "one client               {alone:9.0} blocks/s  {:.2} ms each, {connect:?} to connect",
        millis(took) / blocks as f64
    );
    let each = (blocks / 4).max(1);
    let branches: Vec<_> = (0..clients).map(|client| branch(client, each)).collect();
    let (took, _) = submit(&branches);
    let together = rate(clients * each, took);
    println!("{clients:<3} clients              {together:9.0} blocks/s");
    println!("together against alone   {:9.1} x", together / alone);
    println!("alone against one sync   {:9.2} x", sync.as_secs_f64() * alone);
}

#[expect(clippy::cast_precision_loss, reason = "a count of a bench, shown to people")]
fn rate(blocks: usize, took: Duration) -> f64 {
    blocks as f64 / took.as_secs_f64()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// What it takes to write a page and have it on disk, on average.
fn sync_time() -> Duration {
    const TIMES: u32 = 50;
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = File::create(folder.path().join("page")).expect("a file");
    let start = Instant::now();
    for _ in 0..TIMES {
        file.write_all(&[1; 4_096]).expect("room for a page");
        file.sync_data().expect("a disk");
    }
    start.elapsed() / TIMES
}

/// Requests that submit the blocks of a branch from the genesis block.
fn branch(client: usize, length: usize) -> Vec<String> {
    let mut ledger = Ledger::new(Params::instant());
    let mut tip = ledger.genesis();
    let mut requests = Vec::with_capacity(length);
    for _ in 0..length {
        let mut draft = ledger.draft(tip, ledger.earliest_time(tip));
        draft.extra_nonce = client as u64;
        draft.coinbase_outputs = vec![TxOutput {
            value: Amount::COIN,
            owner: Owner([7; 32]),
        }];
        let block = draft.assemble();
        let header = mining::solve(&block.header, 10_000).expect("two hashes on average");
        let block = Arc::new(Block {
            header: header.into(),
            ..block
        });
        tip = ledger
            .add_header(&block.header)
            .and_then(|_| ledger.add_body(&block))
            .expect("a valid block");
        let data = hex::encode(&raw::block(&block));
        requests.push(format!(r#"{{"method":"submitblock","params":["{data}"],"id":1}}"#));
    }
    requests
}

/// Submits each branch by a client of its own, all at a time, to a fresh node; gives how long that took.
fn submit(branches: &[Vec<String>]) -> (Duration, Duration) {
    let folder = tempfile::tempdir().expect("a folder for the node");
    let interrupt = Interrupt::new();
    let (address, node) = start(folder.path(), &interrupt);
    let cookie = rpc::auth::read_cookie(folder.path()).expect("a cookie");
    let authorization = rpc::auth::authorization(&cookie);
    let connecting = Instant::now();
    let streams: Vec<TcpStream> = branches
        .iter()
        .map(|_| TcpStream::connect(address).expect("a connection"))
        .collect();
    let connect = connecting.elapsed();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for (requests, stream) in branches.iter().zip(streams) {
            let authorization = &authorization;
            scope.spawn(move || client(stream, authorization, requests));
        }
    });
    let took = start.elapsed();
    interrupt.trigger();
    node.join().expect("the node ends well");
    (took, connect)
}

fn start(folder: &Path, interrupt: &Interrupt) -> (SocketAddr, std::thread::JoinHandle<()>) {
    let options = SoloOptions {
        rpc: Some(Options::on_a_free_port()),
        interrupt: interrupt.clone(),
        ..SoloOptions::new(Params::instant(), folder)
    };
    let (tell, told) = mpsc::channel();
    let node = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let mut on_event = move |event| {
            if let SoloEvent::Serving { address } = event {
                tell.send(address).expect("somebody waits for it");
            }
        };
        let life = cluster::run_solo(options, &mut on_event);
        runtime.expect("a runtime").block_on(life).expect("the node runs");
    });
    (told.recv().expect("the node comes up"), node)
}

/// Sends each request after the answer to the one before.
fn client(stream: TcpStream, authorization: &str, requests: &[String]) {
    stream.set_nodelay(true).expect("a socket");
    let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
    let mut stream = stream;
    for body in requests {
        let length = body.len();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("a node that listens");
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("an answer");
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).expect("an answer");
        let answer = String::from_utf8(answer).expect("JSON");
        assert!(answer.contains("\"result\":null,\"error\":null"), "{answer}");
    }
}
