//! A disk in memory that writes down what is done to it, and can refuse.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};

use redb::StorageBackend;
use redb::backends::InMemoryBackend;

/// Something that was done to a disk.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    SetLen(u64),
    Write(u64, Vec<u8>),
    Sync,
    /// Not the disk's: so many blocks are acknowledged.
    Acknowledge(usize),
}

impl Operation {
    /// What makes a new disk hold these bytes.
    pub(super) fn all_of(bytes: &[u8]) -> [Self; 3] {
        [
            Self::SetLen(bytes.len() as u64),
            Self::Write(0, bytes.to_vec()),
            Self::Sync,
        ]
    }
}

#[derive(Clone, Debug)]
pub(super) struct Disk {
    memory: Arc<InMemoryBackend>,
    diary: Sender<Operation>,
    refusal: Arc<Refusal>,
}

/// When a disk refuses, and how.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Changes until the one that is refused; below zero when it was, and far above when none is to be.
    pub(super) left: AtomicI64,
    is_full: AtomicBool,
    /// When set, whatever comes after the refused change is refused as well, for want of room, while this file is there.
    until_gone: OnceLock<PathBuf>,
}

impl Refusal {
    /// Refuses the change at this turn and all that come after it, until a file is removed.
    pub(super) fn set_until_gone(&self, turn: usize, file: PathBuf) {
        self.until_gone.set(file).expect("it is set once");
        self.set(turn, io::ErrorKind::StorageFull);
    }

    pub(super) fn set(&self, turn: usize, kind: io::ErrorKind) {
        self.is_full.store(kind == io::ErrorKind::StorageFull, Ordering::SeqCst);
        self.left.store(i64::try_from(turn).expect("few"), Ordering::SeqCst);
    }

    fn ask(&self) -> io::Result<()> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        let is_full_still = || self.until_gone.get().is_some_and(|file| file.exists());
        if left > 0 || (left < 0 && !is_full_still()) {
            return Ok(());
        }
        Err(if self.is_full.load(Ordering::SeqCst) {
            io::ErrorKind::StorageFull.into()
        } else {
            io::Error::other("the disk is broken")
        })
    }
}

/// What was done to a disk.
#[derive(Debug)]
pub(super) struct Diary {
    pages: Receiver<Operation>,
    write: Sender<Operation>,
}

impl Diary {
    /// Notes that blocks were acknowledged.
    pub(super) fn acknowledger(&self) -> impl Fn(usize) + use<> {
        let write = self.write.clone();
        move |blocks| {
            write
                .send(Operation::Acknowledge(blocks))
                .expect("it is read at the end");
        }
    }

    /// All of it, once the disk is gone.
    pub(super) fn read(self) -> Vec<Operation> {
        drop(self.write);
        self.pages.into_iter().collect()
    }
}

impl Disk {
    /// A disk that holds these bytes.
    pub(super) fn new(bytes: &[u8]) -> (Self, Diary) {
        let memory = Arc::new(InMemoryBackend::new());
        memory.set_len(bytes.len() as u64).expect("there is memory");
        memory.write(0, bytes).expect("there is memory");
        let (write, pages) = channel();
        let refusal = Arc::new(Refusal {
            left: AtomicI64::new(i64::MAX),
            is_full: AtomicBool::new(false),
            until_gone: OnceLock::new(),
        });
        let diary = write.clone();
        (Self { memory, diary, refusal }, Diary { pages, write })
    }

    pub(super) fn refusal(&self) -> Arc<Refusal> {
        Arc::clone(&self.refusal)
    }

    fn note(&self, operation: Operation) {
        // A test that does not read it does not keep it either.
        let _unread = self.diary.send(operation);
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.memory.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.memory.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.refusal.ask()?;
        self.note(Operation::SetLen(len));
        self.memory.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.refusal.ask()?;
        self.note(Operation::Sync);
        self.memory.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.refusal.ask()?;
        self.note(Operation::Write(offset, data.to_vec()));
        self.memory.write(offset, data)
    }
}

/// What becomes of writes that were not synced when the machine stopped.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unsynced {
    Kept,
    Lost,
    /// Kept, but of the last only the first half.
    Torn,
    /// One is kept and the next lost, in turns: a disk writes in any order.
    Scattered,
}

/// The file after a crash at the end of these operations, and how many blocks had been acknowledged.
pub(super) fn image(operations: &[Operation], unsynced: Unsynced) -> (Vec<u8>, usize) {
    let synced = operations
        .iter()
        .rposition(|operation| matches!(operation, Operation::Sync));
    let last_write = operations
        .iter()
        .rposition(|operation| matches!(operation, Operation::Write(..)));
    let (mut bytes, mut acknowledged) = (Vec::new(), 0);
    for (place, operation) in operations.iter().enumerate() {
        let is_synced = synced.is_some_and(|synced| place < synced);
        match operation {
            Operation::Acknowledge(number) => acknowledged = *number,
            Operation::Sync => {}
            Operation::SetLen(length) => bytes.resize(usize::try_from(*length).expect("it fits"), 0),
            Operation::Write(..) if !is_synced && is_lost(unsynced, place) => {}
            Operation::Write(offset, data) => {
                let is_torn = !is_synced && matches!(unsynced, Unsynced::Torn) && last_write == Some(place);
                let length = if is_torn { data.len() / 2 } else { data.len() };
                let start = usize::try_from(*offset).expect("it fits");
                bytes[start..start + length].copy_from_slice(&data[..length]);
            }
        }
    }
    (bytes, acknowledged)
}

/// Whether the write in this place did not reach the disk.
const fn is_lost(unsynced: Unsynced, place: usize) -> bool {
    match unsynced {
        Unsynced::Kept | Unsynced::Torn => false,
        Unsynced::Lost => true,
        Unsynced::Scattered => place.is_multiple_of(2),
    }
}
