//! Clusters that run, with a terminal or without: each has a state file in its run folder, which it keeps locked for as long as it lives.
//!
//! The lock is what tells a cluster that runs from one that was killed: the system lets go of it with the process, so a process id that has
//! been given to somebody else meanwhile is never taken for a cluster.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;
use crate::journal;
use crate::limits::{MAX_LOG_LINE_BYTES, MAX_STATE_BYTES};

/// The name of the state file in a run folder.
const FILE: &str = "cluster.json";
/// The version of the state file that this program writes and reads.
const VERSION: u32 = 1;

/// What a cluster says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    v: u32,
    /// Its process.
    pub(crate) pid: u32,
    /// When it was up, in UTC.
    pub(crate) up_since: String,
    /// How many nodes it has.
    pub(crate) nodes: usize,
    /// Where they live, as `--nodes` calls it.
    pub(crate) kind: String,
}

impl State {
    /// Of a cluster of this process that is up from now on.
    pub(crate) fn new(nodes: usize, kind: String) -> Self {
        Self {
            v: VERSION,
            pid: std::process::id(),
            up_since: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            nodes,
            kind,
        }
    }
}

/// A run folder that belongs to a cluster of this process; let go of when dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    _locked: File,
}

impl Claim {
    /// Writes the state file. It has its name only when it is whole and locked.
    pub(crate) fn take(folder: &Path, state: &State) -> io::Result<Self> {
        let (path, unfinished) = (folder.join(FILE), folder.join("cluster.json.new"));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&unfinished)?;
        file.try_lock()?;
        serde_json::to_writer(&mut file, state)?;
        file.write_all(b"\n")?;
        fs::rename(&unfinished, &path)?;
        Ok(Self { path, _locked: file })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // One that stays behind is seen to be locked by nobody.
        let _ = fs::remove_file(&self.path);
    }
}

/// A cluster whose state file was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) folder: PathBuf,
    pub(crate) state: State,
    pub(crate) is_running: bool,
    file: File,
}

impl Found {
    /// The cluster of a run folder; none when there is no state file, or none of ours.
    pub(crate) fn look(folder: &Path) -> Option<Self> {
        let file = File::open(folder.join(FILE)).ok()?;
        let mut text = String::new();
        (&file).take(MAX_STATE_BYTES).read_to_string(&mut text).ok()?;
        let state: State = serde_json::from_str(&text).ok()?;
        let is_running = match file.try_lock_shared() {
            Ok(()) => {
                // Whoever looks must not be taken for the cluster.
                file.unlock().ok()?;
                false
            }
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(_)) => return None,
        };
        (state.v == VERSION).then_some(Self {
            folder: folder.to_owned(),
            state,
            is_running,
            file,
        })
    }

    /// All clusters whose run folders are in this folder, by name.
    pub(crate) fn all(out: &Path) -> Vec<Self> {
        let entries = fs::read_dir(out).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let mut folders: Vec<PathBuf> = folders.map(|entry| entry.path()).collect();
        folders.sort();
        folders.iter().filter_map(|folder| Self::look(folder)).collect()
    }

    /// The one that is meant: that of the run folder, or else the only one that runs.
    pub(crate) fn meant(run: Option<&Path>, out: &Path) -> Result<Self, Failure> {
        let missing = |words: String| Err(Failure::bad_input(anyhow!(words)));
        if let Some(run) = run {
            let found = Self::look(run);
            return found.map_or_else(|| missing(format!("{} has no cluster that runs", run.display())), Ok);
        }
        let mut running: Vec<Self> = Self::all(out).into_iter().filter(|found| found.is_running).collect();
        match (running.pop(), running.len()) {
            (None, _) => missing(match why_ended(out) {
                Some(words) => format!("no cluster runs in {}; {words}", out.display()),
                None => format!("no cluster runs in {}; `nakanet up --detach` starts one", out.display()),
            }),
            (Some(one), 0) => Ok(one),
            (Some(last), _) => {
                let folders = running
                    .iter()
                    .chain([&last])
                    .map(|found| found.folder.display().to_string());
                let folders: Vec<String> = folders.collect();
                missing(format!("several clusters run, name one: {}", folders.join(", ")))
            }
        }
    }

    /// Waits until the cluster has ended; false when it takes longer than that.
    pub(crate) fn wait_for_end(&self, patience: Duration) -> Result<bool, Failure> {
        let file = self.file.try_clone().map_err(Failure::could_not_start)?;
        let (ended, end) = channel();
        // It waits on if the cluster does not end; the program does not wait for it.
        thread::spawn(move || ended.send(file.lock_shared()));
        match end.recv_timeout(patience) {
            Ok(locked) => locked
                .map(|()| true)
                .context("cannot wait for the cluster")
                .map_err(Failure::could_not_start),
            Err(_) => Ok(false),
        }
    }

    /// Removes the state file of a cluster that has ended without doing so.
    pub(crate) fn clear(&self) {
        // It may have done so after all.
        let _ = fs::remove_file(self.folder.join(FILE));
    }
}

