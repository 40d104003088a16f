//! One node as a process of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base::{Hash, NodeId, Seed, hex};
use chain::{HashRate, Owner, Params, Work};
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use node::{Config, Event};
use observe::RunEvent;
use scenario::Conditions;
use tokio::select;
use tokio::sync::mpsc;

use crate::driver::dialer::Target;
use crate::driver::directory::{Directory, Register};
use crate::driver::turnstile::Gate;
use crate::driver::{Complaint, Control, Driver, Interface, Links, Listen, Setup, Told};
use crate::limits::{
    MAX_PEERS, MAX_QUEUED_COMPLAINTS, MAX_QUEUED_EVENTS, MAX_QUEUED_ORDERS, OUTBOUND_ROOM, RESERVE_BYTES,
};
use crate::net::Trouble;
use crate::{Clock, Error, Hasher, Interrupt, files, identity};

/// What a node that runs alone is set up with.
#[derive(Clone, Debug)]
pub struct SoloOptions {
    /// The network's rules.
    pub params: Params,
    /// Where it keeps its chain and its key.
    pub data: PathBuf,
    /// Where it listens: `/ip4/127.0.0.1/tcp/0` takes any free port and is reached from this machine alone.
    pub listen: Multiaddr,
    /// Whom it keeps connected to, with `/p2p/<peer id>` at the end or without.
    pub peers: Vec<Multiaddr>,
    /// Its hash power; zero does not mine.
    pub hashrate: HashRate,
    /// Chains of headers with less work than this are not kept: what protects a node that has no chain yet (THREATS C2).
    pub minimum_work: Work,
    /// The interface for other people's tools; none opens none.
    pub rpc: Option<rpc::Options>,
    /// Whom its coinbases pay; nobody who could spend it when none is named.
    pub owner: Option<Owner>,
    /// What it tells peers it is called: printable ASCII.
    pub agent: String,
    /// Ends it in good order.
    pub interrupt: Interrupt,
}

impl SoloOptions {
    /// A node with these rules that keeps its data there, listens on any free port of this machine, and neither mines nor dials.
    #[must_use]
    pub fn new(params: Params, data: &Path) -> Self {
        Self {
            params,
            data: data.to_owned(),
            listen: "/ip4/127.0.0.1/tcp/0".parse().expect("a multiaddr"),
            peers: Vec::new(),
            hashrate: HashRate::ZERO,
            minimum_work: Work::ZERO,
            rpc: None,
            owner: None,
            agent: "nakanet".to_owned(),
            interrupt: Interrupt::new(),
        }
    }
}

/// News of a node that runs alone.
#[derive(Debug)]
pub enum SoloEvent {
    /// It is up. `address` is whole: peers can dial it as it stands.
    Listening {
        /// Where, with its peer id.
        address: Multiaddr,
        /// Blocks that came from its disk.
        restored: usize,
    },
    /// Other people's tools can ask it here.
    Serving {
        /// Where.
        address: SocketAddr,
    },
    /// A peer that it is to keep connected to cannot be reached; it goes on trying. Told at first, and when the reason changes.
    CannotConnect {
        /// Whom, as it was named.
        address: Multiaddr,
        /// Why not.
        reason: Trouble,
    },
    /// A peer that it is to keep connected to is the node itself; it is not dialled again.
    DialedItself {
        /// Which, as it was named.
        address: Multiaddr,
    },
    /// Somebody of another network dialled it. Told once of each.
    Refused {
        /// Who.
        peer: PeerId,
        /// What shows it.
        reason: Trouble,
    },
    /// Its disk is full. What it has acknowledged is safe; it takes nothing more in, answers what it is asked, and goes on by itself once there is
    /// room.
    DiskFull {
        /// Where, and what to do about it.
        trouble: String,
    },
    /// Its disk has room again, and it goes on.
    DiskHasRoom,
    /// Something happened in it.
    Node(Event),
}

