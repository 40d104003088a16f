//! A node's libp2p: TCP, Noise, Yamux, and connections that are open in both directions.
//!
//! All that is generic over the swarm is compiled here, once.

mod courtesies;
mod streams;
mod tcp;
mod trouble;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::num::NonZeroU8;
use std::time::Duration;

use chain::BlockId;
use futures::StreamExt;
use libp2p::allow_block_list::{self, BlockedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::transport::ListenerId;
use libp2p::core::upgrade::Version;
use libp2p::core::{ConnectedPoint, Transport as _};
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, NetworkBehaviour, StreamProtocol, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, SwarmBuilder, TransportError, identify, noise, ping, yamux};

pub(crate) use streams::Pair;
use tcp::Tcp;
pub use trouble::Trouble;

use crate::driver::Listen;
use crate::error::Error;
use crate::limits::{
    CONNECTION_TIMEOUT, MAX_CONNECTIONS_PER_PEER, MAX_NEGOTIATING_STREAMS, MAX_PENDING_INBOUND, MAX_PING_FAILURES,
    PING_INTERVAL, PING_TIMEOUT,
};

/// The protocol of the network with this genesis block, so that two networks never mix: `/nakanet/<first 8 hex digits>/1`.
pub(crate) fn protocol(genesis: BlockId) -> StreamProtocol {
    StreamProtocol::try_from_owned(format!("/nakanet/{}/1", genesis.0.leading())).expect("begins with a slash")
}

#[derive(NetworkBehaviour)]
#[behaviour(prelude = "libp2p::swarm::derive_prelude")]
struct Behaviour {
    limits: connection_limits::Behaviour,
    blocked: allow_block_list::Behaviour<BlockedPeers>,
    streams: streams::Behaviour,
    courtesies: courtesies::Behaviour,
}

/// What a [`Net`] is set up with.
#[derive(Debug)]
pub(crate) struct NetConfig {
    pub(crate) identity: Keypair,
    pub(crate) genesis: BlockId,
    pub(crate) agent: String,
    pub(crate) max_peers: u32,
    /// Of them, those that may have dialled this node.
    pub(crate) max_inbound: u32,
}

/// What happens to a node's connections.
#[derive(Debug)]
pub(crate) enum NetEvent {
    /// The node can be reached here.
    Listening(Multiaddr),
    /// It cannot be reached any more: the listening socket failed.
    Deaf(io::Error),
    /// A connection is open in both directions.
    Opened {
        peer: PeerId,
        connection: ConnectionId,
        /// Whether this node dialled.
        outbound: bool,
        streams: Box<Pair>,
    },
    /// A connection, opened or not, is gone.
    Closed { peer: PeerId, connection: ConnectionId },
    /// A peer answered a ping.
    Pinged { connection: ConnectionId, took: Duration },
    /// A dial reached this very node.
    DialedItself { connection: ConnectionId },
    /// A dial came to nothing.
    DialFailed { connection: ConnectionId, trouble: Trouble },
    /// A connection was of no use, and will be closed.
    Useless {
        peer: PeerId,
        connection: ConnectionId,
        /// Whether this node dialled.
        outbound: bool,
        trouble: Trouble,
    },
}

/// What is remembered of a connection.
#[derive(Debug)]
struct Known {
    outbound: bool,
    remote: Multiaddr,
    ping_failures: u32,
}

/// A node's connections.
pub(crate) struct Net {
    swarm: Swarm<Behaviour>,
    listener: Option<ListenerId>,
    /// Bounded by the connection limits.
    connections: BTreeMap<ConnectionId, Known>,
}

impl Net {
    pub(crate) fn new(config: NetConfig) -> Self {
        Self::over(Tcp::default(), config)
    }

    fn over(transport: Tcp, config: NetConfig) -> Self {
        Self {
            swarm: swarm(transport, config),
            listener: None,
            connections: BTreeMap::new(),
        }
    }

