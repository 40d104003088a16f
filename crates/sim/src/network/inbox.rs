//! Announcements that tell a node nothing new: noted when it next does something, and not when they arrive.
//!
//! Most of what a network sends are announcements of blocks that the receiver has, or is being sent. All that follows from such a one is that
//! its sender has the block too ([`node::Node::note_announcement`]). So none needs the receiver's attention on arrival: it waits here, and is handed over, with its
//! own time, before the receiver next takes anything in. A node that was not calm about a block when it was announced, or is so no longer
//! while the announcement is under way, hears of it on arrival, like of everything else. The run is the same to the last byte.

use std::sync::Arc;

use base::{NodeId, Time};
use chain::{BlockRef, HashedHeader};
use gossip::Message;
use node::Calm;

use crate::heap::{Happening, Turn};
use crate::pairs::Way;

use super::Network;

/// An announcement on its way, or not noted yet.
#[derive(Clone, Copy, Debug)]
struct Announcement {
    at: Time,
    turn: Turn,
    block: BlockRef,
    /// The receiver's exit that leads back to the sender.
    exit: u32,
}

/// What stands beside all nodes, so that a look at one costs little.
#[derive(Debug, Default)]
struct State {
    calm: Calm,
    /// What waits, in the order in which it was sent.
    waiting: Vec<Announcement>,
}

/// What waits for all nodes.
#[derive(Debug)]
pub(super) struct Inboxes {
    /// Whether announcements may wait.
    are_open: bool,
    states: Vec<State>,
    /// The announcement that was sent last, and of which block it is.
    told: Option<(Arc<[HashedHeader]>, BlockRef)>,
    /// Room for what is taken out, used again.
    taken: Vec<Announcement>,
}

impl Inboxes {
    /// Nothing waits, and none of so many nodes is calm.
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            are_open: true,
            states: (0..nodes).map(|_| State::default()).collect(),
            told: None,
            taken: Vec::new(),
        }
    }

    /// Nothing may wait.
    pub(super) fn closed() -> Self {
        Self {
            are_open: false,
            ..Self::new(0)
        }
    }

    /// A node has one more exit, in this place.
    fn make_place(&mut self, node: NodeId, at: usize) {
        if self.are_open {
            for announcement in &mut self.states[node.index()].waiting {
                announcement.exit += u32::from(announcement.exit as usize >= at);
            }
        }
    }

    /// Takes out what waits for a node and is wanted.
    fn take_all(&mut self, node: NodeId, is_wanted: impl Fn(&Announcement) -> bool) -> Vec<Announcement> {
        let mut out = std::mem::take(&mut self.taken);
        out.extend(
            self.states[node.index()]
                .waiting
                .extract_if(.., |announcement| is_wanted(announcement)),
        );
        out
    }

    /// Reads what waits for a node: see [`node::Node::look_closer`].
    pub(super) fn glance(&self, node: NodeId) -> usize {
        let state = self.states.get(node.index());
        state
            .and_then(|state| state.waiting.first())
            .map_or(0, |waiting| waiting.exit as usize)
    }

    /// What waits for a node from where this exit leads goes.
    pub(super) fn drop_waiting(&mut self, node: NodeId, at: usize) {
        if self.are_open {
            self.states[node.index()]
                .waiting
                .retain(|announcement| announcement.exit as usize != at);
        }
    }
}

impl Network {
    /// The way from one node to another, who are a pair from now on.
    pub(crate) fn way(&mut self, from: NodeId, to: NodeId) -> Way {
        let (way, new) = self.pairs.way(from, to);
        for (node, at) in new.into_iter().flatten() {
            self.inboxes.make_place(node, at);
        }
        way
    }

    /// Lets a message wait in its receiver's inbox, if it is one that may; whether it does. `exit` is the receiver's, back to the sender.
    pub(super) fn waits(&mut self, (node, exit): (NodeId, u32), at: Time, message: &Message) -> bool {
        if !self.inboxes.are_open {
            return false;
        }
        let Message::Headers(headers) = message else {
            return false;
        };
        let Some(block) = self.announced(headers) else {
            return false;
        };
        self.waits_about((node, exit), at, block)
    }

