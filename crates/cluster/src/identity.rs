//! Who a node is: its ed25519 key, and so its libp2p peer id.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use base::{NodeId, Seed};
use libp2p::identity::Keypair;

use crate::limits::MAX_KEY_FILE_BYTES;
use crate::store::{FolderLock, StoreError};

/// The name of the key file in a data folder.
pub const KEY_FILE: &str = "identity.key";

/// Why a key file cannot be used. Never says what is in it.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Somebody else has the folder.
    #[error(transparent)]
    Folder(#[from] StoreError),
    /// A file where the data folder would be.
    #[error("{} is no folder; choose another data folder", .path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// A link, a folder, a device.
    #[error("{} is not a regular file; a key is neither read from nor written to it", .path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// Others may read it.
    #[error("{} may be read by others (mode {mode:o}); run `chmod 600` on it", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Not a key.
    #[error("{} holds no key; move it away to get a new one", .path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// The disk fails or refuses.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl IdentityError {
    fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { path, source }
    }
}

/// The key of a scenario's node: the same seed and node, the same peer id.
#[must_use]
pub fn planned(seed: &Seed, node: NodeId) -> Keypair {
    let secret = *seed.child("identity", u64::from(node.0)).bytes();
    Keypair::ed25519_from_bytes(secret).expect("every 32 bytes are an ed25519 secret")
}

/// The key in a data folder; a new one when there is none yet.
///
/// # Errors
/// When the folder is a file, or somebody else has it and there is no key yet; when the key file is no regular file, may be read by others, holds no key, or the disk fails.
pub fn load_or_create(folder: &Path) -> Result<Keypair, IdentityError> {
    let path = folder.join(KEY_FILE);
    match std::fs::create_dir_all(folder) {
        Err(_) if folder.exists() => {
            return Err(IdentityError::NotAFolder {
                path: folder.to_owned(),
            });
        }
        made => made.map_err(|source| IdentityError::io(folder, source))?,
    }
    match std::fs::symlink_metadata(&path) {
        Ok(_) => load(&path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(folder, &path),
        Err(error) => Err(IdentityError::io(&path, error)),
    }
}

/// Writes a key under another name and gives it its own when it is whole: what a crash or a full disk cuts short is no key that nobody can read.
fn create(folder: &Path, path: &Path) -> Result<Keypair, IdentityError> {
    let _lock = FolderLock::take(folder)?;
    if std::fs::symlink_metadata(path).is_ok() {
        // Somebody else was quicker, and is gone again.
        return load(path);
    }
    let key = Keypair::generate_ed25519();
    let bytes = key.to_protobuf_encoding().expect("ed25519 keys have an encoding");
    let write = rpc::auth::replace(path, &bytes).and_then(|()| File::open(folder)?.sync_all());
    write.map_err(|source| IdentityError::io(path, source))?;
    Ok(key)
}

fn load(path: &Path) -> Result<Keypair, IdentityError> {
    let path = path.to_owned();
    let io = |source| IdentityError::io(&path, source);
    // What is looked at and what is opened must be one file, or a link could be slipped in between.
    let named = std::fs::symlink_metadata(&path).map_err(io)?;
    if !named.is_file() {
        return Err(IdentityError::NotAFile { path });
    }
    let file = File::open(&path).map_err(io)?;
    let opened = file.metadata().map_err(io)?;
    if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
        return Err(IdentityError::NotAFile { path });
    }
    let mode = opened.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(IdentityError::Exposed { path, mode });
    }
    let mut bytes = Vec::new();
    file.take(MAX_KEY_FILE_BYTES).read_to_end(&mut bytes).map_err(io)?;
    Keypair::from_protobuf_encoding(&bytes).map_err(|_| IdentityError::NotAKey { path })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn threat_d9_a_key_is_made_once_and_read_by_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let key = load_or_create(folder.path()).unwrap();
        let again = load_or_create(folder.path()).unwrap();
        assert_eq!(key.public(), again.public());
        let mode = fs::metadata(folder.path().join(KEY_FILE)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_key_whose_writing_was_cut_short_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let unfinished = folder.path().join("identity.key.new");
        fs::write(&unfinished, "half a k").unwrap();
        let key = load_or_create(folder.path()).unwrap();
        assert!(!unfinished.exists());
        assert_eq!(load_or_create(folder.path()).unwrap().public(), key.public());
    }

    #[test]
    fn a_key_is_made_by_whoever_has_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::take(folder.path()).unwrap();
        let refused = load_or_create(folder.path());
        assert!(matches!(refused, Err(IdentityError::Folder(StoreError::InUse { .. }))));
        drop(lock);
        load_or_create(folder.path()).unwrap();
    }

    #[test]
    fn a_file_is_no_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("data")] {
            let words = load_or_create(&path).unwrap_err().to_string();
            assert!(words.contains("file"), "{words}");
        }
        let words = load_or_create(&file).unwrap_err().to_string();
        assert!(words.contains("is no folder; choose another"), "{words}");
    }

    #[test]
    fn threat_d9_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let target = elsewhere.path().join("target");
        symlink(&target, folder.path().join(KEY_FILE)).unwrap();
        assert!(matches!(
            load_or_create(folder.path()),
            Err(IdentityError::NotAFile { .. })
        ));
        assert!(!target.exists());

        load_or_create(elsewhere.path()).unwrap();
        fs::rename(elsewhere.path().join(KEY_FILE), &target).unwrap();
        assert!(matches!(
            load_or_create(folder.path()),
            Err(IdentityError::NotAFile { .. })
        ));
    }

    #[test]
    fn threat_d9_an_exposed_or_broken_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        load_or_create(folder.path()).unwrap();
        let path = folder.path().join(KEY_FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            load_or_create(folder.path()),
            Err(IdentityError::Exposed { mode: 0o644, .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "no key").unwrap();
        assert!(matches!(
            load_or_create(folder.path()),
            Err(IdentityError::NotAKey { .. })
        ));
    }

    /// A sparse file of a terabyte: whoever read it would not come back.
    #[test]
    fn no_more_of_a_key_file_is_read_than_a_key_has() {
        let folder = tempfile::tempdir().unwrap();
        load_or_create(folder.path()).unwrap();
        let path = folder.path().join(KEY_FILE);
        assert!(fs::metadata(&path).unwrap().len() < MAX_KEY_FILE_BYTES);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(1 << 40)
            .unwrap();
        assert!(matches!(
            load_or_create(folder.path()),
            Err(IdentityError::NotAKey { .. })
        ));
    }

    #[test]
    fn planned_keys_differ_by_node_and_by_seed() {
        let id = |seed, node| planned(&Seed::from_number(seed), NodeId(node)).public().to_peer_id();
        assert_eq!(id(1, 0), id(1, 0));
        assert_ne!(id(1, 0), id(1, 1));
        assert_ne!(id(1, 0), id(2, 0));
    }
}
