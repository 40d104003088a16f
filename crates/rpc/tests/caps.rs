//! Every bound of the interface that takes a node to reach it: what is at it is answered, what is beyond is refused, and the node lives on.

#[expect(dead_code, reason = "each of the tests uses a part of it")]
mod node;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use base::hex;
use chain::{Amount, Block, Draft, Ledger, Owner, Params, TxOutput};
use rpc::limits::{
    MAX_BANS, MAX_BATCH_REPLY_BYTES, MAX_BODIES_BYTES, MAX_BODY_BYTES, MAX_CHOSEN_TRANSACTIONS, MAX_EXAMINED,
    MAX_GENERATED, MAX_REST_HEADERS,
};
use rpc::raw;
use serde_json::{Value, json};

use node::{Node, PATIENCE, split};

/// Lists and numbers at their bounds, and one beyond: refused as out of range (`-8`), and no sooner.
#[test]
fn lists_and_numbers_are_bounded() {
    let node = Node::start(&[]);
    let address = node.call("getnewaddress", &json!([]));
    let nobody = json!("00".repeat(32));
    let garbage = json!("00");
    // No hash may be tried, so nothing is mined.
    assert_eq!(
        node.call("generatetoaddress", &json!([MAX_GENERATED, address, 0])),
        json!([])
    );
    let table = [
        ("testmempoolaccept", json!([vec![&garbage; MAX_EXAMINED]]), -22),
        ("testmempoolaccept", json!([vec![&garbage; MAX_EXAMINED + 1]]), -8),
        (
            "generateblock",
            json!([address, vec![&nobody; MAX_CHOSEN_TRANSACTIONS]]),
            -5,
        ),
        (
            "generateblock",
            json!([address, vec![&nobody; MAX_CHOSEN_TRANSACTIONS + 1]]),
            -8,
        ),
        ("generatetoaddress", json!([MAX_GENERATED + 1, address, 0]), -8),
    ];
    for (method, params, code) in table {
        assert_eq!(node.refusal(method, &params), code, "{method}");
    }
    let genesis = node.call("getblockhash", &json!([0]));
    let genesis = genesis.as_str().expect("text");
    for (count, status) in [(MAX_REST_HEADERS, 200), (MAX_REST_HEADERS + 1, 400)] {
        let request =
            format!("GET /rest/headers/{count}/{genesis}.hex HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert_eq!(split(&node.exchange(request.as_bytes())).0, status, "{count}");
    }
}

#[test]
fn bans_are_bounded() {
    let folder = tempfile::tempdir().expect("a folder for the node");
    let entry = |number: usize| {
        let address = format!("10.{}.{}.0/24", number / 256, number % 256);
        json!({ "version": 1, "ban_created": 0, "banned_until": u32::MAX, "address": address })
    };
    let list = json!({ "banned_nets": (1..MAX_BANS).map(entry).collect::<Vec<Value>>() });
    std::fs::write(folder.path().join("banlist.json"), list.to_string()).expect("a file");
    let node = Node::start_in(folder, &[]);
    let count = || node.call("listbanned", &json!([])).as_array().map(Vec::len);
    assert_eq!(count(), Some(MAX_BANS - 1));
    assert_eq!(node.call("setban", &json!(["192.0.2.0/24", "add"])), Value::Null);
    assert_eq!(count(), Some(MAX_BANS));
    assert!(node.refusal("setban", &json!(["198.51.100.0/24", "add"])).is_i64());
    assert_eq!(count(), Some(MAX_BANS));
    node.call("setban", &json!(["192.0.2.0/24", "remove"]));
    assert_eq!(node.call("setban", &json!(["198.51.100.0/24", "add"])), Value::Null);
}

/// A valid block whose description is long.
fn wide_block() -> Block {
    let mut ledger = Ledger::new(Params::instant());
    let genesis = ledger.genesis();
    let draft = ledger.draft(genesis, ledger.earliest_time(genesis));
    let output = TxOutput {
        value: Amount::from_units(1),
        owner: Owner([7; 32]),
    };
    let block = Draft {
        coinbase_outputs: vec![output; 1_900],
        ..draft
    }
    .assemble();
    let header = chain::mining::solve(&block.header, 10_000).expect("two hashes on average");
    let block = Block {
        header: header.into(),
        ..block
    };
    ledger
        .add_header(&block.header)
        .and_then(|_| ledger.add_body(&Arc::new(block.clone())))
        .expect("a valid block");
    block
}

/// The answers of a batch stop when they take too much room; each call that comes later is told so.
#[test]
fn threat_h5_the_answers_of_a_batch_are_bounded() {
    const CALLS: usize = 100;
    let node = Node::start(&[]);
    let block = wide_block();
    let submitted = node.call("submitblock", &json!([hex::encode(&raw::block(&block))]));
    assert_eq!(submitted, Value::Null);
    let call = json!({ "method": "getblock", "params": [block.id().to_string(), 2], "id": 1 });
    let (status, one) = node.post(&call.to_string());
    assert!(
        status == 200 && one.len() * CALLS > 2 * MAX_BATCH_REPLY_BYTES,
        "a long answer"
    );
    let (status, body) = node.post(&json!(vec![call; CALLS]).to_string());
    let answers: Vec<Value> = serde_json::from_str(&body).expect("a list");
    assert_eq!((status, answers.len()), (200, CALLS));
    let fit = MAX_BATCH_REPLY_BYTES / one.len() + 1;
    assert!(answers[..fit].iter().all(|answer| answer["result"]["height"] == 1));
    assert!(answers[fit..].iter().all(|answer| answer["error"]["code"] == -7));
    assert!(body.len() < MAX_BATCH_REPLY_BYTES + 2 * one.len());
}

/// So many bytes of bodies are read at a time; the next waits until one of them is read, or given up.
#[test]
fn threat_p11_bodies_that_are_being_read_are_bounded() {
    let node = Node::start(&[]);
    let begin = |length: usize| {
        let mut stream = TcpStream::connect(node.address).expect("a connection");
        let head = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n",
            node.authorization()
        );
        stream.write_all(head.as_bytes()).expect("a head");
        stream
    };
    // The server asks for a body when it has room for it.
    let is_asked = |stream: &mut TcpStream, patience: Duration| {
        stream.set_read_timeout(Some(patience)).expect("a timeout");
        let mut answer = [0; 25];
        stream
            .read_exact(&mut answer)
            .is_ok_and(|()| answer.starts_with(b"HTTP/1.1 100 Continue"))
    };
    let mut large: Vec<TcpStream> = (0..MAX_BODIES_BYTES / MAX_BODY_BYTES)
        .map(|_| begin(MAX_BODY_BYTES))
        .collect();
    assert!(large.iter_mut().all(|stream| is_asked(stream, PATIENCE)));
    let body = br#"{"method":"getblockcount"}"#;
    let mut small = begin(body.len());
    assert!(!is_asked(&mut small, Duration::from_millis(100)), "there is no room");
    drop(large.pop());
    assert!(is_asked(&mut small, PATIENCE));
    small.write_all(body).expect("a body");
    let mut answer = String::new();
    small.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains("\"result\":0"), "{answer}");
}
