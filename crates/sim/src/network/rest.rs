//! What nodes at rest do ([`node::Resting`]), and how they come to rest and get up: the same as what [`Network::handle`] makes of their outputs, and nearly
//! all that happens.

use std::sync::Arc;

use base::{NodeId, Time};
use chain::{Block, BlockRef, CompactTarget, HashRate};
use gossip::{Item, Message, MessageKind};
use node::{Event, Gained, Goal, Heard, Input, Resting};
use observe::history::Traffic;

use super::Network;
use super::beds::{Announcement, Beds, End};
use super::bodies::Sent;
use crate::digest::message_from;
use crate::engine::Verify;
use crate::heap::Leg;
use crate::pairs::Exit;

/// A message of the three that all the rest is made of, in short.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Short {
    /// The header of one block ([`Message::Headers`]).
    Told(BlockRef),
    /// A request for one block's body ([`Message::Get`]).
    Asked(BlockRef),
    /// A body ([`Message::Block`]), by its number among those under way.
    Sent(u32),
}

impl Short {
    const fn kind(self) -> MessageKind {
        match self {
            Self::Told(_) => MessageKind::Headers,
            Self::Asked(_) => MessageKind::Get,
            Self::Sent(_) => MessageKind::Block,
        }
    }
}

/// What is the same for many messages.
#[derive(Debug, Default)]
pub(super) struct Lately {
    /// Bytes of an announcement and of a request.
    pub(super) told: u64,
    asked: u64,
    /// A body's, and which it was.
    sent: Option<(BlockRef, u64)>,
    /// What the children of a block must have, for the last few blocks.
    bits: [Option<(BlockRef, CompactTarget)>; 4],
    next: usize,
    /// The last block that was found to ask the same of its children as its parent.
    same_above: Option<BlockRef>,
}

impl Network {
    /// From now on nodes may rest, where they number blocks alike and nobody asks for every message.
    pub(super) fn open_beds(&mut self) {
        let may_rest = self.verify == Verify::Shared && !self.check_wire && !self.collector.detail().tells_messages();
        if may_rest {
            let genesis = *self.ledgers[0].hashed_header(BlockRef::GENESIS);
            let bytes = |message: &Message| node::message_bytes(self.plan.block_size, message);
            self.lately.told = bytes(&Message::headers([genesis]));
            self.lately.asked = bytes(&Message::Get(vec![Item::Block(genesis.id())]));
            self.beds = Beds::new(self.places.len(), &self.pairs, self.overhead());
            self.go_by_ends();
        }
    }

    /// What the nodes that run follow, in no particular order.
    pub(crate) fn tips(&self) -> impl Iterator<Item = BlockRef> {
        let nodes = (0..).map(NodeId::at).zip(&self.places);
        nodes.filter_map(|(node, place)| {
            let rests_at = self.beds.of(node).map(Resting::tip);
            rests_at.or_else(|| Some(place.node.as_ref()?.view().tip()))
        })
    }

    /// Lets a node rest that can.
    pub(super) fn lie_down(&mut self, node: NodeId) {
        if !self.beds.are_open() || self.beds.is_at_rest(node) {
            return;
        }
        let place = &self.places[node.index()];
        let ledger = &self.ledgers[0];
        let Some((core, resting)) = place.node.as_ref().and_then(|core| Some((core, core.rest(ledger)?))) else {
            return;
        };
        let exits = self.pairs.exits(node);
        if exits.len() == self.beds.places(node).len() && self.is_settled_in(node) {
            let connections = exits.iter().filter_map(Exit::connection);
            self.beds.lie_down(node, resting, core.neighbours().zip(connections));
        }
    }

    /// Whether a node has a peer at each of its exits and no other, and the search for its next block goes on.
    pub(super) fn is_settled_in(&self, node: NodeId) -> bool {
        let place = &self.places[node.index()];
        let Some(core) = &place.node else { return false };
        let exits = self.pairs.exits(node);
        let has_all = exits.iter().all(|exit| exit.connection().is_some())
            && core
                .neighbours()
                .map(|neighbour| neighbour.peer)
                .eq(exits.iter().map(|exit| exit.to));
        let is_searching = |bits: CompactTarget| place.miner.searches_for(Goal { bits, on_demand: false });
        has_all && core.goal(&self.ledgers[0]).is_none_or(is_searching)
    }

