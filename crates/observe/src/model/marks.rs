//! What stands out in a run: the steps of its scenario, the cuts across its network, and what a scrubber marks.

use base::{NodeId, Time};
use serde::Serialize;

use super::Model;
use crate::told::{Step, StepStateTold};

/// Something that stands out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Mark {
    /// When.
    #[serde(rename = "t_us")]
    pub at: Time,
    /// What.
    pub kind: MarkKind,
    /// Of a fork its number, of a cut its name, of a step its text, else in words.
    pub what: String,
}

/// What stands out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// A fork opened.
    ForkOpened,
    /// A fork is over.
    ForkResolved,
    /// A node went through a reorg.
    Reorg,
    /// Nodes are cut from each other.
    Partition,
    /// A cut is over.
    Heal,
    /// A link is another.
    Link,
    /// Something is done to the network.
    Control,
    /// A node came up after the start.
    NodeUp,
    /// A node went down.
    NodeDown,
    /// A node stands still.
    NodePaused,
    /// A node does not stand still any more.
    NodeResumed,
    /// A step began.
    StepStarted,
    /// A step passed.
    StepPassed,
    /// A step failed.
    StepFailed,
    /// The run ended.
    Ended,
}

/// A step that has begun.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StepFacts {
    /// Which, from 0.
    pub step: usize,
    /// The line of the scenario it begins on.
    pub line: u32,
    /// As the scenario has it.
    pub text: String,
    /// When it began.
    #[serde(rename = "started_us")]
    pub started: Time,
    /// When it passed or failed.
    #[serde(rename = "ended_us")]
    pub ended: Option<Time>,
    /// Where it stands.
    #[serde(flatten)]
    pub state: StepStateTold,
}

impl StepFacts {
    /// Takes in news of a step; gives the step as it is then.
    pub(super) fn update(steps: &mut Vec<Self>, at: Time, told: Step) -> Option<&Self> {
        let place = steps.iter().position(|step| step.step == told.step);
        let place = place.unwrap_or_else(|| {
            steps.push(Self {
                step: told.step,
                line: told.line,
                text: told.text,
                started: at,
                ended: None,
                state: StepStateTold::Started,
            });
            steps.len() - 1
        });
        let step = steps.get_mut(place)?;
        if told.state != StepStateTold::Started {
            step.ended = Some(at);
        }
        step.state = told.state;
        Some(step)
    }

    pub(super) const fn mark(&self) -> MarkKind {
        match self.state {
            StepStateTold::Started => MarkKind::StepStarted,
            StepStateTold::Passed { .. } => MarkKind::StepPassed,
            StepStateTold::Failed { .. } => MarkKind::StepFailed,
        }
    }

    /// Where it stood at a time; none when it had not begun.
    #[must_use]
    pub fn at(&self, at: Time) -> Option<Self> {
        let mut then = self.clone();
        if then.ended.is_some_and(|ended| ended > at) {
            then.ended = None;
            then.state = StepStateTold::Started;
        }
        (self.started <= at).then_some(then)
    }
}

/// A partition or isolation, once it has taken effect.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Cut {
    /// What it is called.
    pub id: String,
    /// Who is with whom.
    pub groups: Vec<Vec<NodeId>>,
    /// Whether connections stay up and swallow what is sent.
    pub silent: bool,
    /// From when on.
    #[serde(rename = "from_us")]
    pub from: Time,
    /// Until when; none while it lasts.
    #[serde(rename = "until_us")]
    pub until: Option<Time>,
}

impl Cut {
    /// Whether it lay across the network at a time.
    #[must_use]
    pub fn holds_at(&self, at: Time) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

impl Model {
    pub(super) fn mark(&mut self, kind: MarkKind, what: String) {
        self.marks.push(Mark {
            at: self.now,
            kind,
            what,
        });
    }

    pub(super) fn mark_of(&mut self, kind: MarkKind, node: NodeId) {
        let name = self.cast.name(node).to_owned();
        self.mark(kind, name);
    }
}
