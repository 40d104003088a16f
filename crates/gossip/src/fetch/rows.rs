//! What is kept of wanted bodies, of who has them, of questions and of peers.

use base::{NodeId, Time};
use chain::{BlockId, Height};

use crate::limits::{MAX_ASKED_PER_BLOCK, MAX_BLOCKS_IN_FLIGHT, MAX_BLOCKS_OWED};

/// A body that is wanted, or was and is still expected.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) block: BlockId,
    pub(super) height: Height,
    /// In the order of names.
    pub(super) sources: Vec<Source>,
    pub(super) asked_of: Option<NodeId>,
    /// Nobody wants it any more, but it was asked for: remembered until the answer is settled, lest it be asked for twice.
    pub(super) is_idle: bool,
    /// In nobody's flight, and some source may be asked.
    pub(super) is_due: bool,
}

/// A peer that has announced a block, or implied that it has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) peer: NodeId,
    /// Cleared when the peer says that it has it not.
    pub(super) has_it: bool,
    /// It sent another body in its place.
    pub(super) is_liar: bool,
    pub(super) times_asked: u8,
    pub(super) last_asked: Time,
}

impl Source {
    pub(super) const fn new(peer: NodeId) -> Self {
        Self {
            peer,
            has_it: false,
            is_liar: false,
            times_asked: 0,
            last_asked: Time::ZERO,
        }
    }

    pub(super) const fn may_be_asked(self) -> bool {
        self.has_it && self.times_asked < MAX_ASKED_PER_BLOCK
    }
}

/// A question that was not answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) block: BlockId,
    pub(super) of: NodeId,
    /// Whether it is waited for; when not, the answer may still come.
    pub(super) is_waited_for: bool,
}

/// Who may be asked, and how much it owes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) id: NodeId,
    /// How many bodies it is waited for.
    pub(super) in_flight: u16,
    /// How many more it was asked for and is no longer waited for.
    pub(super) given_up: u16,
    /// How many due bodies it may be asked for.
    pub(super) offers: u32,
    /// When it last answered, or was asked while it owed nothing.
    pub(super) progress: Time,
}

impl Peer {
    pub(super) const fn has_room(&self) -> bool {
        (self.in_flight as usize) < MAX_BLOCKS_IN_FLIGHT && self.owed() < MAX_BLOCKS_OWED
    }

    pub(super) const fn owed(&self) -> usize {
        self.in_flight as usize + self.given_up as usize
    }
}

impl Asked {
    pub(super) fn is(&self, peer: NodeId, block: &BlockId) -> bool {
        self.of == peer && self.block == *block
    }
}

impl Wanted {
    pub(super) fn find_source(&self, peer: NodeId) -> Result<usize, usize> {
        self.sources.binary_search_by_key(&peer, |source| source.peer)
    }

    /// The peer as a source, which it is from now on.
    pub(super) fn source(&mut self, peer: NodeId) -> &mut Source {
        let at = self.find_source(peer).unwrap_or_else(|at| {
            self.sources.insert(at, Source::new(peer));
            at
        });
        &mut self.sources[at]
    }

    pub(super) fn stop_waiting_for(&mut self, peer: NodeId) {
        if self.asked_of == Some(peer) {
            self.asked_of = None;
        }
    }
}
