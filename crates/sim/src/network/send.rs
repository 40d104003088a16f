//! What becomes of messages between a node and its peer.

use std::time::Duration;

use base::{NodeId, Time};
use gossip::limits::MAX_MESSAGE_BYTES;
use gossip::{Message, wire};
use node::Event;
use node::event::Loss;
use scenario::uplink::{Parcel, Uplinks};

use super::Network;
use super::rest::{exit_number, short_count};
use crate::heap::{Happening, Leg};

impl Network {
    /// Sends a message by one of a node's exits.
    pub(super) fn send(&mut self, (from, at): (NodeId, usize), message: Message) {
        let exit = self.pairs.exit_mut(from, at);
        let Some(connection) = exit.connection() else {
            let to = exit.to;
            return self.lose((from, to), &message, Loss::Disconnected);
        };
        let (to, way) = (exit.to, exit.way);
        if self.send_shortly((from, at), &message) {
            return;
        }
        let bytes = node::message_bytes(self.plan.block_size, &message);
        if !self.collector.detail().tells_messages() {
            self.collector.count_sent(from, message.kind(), (1, bytes));
        }
        let Some(arrival) = self.pass((from, at), bytes, node::carries_body(&message)) else {
            return self.lose((from, to), &message, Loss::Cut);
        };
        if let Some((place, short)) = self.shorten((from, at), (&message, bytes)) {
            let place = self.beds.end(place).other;
            let leg = Leg { place, connection };
            return self.heap.push_short(arrival, (leg, short));
        }
        let message = if self.check_wire {
            through_the_codec(&message)
        } else {
            message
        };
        let happening = Happening::Arrival {
            way,
            connection,
            bytes: short_count(bytes),
            message,
        };
        self.heap.push(arrival, happening);
    }

    /// When what is sent now by one of a node's exits arrives; none when it never does.
    pub(super) fn pass(&mut self, (from, at): (NodeId, usize), bytes: u64, is_block: bool) -> Option<Time> {
        let exit = self.pairs.exit_mut(from, at);
        let place = self.beds.place(from, (exit_number(at), exit.to));
        if let Some(place) = place.filter(|place| self.beds.latency(*place).is_some()) {
            return self.leave((from, place), bytes, is_block);
        }
        let arrival = match &mut self.uplinks {
            None => exit.link.send(self.now, bytes),
            Some(uplinks) => {
                let parcel = (self.now, Parcel { bytes, is_block });
                uplinks.send((from, exit.to), parcel, |left| exit.link.send(left, bytes))
            }
        }?;
        if let Some(place) = place {
            self.beds.occupy(place, arrival);
        }
        if is_block {
            self.beds.sends_body(from, arrival);
        }
        Some(arrival)
    }

    /// What a small message takes on top of its latency.
    pub(super) fn overhead(&self) -> Duration {
        self.uplinks.as_ref().map_or(Duration::ZERO, Uplinks::overhead)
    }

    /// The same as [`Network::pass`] for one of a node's ends, where only latencies count: all that is needed stands beside the end.
    pub(super) fn leave(&mut self, (from, place): (NodeId, usize), bytes: u64, is_block: bool) -> Option<Time> {
        let Some(latency_us) = self.beds.latency(place) else {
            let at = place - self.beds.places(from).start;
            return self.pass((from, at), bytes, is_block);
        };
        let busy_until = self.beds.busy_until((from, place), self.now);
        let deliver = |left: Time| Some(Time::from_micros(left.as_micros() + latency_us).max(busy_until));
        let to = self.beds.end(place).neighbour.peer;
        let arrival = match &mut self.uplinks {
            None => deliver(self.now),
            Some(uplinks) => uplinks.send((from, to), (self.now, Parcel { bytes, is_block }), deliver),
        }?;
        self.beds.occupy(place, arrival);
        if is_block {
            self.beds.sends_body(from, arrival);
        }
        Some(arrival)
    }

    /// Tells that a message will not arrive, where messages are told of.
    pub(super) fn lose(&mut self, (from, to): (NodeId, NodeId), message: &Message, reason: Loss) {
        if self.collector.detail().tells_messages() {
            let lost = Event::lost(to, message, self.plan.block_size, reason);
            self.tell(from, Box::new(lost));
        }
    }
}

/// What a real peer would have read: the message that its bytes stand for, all of it.
fn through_the_codec(message: &Message) -> Message {
    let bytes = wire::encode(message);
    let read = wire::decode(&bytes, MAX_MESSAGE_BYTES);
    let read = read.unwrap_or_else(|error| panic!("a node sent what no node reads: {error}: {:?}", message.kind()));
    assert_eq!(&read, message, "what is read is what was written");
    read
}
