//! Crashes between any two operations on the disk (THREATS D1, D2).
//!
//! One workload runs on a disk that writes down what is done to it. From that, the file is rebuilt as a crash before each operation leaves it,
//! with unsynced writes kept, lost, or the last one torn; then it is opened.

use std::io;
use std::sync::mpsc::{self, Sender};

use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::tests::{blocks, genesis, restored};
use super::*;

#[derive(Clone, Debug)]
enum Operation {
    SetLen(u64),
    Write(u64, Vec<u8>),
    Sync,
    /// Not the disk's: this many blocks are acknowledged.
    Acknowledge(u32),
}

/// Works in memory, and writes down every change.
#[derive(Debug)]
struct Diary {
    memory: InMemoryBackend,
    pages: Sender<Operation>,
}

impl Diary {
    fn note(&self, operation: Operation) {
        self.pages.send(operation).expect("the test reads the diary at the end");
    }
}

impl StorageBackend for Diary {
    fn len(&self) -> io::Result<u64> {
        self.memory.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.memory.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.note(Operation::SetLen(len));
        self.memory.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.note(Operation::Sync);
        self.memory.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.note(Operation::Write(offset, data.to_vec()));
        self.memory.write(offset, data)
    }
}

fn open(folder: &Path, disk: impl StorageBackend) -> Result<Store, StoreError> {
    let path = folder.join(Store::FILE);
    let database = builder()
        .create_with_backend(disk)
        .map_err(|error| StoreError::redb(&path, error.into()))?;
    Store::over(database, path, FolderLock::take(folder)?, genesis())
}

/// Everything that is done to the disk while eight groups of blocks are appended and the store is opened twice.
fn workload(folder: &Path) -> Vec<Operation> {
    let (pages, diary) = mpsc::channel();
    let disk = Diary {
        memory: InMemoryBackend::new(),
        pages: pages.clone(),
    };
    let mut store = open(folder, disk).unwrap();
    pages.send(Operation::Acknowledge(0)).unwrap();
    for group in 0..8 {
        store.append(&blocks(group * 3..group * 3 + 3)).unwrap();
        pages.send(Operation::Acknowledge(group * 3 + 3)).unwrap();
    }
    store.close().unwrap();
    drop(pages);
    diary.into_iter().collect()
}

/// What becomes of writes that were not synced when the machine stopped.
#[derive(Clone, Copy, Debug)]
enum Unsynced {
    Kept,
    Lost,
    /// Kept, but of the last only the first half.
    Torn,
}

/// The file after a crash before the operation at `end`, and how many blocks had been acknowledged.
fn image(operations: &[Operation], unsynced: Unsynced) -> (Vec<u8>, u32) {
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
            Operation::SetLen(length) => bytes.resize(usize::try_from(*length).unwrap(), 0),
            Operation::Write(..) if !is_synced && matches!(unsynced, Unsynced::Lost) => {}
            Operation::Write(offset, data) => {
                let is_torn = !is_synced && matches!(unsynced, Unsynced::Torn) && last_write == Some(place);
                let length = if is_torn { data.len() / 2 } else { data.len() };
                let start = usize::try_from(*offset).unwrap();
                bytes[start..start + length].copy_from_slice(&data[..length]);
            }
        }
    }
    (bytes, acknowledged)
}

fn disk(bytes: &[u8]) -> InMemoryBackend {
    let memory = InMemoryBackend::new();
    memory.set_len(bytes.len() as u64).unwrap();
    memory.write(0, bytes).unwrap();
    memory
}

#[test]
fn threat_d1_a_crash_before_any_operation_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let operations = workload(folder.path());
    assert!(operations.len() > 100, "{} operations", operations.len());
    // Before, the file does not have its name yet.
    let made = operations
        .iter()
        .position(|operation| matches!(operation, Operation::Acknowledge(0)))
        .unwrap();
    for end in made..=operations.len() {
        for unsynced in [Unsynced::Kept, Unsynced::Lost, Unsynced::Torn] {
            let (bytes, acknowledged) = image(&operations[..end], unsynced);
            check(
                folder.path(),
                &bytes,
                acknowledged,
                &format!("operation {end}, {unsynced:?}"),
            );
        }
    }
}

/// What was acknowledged is there, what is there is whole groups in order, and blocks can be appended.
fn check(folder: &Path, bytes: &[u8], acknowledged: u32, when: &str) {
    let mut store = open(folder, disk(bytes)).unwrap_or_else(|error| panic!("{when}: {error}"));
    let found = u32::try_from(restored(&store).unwrap().len()).unwrap();
    assert!(
        found == acknowledged || found == acknowledged + 3,
        "{when}: found {found} of {acknowledged}"
    );
    assert_eq!(restored(&store).unwrap(), blocks(0..found), "{when}");
    store.append(&blocks(found..found + 1)).unwrap();
    assert_eq!(restored(&store).unwrap(), blocks(0..found + 1), "{when}");
}

#[test]
fn threat_d2_a_crash_while_recovering_from_a_crash_loses_nothing_either() {
    let folder = tempfile::tempdir().unwrap();
    let operations = workload(folder.path());
    let mut recoveries = 0;
    // The last commit is the interesting one: there is most to lose.
    let begun = operations
        .iter()
        .rposition(|operation| matches!(operation, Operation::Acknowledge(21)))
        .unwrap();
    for end in begun..operations.len() {
        let (bytes, acknowledged) = image(&operations[..end], Unsynced::Kept);
        let (pages, diary) = mpsc::channel();
        let first = Diary {
            memory: disk(&bytes),
            pages,
        };
        drop(open(folder.path(), first).unwrap());
        let recovery: Vec<_> = diary.into_iter().collect();
        let before = [
            Operation::SetLen(bytes.len() as u64),
            Operation::Write(0, bytes),
            Operation::Sync,
        ];
        for again in 0..=recovery.len() {
            let history = [&before[..], &recovery[..again]].concat();
            let (bytes, _) = image(&history, Unsynced::Lost);
            check(
                folder.path(),
                &bytes,
                acknowledged,
                &format!("operation {end}, then {again}"),
            );
            recoveries += 1;
        }
    }
    assert!(recoveries > 100, "{recoveries} recoveries");
}
