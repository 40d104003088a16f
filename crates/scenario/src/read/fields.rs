//! The fields of a table that has been read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chain::{Amount, HashRate};

use super::RawStep;
use crate::diagnostic::Span;

/// A word of the file and its place.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// Hash rates: one for all, or one each.
#[derive(Clone, Debug)]
pub(crate) enum Rates {
    All(HashRate),
    Each(Vec<(Text, HashRate)>),
}

/// A value of a key's kind.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(Text),
    List(Vec<Text>),
    Lists(Vec<Vec<Text>>),
    Integer(u64),
    /// In millionths.
    Share(u32),
    Flag(bool),
    Amount(Amount),
    Duration(Duration),
    /// `None` is unlimited.
    Bandwidth(Option<u64>),
    HashRate(HashRate),
    Rates(Rates),
    Table(Fields),
    Tables(Vec<Fields>),
    Steps(Vec<RawStep>),
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// The fields of one table. Asking for a field as what its kind is not is our mistake, and panics.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) span: Span,
    pub(crate) entries: BTreeMap<&'static str, Field>,
    /// The keys that the file gives, those among them whose values are wrong too.
    pub(crate) given: BTreeSet<&'static str>,
}

/// Defines a query: the field as this variant, `None` when it is absent.
macro_rules! query {
    ($($name:ident: $variant:ident($type:ty);)*) => {$(
        pub(crate) fn $name(&self, key: &str) -> Option<&$type> {
            let value = &self.entries.get(key)?.value;
            let Value::$variant(value) = value else {
                panic!("the grammar says that `{key}` is of another kind: {value:?}")
            };
            Some(value)
        }
    )*};
}

impl Fields {
    query! {
        text: Text(Text);
        list: List(Vec<Text>);
        lists: Lists(Vec<Vec<Text>>);
        integer: Integer(u64);
        share: Share(u32);
        flag: Flag(bool);
        amount: Amount(Amount);
        duration: Duration(Duration);
        bandwidth: Bandwidth(Option<u64>);
        hash_rate: HashRate(HashRate);
        rates: Rates(Rates);
        table: Table(Fields);
        tables: Tables(Vec<Fields>);
        steps: Steps(Vec<RawStep>);
    }

    /// Whether the file gives this key, even with a wrong value.
    pub(crate) fn gives(&self, key: &str) -> bool {
        self.given.contains(key)
    }

    /// The place of a field, or of the table when it is absent.
    pub(crate) fn place(&self, key: &str) -> &Span {
        self.entries.get(key).map_or(&self.span, |field| &field.span)
    }

    /// An integer whose kind is bounded by 32 bits.
    pub(crate) fn small(&self, key: &str) -> Option<u32> {
        self.integer(key)
            .map(|number| u32::try_from(*number).expect("the grammar bounds it by 32 bits"))
    }

    /// An integer whose kind is bounded by what memory holds.
    pub(crate) fn count(&self, key: &str) -> Option<usize> {
        self.small(key)
            .map(|number| usize::try_from(number).expect("32 bits fit a usize"))
    }

    /// A flag with a default.
    pub(crate) fn is_set(&self, key: &str) -> bool {
        self.flag(key).is_some_and(|flag| *flag)
    }
}
