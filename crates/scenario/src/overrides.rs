//! `--seed` and `--set`: what the command line changes in a file.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Report, Span};
use crate::limits::{MAX_FILE_BYTES, MAX_OVERRIDES};

/// What the command line changes in a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Overrides {
    /// Replaces the seed.
    pub seed: Option<u64>,
    /// Keys and values: a key with dots, as `network.link.latency`; a value in TOML, where a bare word is a string.
    pub set: Vec<(String, String)>,
}

impl Overrides {
    /// Puts the settings into the table, where they are read like the file's own. The places of their values are their own too.
    pub(crate) fn apply<'a>(&'a self, table: &mut DeTable<'a>, report: &mut Report) {
        for (key, value) in self.set.iter().take(MAX_OVERRIDES) {
            let place = report.source.add_override(format!("--set {key}={value}"));
            if value.len() > MAX_FILE_BYTES {
                report.error(&place, format!("the value has more than {MAX_FILE_BYTES} bytes"));
            } else if let Err(message) = set(table, key, parse(value, &place), &place) {
                report.error(&place, message);
            }
        }
        if self.set.len() > MAX_OVERRIDES {
            report.error(&(0..0), format!("at most {MAX_OVERRIDES} overrides are allowed"));
        }
    }
}

/// Sets a key with dots; makes the tables on the way.
fn set<'a>(table: &mut DeTable<'a>, key: &'a str, value: Spanned<DeValue<'a>>, place: &Span) -> Result<(), String> {
    let (first, rest) = match key.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (key, None),
    };
    let name = Spanned::new(place.clone(), Cow::Borrowed(first));
    let Some(rest) = rest else {
        // The key is replaced with its place, so that an unknown one is told where it was said.
        table.remove(first);
        table.insert(name, value);
        return Ok(());
    };
    let empty = || Spanned::new(place.clone(), DeValue::Table(DeTable::new()));
    match table.entry(name).or_insert_with(empty).get_mut() {
        DeValue::Table(inner) => set(inner, rest, value, place),
        DeValue::Array(_) => Err(format!("`{first}` is a list; its entries cannot be set from outside")),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            Err(format!("`{first}` has no keys of its own"))
        }
    }
}

/// The value as TOML, or else as a string.
fn parse<'a>(text: &'a str, place: &Span) -> Spanned<DeValue<'a>> {
    let value = DeValue::parse(text).map_or_else(|_| DeValue::String(Cow::Borrowed(text)), Spanned::into_inner);
    placed(value, place)
}

/// The same value, everywhere at this place.
fn placed<'a>(value: DeValue<'a>, place: &Span) -> Spanned<DeValue<'a>> {
    let value = match value {
        DeValue::Array(array) => DeValue::Array(
            array
                .into_iter()
                .map(|entry| placed(entry.into_inner(), place))
                .collect(),
        ),
        DeValue::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| {
                let key = Spanned::new(place.clone(), key.into_inner());
                (key, placed(value.into_inner(), place))
            });
            DeValue::Table(entries.collect())
        }
        scalar @ (DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)) => scalar,
    };
    Spanned::new(place.clone(), value)
}
