//! How a network comes up: connections open, and both their ends say hello.
//!
//! Until mining begins nothing else happens in most networks. So it is worked out beforehand what happens when, three things for each link, and what comes of it is told
//! in that order, but no node is made for it ([`super::newcomers`]). The run is the same to the last byte as one in which they happen one after the other.

use base::{NodeId, Time, prefetch};
use gossip::{Hello, Message, MessageKind};
use node::Event;
use node::limits::HANDSHAKE_TIMEOUT;

use super::{CONNECTED, Network};
use crate::engine::Verify;
use crate::limits::{AHEAD, MAX_CONNECT};
use crate::pairs::Exit;

/// How two nodes meet who are to be connected.
#[derive(Clone, Copy, Debug)]
struct Meeting {
    /// Who dials, and whom; by which of its exits.
    ends: [End; 2],
    /// When the connection is open.
    opens: Time,
    /// When the hello of each end has come to the other.
    heard: [Time; 2],
}

/// One end of a connection.
#[derive(Clone, Copy, Debug)]
struct End {
    node: NodeId,
    /// Which of its exits leads to the other.
    exit: u32,
}

/// All meetings of a network, and what they take.
#[derive(Debug)]
pub(super) struct Meetings {
    /// In the order of dialling.
    rows: Vec<Meeting>,
    /// Bytes of each node's hello.
    hello_bytes: Vec<u64>,
}

/// Something that is due, and which of those that were planned for it is first: in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due(u64);

impl Due {
    fn new(at: Time, number: usize) -> Self {
        let micros = u32::try_from(at.as_micros()).expect("a network comes up within a minute");
        let number = u32::try_from(number).expect("memory ends before four billion greetings");
        Self(u64::from(micros) << 32 | u64::from(number))
    }

    const fn at(self) -> Time {
        Time::from_micros(self.0 >> 32)
    }

    const fn number(self) -> usize {
        (self.0 & 0xffff_ffff) as usize
    }
}

impl Meetings {
    /// Who dialled, and by which of its exits.
    pub(super) fn dialled(&self) -> impl Iterator<Item = (NodeId, u32)> {
        self.rows.iter().map(|row| (row.ends[0].node, row.ends[0].exit))
    }
}

impl Network {
    /// How all nodes meet who run from the start; none when something else may happen meanwhile. Nothing has happened yet.
    pub(super) fn plan_meetings(&self) -> Option<Meetings> {
        let plan = &self.plan;
        let is_told_shortly =
            self.verify == Verify::Shared && !self.check_wire && !self.collector.detail().tells_messages();
        let is_quiet = |node: &scenario::plan::NodePlan| node::comes_up_quietly(node.strategy, node.relay);
        if !is_told_shortly || !plan.nodes.iter().all(is_quiet) {
            return None;
        }
        let hello_bytes = plan.node_ids().map(|node| self.hello_bytes(node));
        let hello_bytes: Vec<u64> = hello_bytes.collect::<Option<_>>()?;
        let mut rows = Vec::with_capacity(plan.links.len());
        let starts = |node: NodeId| plan.nodes[node.index()].started;
        for node in plan.node_ids().filter(|node| starts(*node)) {
            self.pairs.glance_at_opposites(node.index() + AHEAD);
            // Who started before is dialled as soon as this one has started, or dials.
            let exits = (0..).zip(self.pairs.exits(node));
            for (at, exit) in exits.filter(|(_, exit)| exit.to < node && starts(exit.to)) {
                rows.push(self.plan_meeting(End { node, exit: at }, exit, &hello_bytes)?);
            }
        }
        let is_in_time = |row: &Meeting| {
            let heard = row.heard[0].max(row.heard[1]);
            heard < row.opens + HANDSHAKE_TIMEOUT && heard <= Time::ZERO + MAX_CONNECT
        };
        rows.iter().all(is_in_time).then_some(Meetings { rows, hello_bytes })
    }

    /// What a node's hello takes; none when its peers would not take it.
    fn hello_bytes(&self, node: NodeId) -> Option<u64> {
        let ledger = &self.ledgers[0];
        let genesis = ledger.genesis();
        let hello = Hello {
            version: Hello::VERSION,
            genesis: ledger.id(genesis),
            agent: self.plan.agent(node),
            tip: ledger.id(genesis),
            height: ledger.height(genesis),
        };
        let is_taken = hello.is_presentable();
        is_taken.then(|| node::message_bytes(self.plan.block_size, &Message::Hello(Box::new(hello))))
    }

