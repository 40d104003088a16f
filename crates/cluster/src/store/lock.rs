//! One process per data folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::StoreError;

/// A data folder that is ours until this is dropped.
///
/// The lock is the operating system's, so it ends with the process however that ends; the file tells others who holds it.
#[derive(Debug)]
pub(crate) struct FolderLock {
    path: PathBuf,
    file: File,
}

impl FolderLock {
    /// The name of the lock file.
    pub(super) const FILE: &str = "lock";

    /// Takes the folder, before anything in it is read or written.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another handle has it, in this process or another.
    pub(crate) fn take(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(Self::FILE);
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(|source| StoreError::io(&path, source))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(StoreError::in_use(folder, holder(file))),
                Err(TryLockError::Error(source)) => return Err(StoreError::io(&path, source)),
            }
            // Whoever held it before may have removed the file between our opening and locking it: then the lock is on a file without a name.
            if is_still(&path, &file).map_err(|source| StoreError::io(&path, source))? {
                let mut lock = Self { path, file };
                lock.sign().map_err(|source| StoreError::io(&lock.path, source))?;
                return Ok(lock);
            }
        }
    }

    fn sign(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        writeln!(self.file, "{}", std::process::id())
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Removed while still locked, so that nobody's but our own file can be removed. One that stays behind does no harm.
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "the lock file stays behind");
        }
    }
}

fn is_still(path: &Path, file: &File) -> io::Result<bool> {
    let ours = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Who holds the lock, when the file says so.
fn holder(file: File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
