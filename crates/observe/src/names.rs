//! Nodes by name in tables and trees.

use base::NodeId;
use scenario::Plan;

/// The nodes' ranges ([`Plan::ranges`]) in one text, with spaces between; `-` when there are none.
#[must_use]
pub fn listed(plan: &Plan, nodes: impl IntoIterator<Item = NodeId>) -> String {
    let ranges = plan.ranges(nodes);
    if ranges.is_empty() {
        "-".to_owned()
    } else {
        ranges.join(" ")
    }
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
