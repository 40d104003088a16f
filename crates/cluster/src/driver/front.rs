//! The interface's desk: what other people's tools ask of the node and order it to do.

mod bans;
mod network;

use std::mem::take;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::NodeId;
use chain::{Block, BlockId, Header, Owner, TxOutput};
use gossip::{Message, wire};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};
use node::event::TipRef;
use node::{Command, Event, Input, Output};
use rpc::desk::{Mine, Mined};
use rpc::limits::{MAX_BLOCKS_PER_COMMIT, MAX_WAITING, QUICK_SEARCH};
use rpc::network::{Connection, Network};
use rpc::{Bound, Desk, Request, Scene, Server};
use tokio::sync::oneshot;

pub(super) use bans::Bans;

use super::{Driver, Exit, Interface};
use crate::Error;
use crate::limits::MAX_UNSAVED_BYTES;
use crate::store::Store;

/// The interface, its desk, and what it is told of connections.
#[derive(Debug)]
pub(crate) struct Front {
    desk: Desk,
    server: Server,
    pub(super) network: Network,
    is_closed: bool,
}

/// An order to the node, and who waits for what it tells.
type Order = (Command, oneshot::Sender<Vec<Event>>);

impl Front {
    /// The next request; never once nobody can ask any more.
    pub(super) async fn next(&mut self) -> Request {
        if !self.is_closed
            && let Some(request) = self.desk.next().await
        {
            return request;
        }
        self.is_closed = true;
        std::future::pending().await
    }

    /// From now on whoever gives an order is told why it is not carried out; with none, orders are taken again.
    pub(super) fn refuse_orders(&mut self, why: Option<String>) {
        self.network.trouble.clone_from(&why);
        self.desk.refuse_orders(why);
    }

    pub(super) async fn close(self) {
        // What waits at the desk is told first that nobody will answer.
        drop(self.desk);
        self.server.close().await;
    }
}

/// Takes the interface's port, when there is to be one.
pub(super) async fn take_port(interface: Option<Interface>) -> Result<Option<Bound>, Error> {
    Ok(match interface {
        None => None,
        Some(Interface::At(options)) => {
            let address = options.listen;
            let bound = Bound::take(options).await;
            Some(bound.map_err(|source| Error::rpc(address, source))?)
        }
        Some(Interface::On(listener)) => Some(Bound::on(listener).map_err(Error::Unheard)?),
    })
}

impl Driver {
    /// Begins to answer.
    pub(super) async fn open_front(&mut self, bound: Bound, folder: PathBuf, listens: &Multiaddr) -> Result<(), Error> {
        let address = bound.address();
        let (desk, clerk) = Desk::new(self.tip());
        let database = folder.join(Store::FILE);
        let server = bound
            .open(clerk, (folder, database))
            .map_err(|source| Error::rpc(address, source))?;
        self.front = Some(Front {
            desk,
            server,
            network: Network {
                peer_id: self.net.peer_id().to_string(),
                listens: listens.to_string(),
                bans: self.bans.list.clone(),
                ..Network::default()
            },
            is_closed: false,
        });
        self.complain(super::Complaint::Serving { address });
        Ok(())
    }

    fn tip(&self) -> TipRef {
        let tip = self.node.view().tip();
        TipRef {
            block: self.ledger.id(tip),
            height: self.ledger.height(tip),
            chain_work: self.ledger.work(tip),
        }
    }

    /// Serves a request. Orders that wait behind an order are carried out with it, so that all their blocks go to disk in one commit.
    pub(super) async fn serve(&mut self, first: Request) -> Result<Option<Exit>, Error> {
        let mut orders: Vec<Order> = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(request) = next.take() {
            match request {
                Request::Command(command, reply) => {
                    bytes += size(&command);
                    orders.push((command, reply));
                    if orders.len() < MAX_WAITING && bytes < MAX_UNSAVED_BYTES {
                        next = self.front.as_mut().and_then(|front| front.desk.next_waiting());
                    }
                }
                other @ (Request::Look(_)
                | Request::Examine(..)
                | Request::Propose(..)
                | Request::Mine(..)
                | Request::Network(..)
                | Request::Stop) => {
                    self.obey_together(take(&mut orders)).await?;
                    return self.serve_alone(other).await;
                }
            }
        }
        self.obey_together(orders).await.map(|()| None)
    }

