//! The steps, one after the other, each checked against what the steps before it have done.

use std::time::Duration;

use super::actions;
use super::expectation::Scope;
use super::network::Network;
use super::state::{State, Surroundings};
use crate::diagnostic::{Report, Span};
use crate::limits::{ACTION_PATIENCE, MAX_STEPS_TIMES_NODES};
use crate::plan::{Step, StepKind};
use crate::read::RawStep;
use crate::words::duration;

/// What happens, and the names it gives.
pub(super) struct Story {
    pub(super) steps: Vec<Step>,
    pub(super) wallets: Vec<String>,
    pub(super) payments: Vec<String>,
    pub(super) cuts: Vec<String>,
}

/// Builds the steps; those at fault are told and left out.
pub(super) fn build(raw: &[RawStep], around: &Surroundings<'_>, report: &mut Report) -> Story {
    let mut state = State::new(around);
    let mut steps = Vec::new();
    let nodes = around.network.names.count();
    let raw = if raw.len().saturating_mul(nodes) > MAX_STEPS_TIMES_NODES {
        let message = format!(
            "{} steps on {nodes} nodes are too many: at most {MAX_STEPS_TIMES_NODES} together",
            raw.len()
        );
        report.error(&raw[0].fields.span, message);
        &[]
    } else {
        raw
    };
    for (place, step) in raw.iter().enumerate() {
        let following = &raw[place + 1..];
        if let Some(kind) = kind(step, following, &mut state, report) {
            let span = &step.fields.span;
            steps.push(Step {
                line: report.source.line(span.start),
                text: bound(&one_line(report.source.text(span)), &step.bound),
                kind,
            });
        }
    }
    Story {
        steps,
        wallets: state.wallets.names,
        payments: state.payments.names,
        cuts: state.cuts.names,
    }
}

/// A step's text as the loops around it have it.
fn bound(text: &str, words: &[(String, String)]) -> String {
    let bind = |text: String, (name, word): &(String, String)| text.replace(&format!("{{{name}}}"), word);
    words.iter().fold(text.to_owned(), bind)
}

pub(super) fn kind(
    step: &RawStep,
    following: &[RawStep],
    state: &mut State<'_>,
    report: &mut Report,
) -> Option<StepKind> {
    let fields = &step.fields;
    let within = within(step, state, report);
    let Some(known) = step.expectation else {
        if step.action.verb.name == "sleep" {
            return sleep(step, state, report).map(StepKind::Sleep);
        }
        let action = actions::build(step, following, state, report)?;
        let patience = state
            .around
            .limit
            .map_or(ACTION_PATIENCE, |limit| limit.min(ACTION_PATIENCE));
        return Some(StepKind::Act {
            action,
            within: within.unwrap_or(patience),
        });
    };
    let waits = step.action.verb.name == "wait";
    let scope = Scope {
        fields,
        state,
        report,
        waits,
    };
    let expectation = scope.build(known)?;
    match step.action.verb.name {
        "wait" => Some(StepKind::Wait {
            expectation,
            within: within?,
        }),
        "expect" => Some(StepKind::Expect(expectation)),
        "never" => Some(StepKind::Never(expectation)),
        verb => unreachable!("the grammar has no expectation after `{verb}`"),
    }
}

/// How long the step may take by its own word.
fn within(step: &RawStep, state: &State<'_>, report: &mut Report) -> Option<Duration> {
    let within = *step.fields.duration("within")?;
    let limit = state.around.limit?;
    if within > limit {
        let message = format!(
            "waits up to {}, but the whole run may take only {}",
            duration(within),
            duration(limit)
        );
        report.error_with_help(step.fields.place("within"), message, "raise `limit`, or lower `within`");
    }
    Some(within)
}

/// How long to sleep; all sleeps together must fit the run.
fn sleep(step: &RawStep, state: &mut State<'_>, report: &mut Report) -> Option<Duration> {
    let sleep = *step.fields.duration("sleep")?;
    let before = state.slept;
    state.slept = before.saturating_add(sleep);
    let limit = state.around.limit?;
    if before <= limit && state.slept > limit {
        let message = format!(
            "sleeps {} by now, but the whole run may take only {}",
            duration(state.slept),
            duration(limit)
        );
        report.error_with_help(step.fields.place("sleep"), message, "raise `limit`, or sleep less");
    }
    Some(sleep)
}

/// A step's text on one line: without its braces, without comments, with single blanks.
pub(super) fn one_line(text: &str) -> String {
    let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
    let mut line = String::with_capacity(inner.len());
    let mut quote = None;
    let mut comment = false;
    let mut escaped = false;
    for c in inner.chars() {
        comment &= c != '\n';
        if comment {
            continue;
        }
        match quote {
            None if c == '#' => comment = true,
            None if c.is_whitespace() => {
                if !line.ends_with(' ') {
                    line.push(' ');
                }
            }
            None => {
                quote = Some(c).filter(|c| *c == '"' || *c == '\'');
                line.push(c);
            }
            Some(mark) => {
                if c == mark && !escaped {
                    quote = None;
                }
                escaped = c == '\\' && mark == '"' && !escaped;
                line.push(c);
            }
        }
    }
    line.trim().trim_end_matches(',').to_owned()
}

/// Tells what is allowed but probably not meant.
pub(super) fn warn(story: &Story, network: &Network, report: &mut Report) {
    let top: Span = 0..0;
    let expects = |step: &Step| match step.kind {
        StepKind::Expect(_) | StepKind::Wait { .. } | StepKind::Never(_) => true,
        StepKind::Act { .. } | StepKind::Sleep(_) => false,
    };
    if !story.steps.iter().any(expects) {
        report.warn(&top, "nothing is expected of this run, so it cannot fail");
    }
    let mut alone = vec![network.nodes.len() > 1; network.nodes.len()];
    for link in &network.links {
        alone[link.a.index()] = false;
        alone[link.b.index()] = false;
    }
    let alone: Vec<_> = network.nodes.iter().zip(alone).filter(|(_, alone)| *alone).collect();
    if let Some((first, _)) = alone.first() {
        let others = match alone.len() - 1 {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        report.warn(&top, &format!("`{}`{others} has no link at the start", first.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_shown_on_one_line() {
        for (text, line) in [
            ("{ mine = 1, on = \"n0\" }", "mine = 1, on = \"n0\""),
            ("{\n  mine = 1, # one\n  on = 'n#0',\n}", "mine = 1, on = 'n#0'"),
            ("{ send = \"a  \\\" # b\" }", "send = \"a  \\\" # b\""),
        ] {
            assert_eq!(one_line(text), line);
        }
    }
}
