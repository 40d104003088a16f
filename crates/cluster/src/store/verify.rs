//! Looking through a data folder, and making one anew from what of it is sound.
//!
//! A node that starts trusts its disk as far as hashes go: signatures were checked before a block was written. Here everything is checked
//! again, as if it came from a stranger.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chain::{Block, BlockId, Height, Ledger, Params, Work};
use redb::ReadableTable;

use super::lock::FolderLock;
use super::{BLOCKS, Store, StoreError, record};
use crate::limits::MAX_UNSAVED_BLOCKS;

/// What a sound data folder holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verified {
    /// Blocks, the genesis block aside.
    pub blocks: usize,
    /// The block with the most work; of equals the first.
    pub tip: BlockId,
    /// Its height.
    pub height: Height,
}

/// What became of a data folder that was made anew.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reindexed {
    /// Blocks that were sound, and were kept.
    pub kept: usize,
    /// Records that were not, or whose ancestors were not.
    pub dropped: usize,
    /// Where the old database is now.
    pub old: PathBuf,
}

/// A chain that is checked block by block.
struct Examiner {
    ledger: Ledger,
    tip: (Work, BlockId, Height),
}

impl Examiner {
    fn new(params: &Params) -> Self {
        let ledger = Ledger::new(params.clone());
        let genesis = ledger.genesis();
        let tip = (ledger.work(genesis), ledger.id(genesis), Height(0));
        Self { ledger, tip }
    }

    /// Header, body and signatures, by all rules; the reason in words when one is broken.
    fn take(&mut self, block: &Arc<Block>) -> Result<(), String> {
        let words = |reject: chain::Reject| format!("{}: {reject}", reject.word());
        self.ledger.add_header(&block.header).map_err(words)?;
        let at = self.ledger.add_body(block).map_err(words)?;
        let work = self.ledger.work(at);
        if work > self.tip.0 {
            self.tip = (work, block.id(), self.ledger.height(at));
        }
        Ok(())
    }
}

impl Store {
    /// Reads a whole data folder and checks every block by all rules of this network, signatures among them.
    ///
    /// # Errors
    /// When there is none, it cannot be opened, or something in it is not sound: the first such thing is named.
    pub fn verify(folder: &Path, params: &Params) -> Result<Verified, StoreError> {
        let path = existing(folder)?;
        let store = Self::open(folder, params.genesis_block().id())?;
        let mut examiner = Examiner::new(params);
        let mut fault = None;
        let mut number = 0;
        let blocks = store.restore(|block| {
            if fault.is_none()
                && let Err(reason) = examiner.take(&block)
            {
                fault = Some((number, block.id(), reason));
            }
            number += 1;
        })?;
        store.close()?;
        let (_, tip, height) = examiner.tip;
        match fault {
            None => Ok(Verified { blocks, tip, height }),
            Some((number, block, reason)) => Err(StoreError::Unsound {
                path,
                number,
                block,
                reason,
            }),
        }
    }

    /// Makes a database anew of all blocks of the old one that are sound by all rules; the old one is moved aside, and what is missing is for
    /// peers to send. From a database that cannot be opened nothing is kept.
    ///
    /// # Errors
    /// When there is none, it is in use, of another network or a newer program, or the disk fails: then the old one is where it was.
    pub fn reindex(folder: &Path, params: &Params) -> Result<Reindexed, StoreError> {
        let path = existing(folder)?;
        let genesis = params.genesis_block().id();
        let (sound, dropped) = match Self::open(folder, genesis) {
            Ok(store) => store.sound(params)?,
            Err(StoreError::Corrupt { .. } | StoreError::NotOurs { .. }) => (Vec::new(), 0),
            Err(
                error @ (StoreError::InUse { .. }
                | StoreError::OtherNetwork { .. }
                | StoreError::Newer { .. }
                | StoreError::Full { .. }
                | StoreError::Io { .. }
                | StoreError::Missing { .. }
                | StoreError::Unsound { .. }
                | StoreError::Poisoned { .. }),
            ) => return Err(error),
        };
        let mut store = Self::begin(folder, path.clone(), FolderLock::take(folder)?, genesis)?;
        for blocks in sound.chunks(MAX_UNSAVED_BLOCKS) {
            store.append(blocks)?;
        }
        let old = free_name(folder);
        keep_aside(&path, &old).map_err(|source| StoreError::io(&path, source))?;
        store.finish(folder)?.close()?;
        Ok(Reindexed {
            kept: sound.len(),
            dropped,
            old,
        })
    }

