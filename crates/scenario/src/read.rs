//! From TOML to fields: checks every table against the grammar, whatever the names in it mean.
//!
//! What comes out has no unknown key, and every value is of its key's kind. A value that was missing or wrong has been told, and is absent.

mod fields;
mod repeat;
mod step;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(crate) use fields::{Field, Fields, Rates, Text, Value};
pub(crate) use step::RawStep;

use crate::diagnostic::{Report, Span};
use crate::grammar::{Key, Kind, Need, Section, list, nearest};

/// Reads tables by the grammar and tells what is wrong with them.
pub(crate) struct Reader<'a> {
    pub(crate) report: &'a mut Report,
    /// Whether missing keys are told: not when the TOML is broken, which may have swallowed them.
    pub(crate) complete: bool,
}

/// The keys that a table may have, and how messages call the table.
struct Expected<'a> {
    owner: String,
    keys: Vec<&'a Key>,
}

impl Reader<'_> {
    /// Reads a table of the file.
    pub(crate) fn section(&mut self, section: &Section, table: &DeTable<'_>, span: Span) -> Fields {
        let owner = match section.name {
            "" => "the file".to_owned(),
            name => format!("`[{name}]`"),
        };
        let keys = section.keys.iter().collect();
        self.fields(&Expected { owner, keys }, table, span)
    }

    fn fields(&mut self, expected: &Expected<'_>, table: &DeTable<'_>, span: Span) -> Fields {
        let mut entries = BTreeMap::new();
        let mut given = BTreeSet::new();
        for (name, value) in table {
            match expected.keys.iter().find(|key| key.name == name.get_ref().as_ref()) {
                Some(key) => {
                    given.insert(key.name);
                    if let Some(read) = self.value(key, value) {
                        let span = value.span();
                        entries.insert(key.name, Field { span, value: read });
                    }
                }
                None => self.unknown_key(expected, name),
            }
        }
        for key in expected.keys.iter().filter(|key| !given.contains(key.name)) {
            if let Some(value) = self.missing(expected, key, &span) {
                let span = span.clone();
                entries.insert(key.name, Field { span, value });
            }
        }
        Fields { span, entries, given }
    }

    fn unknown_key<T: AsRef<str>>(&mut self, expected: &Expected<'_>, name: &Spanned<T>) {
        let known = || expected.keys.iter().map(|key| key.name);
        let unknown = name.get_ref().as_ref();
        let mut help = nearest(unknown, known()).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        help += &format!("allowed: {}", list(known()));
        let message = format!("unknown key `{unknown}` in {}", expected.owner);
        self.report.error_with_help(&name.span(), message, help);
    }

    /// What a key is when it is not given.
    fn missing(&mut self, expected: &Expected<'_>, key: &Key, span: &Span) -> Option<Value> {
        match key.need {
            Need::Required => {
                if self.complete {
                    let first_line = span.start..span.start + 1;
                    let place = if self.report.source.text(span).starts_with('{') {
                        span
                    } else {
                        &first_line
                    };
                    let message = format!("{} needs `{}`: {}", expected.owner, key.name, key.doc);
                    self.report
                        .error_with_help(place, message, format!("expected {}", key.kind.expected()));
                }
                None
            }
            Need::Default(text) => {
                let value = DeValue::parse(text).expect("defaults of the grammar are TOML");
                self.value(key, &value)
            }
            Need::Optional(_) => {
                let Kind::Table(section) = key.kind else { return None };
                let needs_nothing = section.keys.iter().all(|key| !matches!(key.need, Need::Required));
                needs_nothing.then(|| Value::Table(self.section(section, &DeTable::new(), span.clone())))
            }
        }
    }
}
