//! libp2p's TCP, which can also be given a listening socket.
//!
//! Its own transport binds by address. A node of a run is handed a socket that was bound before it started ([`crate::port`]); dialling, and
//! listening on any other address, stay as they are.

use std::io;
use std::net::{self, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::{Ready, ok};
use libp2p::core::Transport;
use libp2p::core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::{Multiaddr, tcp};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

use crate::error::multiaddr;

/// How long nothing is accepted after that has failed, for lack of files say: as libp2p does.
const PAUSE: Duration = Duration::from_millis(100);

type Event = TransportEvent<<Tcp as Transport>::ListenerUpgrade, io::Error>;

/// TCP.
pub(super) struct Tcp {
    own: tcp::tokio::Transport,
    handed: Option<Handed>,
}

/// A socket that somebody else has bound.
struct Handed {
    listener: TcpListener,
    address: SocketAddr,
    /// Who listens with it; nobody at first.
    id: Option<ListenerId>,
    is_told: bool,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Default for Tcp {
    fn default() -> Self {
        Self {
            own: tcp::tokio::Transport::new(tcp::Config::default().nodelay(true)),
            handed: None,
        }
    }
}

impl Tcp {
    /// One that listens with this socket, which does not block, when it is told to listen at the address that is given back.
    pub(super) fn on(listener: net::TcpListener) -> io::Result<(Self, Multiaddr)> {
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let handed = Handed {
            listener,
            address,
            id: None,
            is_told: false,
            pause: None,
        };
        let transport = Self {
            handed: Some(handed),
            ..Self::default()
        };
        Ok((transport, multiaddr(address)))
    }
}

impl Transport for Tcp {
    type Output = tcp::tokio::TcpStream;
    type Error = io::Error;
    type ListenerUpgrade = Ready<io::Result<Self::Output>>;
    type Dial = <tcp::tokio::Transport as Transport>::Dial;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        match &mut self.handed {
            Some(handed) if handed.id.is_none() && multiaddr(handed.address) == address => {
                handed.id = Some(id);
                Ok(())
            }
            Some(_) | None => self.own.listen_on(id, address),
        }
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        match &self.handed {
            Some(handed) if handed.id == Some(id) => {
                self.handed = None;
                true
            }
            Some(_) | None => self.own.remove_listener(id),
        }
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        self.own.dial(address, options)
    }

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Event> {
        if let Some(handed) = &mut self.handed
            && let Poll::Ready(event) = handed.poll(context)
        {
            return Poll::Ready(event);
        }
        Pin::new(&mut self.own).poll(context)
    }
}

impl Handed {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        let Some(listener_id) = self.id else {
            return Poll::Pending;
        };
        if !self.is_told {
            self.is_told = true;
            return Poll::Ready(TransportEvent::NewAddress {
                listener_id,
                listen_addr: multiaddr(self.address),
            });
        }
        if let Some(pause) = &mut self.pause {
            std::task::ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        Poll::Ready(match std::task::ready!(self.listener.poll_accept(context)) {
            Ok((stream, from)) => incoming(listener_id, stream, (self.address, from)),
            Err(error) => {
                self.pause = Some(Box::pin(sleep(PAUSE)));
                TransportEvent::ListenerError { listener_id, error }
            }
        })
    }
}

fn incoming(listener_id: ListenerId, stream: TcpStream, (to, from): (SocketAddr, SocketAddr)) -> Event {
    // One that is gone already is noticed by whoever reads from it.
    let _gone = stream.set_nodelay(true);
    TransportEvent::Incoming {
        listener_id,
        upgrade: ok(tcp::tokio::TcpStream(stream)),
        local_addr: multiaddr(to),
        send_back_addr: multiaddr(from),
    }
}
