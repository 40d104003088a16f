//! Announcements of transactions that tell a node nothing new: noted when it next does something, and not when they arrive.
//!
//! With payments, most of what a network sends are announcements of transactions that the receiver has, or has asked somebody for. Unlike those of
//! blocks ([`super::beds`]) they have their places on the heap, as the digest counts them in their order. When one arrives, and its receiver is
//! known to be calm about the transaction ([`node::Node::is_calm_about_transaction`]), it waits here until the node does something that it could matter
//! for, so that the node's memory is looked at once for several of them. The run is the same to the last byte.

use std::sync::Arc;

use base::{NodeId, Time};
use chain::{Ledger, Wtxid};
use gossip::{Item, Message};
use node::{Event, Input, Node, Output};
use observe::Detail;
use scenario::Plan;

use super::Network;
use crate::engine::{Options, Verify};

/// An announcement that has arrived.
#[derive(Debug)]
struct Note {
    at: Time,
    peer: NodeId,
    wtxids: Arc<[Wtxid]>,
}

/// How many transactions a node is known to be calm about: those of the last seconds, which are the ones that are announced.
const MARKS: usize = 16;

/// What stands beside a node.
#[derive(Debug, Default)]
struct State {
    /// The transactions about which it is calm, the last of them, by eight bytes of their names: nobody makes up names in a simulation.
    /// Zero is none.
    marks: [u64; MARKS],
    /// Which of them all peers are known to have, a bit for each: that one of them announces it changes nothing.
    settled: u16,
    /// Where the next mark goes.
    next: usize,
    /// What has arrived, in this order.
    notes: Vec<Note>,
}

impl State {
    fn find(&self, wtxid: &Wtxid) -> Option<usize> {
        let mark = mark_of(wtxid);
        self.marks.iter().position(|other| *other == mark)
    }

    fn is_settled(&self, wtxid: &Wtxid) -> bool {
        self.find(wtxid).is_some_and(|at| self.settled >> at & 1 == 1)
    }

    fn mark(&mut self, wtxid: &Wtxid, is_settled: bool) {
        let at = self.find(wtxid).unwrap_or_else(|| {
            let next = self.next;
            self.next = (next + 1) % MARKS;
            next
        });
        self.marks[at] = mark_of(wtxid);
        self.settled = self.settled & !(1 << at) | u16::from(is_settled) << at;
    }

    /// The node is not calm about one that it was told of: it may have forgotten what peers have of others.
    fn unmark(&mut self, wtxid: &Wtxid) {
        if let Some(at) = self.find(wtxid) {
            self.marks[at] = 0;
        }
        self.settled = 0;
    }

    fn unmark_all(&mut self) {
        self.marks = [0; MARKS];
        self.settled = 0;
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
    /// Room for what is taken out, used again.
    taken: Vec<Note>,
}

/// What becomes of what a node was calm about, as far as an input tells by itself.
#[derive(Debug)]
pub(super) enum About {
    /// It stays so.
    Nothing,
    /// It is to be looked at again whether the node is calm about these.
    These(Arc<[Wtxid]>),
    /// The same about this one.
    This(Wtxid),
    /// The node may be calm about nothing any more.
    All,
}

impl About {
    fn of(input: &Input) -> Self {
        match input {
            Input::Tick => Self::Nothing,
            Input::Received { message, .. } => match message {
                Message::Announce(wtxids) => Self::These(Arc::clone(wtxids)),
                Message::Transaction(transaction) => Self::This(transaction.wtxid()),
                Message::Get(_) | Message::Headers(_) | Message::Block(_) | Message::AnnounceBlocks(_) => Self::Nothing,
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
            taken: Vec::new(),
        }
    }

    /// A node is about to take this in: tells it what has arrived before and could matter for it. Gives what the input is about.
    pub(super) fn tell(&mut self, core: &mut Node, (node, ledger): (NodeId, &Ledger), input: &Input) -> About {
        let about = About::of(input);
        if let Some(Some(state)) = self.states.get_mut(node.index())
            && !state.notes.is_empty()
            && state.matters_for(input)
        {
            std::mem::swap(&mut state.notes, &mut self.taken);
            for Note { at, peer, wtxids } in self.taken.drain(..) {
                for wtxid in wtxids.iter() {
                    core.note_transaction(ledger, (at, peer), wtxid);
                }
            }
        }
        about
    }

    /// A node has taken something in and left this: finds out what it is calm about now.
    pub(super) fn look_at(&mut self, core: &Node, node: NodeId, about: &About, left: &[Output]) {
        let Some(state) = self.states.get_mut(node.index()) else {
            return;
        };
        let is_upset = |output: &Output| matches!(output, Output::Emit(event) if upsets(event));
        if let Some(state) = state
            && (matches!(about, About::All) || left.iter().any(is_upset))
        {
            state.unmark_all();
        }
        match about {
            About::These(wtxids) => {
                for wtxid in wtxids.iter().take(MARKS) {
                    look(state, core, wtxid);
                }
            }
            About::This(wtxid) => look(state, core, wtxid),
            About::Nothing | About::All => {}
        }
        // Most are told of the same in a row.
        let mut told: Option<&Arc<[Wtxid]>> = None;
        for output in left {
            let Output::Send { message, .. } = output else { continue };
            if let Message::Get(items) = message {
                for item in items {
                    if let Item::Transaction(wtxid) = item {
                        look(state, core, wtxid);
                    }
                }
            }
            if let Message::Announce(wtxids) = message
                && told.is_none_or(|told| !Arc::ptr_eq(told, wtxids))
            {
                told = Some(wtxids);
                for wtxid in wtxids.iter().take(MARKS) {
                    look(state, core, wtxid);
                }
            }
        }
    }
}

fn look(state: &mut Option<Box<State>>, core: &Node, wtxid: &Wtxid) {
    if core.is_calm_about_transaction(wtxid) {
        state.get_or_insert_default().mark(wtxid, core.all_have(wtxid));
    } else if let Some(state) = state {
        state.unmark(wtxid);
    }
}

impl Network {
    /// Lets an announcement that has arrived wait, if it may; whether it does.
    pub(super) fn is_hearsay(&mut self, (node, peer): (NodeId, NodeId), message: &Message) -> bool {
        let Message::Announce(wtxids) = message else {
            return false;
        };
        let Some(Some(state)) = self.hearsay.states.get_mut(node.index()) else {
            return false;
        };
        // What is due now comes before it is noted, whichever comes first.
        let is_calm =
            wtxids.iter().all(|wtxid| state.find(wtxid).is_some()) && self.places[node.index()].tick > self.now;
        if is_calm && !wtxids.iter().all(|wtxid| state.is_settled(wtxid)) {
            state.notes.push(Note {
                at: self.now,
                peer,
                wtxids: Arc::clone(wtxids),
            });
        }
        is_calm
    }
}
