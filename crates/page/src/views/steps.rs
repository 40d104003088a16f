//! The steps of the scenario.

use observe::model::{Model, Moment};
use observe::told::StepStateTold;
use serde::Serialize;

/// A step, as far as it had gone.
#[derive(Debug, Serialize)]
pub(super) struct StepView {
    pub(super) number: usize,
    pub(super) text: String,
    pub(super) state: &'static str,
    started_us: Option<u64>,
    took_us: Option<u64>,
    found: Option<String>,
}

/// All steps.
#[derive(Debug, Serialize)]
pub(crate) struct StepsView {
    steps: Vec<StepView>,
}

impl StepsView {
    pub(crate) fn of(model: &Model, moment: &Moment<'_>) -> Self {
        Self {
            steps: steps(model, moment),
        }
    }
}

/// All steps that ever began: those that had not by then are waiting.
pub(super) fn steps(model: &Model, moment: &Moment<'_>) -> Vec<StepView> {
    let view = |step: &observe::model::StepFacts| {
        let number = step.step + 1;
        let Some(then) = step.at(moment.time()) else {
            return StepView {
                number,
                text: step.text.clone(),
                state: "waiting",
                started_us: None,
                took_us: None,
                found: None,
            };
        };
        let (state, found) = match &then.state {
            StepStateTold::Started => ("started", None),
            StepStateTold::Passed { found } => ("passed", Some(found.clone())),
            StepStateTold::Failed { expected, found } => {
                ("failed", Some(format!("expected {expected}, found {found}")))
            }
        };
        StepView {
            number,
            text: then.text,
            state,
            started_us: Some(then.started.as_micros()),
            took_us: then
                .ended
                .map(|ended| ended.as_micros().saturating_sub(then.started.as_micros())),
            found,
        }
    };
    model.steps().iter().map(view).collect()
}
