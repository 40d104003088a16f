//! What a node keeps on disk: every block it found valid, in that order, in one redb file.
//!
//! The order is enough to start again: a fresh ledger that is given the blocks one by one ends where the old one was. Every commit is one
//! transaction, in two phases (peers choose our bytes; see redb's `set_two_phase_commit`) and on disk when it returns. A crash at any
//! point leaves a file that opens with all blocks whose commit had returned, and maybe those of the one under way.

mod error;
mod lock;
pub(crate) mod record;
mod reserve;
mod verify;
mod writer;

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::Hash;
use chain::{Block, BlockId};
use redb::{Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, Table, TableDefinition};

pub use error::StoreError;
pub(crate) use lock::FolderLock;
pub use verify::{Reindexed, Verified};
pub(crate) use writer::Writer;

use crate::limits::{DATABASE_CACHE_BYTES, SCHEMA};
use reserve::Reserve;

const BLOCKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("blocks");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const MAGIC: &[u8] = b"nakanet chain";

/// A node's data folder, open. Two handles to one folder cannot exist.
#[derive(Debug)]
pub struct Store {
    database: Database,
    path: PathBuf,
    genesis: BlockId,
    next: u64,
    /// Set by the first failure. What the disk holds after one is unknown until the file is opened again (fsyncgate), so nothing is retried.
    is_poisoned: bool,
    opener: Opener,
    /// Room for what a full disk has none for.
    reserve: Option<Reserve>,
    /// Last, so that it is released when the database is closed.
    _lock: FolderLock,
}

impl Store {
    /// The name of the database in a data folder.
    pub const FILE: &str = "chain.redb";

