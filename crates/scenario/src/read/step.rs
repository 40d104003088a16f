//! Reads steps.

use toml::Spanned;
use toml::de::{DeArray, DeTable};

use super::repeat::{Around, Bound, Loops, has_room};
use super::value::expectation_name;
use super::{Expected, Fields, Reader};
use crate::diagnostic::Span;
use crate::grammar::{self, ACTIONS, ACTIONS_TO_COME, Action, Expectation, Kind, list, nearest};
use crate::limits::MAX_STEPS;

/// A step that fits the grammar.
#[derive(Clone, Debug)]
pub(crate) struct RawStep {
    pub(crate) action: &'static Action,
    /// What is waited for or expected, when the action is about an expectation.
    pub(crate) expectation: Option<&'static Expectation>,
    pub(crate) fields: Fields,
    /// What the loops around it put into it: `{name}` was read as the word behind it.
    pub(crate) bound: Bound,
}

impl Reader<'_> {
    pub(super) fn steps(&mut self, steps: &DeArray<'_>, span: &Span) -> Vec<RawStep> {
        if steps.len() > MAX_STEPS {
            let message = format!("`run` has {} steps, at most {MAX_STEPS} are allowed", steps.len());
            self.report.error(&(span.start..span.start + 1), message);
            return Vec::new();
        }
        let mut out = Vec::new();
        self.collect(steps, &Loops::default(), &mut out);
        out
    }

    /// Reads steps behind those that are there, loops among them as often as they say.
    pub(super) fn collect(&mut self, steps: &DeArray<'_>, loops: &Loops, out: &mut Vec<RawStep>) {
        for step in steps {
            let span = &step.span();
            let table = step.get_ref().as_table();
            let Some(table) = table.filter(|_| self.report.source.text(span).starts_with('{')) else {
                let message = "a step is an inline table, as { mine = 1, on = \"n0\" }";
                self.report.error(span, message);
                continue;
            };
            let Some(action) = self.action(table, span) else {
                continue;
            };
            if action.repeats() {
                self.repeated(action, table, Around { span, loops, out });
            } else if !has_room(out, span, self) {
                return;
            } else if let Some(step) = self.step_of(action, table, span) {
                let bound = loops.bound.clone();
                out.push(RawStep { bound, ..step });
            }
        }
    }

    /// Reads one step that is no loop.
    pub(crate) fn step(&mut self, table: &DeTable<'_>, span: &Span) -> Option<RawStep> {
        let action = self.action(table, span)?;
        if action.repeats() {
            let message = format!("`{}` is for files: here a step does one thing once", action.verb.name);
            self.report.error(span, message);
            return None;
        }
        self.step_of(action, table, span)
    }

    fn step_of(&mut self, action: &'static Action, table: &DeTable<'_>, span: &Span) -> Option<RawStep> {
        let name = action.verb.name;
        let mut keys = vec![&action.verb];
        let mut expectation = None;
        if matches!(action.verb.kind, Kind::Expectation) {
            let value = table.iter().find(|(key, _)| key.get_ref() == name);
            let (_, value) = value.expect("the action is the one that the table names");
            let known = expectation_name(value, self)?;
            keys.extend(known.keys);
            expectation = Some(known);
        }
        keys.extend(action.keys);
        let owner = match expectation {
            Some(expectation) => format!("`{name} = \"{}\"`", expectation.name),
            None => format!("`{name}`"),
        };
        let fields = self.fields(&Expected { owner, keys }, table, span.clone());
        if let Some(expectation) = expectation {
            self.one_of(expectation, table, span);
        }
        Some(RawStep {
            action,
            expectation,
            fields,
            bound: Bound::new(),
        })
    }

    /// The one action that a step names.
    fn action(&mut self, table: &DeTable<'_>, span: &Span) -> Option<&'static Action> {
        let known = || ACTIONS.iter().map(|action| action.verb.name);
        let to_come = |name: &str| ACTIONS_TO_COME.iter().any(|(word, _)| *word == name);
        let is_verb = |name: &str| grammar::action(name).is_some() || to_come(name);
        let named: Vec<&Spanned<_>> = table.keys().filter(|key| is_verb(key.get_ref())).collect();
        match named.as_slice() {
            [one] => {
                let action = grammar::action(one.get_ref());
                if action.is_none() {
                    let message = format!(
                        "`{}` is not built yet; this version has: {}",
                        one.get_ref(),
                        list(known())
                    );
                    self.report.error(&one.span(), message);
                }
                action
            }
            [] => {
                let near = table
                    .keys()
                    .find_map(|key| Some((key, nearest(key.get_ref(), known())?)));
                let did_you_mean = near.map_or_else(String::new, |(_, near)| format!("did you mean `{near}`? "));
                let first = near.map(|(key, _)| key).or_else(|| table.keys().next());
                let place = first.map_or_else(|| span.clone(), Spanned::span);
                let message = match first {
                    Some(key) => format!("unknown action `{}`", key.get_ref()),
                    None => "a step must say what happens".to_owned(),
                };
                self.report
                    .error_with_help(&place, message, format!("{did_you_mean}known: {}", list(known())));
                None
            }
            [first, second, ..] => {
                let message = format!(
                    "a step does one thing; here are `{}` and `{}`",
                    first.get_ref(),
                    second.get_ref()
                );
                self.report.error(&second.span(), message);
                None
            }
        }
    }

    /// Exactly one of an expectation's alternatives must be given.
    fn one_of(&mut self, expectation: &Expectation, table: &DeTable<'_>, span: &Span) {
        if expectation.one_of.is_empty() {
            return;
        }
        let given: Vec<_> = table
            .keys()
            .filter(|key| expectation.one_of.contains(&key.get_ref().as_ref()))
            .collect();
        let choice = expectation.one_of.join("`, `");
        match given.as_slice() {
            [_] => {}
            [] if self.complete => {
                let message = format!(
                    "`{}` needs one of `{choice}`: no pass without content",
                    expectation.name
                );
                self.report.error(span, message);
            }
            [] => {}
            [_, second, ..] => {
                let message = format!("`{}` takes only one of `{choice}`", expectation.name);
                self.report.error(&second.span(), message);
            }
        }
    }
}
