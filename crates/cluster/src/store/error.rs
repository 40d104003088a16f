//! What can be wrong with a data folder, in words that name the place and the fix.

use std::io;
use std::path::{Path, PathBuf};

use chain::BlockId;

use crate::limits::SCHEMA;

/// Why a data folder cannot be used, or not any longer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else has it open.
    #[error(
        "data folder {} is in use by another process{}; stop it, or choose another folder",
        .folder.display(),
        .pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// Who, when that is known.
        pid: Option<u32>,
    },
    /// It holds the blocks of another network.
    #[error(
        "{} belongs to the network with genesis block {found}, expected {expected}; choose another data folder",
        .path.display()
    )]
    OtherNetwork {
        /// The database.
        path: PathBuf,
        /// Its genesis block.
        found: BlockId,
        /// Ours.
        expected: BlockId,
    },
    /// A newer program wrote it.
    #[error(
        "{} has layout {found}, this program knows layouts up to {SCHEMA}; use a newer program or another data folder",
        .path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its layout's version.
        found: u32,
    },
    /// It is somebody else's file.
    #[error("{} is no chain database of nakanet; choose another data folder", .path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// Its bytes are not those that were written.
    #[error("{} is damaged ({detail}); `nakanet node --reindex` keeps what is sound and fetches the rest from peers again", .path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What was noticed.
        detail: String,
    },
    /// There is no database.
    #[error("there is no {}; no node has run in this folder", .path.display())]
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
    /// A block that was written as it is, and breaks a rule.
    #[error("{}: number {number}, block {block}, is not valid: {reason}", .path.display())]
    Unsound {
        /// The database.
        path: PathBuf,
        /// Which record, from 0.
        number: usize,
        /// The block.
        block: BlockId,
        /// The broken rule, in words.
        reason: String,
    },
    /// There is no room.
    #[error("no space left for {}; free some and start the node again", .path.display())]
    Full {
        /// What was written.
        path: PathBuf,
    },
    /// The disk, or its file system, fails or refuses.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It failed before.
    #[error("{} failed before and is not written to any more; start the node again", .path.display())]
    Poisoned {
        /// The database.
        path: PathBuf,
    },
}

impl StoreError {
    pub(super) fn in_use(folder: &Path, pid: Option<u32>) -> Self {
        Self::InUse {
            folder: folder.to_owned(),
            pid,
        }
    }

    pub(super) fn other_network(path: &Path, found: BlockId, expected: BlockId) -> Self {
        Self::OtherNetwork {
            path: path.to_owned(),
            found,
            expected,
        }
    }

    pub(super) fn newer(path: &Path, found: u32) -> Self {
        Self::Newer {
            path: path.to_owned(),
            found,
        }
    }

    pub(super) fn not_ours(path: &Path) -> Self {
        Self::NotOurs { path: path.to_owned() }
    }

    pub(super) fn corrupt(path: &Path, detail: impl Into<String>) -> Self {
        Self::Corrupt {
            path: path.to_owned(),
            detail: detail.into(),
        }
    }

    pub(super) fn poisoned(path: &Path) -> Self {
        Self::Poisoned { path: path.to_owned() }
    }

    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            Self::Full { path }
        } else {
            Self::Io { path, source }
        }
    }

    /// What redb says, sorted by what the operator can do about it.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "redb's errors are many and not ours; those without a name here mean a file that is not as we wrote it"
    )]
    pub(super) fn redb(path: &Path, error: redb::Error) -> Self {
        match error {
            // What redb calls a file that does not begin as its own do.
            redb::Error::Io(source) if source.kind() == io::ErrorKind::InvalidData => Self::not_ours(path),
            // A read past the end: the file was cut.
            redb::Error::Io(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
                Self::corrupt(path, "it is cut short")
            }
            redb::Error::Io(source) => Self::io(path, source),
            redb::Error::PreviousIo | redb::Error::DatabaseClosed => Self::poisoned(path),
            error => Self::corrupt(path, error.to_string()),
        }
    }
}
