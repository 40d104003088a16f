//! Reads one value as its key's kind.

use toml::Spanned;
use toml::de::{DeArray, DeValue};

use super::{Rates, Reader, Text, Value};
use crate::diagnostic::Span;
use crate::grammar::{self, Key, Kind, REASONS, list, nearest};
use crate::limits::{MAX_BLOCK_SIZE, MAX_DELAY, MAX_FILE_NAME_BYTES, MAX_LIMIT, MAX_NAME_BYTES, MIN_PAUSE};
use crate::quantity;

type Raw<'a> = Spanned<DeValue<'a>>;

impl Reader<'_> {
    /// The value as the key's kind; when it is not, tells so.
    pub(super) fn value(&mut self, key: &Key, raw: &Raw<'_>) -> Option<Value> {
        let value = match key.kind {
            Kind::Word { built, to_come } => return self.word(key, raw, (built, to_come)),
            Kind::Reason => return self.reason(key, raw),
            Kind::Table(section) => {
                let table = raw.get_ref().as_table();
                table.map(|table| Value::Table(self.section(section, table, raw.span())))
            }
            Kind::Tables(section) => tables(raw).map(|tables| {
                let read = tables
                    .into_iter()
                    .map(|(table, span)| self.section(section, table, span));
                Value::Tables(read.collect())
            }),
            Kind::Steps => {
                let steps = raw.get_ref().as_array();
                steps.map(|steps| Value::Steps(self.steps(steps, &raw.span())))
            }
            Kind::Name
            | Kind::NamePair
            | Kind::File
            | Kind::Expectation
            | Kind::Node
            | Kind::NodePair
            | Kind::NodePairs
            | Kind::Nodes
            | Kind::NodeGroups
            | Kind::Words
            | Kind::Integer { .. }
            | Kind::Share
            | Kind::Flag
            | Kind::Amount
            | Kind::Duration
            | Kind::Delay
            | Kind::Bandwidth
            | Kind::Rate
            | Kind::Bytes
            | Kind::HashRate
            | Kind::Rates => plain(key.kind, raw),
        };
        if value.is_none() {
            self.wrong(key, raw);
        }
        value
    }

    fn wrong(&mut self, key: &Key, raw: &Raw<'_>) {
        let message = format!("`{}` must be {}; found {}", key.name, key.kind.expected(), found(raw));
        self.report.error(&raw.span(), message);
    }

    fn word(&mut self, key: &Key, raw: &Raw<'_>, (built, to_come): (&[&str], &[&str])) -> Option<Value> {
        let Some(word) = text(raw) else {
            self.wrong(key, raw);
            return None;
        };
        if built.contains(&word.text.as_str()) {
            return Some(Value::Text(word));
        }
        let allowed = list(built.iter().copied());
        if to_come.contains(&word.text.as_str()) {
            let message = format!("`{}` is not built yet; this version has: {allowed}", word.text);
            self.report.error(&raw.span(), message);
            return None;
        }
        let near = nearest(&word.text, built.iter().copied());
        let did_you_mean = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        let message = format!("`{}` cannot be `{}`", key.name, word.text);
        self.report
            .error_with_help(&raw.span(), message, format!("{did_you_mean}allowed: {allowed}"));
        None
    }

    fn reason(&mut self, key: &Key, raw: &Raw<'_>) -> Option<Value> {
        let Some(word) = text(raw) else {
            self.wrong(key, raw);
            return None;
        };
        let known = || REASONS.iter().map(|reason| reason.word);
        if known().any(|known| known == word.text) {
            return Some(Value::Text(word));
        }
        let near = nearest(&word.text, known());
        let did_you_mean = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        let message = format!("unknown reason word `{}`", word.text);
        self.report.error_with_help(
            &raw.span(),
            message,
            format!("{did_you_mean}`nakanet explain` lists all"),
        );
        None
    }
}

/// The kinds that stand for themselves.
fn plain(kind: Kind, raw: &Raw<'_>) -> Option<Value> {
    match kind {
        Kind::Name => text(raw).filter(is_name).map(Value::Text),
        Kind::File => text(raw).filter(is_file_name).map(Value::Text),
        Kind::Node | Kind::Expectation => text(raw).map(Value::Text),
        Kind::NamePair => texts(raw)
            .filter(|pair| pair.len() == 2 && pair.iter().all(is_name))
            .map(Value::List),
        Kind::NodePair => texts(raw).filter(|pair| pair.len() == 2).map(Value::List),
        Kind::Nodes => nodes(raw).map(Value::List),
        Kind::NodePairs => lists(raw, texts)
            .filter(|pairs| pairs.iter().all(|pair| pair.len() == 2))
            .map(Value::Lists),
        Kind::NodeGroups => lists(raw, nodes).map(Value::Lists),
        Kind::Words => texts(raw)
            .filter(|words| !words.is_empty() && words.iter().all(is_name))
            .map(Value::List),
        Kind::Integer { min, max } => integer(raw)
            .filter(|number| (min..=max).contains(number))
            .map(Value::Integer),
        Kind::Share => quantity::millionths(&number(raw)?).map(Value::Share),
        Kind::Flag => raw.get_ref().as_bool().map(Value::Flag),
        Kind::Amount => {
            let written = number(raw).or_else(|| text(raw).map(|text| text.text))?;
            quantity::amount(&written).map(Value::Amount)
        }
        Kind::Duration => quantity::duration(&text(raw)?.text)
            .filter(|duration| !duration.is_zero() && *duration <= MAX_LIMIT)
            .map(Value::Duration),
        Kind::Delay => quantity::duration(&text(raw)?.text)
            .filter(|delay| *delay <= MAX_DELAY)
            .map(Value::Duration),
        Kind::Bandwidth => match text(raw)?.text.as_str() {
            "unlimited" => Some(Value::Bandwidth(None)),
            rate => quantity::bandwidth(rate)
                .filter(|rate| *rate > 0)
                .map(|rate| Value::Bandwidth(Some(rate))),
        },
        Kind::Rate => quantity::pause(&text(raw)?.text)
            .filter(|pause| (MIN_PAUSE..=MAX_LIMIT).contains(pause))
            .map(Value::Duration),
        Kind::Bytes => quantity::bytes(&text(raw)?.text)
            .filter(|bytes| (1..=MAX_BLOCK_SIZE).contains(bytes))
            .map(Value::Integer),
        Kind::HashRate => hash_rate(raw).map(Value::HashRate),
        Kind::Rates => rates(raw).map(Value::Rates),
        Kind::Word { .. } | Kind::Reason | Kind::Table(_) | Kind::Tables(_) | Kind::Steps => {
            unreachable!("read by the reader, which tells more of their faults")
        }
    }
}

