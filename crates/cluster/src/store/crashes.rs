//! Disks that fail while 200 blocks with three reorgs are written (THREATS D1, D2, D4, D5).
//!
//! One workload runs on a disk that writes down what is done to it. From that, the file is rebuilt as a crash before each operation leaves it,
//! with unsynced writes kept, lost, or the last one torn; then it is opened. Then each operation is refused in turn, by a broken disk or a full
//! one. Whatever happens, the file holds what was acknowledged, or that and the group that was under way, and nothing else.

mod disk;

use std::io;
use std::ops::Range;
use std::sync::atomic::Ordering;

use base::Hash;
use chain::Params;
use chain::testing::Sandbox;

use super::tests::restored;
use super::*;
use disk::{Disk, Operation, Unsynced, image};

/// How many blocks each commit writes, again and again: own ones go alone, foreign ones in groups.
const GROUPS: [usize; 6] = [1, 5, 1, 12, 1, 3];

/// Two hundred blocks in the order in which a node that goes through three reorgs finds them valid: two, five and one deep.
fn history() -> Vec<Arc<Block>> {
    let mut sandbox = Sandbox::new(Params::instant());
    let mut tip = sandbox.ledger.genesis();
    let mut found = Vec::new();
    for (length, depth) in [(60, 2), (55, 5), (40, 1), (34, 0)] {
        let from = found.len();
        for _ in 0..length {
            tip = sandbox.child(tip, &[]);
            found.push(Arc::clone(sandbox.ledger.body(tip).unwrap()));
        }
        assert!(found.len() - from == length);
        if depth > 0 {
            for _ in 0..depth {
                tip = sandbox.ledger.parent(tip).unwrap();
            }
            for _ in 0..=depth {
                tip = sandbox.child(tip, &[]);
                found.push(Arc::clone(sandbox.ledger.body(tip).unwrap()));
            }
        }
    }
    found.truncate(200);
    found
}

/// The places of the blocks of each commit.
fn groups(blocks: usize) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut start = 0;
    for size in GROUPS.iter().cycle() {
        let end = (start + size).min(blocks);
        if start == end {
            break;
        }
        groups.push(start..end);
        start = end;
    }
    groups
}

fn genesis() -> BlockId {
    Params::instant().genesis_block().id()
}

fn open(folder: &Path, disk: Disk) -> Result<Store, StoreError> {
    let path = folder.join(Store::FILE);
    Store::over(opener(disk), path, FolderLock::take(folder)?, genesis())
}

/// Opens what is on this disk, however often.
fn opener(disk: Disk) -> Opener {
    Opener(Box::new(move || {
        let database = builder().create_with_backend(disk.clone());
        database.map_err(|error| StoreError::redb(Path::new(Store::FILE), error.into()))
    }))
}

/// Everything that is done to the disk while all blocks are appended, and the store opened and closed.
fn workload(folder: &Path, blocks: &[Arc<Block>]) -> Vec<Operation> {
    let (disk, diary) = Disk::new(&[]);
    let acknowledge = diary.acknowledger();
    let mut store = open(folder, disk).unwrap();
    acknowledge(0);
    for group in groups(blocks.len()) {
        store.append(&blocks[group.clone()]).unwrap();
        acknowledge(group.end);
    }
    store.close().unwrap();
    drop(acknowledge);
    diary.read()
}

/// What may be found when so many blocks were acknowledged: they, or the group after them as well.
fn allowed(blocks: usize, acknowledged: usize) -> [usize; 2] {
    let next = groups(blocks).into_iter().find(|group| group.start == acknowledged);
    [acknowledged, next.map_or(acknowledged, |group| group.end)]
}

/// The file opens, and holds one of the states that are allowed; then it can be written on.
fn check(folder: &Path, blocks: &[Arc<Block>], (bytes, acknowledged): (&[u8], usize), when: &str) {
    let mut store = open(folder, Disk::new(bytes).0).unwrap_or_else(|error| panic!("{when}: {error}"));
    let found = restored(&store).unwrap();
    assert!(
        allowed(blocks.len(), acknowledged).contains(&found.len()),
        "{when}: found {} of {acknowledged}",
        found.len()
    );
    assert!(found == blocks[..found.len()], "{when}: other blocks than were written");
    if let Some(next) = blocks.get(found.len()) {
        store.append(std::slice::from_ref(next)).unwrap();
        assert_eq!(store.next, found.len() as u64 + 1, "{when}");
    }
}

#[test]
fn the_workload_goes_through_three_reorgs() {
    let blocks = history();
    assert_eq!(blocks.len(), 200);
    let stays = |pair: &&[Arc<Block>]| pair[1].header.parent == pair[0].id();
    assert_eq!(blocks.windows(2).filter(|pair| !stays(pair)).count(), 3);
}

