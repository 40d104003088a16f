//! A real node in this process: libp2p, a database in a folder of its own, and its interface.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use chain::Params;
use cluster::{Interrupt, SoloEvent, SoloOptions};
use rpc::Options;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A bound that only a failure reaches.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Node {
    pub(crate) folder: TempDir,
    /// Where its interface is.
    pub(crate) address: SocketAddr,
    /// Where peers dial it.
    pub(crate) multiaddr: String,
    interrupt: Interrupt,
    thread: Option<JoinHandle<()>>,
}

impl Node {
    /// A node that keeps connected to these.
    pub(crate) fn start(peers: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder for the node"), peers)
    }

    /// The same, in a folder that has something in it.
    pub(crate) fn start_in(folder: TempDir, peers: &[&str]) -> Self {
        let interrupt = Interrupt::new();
        let options = SoloOptions {
            peers: peers.iter().map(|peer| peer.parse().expect("a multiaddr")).collect(),
            rpc: Some(Options::on_a_free_port()),
            interrupt: interrupt.clone(),
            ..SoloOptions::new(Params::instant(), folder.path())
        };
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let mut on_event = move |event| {
                // A test that has what it waited for listens no more.
                let _deaf = match event {
                    SoloEvent::Listening { address, .. } => tell.send(Ok(address.to_string())),
                    SoloEvent::Serving { address } => tell.send(Err(address)),
                    SoloEvent::CannotConnect { .. }
                    | SoloEvent::DialedItself { .. }
                    | SoloEvent::Refused { .. }
                    | SoloEvent::DiskFull { .. }
                    | SoloEvent::DiskHasRoom
                    | SoloEvent::Node(_) => Ok(()),
                };
            };
            let life = cluster::run_solo(options, &mut on_event);
            runtime.expect("a runtime").block_on(life).expect("the node runs");
        });
        let (mut multiaddr, mut address) = (None, None);
        while multiaddr.is_none() || address.is_none() {
            match told.recv_timeout(PATIENCE).expect("the node comes up") {
                Ok(listens) => multiaddr = Some(listens),
                Err(serves) => address = Some(serves),
            }
        }
        Self {
            folder,
            address: address.expect("just told"),
            multiaddr: multiaddr.expect("just told"),
            interrupt,
            thread: Some(thread),
        }
    }

    /// The value of an `Authorization` header that opens the interface.
    pub(crate) fn authorization(&self) -> String {
        let cookie = rpc::auth::read_cookie(self.folder.path()).expect("a cookie");
        rpc::auth::authorization(&cookie)
    }

    /// Sends these bytes on a connection of their own; gives all that comes back until it is closed.
    pub(crate) fn exchange(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        // One that is closed while it is written to has answered already, or not.
        let _closed = stream.write_all(request);
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends these bytes, and that they are all there will ever be; gives what comes back.
    pub(crate) fn last_words(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let _closed = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Posts a body; gives the status and the body of the answer.
    pub(crate) fn post(&self, body: &str) -> (u16, String) {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            self.authorization(),
            body.len()
        );
        split(&self.exchange(request.as_bytes()))
    }

    /// The code of the error that a method gives.
    pub(crate) fn refusal(&self, method: &str, params: &Value) -> Value {
        let request = json!({ "method": method, "params": params, "id": 1 });
        let (_, body) = self.post(&request.to_string());
        let mut answer: Value = serde_json::from_str(&body).expect("JSON");
        answer["error"]["code"].take()
    }

    /// The result of a method.
    pub(crate) fn call(&self, method: &str, params: &Value) -> Value {
        let request = json!({ "method": method, "params": params, "id": 1 });
        let (status, body) = self.post(&request.to_string());
        let mut answer: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(status, 200, "{method}: {answer}");
        answer["result"].take()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.interrupt.trigger();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the node panicked");
        }
    }
}

/// The status and the body of an answer; 0 when there is none.
pub(crate) fn split(answer: &str) -> (u16, String) {
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, body.to_owned())
}
