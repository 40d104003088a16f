//! What nodes at rest do ([`node::Resting`]), and how they come to rest and get up: the same as what [`Network::handle`] makes of their outputs, and nearly
//! all that happens.

use std::sync::Arc;

use base::{NodeId, Time};
use chain::{Block, BlockRef, CompactTarget};
use gossip::{Item, Message, MessageKind};
use node::event::TipRef;
use node::{Goal, Heard, Input, Resting};

use super::Network;
use super::beds::{Announcement, Aside, Beds};
use crate::engine::Verify;
use crate::heap::{Happening, Heap};

/// A message of the three that all the rest is made of, in short.
#[derive(Clone, Debug)]
pub(crate) enum Short {
    /// The header of one block ([`Message::Headers`]).
    Told(BlockRef),
    /// A request for one block's body ([`Message::Get`]).
    Asked(BlockRef),
    /// A body ([`Message::Block`]).
    Sent(BlockRef, Arc<Block>),
}

impl Short {
    const fn kind(&self) -> MessageKind {
        match self {
            Self::Told(_) => MessageKind::Headers,
            Self::Asked(_) => MessageKind::Get,
            Self::Sent(..) => MessageKind::Block,
        }
    }
}

/// Who sends something to whom, on which connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passage {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) connection: u32,
    /// Where the receiver's exit back to the sender stood when it was sent: most likely where it stands.
    pub(crate) exit: u32,
}