    pub(super) async fn serve_alone(&mut self, request: Request) -> Result<Option<Exit>, Error> {
        let now = self.clock.now();
        match request {
            Request::Look(look) => {
                if let Some(front) = &self.front {
                    look(&Scene {
                        node: self.node.view(),
                        ledger: &self.ledger,
                        now,
                        network: &front.network,
                    });
                }
            }
            Request::Examine(transaction, reply) => {
                // A client that is gone wants no answer.
                let _gone = reply.send(self.node.examine(&mut self.ledger, now, &transaction));
            }
            Request::Propose(block, reply) => {
                let _gone = reply.send(self.node.propose(&mut self.ledger, now, &block));
            }
            Request::Mine(mine, reply) => {
                let mined = self.mine(mine).await?;
                let _gone = reply.send(mined);
            }
            Request::Network(order, reply) => {
                let done = self.order_network(order).await;
                self.catch_up().await?;
                let _gone = reply.send(done);
            }
            Request::Stop => return Ok(Some(Exit::Stopped)),
            Request::Command(command, reply) => self.obey_together(vec![(command, reply)]).await?,
        }
        Ok(None)
    }

    /// Hands orders to the node one after the other, carries out all that follows, and then tells each client what the node told.
    async fn obey_together(&mut self, orders: Vec<Order>) -> Result<(), Error> {
        if orders.is_empty() {
            return Ok(());
        }
        self.catch_up().await?;
        let mut outputs = Vec::new();
        let mut answers = Vec::new();
        for (command, reply) in orders {
            let first = outputs.len();
            let now = self.clock.now();
            self.node
                .handle(&mut self.ledger, now, Input::Command(command), &mut outputs);
            let told = outputs[first..].iter().filter_map(|output| {
                if let Output::Emit(event) = output {
                    Some(event.as_ref().clone())
                } else {
                    None
                }
            });
            answers.push((reply, told.collect()));
        }
        self.carry_out_together(outputs).await?;
        for (reply, told) in answers {
            let _gone = reply.send(told);
        }
        Ok(())
    }

    /// Mines blocks one on top of the other, as long as their nonces are found quickly, and brings them to disk in one commit.
    async fn mine(&mut self, mine: Mine) -> Result<Mined, Error> {
        self.catch_up().await?;
        let mut mined = Mined::default();
        let mut outputs = Vec::new();
        let most = MAX_BLOCKS_PER_COMMIT.min(mine.blocks as usize);
        while mined.blocks.len() < most {
            let extra_nonce = mine.extra_nonce.wrapping_add(mined.blocks.len() as u64);
            let block = self.next_block(mine.owner, extra_nonce);
            let Some(nonce) = chain::mining::search(&block.header, 0..QUICK_SEARCH) else {
                mined.hashes += u64::from(QUICK_SEARCH);
                mined.unsolved = Some(Box::new(block));
                break;
            };
            mined.hashes += u64::from(nonce) + 1;
            let header = Header { nonce, ..*block.header }.into();
            let block = Arc::new(Block { header, ..block });
            let (id, first, now) = (block.id(), outputs.len(), self.clock.now());
            let command = Command::SubmitBlock(block);
            self.node
                .handle(&mut self.ledger, now, Input::Command(command), &mut outputs);
            mined.refused = outputs[first..].iter().find_map(|output| refusal(output, id));
            if mined.refused.is_some() {
                break;
            }
            mined.blocks.push(id);
        }
        self.carry_out_together(outputs).await?;
        Ok(mined)
    }

    /// The block that the node would like to find now, paying somebody else.
    fn next_block(&self, owner: Owner, extra_nonce: u64) -> Block {
        let open = self.node.view().template(&self.ledger, self.clock.now());
        let mut draft = open.draft;
        draft.extra_nonce = extra_nonce;
        draft.coinbase_outputs = vec![TxOutput {
            value: open.reward,
            owner,
        }];
        draft.assemble()
    }

