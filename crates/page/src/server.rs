//! Connections: bounded in number, size and time (threat H5), and handed to the routes when the guard lets them pass.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;

use crate::answer::Problem;
use crate::guard::{Guard, seal};
use crate::limits::{ANSWER_TIME, HEAD_TIME, MAX_CONNECTIONS, MAX_HEAD_BYTES, MAX_HEADERS, WRITE_TIME};

/// How long nothing is accepted after the system could not give a connection, as when files have run out.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// What a connection that there is no room for is told.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// A socket that takes connections of this machine; port 0 takes a free one.
pub(crate) fn bind(port: u16) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves connections for as long as it is polled.
pub(crate) async fn serve(listener: TcpListener, guard: Guard, routes: Router) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let routes = routes.layer(from_fn_with_state(guard, answer));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(AFTER_ERROR).await;
            continue;
        };
        match Arc::clone(&room).try_acquire_owned() {
            Ok(permit) => {
                tokio::spawn(converse(stream, routes.clone(), permit));
            }
            // If not even this fits into the socket, closing says it too.
            Err(_) => drop(stream.try_write(BUSY)),
        }
    }
}

/// One connection, until either side has enough.
async fn converse(stream: TcpStream, routes: Router, permit: OwnedSemaphorePermit) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIME));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(routes));
    // How a connection ended is nobody's business but its peer's, who knows.
    drop(connection.await);
    drop(permit);
}

/// What every request goes through, whether there is such a route or not.
async fn answer(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let checked = guard.check(request.method(), request.uri(), request.headers());
    let response = match checked {
        Ok(()) => tokio::time::timeout(ANSWER_TIME, next.run(request)).await,
        Err(refused) => Ok(refused.into_response()),
    };
    seal(
        response
            .unwrap_or_else(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the request took too long").into_response()),
    )
}
