//! A run folder as it is being read.

use std::io;
use std::path::{Path, PathBuf};

use observe::log::ReadError;
use observe::model::{Follow, FollowError, FrameMark, Model};
use thiserror::Error;

/// Why a run cannot be read.
#[derive(Debug, Error)]
pub enum ReadingError {
    /// Its log cannot be.
    #[error(transparent)]
    Log(#[from] FollowError),
    /// The system gives no thread to read it.
    #[error("cannot start reading: {0}")]
    Thread(io::Error),
}

/// What has been read.
#[derive(Debug)]
pub(crate) struct Reading {
    folder: PathBuf,
    /// None while the run has not begun its log.
    follow: Option<Follow>,
    nothing: Model,
    trouble: Option<String>,
}

impl Reading {
    /// Reads what there is.
    pub(crate) fn open(folder: &Path) -> Result<Self, ReadingError> {
        let mut reading = Self::awaiting(folder);
        reading.follow = Some(Follow::open(folder)?);
        Ok(reading)
    }

    /// Will read what is not there yet.
    pub(crate) fn awaiting(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            follow: None,
            nothing: Model::new(),
            trouble: None,
        }
    }

    /// Reads what has come. A log that turns out to be damaged is read no further; what was read stays.
    pub(crate) fn follow(&mut self) {
        if self.trouble.is_some() {
            return;
        }
        let followed = match &mut self.follow {
            Some(follow) => follow.poll().map(|_| ()),
            None => match Follow::open(&self.folder) {
                Err(FollowError::Log(ReadError::Io { source, .. })) if source.kind() == io::ErrorKind::NotFound => {
                    Ok(())
                }
                opened => opened.map(|follow| self.follow = Some(follow)),
            },
        };
        self.trouble = followed.err().map(|error| error.to_string());
    }

    pub(crate) fn model(&self) -> &Model {
        self.follow.as_ref().map_or(&self.nothing, Follow::model)
    }

    /// Where the frames of the log lie, and what time each is of.
    pub(crate) fn frames(&self) -> &[FrameMark] {
        self.follow.as_ref().map_or(&[], Follow::frames)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Why the log is read no further.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }
}
