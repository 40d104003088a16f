//! Writing arrivals into a run folder as they come. See [`super::stored`] for the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use base::{NodeId, Time};
use chain::BlockId;
use node::Event;
use zstd::bulk::Compressor;

use super::codec::pack;
use super::stored::{FILE, MAGIC};
use super::{Arrival, BlockNumber, What};
use crate::limits::ARRIVALS_IN_FRAME;

/// zstd's own default: what is packed already gives little more at higher levels.
const LEVEL: i32 = 3;

/// Appends arrivals to the file of a run folder.
pub struct ArrivalsWriter {
    file: File,
    compressor: Compressor<'static>,
    newest: Vec<Arrival>,
    tips_before: Vec<BlockNumber>,
    tips: Vec<BlockNumber>,
    numbers: BTreeMap<BlockId, BlockNumber>,
    /// Blocks first seen since the last frame.
    new_blocks: Vec<BlockId>,
    /// The block that was spoken of last: most often it is the next as well.
    last: (BlockId, BlockNumber),
    /// The body that each node received last, and who sent it: most often that is what it connects next.
    bodies: Vec<Option<(BlockId, NodeId)>>,
}

impl ArrivalsWriter {
    /// Begins the file in a folder that has none.
    ///
    /// # Errors
    /// When it cannot be created, also because it exists.
    pub fn create(folder: &Path, nodes: usize, genesis: BlockId) -> io::Result<Self> {
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.include_checksum(true)?;
        let mut file = File::create_new(folder.join(FILE))?;
        let count = u32::try_from(nodes).expect("networks are capped at a million nodes");
        let mut head = MAGIC.to_vec();
        head.extend(count.to_le_bytes());
        head.extend(genesis.0.0);
        file.write_all(&head)?;
        Ok(Self {
            file,
            compressor,
            newest: Vec::new(),
            tips_before: vec![BlockNumber(0); nodes],
            tips: vec![BlockNumber(0); nodes],
            numbers: BTreeMap::from([(genesis, BlockNumber(0))]),
            new_blocks: Vec::new(),
            last: (genesis, BlockNumber(0)),
            bodies: vec![None; nodes],
        })
    }

    /// A node has started (again): it follows the genesis block until it tells more.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn started(&mut self, at: Time, node: NodeId) -> io::Result<()> {
        self.bodies[node.index()] = None;
        self.push(at, node, (BlockNumber(0), What::Followed))
    }

    /// Takes in what a node tells.
    ///
    /// # Errors
    /// When the file cannot be written.
    #[expect(clippy::wildcard_enum_match_arm, reason = "few kinds are about arrivals")]
    pub fn observe(&mut self, at: Time, node: NodeId, event: &Event) -> io::Result<()> {
        match event {
            Event::BlockReceived { block, from, .. } => {
                self.bodies[node.index()] = Some((*block, *from));
                Ok(())
            }
            Event::BlockConnected { block, .. } => {
                let body = self.bodies[node.index()].take_if(|(received, _)| received == block);
                let from = body.map(|(_, from)| from);
                let number = self.number(block);
                self.push(at, node, (number, What::Connected { from }))
            }
            Event::TipChanged { new, .. } => {
                let number = self.number(&new.block);
                self.push(at, node, (number, What::Followed))
            }
            _ => Ok(()),
        }
    }

    /// A node received a block from a peer, connected it and follows it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn follow(&mut self, at: Time, (node, peer): (NodeId, NodeId), block: &BlockId) -> io::Result<()> {
        self.bodies[node.index()] = None;
        let number = self.number(block);
        self.push(at, node, (number, What::Connected { from: Some(peer) }))?;
        self.push(at, node, (number, What::Followed))
    }

    /// Finishes the frame, so that what was taken in survives a crash of this process.
    ///
    /// # Errors
    /// When the file cannot be written; the frame is lost then.
    pub fn flush(&mut self) -> io::Result<()> {
        let (Some(first), Some(last)) = (self.newest.first(), self.newest.last()) else {
            return Ok(());
        };
        let (first, last) = (first.at, last.at);
        let compressed = self
            .compressor
            .compress(&pack(first, &self.tips_before, &self.newest))?;
        let lengths = [compressed.len(), self.new_blocks.len()];
        let lengths = lengths.map(|length| u32::try_from(length).expect("a frame is small"));
        let mut frame = Vec::with_capacity(compressed.len() + 64);
        frame.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
        frame.extend(first.as_micros().to_le_bytes());
        frame.extend(last.as_micros().to_le_bytes());
        frame.extend(self.new_blocks.iter().flat_map(|block| block.0.0));
        frame.extend(compressed);
        self.newest.clear();
        self.new_blocks.clear();
        self.tips_before.clone_from(&self.tips);
        self.file.write_all(&frame)
    }

    fn number(&mut self, block: &BlockId) -> BlockNumber {
        if self.last.0 != *block {
            let next = BlockNumber::at(self.numbers.len());
            let number = *self.numbers.entry(*block).or_insert(next);
            if number == next {
                self.new_blocks.push(*block);
            }
            self.last = (*block, number);
        }
        self.last.1
    }

    fn push(&mut self, at: Time, node: NodeId, (block, what): (BlockNumber, What)) -> io::Result<()> {
        if what == What::Followed {
            self.tips[node.index()] = block;
        }
        self.newest.push(Arrival { at, node, block, what });
        if self.newest.len() >= ARRIVALS_IN_FRAME {
            return self.flush();
        }
        Ok(())
    }
}

impl std::fmt::Debug for ArrivalsWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrivalsWriter")
            .field("waiting", &self.newest.len())
            .field("blocks", &self.numbers.len())
            .finish_non_exhaustive()
    }
}