    /// Has a node go on that rested: what has arrived for it is noted, and what has not is heard on arrival.
    pub(super) fn get_up(&mut self, node: NodeId) {
        self.make(node);
        let moment = (self.now, self.turn);
        let mut left = Vec::new();
        let Some((resting, told)) = self.beds.get_up(node, (moment, &self.ledgers[0]), &mut left) else {
            return;
        };
        let place = &mut self.places[node.index()];
        place.told += told;
        let core = place.node.as_mut().expect("who rests is up");
        core.resume(&self.ledgers[0], resting, self.beds.neighbours(node));
        if self.has_stopped {
            self.stop_mining(node);
        }
        for (place, announcement) in left {
            self.say_aloud(self.beds.end(place).other as usize, announcement);
        }
    }

    /// The same, where nothing else is about to happen to it.
    pub(super) fn rouse(&mut self, node: NodeId) {
        self.call_courier_back(node);
        if self.beds.is_at_rest(node) {
            self.get_up(node);
            self.set_tick(node);
        }
    }

    /// Has an announcement heard on arrival that leaves by one of the ends of a node at rest.
    pub(super) fn put_on_heap(&mut self, place: usize, announcement: Announcement) {
        let Announcement { at, turn, block } = announcement;
        let leg = self.leg(place);
        self.heap.put_back_short(at, turn, (leg, Short::Told(block)));
    }

    /// Has an announcement heard on arrival after all, that left silently by an end.
    pub(super) fn say_aloud(&mut self, place: usize, announcement: Announcement) {
        let end = self.beds.end(place);
        let (from, to) = (end.owner, end.neighbour.peer);
        self.digest.not_announced(announcement.at, to, from);
        self.put_on_heap(place, announcement);
    }

    /// How a message goes that leaves by one of the ends of a node at rest.
    fn leg(&self, place: usize) -> Leg {
        let End { other, connection, .. } = self.beds.end(place);
        Leg {
            place: other,
            connection,
        }
    }

    /// A message of so many bytes by one of a node's exits, if it is one of the three; and the end that it leaves by.
    pub(super) fn shorten(
        &mut self,
        (from, at): (NodeId, usize),
        (message, bytes): (&Message, u64),
    ) -> Option<(usize, Short)> {
        let peer = self.pairs.exits(from)[at].to;
        let place = self.beds.place(from, (exit_number(at), peer))?;
        let ledger = &self.ledgers[0];
        let short = if let Message::Headers(headers) = message
            && let [header] = headers.as_ref()
        {
            Short::Told(ledger.find(&header.id())?)
        } else if let Message::Get(items) = message
            && let [Item::Block(id)] = items.as_slice()
        {
            Short::Asked(ledger.find(id)?)
        } else if let Message::Block(body) = message {
            let block = ledger.find(&body.id())?;
            Short::Sent(self.bodies.send(block, body, short_count(bytes)))
        } else {
            return None;
        };
        Some((place, short))
    }

    /// What a body takes on the way.
    fn body_bytes(&mut self, block: BlockRef) -> u64 {
        if let Some((of, bytes)) = self.lately.sent
            && of == block
        {
            return bytes;
        }
        let body = self.ledgers[0].body(block).expect("what is served is here");
        let bytes = node::message_bytes(self.plan.block_size, &Message::Block(Arc::clone(body)));
        self.lately.sent = Some((block, bytes));
        bytes
    }

    /// What the children of a block must have.
    fn bits_above(&mut self, block: BlockRef) -> CompactTarget {
        let known = self.lately.bits.iter().flatten().find(|(of, _)| *of == block);
        if let Some((_, bits)) = known {
            return *bits;
        }
        let bits = self.ledgers[0].next_bits(block);
        self.lately.bits[self.lately.next] = Some((block, bits));
        self.lately.next = (self.lately.next + 1) % self.lately.bits.len();
        bits
    }

    /// A message arrives that is one of the three.
    pub(super) fn arrive_short(&mut self, leg: Leg, short: Short) {
        match short {
            Short::Told(block) => self.arrive_told(leg, block),
            Short::Asked(block) => self.arrive_asked(leg, block),
            Short::Sent(body) => self.arrive_sent(leg, body),
        }
    }

    /// Who receives what comes by a leg, from whom, and whether it rests; none when the connection has closed meanwhile.
    fn receiver(&self, leg: Leg) -> Option<(NodeId, NodeId, bool)> {
        let place = leg.place as usize;
        let end = self.beds.end(place);
        let (from, to) = (end.neighbour.peer, end.owner);
        let rests = self.beds.is_at_rest(to);
        // Who rests has had the same connections ever since.
        let is_open = if rests {
            end.connection == leg.connection
        } else {
            let exit = exit_number(place - self.beds.places(to).start);
            self.is_open(to, (exit, from), leg.connection)
        };
        is_open.then_some((to, from, rests))
    }