    /// The blocks that are sound, in order, and how many records are not.
    fn sound(self, params: &Params) -> Result<(Vec<Arc<Block>>, usize), StoreError> {
        let mut examiner = Examiner::new(params);
        let (mut sound, mut dropped) = (Vec::new(), 0);
        self.read(|transaction| {
            for entry in transaction.open_table(BLOCKS)?.iter()? {
                let block = entry.ok().and_then(|(_, bytes)| record::decode(bytes.value()).ok());
                let block = block.map(Arc::new).filter(|block| examiner.take(block).is_ok());
                match block {
                    Some(block) => sound.push(block),
                    None => dropped += 1,
                }
            }
            Ok(())
        })?;
        self.close()?;
        Ok((sound, dropped))
    }
}

/// A name for an old database that none has yet: what was kept aside earlier may be all that is left of something.
fn free_name(folder: &Path) -> PathBuf {
    let mut names = (1_u64..).map(|number| match number {
        1 => folder.join(format!("{}.old", Store::FILE)),
        _ => folder.join(format!("{}.old.{number}", Store::FILE)),
    });
    names.find(|name| !name.exists()).expect("no folder has so many files")
}

/// Gives a file a second name, and leaves it the first until another takes that: a folder without a database would be taken for a new one by
/// whoever starts after a crash. Where files have one name only, it gives up the first.
fn keep_aside(path: &Path, old: &Path) -> io::Result<()> {
    fs::hard_link(path, old).or_else(|_| fs::rename(path, old))
}

/// The database of a folder. A folder without one is not made.
fn existing(folder: &Path) -> Result<PathBuf, StoreError> {
    let path = folder.join(Store::FILE);
    match path.try_exists() {
        Ok(true) => Ok(path),
        Ok(false) => Err(StoreError::Missing { path }),
        Err(source) => Err(StoreError::io(&path, source)),
    }
}

#[cfg(test)]
mod tests {
    use chain::testing::{Sandbox, key, pay};
    use chain::{Coin, Transaction};

    use super::*;
    use crate::limits::SCHEMA;

    /// A chain with a payment in its last block but one, whose signature is good, or is not.
    fn chain(is_signed: bool) -> Vec<Arc<Block>> {
        let (mut sandbox, mut tip) = Sandbox::instant(12);
        let mut path = sandbox.ledger.path(sandbox.ledger.genesis(), tip);
        let mut blocks: Vec<_> = path
            .drain(..)
            .filter_map(|at| sandbox.ledger.body(at).cloned())
            .collect();
        let coinbase = &blocks[0].transactions[0];
        let coin = Coin {
            output: coinbase.outputs()[0],
            height: Height(1),
            coinbase: true,
        };
        let payment = Transaction::payment(vec![coinbase.outpoint(0)], vec![pay(1_000, key(1).owner())], b"");
        let genesis = sandbox.ledger.id(sandbox.ledger.genesis());
        let signer = if is_signed { key(0) } else { key(1) };
        let payment = Arc::new(payment.sign(&signer, genesis, &[coin]));
        for transactions in [vec![payment], vec![]] {
            let block = sandbox.block(tip, &transactions);
            blocks.push(Arc::clone(&block));
            match sandbox.accept(&block) {
                Ok(at) => tip = at,
                Err(_) => return blocks,
            }
        }
        blocks
    }