    /// The same for the announcement of a single block.
    pub(super) fn waits_about(&mut self, (node, exit): (NodeId, u32), at: Time, block: BlockRef) -> bool {
        if !self.inboxes.are_open {
            return false;
        }
        let state = &mut self.inboxes.states[node.index()];
        let is_calm = state.calm.is_about(block);
        if is_calm {
            let turn = self.heap.hold_back();
            state.waiting.push(Announcement { at, turn, block, exit });
        }
        is_calm
    }

    /// The block that a message announces, if it announces one. Most are sent to one peer after another.
    fn announced(&mut self, headers: &Arc<[HashedHeader]>) -> Option<BlockRef> {
        if let Some((told, block)) = &self.inboxes.told
            && Arc::ptr_eq(told, headers)
        {
            return Some(*block);
        }
        let [header] = headers.as_ref() else { return None };
        let block = self.ledgers[0].find(&header.id())?;
        self.inboxes.told = Some((Arc::clone(headers), block));
        Some(block)
    }

    /// Hands a node what has arrived for it.
    pub(super) fn catch_up(&mut self, node: NodeId) {
        if !self.inboxes.are_open || self.inboxes.states[node.index()].waiting.is_empty() {
            return;
        }
        let (now, turn) = (self.now, self.turn);
        let has_arrived = |announcement: &Announcement| {
            let had_its_turn = || turn.is_some_and(|turn| announcement.turn.is_before(turn));
            announcement.at < now || (announcement.at == now && had_its_turn())
        };
        let mut due = self.inboxes.take_all(node, has_arrived);
        for announcement in due.drain(..) {
            let peer = self.pairs.peer(node, announcement.exit);
            self.digest.announced(announcement.at, node, peer);
            if let Some(core) = &mut self.places[node.index()].node {
                core.note_announcement(&self.ledgers[0], (announcement.at, peer), announcement.block);
            }
        }
        self.inboxes.taken = due;
    }

    /// Something happened to a node: what is on its way to it and may say something new now is heard on arrival.
    pub(super) fn look_for_calm(&mut self, node: NodeId) {
        if !self.inboxes.are_open {
            return;
        }
        let core = self.places[node.index()].node.as_ref();
        let calm = core.map_or_else(Calm::default, |core| core.calm(&self.ledgers[0]));
        let before = std::mem::replace(&mut self.inboxes.states[node.index()].calm, calm);
        if !self.inboxes.states[node.index()].waiting.is_empty() && !calm.follows(before) {
            self.wake(node);
        }
    }

    /// A node at rest has done what it does about the next block: whatever it was calm about before, it still is.
    pub(super) fn stay_calm(&mut self, node: NodeId) {
        if !self.inboxes.are_open {
            return;
        }
        if let Some(core) = self.places[node.index()].node.as_ref() {
            self.inboxes.states[node.index()].calm = core.calm(&self.ledgers[0]);
        }
    }

    /// What is on its way to a node is heard on arrival.
    fn wake(&mut self, node: NodeId) {
        let mut due = self.inboxes.take_all(node, |_| true);
        for Announcement { at, turn, block, exit } in due.drain(..) {
            let way = self.pairs.exits(node)[exit as usize].way.reversed();
            let Some(connection) = self.pairs.get(way).connection() else {
                continue;
            };
            let header = *self.ledgers[0].hashed_header(block);
            let message = Message::headers([header]);
            let bytes = u32::try_from(node::message_bytes(self.plan.block_size, &message)).unwrap_or(u32::MAX);
            let happening = Happening::Arrival {
                way,
                connection,
                bytes,
                message,
            };
            self.heap.put_back(at, turn, happening);
        }
        self.inboxes.taken = due;
    }

    /// From now on every message is heard on arrival.
    pub(crate) fn note_at_once(&mut self) {
        if self.inboxes.are_open {
            self.catch_up_all();
            for node in (0..self.places.len()).map(NodeId::at) {
                self.wake(node);
            }
            self.inboxes.are_open = false;
        }
    }

    /// Hands all nodes what has arrived for them.
    pub(super) fn catch_up_all(&mut self) {
        for node in (0..self.places.len()).map(NodeId::at) {
            self.catch_up(node);
        }
    }
}
