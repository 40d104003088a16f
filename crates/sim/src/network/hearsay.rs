//! Announcements of transactions that tell a node nothing new: noted when it next does something, and not when they arrive.
//!
//! With payments, most of what a network sends are announcements of transactions that the receiver has, or has asked somebody for. When the receiver of one is
//! calm about the transaction ([`node::Node::is_calm_about_transaction`]) as it is sent, it never enters the queue of events: it waits here, with the time at which it
//! arrives, until the node does something that it could matter for, so that the node's memory is looked at once for several of them. The digest sums
//! announcements, and counts such a one when it is sent. When its receiver is calm no longer before it has arrived, that is taken back and the
//! announcement put on the heap in its place. The run is the same to the last byte.

use std::sync::Arc;

use base::{NodeId, Time};
use chain::{Ledger, Wtxid};
use gossip::{Item, Message};
use node::{Event, Input, Node, Output};
use observe::Detail;
use scenario::Plan;

use super::Network;
use super::beds::{Moment, has_come};
use super::rest::short_count;
use crate::engine::{Options, Verify};
use crate::heap::{Happening, Turn};
use crate::pairs::Way;

/// An announcement that was sent, and has arrived or will.
#[derive(Debug)]
pub(super) struct Note {
    at: Time,
    turn: Turn,
    peer: NodeId,
    way: Way,
    connection: u32,
    wtxids: Arc<[Wtxid]>,
}

impl Note {
    fn has_arrived(&self, moment: Moment) -> bool {
        has_come((self.at, self.turn), moment)
    }
}

/// How many transactions a node is known to be calm about: those of the last seconds, which are the ones that are announced.
const MARKS: usize = 16;

/// What stands beside a node.
#[derive(Debug, Default)]
struct State {
    /// The transactions about which it is calm, the last of them, by eight bytes of their names: nobody makes up names in a simulation.
    /// Zero is none.
    marks: [u64; MARKS],
    /// Where the next mark goes.
    next: usize,
    /// What has been sent to it, in the order of arrival.
    notes: Vec<Note>,
}

impl State {
    fn is_marked(&self, wtxid: &Wtxid) -> bool {
        self.marks.contains(&mark_of(wtxid))
    }

    fn mark(&mut self, wtxid: &Wtxid) {
        if !self.is_marked(wtxid) {
            self.marks[self.next] = mark_of(wtxid);
            self.next = (self.next + 1) % MARKS;
        }
    }

    /// The node is not calm about this one: what is under way about it is heard on arrival.
    fn unmark(&mut self, wtxid: &Wtxid, moment: Moment, aloud: &mut Vec<Note>) {
        let mark = mark_of(wtxid);
        if let Some(at) = self.marks.iter().position(|other| *other == mark) {
            self.marks[at] = 0;
        }
        let is_of_it = |note: &mut Note| !note.has_arrived(moment) && note.wtxids.contains(wtxid);
        aloud.extend(self.notes.extract_if(.., is_of_it));
    }

    fn unmark_all(&mut self, moment: Moment, aloud: &mut Vec<Note>) {
        self.marks = [0; MARKS];
        aloud.extend(self.notes.extract_if(.., |note| !note.has_arrived(moment)));
    }

    /// Lets an announcement wait. Seldom does one arrive before another that was sent earlier.
    fn keep(&mut self, note: Note) {
        let is_before = |other: &Note| other.at.cmp(&note.at).then_with(|| other.turn.cmp(note.turn)).is_lt();
        if self.notes.last().is_none_or(is_before) {
            self.notes.push(note);
        } else {
            let place = self.notes.partition_point(is_before);
            self.notes.insert(place, note);
        }
    }

    /// Whether what has arrived has to be noted before the node takes this in, for all to be as if it had been heard on arrival. What peers have, and
    /// who may be asked for what, is kept for each transaction, and its bounds for each peer. So a request does not need to wait for it, nor does the
    /// announcement of another transaction by another peer.
    fn matters_for(&self, input: &Input) -> bool {
        let Input::Received { peer, message } = input else {
            return true;
        };
        match message {
            Message::Get(_) => false,
            Message::Announce(wtxids) => {
                let is_of_it =
                    |note: &Note| note.peer == *peer || wtxids.iter().any(|wtxid| note.wtxids.contains(wtxid));
                self.notes.iter().any(is_of_it)
            }
            Message::Hello(_)
            | Message::GetHeaders { .. }
            | Message::Headers(_)
            | Message::Block(_)
            | Message::Transaction(_)
            | Message::NotFound(_)
            | Message::AnnounceBlocks(_)
            | Message::SendCompact { .. }
            | Message::CompactBlock(_)
            | Message::GetBlockTransactions { .. }
            | Message::BlockTransactions { .. }
            | Message::Graft
            | Message::Prune { .. } => true,
        }
    }
}

