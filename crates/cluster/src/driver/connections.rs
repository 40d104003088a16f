//! Connections to peers: which of two stays, which is in use, and when one is over.

use base::NodeId;
use libp2p::swarm::ConnectionId;
use node::Input;

use super::Driver;
use super::peers::Standby;
use crate::conversation::{Conversation, Party};
use crate::net::Pair;

impl Driver {
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
            self.converse(peer, standby);
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
        self.peers.insert(peer, connection, conversation);
        self.dialer.opened(peer, connection, self.clock.now());
        self.register(peer, connection, outbound);
        self.inputs.push_back(Input::Connected { peer, outbound });
    }

    pub(super) fn closed(&mut self, peer: NodeId, connection: ConnectionId) {
        if !self.peers.is_current(peer, connection) {
            self.peers.forget_standby(peer, connection);
            return;
        }
        let standby = self.peers.remove(peer);
        self.unregister(peer);
        self.inputs.push_back(Input::Disconnected { peer });
        match standby {
            Some(standby) => self.converse(peer, standby),
            None => self.dialer.lost(peer, self.clock.now()),
        }
    }
}
