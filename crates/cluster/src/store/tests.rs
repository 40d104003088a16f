//! The store against round trips, kills, neighbours, strangers, rot and failing disks.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;

use base::{Hash, Time};
use chain::{Header, Params};
use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::*;
use crate::limits::{MAX_UNSAVED_BLOCKS, MAX_UNSAVED_BYTES};

pub(super) fn genesis() -> BlockId {
    Params::instant().genesis_block().id()
}

/// Blocks that differ; a store does not ask whether they are valid.
pub(super) fn blocks(numbers: std::ops::Range<u32>) -> Vec<Arc<Block>> {
    let block = Params::instant().genesis_block();
    numbers
        .map(|nonce| {
            Arc::new(Block {
                header: Header { nonce, ..*block.header }.into(),
                transactions: block.transactions.clone(),
            })
        })
        .collect()
}

fn open(folder: &Path) -> Store {
    Store::open(folder, genesis()).expect("a folder of our own")
}

pub(super) fn restored(store: &Store) -> Result<Vec<Arc<Block>>, StoreError> {
    let mut found = Vec::new();
    store.restore(|block| found.push(block)).map(|count| {
        assert_eq!(count, found.len());
        found
    })
}

#[test]
fn blocks_come_back_in_the_order_they_were_appended() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.append(&blocks(0..3)).unwrap();
    store.append(&blocks(3..4)).unwrap();
    assert_eq!(restored(&store).unwrap(), blocks(0..4));
    store.close().unwrap();

    let mut store = open(folder.path());
    store.append(&blocks(4..6)).unwrap();
    drop(store);
    assert_eq!(restored(&open(folder.path())).unwrap(), blocks(0..6));
}

#[test]
fn a_closed_store_leaves_only_its_database() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close().unwrap();
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, [Store::FILE]);
}

#[test]
fn threat_d7_a_second_handle_is_refused_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = open(folder.path());
    first.append(&blocks(0..2)).unwrap();
    let message = Store::open(folder.path(), genesis()).unwrap_err().to_string();
    assert!(message.contains(&folder.path().display().to_string()), "{message}");
    assert!(message.contains(&format!("(pid {})", std::process::id())), "{message}");
    first.append(&blocks(2..3)).unwrap();
    assert_eq!(restored(&first).unwrap(), blocks(0..3));
}

#[test]
fn a_lock_file_left_by_a_dead_process_does_not_hold() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FolderLock::FILE), "12345\n").unwrap();
    open(folder.path()).close().unwrap();
}

#[test]
fn a_file_whose_making_was_cut_short_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(UNFINISHED), "half a datab").unwrap();
    open(folder.path()).close().unwrap();
    assert!(!folder.path().join(UNFINISHED).exists());
    assert!(restored(&open(folder.path())).unwrap().is_empty());
}

#[test]
fn threat_d10_another_networks_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close().unwrap();
    let other = BlockId(Hash([7; 32]));
    assert!(matches!(
        Store::open(folder.path(), other),
        Err(StoreError::OtherNetwork { found, expected, .. }) if found == genesis() && expected == other
    ));
}

#[test]
fn threat_d10_a_newer_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store
        .write(|_, meta| {
            meta.insert("schema", (SCHEMA + 1).to_le_bytes().as_slice())?;
            Ok(())
        })
        .unwrap();
    drop(store);
    assert!(matches!(
        Store::open(folder.path(), genesis()),
        Err(StoreError::Newer { found, .. }) if found == SCHEMA + 1
    ));
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(Store::FILE);
    let text = "no database at all\n".repeat(1_000);
    fs::write(&path, &text).unwrap();
    assert!(matches!(
        Store::open(folder.path(), genesis()),
        Err(StoreError::NotOurs { .. })
    ));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

/// THREATS D3: whatever byte rots, the file opens with equal state or says what is wrong.
#[test]
fn threat_d3_a_flipped_byte_anywhere_loses_nothing_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.append(&blocks(0..20)).unwrap();
    store.append(&blocks(20..40)).unwrap();
    store.close().unwrap();
    let image = fs::read(folder.path().join(Store::FILE)).unwrap();

    let (mut refused, mut opened) = (0, 0);
    for place in (0..image.len()).step_by(64).chain([9, 12, 13]) {
        // Most of a young file is empty, and a flipped bit in an empty page is a test of nothing.
        let is_blank = image[place..(place + 64).min(image.len())]
            .iter()
            .all(|byte| *byte == 0);
        if is_blank && place % 4096 != 0 {
            continue;
        }
        let mut bytes = image.clone();
        bytes[place] ^= 0x10;
        match open_image(folder.path(), &bytes).and_then(|store| restored(&store)) {
            Ok(found) => {
                assert_eq!(found, blocks(0..40), "byte {place}");
                opened += 1;
            }
            Err(StoreError::Corrupt { .. } | StoreError::NotOurs { .. }) => refused += 1,
            Err(error) => panic!("byte {place}: {error}"),
        }
    }
    assert!(refused > 0 && opened > 0, "refused {refused}, opened {opened}");
}

