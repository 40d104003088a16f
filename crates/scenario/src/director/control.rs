//! Steps that operators hand in while a run goes on. They go on beside the file's own, and their failures do not fail the run.

use std::sync::Arc;
use std::time::Duration;

use base::Time;

use super::{Course, Deed, Director, Look, Order, StepState};
use crate::build::operator;
use crate::diagnostic::Diagnostic;
use crate::limits::MAX_CONTROLS;
use crate::plan::StepKind;
use crate::{World, words};

/// A step that somebody hands in, as text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// By what way it came, for the log and for messages: `console`, `page`.
    pub who: Arc<str>,
    /// One step as in a scenario file, its braces may be left out.
    pub text: Arc<str>,
}

impl Instruction {
    /// A step in words.
    #[must_use]
    pub fn new(who: &str, text: &str) -> Self {
        Self {
            who: who.into(),
            text: text.into(),
        }
    }
}

/// News of an operator's step, to tell the operator and to log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ControlReport {
    /// Which of the run, from 0.
    pub control: u64,
    /// Who handed it in.
    pub who: Arc<str>,
    /// What it does: the name of an action.
    pub action: &'static str,
    /// The step on one line, without its braces.
    pub text: Arc<str>,
    /// When.
    pub at: Time,
    /// How long it has taken so far.
    pub took: Duration,
    /// Where it stands. One that fails does not fail the run.
    pub state: StepState,
    /// What it has done, when it has passed.
    pub deed: Option<Deed>,
}

/// An operator's step that is going on.
#[derive(Debug)]
pub(super) struct Control {
    number: u64,
    who: Arc<str>,
    action: &'static str,
    text: Arc<str>,
    kind: StepKind,
    course: Course,
}

impl Control {
    /// When it has failed if its effect has not shown.
    pub(super) const fn until(&self) -> Time {
        self.course.until
    }

    fn report(&self, now: Time, state: StepState) -> ControlReport {
        ControlReport {
            control: self.number,
            who: Arc::clone(&self.who),
            action: self.action,
            text: Arc::clone(&self.text),
            at: now,
            took: now - self.course.since,
            state,
            deed: None,
        }
    }
}

impl Director {
    /// Begins a step that an operator hands in, and says which it is of the run: its news come from [`Director::look_at_controls`], which
    /// must be called after this.
    ///
    /// # Errors
    /// All that is wrong with it, as in a file; it is held against what is so now. Nothing has happened then.
    pub fn instruct(
        &mut self,
        instruction: &Instruction,
        (now, world): (Time, &World),
        orders: &mut Vec<Order>,
        reports: &mut Vec<ControlReport>,
    ) -> Result<u64, Vec<Diagnostic>> {
        let who = instruction.who.as_ref();
        if self.controls.len() >= MAX_CONTROLS {
            let message = format!("{MAX_CONTROLS} steps of operators go on already");
            return Err(vec![Diagnostic::of_file(who, message)]);
        }
        let standing = self.standing(world);
        let read = operator::step((who, &instruction.text), &self.plan, standing)?;
        if let Some(refusal) = self.engine.refuses(&read.step.kind) {
            return Err(vec![Diagnostic::of_file(who, refusal.to_owned())]);
        }
        let plan = Arc::make_mut(&mut self.plan);
        (plan.wallets, plan.payments, plan.cuts) = (read.wallets, read.payments, read.cuts);
        let kind = read.step.kind;
        if let StepKind::Act { action, .. } = &kind {
            self.known.is_named(action);
        }
        let number = self.next_control;
        self.next_control += 1;
        let mut control = Control {
            number,
            who: Arc::clone(&instruction.who),
            action: read.action,
            text: read.step.text.into(),
            course: Course::begun(now),
            kind,
        };
        reports.push(control.report(now, StepState::Started));
        match self.set_out(&control.kind, (now, world), orders) {
            Ok(course) => {
                control.course = course;
                self.controls.push(control);
            }
            Err(found) => {
                let expected = "the step can be carried out".to_owned();
                reports.push(control.report(now, StepState::Failed { expected, found }));
            }
        }
        Ok(number)
    }

    /// Whether a step of an operator is going on.
    #[must_use]
    pub const fn is_controlled(&self) -> bool {
        !self.controls.is_empty()
    }

    /// Looks at the steps of operators: appends orders for the engine and news.
    pub fn look_at_controls(
        &mut self,
        now: Time,
        world: &World,
        orders: &mut Vec<Order>,
        reports: &mut Vec<ControlReport>,
    ) {
        let mut going = std::mem::take(&mut self.controls);
        going.retain_mut(|control| {
            let until = control.course.until;
            let state = match self.look((&control.kind, &mut control.course), now, world, orders) {
                Look::Passed(found) => StepState::Passed { found },
                Look::Failed { expected, found } => StepState::Failed { expected, found },
                Look::Pending { expected, found } if now >= until => StepState::Failed { expected, found },
                Look::Pending { .. } => return true,
            };
            let deed = self.deed(&control.kind, &state);
            reports.push(ControlReport {
                deed,
                ..control.report(now, state)
            });
            false
        });
        self.controls = going;
    }

    /// The run ends: so do the steps of operators that go on.
    pub fn end_controls(&mut self, now: Time, reports: &mut Vec<ControlReport>) {
        for control in self.controls.drain(..) {
            let expected = format!(
                "an end within {}",
                words::duration(control.course.until - control.course.since)
            );
            let found = "the run ended first".to_owned();
            reports.push(control.report(now, StepState::Failed { expected, found }));
        }
    }
}
