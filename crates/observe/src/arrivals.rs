//! When each node got each block and followed it: a long list, packed small, that can be entered anywhere.
//!
//! The list is cut into frames. A frame begins with what every node followed before it, so that the tips at any time are found by reading one
//! frame. Blocks are told by number, in the order in which they were first seen; see [`crate::model`].
//!
//! Logs of full detail hold all of it, and a model keeps the frames in memory. Below, a run folder has them beside its log, in
//! [`FILE`], and they are read from there when they are asked for.

mod codec;
mod stored;
mod write;

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use base::{NodeId, Time};
use chain::BlockId;
use thiserror::Error;

use crate::limits::ARRIVALS_IN_FRAME;
use codec::{pack, unpack};
use stored::Stored;

pub use stored::FILE;
pub use write::ArrivalsWriter;

/// A block, by the order in which blocks were first seen; 0 is the genesis block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, serde::Serialize)]
#[serde(transparent)]
pub struct BlockNumber(pub u32);

impl BlockNumber {
    /// The place in a list that holds one entry for each block.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The block at a place in such a list.
    ///
    /// # Panics
    /// When the place does not fit 32 bits; heights do.
    #[must_use]
    pub fn at(index: usize) -> Self {
        Self(u32::try_from(index).expect("there are fewer blocks than 2^32"))
    }
}

/// Something that happened between a node and a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// When.
    pub at: Time,
    /// Whose.
    pub node: NodeId,
    /// Which block.
    pub block: BlockNumber,
    /// What happened.
    pub what: What,
}

/// What happens between a node and a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// The node has it, and all its ancestors, and found it valid. `from` is who sent it; none for one's own, or when it was not seen.
    Connected {
        /// Who sent it.
        from: Option<NodeId>,
    },
    /// The node's tip is this block.
    Followed,
}

/// Some arrivals in a row, packed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// When the first of them was.
    pub first: Time,
    /// When the last of them was.
    pub last: Time,
    packed: Packed,
}

/// What the nodes followed before, and the arrivals: where the bytes are.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Packed {
    Here(Vec<u8>),
    /// In the file, compressed.
    OnDisk {
        offset: u64,
        length: usize,
    },
}

/// Why what is on disk cannot be read back.
#[derive(Debug, Error)]
pub enum Unreadable {
    /// The file cannot be opened or read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is of another version, or of another network.
    #[error("{path} does not hold the arrivals of this run's blocks")]
    Foreign {
        /// Which.
        path: PathBuf,
    },
    /// A frame is damaged.
    #[error("the arrivals of blocks from {first:?} on are damaged")]
    Damaged {
        /// When the frame begins.
        first: Time,
    },
}

/// The list. See the module's documentation.
#[derive(Clone, Debug, Default)]
pub struct Arrivals {
    frames: Vec<Frame>,
    /// Those of the frame that is not full yet.
    newest: Vec<Arrival>,
    /// What the nodes followed before them.
    tips_before: Vec<BlockNumber>,
    /// What they follow now.
    tips: Vec<BlockNumber>,
    /// The file that the frames are read from.
    stored: Option<Stored>,
}

