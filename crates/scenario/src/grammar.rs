//! The language of scenario files as data: which keys there are, what they take, what they mean.
//!
//! Reading, `explain`, and the JSON Schema all come from these tables, so none of them can know a word that another does not.

mod actions;
mod expectations;
mod explain;
mod reasons;
mod schema;
mod sections;

pub use explain::{actions_overview, explain, nearest_word, overview};
pub use schema::json_schema;

pub(crate) use actions::{ACTIONS, ACTIONS_TO_COME};
pub(crate) use expectations::{EXPECTATIONS, EXPECTATIONS_TO_COME};
pub(crate) use reasons::REASONS;
pub(crate) use sections::FILE;

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A name that the file gives: of a wallet, a payment, a cut, a group.
    Name,
    /// Two such names.
    NamePair,
    /// The name of a file in the scenario's folder.
    File,
    /// One of some words. Those `to_come` are refused as not built yet.
    Word {
        built: &'static [&'static str],
        to_come: &'static [&'static str],
    },
    /// A reason word of [`REASONS`].
    Reason,
    /// The name of an expectation.
    Expectation,
    /// The name of a node.
    Node,
    /// Two nodes.
    NodePair,
    /// A list of such pairs.
    NodePairs,
    /// A node, a range, a group, `all`, or a list of these.
    Nodes,
    /// A list of such lists.
    NodeGroups,
    /// A list of words that a loop puts into its steps.
    Words,
    /// A whole number within these bounds.
    Integer { min: u64, max: u64 },
    /// A number between 0 and 1.
    Share,
    /// True or false.
    Flag,
    /// An amount of coins.
    Amount,
    /// A time above zero.
    Duration,
    /// A time that may be zero, of at most an hour.
    Delay,
    /// Bits per second, or `unlimited`.
    Bandwidth,
    /// How often something happens.
    Rate,
    /// Bytes, at most a gigabyte.
    Bytes,
    /// Hashes per second.
    HashRate,
    /// One hash rate, or a table of nodes and their hash rates.
    Rates,
    /// A table.
    Table(&'static Section),
    /// A list of tables.
    Tables(&'static Section),
    /// The list of steps.
    Steps,
}

/// Whether a key must be given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// It must.
    Required,
    /// When it is missing, this holds, in words.
    Optional(&'static str),
    /// When it is missing, it is this, in TOML.
    Default(&'static str),
}

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) need: Need,
    /// What it means, without a full stop.
    pub(crate) doc: &'static str,
}

impl Key {
    const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        let need = Need::Required;
        Self { name, kind, need, doc }
    }

    const fn optional(name: &'static str, kind: Kind, absent: &'static str, doc: &'static str) -> Self {
        let need = Need::Optional(absent);
        Self { name, kind, need, doc }
    }

    const fn default(name: &'static str, kind: Kind, value: &'static str, doc: &'static str) -> Self {
        let need = Need::Default(value);
        Self { name, kind, need, doc }
    }
}

/// A table of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    /// As in `[network.link]`; empty for the file itself.
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) keys: &'static [Key],
}

/// What a step can do: an action, or a way to hold an expectation against the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Action {
    /// The key that makes a step this action, and what it takes.
    pub(crate) verb: Key,
    pub(crate) doc: &'static str,
    pub(crate) keys: &'static [Key],
    /// A step, without braces.
    pub(crate) example: &'static str,
}

impl Action {
    /// Whether it does other steps again and again. Reading takes such a step apart.
    pub(crate) fn repeats(&self) -> bool {
        self.keys.iter().any(|key| matches!(key.kind, Kind::Steps))
    }
}

/// What can hold of a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expectation {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) keys: &'static [Key],
    /// Exactly one of these keys must be given; empty when there is no such choice.
    pub(crate) one_of: &'static [&'static str],
    /// A step, without braces.
    pub(crate) example: &'static str,
}

