//! What keeps a node or a run from starting or going on, in words that name the place and the fix.

use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use base::NodeId;
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use crate::identity::IdentityError;
use crate::store::StoreError;

/// Why a node or a run cannot start, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A data folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key file.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The operator's bans.
    #[error("cannot use the bans in {}: {reason}; mend the file, or remove it, which lifts all bans", .path.display())]
    Bans {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A port that somebody else listens on.
    #[error(
        "port {port} of {address} is in use; stop whoever listens there, or choose another port (0 takes any free one)"
    )]
    PortInUse {
        /// The port.
        port: u16,
        /// The whole address.
        address: Multiaddr,
    },
    /// More ports than there are.
    #[error("{nodes} nodes from port {first} on would need ports above 65535")]
    PortsEnd {
        /// How many.
        nodes: usize,
        /// The first one's port.
        first: u16,
    },
    /// Ports that are wanted for two things.
    #[error(
        "the ports of {nodes} nodes from {peers} on and of their interfaces from {rpc} on overlap; keep them {nodes} apart"
    )]
    PortsOverlap {
        /// How many nodes.
        nodes: usize,
        /// The first node's port.
        peers: u16,
        /// The first interface's port.
        rpc: u16,
    },
    /// A held port that does not let a node listen again.
    #[error("cannot listen on the ports that are held for it: {0}")]
    Unheard(io::Error),
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// Why.
        source: io::Error,
    },
    /// The interface's port.
    #[error("port {port} is in use; stop whoever listens there, or give the interface another (0 takes any free one)")]
    RpcPortInUse {
        /// The port.
        port: u16,
    },
    /// The interface.
    #[error("cannot open the interface on {address}: {source}")]
    Rpc {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The system allows too few open files.
    #[error(
        "{nodes} nodes with {links} links need {needed} open files, the limit is {limit}; raise it with `ulimit -n {needed}`"
    )]
    TooFewFiles {
        /// Nodes of the plan.
        nodes: usize,
        /// Links of the plan.
        links: usize,
        /// Files needed.
        needed: u64,
        /// Files allowed.
        limit: u64,
    },
    /// The same, of a node that runs alone.
    #[error(
        "a node with all its peers and clients needs {needed} open files, the limit is {limit}; raise it with `ulimit -n {needed}`"
    )]
    TooFewFilesAlone {
        /// Files needed.
        needed: u64,
        /// Files allowed.
        limit: u64,
    },
    /// The folder for the run's events could not be made.
    #[error("cannot write the run folder {}: {source}", .folder.display())]
    RunFolder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A node's folder cannot be removed, as a step wants it.
    #[error("cannot wipe {}: {source}", .folder.display())]
    NotWiped {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A node's process could not be started.
    #[error("cannot start {} as a node's process: {source}", .program.display())]
    Process {
        /// The executable.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What a node's process says of its own end.
    #[error("{0}")]
    Worker(String),
    /// A program ended before it was a node.
    #[error("{} ended before it said a word, {status}; it may be no nakanet{}", .program.display(), see(.log.as_ref()))]
    NoWord {
        /// The executable.
        program: PathBuf,
        /// How.
        status: ExitStatus,
        /// Where it may have said why.
        log: Option<PathBuf>,
    },
    /// A node's process ended without a word.
    #[error("its process ended, {status}{}", see(.log.as_ref()))]
    Exited {
        /// How.
        status: ExitStatus,
        /// Where it may have said why.
        log: Option<PathBuf>,
    },
    /// The threads of the engine.
    #[error("cannot start the engine's threads: {0}")]
    Threads(io::Error),
    /// Planned links did not come up.
    #[error("{missing} of {links} planned links were not up after {} s; the first is {first}", .patience.as_secs())]
    NotConnected {
        /// How many.
        missing: usize,
        /// Of how many.
        links: usize,
        /// The first, by the names of its nodes.
        first: String,
        /// How long was waited.
        patience: Duration,
    },
    /// A node of the run could not start.
    #[error("node {name}: {source}")]
    Node {
        /// Its name.
        name: String,
        /// Why.
        source: Box<Error>,
    },
    /// A node of the run did not start in time.
    #[error("node {name} was not up after {} s", .patience.as_secs())]
    Slow {
        /// Its name.
        name: String,
        /// How long was waited.
        patience: Duration,
    },
    /// A node panicked: our mistake.
    #[error("panicked: {0}")]
    Panicked(String),
    /// A node is hopelessly behind.
    #[error("{0} does not take its orders any more")]
    Stuck(NodeId),
    /// The run was interrupted before its nodes were up.
    #[error("interrupted while starting")]
    Interrupted,
}

impl Error {
    /// What a panic said.
    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Self::Panicked(text.unwrap_or_else(|| "without a word".to_owned()))
    }

    /// What opening the interface failed with; a port in use is named.
    pub(crate) fn rpc(address: SocketAddr, source: io::Error) -> Self {
        if is_in_use(&source) {
            Self::RpcPortInUse { port: address.port() }
        } else {
            Self::Rpc { address, source }
        }
    }

    /// What listening on an address of this machine failed with; a port in use is named.
    pub(crate) fn listen_at(address: SocketAddr, source: io::Error) -> Self {
        Self::listen(multiaddr(address), source)
    }

    /// What listening on an address failed with; a port in use is named.
    pub(crate) fn listen(address: Multiaddr, source: io::Error) -> Self {
        let port = address.iter().find_map(|part| {
            if let Protocol::Tcp(port) = part {
                Some(port)
            } else {
                None
            }
        });
        match port {
            Some(port) if is_in_use(&source) => Self::PortInUse { port, address },
            Some(_) | None => Self::Listen { address, source },
        }
    }
}

fn see(log: Option<&PathBuf>) -> String {
    log.map_or_else(String::new, |log| format!("; see {}", log.display()))
}

/// As libp2p writes it.
pub(crate) fn multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(Protocol::Tcp(address.port()))
}

/// Whether this error, or one that it wraps, says that the address is taken.
fn is_in_use(error: &io::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>()
            && error.kind() == io::ErrorKind::AddrInUse
        {
            return true;
        }
        cause = error.source();
    }
    false
}
