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
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
    NetworkBehaviour, Stream, StreamProtocol, SubstreamProtocol, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use tokio::time::{Sleep, sleep};

use crate::limits::STREAMS_TIMEOUT;

/// A connection's two streams.
#[derive(Debug)]
pub(crate) struct Pair {
    /// Opened by us: written to.
    pub(crate) outbound: Stream,
    /// Opened by the peer: read from.
    pub(crate) inbound: Stream,
}

/// Both streams of a connection are open.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) peer: PeerId,
    pub(crate) connection: ConnectionId,
    pub(crate) streams: Pair,
}

/// The behaviour. Its only event is [`Opened`].
#[derive(Debug)]
pub(crate) struct Behaviour {
    protocol: StreamProtocol,
    /// At most one entry per connection and event of it, taken at the next poll.
    events: VecDeque<ToSwarm<Opened, Infallible>>,
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
    type ToSwarm = Opened;

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
        self.events.push_back(match event {
            Told::Opened(streams) => ToSwarm::GenerateEvent(Opened {
                peer,
                connection,
                streams: *streams,
            }),
            Told::Useless(reason) => {
                tracing::debug!(%peer, reason, "closing a connection");
                ToSwarm::CloseConnection {
                    peer_id: peer,
                    connection: CloseConnection::One(connection),
                }
            }
        });
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Opened, THandlerInEvent<Self>>> {
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
    Useless(&'static str),
}

#[derive(Debug)]
enum Stage {
    /// Streams are being opened, until the timer says that it is enough.
    Opening(Pin<Box<Sleep>>),
    /// Both streams were handed over.
    Open,
    /// The connection is of no use, for a reason still to be told.
    Failed(&'static str),
    /// The reason was told, and the connection is being closed.
    Closing,
}

impl Handler {
    /// The first reason counts.
    fn fail(&mut self, reason: &'static str) {
        if matches!(self.stage, Stage::Opening(_) | Stage::Open) {
            self.stage = Stage::Failed(reason);
        }
    }

    fn took_inbound(&mut self, stream: Stream) {
        let is_second = self.inbound.is_some() || !matches!(self.stage, Stage::Opening(_));
        if is_second {
            self.fail("the peer opened a second stream");
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
                self.fail("its streams were not open in time");
            } else if let Some(streams) = self.streams() {
                self.stage = Stage::Open;
                let told = Told::Opened(Box::new(streams));
                return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(told));
            }
        }
        if let Stage::Failed(reason) = self.stage {
            self.stage = Stage::Closing;
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(Told::Useless(reason)));
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
            ConnectionEvent::DialUpgradeError(_) => self.fail("the peer does not speak our protocol"),
            _ => {}
        }
    }
}
