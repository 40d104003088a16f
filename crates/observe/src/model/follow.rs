//! Reading a run folder into a model, also while it grows.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Model;
use crate::log::{ReadError, Tail};

/// Why a run folder cannot be read on.
#[derive(Debug, Error)]
pub enum FollowError {
    /// Its log cannot.
    #[error(transparent)]
    Log(#[from] ReadError),
}

/// A run folder that is being read.
#[derive(Debug)]
pub struct Follow {
    folder: PathBuf,
    tail: Tail,
    model: Model,
}

impl Follow {
    /// Opens a run folder and reads what is there.
    ///
    /// # Errors
    /// When its log is missing or damaged.
    pub fn open(folder: &Path) -> Result<Self, FollowError> {
        let mut follow = Self {
            folder: folder.to_owned(),
            tail: Tail::open(folder)?,
            model: Model::new(),
        };
        follow.poll()?;
        Ok(follow)
    }

    /// Reads what has come since; says how many events there were.
    ///
    /// # Errors
    /// When the log is damaged.
    pub fn poll(&mut self) -> Result<usize, FollowError> {
        let mut count = 0;
        while let Some(frame) = self.tail.next_frame()? {
            let events = frame.events()?;
            count += events.len();
            for event in &events {
                self.model.push(event);
            }
        }
        Ok(count)
    }

    /// The run, as far as it was read.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