#[test]
fn threat_d1_a_crash_before_any_operation_leaves_what_was_acknowledged_or_what_was_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = history();
    let operations = workload(folder.path(), &blocks);
    // Before, the file does not have its name yet.
    let made = operations
        .iter()
        .position(|operation| matches!(operation, Operation::Acknowledge(0)))
        .unwrap();
    let mut checked = 0;
    let mut before = Hash::ZERO;
    for end in made..=operations.len() {
        for unsynced in [Unsynced::Kept, Unsynced::Lost, Unsynced::Torn, Unsynced::Scattered] {
            let (bytes, acknowledged) = image(&operations[..end], unsynced);
            // Many crashes leave the same file: right after a sync nothing can be lost.
            let name = Hash::sha256(&[&bytes, &acknowledged.to_le_bytes()]);
            if std::mem::replace(&mut before, name) != name {
                let when = format!("operation {end}, {unsynced:?}");
                check(folder.path(), &blocks, (&bytes, acknowledged), &when);
                checked += 1;
            }
        }
    }
    assert!(checked > 500, "{checked} files of {} operations", operations.len());
}

#[test]
fn threat_d2_a_crash_while_recovering_from_a_crash_loses_nothing_either() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = history();
    let operations = workload(folder.path(), &blocks);
    let mut recoveries = 0;
    // The last large group is the interesting one: there is most to lose.
    let last = groups(blocks.len())
        .into_iter()
        .rfind(|group| group.len() > 10)
        .unwrap();
    let place = |blocks: usize| {
        let acknowledged =
            |operation: &Operation| matches!(operation, Operation::Acknowledge(number) if *number == blocks);
        operations.iter().rposition(acknowledged).unwrap()
    };
    for end in place(last.start)..=place(last.end) {
        let (bytes, acknowledged) = image(&operations[..end], Unsynced::Kept);
        let (disk, diary) = Disk::new(&bytes);
        drop(open(folder.path(), disk).unwrap());
        let recovery = diary.read();
        for again in 0..=recovery.len() {
            let history = [&Operation::all_of(&bytes)[..], &recovery[..again]].concat();
            let (bytes, _) = image(&history, Unsynced::Lost);
            let when = format!("operation {end}, then {again}");
            check(folder.path(), &blocks, (&bytes, acknowledged), &when);
            recoveries += 1;
        }
    }
    assert!(recoveries > 50, "{recoveries} recoveries");
}

/// What a crash leaves behind has not been closed, so its last commit is looked at again when it is opened. Peers choose our bytes, and a sum over
/// them can be made to fit: it must not be what decides whether a commit was whole (redb's two phases). Then rot is told of too, and never
/// taken for a commit that was cut short, which would cost what was acknowledged.
#[test]
fn threat_d3_a_byte_that_rots_after_a_crash_is_not_taken_for_a_commit_that_was_cut_short() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = history();
    let operations = workload(folder.path(), &blocks[..40]);
    let last = operations
        .iter()
        .rposition(|operation| matches!(operation, Operation::Acknowledge(_)));
    let (image, acknowledged) = image(&operations[..=last.unwrap()], Unsynced::Lost);
    assert_eq!(acknowledged, 40);
    let (mut refused, mut opened) = (0, 0);
    // The header byte by byte, the pages a byte in each piece that is not blank.
    let pieces = (320..image.len())
        .step_by(64)
        .filter(|place| image[*place..].iter().take(64).any(|byte| *byte != 0));
    for place in (0..320).chain(pieces) {
        let mut bytes = image.clone();
        bytes[place] ^= 0x10;
        match open(folder.path(), Disk::new(&bytes).0).and_then(|store| restored(&store)) {
            Ok(found) => {
                assert!(found == blocks[..acknowledged], "byte {place}: {} blocks", found.len());
                opened += 1;
            }
            Err(StoreError::Corrupt { .. } | StoreError::NotOurs { .. }) => refused += 1,
            Err(error) => panic!("byte {place}: {error}"),
        }
    }
    assert!(refused > 100 && opened > 100, "refused {refused}, opened {opened}");
}

/// Each operation of each commit is refused once, though the disk takes what comes after: nothing may be tried again (fsyncgate).
#[test]
fn threat_d4_d5_whatever_a_disk_refuses_nothing_acknowledged_is_lost_and_the_store_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = history();
    let operations = workload(folder.path(), &blocks);
    let (mut refusals, mut files) = (0, 0);
    for (number, group) in groups(blocks.len()).into_iter().enumerate() {
        let place = operations
            .iter()
            .position(|operation| matches!(operation, Operation::Acknowledge(done) if *done == group.start));
        let (bytes, acknowledged) = image(&operations[..=place.unwrap()], Unsynced::Kept);
        for turn in 0.. {
            let is_full = (number + turn) % 2 == 0;
            let Some(history) = refuse(folder.path(), (&bytes, &blocks[group.clone()]), (turn, is_full)) else {
                break;
            };
            refusals += 1;
            for unsynced in [Unsynced::Kept, Unsynced::Lost] {
                let (bytes, _) = image(&history, unsynced);
                let when = format!("group {number}, operation {turn} refused, {unsynced:?}");
                check(folder.path(), &blocks, (&bytes, acknowledged), &when);
                files += 1;
            }
        }
    }
    assert!(
        refusals > 200 && files == 2 * refusals,
        "{refusals} refusals, {files} files"
    );
}

