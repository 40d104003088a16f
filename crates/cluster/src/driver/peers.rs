//! The peers a node talks to, and what waits on the links to them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use base::{NodeId, Time};
use gossip::Message;
use libp2p::swarm::ConnectionId;
use node::Event;

use super::eviction::{Group, Guest};
use crate::conversation::{Conversation, TooSlow, Weight};
use crate::limits::{MAX_QUEUED_BYTES, MAX_QUEUED_MESSAGES, MAX_QUEUED_OWN_BYTES};
use crate::net::Pair;

/// Half a tick of tokio's timers. A timer rounds up to whole milliseconds; setting it half of one early, and taking what is due half of one
/// later, makes messages half a millisecond early or late alike, instead of all late.
pub(crate) const HALF_TICK: Duration = Duration::from_micros(500);

/// A connection that is open and not in use, because there was another before it.
#[derive(Debug)]
pub(crate) struct Standby {
    pub(crate) connection: ConnectionId,
    pub(crate) outbound: bool,
    pub(crate) streams: Box<Pair>,
}

/// How a peer came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) outbound: bool,
    pub(super) group: Group,
    pub(super) since: Time,
}

/// A peer, and the one connection in use to it.
#[derive(Debug)]
struct Peer {
    connection: ConnectionId,
    conversation: Conversation,
    /// Messages under way on the link, in the order of their arrival.
    held: VecDeque<Held>,
    held_bytes: u64,
    held_own: u64,
    standby: Option<Standby>,
    outbound: bool,
    /// What speaks for its staying when others come.
    guest: Guest,
}

#[derive(Debug)]
struct Held {
    due: Time,
    message: Message,
    weight: Weight,
}

/// All peers of a node. As many as its connection limits allow.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    peers: BTreeMap<NodeId, Peer>,
}

impl Peers {
    /// Who is connected.
    pub(crate) fn names(&self) -> Vec<NodeId> {
        self.peers.keys().copied().collect()
    }

    pub(crate) fn contains(&self, peer: NodeId) -> bool {
        self.peers.contains_key(&peer)
    }

    /// Whether this connection is the one in use.
    pub(crate) fn is_current(&self, peer: NodeId, connection: ConnectionId) -> bool {
        self.peers.get(&peer).is_some_and(|peer| peer.connection == connection)
    }

    /// The peer that is talked to on this connection.
    pub(crate) fn on(&self, connection: ConnectionId) -> Option<NodeId> {
        let mut peers = self.peers.iter();
        peers.find(|(_, peer)| peer.connection == connection).map(|(id, _)| *id)
    }

    pub(super) fn insert(
        &mut self,
        peer: NodeId,
        connection: ConnectionId,
        conversation: Conversation,
        arrival: Arrival,
    ) {
        let Arrival { outbound, group, since } = arrival;
        let guest = Guest {
            peer,
            group,
            since,
            ping: None,
            last_block: None,
            last_transaction: None,
        };
        let entry = Peer {
            connection,
            conversation,
            held: VecDeque::new(),
            held_bytes: 0,
            held_own: 0,
            standby: None,
            outbound,
            guest,
        };
        let before = self.peers.insert(peer, entry);
        assert!(before.is_none(), "a peer is talked to on one connection");
    }

    /// The peers that dialled this node.
    pub(super) fn guests(&self) -> Vec<Guest> {
        let inbound = self.peers.values().filter(|peer| !peer.outbound);
        inbound.map(|peer| peer.guest).collect()
    }

    /// The peer answered a ping.
    pub(super) fn pinged(&mut self, peer: NodeId, took: Duration) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            let quickest = peer.guest.ping.map_or(took, |before| before.min(took));
            peer.guest.ping = Some(quickest);
        }
    }

    /// Remembers to a peer's credit that it sent something that was news here.
    pub(super) fn credit(&mut self, event: &Event, now: Time) {
        if let Event::BlockReceived {
            from, duplicate: false, ..
        } = event
            && let Some(peer) = self.peers.get_mut(from)
        {
            peer.guest.last_block = Some(now);
        } else if let Event::TxAccepted { from: Some(from), .. } = event
            && let Some(peer) = self.peers.get_mut(from)
        {
            peer.guest.last_transaction = Some(now);
        }
    }

    /// Keeps a second connection, unread, until the first is gone. Gives back one too many.
    pub(crate) fn stand_by(&mut self, peer: NodeId, standby: Standby) -> Option<Standby> {
        match self.peers.get_mut(&peer) {
            Some(peer) if peer.standby.is_none() => {
                peer.standby = Some(standby);
                None
            }
            Some(_) | None => Some(standby),
        }
    }

    /// Forgets a peer; gives the messages under way to it, which will not arrive, and the connection that takes over.
    pub(crate) fn remove(&mut self, peer: NodeId) -> (Vec<Message>, Option<Standby>) {
        let Some(peer) = self.peers.remove(&peer) else {
            return (Vec::new(), None);
        };
        (peer.held.into_iter().map(|held| held.message).collect(), peer.standby)
    }

    /// Forgets a connection that was not in use.
    pub(crate) fn forget_standby(&mut self, peer: NodeId, connection: ConnectionId) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.standby.take_if(|standby| standby.connection == connection);
        }
    }

    /// Puts a message on the link, to arrive then. Messages to one peer arrive in the order they were sent.
    pub(crate) fn hold(&mut self, peer: NodeId, due: Time, message: Message, weight: Weight) -> Result<(), TooSlow> {
        let Some(peer) = self.peers.get_mut(&peer) else {
            return Ok(());
        };
        assert!(
            peer.held.back().is_none_or(|last| last.due <= due),
            "nothing overtakes on a link"
        );
        peer.held_bytes += weight.bytes;
        peer.held_own += weight.own;
        peer.held.push_back(Held { due, message, weight });
        let is_over = peer.held.len() > MAX_QUEUED_MESSAGES
            || peer.held_bytes + peer.conversation.queued().bytes > MAX_QUEUED_BYTES;
        if is_over { Err(TooSlow) } else { Ok(()) }
    }

    /// The peer for whom most waits that nothing else holds, when that is too much in all.
    pub(crate) fn heaviest_of_too_much(&self) -> Option<NodeId> {
        let own = |peer: &Peer| peer.held_own + peer.conversation.queued().own;
        let total: u64 = self.peers.values().map(own).sum();
        let heaviest = self.peers.iter().max_by_key(|(_, peer)| own(peer)).map(|(id, _)| *id);
        heaviest.filter(|_| total > MAX_QUEUED_OWN_BYTES)
    }

    /// Hands on what has arrived by now; gives the peers that read too slowly.
    pub(crate) fn deliver(&mut self, now: Time) -> Vec<NodeId> {
        let until = now + HALF_TICK;
        let mut slow = Vec::new();
        for (id, peer) in &mut self.peers {
            while let Some(held) = peer.held.pop_front_if(|held| held.due <= until) {
                peer.held_bytes -= held.weight.bytes;
                peer.held_own -= held.weight.own;
                if peer.conversation.write(held.message, held.weight) == Err(TooSlow) {
                    slow.push(*id);
                    break;
                }
            }
        }
        slow
    }

    /// When [`Peers::deliver`] is next wanted.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let next = self
            .peers
            .values()
            .filter_map(|peer| peer.held.front())
            .map(|held| held.due)
            .min()?;
        Some(Time::ZERO + next.since(Time::ZERO + HALF_TICK))
    }
}