/// Whether a name is one.
pub(crate) fn is_name(name: &Text) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=MAX_NAME_BYTES).contains(&name.text.len()) && name.text.bytes().all(allowed)
}

/// Whether a file is one of the scenario's own folder, and not hidden there.
fn is_file_name(name: &Text) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=MAX_FILE_NAME_BYTES).contains(&name.text.len())
        && name.text.bytes().all(allowed)
        && !name.text.starts_with('.')
}

fn text(raw: &Raw<'_>) -> Option<Text> {
    let text = raw.get_ref().as_str()?.to_owned();
    let span = raw.span();
    Some(Text { text, span })
}

fn texts(raw: &Raw<'_>) -> Option<Vec<Text>> {
    raw.get_ref().as_array()?.iter().map(text).collect()
}

/// A word alone, or a list of words with at least one.
fn nodes(raw: &Raw<'_>) -> Option<Vec<Text>> {
    match text(raw) {
        Some(one) => Some(vec![one]),
        None => texts(raw).filter(|list| !list.is_empty()),
    }
}

fn lists(raw: &Raw<'_>, inner: fn(&Raw<'_>) -> Option<Vec<Text>>) -> Option<Vec<Vec<Text>>> {
    raw.get_ref().as_array()?.iter().map(inner).collect()
}

fn tables<'a, 'i>(raw: &'a Raw<'i>) -> Option<Vec<(&'a toml::de::DeTable<'i>, Span)>> {
    let array: &DeArray<'_> = raw.get_ref().as_array()?;
    array
        .iter()
        .map(|entry| Some((entry.get_ref().as_table()?, entry.span())))
        .collect()
}

fn integer(raw: &Raw<'_>) -> Option<u64> {
    let integer = raw.get_ref().as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// A number as its decimal text: integers and floats alike, so that `0.1` is a tenth.
fn number(raw: &Raw<'_>) -> Option<String> {
    match raw.get_ref().as_float() {
        Some(float) => Some(float.as_str().to_owned()),
        None => integer(raw).map(|number| number.to_string()),
    }
}

fn hash_rate(raw: &Raw<'_>) -> Option<chain::HashRate> {
    match text(raw) {
        Some(rate) => quantity::hash_rate(&rate.text),
        None => integer(raw).map(chain::HashRate),
    }
}

fn rates(raw: &Raw<'_>) -> Option<Rates> {
    let Some(table) = raw.get_ref().as_table() else {
        return hash_rate(raw).map(Rates::All);
    };
    let each = table.iter().map(|(name, rate)| {
        let (text, span) = (name.get_ref().to_string(), name.span());
        Some((Text { text, span }, hash_rate(rate)?))
    });
    each.collect::<Option<Vec<_>>>()
        .filter(|each| !each.is_empty())
        .map(Rates::Each)
}

/// A value as messages show it, cut short.
fn found(raw: &Raw<'_>) -> String {
    let shown = match raw.get_ref() {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        DeValue::Array(_) => "another list".to_owned(),
        DeValue::Table(_) => "another table".to_owned(),
    };
    match shown.char_indices().nth(60) {
        Some((cut, _)) => format!("{}...", &shown[..cut]),
        None => shown,
    }
}

/// Reads the value of a step's verb when it names an expectation.
pub(super) fn expectation_name(raw: &Raw<'_>, reader: &mut Reader<'_>) -> Option<&'static grammar::Expectation> {
    let known = || grammar::EXPECTATIONS.iter().map(|known| known.name);
    let Some(name) = text(raw) else {
        let message = format!("expected the name of an expectation; found {}", found(raw));
        reader
            .report
            .error_with_help(&raw.span(), message, format!("known: {}", list(known())));
        return None;
    };
    if let Some(expectation) = grammar::expectation(&name.text) {
        return Some(expectation);
    }
    if grammar::EXPECTATIONS_TO_COME.iter().any(|(word, _)| *word == name.text) {
        let message = format!("`{}` is not built yet; this version has: {}", name.text, list(known()));
        reader.report.error(&raw.span(), message);
        return None;
    }
    let near = nearest(&name.text, known());
    let did_you_mean = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    let message = format!("unknown expectation `{}`", name.text);
    reader
        .report
        .error_with_help(&raw.span(), message, format!("{did_you_mean}known: {}", list(known())));
    None
}