/// Opens what is on a disk, one time.
fn once(disk: impl StorageBackend) -> Opener {
    let (give, disks) = channel();
    give.send(disk).unwrap();
    Opener(Box::new(move || {
        let disk = disks.try_recv().expect("these stores are not opened again");
        let database = builder().create_with_backend(disk);
        database.map_err(|error| StoreError::redb(Path::new(Store::FILE), error.into()))
    }))
}

/// Opens a file's bytes without a disk, which would take its time over each of hundreds.
fn open_image(folder: &Path, bytes: &[u8]) -> Result<Store, StoreError> {
    let path = folder.join(Store::FILE);
    let memory = InMemoryBackend::new();
    memory.set_len(bytes.len() as u64).unwrap();
    memory.write(0, bytes).unwrap();
    Store::over(once(memory), path, FolderLock::take(folder)?, genesis())
}

#[test]
fn a_file_cut_short_is_refused_or_equal() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.append(&blocks(0..40)).unwrap();
    store.close().unwrap();
    let path = folder.path().join(Store::FILE);
    let image = fs::read(&path).unwrap();
    for length in [0, 1, 63, 320, 4_095, 4_096, image.len() / 2, image.len() - 1] {
        fs::write(&path, &image[..length]).unwrap();
        if let Ok(store) = Store::open(folder.path(), genesis()) {
            assert_eq!(restored(&store).unwrap(), blocks(0..40), "cut at {length}");
        }
    }
}

/// A disk that takes this many more bytes, and then none.
#[derive(Debug)]
struct SmallDisk {
    memory: InMemoryBackend,
    room: Arc<AtomicU64>,
}

impl StorageBackend for SmallDisk {
    fn len(&self) -> io::Result<u64> {
        self.memory.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.memory.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.memory.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.memory.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let taken = |room: u64| room.checked_sub(data.len() as u64);
        match self.room.fetch_update(Ordering::SeqCst, Ordering::SeqCst, taken) {
            Ok(_) => self.memory.write(offset, data),
            Err(_) => Err(io::ErrorKind::StorageFull.into()),
        }
    }
}

/// THREATS D4 and D5.
#[test]
fn threat_d4_d5_a_full_disk_poisons_the_store_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let room = Arc::new(AtomicU64::new(1 << 20));
    let disk = SmallDisk {
        memory: InMemoryBackend::new(),
        room: Arc::clone(&room),
    };
    let lock = FolderLock::take(folder.path()).unwrap();
    let mut store = Store::over(once(disk), folder.path().join(Store::FILE), lock, genesis()).unwrap();
    store.append(&blocks(0..10)).unwrap();

    room.store(0, Ordering::SeqCst);
    assert!(matches!(store.append(&blocks(10..12)), Err(StoreError::Full { .. })));
    room.store(1 << 20, Ordering::SeqCst);
    assert!(matches!(
        store.append(&blocks(10..12)),
        Err(StoreError::Poisoned { .. })
    ));
}

#[tokio::test]
async fn a_writer_loses_what_waits_when_killed_and_nothing_when_closed() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(open(folder.path()));
    for block in blocks(0..3) {
        writer.push(block, Time::ZERO);
    }
    writer.commit().await.unwrap();
    writer.push(Arc::clone(&blocks(3..4)[0]), Time::ZERO);
    writer.abandon().await;
    let store = open(folder.path());
    assert_eq!(restored(&store).unwrap(), blocks(0..3));

    let mut writer = Writer::new(store);
    writer.push(Arc::clone(&blocks(3..4)[0]), Time::ZERO);
    writer.close().await.unwrap();
    assert_eq!(restored(&open(folder.path())).unwrap(), blocks(0..4));
}

#[tokio::test]
async fn a_group_commit_is_due_once_its_oldest_block_has_waited() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(open(folder.path()));
    assert_eq!(writer.deadline(), None);
    let [early, late] = blocks(0..2).try_into().unwrap();
    writer.push(early, Time::from_secs(1));
    writer.push(late, Time::from_secs(2));
    let due = Time::from_secs(1) + crate::limits::GROUP_COMMIT_DELAY;
    assert_eq!(writer.deadline(), Some(due));
    writer.begin();
    assert_eq!(writer.deadline(), None);
    writer.done().await.unwrap();
    writer.close().await.unwrap();
    assert_eq!(restored(&open(folder.path())).unwrap(), blocks(0..2));
}

#[test]
fn a_writer_is_full_of_so_many_blocks_or_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(open(folder.path()));
    for block in blocks(0..u32::try_from(MAX_UNSAVED_BLOCKS).unwrap()) {
        assert!(!writer.is_full());
        writer.push(block, Time::ZERO);
    }
    assert!(writer.is_full());

    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(open(folder.path()));
    let [small] = &blocks(0..1)[..] else {
        unreachable!("one block")
    };
    let count = (1 << 20) / small.bytes();
    let transactions = vec![Arc::clone(&small.transactions[0]); usize::try_from(count).unwrap()];
    let large = Arc::new(Block {
        header: small.header,
        transactions,
    });
    let mut bytes = 0;
    while bytes < MAX_UNSAVED_BYTES {
        assert!(!writer.is_full(), "{bytes}");
        bytes += large.bytes();
        writer.push(Arc::clone(&large), Time::ZERO);
    }
    assert!(writer.is_full());
}
