//! The way an operator takes part in a run that goes on: a step in the scenario language is handed in as text and answered when its effect
//! has shown.
//!
//! An [`Operator`] hands in, from any thread; the engine takes from the [`Desk`] between two events and carries the step out like one of the
//! file. The queue between them is bounded: who hands in faster than the run takes is told so.

use std::collections::BTreeMap;
use std::time::Duration;

use async_channel::{Receiver, Sender, TrySendError};
use scenario::{ControlReport, Diagnostic, Instruction, StepState};
use thiserror::Error;

use crate::limits::MAX_HANDED_IN;

/// A way to hand in. Clones hand in at the same desk.
#[derive(Clone, Debug)]
pub struct Operator(Sender<Request>);

/// Where an engine finds what was handed in. Clones stand at the same desk.
#[derive(Clone, Debug)]
pub struct Desk(Receiver<Request>);

/// A step that was handed in, and whom to answer.
#[derive(Debug)]
pub struct Request {
    /// The step.
    pub instruction: Instruction,
    answer: Sender<Answer>,
}

/// What came of a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It is wrong, and nothing has happened.
    Refused(Vec<Diagnostic>),
    /// Its effect has shown.
    Passed {
        /// What was seen, in words.
        found: String,
        /// How long it took in the run's time.
        took: Duration,
    },
    /// Its effect has not shown in time, or cannot.
    Failed {
        /// What was expected, in words.
        expected: String,
        /// What was found, in words.
        found: String,
    },
}

/// Why a step was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum NotTaken {
    /// Too many were handed in at once.
    #[error("{MAX_HANDED_IN} steps wait already; hand it in again when they are done")]
    Busy,
    /// There is no run any more.
    #[error("the run is over")]
    Over,
}

/// An answer that is to come.
#[derive(Debug)]
pub struct Reply(Receiver<Answer>);

impl Operator {
    /// An operator and the desk that an engine takes from.
    #[must_use]
    pub fn new() -> (Self, Desk) {
        let (sender, receiver) = async_channel::bounded(MAX_HANDED_IN);
        (Self(sender), Desk(receiver))
    }

    /// Hands in a step. Does not wait.
    ///
    /// # Errors
    /// When the desk is full, or the run over.
    pub fn hand_in(&self, instruction: Instruction) -> Result<Reply, NotTaken> {
        let (answer, reply) = async_channel::bounded(1);
        match self.0.try_send(Request { instruction, answer }) {
            Ok(()) => Ok(Reply(reply)),
            Err(TrySendError::Full(_)) => Err(NotTaken::Busy),
            Err(TrySendError::Closed(_)) => Err(NotTaken::Over),
        }
    }
}

impl Desk {
    /// What was handed in first, if anything was.
    #[must_use]
    pub fn take(&self) -> Option<Request> {
        self.0.try_recv().ok()
    }

    /// Takes nothing any more, for the run is over: whoever waits for an answer or hands in is told so.
    pub fn close(&self) {
        self.0.close();
        while self.take().is_some() {}
    }

    /// Completes with what was handed in first; never when nobody can hand in any more. May be dropped and called again.
    pub async fn next(&self) -> Request {
        match self.0.recv().await {
            Ok(request) => request,
            Err(async_channel::RecvError) => std::future::pending().await,
        }
    }
}

impl Reply {
    /// Waits for the answer.
    ///
    /// # Errors
    /// When the run is over before there is one.
    pub fn wait(self) -> Result<Answer, NotTaken> {
        self.0
            .recv_blocking()
            .map_err(|async_channel::RecvError| NotTaken::Over)
    }

    /// Completes with the answer.
    ///
    /// # Errors
    /// When the run is over before there is one.
    pub async fn answer(self) -> Result<Answer, NotTaken> {
        self.0.recv().await.map_err(|async_channel::RecvError| NotTaken::Over)
    }

    /// The answer, if it is there already.
    #[must_use]
    pub fn ready(&self) -> Option<Result<Answer, NotTaken>> {
        match self.0.try_recv() {
            Ok(answer) => Some(Ok(answer)),
            Err(async_channel::TryRecvError::Closed) => Some(Err(NotTaken::Over)),
            Err(async_channel::TryRecvError::Empty) => None,
        }
    }
}

/// Whom an engine owes an answer, by the number of the step.
#[derive(Debug, Default)]
pub struct Owed(BTreeMap<u64, Sender<Answer>>);

impl Owed {
    /// The step has this number now: its answer comes later.
    pub fn begun(&mut self, control: u64, request: Request) {
        self.0.insert(control, request.answer);
    }

    /// Answers whoever handed in a step that has ended.
    pub fn tell(&mut self, report: &ControlReport) {
        let answer = match &report.state {
            StepState::Started => return,
            StepState::Passed { found } => Answer::Passed {
                found: found.clone(),
                took: report.took,
            },
            StepState::Failed { expected, found } => Answer::Failed {
                expected: expected.clone(),
                found: found.clone(),
            },
        };
        if let Some(waiting) = self.0.remove(&report.control) {
            // Whoever does not wait any more does not want to know.
            let _ = waiting.try_send(answer);
        }
    }
}

impl Request {
    /// Answers that the step is wrong.
    pub fn refuse(self, diagnostics: Vec<Diagnostic>) {
        // Whoever does not wait any more does not want to know.
        let _ = self.answer.try_send(Answer::Refused(diagnostics));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str) -> Instruction {
        Instruction::new("test", text)
    }

    #[test]
    fn what_is_handed_in_is_taken_in_its_order_and_answered() {
        let (operator, desk) = Operator::new();
        let replies: Vec<Reply> = ["mine = 1", "mine = 2"]
            .map(|text| operator.hand_in(step(text)).expect("there is room"))
            .into();
        let mut owed = Owed::default();
        for number in 0..2 {
            let request = desk.take().expect("a step was handed in");
            assert_eq!(request.instruction.text.as_ref(), format!("mine = {}", number + 1));
            owed.begun(number, request);
        }
        assert!(desk.take().is_none());
        assert_eq!(replies[1].ready(), None);
        let report = |state| ControlReport {
            control: 1,
            who: "test".into(),
            action: "mine",
            text: "mine = 2".into(),
            at: base::Time::ZERO,
            took: Duration::from_secs(3),
            state,
            deed: None,
        };
        owed.tell(&report(StepState::Started));
        assert_eq!(replies[1].ready(), None);
        let found = "2 blocks mined".to_owned();
        owed.tell(&report(StepState::Passed { found: found.clone() }));
        let took = Duration::from_secs(3);
        assert_eq!(replies[1].ready(), Some(Ok(Answer::Passed { found, took })));
        drop(owed);
        assert_eq!(replies[0].ready(), Some(Err(NotTaken::Over)));
    }

    #[test]
    fn a_full_desk_and_a_run_that_is_over_take_nothing() {
        let (operator, desk) = Operator::new();
        let mut waiting = None;
        for _ in 0..MAX_HANDED_IN {
            waiting = Some(operator.hand_in(step("mine = 1")).expect("there is room"));
        }
        // A clone has no room of its own.
        let refusal = operator.clone().hand_in(step("mine = 1")).expect_err("no room");
        assert_eq!(refusal, NotTaken::Busy);
        desk.close();
        let refusal = operator.hand_in(step("mine = 1")).expect_err("nobody takes it");
        assert_eq!(refusal, NotTaken::Over);
        assert_eq!(waiting.map(Reply::wait), Some(Err(NotTaken::Over)));
    }
}
