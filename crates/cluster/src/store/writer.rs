//! Writes a node's blocks behind its back, one commit at a time, and before its eyes where it must wait.

use std::future::pending;
use std::mem::take;
use std::sync::Arc;

use base::Time;
use chain::Block;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{Store, StoreError};
use crate::limits::{GROUP_COMMIT_DELAY, MAX_UNSAVED_BLOCKS, MAX_UNSAVED_BYTES};

/// A store and the blocks that wait for it.
///
/// The store moves into the commit that is under way and back, so there is at most one. Dropping the writer loses what waits, as a killed
/// process would, and nothing else.
#[derive(Debug)]
pub(crate) struct Writer {
    at: At,
    queue: Vec<Arc<Block>>,
    queued_bytes: u64,
    oldest: Option<Time>,
}

/// Where the store is.
#[derive(Debug)]
enum At {
    Home(Box<Store>),
    Disk(JoinHandle<Result<Box<Store>, StoreError>>),
    /// Lost with a commit that failed.
    Gone,
}

impl Writer {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            at: At::Home(Box::new(store)),
            queue: Vec::new(),
            queued_bytes: 0,
            oldest: None,
        }
    }

    /// Lets a block wait for the next group commit.
    pub(crate) fn push(&mut self, block: Arc<Block>, now: Time) {
        self.queued_bytes += block.bytes();
        self.queue.push(block);
        self.oldest.get_or_insert(now);
    }

    /// Whether so much waits that nothing more may be pushed before [`Writer::commit`].
    pub(crate) fn is_full(&self) -> bool {
        self.queue.len() >= MAX_UNSAVED_BLOCKS || self.queued_bytes >= MAX_UNSAVED_BYTES
    }

    /// When [`Writer::begin`] is next due; never while a commit is under way.
    pub(crate) fn deadline(&self) -> Option<Time> {
        match self.at {
            At::Home(_) => self.oldest.map(|oldest| oldest + GROUP_COMMIT_DELAY),
            At::Disk(_) | At::Gone => None,
        }
    }

    /// Begins a commit of all that waits, unless one is under way.
    pub(crate) fn begin(&mut self) {
        if self.queue.is_empty() || !matches!(self.at, At::Home(_)) {
            return;
        }
        let At::Home(store) = std::mem::replace(&mut self.at, At::Gone) else {
            unreachable!("just matched");
        };
        let blocks = take(&mut self.queue);
        self.queued_bytes = 0;
        self.oldest = None;
        self.at = At::Disk(spawn_blocking(move || store.append_at_last(&blocks).map(Box::new)));
    }

    /// Completes when the commit under way does; never when there is none. May be dropped and called again.
    pub(crate) async fn done(&mut self) -> Result<(), StoreError> {
        let At::Disk(commit) = &mut self.at else {
            return pending().await;
        };
        let finished = commit.await;
        self.at = At::Gone;
        let store = finished.expect("commits are never aborted, and a panic in one is passed on")?;
        self.at = At::Home(store);
        Ok(())
    }

    /// Whether the disk was full, and what it had in reserve is given up.
    pub(crate) fn is_out_of_room(&self) -> bool {
        match &self.at {
            At::Home(store) => store.lacks_reserve(),
            At::Disk(_) | At::Gone => false,
        }
    }

    /// Takes the reserve again, when there is room, once all that waits is on disk; gives whether there is.
    pub(crate) async fn take_reserve(&mut self) -> Result<bool, StoreError> {
        self.commit().await?;
        let At::Home(mut store) = std::mem::replace(&mut self.at, At::Gone) else {
            unreachable!("a commit that did not fail brings the store home");
        };
        let (store, taken) = spawn_blocking(move || {
            let taken = store.take_reserve();
            (store, taken)
        })
        .await
        .expect("taking is never aborted, and a panic in it is passed on");
        self.at = At::Home(store);
        taken
    }

    /// Brings all that waits to disk.
    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        self.settle().await?;
        self.begin();
        self.settle().await
    }

    async fn settle(&mut self) -> Result<(), StoreError> {
        match self.at {
            At::Home(_) | At::Gone => Ok(()),
            At::Disk(_) => self.done().await,
        }
    }

    /// Brings all that waits to disk and closes the folder.
    pub(crate) async fn close(mut self) -> Result<(), StoreError> {
        self.commit().await?;
        self.release().await
    }

    /// Forgets what waits, lets a commit under way end, and frees the folder: as near to a kill as one process comes.
    pub(crate) async fn abandon(mut self) {
        self.queue.clear();
        if let Err(error) = self.settle().await {
            tracing::debug!(%error, "the last commit of a killed node failed");
        }
        if let Err(error) = self.release().await {
            tracing::debug!(%error, "the database of a killed node did not close");
        }
    }

    async fn release(self) -> Result<(), StoreError> {
        let At::Home(store) = self.at else {
            return Ok(());
        };
        spawn_blocking(move || store.close())
            .await
            .expect("closing is never aborted, and a panic in it is passed on")
    }
}
