//! Ports that are held for nodes as long as a run lives, whether the nodes are up or down.
//!
//! The engine binds each once, before anything starts, and hands a node that starts the listening socket itself. While a node is down its
//! socket stays bound and does not listen: whoever dials it is refused at once, and nobody else can take the port, as which the node comes
//! back. Held alone: without `SO_REUSEPORT`, with which another program of the same user could listen beside it.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener};

use base::NodeId;
use scenario::Plan;
use socket2::{Domain, Socket, Type};

use crate::Error;
use crate::limits::LISTEN_BACKLOG;

/// Where the nodes of a run listen on this machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PortRange {
    /// The port of the first node; the others have those that follow. 0 takes free ones.
    pub first: u16,
}

impl PortRange {
    /// Ports that are free.
    pub const FREE: Self = Self { first: 0 };

    /// The port of each of so many nodes, in order.
    fn of(self, nodes: usize) -> Result<Vec<u16>, Error> {
        if self.first == 0 {
            return Ok(vec![0; nodes]);
        }
        let last = usize::from(self.first) + nodes.saturating_sub(1);
        match u16::try_from(last) {
            Ok(last) => Ok((self.first..=last).take(nodes).collect()),
            Err(_) => Err(Error::PortsEnd {
                nodes,
                first: self.first,
            }),
        }
    }

    const fn overlaps(self, other: Self, nodes: usize) -> bool {
        self.first != 0 && other.first != 0 && (self.first.abs_diff(other.first) as usize) < nodes
    }
}

/// One port of 127.0.0.1.
#[derive(Debug)]
struct Port {
    socket: Socket,
    address: SocketAddr,
}

impl Port {
    fn hold(port: u16) -> io::Result<Self> {
        // A port that the system chose is let go of with the last listening, so it is bound again by its number before the choice is forgotten.
        let choice = if port == 0 { Some(bind(0)?) } else { None };
        let port = match &choice {
            Some((_, address)) => address.port(),
            None => port,
        };
        let (socket, address) = bind(port)?;
        drop(choice);
        let held = Self { socket, address };
        // Who else is bound there, and does not listen, is found out only so.
        held.listen()?;
        held.close();
        Ok(held)
    }

    /// Lets connections come; gives a handle of the socket to whoever accepts them.
    fn open(&self) -> io::Result<TcpListener> {
        self.listen()?;
        Ok(self.socket.try_clone()?.into())
    }

    fn listen(&self) -> io::Result<()> {
        // For the connections of the node's last life, which linger in the kernel and have this address too.
        self.socket.set_reuse_address(true)?;
        self.socket.listen(LISTEN_BACKLOG)
    }

    /// Refuses connections from now on, and those that nobody has accepted. The port stays taken.
    fn close(&self) {
        // A socket that does not listen is shared with all that say so; a listening one with nobody.
        let alone = self.socket.set_reuse_address(false);
        // Linux stops listening and stays bound. Elsewhere it may go on to listen, and who dials waits until the node is back.
        let closed = self.socket.shutdown(Shutdown::Read);
        if let Err(error) = alone.and(closed) {
            tracing::debug!(address = %self.address, %error, "cannot stop listening");
        }
    }
}

fn bind(port: u16) -> io::Result<(Socket, SocketAddr)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let address = socket.local_addr()?.as_socket();
    Ok((
        socket,
        address.ok_or_else(|| io::Error::other("an address that is none"))?,
    ))
}

/// What a node accepts connections on.
#[derive(Debug)]
pub(crate) struct Listeners {
    /// Those of peers.
    pub(crate) peers: TcpListener,
    /// Those of other people's tools, if they may ask.
    pub(crate) rpc: Option<TcpListener>,
}

/// The ports of all nodes of a run.
#[derive(Debug)]
pub(crate) struct Ports {
    peers: Vec<Port>,
    /// As many, or none.
    rpc: Vec<Port>,
}

