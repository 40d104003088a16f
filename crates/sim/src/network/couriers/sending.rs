//! How messages about payments leave and come in: by ends, where these stand as they did at first, and by exits otherwise.

use base::{NodeId, Time};
use gossip::Message;
use node::{List, Place};

use super::{Couriers, Network, Note, Paid};
use crate::heap::Door;
use crate::network::rest::{exit_number, short_count};
use crate::pairs::Exit;

/// What a message about payments needs of an exit.
#[derive(Clone, Copy, Debug)]
struct ShortExit {
    to: NodeId,
    /// Where its opposite stands.
    opposite: Place,
    connection: u32,
    door: Door,
}

impl Network {
    /// Sends a message by one of a node's exits if it is about payments that can be named shortly; whether it is.
    pub(in crate::network) fn send_shortly(&mut self, from: (NodeId, usize), message: &Message) -> bool {
        if !self.couriers.are_open() {
            return false;
        }
        let Some(paid) = self.couriers.shorten(message) else {
            return false;
        };
        self.send_paid(from, paid);
        true
    }

    pub(super) fn send_paid(&mut self, (from, at): (NodeId, usize), paid: Paid) {
        let bytes = self.couriers.bytes(&paid);
        self.collector.count_sent(from, paid.kind(), (1, bytes));
        if let Paid::Told(list) = paid {
            return self.tell_paid((from, at), bytes, &list);
        }
        let exit = self.exit_for_payments(from, at);
        if let Some(arrival) = self.pass_paid((from, at), exit, bytes) {
            self.heap.push_paid(arrival, (exit.door, exit.connection), paid);
        }
    }

    /// Sends an announcement of so many bytes, which has been counted.
    pub(super) fn tell_paid(&mut self, (from, at): (NodeId, usize), bytes: u64, list: &List) {
        let exit = self.exit_for_payments(from, at);
        let Some(arrival) = self.pass_paid((from, at), exit, bytes) else {
            return;
        };
        let (to, by) = (exit.to, exit.opposite);
        let Couriers { states, payments, .. } = &mut self.couriers;
        let state = &mut states[to.index()];
        let is_outbound = || state.outbound >> by & 1 == 1;
        if state.courier.is_some() && payments.are_calm((to, state.base), is_outbound(), list) {
            state.keep(Note {
                at: arrival,
                turn: self.heap.hold_back(),
                by,
                list: list.clone(),
            });
            self.digest
                .announced_transactions(arrival, to, (from, short_count(bytes)));
        } else {
            let paid = Paid::Told(list.clone());
            self.heap.push_paid(arrival, (exit.door, exit.connection), paid);
        }
    }

    /// One of a node's exits. What a courier needs of it stands beside its end, where ends stand as they did at first.
    fn exit_for_payments(&self, from: NodeId, at: usize) -> ShortExit {
        let has_courier = self.couriers.states[from.index()].courier.is_some();
        if has_courier && self.couriers.go_by_ends {
            let end = self.beds.end(self.beds.places(from).start + at);
            let to = end.neighbour.peer;
            let opposite = end.other as usize - self.beds.places(to).start;
            return ShortExit {
                to,
                opposite: Place::try_from(opposite).unwrap_or(Place::MAX),
                connection: end.connection,
                door: Door::End(end.other),
            };
        }
        let exit = &self.pairs.exits(from)[at];
        ShortExit {
            to: exit.to,
            opposite: Place::try_from(exit.opposite).unwrap_or(Place::MAX),
            connection: exit.connection().expect("what is sent is sent by a connection"),
            door: Door::Way(exit.way),
        }
    }

    fn pass_paid(&mut self, (from, at): (NodeId, usize), exit: ShortExit, bytes: u64) -> Option<Time> {
        match exit.door {
            Door::End(_) => self.leave((from, self.beds.places(from).start + at), bytes, false),
            Door::Way(_) => self.pass((from, at), bytes, false),
        }
    }

    /// Where a message about payments has come from and to, and where it came in; none when its connection is no more.
    pub(super) fn come_in(&self, door: Door, connection: u32) -> Option<((NodeId, NodeId), Option<usize>)> {
        match door {
            Door::Way(way) => {
                let is_open = self.pairs.get(way).connection() == Some(connection);
                is_open.then(|| (self.pairs.ends(way), None))
            }
            Door::End(place) => {
                let end = self.beds.end(place as usize);
                let (from, to) = (end.neighbour.peer, end.owner);
                let at = place as usize - self.beds.places(to).start;
                let has_courier = self.couriers.states[to.index()].courier.is_some();
                // Who has a courier has had the same connections ever since.
                let is_open = if has_courier && self.couriers.go_by_ends {
                    end.connection == connection
                } else {
                    self.is_open(to, (exit_number(at), from), connection)
                };
                is_open.then_some(((from, to), Some(at)))
            }
        }
    }

    /// Ends stand where exits do.
    pub(in crate::network) fn go_by_ends(&mut self) {
        self.couriers.go_by_ends = self.beds.are_open();
        for node in (0..self.couriers.states.len()).map(NodeId::at) {
            self.note_connections(node);
        }
    }

    /// The ends of who has a courier know their connections.
    pub(super) fn note_connections(&mut self, node: NodeId) {
        if self.couriers.go_by_ends && self.couriers.states[node.index()].courier.is_some() {
            let connections = self.pairs.exits(node).iter().filter_map(Exit::connection);
            self.beds.note_connections(node, connections);
        }
    }

    /// There is another exit: ends stand where exits do no longer.
    pub(in crate::network) fn go_by_exits(&mut self) {
        self.couriers.go_by_ends = false;
    }
}
