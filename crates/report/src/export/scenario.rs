//! What was done by hand, as a scenario that does it by itself.

use std::path::Path;

use base::Time;
use observe::Recorded;
use observe::log::{self, LoggedEvent};
use scenario::words;
use thiserror::Error;

use super::Exported;

/// Why there is no scenario of a run.
#[derive(Debug, Error)]
pub enum NoScenario {
    /// The run folder lacks what is needed.
    #[error(transparent)]
    Recorded(#[from] observe::recorded::RecordedError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] log::ReadError),
    /// The scenario has no list of steps that could be replaced.
    #[error("the scenario has no `run = [` list that could take the steps")]
    NoSteps,
}

/// A scenario that repeats what happened in a run.
#[derive(Debug)]
pub struct ByHand;

/// A step that happened, of the file or by hand.
struct Happened {
    at: Time,
    text: String,
    /// When it had passed or failed.
    ended: Option<Time>,
    by_hand: bool,
    /// Whether it lets time pass only.
    sleeps: bool,
}

impl Happened {
    /// Whether it is a step of the file that waits for something that has not come yet.
    fn is_waiting(&self) -> bool {
        !self.by_hand && self.ended.is_none() && self.text.starts_with("wait")
    }
}

impl ByHand {
    /// The scenario of a run: the network of its file, and the steps in the order in which they began, those of operators among them, with
    /// the time between them slept. Steps of the file that had not begun come last.
    ///
    /// # Errors
    /// When the run folder or its log cannot be read.
    pub fn of(folder: &Path) -> Result<Exported, NoScenario> {
        let recorded = Recorded::read(folder)?;
        let happened = happened(folder)?;
        let begin = recorded.source.find("run = [").ok_or(NoScenario::NoSteps)?;
        let head = &recorded.source[..begin];
        let by_hand = happened.iter().filter(|step| step.by_hand).count();
        let mut text = format!(
            "# {} by hand, replayed: {}.\n",
            words::count(by_hand as u64, "step"),
            folder.file_name().unwrap_or_default().to_string_lossy()
        );
        text += &without_seed(head, recorded.overrides.seed);
        text += "run = [\n";
        let mut now = happened.first().map_or(Time::ZERO, |first| first.at);
        for step in &happened {
            let pause = step.at.since(now);
            // Steps follow each other at once unless somebody waited.
            if step.by_hand && pause.as_millis() > 0 {
                text += &format!("  {{ sleep = \"{}ms\" }},\n", pause.as_millis());
            }
            let comment = if step.by_hand { " # by hand" } else { "" };
            if !step.sleeps {
                text += &format!("  {{ {} }},{comment}\n", step.text);
                now = step.ended.unwrap_or(step.at);
            }
        }
        text += "]\n";
        let overrides = recorded
            .overrides
            .set
            .iter()
            .map(|(key, value)| format!("--set {key}={value}"));
        let overrides: Vec<String> = overrides.collect();
        let left_out =
            (!overrides.is_empty()).then(|| format!("the run was changed by {}, the file is not", overrides.join(" ")));
        Ok(Exported { text, left_out })
    }
}

/// The run's own seed in place of the file's.
fn without_seed(head: &str, seed: Option<u64>) -> String {
    let kept = head
        .lines()
        .filter(|line| !line.trim_start().starts_with("seed ") && !line.starts_with('#'));
    let kept: String = kept.map(|line| format!("{line}\n")).collect();
    match seed {
        Some(seed) => format!("seed = {seed}\n{}", kept.trim_start()),
        None => kept,
    }
}

fn happened(folder: &Path) -> Result<Vec<Happened>, log::ReadError> {
    let mut steps: Vec<(Option<u64>, Happened)> = Vec::new();
    for event in log::read(folder)? {
        let event: LoggedEvent = event?;
        let number = match event.kind.as_str() {
            "step" => event.fields.get("step").and_then(serde_json::Value::as_u64),
            "control" => event.fields.get("control").and_then(serde_json::Value::as_u64),
            _ => continue,
        };
        let by_hand = event.kind == "control";
        let field = |name: &str| event.fields.get(name).and_then(serde_json::Value::as_str);
        let at = Time::from_micros(event.t_us);
        if field("state") == Some("started") {
            let text = field("text").unwrap_or_default().to_owned();
            let step = Happened {
                at,
                sleeps: text.starts_with("sleep") && !by_hand,
                text,
                ended: None,
                by_hand,
            };
            // What was done by hand while the file waited is what it waited for.
            let waited_for = by_hand && steps.last().is_some_and(|(_, last)| last.is_waiting());
            let place = steps.len() - usize::from(waited_for);
            steps.insert(place, (number, step));
        } else if let Some((_, step)) = steps
            .iter_mut()
            .find(|(known, step)| *known == number && step.by_hand == by_hand)
        {
            step.ended = Some(at);
        }
    }
    Ok(steps.into_iter().map(|(_, step)| step).collect())
}