    /// One that listens; gives the address, with the real port.
    pub(crate) async fn open(config: NetConfig, listen: &Listen) -> Result<(Self, Multiaddr), Error> {
        match listen {
            Listen::At(address) => {
                let mut net = Self::new(config);
                let address = net.listen(address.clone()).await?;
                Ok((net, address))
            }
            Listen::On(listener) => {
                let listener = listener.try_clone().map_err(Error::Unheard)?;
                let (transport, address) = Tcp::on(listener).map_err(Error::Unheard)?;
                let mut net = Self::over(transport, config);
                let address = net.hear(address).await?;
                Ok((net, address))
            }
        }
    }

    pub(crate) fn peer_id(&self) -> PeerId {
        *self.swarm.local_peer_id()
    }

    /// Begins to listen; gives the address, with the real port.
    pub(crate) async fn listen(&mut self, address: Multiaddr) -> Result<Multiaddr, Error> {
        probe(&address).map_err(|source| Error::listen(address.clone(), source))?;
        self.hear(address).await
    }

    async fn hear(&mut self, address: Multiaddr) -> Result<Multiaddr, Error> {
        let listener = self.swarm.listen_on(address.clone()).map_err(|error| match error {
            TransportError::Other(source) => Error::listen(address.clone(), source),
            error @ TransportError::MultiaddrNotSupported(_) => Error::listen(address.clone(), io::Error::other(error)),
        })?;
        self.listener = Some(listener);
        loop {
            match self.next().await {
                NetEvent::Listening(address) => return Ok(address),
                NetEvent::Deaf(source) => return Err(Error::listen(address, source)),
                // On a well-known port a peer may be faster than the news of it. It dials again.
                NetEvent::Opened { connection, .. } => self.close(connection),
                NetEvent::Closed { .. }
                | NetEvent::Pinged { .. }
                | NetEvent::DialFailed { .. }
                | NetEvent::DialedItself { .. }
                | NetEvent::Useless { .. } => {}
            }
        }
    }