    /// None when a hello does not come through, or nobody dials.
    fn plan_meeting(&self, end: End, exit: &Exit, hello_bytes: &[u64]) -> Option<Meeting> {
        let opposite = &self.pairs.exits(exit.to)[exit.opposite as usize];
        let other = End {
            node: exit.to,
            exit: exit.opposite,
        };
        let is_dialler = self.pairs.get(exit.way).wanted? == exit.way;
        let (ends, exits) = if is_dialler {
            ([end, other], [exit, opposite])
        } else {
            ([other, end], [opposite, exit])
        };
        let opens = Time::ZERO + (exits[0].link.latency() + exits[1].link.latency());
        let heard = |side: usize| {
            let leaves = opens + self.overhead();
            exits[side]
                .link
                .clone()
                .send(leaves, hello_bytes[ends[side].node.index()])
        };
        Some(Meeting {
            ends,
            opens,
            heard: [heard(0)?, heard(1)?],
        })
    }

    /// Lets all nodes meet.
    pub(super) fn meet(&mut self, meetings: &Meetings) {
        let Meetings { rows, hello_bytes } = meetings;
        for (at, row) in rows.iter().enumerate() {
            for End { node, exit } in rows.get(at + AHEAD).into_iter().flat_map(|next| next.ends) {
                self.pairs.glance((node, exit as usize));
            }
            self.connect(row, hello_bytes);
        }
        self.tell_of_meetings(meetings);
        if !self.collector.may_meet() {
            return;
        }
        for node in (0..self.places.len()).map(NodeId::at) {
            let exits = self.pairs.exits(node).iter();
            let peers = exits.filter(|exit| exit.connection().is_some()).map(|exit| exit.to);
            self.collector.meet(self.now, node, peers);
        }
    }

    /// Notes that a connection is open, and has carried both greetings.
    fn connect(&mut self, meeting: &Meeting, hello_bytes: &[u64]) {
        let connection = self.next_connection;
        self.next_connection += 1;
        for (side, End { node, exit }) in meeting.ends.into_iter().enumerate() {
            let at = exit as usize;
            self.pairs.open((node, at), connection);
            let bytes = hello_bytes[node.index()];
            let leaves = meeting.opens + self.overhead();
            let arrives = self.pairs.exit_mut(node, at).link.send(leaves, bytes);
            assert_eq!(arrives, Some(meeting.heard[side]), "it was planned so");
            self.collector.count_sent(node, MessageKind::Hello, (1, bytes));
        }
    }

    /// Tells of what happened, in its order: what was planned first comes first among what happens at a time. All connections are planned before all greetings.
    fn tell_of_meetings(&mut self, Meetings { rows, hello_bytes }: &Meetings) {
        let mut opening: Vec<Due> = (0..)
            .zip(rows)
            .map(|(number, row)| Due::new(row.opens, number))
            .collect();
        opening.sort_unstable();
        let heard_of = |number: usize, opened: &Due| {
            let row = &rows[opened.number()];
            [0, 1].map(|side| Due::new(row.heard[side], 2 * number + side))
        };
        let mut heard: Vec<Due> = (0..)
            .zip(&opening)
            .flat_map(|(number, opened)| {
                if let Some(next) = opening.get(number + AHEAD) {
                    prefetch(&rows[next.number()]);
                }
                heard_of(number, opened)
            })
            .collect();
        heard.sort_unstable();
        let mut opened = opening.iter().peekable();
        for (at, hello) in heard.iter().enumerate() {
            if let Some(next) = heard.get(at + AHEAD) {
                prefetch(&rows[opening[next.number() / 2].number()]);
            }
            while let Some(opens) = opened.next_if(|opens| opens.at() <= hello.at()) {
                self.tell_of_connection(&rows[opens.number()]);
            }
            let row = &rows[opening[hello.number() / 2].number()];
            let side = hello.number() % 2;
            let [peer, node] = [row.ends[side].node, row.ends[1 - side].node];
            self.now = hello.at();
            self.tell_of_hello(node, peer, hello_bytes[peer.index()]);
        }
        if !heard.is_empty() {
            self.turn = Some(self.heap.hold_back());
        }
    }

    fn tell_of_connection(&mut self, row: &Meeting) {
        self.now = row.opens;
        let [a, b] = row.ends.map(|end| end.node);
        for (node, peer) in [(a, b), (b, a)] {
            self.digest.happened(self.now, node, (CONNECTED, u64::from(peer.0)));
        }
    }

    fn tell_of_hello(&mut self, node: NodeId, peer: NodeId, bytes: u64) {
        let about = u64::from(peer.0) << 32 | u64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.digest.happened(self.now, node, (MessageKind::Hello as u8, about));
        if self.collector.may_meet() {
            self.digest.met(self.now, node, peer);
            self.greeted += 1;
            self.places[node.index()].told += 1;
            return;
        }
        let exit = self.pairs.position(node, peer).map(|at| &self.pairs.exits(node)[at]);
        let outbound = exit.is_some_and(|exit| self.pairs.get(exit.way).wanted == Some(exit.way));
        let connected = Event::PeerConnected {
            peer,
            outbound,
            agent: self.plan.agent(peer),
        };
        self.tell(node, Box::new(connected));
    }
}

#[cfg(test)]
mod tests;