fn mark_of(Wtxid(name): &Wtxid) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = name.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// What waits for all nodes.
#[derive(Debug)]
pub(super) struct Hearsay {
    /// Empty where every message is heard on arrival. Made for a node when it first asks for a transaction: many networks have none.
    states: Vec<Option<Box<State>>>,
    /// What is to be heard on arrival after all.
    aloud: Vec<Note>,
}

/// What becomes of what a node was calm about, as far as an input tells by itself.
#[derive(Debug)]
pub(super) enum About {
    /// It stays so.
    Nothing,
    /// It is to be looked at again whether the node is calm about this one.
    This(Wtxid),
    /// The node may be calm about nothing any more.
    All,
}

impl About {
    fn of(input: &Input) -> Self {
        match input {
            Input::Tick => Self::Nothing,
            Input::Received { message, .. } => match message {
                Message::Transaction(transaction) => Self::This(transaction.wtxid()),
                Message::Announce(_)
                | Message::Get(_)
                | Message::Headers(_)
                | Message::Block(_)
                | Message::AnnounceBlocks(_) => Self::Nothing,
                Message::Hello(_)
                | Message::GetHeaders { .. }
                | Message::NotFound(_)
                | Message::SendCompact { .. }
                | Message::CompactBlock(_)
                | Message::GetBlockTransactions { .. }
                | Message::BlockTransactions { .. }
                | Message::Graft
                | Message::Prune { .. } => Self::All,
            },
            Input::Connected { .. }
            | Input::Disconnected { .. }
            | Input::Garbage { .. }
            | Input::Drawn
            | Input::Solved { .. }
            | Input::Restored { .. }
            | Input::Command(_) => Self::All,
        }
    }
}

/// Whether after this the node may be calm about nothing any more: a transaction has left its mempool, or is asked of somebody no more.
fn upsets(event: &Event) -> bool {
    match event {
        Event::TipChanged { .. }
        | Event::Reorg { .. }
        | Event::TxEvicted { .. }
        | Event::TxReplaced { .. }
        | Event::TxRejected { .. }
        | Event::PeerPenalised { .. }
        | Event::PeerDisconnected { .. } => true,
        Event::PeerConnected { .. }
        | Event::MessageSent { .. }
        | Event::MessageReceived { .. }
        | Event::MessageDropped { .. }
        | Event::BlockMined { .. }
        | Event::HeaderAccepted { .. }
        | Event::BlockReceived { .. }
        | Event::BlockConnected { .. }
        | Event::BlockRejected { .. }
        | Event::OrphanHeld { .. }
        | Event::OrphanResolved { .. }
        | Event::TxSubmitted { .. }
        | Event::TxAccepted { .. } => false,
    }
}

impl Hearsay {
    /// Nothing waits, and no node is calm about anything. Where all messages are told of, or go through the codec, or nodes number blocks
    /// differently, each is heard on arrival.
    pub(super) fn new(plan: &Plan, options: &Options, detail: Detail) -> Self {
        let may_wait = options.verify == Verify::Shared && !options.check_wire && !detail.tells_messages();
        let nodes = if may_wait { plan.nodes.len() } else { 0 };
        Self {
            states: (0..nodes).map(|_| None).collect(),
            aloud: Vec::new(),
        }
    }

    /// What a message announces to a node that is calm about it all, and where it may wait.
    fn nothing_new(&mut self, node: NodeId, message: &Message) -> Option<(&mut State, Arc<[Wtxid]>)> {
        let Message::Announce(wtxids) = message else {
            return None;
        };
        let state = self.states.get_mut(node.index())?.as_mut()?;
        let is_calm = wtxids.iter().all(|wtxid| state.is_marked(wtxid));
        is_calm.then(|| (&mut **state, Arc::clone(wtxids)))
    }

    /// A node is about to take this in: tells it what has arrived before and could matter for it. Gives what the input is about.
    pub(super) fn tell(
        &mut self,
        (core, ledger): (&mut Node, &Ledger),
        (node, moment): (NodeId, Moment),
        input: &Input,
    ) -> About {
        if let Some(Some(state)) = self.states.get_mut(node.index())
            && !state.notes.is_empty()
            && state.matters_for(input)
        {
            let arrived = state.notes.iter().take_while(|note| note.has_arrived(moment)).count();
            let said = state.notes[..arrived].iter().flat_map(|note| {
                let wtxids = note.wtxids.iter();
                wtxids.map(|wtxid| ((note.at, note.peer), wtxid))
            });
            core.note_transactions(ledger, said);
            state.notes.drain(..arrived);
        }
        About::of(input)
    }