    /// Dials; the outcome is an event with this connection's id.
    ///
    /// Always from a fresh port: one that was just closed lingers in the kernel, and a redial from the listening port would fail on it.
    pub(crate) fn dial(&mut self, peer: Option<PeerId>, address: Multiaddr) -> Result<ConnectionId, Trouble> {
        let options = match peer {
            Some(peer) => DialOpts::peer_id(peer)
                .addresses(vec![address])
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .allocate_new_port()
                .build(),
            None => DialOpts::unknown_peer_id().address(address).allocate_new_port().build(),
        };
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => Ok(connection),
            Err(error) => Err(Trouble::of_dial(&error)),
        }
    }

    /// Where the other end of a connection is.
    pub(crate) fn remote(&self, connection: ConnectionId) -> Option<&Multiaddr> {
        self.connections.get(&connection).map(|known| &known.remote)
    }

    pub(crate) fn close(&mut self, connection: ConnectionId) {
        self.swarm.close_connection(connection);
    }

    /// Closes all connections to a peer, open or opening.
    pub(crate) fn disconnect(&mut self, peer: PeerId) {
        // An error says that there is none.
        let _none = self.swarm.disconnect_peer_id(peer);
    }

    /// Closes all connections to a peer and refuses new ones, until [`Net::unblock`].
    pub(crate) fn block(&mut self, peer: PeerId) {
        self.swarm.behaviour_mut().blocked.block_peer(peer);
        self.disconnect(peer);
    }

    pub(crate) fn unblock(&mut self, peer: PeerId) {
        self.swarm.behaviour_mut().blocked.unblock_peer(peer);
    }

    /// The next thing that happens. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> NetEvent {
        loop {
            let event = self.swarm.select_next_some().await;
            if let Some(event) = self.sort(event) {
                return event;
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "libp2p's enum: the other events are of no consequence here"
    )]
    fn sort(&mut self, event: SwarmEvent<BehaviourEvent>) -> Option<NetEvent> {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => Some(NetEvent::Listening(address)),
            SwarmEvent::ListenerClosed {
                reason: Err(error),
                listener_id,
                ..
            }
            | SwarmEvent::ListenerError { error, listener_id } => {
                (self.listener == Some(listener_id) && is_fatal(&error)).then_some(NetEvent::Deaf(error))
            }
            SwarmEvent::ConnectionEstablished {
                connection_id,
                endpoint,
                ..
            } => {
                let known = Known {
                    outbound: matches!(endpoint, ConnectedPoint::Dialer { .. }),
                    remote: endpoint.get_remote_address().clone(),
                    ping_failures: 0,
                };
                self.connections.insert(connection_id, known);
                None
            }
            SwarmEvent::ConnectionClosed {
                peer_id: peer,
                connection_id: connection,
                ..
            } => {
                self.connections.remove(&connection);
                Some(NetEvent::Closed { peer, connection })
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id: connection,
                error,
                ..
            } => Some(match error {
                DialError::LocalPeerId { .. } => NetEvent::DialedItself { connection },
                error => NetEvent::DialFailed {
                    connection,
                    trouble: Trouble::of_dial(&error),
                },
            }),
            SwarmEvent::Behaviour(BehaviourEvent::Streams(outcome)) => self.came_of(outcome),
            SwarmEvent::Behaviour(BehaviourEvent::Courtesies(ping)) => {
                self.count_ping(&ping);
                let (connection, took) = (ping.connection, ping.result.ok()?);
                Some(NetEvent::Pinged { connection, took })
            }
            _ => None,
        }
    }

    fn came_of(&self, outcome: streams::Outcome) -> Option<NetEvent> {
        let outbound = |connection| Some(self.connections.get(&connection)?.outbound);
        Some(match outcome {
            streams::Outcome::Opened(streams::Opened {
                peer,
                connection,
                streams,
            }) => NetEvent::Opened {
                peer,
                connection,
                outbound: outbound(connection)?,
                streams: Box::new(streams),
            },
            streams::Outcome::Useless {
                peer,
                connection,
                trouble,
            } => NetEvent::Useless {
                peer,
                connection,
                outbound: outbound(connection)?,
                trouble,
            },
        })
    }

    /// libp2p counts no failures and closes nothing: a peer whose machine is gone would stay for ever.
    fn count_ping(&mut self, ping: &ping::Event) {
        let Some(known) = self.connections.get_mut(&ping.connection) else {
            return;
        };
        known.ping_failures = if ping.result.is_ok() {
            0
        } else {
            known.ping_failures + 1
        };
        if known.ping_failures >= MAX_PING_FAILURES {
            tracing::debug!(peer = %ping.peer, "closing a connection whose pings go unanswered");
            self.close(ping.connection);
        }
    }
}

/// Whether a port is free. libp2p sets `SO_REUSEPORT`, with which the kernel lets two processes listen on one port and deals connections out
/// between them, so we ask without it before.
fn probe(address: &Multiaddr) -> io::Result<()> {
    let (mut host, mut port) = (None, 0);
    for part in address {
        if let Protocol::Ip4(ip) = part {
            host = Some(IpAddr::V4(ip));
        } else if let Protocol::Ip6(ip) = part {
            host = Some(IpAddr::V6(ip));
        } else if let Protocol::Tcp(number) = part {
            port = number;
        }
    }
    match host {
        Some(host) if port != 0 => TcpListener::bind((host, port)).map(drop),
        Some(_) | None => Ok(()),
    }
}

/// A peer that gives up while being accepted, or a lack of files for a moment, is no end of listening.
fn is_fatal(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    ) && !matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
}

/// Too many open files, in the process and in the system: the same number on every Unix.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

