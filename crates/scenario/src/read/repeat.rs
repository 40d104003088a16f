//! Reads steps that repeat others: each time they are read anew, as if the file had them so often.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::step::RawStep;
use super::{Expected, Fields, Reader};
use crate::diagnostic::Span;
use crate::grammar::{Action, Key, Kind};
use crate::limits::{MAX_LOOP_DEPTH, MAX_STEPS};

/// What stands for what in the steps of a loop: `{name}` for the word behind it.
pub(crate) type Bound = Vec<(String, String)>;

/// The loops around a step.
#[derive(Clone, Debug, Default)]
pub(super) struct Loops {
    depth: usize,
    pub(super) bound: Bound,
}

impl Reader<'_> {
    /// Reads the steps of a `repeat` or `for` as often as it says. What is wrong with them is told once.
    pub(super) fn repeated(&mut self, action: &'static Action, table: &DeTable<'_>, around: Around<'_>) {
        let Around { span, loops, out } = around;
        let keys: Vec<&Key> = std::iter::once(&action.verb)
            .chain(action.keys)
            .filter(|key| !matches!(key.kind, Kind::Steps))
            .collect();
        let mut rest = table.clone();
        let steps = rest.remove("steps");
        let owner = format!("`{}`", action.verb.name);
        let fields = self.fields(&Expected { owner, keys }, &rest, span.clone());
        let Some(steps) = steps.as_ref().and_then(|steps| self.steps_of_loop(steps)) else {
            if !table.contains_key("steps") && self.complete {
                self.report.error(
                    span,
                    format!("`{}` needs `steps`: what is done each time", action.verb.name),
                );
            }
            return;
        };
        if loops.depth == MAX_LOOP_DEPTH {
            let message = format!("loops in loops in loops: at most {MAX_LOOP_DEPTH} are allowed");
            self.report.error(span, message);
            return;
        }
        for word in times(action, &fields) {
            let mut inner = loops.clone();
            inner.depth += 1;
            let mut steps = steps.clone();
            if let Some((name, word)) = word {
                let placeholder = format!("{{{name}}}");
                steps
                    .iter_mut()
                    .for_each(|step| substitute(step.get_mut(), &placeholder, &word));
                inner.bound.push((name, word));
            }
            self.collect(&steps, &inner, out);
            // Another time would find the same mistakes.
            if !self.report.is_clean() {
                return;
            }
        }
    }

    /// The steps of a loop: a list with at least one.
    fn steps_of_loop<'a, 'i>(&mut self, steps: &'a Spanned<DeValue<'i>>) -> Option<&'a DeArray<'i>> {
        let array = steps.get_ref().as_array().filter(|array| !array.is_empty());
        if array.is_none() {
            let message = "`steps` must be a list of steps, as [{ mine = 1, on = \"n0\" }]";
            self.report.error(&steps.span(), message);
        }
        array
    }
}

/// Where a loop stands, and where its steps go.
pub(super) struct Around<'a> {
    pub(super) span: &'a Span,
    pub(super) loops: &'a Loops,
    pub(super) out: &'a mut Vec<RawStep>,
}

/// What each time of a loop puts into the steps.
fn times(action: &Action, fields: &Fields) -> Vec<Option<(String, String)>> {
    match action.verb.name {
        "repeat" => vec![None; fields.count("repeat").unwrap_or(0)],
        "for" => {
            let name = fields.text("for").map_or("", |name| name.text.as_str());
            let words = fields.list("in").map_or(&[][..], Vec::as_slice);
            words
                .iter()
                .map(|word| Some((name.to_owned(), word.text.clone())))
                .collect()
        }
        verb => unreachable!("the grammar has no loop `{verb}`"),
    }
}

/// Puts a word wherever its placeholder stands in a text.
fn substitute(value: &mut DeValue<'_>, placeholder: &str, word: &str) {
    match value {
        DeValue::String(text) if text.contains(placeholder) => *text = Cow::Owned(text.replace(placeholder, word)),
        DeValue::Array(array) => array
            .iter_mut()
            .for_each(|entry| substitute(entry.get_mut(), placeholder, word)),
        DeValue::Table(table) => {
            for (_, entry) in table.iter_mut() {
                substitute(entry.get_mut(), placeholder, word);
            }
        }
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

/// Whether there is room for one more step; tells so once when there is not.
pub(super) fn has_room(out: &[RawStep], span: &Span, reader: &mut Reader<'_>) -> bool {
    let room = out.len() < MAX_STEPS;
    if !room && reader.report.is_clean() {
        let message = format!("with all repetitions there are more than {MAX_STEPS} steps");
        reader.report.error(span, message);
    }
    room
}
