//! How nodes and times are put into words, the same everywhere.

use std::time::Duration;

use base::NodeId;

use crate::Plan;

impl Plan {
    /// Nodes in words, runs of neighbours folded: `n0..n3, m0`. `nobody` when there are none.
    #[must_use]
    pub fn describe(&self, nodes: &[NodeId]) -> String {
        let mut nodes = nodes.to_vec();
        nodes.sort_unstable();
        nodes.dedup();
        let mut parts = Vec::new();
        let mut rest = nodes.as_slice();
        while let Some(&first) = rest.first() {
            let mut run = 1;
            while rest.get(run).is_some_and(|&next| self.follows(rest[run - 1], next)) {
                run += 1;
            }
            let last = rest[run - 1];
            match run {
                1 => parts.push(self.name_of(first).to_owned()),
                2 => parts.push(format!("{}, {}", self.name_of(first), self.name_of(last))),
                _ => parts.push(format!("{}..{}", self.name_of(first), self.name_of(last))),
            }
            rest = &rest[run..];
        }
        if parts.is_empty() {
            "nobody".to_owned()
        } else {
            parts.join(", ")
        }
    }

    /// Whether `next` is the neighbour after `node` in a range of names: same letters, the number one higher.
    fn follows(&self, node: NodeId, next: NodeId) -> bool {
        let split = |name: &str| {
            let letters = name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            name[letters..]
                .parse::<u64>()
                .ok()
                .map(|number| (name[..letters].to_owned(), number))
        };
        match (split(self.name_of(node)), split(self.name_of(next))) {
            (Some((a, m)), Some((b, n))) => a == b && m + 1 == n,
            _ => false,
        }
    }
}

/// A duration in words, to two or three digits: `0.4 ms`, `350 ms`, `2.4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let micros = duration.as_micros();
    match micros {
        0 => "0 ms".to_owned(),
        1..10_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        10_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..60_000_000 => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
        60_000_000..3_600_000_000 => format!("{} min {} s", duration.as_secs() / 60, duration.as_secs() % 60),
        3_600_000_000..86_400_000_000 => {
            format!("{} h {} min", duration.as_secs() / 3_600, duration.as_secs() / 60 % 60)
        }
        _ => format!(
            "{} d {} h",
            duration.as_secs() / 86_400,
            duration.as_secs() / 3_600 % 24
        ),
    }
}

/// A count and its noun: `1 block`, `3 blocks`.
#[must_use]
pub fn count(number: impl Into<u64>, noun: &str) -> String {
    let number = number.into();
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}