/// What the latest cluster in the background ended of, if a node of it died.
pub(crate) fn why_ended(out: &Path) -> Option<String> {
    let name = fs::read_link(out.join("latest")).ok()?;
    let folder = out.join(name);
    let mut news = File::open(folder.join(journal::FOLDER).join(journal::NEWS)).ok()?;
    let length = news.metadata().ok()?.len();
    // It is among the last that was said, before how the nodes stood.
    news.seek(SeekFrom::Start(length.saturating_sub(MAX_LOG_LINE_BYTES)))
        .ok()?;
    let mut last = Vec::new();
    news.take(MAX_LOG_LINE_BYTES).read_to_end(&mut last).ok()?;
    let last = String::from_utf8_lossy(&last);
    let died = |line: &&str| line.starts_with("error: node ") && line.contains(" died: ");
    let words = last.lines().rev().find(died)?.trim_start_matches("error: ");
    Some(format!("{} has ended: {words}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_runs_for_as_long_as_its_claim_is_held() {
        let out = tempfile::tempdir().expect("a temporary folder");
        let folder = out.path().join("run");
        fs::create_dir(&folder).expect("it can be made");
        assert!(Found::all(out.path()).is_empty());
        let state = State::new(3, "tasks".to_owned());
        let claim = Claim::take(&folder, &state).expect("the folder is ours");
        let found = Found::meant(None, out.path()).expect("it runs");
        assert_eq!((found.is_running, &found.state), (true, &state));
        assert!(!found.wait_for_end(Duration::ZERO).expect("it can be waited for"));
        drop(claim);
        assert!(
            found
                .wait_for_end(Duration::from_secs(60))
                .expect("it can be waited for")
        );
        assert!(Found::look(&folder).is_none());
    }

    #[test]
    fn a_state_file_that_a_kill_left_behind_is_no_running_cluster() {
        let out = tempfile::tempdir().expect("a temporary folder");
        let state = serde_json::to_string(&State::new(3, "tasks".to_owned())).expect("it is plain");
        let folder = out.path().join("run");
        fs::create_dir(&folder).expect("it can be made");
        fs::write(folder.join(FILE), state).expect("it can be written");
        let [found] = &Found::all(out.path())[..] else {
            panic!("one state file");
        };
        assert!(!found.is_running);
        let refusal = Found::meant(None, out.path()).expect_err("none runs");
        assert!(
            refusal.words().starts_with("no cluster runs in "),
            "{}",
            refusal.words()
        );
        found.clear();
        assert!(Found::all(out.path()).is_empty());
    }

    #[test]
    fn what_is_no_state_file_is_none() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for text in [
            "",
            "{}",
            "{\"v\":99,\"pid\":1,\"up_since\":\"\",\"nodes\":1,\"kind\":\"\"}",
        ] {
            fs::write(folder.path().join(FILE), text).expect("it can be written");
            assert!(Found::look(folder.path()).is_none(), "{text}");
        }
        let state = serde_json::to_string(&State::new(3, "tasks".to_owned())).expect("it is plain");
        for (length, is_read) in [(MAX_STATE_BYTES, true), (MAX_STATE_BYTES + 1, false)] {
            let padding = " ".repeat(usize::try_from(length).expect("it is small") - state.len());
            fs::write(folder.path().join(FILE), padding + &state).expect("it can be written");
            assert_eq!(Found::look(folder.path()).is_some(), is_read, "{length} bytes");
        }
    }
}