    fn arrive_told(&mut self, leg: Leg, block: BlockRef) {
        let Some((to, from, rests)) = self.receiver(leg) else {
            return;
        };
        self.digest.announced(self.now, to, from);
        if !rests || !self.hears_at_rest(to, leg.place as usize, block) {
            let message = Message::headers([*self.ledgers[0].hashed_header(block)]);
            self.handle(to, Input::Received { peer: from, message });
        }
    }

    fn arrive_asked(&mut self, leg: Leg, block: BlockRef) {
        let Some((to, from, rests)) = self.receiver(leg) else {
            return;
        };
        let about = message_from(from, short_count(self.lately.asked));
        self.digest.happened(self.now, to, (MessageKind::Get as u8, about));
        let place = leg.place as usize;
        let (resting, _) = self.beds.bed(to, place);
        if resting.is_some_and(|resting| rests && resting.serve(&self.ledgers[0], (self.now, from), block)) {
            return self.serve((to, place), block);
        }
        // Who waits for the answer may have to ask somebody else.
        self.set_tick(from);
        let message = Message::Get(vec![Item::Block(self.ledgers[0].id(block))]);
        self.handle(to, Input::Received { peer: from, message });
    }

    fn arrive_sent(&mut self, leg: Leg, body: u32) {
        let Sent { block, body, bytes } = self.bodies.arrive(body);
        let Some((to, from, rests)) = self.receiver(leg) else {
            return;
        };
        let about = message_from(from, bytes);
        self.digest.happened(self.now, to, (MessageKind::Block as u8, about));
        if !rests || !self.gains_at_rest((to, from), leg.place as usize, (block, &body)) {
            let message = Message::Block(body);
            self.handle(to, Input::Received { peer: from, message });
        }
    }

    /// Whether this is still the connection between a node and the peer at one of its exits.
    pub(super) fn is_open(&self, node: NodeId, (exit, peer): (u32, NodeId), connection: u32) -> bool {
        let at = self.pairs.position_near(node, peer, exit);
        at.is_some_and(|at| self.pairs.exits(node)[at].connection() == Some(connection))
    }

    /// Lets a resting node take in what was announced at one of its ends; whether it did.
    fn hears_at_rest(&mut self, node: NodeId, place: usize, block: BlockRef) -> bool {
        let (resting, neighbour) = self.beds.bed(node, place);
        match resting.and_then(|resting| resting.hear(&self.ledgers[0], (self.now, neighbour), block)) {
            Some(Heard::Nothing) => {}
            Some(Heard::Next) => {
                self.beds.wait_for(node, block);
                self.ask((node, place), block);
            }
            Some(Heard::Rival) => self.ask_beside((node, place), block),
            None => return false,
        }
        true
    }

    /// Lets a resting node take in a body that came to one of its ends; whether it did.
    fn gains_at_rest(
        &mut self,
        (node, peer): (NodeId, NodeId),
        place: usize,
        (block, body): (BlockRef, &Arc<Block>),
    ) -> bool {
        let (now, ledger) = (self.now, &self.ledgers[0]);
        let (Some(resting), _) = self.beds.bed(node, place) else {
            return false;
        };
        if resting.receive_late(ledger, (now, peer), block) {
            // How long bodies usually take is another now, and so may the deadline be.
            self.set_tick(node);
            self.receive_again((node, peer), body);
            return true;
        }
        match resting.gain(ledger, (now, peer), (block, body)) {
            Some(Gained::Followed) => {
                self.followed((node, peer), block, body);
                self.tell_others(node, block);
                self.search_on(node, block);
            }
            Some(Gained::Aside) => self.connect_at_rest((node, peer), block, body),
            None => return false,
        }
        // It may wait for another.
        self.set_tick(node);
        true
    }

    /// A node at rest accepted a header, and asks for the body.
    fn ask(&mut self, (node, place): (NodeId, usize), block: BlockRef) {
        // In no detail but the fullest anything else follows from that.
        self.digest.heard(self.now, node, &self.ledgers[0].id(block));
        self.beds.count_told(node, 1);
        self.send_request((node, place), block);
    }