    /// Shows the interface what the node tells.
    pub(super) fn show(&mut self, event: &Event) {
        let Some(front) = &mut self.front else { return };
        if let Event::TipChanged { new, .. } = event {
            front.desk.tip_changed(*new);
        } else if let Event::PeerConnected { peer, agent, .. } = event
            && let Some(connection) = front.network.connections.get_mut(peer)
        {
            connection.agent.clone_from(agent);
        }
    }

    /// Whether the operator wants to talk to nobody.
    pub(super) fn is_off(&self) -> bool {
        self.front.as_ref().is_some_and(|front| front.network.is_off)
    }

    /// Whether a peer that has just connected may stay.
    pub(super) fn may_talk(&self, peer: PeerId, connection: ConnectionId) -> bool {
        let address = self.net.remote(connection).and_then(ip);
        let now = self.node.view().unix_secs(self.clock.now());
        let peer = peer.to_string();
        let is_banned = |ban: &rpc::network::Ban| ban.until > now && ban.whom.covers(&peer, address);
        !self.is_off() && !self.bans.list.iter().any(is_banned)
    }

    /// A connection is in use from now on.
    pub(super) fn register(&mut self, peer: NodeId, connection: ConnectionId, is_outbound: bool) {
        let key = self.directory.key(peer).map_or_else(String::new, |key| key.to_string());
        let address = self
            .net
            .remote(connection)
            .map_or_else(String::new, Multiaddr::to_string);
        let since = self.clock.now();
        if let Some(front) = &mut self.front {
            let connection = Connection {
                address,
                peer_id: key,
                agent: String::new(),
                is_outbound,
                since,
                sent_bytes: 0,
                received_bytes: 0,
                last_sent: None,
                last_received: None,
                ping: None,
            };
            front.network.connections.insert(peer, connection);
        }
    }

    /// A connection is no longer in use.
    pub(super) fn unregister(&mut self, peer: NodeId) {
        if let Some(front) = &mut self.front {
            front.network.connections.remove(&peer);
        }
    }

    pub(super) fn count_sent(&mut self, peer: NodeId, bytes: u64) {
        let now = self.clock.now();
        if let Some(connection) = self.connection(peer) {
            connection.sent_bytes += bytes;
            connection.last_sent = Some(now);
        }
    }

    pub(super) fn count_received(&mut self, peer: NodeId, message: &Message) {
        let now = self.clock.now();
        if let Some(connection) = self.connection(peer) {
            connection.received_bytes += wire::encoded_len(message) as u64;
            connection.last_received = Some(now);
        }
    }

    pub(super) fn pinged(&mut self, connection: ConnectionId, took: Duration) {
        let Some(peer) = self.peers.on(connection) else { return };
        self.peers.pinged(peer, took);
        if let Some(connection) = self.connection(peer) {
            let quickest = connection.ping.map_or(took, |(_, quickest)| quickest.min(took));
            connection.ping = Some((took, quickest));
        }
    }

    fn connection(&mut self, peer: NodeId) -> Option<&mut Connection> {
        self.front.as_mut()?.network.connections.get_mut(&peer)
    }
}

/// The IP address at the front of a multiaddr.
pub(super) fn ip(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| {
        if let Protocol::Ip4(ip) = part {
            Some(IpAddr::V4(ip))
        } else if let Protocol::Ip6(ip) = part {
            Some(IpAddr::V6(ip))
        } else {
            None
        }
    })
}

/// Why a block was refused, when that is what an output tells.
fn refusal(output: &Output, id: BlockId) -> Option<(&'static str, String)> {
    if let Output::Emit(event) = output
        && let Event::BlockRejected {
            block, reason, detail, ..
        } = event.as_ref()
        && *block == id
    {
        Some((reason, detail.clone()))
    } else {
        None
    }
}

/// What an order may bring to disk.
fn size(command: &Command) -> u64 {
    if let Command::SubmitBlock(block) = command {
        Block::bytes(block)
    } else {
        0
    }
}
