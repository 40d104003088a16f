//! Listening: connections, bodies, who may ask, and what goes back.
//!
//! A request is looked at in the order of what that costs: its head within a time, where it comes from, its password, then its body, of
//! which only so many bytes are held at a time, then the calls in it, one after the other.

mod reply;
mod rest;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::AUTHORIZATION;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use reply::{Body, empty, json, text};

use crate::auth::{Cookie, Credentials};
use crate::envelope::{self, Call, Reply};
use crate::error::Answer;
use crate::limits::{
    BODY_TIMEOUT, CLOSING_PATIENCE, HEAD_TIMEOUT, MAX_BATCH, MAX_BATCH_REPLY_BYTES, MAX_BODIES_BYTES, MAX_BODY_BYTES,
    MAX_CONNECTIONS, MAX_HEAD_BYTES, WRONG_PASSWORD_DELAY,
};
use crate::office::Office;
use crate::{Clerk, Code, RpcError, gate, methods};

/// The name of the file in a data folder that says where the interface is.
pub const ADDRESS_FILE: &str = "rpc.address";

/// What an interface is set up with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who may ask; none lets a cookie in the data folder decide.
    pub credentials: Option<Credentials>,
}

impl Options {
    /// For this machine alone, on a free port, with a cookie.
    #[must_use]
    pub fn on_a_free_port() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            credentials: None,
        }
    }
}

/// An interface that has its port, and does not answer yet.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    options: Options,
}

impl Bound {
    /// Takes the port.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn take(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            options,
        })
    }

    /// On a socket that listens already and does not block, with a cookie.
    ///
    /// # Errors
    /// When the socket is none.
    pub fn on(listener: std::net::TcpListener) -> io::Result<Self> {
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            options: Options {
                listen: address,
                credentials: None,
            },
        })
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins to answer for the node whose data is in this folder, in this database.
    ///
    /// # Errors
    /// When the cookie, or the file that says where the interface is, cannot be written.
    pub fn open(self, clerk: Clerk, (folder, database): (PathBuf, PathBuf)) -> io::Result<Server> {
        let Self {
            listener,
            address,
            options,
        } = self;
        let (cookie, credentials) = match options.credentials {
            Some(credentials) => (None, credentials),
            None => {
                let (cookie, credentials) = Cookie::write(&folder)?;
                (Some(cookie), credentials)
            }
        };
        let sign = Sign::put_up(&folder, address)?;
        let (end, ended) = watch::channel(());
        let desk = Arc::new(Front {
            office: Office::new(clerk, (folder, database)),
            credentials,
            bodies: Arc::new(Semaphore::new(MAX_BODIES_BYTES)),
        });
        let task = tokio::spawn(accept(listener, desk, ended));
        Ok(Server {
            address,
            task,
            end,
            _cookie: cookie,
            _sign: sign,
        })
    }
}

/// The file that says where the interface is, for as long as it is there.
#[derive(Debug)]
struct Sign(PathBuf);

impl Sign {
    fn put_up(folder: &std::path::Path, address: SocketAddr) -> io::Result<Self> {
        let path = folder.join(ADDRESS_FILE);
        crate::auth::replace(&path, address.to_string().as_bytes())?;
        Ok(Self(path))
    }
}

impl Drop for Sign {
    fn drop(&mut self) {
        // One that stays behind leads to a port where nobody answers, and is told so.
        let _stays = std::fs::remove_file(&self.0);
    }
}

/// An interface that answers. Dropping it hangs up on everybody.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
    end: watch::Sender<()>,
    _cookie: Option<Cookie>,
    _sign: Sign,
}

