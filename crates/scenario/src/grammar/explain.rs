//! What `nakanet explain` says of a word.

use std::fmt::Write as _;

use super::reasons::Reason;
use super::{ACTIONS, ACTIONS_TO_COME, Action, EXPECTATIONS, EXPECTATIONS_TO_COME, Expectation, Key, Need, REASONS};
use super::{action, expectation, nearest};

/// What an action, an expectation or a reason word means; `None` when it is none of these.
///
/// A word that is both an action and an expectation gets both texts.
#[must_use]
pub fn explain(word: &str) -> Option<String> {
    let to_come = ACTIONS_TO_COME.iter().chain(EXPECTATIONS_TO_COME);
    let parts: Vec<String> = [
        action(word).map(of_action),
        expectation(word).map(of_expectation),
        REASONS.iter().find(|reason| reason.word == word).map(of_reason),
        to_come
            .into_iter()
            .find(|(known, _)| *known == word)
            .map(|(word, doc)| format!("{word}: {doc}. Not built yet.\n")),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

/// The word that an unknown one was most likely meant to be.
#[must_use]
pub fn nearest_word(unknown: &str) -> Option<&'static str> {
    nearest(unknown, words())
}

/// The actions, in a list for people.
#[must_use]
pub fn actions_overview() -> String {
    let mut text = String::from("Actions:\n");
    for action in ACTIONS {
        line(&mut text, action.verb.name, action.doc);
    }
    text
}

/// Every word that [`explain`] knows and that is built, in a list for people.
#[must_use]
pub fn overview() -> String {
    let mut text = actions_overview();
    text += "\nExpectations, after `expect`, `wait` or `never`:\n";
    for expectation in EXPECTATIONS {
        line(&mut text, expectation.name, expectation.doc);
    }
    text += "\nReasons for refusing a block, a transaction or a message:\n";
    for reason in REASONS {
        line(&mut text, reason.word, reason.rule);
    }
    text
}

fn words() -> impl Iterator<Item = &'static str> {
    let actions = ACTIONS.iter().map(|action| action.verb.name);
    let expectations = EXPECTATIONS.iter().map(|expectation| expectation.name);
    actions
        .chain(expectations)
        .chain(REASONS.iter().map(|reason| reason.word))
}

fn line(text: &mut String, word: &str, doc: &str) {
    writeln!(text, "  {word:<20} {doc}").expect("a string takes what is written");
}

fn of_action(action: &Action) -> String {
    let mut text = format!("{}: {}.\n\n", action.verb.name, action.doc);
    key(&mut text, &action.verb);
    action.keys.iter().for_each(|one| key(&mut text, one));
    text += &format!("\nExample: {{ {} }}\n", action.example);
    text
}

fn of_expectation(expectation: &Expectation) -> String {
    let mut text = format!("{}: {}.\n\n", expectation.name, expectation.doc);
    expectation.keys.iter().for_each(|one| key(&mut text, one));
    if !expectation.one_of.is_empty() {
        text += &format!("  Exactly one of {} must be given.\n", expectation.one_of.join(", "));
    }
    text += &format!("\nExample: {{ {} }}\n", expectation.example);
    text
}

fn of_reason(reason: &Reason) -> String {
    format!("{}: {}.\n\nSource: {}.\n", reason.word, reason.rule, reason.source)
}

fn key(text: &mut String, key: &Key) {
    let need = match key.need {
        Need::Required => "required".to_owned(),
        Need::Optional(absent) => format!("default: {absent}"),
        Need::Default(value) => format!("default: {value}"),
    };
    let expected = key.kind.expected();
    writeln!(text, "  {:<13} {} ({need}): {expected}", key.name, key.doc).expect("a string takes what is written");
}
