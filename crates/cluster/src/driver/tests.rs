//! Drivers against each other and against peers that misbehave, over real connections.

mod crowds;
mod full_disk;
mod hostile;
mod limits;
mod raw;
mod restoring;

use std::sync::Arc;
use std::time::Duration;

use base::Seed;
use chain::{Height, Params};
use futures::AsyncWriteExt;
use gossip::Message;
use gossip::wire;
use libp2p::PeerId;
use libp2p::identity::Keypair;
use libp2p::swarm::ConnectionId;
use node::{Command, Config, Event};
use scenario::Conditions;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::directory::Register;
use super::turnstile::Gate;
use super::*;
use crate::net::Pair;
use crate::{Hasher, identity};

const PATIENCE: Duration = Duration::from_secs(60);

/// A running node and what it told.
struct Rig {
    folder: TempDir,
    params: Params,
    genesis: chain::BlockId,
    key: PeerId,
    address: Multiaddr,
    control: mpsc::Sender<Control>,
    told: mpsc::Receiver<Told>,
    task: JoinHandle<Result<Exit, Error>>,
}

fn config(name: &str) -> Config {
    let epoch = Duration::from_secs(u64::from(Params::instant().genesis_time));
    Config::new(name, chain::Owner([1; 32]), epoch)
}

/// Where a node takes its orders from, and where it tells.
type Lines = (mpsc::Sender<Control>, mpsc::Receiver<Told>);

/// What a node is set up with, but for the change.
fn setup(number: u32, hasher: &Hasher, clock: Clock, change: impl FnOnce(&mut Setup)) -> (Setup, TempDir, Lines) {
    let seed = Seed::from_number(u64::from(number));
    let folder = tempfile::tempdir().unwrap();
    let (control, orders) = mpsc::channel(100);
    let (tell, told) = mpsc::channel(10_000);
    let mut setup = Setup {
        id: NodeId(0),
        config: config("/test/"),
        params: Params::instant(),
        seed,
        clock,
        folder: folder.path().to_owned(),
        reserve: None,
        identity: identity::planned(&seed, NodeId(0)),
        listen: Listen::At("/ip4/127.0.0.1/tcp/0".parse().unwrap()),
        max_peers: 10,
        max_inbound: 10,
        directory: Directory::Open(Register::default()),
        links: Links {
            seed,
            usual: Conditions::default(),
            set: Vec::new(),
        },
        severed: Vec::new(),
        seat: hasher.seat(NodeId(number)),
        gate: Gate::default(),
        control: orders,
        rpc: None,
        told: tell,
        complaints: None,
    };
    change(&mut setup);
    (setup, folder, (control, told))
}

impl Rig {
    async fn start(number: u32, hasher: &Hasher, clock: Clock) -> Self {
        Self::start_with(number, hasher, clock, |_| {}).await
    }

    /// One that is set up otherwise.
    async fn start_with(number: u32, hasher: &Hasher, clock: Clock, change: impl FnOnce(&mut Setup)) -> Self {
        let (setup, folder, (control, told)) = setup(number, hasher, clock, change);
        let (params, key) = (setup.params.clone(), setup.identity.public().to_peer_id());
        let (driver, address) = Driver::start(setup).await.unwrap();
        Self {
            folder,
            genesis: params.genesis_block().id(),
            params,
            key,
            address,
            control,
            told,
            task: tokio::spawn(driver.run()),
        }
    }

    fn target(&self, is_key_known: bool) -> Target {
        Target {
            peer: None,
            peer_id: is_key_known.then_some(self.key),
            address: self.address.clone(),
        }
    }

    async fn order(&self, control: Control) {
        self.control.send(control).await.unwrap();
    }

    /// Waits until the node tells of this.
    async fn until(&mut self, what: &str, is_it: impl Fn(&Event) -> bool) {
        let waiting = async {
            while let Some(told) = self.told.recv().await {
                if let RunEvent::Node { event, .. } = told.event
                    && is_it(&event)
                {
                    return;
                }
            }
            panic!("the node ended before {what}");
        };
        assert!(timeout(PATIENCE, waiting).await.is_ok(), "never {what}");
    }

    async fn until_connected(&mut self) {
        self.until("connected", |event| matches!(event, Event::PeerConnected { .. }))
            .await;
    }

    async fn until_disconnected(&mut self) {
        self.until("disconnected", |event| matches!(event, Event::PeerDisconnected { .. }))
            .await;
    }

    async fn until_height(&mut self, height: u32) {
        self.until(
            "at that height",
            |event| matches!(event, Event::TipChanged { new, .. } if new.height == Height(height)),
        )
        .await;
    }

    async fn stop(self) -> TempDir {
        self.order(Control::Stop).await;
        assert_eq!(self.task.await.unwrap().unwrap(), Exit::Stopped);
        self.folder
    }
}

fn hasher() -> (Hasher, Clock) {
    let clock = Clock::start();
    (Hasher::start(clock), clock)
}

