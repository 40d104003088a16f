//! How messages about payments leave and come in: by ends, where these stand as they did at first, and by exits otherwise.

use base::{NodeId, Time};
use gossip::{Message, MessageKind};
use node::{List, Place};

use super::{Couriers, Network, Note, Paid};
use crate::digest::Digest;
use crate::heap::{Door, Heap};
use crate::network::beds::End;
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

impl ShortExit {
    fn of(end: &End, opposite: usize) -> Self {
        Self {
            to: end.neighbour.peer,
            opposite: Place::try_from(opposite).unwrap_or(Place::MAX),
            connection: end.connection,
            door: Door::End(end.other),
        }
    }
}

impl Couriers {
    /// An announcement of so many bytes leaves a node and arrives: it is kept by a courier to whom it says nothing new.
    fn say(
        &mut self,
        (heap, digest): (&mut Heap, &mut Digest),
        (from, bytes): (NodeId, u64),
        (exit, arrival): (ShortExit, Time),
        list: &List,
    ) {
        let (to, by) = (exit.to, exit.opposite);
        let state = &mut self.states[to.index()];
        let outbound = state.outbound.checked_shr(by.into()).unwrap_or(0) & 1 == 1;
        let turn = heap.hold_back();
        if state.courier.is_some() {
            let is_calm = self.payments.are_calm((to, state.base), outbound, list);
            if is_calm || state.expects(list, ((arrival, Some(turn)), outbound)) {
                state.keep(Note {
                    at: arrival,
                    turn,
                    by,
                    list: list.clone(),
                });
                digest.announced_transactions(arrival, to, (from, short_count(bytes)));
                return;
            }
            state.expect(list, (arrival, turn, outbound));
        }
        let paid = Paid::Told(list.clone());
        heap.put_back_paid(arrival, turn, ((exit.door, exit.connection), paid));
    }
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

    /// Sends an announcement by some of the exits of a node that has a courier, a bit each.
    pub(super) fn tell_all_paid(&mut self, from: NodeId, mut places: u64, list: &List) {
        let bytes = self.couriers.told_bytes(list);
        let sent = (u64::from(places.count_ones()), bytes);
        self.collector.count_sent(from, MessageKind::Announce, sent);
        if self.couriers.go_by_ends && self.beds.are_free(from, self.now) {
            let leaves = self.now + self.overhead();
            let Self {
                couriers,
                beds,
                heap,
                digest,
                ..
            } = self;
            beds.leave_by_all((from, places), leaves, |end, opposite, arrival| {
                let exit = ShortExit::of(end, opposite);
                couriers.say((heap, digest), (from, bytes), (exit, arrival), list);
            });
            return;
        }
        while places != 0 {
            self.tell_paid((from, places.trailing_zeros() as usize), bytes, list);
            places &= places - 1;
        }
    }

    /// Sends an announcement of so many bytes, which has been counted.
    fn tell_paid(&mut self, (from, at): (NodeId, usize), bytes: u64, list: &List) {
        let exit = self.exit_for_payments(from, at);
        if let Some(arrival) = self.pass_paid((from, at), exit, bytes) {
            let Self {
                couriers, heap, digest, ..
            } = self;
            couriers.say((heap, digest), (from, bytes), (exit, arrival), list);
        }
    }

    /// One of a node's exits. What a courier needs of it stands beside its end, where ends stand as they did at first.
    fn exit_for_payments(&self, from: NodeId, at: usize) -> ShortExit {
        let has_courier = self.couriers.states[from.index()].courier.is_some();
        if has_courier && self.couriers.go_by_ends {
            let end = self.beds.end(self.beds.places(from).start + at);
            let opposite = end.other as usize - self.beds.places(end.neighbour.peer).start;
            return ShortExit::of(&end, opposite);
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
