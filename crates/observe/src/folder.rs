//! The run folder: what a run leaves behind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base::{NodeId, Time};
use chain::BlockId;
use scenario::{Engine, Plan};
use serde_json::Value;

use crate::arrivals::ArrivalsWriter;
use crate::detail::Detail;
use crate::line;
use crate::log::LogWriter;
use crate::record::RunEvent;

/// Where a run folder keeps the files that stood beside its scenario.
pub const ATTACHMENTS: &str = "files";

/// A run folder being written. The first error is kept, and nothing is written after it: a run goes on without its log, and says so.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    log: LogWriter,
    /// When blocks arrived where, when the log does not tell.
    arrivals: Option<ArrivalsWriter>,
    error: Option<io::Error>,
}

impl RunFolder {
    /// Creates the folder when it is missing, and begins its files.
    ///
    /// # Errors
    /// When one of them cannot be written, or the folder has a log already.
    pub fn create(path: &Path, plan: &Plan, engine: Engine, detail: Detail) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let log = LogWriter::create(path)?;
        fs::write(path.join("scenario.toml"), plan.source.as_bytes())?;
        if let Some(attachment) = &plan.attachment {
            let folder = path.join(ATTACHMENTS);
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(&attachment.name), attachment.text.as_bytes())?;
        }
        write_json(&path.join("run.json"), &line::run(plan, engine, detail))?;
        let genesis = plan.params.genesis_block().id();
        let arrivals = match detail {
            Detail::Compact => Some(ArrivalsWriter::create(path, plan.nodes.len(), genesis)?),
            Detail::Full | Detail::Summary => None,
        };
        Ok(Self {
            path: path.to_owned(),
            log,
            arrivals,
            error: None,
        })
    }

    /// Appends a line to the log.
    pub fn append(&mut self, line: &str) {
        self.attempt(|folder| folder.log.append(line));
    }

    /// Makes sure that what was appended survives a crash.
    pub fn flush(&mut self) {
        self.attempt(|folder| {
            folder.log.flush()?;
            folder.arrivals.as_mut().map_or(Ok(()), ArrivalsWriter::flush)
        });
    }

    /// Notes when blocks arrive where, if the log does not tell.
    pub fn arrive(&mut self, at: Time, event: &RunEvent) {
        self.attempt(|folder| match (&mut folder.arrivals, event) {
            (Some(arrivals), RunEvent::Node { node, event, .. }) => arrivals.observe(at, *node, event),
            (Some(arrivals), RunEvent::NodeStarted { node, .. }) => arrivals.started(at, *node),
            (Some(_) | None, _) => Ok(()),
        });
    }

    /// Notes that a node has a block from a peer, and follows it: what [`RunFolder::arrive`] makes of the three events.
    pub fn follow(&mut self, at: Time, (node, peer): (NodeId, NodeId), block: &BlockId) {
        self.attempt(|folder| match &mut folder.arrivals {
            Some(arrivals) => arrivals.follow(at, (node, peer), block),
            None => Ok(()),
        });
    }

    /// Writes a file of the folder, replacing it whole.
    pub fn write(&mut self, name: &str, contents: &str) {
        self.attempt(|folder| replace(&folder.path.join(name), contents.as_bytes()));
    }

    /// Writes a JSON file of the folder, replacing it whole.
    pub fn write_json(&mut self, name: &str, value: &Value) {
        self.attempt(|folder| write_json(&folder.path.join(name), value));
    }

    /// The first error; whatever was to be written from then on is missing.
    #[must_use]
    pub const fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    fn attempt(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) {
        if self.error.is_none() {
            self.error = write(self).err();
        }
    }
}

fn write_json(path: &Path, value: &Value) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    replace(path, text.as_bytes())
}

/// A reader sees the old file or the new one, never half of one.
fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    fs::write(&unfinished, contents)?;
    fs::rename(&unfinished, path)
}
