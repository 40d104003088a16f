//! Connections to peers: when they are dialled, which of two stays, which is in use, and when one is over.

use base::{NodeId, Time};
use libp2p::swarm::ConnectionId;
use node::Input;
use node::event::Loss;

use super::eviction::{self, Group};
use super::peers::{Arrival, Standby};
use super::{Driver, front};
use crate::conversation::{Conversation, Party};
use crate::net::Pair;

impl Driver {
    /// Dials whoever is due, when it is the node's turn.
    pub(super) fn dial(&mut self, now: Time) {
        if self.is_off() {
            return self.turnstile.leave();
        }
        if self.dialer.fresh_until(now).is_some() {
            return;
        }
        self.turnstile.hand_on();
        let Some((place, target)) = self.dialer.due(now) else {
            return self.turnstile.leave();
        };
        if !self.turnstile.ask() {
            return;
        }
        match self.net.dial(target.peer_id, target.address) {
            Ok(connection) => {
                self.dialer.dialing(place, connection, now);
                self.turnstile.take();
            }
            Err(trouble) => {
                let news = self.dialer.blame_at(place, &trouble);
                self.complain_of(news, trouble);
                self.dialer.refused(place, now);
            }
        }
    }

    /// When [`Driver::dial`] is next wanted, if not when the node is called.
    pub(super) fn dialing_deadline(&self, now: Time) -> Option<Time> {
        let is_waiting = self.is_off() || self.turnstile.is_queueing();
        self.dialer.deadline(now).filter(|_| !is_waiting)
    }

    /// When both sides dial at once, there are two connections. Both must agree which one stays, whatever order they see them in: the side
    /// with the smaller key keeps the one it uses and closes the other; the other side lets the second stand by, unread, and takes it
    /// over if it turns out to be the one that stays.
    pub(super) fn open(&mut self, peer: NodeId, connection: ConnectionId, outbound: bool, streams: Box<Pair>) {
        let standby = Standby {
            connection,
            outbound,
            streams,
        };
        if !self.peers.contains(peer) {
            if outbound || self.make_room() {
                self.converse(peer, standby);
            } else {
                self.net.close(connection);
            }
            return;
        }
        // A target without a key has just learnt that it is connected already.
        self.dialer.opened(peer, connection, self.clock.now());
        let decides = self.directory.key(peer).is_some_and(|key| self.net.peer_id() < key);
        let rejected = if decides {
            Some(standby)
        } else {
            self.peers.stand_by(peer, standby)
        };
        if let Some(rejected) = rejected {
            self.net.close(rejected.connection);
        }
    }

    /// Makes room for one more inbound peer (THREATS P10); whether there is some.
    fn make_room(&mut self) -> bool {
        let guests = self.peers.guests();
        if guests.len() < self.max_inbound as usize {
            return true;
        }
        let Some(victim) = eviction::victim(guests, &self.eviction_seed) else {
            return false;
        };
        tracing::debug!(node = %self.id, peer = %victim, "makes room for another peer");
        self.hang_up(victim);
        true
    }

    pub(super) fn converse(&mut self, peer: NodeId, standby: Standby) {
        let Standby {
            connection,
            outbound,
            streams,
        } = standby;
        let party = Party {
            peer,
            connection,
            outbound,
        };
        let conversation = Conversation::start(party, streams, self.shared.clone());
        let arrival = Arrival {
            outbound,
            group: Group::of(self.net.remote(connection).and_then(front::ip)),
            since: self.clock.now(),
        };
        self.peers.insert(peer, connection, conversation, arrival);
        self.dialer.opened(peer, connection, self.clock.now());
        self.register(peer, connection, outbound);
        self.inputs.push_back(Input::Connected { peer, outbound });
    }

    /// Forgets a peer, and notes that what was under way to it is lost; gives the connection that takes over.
    pub(super) fn part_with(&mut self, peer: NodeId) -> Option<Standby> {
        let (under_way, standby) = self.peers.remove(peer);
        for message in under_way {
            self.lose(peer, &message, Loss::Disconnected);
        }
        standby
    }

    pub(super) fn closed(&mut self, peer: NodeId, connection: ConnectionId) {
        if !self.peers.is_current(peer, connection) {
            self.peers.forget_standby(peer, connection);
            return;
        }
        let standby = self.part_with(peer);
        self.turns.forget(peer);
        self.unregister(peer);
        self.inputs.push_back(Input::Disconnected { peer });
        match standby {
            Some(standby) => self.converse(peer, standby),
            None => self.dialer.lost(peer, self.clock.now()),
        }
    }
}
