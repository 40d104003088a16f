//! What a run folder says of how to repeat its run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base::Time;
use scenario::{Engine, Instruction, Overrides};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::detail::Detail;
use crate::log::{self, ReadError};

/// A run that has been recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// What its scenario file was called.
    pub file: String,
    /// The file's text.
    pub source: String,
    /// What the command line changed in it; the seed is always there.
    pub overrides: Overrides,
    /// Which engine ran it.
    pub engine: Engine,
    /// The version of this program that did.
    pub tool_version: String,
    /// How it went, as `summary.json` calls it; none when it never ended.
    pub verdict: Option<String>,
    /// How much its log tells.
    pub detail: Detail,
    /// SHA-256 over all that happened, in hexadecimal; none when it never ended, or its engine has none.
    pub digest: Option<String>,
    /// How many steps operators handed in; [`Recorded::controls`] gives them.
    pub controls: u64,
}

/// Why a folder is no run that can be repeated.
#[derive(Debug, Error)]
pub enum RecordedError {
    /// A file is missing or cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `run.json` lacks what is needed.
    #[error("{path} does not describe a run")]
    NotARun {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The seed is not a number.
    #[error("{path} has the seed {seed:?}, which is no number")]
    Seed {
        /// Which file.
        path: PathBuf,
        /// What stands there.
        seed: String,
    },
}

/// The part of `run.json` that is needed here.
#[derive(Deserialize)]
struct RunJson {
    file: String,
    seed: String,
    set: Vec<(String, String)>,
    engine: Engine,
    tool_version: String,
    detail: Detail,
    verdict: Option<String>,
    digest: Option<String>,
    #[serde(default)]
    controls: u64,
}

impl Recorded {
    /// The steps that operators handed in, and when, from the log of a run folder.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn controls(folder: &Path) -> Result<Vec<(Time, Instruction)>, ReadError> {
        let mut controls = Vec::new();
        for event in log::read(folder)? {
            let event = event?;
            let field = |name: &str| event.fields.get(name).and_then(Value::as_str);
            if event.kind == "control"
                && field("state") == Some("started")
                && let (Some(who), Some(text)) = (field("who"), field("text"))
            {
                controls.push((Time::from_micros(event.t_us), Instruction::new(who, text)));
            }
        }
        Ok(controls)
    }

    /// Reads `run.json` and `scenario.toml` of a run folder.
    ///
    /// # Errors
    /// When one is missing, or does not say what is needed.
    pub fn read(folder: &Path) -> Result<Self, RecordedError> {
        let path = folder.join("run.json");
        let run: RunJson = serde_json::from_str(&read(&path)?).map_err(|source| RecordedError::NotARun {
            path: path.clone(),
            source,
        })?;
        let source = read(&folder.join("scenario.toml"))?;
        let Ok(seed) = run.seed.parse() else {
            return Err(RecordedError::Seed { path, seed: run.seed });
        };
        Ok(Self {
            file: run.file,
            source,
            overrides: Overrides {
                seed: Some(seed),
                set: run.set,
            },
            engine: run.engine,
            tool_version: run.tool_version,
            verdict: run.verdict,
            detail: run.detail,
            digest: run.digest,
            controls: run.controls,
        })
    }
}

fn read(path: &Path) -> Result<String, RecordedError> {
    fs::read_to_string(path).map_err(|source| RecordedError::Io {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use scenario::{ControlReport, StepState};

    use super::*;
    use crate::testing::{Sketch, plan};
    use crate::{Collector, Ending, RunEvent};

    #[test]
    fn a_run_folder_tells_how_to_repeat_its_run() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let set = vec![("network.nodes".to_owned(), "2".to_owned())];
        let plan = Arc::new(scenario::Plan {
            seed: u64::MAX,
            set: set.clone(),
            ..plan(2)
        });
        let collector = Collector::new(Arc::clone(&plan), Engine::Sim, Some(folder.path())).expect("a new folder");
        let begun = Recorded::read(folder.path()).expect("the folder of a run");
        assert_eq!((begun.verdict, begun.digest), (None, None));
        let mut sketch = Sketch::observed_by(collector);
        for (millis, state) in [(5, StepState::Started), (7, StepState::Passed { found: "up".into() })] {
            let report = control(Time::from_millis(millis), state);
            sketch.collector.observe(report.at, RunEvent::Control(report));
        }
        let digest = base::Hash::sha256(&[b"what happened"]);
        sketch.collector.set_run_digest(digest);
        sketch
            .collector
            .finish(sketch.now, Ending::Steps(scenario::Outcome::Passed));
        let recorded = Recorded::read(folder.path()).expect("the folder of a run");
        assert_eq!(recorded.source.as_str(), &*plan.source);
        assert_eq!(
            recorded.overrides,
            Overrides {
                seed: Some(u64::MAX),
                set
            }
        );
        assert_eq!(recorded.verdict.as_deref(), Some("passed"));
        assert_eq!(recorded.detail, Detail::Full);
        assert_eq!(recorded.digest, Some(digest.to_string()));
        assert_eq!(recorded.controls, 1);
        let controls = Recorded::controls(folder.path()).expect("a log");
        let instruction = Instruction::new("console", "heal = \"split\"");
        assert_eq!(controls, [(Time::from_millis(5), instruction)]);
    }

    fn control(at: Time, state: StepState) -> ControlReport {
        ControlReport {
            control: 0,
            who: "console".into(),
            action: "heal",
            text: "heal = \"split\"".into(),
            at,
            took: Duration::ZERO,
            state,
            deed: None,
        }
    }

    #[test]
    fn a_folder_without_a_run_is_refused_with_the_file_that_is_missing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let refusal = Recorded::read(folder.path()).expect_err("an empty folder");
        assert!(refusal.to_string().ends_with("run.json"), "{refusal}");
        fs::write(folder.path().join("run.json"), "{}").expect("it can be written");
        let refusal = Recorded::read(folder.path()).expect_err("an empty object");
        assert!(refusal.to_string().ends_with("does not describe a run"), "{refusal}");
    }
}