impl Server {
    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests and lets those under way end, for a while.
    pub async fn close(mut self) {
        self.end.send_replace(());
        if timeout(CLOSING_PATIENCE, &mut self.task).await.is_err() {
            tracing::debug!("requests under way did not end in time");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What all connections share.
#[derive(Debug)]
struct Front {
    office: Arc<Office>,
    credentials: Credentials,
    /// Room for bodies, in bytes.
    bodies: Arc<Semaphore>,
}

async fn accept(listener: TcpListener, front: Arc<Front>, mut ended: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                // One too many is closed at once: it would wait for those that do not end.
                Ok((stream, _)) if connections.len() < MAX_CONNECTIONS => {
                    connections.spawn(converse(stream, Arc::clone(&front), ended.clone()));
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection to the interface");
                    // Out of files: closed connections give some back.
                    sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = ended.changed() => break,
        }
    }
    while connections.join_next().await.is_some() {}
}

/// One connection, from its first request to its last.
async fn converse(stream: TcpStream, front: Arc<Front>, mut ended: watch::Receiver<()>) {
    // Answers are small, and a client waits for each.
    let _slower = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { Ok::<_, std::convert::Infallible>(answer(&front, request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let broken = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = ended.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = broken {
        tracing::debug!(%error, "a connection to the interface broke");
    }
}

async fn answer(front: &Front, request: Request<Incoming>) -> Response<Body> {
    if let Err(turned) = gate::check(request.headers()) {
        return text(StatusCode::FORBIDDEN, turned.words());
    }
    let path = request.uri().path();
    if let Some(rest) = path.strip_prefix("/rest/") {
        return if request.method() == Method::GET {
            rest::answer(&front.office, rest, request.uri().query()).await
        } else {
            text(StatusCode::METHOD_NOT_ALLOWED, "REST paths are read with GET\n")
        };
    }
    if path != "/" && !path.starts_with("/wallet/") {
        return text(StatusCode::NOT_FOUND, "");
    }
    if request.method() != Method::POST {
        return text(
            StatusCode::METHOD_NOT_ALLOWED,
            "JSONRPC server handles only POST requests",
        );
    }
    let authorization = request.headers().get(AUTHORIZATION);
    if !authorization.is_some_and(|value| front.credentials.admit(value.as_bytes())) {
        // Guesses take time, and no more of ours than of theirs.
        sleep(WRONG_PASSWORD_DELAY).await;
        return reply::unauthorized();
    }
    match read_body(front, request).await {
        Ok((body, room)) => {
            let parsed = serde_json::from_slice(&body);
            drop((body, room));
            match parsed {
                Ok(value) => calls(&front.office, value).await,
                Err(_) => sent(&envelope::not_json()),
            }
        }
        Err(refusal) => refusal,
    }
}

/// The whole body, and the room it takes.
async fn read_body(
    front: &Front,
    request: Request<Incoming>,
) -> Result<(Vec<u8>, OwnedSemaphorePermit), Response<Body>> {
    let body = request.into_body();
    let too_large = || text(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large\n");
    let hint = body.size_hint();
    let size = usize::try_from(hint.upper().unwrap_or(MAX_BODY_BYTES as u64)).unwrap_or(usize::MAX);
    if size > MAX_BODY_BYTES {
        return Err(too_large());
    }
    let permits = u32::try_from(size).expect("a body's limit is below 2^32");
    let reading = async {
        let room = Arc::clone(&front.bodies).acquire_many_owned(permits).await;
        let room = room.expect("the room is never closed");
        let body = Limited::new(body, MAX_BODY_BYTES).collect().await;
        (body, room)
    };
    match timeout(BODY_TIMEOUT, reading).await {
        Ok((Ok(body), room)) => Ok((body.to_bytes().to_vec(), room)),
        Ok((Err(_), _)) => Err(too_large()),
        Err(_) => Err(text(StatusCode::REQUEST_TIMEOUT, "the request came too slowly\n")),
    }
}

/// Answers one call, or a batch of them.
async fn calls(office: &Arc<Office>, value: Value) -> Response<Body> {
    match value {
        Value::Array(batch) => answer_batch(office, batch).await,
        Value::Object(_) => {
            let call = Call::read(value);
            match answer_call(office, call).await {
                Some(reply) => sent(&reply),
                None => empty(StatusCode::NO_CONTENT),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let mut reply = envelope::not_json();
            reply.body["error"]["message"] = Value::from("Top-level object parse error");
            sent(&reply)
        }
    }
}

async fn answer_batch(office: &Arc<Office>, batch: Vec<Value>) -> Response<Body> {
    if batch.len() > MAX_BATCH {
        let error = RpcError::new(
            Code::InvalidRequest,
            format!("more than {MAX_BATCH} requests in a batch"),
        );
        let refused = Call::read(Value::Null).reply(Err(error));
        return sent(&refused);
    }
    let was_empty = batch.is_empty();
    let mut replies: Vec<String> = Vec::new();
    let mut bytes = 0;
    for value in batch {
        let call = Call::read(value);
        let reply = if bytes > MAX_BATCH_REPLY_BYTES {
            let message = "the answers before this one took all the room there is; ask again";
            let full: Answer = Err(RpcError::new(Code::OutOfMemory, message));
            call.id.is_some().then(|| call.reply(full))
        } else {
            answer_call(office, call).await
        };
        if let Some(reply) = reply {
            let reply = reply.body.to_string();
            bytes += reply.len();
            replies.push(reply);
        }
    }
    if replies.is_empty() && !was_empty {
        return empty(StatusCode::NO_CONTENT);
    }
    json(StatusCode::OK, format!("[{}]\n", replies.join(",")))
}

/// The answer to a call; none to a notification.
async fn answer_call(office: &Arc<Office>, mut call: Call) -> Option<Reply> {
    let nothing = Err(RpcError::new(Code::InvalidRequest, "Missing method"));
    let answer = match std::mem::replace(&mut call.what, nothing) {
        Ok((method, params)) => methods::call(office, &method, params).await,
        Err(error) => Err(error),
    };
    call.id.is_some().then(|| call.reply(answer))
}

fn sent(reply: &Reply) -> Response<Body> {
    let status = StatusCode::from_u16(reply.status).expect("a status of the table");
    json(status, format!("{}\n", reply.body))
}

#[cfg(test)]
mod tests;
