//! Reading a run folder into a model, also while it grows.

use std::path::{Path, PathBuf};

use base::Time;
use thiserror::Error;

use super::Model;
use super::events::Index;
use crate::arrivals::Unreadable;
use crate::log::{FramePlace, LoggedEvent, ReadError, Tail};

/// Why a run folder cannot be read on.
#[derive(Debug, Error)]
pub enum FollowError {
    /// Its log cannot.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// What lies beside it of when blocks arrived where cannot.
    #[error(transparent)]
    Arrivals(#[from] Unreadable),
}

/// A run folder that is being read.
#[derive(Debug)]
pub struct Follow {
    folder: PathBuf,
    tail: Tail,
    model: Model,
    frames: Vec<FrameMark>,
    pub(super) index: Index,
}

/// Where a frame of the log lies, and what time it is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameMark {
    /// Where it lies.
    pub place: FramePlace,
    /// The time of its first event.
    pub from: Time,
    /// The time of its last.
    pub to: Time,
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
            frames: Vec::new(),
            index: Index::default(),
        };
        follow.poll()?;
        Ok(follow)
    }

    /// Reads what has come since; says how many events there were.
    ///
    /// # Errors
    /// When the log is damaged.
    pub fn poll(&mut self) -> Result<usize, FollowError> {
        self.poll_each(|_| {})
    }

    /// [`Follow::poll`], and hands over each event.
    ///
    /// # Errors
    /// As there.
    pub fn poll_each(&mut self, mut see: impl FnMut(&LoggedEvent)) -> Result<usize, FollowError> {
        let mut count = 0;
        while let Some(frame) = self.tail.next_frame()? {
            let events = frame.events()?;
            self.index.push(&frame, &events);
            count += events.len();
            if let (Some(first), Some(last)) = (events.first(), events.last()) {
                self.frames.push(FrameMark {
                    place: frame.place,
                    from: Time::from_micros(first.t_us),
                    to: Time::from_micros(last.t_us),
                });
            }
            for event in &events {
                self.model.push(event);
                see(event);
            }
        }
        self.model.poll_arrivals(&self.folder)?;
        Ok(count)
    }

    /// Whether the log ended within a frame: it is being written, or broke off in a crash.
    #[must_use]
    pub const fn is_within_a_frame(&self) -> bool {
        self.tail.is_within_a_frame()
    }

    /// The run, as far as it was read.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// The frames of the log that were read, in order: [`Tail::from`] reads one again.
    #[must_use]
    pub fn frames(&self) -> &[FrameMark] {
        &self.frames
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