impl Arrivals {
    /// Nothing has arrived at any of so many nodes: all follow the genesis block.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self {
            frames: Vec::new(),
            newest: Vec::new(),
            tips_before: vec![BlockNumber(0); nodes],
            tips: vec![BlockNumber(0); nodes],
            stored: None,
        }
    }

    /// The arrivals that a run folder holds beside its log, so far none of them.
    ///
    /// # Errors
    /// When they are not those of so many nodes.
    pub fn beside(folder: &Path, nodes: usize) -> Result<Self, Unreadable> {
        Ok(Self {
            stored: Some(Stored::open(folder, nodes)?),
            ..Self::new(nodes)
        })
    }

    /// Whether they are read from a file: then nothing is to be pushed.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        self.stored.is_some()
    }

    /// Takes in the frames that were written since, as far as `number` knows their blocks; says whether there were any.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn poll(&mut self, number: impl Fn(&BlockId) -> Option<BlockNumber>) -> Result<bool, Unreadable> {
        let Some(stored) = &mut self.stored else {
            return Ok(false);
        };
        let known = self.frames.len();
        while let Some(frame) = stored.next_frame(&number)? {
            self.frames.push(frame);
        }
        Ok(self.frames.len() > known)
    }

    /// Takes in what happened next; a time before the last one's counts as that.
    pub fn push(&mut self, mut arrival: Arrival) {
        arrival.at = arrival.at.max(self.last());
        if arrival.what == What::Followed {
            self.tips[arrival.node.index()] = arrival.block;
        }
        self.newest.push(arrival);
        if self.newest.len() == ARRIVALS_IN_FRAME {
            let frame = Frame::of(&self.tips_before, &self.newest);
            self.frames.push(frame);
            self.newest.clear();
            self.tips_before.clone_from(&self.tips);
        }
    }

    /// When the last of them was that is known.
    #[must_use]
    pub fn last(&self) -> Time {
        let newest = self.newest.last().map(|last| last.at);
        newest
            .or(self.frames.last().map(|frame| frame.last))
            .unwrap_or_default()
    }

    fn unpack(&self, frame: &Frame) -> Result<(Vec<BlockNumber>, Vec<Arrival>), Unreadable> {
        let nodes = self.tips.len();
        let damaged = || Unreadable::Damaged { first: frame.first };
        match (&frame.packed, &self.stored) {
            (Packed::Here(bytes), _) => unpack(frame.first, nodes, bytes).ok_or_else(damaged),
            (Packed::OnDisk { offset, length }, Some(stored)) => {
                let bytes = stored.read(*offset, *length)?.ok_or_else(damaged)?;
                let (tips, arrivals) = unpack(frame.first, nodes, &bytes).ok_or_else(damaged)?;
                stored.renumbered(tips, arrivals).ok_or_else(damaged)
            }
            (Packed::OnDisk { .. }, None) => unreachable!("only what is stored is on disk"),
        }
    }

    /// What every node followed at a time, by [`NodeId`].
    ///
    /// # Errors
    /// When it was written to disk and cannot be read back.
    pub fn tips_at(&self, at: Time) -> Result<Vec<BlockNumber>, Unreadable> {
        let begun = self.frames.partition_point(|frame| frame.first <= at);
        let newest_begun = self.newest.first().is_some_and(|first| first.at <= at);
        let (mut tips, arrivals) = match begun.checked_sub(1) {
            _ if newest_begun => (self.tips_before.clone(), self.newest.clone()),
            Some(frame) => self.unpack(&self.frames[frame])?,
            None => return Ok(vec![BlockNumber(0); self.tips.len()]),
        };
        for arrival in arrivals.iter().take_while(|arrival| arrival.at <= at) {
            if arrival.what == What::Followed {
                tips[arrival.node.index()] = arrival.block;
            }
        }
        Ok(tips)
    }

    /// Goes through what happened from one time to another, both included, until told to stop.
    ///
    /// # Errors
    /// When it was written to disk and cannot be read back.
    pub fn walk(
        &self,
        (from, to): (Time, Time),
        mut step: impl FnMut(&Arrival) -> ControlFlow<()>,
    ) -> Result<(), Unreadable> {
        let begun = self.frames.partition_point(|frame| frame.last < from);
        for frame in &self.frames[begun..] {
            if frame.first > to {
                return Ok(());
            }
            let (_, arrivals) = self.unpack(frame)?;
            for arrival in arrivals.iter().filter(|arrival| (from..=to).contains(&arrival.at)) {
                if step(arrival).is_break() {
                    return Ok(());
                }
            }
        }
        for arrival in self.newest.iter().filter(|arrival| (from..=to).contains(&arrival.at)) {
            if step(arrival).is_break() {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Frame {
    fn of(tips: &[BlockNumber], arrivals: &[Arrival]) -> Self {
        let ends = (arrivals.first(), arrivals.last());
        let (first, last) = (ends.0.expect("it is full").at, ends.1.expect("it is full").at);
        Self {
            first,
            last,
            packed: Packed::Here(pack(first, tips, arrivals)),
        }
    }
}
