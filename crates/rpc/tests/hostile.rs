//! What hostile, broken and careless clients send, byte by byte over a socket (THREATS H1-H7, P11).

#[expect(dead_code, reason = "each of the tests uses a part of it")]
mod node;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::channel;

use rpc::limits::{MAX_BATCH, MAX_BODY_BYTES, MAX_CONNECTIONS, MAX_HEAD_BYTES, MAX_WATCHING};
use serde_json::{Value, json};

use node::{Node, PATIENCE, split};

fn request(node: &Node, head: &str, body: &str) -> (u16, String) {
    split(
        &node.exchange(
            format!(
                "{head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .as_bytes(),
        ),
    )
}

#[test]
fn threat_h1_nobody_is_let_in_without_the_right_password() {
    let node = Node::start(&[]);
    let call = r#"{"method":"stop"}"#;
    for authorization in [
        String::new(),
        "\r\nAuthorization: Basic ".to_owned(),
        "\r\nAuthorization: Basic !!!!".to_owned(),
        format!("\r\nAuthorization: {}", rpc::auth::authorization("__cookie__:")),
        format!("\r\nAuthorization: {}", rpc::auth::authorization("user:password")),
        format!("\r\nAuthorization: {}", node.authorization().replace("Basic", "Bearer")),
    ] {
        let head = format!("POST / HTTP/1.1\r\nHost: {}{authorization}", node.address);
        assert_eq!(request(&node, &head, call), (401, String::new()), "{authorization}");
    }
    assert_eq!(node.call("getblockcount", &json!([])), 0);
    assert!(node.address.ip().is_loopback());
}

#[test]
fn threat_h2_h3_browsers_that_another_site_sent_are_turned_away() {
    let node = Node::start(&[]);
    let (address, opens) = (node.address, format!("Authorization: {}", node.authorization()));
    let call = r#"{"method":"stop"}"#;
    for head in [
        format!("POST / HTTP/1.1\r\nHost: evil.com\r\n{opens}"),
        format!("POST / HTTP/1.1\r\n{opens}"),
        format!("POST / HTTP/1.1\r\nHost: {address}\r\nHost: evil.com\r\n{opens}"),
        format!("POST / HTTP/1.1\r\nHost: {address}\r\nOrigin: http://evil.com\r\n{opens}"),
        format!("POST / HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Site: cross-site\r\n{opens}"),
        "GET /rest/chaininfo.json HTTP/1.1\r\nHost: evil.com".to_owned(),
        format!("GET /rest/chaininfo.json HTTP/1.1\r\nHost: {address}\r\nOrigin: null"),
    ] {
        let (status, _) = request(&node, &head, call);
        assert!(matches!(status, 400 | 403), "{status} for {head}");
    }
    let preflight = format!("OPTIONS / HTTP/1.1\r\nHost: {address}");
    let answer = node.exchange(format!("{preflight}\r\nConnection: close\r\n\r\n").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 405 ") && !answer.to_lowercase().contains("access-control"));
    assert_eq!(node.call("getblockcount", &json!([])), 0);
}

#[test]
fn threat_h4_paths_lead_nowhere_else() {
    let node = Node::start(&[]);
    for path in [
        "/../etc/passwd",
        "/rest/../.cookie",
        "/rest/%2e%2e/.cookie.json",
        "/rest/..%5c.bin",
        "/x",
        "//",
    ] {
        let (status, _) = request(&node, &format!("GET {path} HTTP/1.1\r\nHost: localhost"), "");
        assert_eq!(status, 404, "{path}");
    }
    let long = format!("GET /rest/{}.json HTTP/1.1\r\nHost: localhost", "a".repeat(4_000));
    assert_eq!(request(&node, &long, "").0, 404);
}

#[test]
fn threat_h5_bodies_heads_and_batches_are_bounded() {
    let node = Node::start(&[]);
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}",
        node.authorization()
    );
    // One that says how much it is going to send is refused before it sends it.
    let huge = format!(
        "{head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        MAX_BODY_BYTES + 1
    );
    assert_eq!(split(&node.exchange(huge.as_bytes())).0, 413);
    let absurd = format!(
        "{head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        u64::MAX - 1
    );
    let (status, _) = split(&node.exchange(absurd.as_bytes()));
    assert!(matches!(status, 413 | 431), "{status}");
    // One that does not say so is cut off.
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
    let chunked = format!(
        "{head}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
        chunk.repeat(5)
    );
    let (status, _) = split(&node.exchange(chunked.as_bytes()));
    assert!(matches!(status, 413 | 0), "{status}");
    let wide = format!(
        "{head}\r\nX: {}\r\nConnection: close\r\n\r\n",
        "x".repeat(2 * MAX_HEAD_BYTES)
    );
    assert!(matches!(split(&node.exchange(wide.as_bytes())).0, 431 | 0));

    let call = json!({ "method": "getblockcount" });
    let (status, body) = node.post(&json!(vec![call.clone(); MAX_BATCH]).to_string());
    let answers: Vec<Value> = serde_json::from_str(&body).expect("a list");
    assert_eq!((status, answers.len()), (200, MAX_BATCH));
    let (status, body) = node.post(&json!(vec![call; MAX_BATCH + 1]).to_string());
    assert!(status == 400 && body.contains("-32600"), "{body}");
}

