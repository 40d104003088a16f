//! Arrivals in a run folder: `arrivals.bin`, read frame by frame, also while it grows.
//!
//! | bytes | |
//! |---|---|
//! | 8 | `nakarr` and two bytes of version, [`MAGIC`] |
//! | 4 | how many nodes there are |
//! | 32 | the genesis block, which is block 0 |
//! | frames | until the end |
//!
//! | bytes of a frame | |
//! |---|---|
//! | 4 | how many bytes of it are compressed |
//! | 4 | how many blocks are first seen in it |
//! | 8, 8 | the times of its first and last arrival, in microseconds since the run began |
//! | 32 for each block | its name, in the order of hashing; blocks are numbered on from frame to frame |
//! | the rest | a zstd frame: what each node followed, and the arrivals; see [`super::codec`] |
//!
//! Numbers have the lowest byte first. A frame is appended by one write, so that a crash loses the unfinished frame and nothing before it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use base::{Hash, Time};
use chain::BlockId;

use super::{Arrival, BlockNumber, Frame, Packed, Unreadable};
use crate::limits::{MAX_FRAME_BLOCKS, MAX_FRAME_BYTES};

/// The file's name.
pub const FILE: &str = "arrivals.bin";
/// What it begins with.
pub(super) const MAGIC: [u8; 8] = *b"nakarr\0\x01";
/// Bytes before the first frame.
const HEAD: usize = 8 + 4 + 32;
/// Bytes of a frame before its blocks.
const FRAME_HEAD: usize = 4 + 4 + 8 + 8;

/// The file, read to some frame.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    path: PathBuf,
    next: u64,
    genesis: BlockId,
    /// The numbers that the file's blocks have in the log.
    numbers: Vec<BlockNumber>,
}

impl Stored {
    pub(super) fn open(folder: &Path, nodes: usize) -> Result<Self, Unreadable> {
        let path = folder.join(FILE);
        let head = read_at(&path, 0, HEAD)?;
        let foreign = || Unreadable::Foreign { path: path.clone() };
        let (magic, rest) = head.split_at_checked(8).ok_or_else(foreign)?;
        let (count, genesis) = rest.split_at_checked(4).ok_or_else(foreign)?;
        let is_ours = magic == MAGIC && u32::from_le_bytes(array(count)) as usize == nodes && genesis.len() == 32;
        if !is_ours {
            return Err(foreign());
        }
        Ok(Self {
            next: HEAD as u64,
            genesis: BlockId(Hash(array(genesis))),
            numbers: Vec::new(),
            path,
        })
    }

    /// The next frame, without its bytes; none when it is not there in full, or `number` does not know all of its blocks yet.
    pub(super) fn next_frame(
        &mut self,
        number: &impl Fn(&BlockId) -> Option<BlockNumber>,
    ) -> Result<Option<Frame>, Unreadable> {
        if self.numbers.is_empty() {
            let Some(genesis) = number(&self.genesis) else {
                return Ok(None);
            };
            self.numbers.push(genesis);
        }
        let head = read_at(&self.path, self.next, FRAME_HEAD)?;
        if head.len() < FRAME_HEAD {
            return Ok(None);
        }
        let length = u32::from_le_bytes(array(&head[..4])) as usize;
        let blocks = u32::from_le_bytes(array(&head[4..8])) as usize;
        let first = Time::from_micros(u64::from_le_bytes(array(&head[8..16])));
        let last = Time::from_micros(u64::from_le_bytes(array(&head[16..])));
        if length as u64 > MAX_FRAME_BYTES || blocks > MAX_FRAME_BLOCKS || last < first {
            return Err(Unreadable::Damaged { first });
        }
        let ids = read_at(&self.path, self.next + FRAME_HEAD as u64, blocks * 32)?;
        let offset = self.next + (FRAME_HEAD + blocks * 32) as u64;
        let end = offset + length as u64;
        if file_length(&self.path)? < end {
            return Ok(None);
        }
        let ids = ids.chunks_exact(32).map(|id| BlockId(Hash(array(id))));
        let numbers: Option<Vec<BlockNumber>> = ids.map(|id| number(&id)).collect();
        let Some(numbers) = numbers else { return Ok(None) };
        self.numbers.extend(numbers);
        self.next = end;
        Ok(Some(Frame {
            first,
            last,
            packed: Packed::OnDisk { offset, length },
        }))
    }

    /// The bytes of a frame; none when they are damaged.
    pub(super) fn read(&self, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Unreadable> {
        let compressed = read_at(&self.path, offset, length)?;
        let Ok(decoder) = zstd::stream::read::Decoder::new(&compressed[..]) else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let result = decoder.take(MAX_FRAME_BYTES + 1).read_to_end(&mut bytes);
        let is_sound = result.is_ok() && bytes.len() as u64 <= MAX_FRAME_BYTES;
        Ok(is_sound.then_some(bytes))
    }

    /// Blocks by the numbers that they have in the log.
    pub(super) fn renumbered(
        &self,
        tips: Vec<BlockNumber>,
        arrivals: Vec<Arrival>,
    ) -> Option<(Vec<BlockNumber>, Vec<Arrival>)> {
        let number = |block: BlockNumber| self.numbers.get(block.index()).copied();
        let tips: Option<Vec<BlockNumber>> = tips.into_iter().map(number).collect();
        let arrivals: Option<Vec<Arrival>> = arrivals
            .into_iter()
            .map(|arrival| {
                let block = number(arrival.block)?;
                Some(Arrival { block, ..arrival })
            })
            .collect();
        tips.zip(arrivals)
    }
}

/// As many bytes as there are, at most `length`. Opened each time, so that readers in several threads do not move each other.
fn read_at(path: &Path, offset: u64, length: usize) -> Result<Vec<u8>, Unreadable> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::with_capacity(length.min(1 << 20));
        file.take(length as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|source| io_error(path, source))
}

fn file_length(path: &Path) -> Result<u64, Unreadable> {
    let data = std::fs::metadata(path).map_err(|source| io_error(path, source))?;
    Ok(data.len())
}

fn io_error(path: &Path, source: io::Error) -> Unreadable {
    Unreadable::Io {
        path: path.to_owned(),
        source,
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("as many were taken")
}
