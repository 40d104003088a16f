//! A page that is being served.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::{self, JoinHandle};

use axum::Router;
use observe::Operator;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::control::{Control, Token};
use crate::desk::Desk;
use crate::guard::Guard;
use crate::reading::{Reading, ReadingError};
use crate::{routes, server};

/// How a page is served.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Where steps from the page are handed in; none shows the run and no more.
    pub operator: Option<Operator>,
}

/// Why there is no page.
#[derive(Debug, Error)]
pub enum Error {
    /// The port cannot be had.
    #[error("cannot listen on 127.0.0.1:{port}: {source}; --port 0 takes a free one")]
    Port {
        /// Which.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The system gives no chance for a token.
    #[error("cannot draw a token: {0}")]
    Token(#[from] getrandom::Error),
    /// The system gives no thread, or no way to wait for sockets.
    #[error("cannot start the page's server: {0}")]
    Thread(#[from] io::Error),
    /// The run cannot be read.
    #[error(transparent)]
    Run(#[from] ReadingError),
}

/// A page that is being served, until it is closed or dropped.
#[derive(Debug)]
pub struct Page {
    address: SocketAddr,
    token: Option<Token>,
    stop: Option<oneshot::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Page {
    /// Serves the run in a folder, finished or going on.
    ///
    /// # Errors
    /// When the port is taken, or the folder is not that of a run.
    pub fn open(folder: &Path, options: Options) -> Result<Self, Error> {
        // The port first: reading a long log takes a while.
        let listener = listen(options.port)?;
        Self::whole(listener, Reading::open(folder)?, options.operator)
    }

    /// Serves a run that is about to begin in a folder.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn await_run(folder: &Path, options: Options) -> Result<Self, Error> {
        Self::whole(listen(options.port)?, Reading::awaiting(folder), options.operator)
    }

    /// Serves the figures of a run that is about to begin in a folder, and nothing else: `/metrics`, for Prometheus.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn await_metrics(folder: &Path, port: u16) -> Result<Self, Error> {
        Self::serve(listen(port)?, Reading::awaiting(folder), None, routes::figures)
    }

    fn whole(listener: std::net::TcpListener, reading: Reading, operator: Option<Operator>) -> Result<Self, Error> {
        let token = operator.is_some().then(Token::draw).transpose()?;
        let control = operator
            .zip(token.clone())
            .map(|(operator, token)| Control::new(operator, token));
        Self::serve(listener, reading, token, |desk| routes::routes(desk, control))
    }

    fn serve(
        listener: std::net::TcpListener,
        reading: Reading,
        token: Option<Token>,
        routes: impl FnOnce(Desk) -> Router,
    ) -> Result<Self, Error> {
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (desk, keeper) = Desk::open(reading)?;
        let routes = routes(desk);
        let (stop, stopped) = oneshot::channel();
        let serve = async move {
            let listener = TcpListener::from_std(listener)?;
            tokio::select! {
                () = server::serve(listener, Guard::of(address), routes) => {}
                _ = stopped => {}
            }
            io::Result::Ok(())
        };
        let server = thread::Builder::new().name("page".to_owned());
        // A runtime that ends takes its connections with it, and the desk goes with the last of them.
        let server = server.spawn(move || drop(runtime.block_on(serve)))?;
        Ok(Self {
            address,
            token,
            stop: Some(stop),
            threads: vec![server, keeper],
        })
    }

    /// Where it is served.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to open in a browser. Where steps are taken the token goes with it, behind the `#`, which browsers keep to themselves.
    #[must_use]
    pub fn link(&self) -> String {
        let token = self.token.as_ref().map(|token| format!("#token={}", token.text()));
        format!("http://{}/{}", self.address, token.unwrap_or_default())
    }
}

impl Drop for Page {
    /// Closes all connections and frees the port.
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // A server that is gone already needs no telling.
            let _ = stop.send(());
        }
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the page's server panicked");
        }
    }
}

fn listen(port: u16) -> Result<std::net::TcpListener, Error> {
    server::bind(port).map_err(|source| Error::Port { port, source })
}