    /// Opens a data folder of the network with this genesis block, and makes it when it is missing.
    ///
    /// Checks every page of the file, and repairs what a crash of the process or the machine can leave behind.
    ///
    /// # Errors
    /// When the folder is in use, belongs to another network or a newer program, is damaged, or cannot be read or written.
    pub fn open(folder: &Path, genesis: BlockId) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|source| StoreError::io(folder, source))?;
        let lock = FolderLock::take(folder)?;
        let path = folder.join(Self::FILE);
        match fs::metadata(&path) {
            // A file gets its name when it is whole: one without a byte has lost them all, and a database of redb's would be made in it.
            Ok(file) if file.len() == 0 => Err(StoreError::corrupt(&path, "it is empty")),
            Ok(_) => Self::over(Opener::file(folder, &path), path, lock, genesis),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Self::create(folder, path, lock, genesis),
            Err(source) => Err(StoreError::io(&path, source)),
        }
    }

    /// Makes the file under another name and gives it its own when it is whole, so that a crash leaves none that does not open.
    fn create(folder: &Path, path: PathBuf, lock: FolderLock, genesis: BlockId) -> Result<Self, StoreError> {
        Self::begin(folder, path, lock, genesis)?.finish(folder)
    }

    /// Makes the file under another name.
    fn begin(folder: &Path, path: PathBuf, lock: FolderLock, genesis: BlockId) -> Result<Self, StoreError> {
        let unfinished = folder.join(UNFINISHED);
        match fs::remove_file(&unfinished) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(StoreError::io(&unfinished, source)),
            Ok(()) | Err(_) => {}
        }
        let mut store = Self::over(Opener::file(folder, &unfinished), path, lock, genesis)?;
        store.opener = Opener::file(folder, &store.path);
        Ok(store)
    }

    /// Gives a file that was begun its own name.
    fn finish(self, folder: &Path) -> Result<Self, StoreError> {
        let name = || {
            fs::rename(folder.join(UNFINISHED), &self.path)?;
            File::open(folder)?.sync_all()
        };
        name().map_err(|source| StoreError::io(&self.path, source))?;
        Ok(self)
    }

    fn over(opener: Opener, path: PathBuf, lock: FolderLock, genesis: BlockId) -> Result<Self, StoreError> {
        let mut store = Self {
            database: (opener.0)()?,
            path,
            genesis,
            next: 0,
            is_poisoned: false,
            opener,
            reserve: None,
            _lock: lock,
        };
        store.next = store.prepare()?;
        Ok(store)
    }

    /// Checks whose file it is, or says so in a new one; gives the next sequence number.
    fn prepare(&self) -> Result<u64, StoreError> {
        let existing = self.read(|transaction| {
            if transaction.list_tables()?.next().is_none() {
                return Ok(None);
            }
            let meta = transaction.open_table(META)?;
            let value = |key| Ok::<_, redb::Error>(meta.get(key)?.map(|value| value.value().to_vec()));
            let last = transaction.open_table(BLOCKS)?.last()?.map(|(key, _)| key.value());
            Ok(Some((value("magic")?, value("schema")?, value("genesis")?, last)))
        })?;
        let Some((magic, schema, found, last)) = existing else {
            self.inscribe()?;
            return Ok(0);
        };
        if magic.as_deref() != Some(MAGIC) {
            return Err(StoreError::not_ours(&self.path));
        }
        let schema = self.field::<4>(schema, "schema").map(u32::from_le_bytes)?;
        if schema > SCHEMA {
            return Err(StoreError::newer(&self.path, schema));
        }
        let found = BlockId(Hash(self.field(found, "genesis")?));
        if found != self.genesis {
            return Err(StoreError::other_network(&self.path, found, self.genesis));
        }
        Ok(last.map_or(0, |last| last + 1))
    }

    fn field<const N: usize>(&self, value: Option<Vec<u8>>, name: &str) -> Result<[u8; N], StoreError> {
        value
            .and_then(|value| value.try_into().ok())
            .ok_or_else(|| StoreError::corrupt(&self.path, format!("the field `{name}` is missing or of another size")))
    }

    fn inscribe(&self) -> Result<(), StoreError> {
        self.write(|_, meta| {
            meta.insert("magic", MAGIC)?;
            meta.insert("schema", SCHEMA.to_le_bytes().as_slice())?;
            meta.insert("genesis", self.genesis.0.0.as_slice())?;
            Ok(())
        })
    }

    /// Appends blocks, in order, in one transaction that is on disk when this returns.
    ///
    /// # Errors
    /// When the disk is full or fails. None of the blocks is acknowledged then, and every later call fails as well.
    pub fn append(&mut self, blocks: &[Arc<Block>]) -> Result<(), StoreError> {
        if self.is_poisoned {
            return Err(StoreError::poisoned(&self.path));
        }
        let first = self.next;
        let appended = self.write(|table, _| {
            for (sequence, block) in (first..).zip(blocks) {
                table.insert(sequence, record::encode(block).as_slice())?;
            }
            Ok(())
        });
        match appended {
            Ok(()) => self.next += blocks.len() as u64,
            Err(_) => self.is_poisoned = true,
        }
        appended
    }

    /// Keeps so much room in the folder for the day when the disk is full; gives whether there is as much.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn keep_reserve(&mut self, bytes: u64) -> Result<bool, StoreError> {
        let folder = self.path.parent().expect("a database is in a folder");
        self.reserve.insert(Reserve::new(folder, bytes)).take()
    }

    /// Takes the room again that was given up, when there is as much; gives whether it is there.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn take_reserve(&mut self) -> Result<bool, StoreError> {
        self.reserve.as_mut().map_or(Ok(true), Reserve::take)
    }

    /// Whether room was to be kept and is not there.
    pub(crate) fn lacks_reserve(&self) -> bool {
        self.reserve.as_ref().is_some_and(|reserve| !reserve.is_kept())
    }

    /// As [`Store::append`]; when the disk is full, the reserve is given up for these blocks.
    ///
    /// What the disk holds after a failure is seen when the file is opened again, and then it is another file to redb: nothing is retried.
    ///
    /// # Errors
    /// When the disk fails, or is full though the reserve was given up. None of the blocks is acknowledged then.
    pub(crate) fn append_at_last(mut self, blocks: &[Arc<Block>]) -> Result<Self, StoreError> {
        let error = match self.append(blocks) {
            Ok(()) => return Ok(self),
            Err(error) => error,
        };
        let has_reserve = self.reserve.as_ref().is_some_and(Reserve::is_kept);
        if !matches!(error, StoreError::Full { .. }) || !has_reserve {
            return Err(error);
        }
        let end = self.next + blocks.len() as u64;
        let mut store = self.reopened()?;
        // The last of the operations that failed may have been one after which all is there.
        if store.next < end {
            store.append(blocks)?;
        }
        assert_eq!(store.next, end, "a group is written whole or not at all");
        Ok(store)
    }

    /// The same folder with its reserve given up and its file opened again.
    fn reopened(self) -> Result<Self, StoreError> {
        let Self {
            database,
            path,
            genesis,
            opener,
            mut reserve,
            _lock,
            ..
        } = self;
        drop(database);
        if let Some(reserve) = &mut reserve {
            reserve.give_up()?;
        }
        let store = Self::over(opener, path, _lock, genesis)?;
        Ok(Self { reserve, ..store })
    }

    /// Hands every block to `visit`, in the order in which they were appended; gives their number.
    ///
    /// # Errors
    /// When a record is damaged or cannot be read. Blocks before it have been visited.
    pub fn restore(&self, mut visit: impl FnMut(Arc<Block>)) -> Result<usize, StoreError> {
        let mut damaged = None;
        let mut restored = 0;
        self.read(|transaction| {
            for (expected, entry) in (0..).zip(transaction.open_table(BLOCKS)?.iter()?) {
                let (sequence, bytes) = entry?;
                match record::decode(bytes.value()) {
                    Ok(block) if sequence.value() == expected => visit(Arc::new(block)),
                    Ok(_) => damaged = Some("a record is missing"),
                    Err(why) => damaged = Some(why),
                }
                if damaged.is_some() {
                    break;
                }
                restored += 1;
            }
            Ok(())
        })?;
        match damaged {
            Some(why) => Err(StoreError::corrupt(&self.path, format!("{why}, at number {restored}"))),
            None => Ok(restored),
        }
    }

    /// Closes the file and frees the folder.
    ///
    /// # Errors
    /// When the disk fails. What was appended is safe all the same.
    pub fn close(self) -> Result<(), StoreError> {
        let Self { database, path, .. } = self;
        database.close().map_err(|error| StoreError::redb(&path, error.into()))
    }

    fn read<T>(&self, body: impl FnOnce(&redb::ReadTransaction) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        let attempt = || body(&self.database.begin_read()?);
        attempt().map_err(|error| StoreError::redb(&self.path, error))
    }

    fn write(
        &self,
        body: impl FnOnce(&mut Table<'_, u64, &[u8]>, &mut Table<'_, &str, &[u8]>) -> Result<(), redb::Error>,
    ) -> Result<(), StoreError> {
        let attempt = || {
            let mut transaction = self.database.begin_write()?;
            transaction.set_two_phase_commit(true);
            body(&mut transaction.open_table(BLOCKS)?, &mut transaction.open_table(META)?)?;
            transaction.commit()?;
            Ok(())
        };
        attempt().map_err(|error| StoreError::redb(&self.path, error))
    }
}

/// The database while it is being made.
const UNFINISHED: &str = "chain.redb.new";

/// Opens the database, at first and again.
struct Opener(Box<dyn Fn() -> Result<Database, StoreError> + Send>);

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}

impl Opener {
    fn file(folder: &Path, path: &Path) -> Self {
        let (folder, path) = (folder.to_owned(), path.to_owned());
        Self(Box::new(move || {
            builder().create(&path).map_err(|error| {
                if matches!(error, DatabaseError::DatabaseAlreadyOpen) {
                    StoreError::in_use(&folder, None)
                } else {
                    StoreError::redb(&path, error.into())
                }
            })
        }))
    }
}

/// How every database is opened.
fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .set_cache_size(DATABASE_CACHE_BYTES)
        .set_check_integrity_on_open(true);
    builder
}

#[cfg(test)]
mod crashes;
#[cfg(test)]
mod tests;