/// Appends blocks on a disk that refuses one operation; gives all that was done to it, or nothing when there is no such operation any more.
fn refuse(
    folder: &Path,
    (bytes, blocks): (&[u8], &[Arc<Block>]),
    (turn, is_full): (usize, bool),
) -> Option<Vec<Operation>> {
    let (disk, diary) = Disk::new(bytes);
    let refusal = disk.refusal();
    let mut store = open(folder, disk).unwrap();
    let kind = if is_full {
        io::ErrorKind::StorageFull
    } else {
        io::ErrorKind::Other
    };
    refusal.set(turn, kind);
    let Err(error) = store.append(blocks) else {
        assert!(refusal.left.load(Ordering::SeqCst) >= 0, "a refusal went unnoticed");
        return None;
    };
    let words = error.to_string();
    let expected = if is_full { "no space left for " } else { "cannot use " };
    assert!(words.starts_with(expected) && words.contains(Store::FILE), "{words}");
    let again = store.append(blocks).unwrap_err();
    assert!(matches!(again, StoreError::Poisoned { .. }), "{again}");
    drop(store);
    Some([&Operation::all_of(bytes)[..], &diary.read()].concat())
}

/// Room that is kept in these tests. The disk in memory does not ask how much it is.
const RESERVE: u64 = 4_096;

/// From each operation of each commit on, the disk is full until the reserve is given up.
#[test]
fn threat_d5_what_was_under_way_when_the_disk_was_full_is_written_where_the_reserve_was() {
    let blocks = history();
    let operations = workload(tempfile::tempdir().unwrap().path(), &blocks);
    let mut given_up = 0;
    for group in groups(blocks.len()).into_iter().step_by(5) {
        let place = operations
            .iter()
            .position(|operation| matches!(operation, Operation::Acknowledge(done) if *done == group.start));
        let (bytes, _) = image(&operations[..=place.unwrap()], Unsynced::Kept);
        for turn in 0.. {
            let when = format!("group {group:?}, full from operation {turn}");
            if !fill(&bytes, &blocks, group.clone(), turn, &when) {
                break;
            }
            given_up += 1;
        }
    }
    assert!(given_up > 30, "{given_up} reserves given up");
}

/// Appends a group on a disk that is full from this operation on; gives whether it had as many.
fn fill(bytes: &[u8], blocks: &[Arc<Block>], group: Range<usize>, turn: usize, when: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(Reserve::FILE);
    let (disk, diary) = Disk::new(bytes);
    let refusal = disk.refusal();
    let mut store = open(folder.path(), disk).unwrap();
    assert!(store.keep_reserve(RESERVE).unwrap() && file.exists(), "{when}");
    refusal.set_until_gone(turn, file.clone());
    let mut store = store
        .append_at_last(&blocks[group.clone()])
        .unwrap_or_else(|error| panic!("{when}: {error}"));
    if refusal.left.load(Ordering::SeqCst) >= 0 {
        assert!(!store.lacks_reserve(), "{when}");
        return false;
    }
    assert!(store.lacks_reserve() && !file.exists(), "{when}");
    assert!(restored(&store).unwrap() == blocks[..group.end], "{when}");
    // There is room again.
    assert!(
        store.take_reserve().unwrap() && !store.lacks_reserve() && file.exists(),
        "{when}"
    );
    drop(store);
    // Nothing that was acknowledged was left to the cache.
    let history = [&Operation::all_of(bytes)[..], &diary.read()].concat();
    let (bytes, _) = image(&history, Unsynced::Lost);
    check(folder.path(), blocks, (&bytes, group.end), when);
    true
}

#[test]
fn threat_d5_a_disk_that_stays_full_without_the_reserve_ends_it_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = history();
    let (disk, _diary) = Disk::new(&[]);
    let refusal = disk.refusal();
    let mut store = open(folder.path(), disk.clone()).unwrap();
    store.append(&blocks[..10]).unwrap();
    assert!(store.keep_reserve(RESERVE).unwrap());
    // A file that nobody removes.
    refusal.set_until_gone(0, folder.path().to_owned());
    let error = store.append_at_last(&blocks[10..20]).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    refusal.set(usize::MAX >> 1, io::ErrorKind::Other);
    let store = open(folder.path(), disk).unwrap();
    assert!(restored(&store).unwrap() == blocks[..10]);
}