/// Runs one node until it is interrupted. Peers are numbered as they come.
///
/// # Errors
/// When its folder, key or port cannot be had, or its disk fails.
pub async fn run_solo(options: SoloOptions, on_event: &mut (dyn FnMut(SoloEvent) + Send)) -> Result<(), Error> {
    files::check_alone(options.rpc.is_some())?;
    let key = identity::load_or_create(&options.data)?;
    let clock = Clock::start();
    let hasher = Hasher::start(clock);
    let (control, orders) = mpsc::channel(MAX_QUEUED_ORDERS);
    let (tell, mut told) = mpsc::channel(MAX_QUEUED_EVENTS);
    let (complain, mut complaints) = mpsc::channel(MAX_QUEUED_COMPLAINTS);
    let seed = seed(&key);
    let me = key.public().to_peer_id();
    let setup = Setup {
        id: NodeId(0),
        config: config(&options),
        params: options.params.clone(),
        seed,
        clock,
        folder: options.data.clone(),
        reserve: Some(RESERVE_BYTES),
        identity: key,
        listen: Listen::At(options.listen.clone()),
        max_peers: MAX_PEERS,
        max_inbound: MAX_PEERS - OUTBOUND_ROOM,
        directory: Directory::Open(Register::default()),
        links: Links {
            seed,
            usual: Conditions::default(),
            set: Vec::new(),
        },
        severed: Vec::new(),
        seat: hasher.seat(NodeId(0)),
        gate: Gate::default(),
        control: orders,
        rpc: options.rpc.clone().map(Interface::At),
        told: tell,
        complaints: Some(complain),
    };
    let life = async {
        let (driver, _) = Driver::start(setup).await?;
        for peer in &options.peers {
            // There is room: nothing else gives orders.
            let _gone = control.send(Control::Want(target(peer))).await;
        }
        driver.run().await
    };
    let watch = async {
        loop {
            let event = select! {
                Some(told) = told.recv() => news(told, me),
                Some(complaint) = complaints.recv() => Some(complained(complaint)),
                else => break,
            };
            if let Some(event) = event {
                on_event(event);
            }
        }
    };
    let interrupted = async {
        options.interrupt.triggered().await;
        let _gone = control.send(Control::Stop).await;
        std::future::pending::<()>().await;
    };
    tokio::pin!(life);
    select! {
        ended = &mut life => ended.map(drop),
        ((), ()) = async { tokio::join!(watch, interrupted) } => unreachable!("an interrupt waits for the node to end"),
    }
}

/// From the key, which is secret and stays, so nobody else can tell what the node will draw.
fn seed(key: &Keypair) -> Seed {
    let secret = key.to_protobuf_encoding().expect("ed25519 keys have an encoding");
    let Hash(bytes) = Hash::tagged("nakanet/solo", &[&secret]);
    Seed::from_number(0).child(&hex::encode(&bytes), 0)
}

fn news(told: Told, me: PeerId) -> Option<SoloEvent> {
    match told.event {
        RunEvent::NodeStarted { addrs, restored, .. } => {
            let address: Multiaddr = addrs.first()?.parse().expect("an address that was written out");
            Some(SoloEvent::Listening {
                address: address.with(Protocol::P2p(me)),
                restored,
            })
        }
        RunEvent::Node { event, .. } => Some(SoloEvent::Node(*event)),
        RunEvent::RunStarted { .. }
        | RunEvent::RunEnded { .. }
        | RunEvent::NodeStopped { .. }
        | RunEvent::Intervention { .. }
        | RunEvent::Step(_)
        | RunEvent::Control(_)
        | RunEvent::Derived(_) => None,
    }
}

fn complained(complaint: Complaint) -> SoloEvent {
    match complaint {
        Complaint::CannotConnect {
            address,
            trouble: reason,
        } => SoloEvent::CannotConnect { address, reason },
        Complaint::Serving { address } => SoloEvent::Serving { address },
        Complaint::DiskFull(trouble) => SoloEvent::DiskFull { trouble },
        Complaint::DiskHasRoom => SoloEvent::DiskHasRoom,
        Complaint::DialedItself { address } => SoloEvent::DialedItself { address },
        Complaint::Refused { peer, trouble: reason } => SoloEvent::Refused { peer, reason },
    }
}

/// A target whose key is the one at the end of its address, if there is one there.
fn target(address: &Multiaddr) -> Target {
    let mut address = address.clone();
    let peer_id = match address.pop() {
        Some(Protocol::P2p(peer_id)) => Some(peer_id),
        Some(other) => {
            address.push(other);
            None
        }
        None => None,
    };
    Target {
        peer: None,
        peer_id,
        address,
    }
}

fn config(options: &SoloOptions) -> Config {
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    let payee = options.owner.unwrap_or(Owner([0; 32]));
    Config {
        hashrate: options.hashrate,
        minimum_work: options.minimum_work,
        ..Config::new(options.agent.clone(), payee, epoch.unwrap_or(Duration::ZERO))
    }
}

#[cfg(test)]
mod tests;
