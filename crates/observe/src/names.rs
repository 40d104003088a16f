//! Nodes by name: single, and as the ranges that scenario files use (`n0..n3`).

use base::NodeId;
use scenario::Plan;

/// The nodes' names in order, each stretch of three or more neighbours as one range.
#[must_use]
pub fn ranges(plan: &Plan, nodes: impl IntoIterator<Item = NodeId>) -> Vec<String> {
    let mut nodes: Vec<NodeId> = nodes.into_iter().collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
        .chunk_by(|a, b| are_neighbours(plan, *a, *b))
        .flat_map(|stretch| match stretch {
            [first, _, .., last] => vec![format!("{}..{}", plan.name_of(*first), plan.name_of(*last))],
            few => few.iter().map(|node| plan.name_of(*node).to_owned()).collect(),
        })
        .collect()
}

/// The same in one text, with spaces between; `-` when there are none.
#[must_use]
pub fn listed(plan: &Plan, nodes: impl IntoIterator<Item = NodeId>) -> String {
    let ranges = ranges(plan, nodes);
    if ranges.is_empty() {
        "-".to_owned()
    } else {
        ranges.join(" ")
    }
}

/// Whether `b` comes right after `a` in the plan, and its name counts on from `a`'s.
fn are_neighbours(plan: &Plan, a: NodeId, b: NodeId) -> bool {
    a.index() + 1 == b.index()
        && match (numbered(plan.name_of(a)), numbered(plan.name_of(b))) {
            (Some((stem, number)), Some((other, next))) => stem == other && number.checked_add(1) == Some(next),
            _ => false,
        }
}

/// A name's text and the number it ends with.
fn numbered(name: &str) -> Option<(&str, u64)> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    Some((stem, name[stem.len()..].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn neighbours_are_ranges_and_others_stand_alone() {
        let plan = testing::plan(8);
        let nodes = |numbers: &[u32]| listed(&plan, numbers.iter().map(|&n| NodeId(n)));
        assert_eq!(nodes(&[3, 0, 1, 2, 5, 7, 6]), "n0..n3 n5..n7");
        assert_eq!(nodes(&[0, 1, 4]), "n0 n1 n4");
        assert_eq!(nodes(&[]), "-");
    }

    #[test]
    fn names_that_do_not_count_on_are_never_joined() {
        let mut plan = testing::plan(4);
        for (node, name) in plan.nodes.iter_mut().zip(["a0", "b1", "b2", "pool"]) {
            node.name = name.to_owned();
        }
        assert_eq!(listed(&plan, plan.node_ids()), "a0 b1 b2 pool");
    }
}