    fn written(blocks: &[Arc<Block>]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), Params::instant().genesis_block().id()).unwrap();
        store.append(blocks).unwrap();
        store.close().unwrap();
        folder
    }

    /// What an earlier program wrote is read for ever: whoever changes a record or a table makes a new layout, and a file of it beside this one.
    #[test]
    fn threat_d10_a_file_of_the_first_layout_is_read_as_it_was_written() {
        let file = zstd::decode_all(&include_bytes!("../../fixtures/layout-1.redb.zst")[..]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(Store::FILE), file).unwrap();
        let verified = Store::verify(folder.path(), &Params::instant()).unwrap();
        let tip = "2a3563e3c0bd1d5ab96e5aca2dd1ed4f3894ba0eecae490a087f0cf2d292a596";
        assert_eq!(
            (verified.blocks, verified.height),
            (17, Height(14)),
            "a fork and a payment"
        );
        assert_eq!(verified.tip.to_string(), tip);
        assert_eq!(SCHEMA, 1, "the first layout is the last");
    }

    #[test]
    fn a_sound_folder_is_told_with_its_tip() {
        let blocks = chain(true);
        let folder = written(&blocks);
        let verified = Store::verify(folder.path(), &Params::instant()).unwrap();
        let tip = blocks.last().unwrap().id();
        assert_eq!((verified.blocks, verified.tip, verified.height), (14, tip, Height(14)));
    }

    #[test]
    fn a_signature_that_is_not_the_owners_is_found_and_named() {
        let blocks = chain(false);
        let folder = written(&blocks);
        let error = Store::verify(folder.path(), &Params::instant()).unwrap_err();
        let words = error.to_string();
        assert!(
            words.contains("number 12")
                && words.contains("bad-signature")
                && words.contains(&blocks[12].id().to_string()),
            "{words}"
        );
    }

    #[test]
    fn a_folder_without_a_chain_is_told_of_and_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("nowhere");
        for error in [
            Store::verify(&nowhere, &Params::instant()).unwrap_err(),
            Store::reindex(&nowhere, &Params::instant()).unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::Missing { .. }), "{error}");
        }
        assert!(!nowhere.exists());
    }

    #[test]
    fn what_is_sound_is_kept_and_the_rest_moved_aside() {
        let blocks = chain(true);
        // The fourth is missing: what stands on it cannot be checked.
        let broken = [&blocks[..3], &blocks[4..]].concat();
        let folder = written(&broken);
        assert!(Store::verify(folder.path(), &Params::instant()).is_err());
        let reindexed = Store::reindex(folder.path(), &Params::instant()).unwrap();
        assert_eq!((reindexed.kept, reindexed.dropped), (3, 10));
        assert!(reindexed.old.exists());
        assert_eq!(Store::verify(folder.path(), &Params::instant()).unwrap().blocks, 3);
        // The same again: nothing is lost by it.
        assert_eq!(Store::reindex(folder.path(), &Params::instant()).unwrap().kept, 3);
    }

    #[test]
    fn threat_d1_a_folder_is_never_without_a_database_while_it_is_made_anew() {
        let folder = written(&chain(true));
        let (path, old) = (folder.path().join(Store::FILE), folder.path().join("old"));
        let bytes = fs::read(&path).unwrap();
        keep_aside(&path, &old).unwrap();
        assert!(fs::read(&path).unwrap() == bytes && fs::read(&old).unwrap() == bytes);
        // What takes the first name does not change what has the second.
        fs::write(folder.path().join("new"), "new").unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert!(fs::read(&old).unwrap() == bytes);
    }

    #[test]
    fn threat_d3_an_empty_file_is_damaged_for_every_network_and_stays_as_it_is() {
        let folder = written(&chain(true));
        let path = folder.path().join(Store::FILE);
        fs::write(&path, "").unwrap();
        for name in Params::PRESETS {
            let params = Params::preset(name).unwrap();
            let words = Store::verify(folder.path(), &params).unwrap_err().to_string();
            assert!(words.contains("it is empty") && words.contains("--reindex"), "{words}");
            assert!(Store::open(folder.path(), params.genesis_block().id()).is_err());
            assert_eq!(fs::metadata(&path).unwrap().len(), 0, "nothing is made in it");
        }
        assert_eq!(Store::reindex(folder.path(), &Params::instant()).unwrap().kept, 0);
        assert_eq!(Store::verify(folder.path(), &Params::instant()).unwrap().blocks, 0);
    }

    #[test]
    fn nothing_is_kept_of_a_file_that_does_not_open() {
        let folder = written(&chain(true));
        fs::write(folder.path().join(Store::FILE), "x".repeat(10_000)).unwrap();
        let reindexed = Store::reindex(folder.path(), &Params::instant()).unwrap();
        assert_eq!(reindexed.kept, 0);
        assert_eq!(fs::read(&reindexed.old).unwrap().len(), 10_000);
        // The same again does not cost what was kept aside.
        let again = Store::reindex(folder.path(), &Params::instant()).unwrap();
        assert_ne!(again.old, reindexed.old);
        assert_eq!(fs::read(&reindexed.old).unwrap().len(), 10_000);
        let verified = Store::verify(folder.path(), &Params::instant()).unwrap();
        assert_eq!((verified.blocks, verified.height), (0, Height(0)));
    }
}
