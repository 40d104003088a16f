//! What a driver is set up with, told, and tells.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use base::{NodeId, Seed, Time};
use chain::Params;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId};
use node::{Command, Config};
use observe::RunEvent;
use scenario::{Conditions, Link};
use tokio::sync::mpsc;

use super::dialer::Target;
use super::directory::Directory;
use super::turnstile::Gate;
use crate::Clock;
use crate::hasher::Seat;
use crate::net::Trouble;

/// An order to a running node.
#[derive(Debug)]
pub(crate) enum Control {
    /// For the node itself.
    Command(Command),
    /// Keep a connection to this peer; where it is may have changed.
    Want(Target),
    /// Close the connection to a peer and dial it no more.
    Forget(NodeId),
    /// Close the connection to a peer and refuse new ones until [`Control::Mend`].
    Sever(NodeId),
    /// Allow connections again; dial at once where one is wanted.
    Mend(NodeId),
    /// From now on messages to this peer travel under these conditions.
    SetLink(NodeId, Conditions),
    /// Stand still until [`Control::Resume`]; other orders wait meanwhile.
    Pause,
    /// Go on.
    Resume,
    /// Stop in good order.
    Stop,
    /// Stop, and write nothing more.
    Kill,
}

/// How an ordered stop went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    Stopped,
    Killed,
}

/// Something a node tells.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) at: Time,
    pub(crate) event: RunEvent,
}

/// Something that keeps a node from being connected.
#[derive(Debug)]
pub(crate) enum Complaint {
    /// A wanted peer cannot be reached, for a new reason.
    CannotConnect { address: Multiaddr, trouble: Trouble },
    /// A wanted peer is this node itself; it is not dialled again.
    DialedItself { address: Multiaddr },
    /// The interface for other people's tools answers here. No complaint, but news for the same ears.
    Serving { address: SocketAddr },
    /// The disk is full, in words that name the folder and the fix: nothing is taken in.
    DiskFull(String),
    /// It has room again, and the node goes on. No complaint either.
    DiskHasRoom,
    /// Somebody of another network came; told once of each.
    Refused { peer: PeerId, trouble: Trouble },
}

/// What the links of a node are like: those that were set, and the rest.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    /// The seed of the whole run: a link's jitter is its own, and the same in every engine.
    pub(crate) seed: Seed,
    /// Conditions of links that nobody set.
    pub(crate) usual: Conditions,
    /// The links that were set before the node started.
    pub(crate) set: Vec<(NodeId, Conditions)>,
}

impl Links {
    /// An idle link from one node to another.
    pub(crate) fn link(&self, from: NodeId, to: NodeId, conditions: Conditions) -> Link {
        Link::new(conditions, || self.link_seed(from, to))
    }

    /// What the jitter of a link comes from.
    pub(crate) fn link_seed(&self, from: NodeId, to: NodeId) -> Seed {
        let index = (u64::from(from.0) << 32) | u64::from(to.0);
        self.seed.child("link", index)
    }
}

/// Where a node listens for peers.
#[derive(Debug)]
pub(crate) enum Listen {
    /// On an address that it takes.
    At(Multiaddr),
    /// On a socket that was bound for it.
    On(TcpListener),
}

/// Where other people's tools can ask it.
#[derive(Debug)]
pub(crate) enum Interface {
    /// On an address that it takes.
    At(rpc::Options),
    /// On a socket that was bound for it, with a cookie.
    On(TcpListener),
}

/// All that a node needs to run.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) id: NodeId,
    pub(crate) config: Config,
    pub(crate) params: Params,
    /// Where the node's own randomness comes from.
    pub(crate) seed: Seed,
    pub(crate) clock: Clock,
    pub(crate) folder: PathBuf,
    /// How many bytes it keeps in reserve there for the day when the disk is full, and what else is there is read; one without ends then.
    pub(crate) reserve: Option<u64>,
    pub(crate) identity: Keypair,
    pub(crate) listen: Listen,
    pub(crate) max_peers: u32,
    /// Of them, those that may have dialled this node.
    pub(crate) max_inbound: u32,
    pub(crate) directory: Directory,
    pub(crate) links: Links,
    /// Peers that may not be connected to, from the first moment on.
    pub(crate) severed: Vec<NodeId>,
    pub(crate) seat: Seat,
    pub(crate) gate: Gate,
    pub(crate) control: mpsc::Receiver<Control>,
    /// The interface for other people's tools, if there is to be one.
    pub(crate) rpc: Option<Interface>,
    pub(crate) told: mpsc::Sender<Told>,
    /// Who wants to know what keeps the node from being connected. What nobody takes in time is lost.
    pub(crate) complaints: Option<mpsc::Sender<Complaint>>,
}
