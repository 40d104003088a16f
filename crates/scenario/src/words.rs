//! How nodes and times are put into words, the same everywhere.

use std::time::Duration;

use base::NodeId;

use crate::Plan;

impl Plan {
    /// The nodes' names in order, each stretch of three or more neighbours as one range, as scenario files write them: `n0..n3`.
    #[must_use]
    pub fn ranges(&self, nodes: impl IntoIterator<Item = NodeId>) -> Vec<String> {
        ranges(|node| self.name_of(node), nodes)
    }

    /// The same in words: `n0..n3, m0`; `nobody` when there are none.
    #[must_use]
    pub fn describe(&self, nodes: &[NodeId]) -> String {
        let ranges = self.ranges(nodes.iter().copied());
        if ranges.is_empty() {
            "nobody".to_owned()
        } else {
            ranges.join(", ")
        }
    }
}

/// The names of nodes in order, each stretch of three or more neighbours as one range: see [`Plan::ranges`].
#[must_use]
pub fn ranges<'a>(name: impl Fn(NodeId) -> &'a str, nodes: impl IntoIterator<Item = NodeId>) -> Vec<String> {
    let mut nodes: Vec<NodeId> = nodes.into_iter().collect();
    nodes.sort_unstable();
    nodes.dedup();
    // Neighbours are those of whom one comes right after the other in the plan, and whose names count on.
    let are_neighbours = |a: &NodeId, b: &NodeId| {
        a.index() + 1 == b.index()
            && match (numbered(name(*a)), numbered(name(*b))) {
                (Some((stem, number)), Some((other, next))) => stem == other && number.checked_add(1) == Some(next),
                _ => false,
            }
    };
    nodes
        .chunk_by(are_neighbours)
        .flat_map(|stretch| match stretch {
            [first, _, .., last] => vec![format!("{}..{}", name(*first), name(*last))],
            few => few.iter().map(|node| name(*node).to_owned()).collect(),
        })
        .collect()
}

/// A name's text and the number it ends with.
fn numbered(name: &str) -> Option<(&str, u64)> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    Some((stem, name[stem.len()..].parse().ok()?))
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

#[cfg(test)]
mod tests {
    use chain::Params;

    use super::*;
    use crate::plan::NodePlan;

    #[test]
    fn nodes_are_described_in_ranges() {
        let named = |name: &str| NodePlan {
            name: name.to_owned(),
            ..NodePlan::default()
        };
        let plan = Plan {
            nodes: ["n0", "n1", "n2", "n3", "m0"].map(named).to_vec(),
            ..Plan::empty("words", Params::instant())
        };
        let describe = |nodes: &[u32]| plan.describe(&nodes.iter().map(|node| NodeId(*node)).collect::<Vec<_>>());
        assert_eq!(describe(&[3, 0, 1, 2]), "n0..n3");
        assert_eq!(describe(&[0, 1, 3, 4]), "n0, n1, n3, m0");
        assert_eq!(describe(&[]), "nobody");
    }

    #[test]
    fn durations_have_two_or_three_digits() {
        let words = |millis| duration(Duration::from_millis(millis));
        assert_eq!([words(0), words(2), words(350)], ["0 ms", "2.0 ms", "350 ms"]);
        assert_eq!([words(2_450), words(200_000)], ["2.4 s", "3 min 20 s"]);
        assert_eq!([words(7_500_000), words(273_600_000)], ["2 h 5 min", "3 d 4 h"]);
    }
}
