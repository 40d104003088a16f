//! The one protocol that nodes speak: on every connection, one long-lived stream in each direction.
//!
//! Each side opens a stream to write on and reads from the one that the other opened. A connection is of use once both are open; one on which
//! that takes too long, or whose peer does not speak the protocol or opens a second stream, is closed (THREATS P7, P11).

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use libp2p::PeerId;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::core::{Endpoint, Multiaddr};
use libp2p::swarm::handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
    NetworkBehaviour, Stream, StreamProtocol, StreamUpgradeError, SubstreamProtocol, THandlerInEvent, THandlerOutEvent,
    ToSwarm,
};
use tokio::time::{Sleep, sleep};

use super::Trouble;
use crate::limits::STREAMS_TIMEOUT;

/// A connection's two streams.
#[derive(Debug)]
pub(crate) struct Pair {
    /// Opened by us: written to.
    pub(crate) outbound: Stream,
    /// Opened by the peer: read from.
    pub(crate) inbound: Stream,
}

/// What becomes of a connection.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Both its streams are open.
    Opened(Opened),
    /// It is of no use, and is being closed.
    Useless {
        connection: ConnectionId,
        peer: PeerId,
        trouble: Trouble,
    },
}

/// Both streams of a connection are open.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) peer: PeerId,
    pub(crate) connection: ConnectionId,
    pub(crate) streams: Pair,
}

/// The behaviour. Its events are [`Outcome`]s.
#[derive(Debug)]
pub(crate) struct Behaviour {
    protocol: StreamProtocol,
    /// At most two entries per connection and event of it, taken at the next poll.
    events: VecDeque<ToSwarm<Outcome, Infallible>>,
}

impl Behaviour {
    pub(crate) const fn new(protocol: StreamProtocol) -> Self {
        Self {
            protocol,
            events: VecDeque::new(),
        }
    }

    fn handler(&self) -> Handler {
        Handler {
            protocol: self.protocol.clone(),
            is_asked: false,
            outbound: None,
            inbound: None,
            stage: Stage::Opening(Box::pin(sleep(STREAMS_TIMEOUT))),
        }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Outcome;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(self.handler())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(self.handler())
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        let outcome = match event {
            Told::Opened(streams) => Outcome::Opened(Opened {
                peer,
                connection,
                streams: *streams,
            }),
            Told::Useless(trouble) => {
                tracing::debug!(%peer, %trouble, "closing a connection");
                Outcome::Useless {
                    connection,
                    peer,
                    trouble,
                }
            }
        };
        let is_useless = matches!(outcome, Outcome::Useless { .. });
        self.events.push_back(ToSwarm::GenerateEvent(outcome));
        if is_useless {
            self.events.push_back(ToSwarm::CloseConnection {
                peer_id: peer,
                connection: CloseConnection::One(connection),
            });
        }
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Outcome, THandlerInEvent<Self>>> {
        self.events.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// One connection's side of the behaviour.
#[derive(Debug)]
pub(crate) struct Handler {
    protocol: StreamProtocol,
    is_asked: bool,
    outbound: Option<Stream>,
    inbound: Option<Stream>,
    stage: Stage,
}

/// What a handler tells its behaviour.
#[derive(Debug)]
pub(crate) enum Told {
    Opened(Box<Pair>),
    Useless(Trouble),
}

#[derive(Debug)]
enum Stage {
    /// Streams are being opened, until the timer says that it is enough.
    Opening(Pin<Box<Sleep>>),
    /// Both streams were handed over.
    Open,
    /// The connection is of no use, for a reason still to be told.
    Failed(Trouble),
    /// The reason was told, and the connection is being closed.
    Closing,
}

impl Handler {
    /// The first reason counts.
    fn fail(&mut self, trouble: Trouble) {
        if matches!(self.stage, Stage::Opening(_) | Stage::Open) {
            self.stage = Stage::Failed(trouble);
        }
    }

    fn took_inbound(&mut self, stream: Stream) {
        let is_second = self.inbound.is_some() || !matches!(self.stage, Stage::Opening(_));
        if is_second {
            self.fail(Trouble::Other("the peer opened a second stream".to_owned()));
        } else {
            self.inbound = Some(stream);
        }
    }

    fn streams(&mut self) -> Option<Pair> {
        if self.outbound.is_none() || self.inbound.is_none() {
            return None;
        }
        let (outbound, inbound) = (self.outbound.take()?, self.inbound.take()?);
        Some(Pair { outbound, inbound })
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Told;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ())
    }

    /// Only the node, or a failure, closes a connection.
    fn connection_keep_alive(&self) -> bool {
        true
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Self::ToBehaviour>> {
        if !self.is_asked {
            self.is_asked = true;
            let protocol = SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ());
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                protocol: protocol.with_timeout(STREAMS_TIMEOUT),
            });
        }
        if let Stage::Opening(timer) = &mut self.stage {
            if timer.as_mut().poll(cx).is_ready() {
                self.fail(Trouble::TooSlow);
            } else if let Some(streams) = self.streams() {
                self.stage = Stage::Open;
                let told = Told::Opened(Box::new(streams));
                return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(told));
            }
        }
        if let Stage::Failed(trouble) = &self.stage {
            let told = Told::Useless(trouble.clone());
            self.stage = Stage::Closing;
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(told));
        }
        Poll::Pending
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "libp2p's enum: the other events tell of addresses and of protocols other than ours"
    )]
    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) => {
                self.took_inbound(protocol);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, .. }) => {
                self.outbound = Some(protocol);
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => self.fail(match error {
                StreamUpgradeError::NegotiationFailed => Trouble::other_network(&self.protocol),
                StreamUpgradeError::Timeout => Trouble::TooSlow,
                StreamUpgradeError::Io(_) => Trouble::Closed,
                StreamUpgradeError::Apply(never) => match never {},
            }),
            _ => {}
        }
    }
}