fn swarm(transport: Tcp, config: NetConfig) -> Swarm<Behaviour> {
    let NetConfig {
        identity,
        genesis,
        agent,
        max_peers,
        max_inbound,
    } = config;
    // One more than stays, so that it can be found out whether it is worth more than one of them.
    let max_incoming = max_inbound.saturating_add(1).saturating_mul(MAX_CONNECTIONS_PER_PEER);
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(MAX_PENDING_INBOUND))
        .with_max_established_incoming(Some(max_incoming))
        .with_max_established_outgoing(Some(max_peers.saturating_mul(MAX_CONNECTIONS_PER_PEER)))
        .with_max_established_per_peer(Some(MAX_CONNECTIONS_PER_PEER));
    // Nothing of what identify tells changes while a node runs, so it is told once per connection and never pushed.
    let identify = identify::Config::new(protocol(genesis).to_string(), identity.public())
        .with_agent_version(agent)
        .with_push_listen_addr_updates(false)
        .with_cache_size(0);
    let ping = ping::Config::new()
        .with_interval(PING_INTERVAL)
        .with_timeout(PING_TIMEOUT);
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        blocked: allow_block_list::Behaviour::default(),
        streams: streams::Behaviour::new(protocol(genesis)),
        courtesies: courtesies::Behaviour::new(identify, ping),
    };
    SwarmBuilder::with_existing_identity(identity)
        .with_tokio()
        .with_other_transport(|key| {
            let noise = noise::Config::new(key)?;
            let secured = transport.upgrade(Version::V1Lazy).authenticate(noise);
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(secured.multiplex(yamux::Config::default()))
        })
        .expect("an ed25519 identity signs a noise key")
        .with_behaviour(|_| behaviour)
        .expect("infallible")
        .with_swarm_config(|swarm| {
            swarm
                .with_max_negotiating_inbound_streams(MAX_NEGOTIATING_STREAMS)
                .with_dial_concurrency_factor(NonZeroU8::MIN)
        })
        .with_connection_timeout(CONNECTION_TIMEOUT)
        .build()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::limits::COURTESIES_DELAY;

    fn net() -> Net {
        Net::new(NetConfig {
            identity: Keypair::generate_ed25519(),
            genesis: BlockId::ZERO,
            agent: "/test/".to_owned(),
            max_peers: 2,
            max_inbound: 2,
        })
    }

    /// Lets two nodes talk until the first tells of its connection to the second, or of the end of it.
    async fn hear(a: &mut Net, b: &mut Net, is_it: fn(&NetEvent) -> bool) -> NetEvent {
        loop {
            tokio::select! {
                event = a.next() => if is_it(&event) { return event },
                _ = b.next() => {}
            }
        }
    }

    /// Two nodes of which the first has just dialled the second, and how it knows it.
    async fn connected() -> (Net, Net, PeerId, ConnectionId) {
        let (mut a, mut b) = (net(), net());
        let address = b.listen("/ip4/127.0.0.1/tcp/0".parse().unwrap()).await.unwrap();
        a.dial(None, address).unwrap();
        let opened = hear(&mut a, &mut b, |event| matches!(event, NetEvent::Opened { .. })).await;
        let NetEvent::Opened { peer, connection, .. } = opened else {
            unreachable!("just matched");
        };
        (a, b, peer, connection)
    }

    #[tokio::test]
    async fn pings_begin_when_a_connection_has_been_open_for_a_while() {
        let began = Instant::now();
        let (mut a, mut b, ..) = connected().await;
        hear(&mut a, &mut b, |event| matches!(event, NetEvent::Pinged { .. })).await;
        assert!(began.elapsed() >= COURTESIES_DELAY);
    }

    #[tokio::test]
    async fn a_peer_that_answers_no_ping_is_let_go_after_some_and_one_answer_begins_the_count_anew() {
        let (mut a, mut b, peer, connection) = connected().await;
        let ping = |result| ping::Event {
            peer,
            connection,
            result,
        };
        let failures = |net: &Net| net.connections[&connection].ping_failures;
        for _ in 1..MAX_PING_FAILURES {
            a.count_ping(&ping(Err(ping::Failure::Timeout)));
        }
        assert_eq!(failures(&a), MAX_PING_FAILURES - 1);
        a.count_ping(&ping(Ok(Duration::ZERO)));
        assert_eq!(failures(&a), 0);
        for _ in 0..MAX_PING_FAILURES {
            a.count_ping(&ping(Err(ping::Failure::Timeout)));
        }
        hear(&mut a, &mut b, |event| matches!(event, NetEvent::Closed { .. })).await;
    }
}