/// A word that the language keeps for later, and what it will mean.
pub(crate) type ToCome = (&'static str, &'static str);

/// The action of this name, when it is built.
pub(crate) fn action(name: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.verb.name == name)
}

/// The expectation of this name, when it is built.
pub(crate) fn expectation(name: &str) -> Option<&'static Expectation> {
    EXPECTATIONS.iter().find(|expectation| expectation.name == name)
}

/// Names in a row, as `a, b, c`.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// The known name that an unknown one was most likely meant to be.
pub(crate) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace('_', "-");
    let unknown = plain(unknown);
    let likeness = |name: &str| {
        let name = plain(name);
        let contained = name.len() > 3 && unknown.contains(&name) || unknown.len() > 3 && name.contains(&unknown);
        match contained {
            true => 1_000,
            // In thousandths: integers order totally, floats do not.
            false => (0..1_000)
                .rev()
                .find(|thousandths| strsim::jaro_winkler(&unknown, &name) * 1e3 >= f64::from(*thousandths))
                .unwrap_or(0),
        }
    };
    let best = known
        .into_iter()
        .map(|name| (likeness(name), name))
        .max_by_key(|(likeness, _)| *likeness);
    best.filter(|(likeness, _)| *likeness >= 750).map(|(_, name)| name)
}

impl Kind {
    /// What it takes, in words that follow "expected".
    pub(crate) fn expected(self) -> String {
        match self {
            Self::Name => "a name of 1 to 32 letters, digits, `_`, `.` or `-`".to_owned(),
            Self::NamePair => "two names, as [\"bob\", \"carol\"]".to_owned(),
            Self::File => "the name of a file in the scenario's folder, as \"links.txt\"".to_owned(),
            Self::Word { built, .. } => format!("one of {}", list(built.iter().copied())),
            Self::Reason => "a reason word, as \"high-hash\"".to_owned(),
            Self::Expectation => "the name of an expectation, as \"converged\"".to_owned(),
            Self::Node => "a node, as \"n0\"".to_owned(),
            Self::NodePair => "two nodes, as [\"n0\", \"n1\"]".to_owned(),
            Self::NodePairs => "pairs of nodes, as [[\"n0\", \"n1\"], [\"n1\", \"n2\"]]".to_owned(),
            Self::Nodes => "nodes, as \"n0\", \"n0..n3\", \"all\" or a list of these".to_owned(),
            Self::NodeGroups => "lists of nodes, as [[\"n0..n3\"], [\"n4..n7\"]]".to_owned(),
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Share => "a number from 0 to 1".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Amount => {
                "an amount of coins, as 10 or 0.0001, with at most eight decimals and at most 21000000".to_owned()
            }
            Self::Duration => "a time above zero, as \"50ms\", \"2s\", \"3m\" or \"1h\"".to_owned(),
            Self::Delay => "a time of at most an hour, as \"50ms\" or \"2s\"".to_owned(),
            Self::Bandwidth => {
                "a bandwidth, as \"20Mbit/s\" (bit/s, kbit/s, Mbit/s, Gbit/s) or \"unlimited\"".to_owned()
            }
            Self::Rate => "a rate, as \"7/s\", \"30/m\" or \"100/h\", of at most 10000/s".to_owned(),
            Self::Bytes => "a size, as \"500kB\" (B, kB, MB), of at most 1000MB".to_owned(),
            Self::HashRate => "a hash rate, as \"5kH/s\" (H/s to EH/s) or 5000".to_owned(),
            Self::Rates => {
                "a hash rate, as \"5kH/s\", or one for each node, as { n0 = \"5kH/s\", n1 = 2000 }".to_owned()
            }
            Self::Table(_) => "a table".to_owned(),
            Self::Tables(_) => "a list of tables".to_owned(),
            Self::Words => "a list of names, as [\"n0\", \"n4\"]".to_owned(),
            Self::Steps => "a list of steps, as [{ mine = 1, on = \"n0\" }]".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
