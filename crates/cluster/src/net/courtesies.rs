//! What peers tell each other beside what they are there for: identify and ping. It comes later.
//!
//! Opening its four streams on a connection takes as long as all the rest but the handshake's arithmetic. Where many connections come up at once,
//! blocks need not wait for that. A peer that begins with it is answered at once.

use std::pin::Pin;
use std::task::{Context, Poll};

use libp2p::core::transport::PortUse;
use libp2p::core::{Endpoint, Multiaddr};
use libp2p::swarm::handler::ConnectionEvent;
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
    SubstreamProtocol, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{PeerId, identify, ping};
use tokio::time::{Sleep, sleep};

use crate::limits::COURTESIES_DELAY;

/// The behaviours.
#[derive(NetworkBehaviour)]
#[behaviour(prelude = "libp2p::swarm::derive_prelude")]
pub(super) struct Both {
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

type BothHandler = <Both as NetworkBehaviour>::ConnectionHandler;

/// Both of them, later. Its events are those of pings.
pub(super) struct Behaviour(Both);

impl Behaviour {
    pub(super) fn new(identify: identify::Config, ping: ping::Config) -> Self {
        Self(Both {
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::new(ping),
        })
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = ping::Event;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        let handler = self
            .0
            .handle_established_inbound_connection(connection, peer, local, remote);
        handler.map(Handler::new)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        let handler = self
            .0
            .handle_established_outbound_connection(connection, peer, address, role, port);
        handler.map(Handler::new)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.0.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.0.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<ping::Event, THandlerInEvent<Self>>> {
        loop {
            return match self.0.poll(cx) {
                Poll::Ready(ToSwarm::GenerateEvent(BothEvent::Identify(_))) => continue,
                Poll::Ready(event) => Poll::Ready(event.map_out(|event| match event {
                    BothEvent::Ping(event) => event,
                    BothEvent::Identify(_) => unreachable!("just looked at"),
                })),
                Poll::Pending => Poll::Pending,
            };
        }
    }
}

/// One connection's side of them.
pub(super) struct Handler {
    both: BothHandler,
    /// Until it is time.
    wait: Option<Pin<Box<Sleep>>>,
}

impl Handler {
    fn new(both: BothHandler) -> Self {
        Self {
            both,
            wait: Some(Box::pin(sleep(COURTESIES_DELAY))),
        }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = <BothHandler as ConnectionHandler>::FromBehaviour;
    type ToBehaviour = <BothHandler as ConnectionHandler>::ToBehaviour;
    type InboundProtocol = <BothHandler as ConnectionHandler>::InboundProtocol;
    type OutboundProtocol = <BothHandler as ConnectionHandler>::OutboundProtocol;
    type InboundOpenInfo = <BothHandler as ConnectionHandler>::InboundOpenInfo;
    type OutboundOpenInfo = <BothHandler as ConnectionHandler>::OutboundOpenInfo;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol, Self::InboundOpenInfo> {
        self.both.listen_protocol()
    }

    fn connection_keep_alive(&self) -> bool {
        self.both.connection_keep_alive()
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Self::ToBehaviour>> {
        if let Some(wait) = &mut self.wait {
            if wait.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.wait = None;
        }
        self.both.poll(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::ToBehaviour>> {
        self.both.poll_close(cx)
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        self.both.on_behaviour_event(event);
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<
            '_,
            Self::InboundProtocol,
            Self::OutboundProtocol,
            Self::InboundOpenInfo,
            Self::OutboundOpenInfo,
        >,
    ) {
        if let ConnectionEvent::FullyNegotiatedInbound(_) = event {
            self.wait = None;
        }
        self.both.on_connection_event(event);
    }
}
