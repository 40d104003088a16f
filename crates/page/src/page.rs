//! A page that is being served.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::{self, JoinHandle};

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::guard::Guard;
use crate::{routes, server};

/// How a page is served.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
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
    /// The system gives no thread, or no way to wait for sockets.
    #[error("cannot start the page's server: {0}")]
    Thread(#[from] io::Error),
}

/// A page that is being served, until it is closed or dropped.
#[derive(Debug)]
pub struct Page {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl Page {
    /// Serves the run in a folder.
    ///
    /// # Errors
    /// When the port is taken, or the folder is not that of a run.
    pub fn open(folder: &Path, options: Options) -> Result<Self, Error> {
        let port = options.port;
        let listener = server::bind(port).map_err(|source| Error::Port { port, source })?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let routes = routes::routes(folder);
        let (stop, stopped) = oneshot::channel();
        let serve = async move {
            let listener = TcpListener::from_std(listener)?;
            tokio::select! {
                () = server::serve(listener, Guard::of(address), routes) => {}
                _ = stopped => {}
            }
            io::Result::Ok(())
        };
        // A runtime that ends takes its connections with it.
        let server = thread::Builder::new()
            .name("page".to_owned())
            .spawn(move || drop(runtime.block_on(serve)))?;
        Ok(Self {
            address,
            stop: Some(stop),
            server: Some(server),
        })
    }

    /// Where it is served.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Page {
    /// Closes all connections and frees the port.
    fn drop(&mut self) {
        // A server that is gone already needs no telling.
        drop(self.stop.take().map(|stop| stop.send(())));
        if let Some(server) = self.server.take()
            && server.join().is_err()
            && !thread::panicking()
        {
            panic!("the page's server panicked");
        }
    }
}