impl Ports {
    /// Takes them all.
    ///
    /// # Errors
    /// When one is not to be had: the node that it is for, and the port.
    pub(crate) fn hold(plan: &Plan, peers: PortRange, rpc: Option<PortRange>) -> Result<Self, Error> {
        let nodes = plan.nodes.len();
        if let Some(rpc) = rpc
            && peers.overlaps(rpc, nodes)
        {
            return Err(Error::PortsOverlap {
                nodes,
                peers: peers.first,
                rpc: rpc.first,
            });
        }
        let hold = |range: PortRange, refused: fn(SocketAddr, io::Error) -> Error| {
            let ports = plan.node_ids().zip(range.of(nodes)?);
            let held = ports.map(|(node, port)| {
                Port::hold(port).map_err(|source| Error::Node {
                    name: plan.name_of(node).to_owned(),
                    source: Box::new(refused(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), source)),
                })
            });
            held.collect::<Result<Vec<Port>, Error>>()
        };
        let hold_rpc = || rpc.map_or_else(|| Ok(Vec::new()), |range| hold(range, Error::rpc));
        // Those with a number first, or the system might choose one of them for another node.
        if peers == PortRange::FREE {
            let rpc = hold_rpc()?;
            let peers = hold(peers, Error::listen_at)?;
            return Ok(Self { peers, rpc });
        }
        let peers = hold(peers, Error::listen_at)?;
        Ok(Self {
            peers,
            rpc: hold_rpc()?,
        })
    }

    /// Lets connections to a node come.
    pub(crate) fn open(&self, node: NodeId) -> io::Result<Listeners> {
        let rpc = self.rpc.get(node.index());
        Ok(Listeners {
            peers: self.peers[node.index()].open()?,
            rpc: rpc.map(Port::open).transpose()?,
        })
    }

    /// Refuses connections to a node that is down.
    pub(crate) fn close(&self, node: NodeId) {
        let ports = [self.peers.get(node.index()), self.rpc.get(node.index())];
        ports.into_iter().flatten().for_each(Port::close);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read};
    use std::net::TcpStream;

    use super::*;

    /// Whether nobody else gets the port, however they ask for it.
    fn is_ours(port: &Port) -> bool {
        [(false, false), (true, false), (false, true), (true, true)]
            .into_iter()
            .all(|(address, port_too)| {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                socket.set_reuse_address(address).unwrap();
                socket.set_reuse_port(port_too).unwrap();
                let bound = socket.bind(&port.address.into());
                bound.and_then(|()| socket.listen(1)).is_err()
            })
    }

    fn plan() -> Plan {
        let text = "[network]\nnodes = 3\n[steps]\nrun = [ { mine = 1, on = \"n0\" } ]";
        scenario::parse("ports.toml", text, &scenario::Overrides::default()).unwrap()
    }

    #[test]
    fn a_port_stays_the_same_and_is_nobody_elses_while_its_node_comes_and_goes() {
        let port = Port::hold(0).unwrap();
        assert!(is_ours(&port));
        for _ in 0..3 {
            let listener = port.open().unwrap();
            assert!(is_ours(&port));
            let mut accepted = TcpStream::connect(port.address).unwrap();
            let mut waiting = TcpStream::connect(port.address).unwrap();
            listener.set_nonblocking(false).unwrap();
            // Whoever hangs up first has a connection that lingers: the node.
            drop(listener.accept().unwrap());
            assert_eq!(accepted.read(&mut [0]).unwrap(), 0);
            drop(listener);

            port.close();
            assert!(is_ours(&port));
            assert_eq!(waiting.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
            let refused = TcpStream::connect(port.address).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        }
        let address = port.address;
        drop(port);
        assert_eq!(
            Port::hold(address.port()).unwrap().address,
            address,
            "in the next run too"
        );
    }

    #[test]
    fn a_port_that_is_taken_is_named_with_the_node_that_it_is_for() {
        // Below all that the system gives away by itself: nobody is given one of them meanwhile.
        let are_free = |number: &u16| (number - 1..=number + 1).all(|number| Port::hold(number).is_ok());
        let number = (20_001..30_000).find(are_free).expect("three in a row");
        let _taken = Port::hold(number).unwrap();
        let first = PortRange { first: number - 1 };
        let error = Ports::hold(&plan(), first, None).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "node n1: port {number} of /ip4/127.0.0.1/tcp/{number} is in use; stop whoever listens there, or choose another port \
                 (0 takes any free one)"
            )
        );
        let error = Ports::hold(&plan(), PortRange::FREE, Some(first)).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with(&format!("node n1: port {number} is in use")),
            "{error}"
        );
        // All others have been let go of.
        let before = Port::hold(number - 1).unwrap();
        assert_eq!(before.address.port(), number - 1);
    }

    #[test]
    fn ports_that_do_not_exist_or_are_meant_twice_are_refused() {
        let at = |first| PortRange { first };
        let error = Ports::hold(&plan(), at(65_534), None).unwrap_err().to_string();
        assert_eq!(error, "3 nodes from port 65534 on would need ports above 65535");
        let error = Ports::hold(&plan(), at(9_000), Some(at(9_002)))
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "the ports of 3 nodes from 9000 on and of their interfaces from 9002 on overlap; keep them 3 apart"
        );
    }
}
