//! Clients that are slow, where time passes at once when nothing else is to be done.

use chain::{Height, Work};
use node::event::TipRef;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use super::*;
use crate::Desk;
use crate::auth::authorization;
use crate::limits::LONG_POLL;

/// An interface whose node answers nothing, and drops what it is asked.
async fn start() -> (Server, TempDir) {
    let tip = TipRef {
        block: chain::BlockId::ZERO,
        height: Height(0),
        chain_work: Work::ZERO,
    };
    let (mut desk, clerk) = Desk::new(tip);
    tokio::spawn(async move { while desk.next().await.is_some() {} });
    let options = Options {
        credentials: Some(Credentials::new("u", "p")),
        ..Options::on_a_free_port()
    };
    let bound = Bound::take(options).await.expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    let server = bound.open(clerk, (path.clone(), path)).expect("it is open");
    (server, folder)
}

/// Sends this; gives what comes back until the server closes, and when that was.
async fn exchange(server: &Server, bytes: &str) -> (String, Duration) {
    let began = Instant::now();
    let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
    stream.write_all(bytes.as_bytes()).await.expect("it is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it ends");
    (answer, began.elapsed())
}

/// A call with this password, of which so many bytes are left out, on a connection of its own.
fn call(password: &str, body: &str, left_out: usize) -> String {
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close";
    let authorization = authorization(&format!("u:{password}"));
    let length = body.len() + left_out;
    format!("{head}\r\nAuthorization: {authorization}\r\nContent-Length: {length}\r\n\r\n{body}")
}

#[tokio::test(start_paused = true)]
async fn threat_p11_a_head_that_does_not_end_has_its_time() {
    let (server, _folder) = start().await;
    for begun in ["", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Le"] {
        let (answer, took) = exchange(&server, begun).await;
        assert!(!answer.contains("200 OK"), "{answer}");
        assert!(
            (HEAD_TIMEOUT..2 * HEAD_TIMEOUT).contains(&took),
            "{took:?} for {begun:?}"
        );
    }
    // One whose answer has come may stay as long before the next.
    let (answer, took) = exchange(&server, "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!((HEAD_TIMEOUT..2 * HEAD_TIMEOUT).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn threat_p11_a_body_that_does_not_end_has_its_time() {
    let (server, _folder) = start().await;
    let (answer, took) = exchange(&server, &call("p", "{", 10)).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!((BODY_TIMEOUT..HEAD_TIMEOUT).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn threat_h1_guesses_take_time() {
    let (server, _folder) = start().await;
    let (answer, took) = exchange(&server, &call("q", "{}", 0)).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!((WRONG_PASSWORD_DELAY..BODY_TIMEOUT).contains(&took), "{took:?}");
    let (answer, took) = exchange(&server, &call("p", "{}", 0)).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(took < WRONG_PASSWORD_DELAY, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_waits_so_long_for_those_that_wait_themselves() {
    let (server, _folder) = start().await;
    let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
    let waiting = call("p", r#"{"method":"waitfornewblock"}"#, 0);
    stream.write_all(waiting.as_bytes()).await.expect("it is taken");
    let early = timeout(HEAD_TIMEOUT * 2, stream.read_u8()).await;
    assert!(early.is_err(), "it waits for a block");
    let began = Instant::now();
    server.close().await;
    assert_eq!(began.elapsed(), CLOSING_PATIENCE);
    assert!(stream.read_u8().await.is_err(), "it was hung up on");
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_ends_when_no_block_comes() {
    let (server, _folder) = start().await;
    let tip = chain::BlockId::ZERO;
    let poll = format!(r#"{{"method":"getblocktemplate","params":[{{"longpollid":"{tip}0"}}]}}"#);
    let (answer, took) = exchange(&server, &call("p", &poll, 0)).await;
    assert!(answer.contains("-28"), "this node has no template to give: {answer}");
    assert!((LONG_POLL..2 * LONG_POLL).contains(&took), "{took:?}");
}
