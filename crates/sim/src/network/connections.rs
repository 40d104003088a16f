//! Connections: when they open, and what happens when they close.

use base::NodeId;
use node::{HangupReason, Input};
use scenario::Conditions;

use super::rest::exit_number;
use super::{CONNECTED, DISCONNECTED, Network};
use crate::heap::Happening;
use crate::limits::REDIAL;
use crate::pairs::Way;

impl Network {
    pub(super) fn connected(&mut self, way: Way, connection: u32) {
        if self.pairs.get(way).connection() != Some(connection) {
            return;
        }
        let (a, b) = self.pairs.ends(way);
        for (node, peer, outbound) in [(a, b, true), (b, a, false)] {
            self.digest.happened(self.now, node, (CONNECTED, u64::from(peer.0)));
            self.handle(node, Input::Connected { peer, outbound });
        }
    }

    /// The way from one node to another, who are a pair from now on.
    pub(crate) fn way(&mut self, from: NodeId, to: NodeId) -> Way {
        if self.pairs.position(from, to).is_none() {
            for node in [from, to] {
                self.rouse(node);
            }
            self.go_by_exits();
        }
        self.pairs.way(from, to)
    }

    /// What is sent from now on by a way finds it like this.
    pub(super) fn change_link(&mut self, way: Way, conditions: Conditions) {
        let (from, to) = self.pairs.ends(way);
        for node in [from, to] {
            self.rouse(node);
        }
        for way in [way, way.reversed()] {
            let ((from, at), (_, to)) = (self.pairs.place(way), self.pairs.ends(way));
            let place = self.beds.place(from, (exit_number(at), to));
            if let Some(place) = place.filter(|place| self.beds.latency(*place).is_some()) {
                let busy_until = self.beds.busy_until((from, place), self.now);
                self.pairs.exit_mut(from, at).link.follow(busy_until);
            }
        }
        let (_, at) = self.pairs.place(way);
        self.beds.change(from, (exit_number(at), to));
        self.pairs.set(way, conditions);
    }

    /// A node's ways to others, in their order.
    pub(super) fn ways_of(&self, node: NodeId) -> Vec<Way> {
        self.pairs.from(node).collect()
    }

    /// Opens a pair's connection where one is wanted and may be. It takes a round trip.
    pub(super) fn dial(&mut self, way: Way) {
        let pair = self.pairs.get(way);
        let Some(way) = pair.wanted.filter(|_| pair.may_connect()) else {
            return;
        };
        let (a, b) = self.pairs.ends(way);
        if !self.is_up(a) || !self.is_up(b) {
            return;
        }
        let connection = self.next_connection;
        self.next_connection += 1;
        self.pairs.set_connection(way, Some(connection));
        let round_trip = self.pairs.latency(way) + self.pairs.latency(way.reversed());
        self.heap
            .push(self.now + round_trip, Happening::Connected { way, connection });
    }

    /// Closes a pair's connection, if there is one. The end that the way leads from hears of it first.
    pub(super) fn close(&mut self, way: Way) {
        if self.pairs.get(way).connection().is_none() {
            return;
        }
        let (a, b) = self.pairs.ends(way);
        for node in [a, b] {
            self.rouse(node);
        }
        self.pairs.set_connection(way, None);
        let (from, at) = self.pairs.place(way);
        self.beds.part(from, (exit_number(at), b));
        for (node, peer) in [(a, b), (b, a)] {
            self.digest.happened(self.now, node, (DISCONNECTED, u64::from(peer.0)));
            self.handle(node, Input::Disconnected { peer });
        }
    }

    pub(super) fn hang_up(&mut self, node: NodeId, peer: NodeId, reason: HangupReason) {
        let way = self.way(node, peer);
        match reason {
            HangupReason::Discouraged(_) | HangupReason::OtherNetwork => {
                self.pairs.get_mut(way).discouraged = true;
            }
            HangupReason::NoHandshake => {
                self.heap.push(self.now + REDIAL, Happening::Redial { way });
            }
        }
        self.close(way);
    }
}
