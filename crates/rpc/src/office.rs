//! What all calls of one interface share.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;

use crate::Clerk;
use crate::limits::MAX_WATCHING;
use crate::wallet::Wallet;

/// What all calls of one interface share.
#[derive(Debug)]
pub(crate) struct Office {
    pub(crate) clerk: Clerk,
    /// When the interface opened.
    pub(crate) opened: Instant,
    /// The node's data folder, where the wallet is.
    pub(crate) folder: PathBuf,
    /// The file whose size is told as the node's on disk.
    pub(crate) database: PathBuf,
    /// The wallet, once somebody has asked for it. Only the interface's clients use it, one at a time.
    pub(crate) wallet: Arc<Mutex<Option<Wallet>>>,
    /// Room for those who wait for a block.
    pub(crate) watching: Semaphore,
}

impl Office {
    pub(crate) fn new(clerk: Clerk, (folder, database): (PathBuf, PathBuf)) -> Arc<Self> {
        Arc::new(Self {
            clerk,
            opened: Instant::now(),
            folder,
            database,
            wallet: Arc::default(),
            watching: Semaphore::new(MAX_WATCHING),
        })
    }
}