    /// A node has taken something in and left this: finds out what it is calm about now.
    pub(super) fn look_at(&mut self, core: &Node, (node, moment): (NodeId, Moment), about: &About, left: &[Output]) {
        let Some(state) = self.states.get_mut(node.index()) else {
            return;
        };
        let is_upset = |output: &Output| matches!(output, Output::Emit(event) if upsets(event));
        if let Some(state) = state
            && (matches!(about, About::All) || left.iter().any(is_upset))
        {
            state.unmark_all(moment, &mut self.aloud);
        }
        let mut look = |wtxid: &Wtxid| {
            if core.is_calm_about_transaction(wtxid) {
                state.get_or_insert_default().mark(wtxid);
            } else if let Some(state) = state {
                state.unmark(wtxid, moment, &mut self.aloud);
            }
        };
        if let About::This(wtxid) = about {
            look(wtxid);
        }
        let mut look = |wtxid: &Wtxid| {
            let is_marked = state.as_ref().is_some_and(|state| state.is_marked(wtxid));
            if !is_marked && core.is_calm_about_transaction(wtxid) {
                state.get_or_insert_default().mark(wtxid);
            }
        };
        // Most are told of the same in a row.
        let mut told: Option<&Arc<[Wtxid]>> = None;
        for output in left {
            let Output::Send { message, .. } = output else { continue };
            if let Message::Get(items) = message {
                for item in items {
                    if let Item::Transaction(wtxid) = item {
                        look(wtxid);
                    }
                }
            }
            if let Message::Announce(wtxids) = message
                && told.is_none_or(|told| !Arc::ptr_eq(told, wtxids))
            {
                told = Some(wtxids);
                wtxids.iter().take(MARKS).for_each(&mut look);
            }
        }
    }
}

impl Network {
    /// Lets an announcement wait that leaves a node now by one of its exits and arrives then, if it says nothing new; whether it does.
    pub(super) fn is_hearsay(&mut self, (from, at): (NodeId, usize), arrival: Time, message: &Message) -> bool {
        let exit = &self.pairs.exits(from)[at];
        let Some((state, wtxids)) = self.hearsay.nothing_new(exit.to, message) else {
            return false;
        };
        state.keep(Note {
            at: arrival,
            turn: self.heap.hold_back(),
            peer: from,
            way: exit.way,
            connection: exit.connection().expect("what is sent is sent by a connection"),
            wtxids,
        });
        true
    }

    /// The same for one that has arrived, if it says nothing new by now.
    pub(super) fn is_old_news(&mut self, (way, connection): (Way, u32), message: &Message) -> bool {
        let (peer, node) = self.pairs.ends(way);
        let Some((state, wtxids)) = self.hearsay.nothing_new(node, message) else {
            return false;
        };
        state.keep(Note {
            at: self.now,
            turn: self.turn.expect("it is the turn of what arrives"),
            peer,
            way,
            connection,
            wtxids,
        });
        true
    }

    /// Puts on the heap what a node is to hear on arrival after all.
    pub(super) fn hear_on_arrival(&mut self, node: NodeId) {
        while let Some(note) = self.hearsay.aloud.pop() {
            let message = Message::Announce(note.wtxids);
            let bytes = short_count(node::message_bytes(self.plan.block_size, &message));
            self.digest
                .not_announced_transactions(note.at, node, (note.peer, bytes));
            let happening = Happening::Arrival {
                way: note.way,
                connection: note.connection,
                bytes,
                message,
            };
            self.heap.put_back(note.at, note.turn, happening);
        }
    }

    /// A node that is down hears nothing, and from now on is calm about nothing.
    pub(super) fn hear_nothing(&mut self, node: NodeId) {
        if let Some(Some(state)) = self.hearsay.states.get_mut(node.index()) {
            let moment = (self.now, self.turn);
            state.unmark_all(moment, &mut self.hearsay.aloud);
            state.notes.clear();
            self.hear_on_arrival(node);
        }
    }

    /// From now on all announcements of transactions are heard on arrival, and none is under way that is not on the heap.
    pub(super) fn hear_all_on_arrival(&mut self) {
        for node in (0..self.hearsay.states.len()).map(NodeId::at) {
            let ledger = self.ledger_of(node);
            if let Some(core) = &mut self.places[node.index()].node {
                let whose = (node, (self.now, self.turn));
                self.hearsay.tell((core, &self.ledgers[ledger]), whose, &Input::Tick);
            }
            self.hear_nothing(node);
        }
        self.hearsay.states.clear();
    }
}