/// What is the same for many messages.
#[derive(Debug, Default)]
pub(super) struct Lately {
    /// Bytes of an announcement and of a request.
    told: u64,
    asked: u64,
    /// A body's, and which it was.
    sent: Option<(BlockRef, u64)>,
    /// What the children of a block must have, for the last few blocks.
    bits: [Option<(BlockRef, CompactTarget)>; 4],
    next: usize,
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
            self.beds = Beds::new(self.places.len(), &self.pairs);
        }
    }

    /// From now on no node rests.
    pub(crate) fn close_beds(&mut self) {
        for node in (0..self.places.len()).map(NodeId::at) {
            self.get_up(node);
        }
        self.beds = Beds::default();
    }

    /// What the nodes that run follow, in no particular order.
    pub(crate) fn tips(&self) -> impl Iterator<Item = BlockRef> {
        let nodes = (0..).map(NodeId::at).zip(&self.places);
        nodes.filter_map(|(node, place)| {
            let core = place.node.as_ref()?;
            Some(self.beds.of(node).map_or_else(|| core.view().tip(), Resting::tip))
        })
    }

    /// Lets a node rest that can.
    pub(super) fn lie_down(&mut self, node: NodeId) {
        if !self.beds.are_open() || self.beds.of(node).is_some() {
            return;
        }
        let place = &self.places[node.index()];
        let ledger = &self.ledgers[0];
        let Some((core, resting)) = place.node.as_ref().and_then(|core| Some((core, core.rest(ledger)?))) else {
            return;
        };
        let exits = self.pairs.exits(node);
        let has_all = exits.len() == self.beds.neighbours(node).len()
            && exits.iter().all(|exit| exit.connection().is_some())
            && core
                .neighbours()
                .map(|neighbour| neighbour.peer)
                .eq(exits.iter().map(|exit| exit.to));
        let is_searching = |bits: CompactTarget| place.miner.searches_for(Goal { bits, on_demand: false });
        if has_all && core.goal(ledger).is_none_or(is_searching) {
            self.beds.lie_down(node, resting, core.neighbours());
        }
    }

    /// Has a node go on that rested: what has arrived for it is noted, and what has not is heard on arrival.
    pub(super) fn get_up(&mut self, node: NodeId) {
        let moment = (self.now, self.turn);
        let ledger = &self.ledgers[0];
        let Some(mut bed) = self.beds.bed(node) else { return };
        bed.note_arrived(node, (moment, ledger, &mut self.digest));
        let mut left = Vec::new();
        let Some(resting) = self.beds.get_up(node, &mut left) else {
            return;
        };
        let core = self.places[node.index()].node.as_mut().expect("who rests is up");
        core.resume(ledger, resting, self.beds.neighbours(node));
        for (at_exit, Announcement { at, turn, block }) in left {
            let exit = &self.pairs.exits(node)[at_exit];
            let connection = exit.connection().expect("who rests is connected");
            let passage = Passage {
                from: exit.to,
                to: node,
                connection,
                exit: u32::try_from(at_exit).expect("fewer than nodes"),
            };
            let happening = Happening::Short {
                passage,
                bytes: self.lately.told,
                short: Short::Told(block),
            };
            self.heap.put_back(at, turn, happening);
        }
    }

    /// A message that is one of the three.
    pub(super) fn shorten(&mut self, message: &Message) -> Option<Short> {
        if !self.beds.are_open() {
            return None;
        }
        let ledger = &self.ledgers[0];
        if let Message::Headers(headers) = message
            && let [header] = headers.as_ref()
        {
            ledger.find(&header.id()).map(Short::Told)
        } else if let Message::Get(items) = message
            && let [Item::Block(id)] = items.as_slice()
        {
            ledger.find(id).map(Short::Asked)
        } else if let Message::Block(body) = message {
            let block = ledger.find(&body.id())?;
            Some(Short::Sent(block, Arc::clone(body)))
        } else {
            None
        }
    }

    /// The message that is meant.
    fn lengthen(&self, short: Short) -> Message {
        let ledger = &self.ledgers[0];
        match short {
            Short::Told(block) => Message::headers([*ledger.hashed_header(block)]),
            Short::Asked(block) => Message::Get(vec![Item::Block(ledger.id(block))]),
            Short::Sent(_, body) => Message::Block(body),
        }
    }

    /// What a body takes on the way.
    fn body_bytes(&mut self, block: BlockRef, body: &Arc<Block>) -> u64 {
        if let Some((of, bytes)) = self.lately.sent
            && of == block
        {
            return bytes;
        }
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
    pub(super) fn arrive_short(&mut self, passage: Passage, bytes: u64, short: Short) {
        let Passage {
            from,
            to,
            connection,
            exit,
        } = passage;
        let Some(at) = self.pairs.position_near(to, from, exit) else {
            return;
        };
        if self.pairs.exits(to)[at].connection() != Some(connection) {
            return;
        }
        if let Short::Told(_) = short {
            self.digest.announced(self.now, to, from);
        } else {
            // As many as there is room for beside the sender, as in all other messages.
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            let about = (u64::from(from.0) << 32) | u64::from(bytes);
            self.digest.happened(self.now, to, (short.kind() as u8, about));
        }
        if !self.takes_at_rest((to, at), &short) {
            let message = self.lengthen(short);
            self.handle(to, Input::Received { peer: from, message });
        }
    }

    /// Lets a resting node take in what came to one of its exits; whether it did.
    fn takes_at_rest(&mut self, (node, at): (NodeId, usize), short: &Short) -> bool {
        let Some(mut bed) = self.beds.bed(node) else {
            return false;
        };
        let peer = bed.neighbours[at].peer;
        let (now, ledger) = (self.now, &self.ledgers[0]);
        match short {
            Short::Told(block) => match bed.resting.hear(ledger, (now, &mut bed.neighbours[at]), *block) {
                Some(Heard::Nothing) => true,
                Some(Heard::Next) => {
                    bed.settle();
                    self.ask(node, at, *block);
                    true
                }
                None => false,
            },
            Short::Asked(block) => {
                let body = ledger
                    .body(*block)
                    .filter(|_| bed.resting.serve(ledger, (now, peer), *block));
                let Some(body) = body.map(Arc::clone) else { return false };
                let bytes = self.body_bytes(*block, &body);
                self.send_short((node, at), bytes, Short::Sent(*block, body));
                true
            }
            Short::Sent(block, body) => {
                let follows =
                    self.collector.may_follow(&body.id()) && bed.resting.follow(ledger, (now, peer), (*block, body));
                if follows {
                    bed.note_arrived(node, ((now, self.turn), ledger, &mut self.digest));
                    bed.settle();
                    self.followed((node, peer), *block, body);
                    self.tell_others(node, *block);
                    self.search_on(node, *block);
                }
                follows
            }
        }
    }

    /// A node at rest accepted a header, and asks for the body.
    fn ask(&mut self, node: NodeId, at: usize, block: BlockRef) {
        // In no detail but the fullest anything else follows from that.
        self.digest.heard(self.now, node, &self.ledgers[0].id(block));
        self.places[node.index()].told += 1;
        self.send_short((node, at), self.lately.asked, Short::Asked(block));
        self.set_tick(node);
    }

    fn followed(&mut self, (node, peer): (NodeId, NodeId), block: BlockRef, body: &Arc<Block>) {
        let ledger = &self.ledgers[0];
        let tip = TipRef {
            block: ledger.id(block),
            height: ledger.height(block),
            chain_work: ledger.work(block),
        };
        if !self.forgets {
            self.places[node.index()].disk.push(Arc::clone(body));
        }
        self.collector.follow(self.now, (node, peer), tip);
        self.digest.followed(self.now, node, &tip.block);
        // The three events that this stands for.
        self.places[node.index()].told += 3;
    }

    /// Sends the header of the block that a node follows to all who do not have it.
    fn tell_others(&mut self, node: NodeId, block: BlockRef) {
        let (now, bytes) = (self.now, self.lately.told);
        let moment = (now, self.turn);
        let exits = self.pairs.exits_mut(node);
        let uplink = &mut self.places[node.index()].uplink;
        let mut told = 0;
        for (at, exit) in exits.iter_mut().enumerate() {
            if self.beds.neighbours(node)[at].has(block) {
                continue;
            }
            let Some(connection) = exit.connection() else { continue };
            told += 1;
            let arrival = match uplink {
                None => exit.link.send(now, bytes),
                Some(uplink) => uplink.send_small(&mut exit.link, now, bytes),
            };
            let Some(arrival) = arrival else { continue };
            let passage = Passage {
                from: node,
                to: exit.to,
                connection,
                exit: exit.opposite,
            };
            spread_news(
                &mut self.heap,
                &mut self.beds,
                (passage, block),
                (arrival, bytes),
                (moment, &self.ledgers[0], &mut self.digest),
            );
        }
        self.collector.count_all_sent(node, MessageKind::Headers, (told, bytes));
    }

    /// A search goes on as it is while the bits stay the same.
    fn search_on(&mut self, node: NodeId, block: BlockRef) {
        let parent = self.ledgers[0].parent(block).expect("it stands on what was followed");
        let bits = self.bits_above(block);
        if bits != self.bits_above(parent) {
            let core = self.places[node.index()].node.as_ref();
            if core.is_some_and(|core| core.goal(&self.ledgers[0]).is_some()) {
                self.mine(node, Some(Goal { bits, on_demand: false }));
            }
        }
    }

    /// Sends what is short by one of a node's exits.
    pub(super) fn send_short(&mut self, (from, at): (NodeId, usize), bytes: u64, short: Short) {
        let exit = self.pairs.exit_mut(from, at);
        let Some(connection) = exit.connection() else { return };
        self.collector.count_sent(from, short.kind(), bytes);
        let is_block = matches!(short, Short::Sent(..));
        let (to, opposite) = (exit.to, exit.opposite);
        let Some(arrival) = self.pass((from, at), bytes, is_block) else {
            return;
        };
        let passage = Passage {
            from,
            to,
            connection,
            exit: opposite,
        };
        if let Short::Told(block) = short
            && self.beds.are_open()
        {
            let aside = ((self.now, self.turn), &self.ledgers[0], &mut self.digest);
            spread_news(
                &mut self.heap,
                &mut self.beds,
                (passage, block),
                (arrival, bytes),
                aside,
            );
        } else {
            self.heap.push(arrival, Happening::Short { passage, bytes, short });
        }
    }
}

/// Lets an announcement wait where it says nothing new, or be heard on arrival.
fn spread_news(
    heap: &mut Heap,
    beds: &mut Beds,
    (passage, block): (Passage, BlockRef),
    (at, bytes): (Time, u64),
    aside: Aside<'_>,
) {
    let turn = heap.hold_back();
    let announcement = Announcement { at, turn, block };
    if !beds.is_old_news(passage.to, block) || !beds.wait((passage.to, passage.exit), announcement, aside) {
        let short = Short::Told(block);
        heap.put_back(at, turn, Happening::Short { passage, bytes, short });
    }
}
