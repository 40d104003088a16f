//! Who follows which branch of a fork.

use base::NodeId;

/// Four bytes for each node: while a fork is open, they are looked at whenever one moves.
#[derive(Clone, Debug)]
pub(super) struct Followers(Vec<u32>);

/// Of a node that never was on a branch, and of one that has left.
const NEVER: u32 = u32::MAX;
const LEFT: u32 = u32::MAX - 1;

impl Followers {
    /// None of so many nodes is on a branch yet.
    pub(super) fn none(nodes: usize) -> Self {
        Self(vec![NEVER; nodes])
    }

    /// The branch that a node is on, if it is on one.
    pub(super) fn branch(&self, node: NodeId) -> Option<usize> {
        branch(self.0[node.index()])
    }

    /// A node is on this branch from now on; on which it was before.
    pub(super) fn enter(&mut self, node: NodeId, entered: usize) -> Option<usize> {
        let number = u32::try_from(entered).ok().filter(|number| *number < LEFT);
        let number = number.expect("memory ends before four billion branches");
        branch(std::mem::replace(&mut self.0[node.index()], number))
    }

    /// A node is on none from now on; on which it was before.
    pub(super) fn leave(&mut self, node: NodeId) -> Option<usize> {
        let left = self.branch(node)?;
        self.0[node.index()] = LEFT;
        Some(left)
    }

    /// Whether a node was ever on a branch.
    pub(super) fn has_been(&self, node: NodeId) -> bool {
        self.0[node.index()] != NEVER
    }

    /// Who is on a branch, in order.
    pub(super) fn on(&self, branch: usize) -> impl Iterator<Item = NodeId> + '_ {
        let nodes = (0..self.0.len()).map(NodeId::at);
        nodes.filter(move |node| self.branch(*node) == Some(branch))
    }
}

fn branch(number: u32) -> Option<usize> {
    (number < LEFT).then_some(number as usize)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use base::Seed;

    use super::*;

    /// Against a map of who is where and a set of all who have been.
    #[test]
    fn who_is_on_a_branch_is_who_entered_it_last_and_has_not_left() {
        let mut rng = Seed::from_number(1).rng();
        let mut followers = Followers::none(9);
        let (mut map, mut visitors) = (BTreeMap::new(), BTreeSet::new());
        for _ in 0..1_000 {
            let (node, entered) = (NodeId::at(rng.index(8)), rng.index(3));
            if rng.chance(0.4) {
                assert_eq!(followers.leave(node), map.remove(&node));
            } else {
                assert_eq!(followers.enter(node, entered), map.insert(node, entered));
                visitors.insert(node);
            }
            assert_eq!(followers.branch(node), map.get(&node).copied());
            let on = map
                .iter()
                .filter(|(_, branch)| **branch == entered)
                .map(|(node, _)| *node);
            assert!(followers.on(entered).eq(on));
            assert!(
                (0..9)
                    .map(NodeId::at)
                    .all(|node| followers.has_been(node) == visitors.contains(&node))
            );
        }
    }
}