/// Whichever of the two connections stays, both sides must come to talk on the same one, and do so from then on.
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_dial_each_other_at_once_talk_on_one_connection() {
    let (hasher, clock) = hasher();
    for round in 0..10 {
        let mut a = Rig::start(2 * round, &hasher, clock).await;
        let mut b = Rig::start(2 * round + 1, &hasher, clock).await;
        a.order(Control::Want(b.target(round % 2 == 0))).await;
        b.order(Control::Want(a.target(round % 2 == 0))).await;
        a.until_connected().await;
        b.until_connected().await;
        for height in [1, 2] {
            a.order(Control::Command(Command::Generate { blocks: 1 })).await;
            b.until_height(height).await;
        }
        b.order(Control::Command(Command::Generate { blocks: 1 })).await;
        a.until_height(3).await;
        a.stop().await;
        b.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_severed_link_stays_down_from_both_sides_until_it_is_mended() {
    let (hasher, clock) = hasher();
    let mut a = Rig::start(0, &hasher, clock).await;
    let mut b = Rig::start(1, &hasher, clock).await;
    a.order(Control::Want(b.target(true))).await;
    a.until_connected().await;
    b.until_connected().await;

    // Only the side that is dialled severs: the other keeps dialling, in vain.
    b.order(Control::Sever(NodeId(1))).await;
    a.until_disconnected().await;
    b.until_disconnected().await;
    a.order(Control::Command(Command::Generate { blocks: 1 })).await;
    a.until_height(1).await;

    b.order(Control::Mend(NodeId(1))).await;
    b.until_connected().await;
    b.until_height(1).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_p15_a_node_that_is_told_to_dial_itself_goes_on() {
    let (hasher, clock) = hasher();
    let mut a = Rig::start(0, &hasher, clock).await;
    a.order(Control::Want(a.target(false))).await;
    let mut b = Rig::start(1, &hasher, clock).await;
    b.order(Control::Want(a.target(false))).await;
    a.until_connected().await;
    b.until_connected().await;
    a.stop().await;
    b.stop().await;
}

/// A peer that speaks libp2p and our protocol, and then whatever it likes.
async fn dial_raw(node: &Rig) -> (Net, Box<Pair>, ConnectionId) {
    crate::testing::dial(node.address.clone(), node.genesis).await
}

async fn assert_dropped(net: &mut Net, expected: ConnectionId) {
    let closing = async {
        loop {
            if let NetEvent::Closed { connection, .. } = net.next().await {
                assert_eq!(connection, expected);
                return;
            }
        }
    };
    assert!(timeout(PATIENCE, closing).await.is_ok(), "still connected");
}

/// THREATS P1 and P2.
#[tokio::test(flavor = "multi_thread")]
async fn threat_p1_p2_a_peer_that_sends_garbage_or_too_much_is_blamed_and_dropped() {
    let (hasher, clock) = hasher();
    let mut node = Rig::start(0, &hasher, clock).await;
    let oversize = u32::MAX.to_le_bytes().to_vec();
    let garbage = [&16_u32.to_le_bytes()[..], &[0xff; 16]].concat();
    for bytes in [oversize, garbage] {
        let (mut net, mut streams, connection) = dial_raw(&node).await;
        streams.outbound.write_all(&bytes).await.unwrap();
        streams.outbound.flush().await.unwrap();
        node.until("blamed", |event| matches!(event, Event::PeerPenalised { .. }))
            .await;
        assert_dropped(&mut net, connection).await;
    }
    node.stop().await;
}

/// Before the handshake only short messages are read.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_message_before_the_handshake_is_refused() {
    let (hasher, clock) = hasher();
    let mut node = Rig::start(0, &hasher, clock).await;
    let (mut net, mut streams, connection) = dial_raw(&node).await;
    let header = Params::instant().genesis_block().header;
    let frame = wire::frame(&Message::headers(vec![header; 100]));
    streams.outbound.write_all(&frame).await.unwrap();
    streams.outbound.flush().await.unwrap();
    node.until("blamed", |event| matches!(event, Event::PeerPenalised { .. }))
        .await;
    assert_dropped(&mut net, connection).await;
    node.stop().await;
}

/// THREATS P7: one stream per direction is the protocol, so a peer of another network, which has none, is of no use.
#[tokio::test(flavor = "multi_thread")]
async fn threat_p15_a_peer_of_another_network_gets_no_connection() {
    let (hasher, clock) = hasher();
    let node = Rig::start(0, &hasher, clock).await;
    let mut stranger = Net::new(NetConfig {
        identity: Keypair::generate_ed25519(),
        genesis: chain::BlockId(base::Hash([9; 32])),
        agent: "/other/".to_owned(),
        max_peers: 10,
        max_inbound: 10,
    });
    let dialed = stranger.dial(None, node.address.clone()).unwrap();
    assert_dropped(&mut stranger, dialed).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_d8_a_taken_port_is_named() {
    let (hasher, clock) = hasher();
    let node = Rig::start(0, &hasher, clock).await;
    let mut other = Net::new(NetConfig {
        identity: Keypair::generate_ed25519(),
        genesis: Params::instant().genesis_block().id(),
        agent: "/late/".to_owned(),
        max_peers: 10,
        max_inbound: 10,
    });
    let error = other.listen(node.address.clone()).await.unwrap_err();
    let Error::PortInUse { port, address } = error else {
        panic!("{error}");
    };
    assert_eq!(address, node.address);
    assert!(node.address.to_string().ends_with(&format!("/tcp/{port}")));
    node.stop().await;
}

/// A block found here is on disk before anybody hears of it: a kill right after its announcement loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn threat_d1_a_kill_right_after_an_announcement_loses_no_own_block() {
    let (hasher, clock) = hasher();
    let mut a = Rig::start(0, &hasher, clock).await;
    let mut b = Rig::start(1, &hasher, clock).await;
    a.order(Control::Want(b.target(true))).await;
    a.until_connected().await;
    b.until_connected().await;
    a.order(Control::Command(Command::Generate { blocks: 1 })).await;
    b.until("heard of it", |event| matches!(event, Event::HeaderAccepted { .. }))
        .await;
    a.order(Control::Kill).await;
    assert_eq!(a.task.await.unwrap().unwrap(), Exit::Killed);
    let genesis = Params::instant().genesis_block().id();
    let store = Store::open(a.folder.path(), genesis).unwrap();
    assert_eq!(store.restore(|_| {}).unwrap(), 1);
    b.stop().await;
}
