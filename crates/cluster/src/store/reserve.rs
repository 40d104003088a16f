//! Room that a node keeps on its disk for the day when there is none left (THREATS D5).
//!
//! It is a file that holds nothing. Once the disk is full it is removed, and what the node was about to acknowledge is written in its place.
//! A file system that compresses what it is given keeps less room than the file has bytes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::StoreError;

static PIECE: [u8; 1 << 16] = [0; 1 << 16];

/// Room on the disk of a data folder.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
    /// Whether the file is there, as long as it is to be.
    is_kept: bool,
}

impl Reserve {
    /// The name of the file in a data folder.
    pub(super) const FILE: &str = "reserve";

    /// Room that is not taken yet.
    pub(super) fn new(folder: &Path, bytes: u64) -> Self {
        Self {
            path: folder.join(Self::FILE),
            bytes,
            is_kept: false,
        }
    }

    /// Whether the room is there to be given up.
    pub(super) const fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Takes the room, when the disk has as much again to spare: or the node would be out of it at once. Gives whether it has it.
    pub(super) fn take(&mut self) -> Result<bool, StoreError> {
        self.is_kept = self.is_whole() || (self.is_affordable()? && self.make()?);
        Ok(self.is_kept)
    }

    /// Whether the file is there from an earlier time.
    fn is_whole(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|file| file.len() == self.bytes)
    }

    fn is_affordable(&self) -> Result<bool, StoreError> {
        // What a crash left half made is room, too.
        self.remove()?;
        let folder = self.path.parent().expect("it is in a folder");
        let disk = rustix::fs::statvfs(folder).map_err(|error| StoreError::io(folder, error.into()))?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize) >= 2 * self.bytes)
    }

    fn make(&self) -> Result<bool, StoreError> {
        let write = || {
            let mut file = File::create(&self.path)?;
            let mut left = self.bytes;
            while left > 0 {
                let piece = &PIECE[..PIECE.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
                file.write_all(piece)?;
                left -= piece.len() as u64;
            }
            file.sync_all()
        };
        match write().map_err(|source| StoreError::io(&self.path, source)) {
            Ok(()) => Ok(true),
            // Somebody else was quicker.
            Err(StoreError::Full { .. }) => self.remove().map(|()| false),
            Err(error) => Err(error),
        }
    }

    /// Gives the room back to the disk.
    pub(super) fn give_up(&mut self) -> Result<(), StoreError> {
        self.is_kept = false;
        self.remove()
    }

    fn remove(&self) -> Result<(), StoreError> {
        match fs::remove_file(&self.path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StoreError::io(&self.path, source)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threat_d5_a_reserve_is_as_large_as_it_says_and_made_again_when_a_crash_left_half_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(Reserve::FILE);
        fs::write(&file, "half").unwrap();
        let bytes = PIECE.len() as u64 + 7;
        let mut reserve = Reserve::new(folder.path(), bytes);
        assert!(!reserve.is_kept());
        assert!(reserve.take().unwrap() && reserve.is_kept());
        assert_eq!(fs::metadata(&file).unwrap().len(), bytes);

        reserve.give_up().unwrap();
        assert!(!reserve.is_kept() && !file.exists());
        reserve.give_up().unwrap();
        assert!(reserve.take().unwrap() && Reserve::new(folder.path(), bytes).take().unwrap());
    }

    #[test]
    fn threat_d5_a_reserve_that_the_disk_cannot_spare_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let mut reserve = Reserve::new(folder.path(), u64::MAX / 4);
        assert!(!reserve.take().unwrap() && !reserve.is_kept());
        assert!(!folder.path().join(Reserve::FILE).exists());
    }
}