#[test]
fn what_is_no_json_and_no_http_is_told_so_or_hung_up_on() {
    let node = Node::start(&[]);
    for (body, status, code) in [
        ("", 500, -32_700),
        ("{", 500, -32_700),
        ("\u{0}", 500, -32_700),
        ("nul", 500, -32_700),
        ("\"text\"", 500, -32_700),
        ("7", 500, -32_700),
        ("{}", 400, -32_600),
        (r#"{"method":7}"#, 400, -32_600),
        (r#"{"method":"getblockcount","params":7}"#, 400, -32_600),
        (r#"{"method":"getblockcount","jsonrpc":"9"}"#, 400, -32_600),
        (r#"{"method":""}"#, 404, -32_601),
    ] {
        let (found, answer) = node.post(body);
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!((found, &answer["error"]["code"]), (status, &json!(code)), "{body}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(node.post(&deep).0, 500);
    for bytes in [
        &b"\x00\x01\x02\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &[0xff; 20_000],
    ] {
        let (status, _) = split(&node.last_words(bytes));
        assert!(matches!(status, 0 | 400 | 403 | 404 | 431), "{status}");
    }
    assert_eq!(node.call("getblockcount", &json!([])), 0);
}

/// Slow clients keep their own connections busy and nobody else waiting; more connections than there is room for are closed.
#[test]
fn threat_p11_slow_and_many_clients_keep_nobody_waiting() {
    let node = Node::start(&[]);
    let mut slow = Vec::new();
    for _ in 0..MAX_CONNECTIONS / 2 {
        let mut stream = TcpStream::connect(node.address).expect("a connection");
        stream
            .write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Le")
            .expect("half a head");
        slow.push(stream);
    }
    assert_eq!(node.call("getblockcount", &json!([])), 0);
    let mut more = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        more.push(TcpStream::connect(node.address).expect("a connection"));
    }
    // The last of them found no room: it is closed without a word.
    let mut last = more.pop().expect("many");
    last.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    assert_eq!(last.read(&mut [0; 1]).ok(), Some(0));
    // It was not its time that was over, or that of those before it would have been as well.
    let first = &mut slow[0];
    first.set_nonblocking(true).expect("a socket");
    let unread = first.read(&mut [0; 1]).expect_err("it is open, and nothing was said");
    assert_eq!(unread.kind(), std::io::ErrorKind::WouldBlock);
    drop((slow, more));
}

#[test]
fn few_clients_wait_for_blocks_at_a_time() {
    let node = Node::start(&[]);
    let body = r#"{"method":"waitfornewblock","params":[0]}"#;
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}",
        node.authorization()
    );
    let request = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let (told, answers) = channel();
    for _ in 0..=MAX_WATCHING {
        let mut stream = TcpStream::connect(node.address).expect("a connection");
        stream.write_all(request.as_bytes()).expect("a request");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let told = told.clone();
        std::thread::spawn(move || told.send(answer(&mut stream)));
    }
    // Whichever is one too many is told so, while no block is in sight; the others are answered by the next one.
    let refused = answers.recv_timeout(PATIENCE).expect("one is refused");
    assert!(
        refused.starts_with("HTTP/1.1 500 ") && refused.contains("clients wait"),
        "{refused}"
    );
    let address = node.call("getnewaddress", &json!([]));
    node.call("generatetoaddress", &json!([1, address]));
    for _ in 0..MAX_WATCHING {
        let answer = answers.recv_timeout(PATIENCE).expect("the block is told");
        assert!(answer.contains("\"height\":1"), "{answer}");
    }
}

/// One answer on a connection that stays open.
fn answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 1_024];
    while !text.contains("}\n") {
        let read = stream.read(&mut buffer).expect("an answer");
        assert!(read > 0, "closed after {text:?}");
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    text
}

/// The bytes that bitcoin-cli of Bitcoin Core sends (`bitcoin-cli.cpp`, over libevent): HTTP/1.1 with `Connection: close`, `Host` without a
/// port, JSON-RPC 2.0 and the id 1 since version 28, no version before.
#[test]
fn the_bytes_of_bitcoin_cli_are_answered() {
    let node = Node::start(&[]);
    for (version, result) in [
        ("\"jsonrpc\":\"2.0\",", "\"jsonrpc\":\"2.0\",\"result\":0"),
        ("", "\"result\":0,\"error\":null"),
    ] {
        let body = format!("{{{version}\"method\":\"getblockcount\",\"params\":[],\"id\":1}}\n");
        let request = format!(
            "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n{body}",
            node.authorization(),
            body.len()
        );
        let (status, answer) = split(&node.exchange(request.as_bytes()));
        assert_eq!(status, 200);
        assert!(answer.contains(result) && answer.ends_with('\n'), "{answer}");
    }
    // `-rpcwallet=` with no name, and `-named`.
    let body = r#"{"method":"getblockhash","params":{"height":0},"id":1}"#;
    let head = format!(
        "POST /wallet/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {}",
        node.authorization()
    );
    assert_eq!(request(&node, &head, body).0, 200);
}

/// Threat C17: look-ups of side branches, the genesis block, unknown names and absurd heights give answers or errors, never a panic.
#[test]
fn threat_c17_no_look_up_brings_a_node_down() {
    let node = Node::start(&[]);
    let address = node.call("getnewaddress", &json!([]));
    let side = node.call("generatetoaddress", &json!([2, address]));
    node.call("invalidateblock", &json!([side[0]]));
    node.call("generatetoaddress", &json!([3, address]));
    let genesis = node.call("getblockhash", &json!([0]));
    let tip = node.call("getbestblockhash", &json!([]));
    let unknown = json!("00".repeat(32));
    let numbers = [
        json!(-1),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e308),
        json!(0),
        json!(1_u64 << 63),
    ];
    let odd = [json!(null), json!("x"), json!([]), json!({}), json!(true)];
    let mut values: Vec<Value> = vec![genesis, tip, side[0].clone(), side[1].clone(), unknown, address];
    values.extend(numbers);
    values.extend(odd);
    let skipped = [
        "stop",
        "setnetworkactive",
        "generatetoaddress",
        "waitfornewblock",
        "waitforblock",
        "waitforblockheight",
    ];
    for method in rpc::methods::all()
        .iter()
        .filter(|method| !skipped.contains(&method.name))
    {
        let mut batch = vec![json!({ "method": method.name, "params": [] })];
        for first in &values {
            batch.push(json!({ "method": method.name, "params": [first] }));
            for second in &values {
                batch.push(json!({ "method": method.name, "params": [first, second] }));
            }
        }
        let (status, body) = node.post(&json!(batch).to_string());
        let answers: Vec<Value> = serde_json::from_str(&body).expect("a list");
        assert_eq!((status, answers.len()), (200, batch.len()), "{}", method.name);
    }
    assert_eq!(node.call("getblockchaininfo", &json!([]))["chain"], "instant");
}