    /// Lets a resting node ask another for the body that is overdue; whether it did.
    pub(super) fn asks_another(&mut self, node: NodeId) -> bool {
        let Some(block) = self.beds.of(node).and_then(Resting::awaited) else {
            return false;
        };
        let moment = (self.now, self.turn);
        let parent = self.ledgers[0].parent(block).expect("it stands on what is followed");
        let mut room = std::mem::take(&mut self.room);
        let lacking = self.beds.lacking(node, (block, parent), moment, &mut room);
        let place = self.beds.ask_another(node, self.now, lacking);
        self.room = room;
        let Some(place) = place else { return false };
        self.send_request((node, place), block);
        true
    }

    pub(super) fn send_request(&mut self, (node, place): (NodeId, usize), block: BlockRef) {
        let asked = self.send_at_rest((node, place), self.lately.asked, Short::Asked(block));
        // Whoever is asked says when the answer comes; until then nobody is late.
        self.tick_by(node, asked);
    }

    /// Has a node that rests, or may, look at its deadline in time when something that it waits for comes then, or never.
    fn tick_by(&mut self, node: NodeId, arrival: Option<Time>) {
        let is_due = match (self.beds.of(node), arrival) {
            (Some(resting), Some(arrival)) => resting.is_due_by(arrival),
            (_, arrival) => {
                let deadline = self.deadline(node);
                deadline.is_some_and(|deadline| arrival.is_none_or(|arrival| deadline <= arrival))
            }
        };
        if is_due {
            self.set_tick(node);
        }
    }

    /// A body came to a node at rest that another had sent meanwhile.
    fn receive_again(&mut self, (node, peer): (NodeId, NodeId), body: &Block) {
        let received = Event::BlockReceived {
            block: body.id(),
            from: peer,
            bytes: body.bytes(),
            duplicate: true,
        };
        self.tell_at_rest(node, received);
    }

    /// A node at rest sends a body to the neighbour at one of its ends.
    fn serve(&mut self, (node, place): (NodeId, usize), block: BlockRef) {
        let bytes = self.body_bytes(block);
        let body = self.ledgers[0].body(block).expect("what is served is here");
        let number = self.bodies.send(block, body, short_count(bytes));
        let arrival = self.send_at_rest((node, place), bytes, Short::Sent(number));
        let peer = self.beds.end(place).neighbour.peer;
        self.tick_by(peer, arrival);
    }

    fn followed(&mut self, (node, peer): (NodeId, NodeId), block: BlockRef, body: &Arc<Block>) {
        if !self.collector.may_follow(&body.id()) {
            self.connect_at_rest((node, peer), block, body);
            self.switch_at_rest(node, block);
            return;
        }
        let tip = self.tip_ref(block);
        self.save(node, body);
        self.collector.follow(self.now, (node, peer), tip);
        self.digest.followed(self.now, node, &tip.block);
        // The three events that this stands for.
        self.beds.count_told(node, 3);
    }

    /// A search goes on as it is while the bits stay the same.
    fn search_on(&mut self, node: NodeId, block: BlockRef) {
        if self.lately.same_above == Some(block) {
            return;
        }
        let parent = self.ledgers[0].parent(block).expect("it stands on what was followed");
        let bits = self.bits_above(block);
        if bits == self.bits_above(parent) {
            self.lately.same_above = Some(block);
        } else if self.hashrate(node) > HashRate::ZERO {
            self.mine(node, Some(Goal { bits, on_demand: false }));
        }
    }

    /// A node at rest sends so many messages of one kind and size.
    pub(super) fn count_sent(&mut self, node: NodeId, kind: MessageKind, (messages, bytes): (u64, u64)) {
        let bytes = messages * bytes;
        let sent = Traffic { messages, bytes };
        self.collector.count_by_kind(kind, sent);
        self.beds.count_sent(node, sent);
    }

    /// Sends what is short by one of the ends of a node at rest; when it arrives, if it does.
    fn send_at_rest(&mut self, (from, place): (NodeId, usize), bytes: u64, short: Short) -> Option<Time> {
        self.count_sent(from, short.kind(), (1, bytes));
        let Some(arrival) = self.leave((from, place), bytes, matches!(short, Short::Sent(_))) else {
            if let Short::Sent(body) = short {
                self.bodies.arrive(body);
            }
            return None;
        };
        let leg = self.leg(place);
        self.heap.push_short(arrival, (leg, short));
        Some(arrival)
    }
}

/// So many bytes as the digest tells apart: as there is room for beside the sender.
pub(super) fn short_count(bytes: u64) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Where an exit stands, as a number that is kept.
pub(super) fn exit_number(at: usize) -> u32 {
    u32::try_from(at).expect("fewer exits than nodes")
}
