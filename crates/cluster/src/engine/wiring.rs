//! Who is to be connected to whom, as the plan and the orders so far say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base::NodeId;
use scenario::{Conditions, Plan};

/// The wanted state of all links.
#[derive(Clone, Debug)]
pub(super) struct Wiring {
    /// By pair, the lower first: who dials whom.
    wanted: BTreeMap<(NodeId, NodeId), (NodeId, NodeId)>,
    severed: BTreeSet<(NodeId, NodeId)>,
    /// By direction; links without an entry are as usual.
    conditions: BTreeMap<(NodeId, NodeId), Conditions>,
    usual: Conditions,
}

fn pair(a: NodeId, b: NodeId) -> (NodeId, NodeId) {
    (a.min(b), a.max(b))
}

impl Wiring {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut wiring = Self {
            wanted: BTreeMap::new(),
            severed: BTreeSet::new(),
            conditions: BTreeMap::new(),
            usual: plan.conditions,
        };
        for link in &plan.links {
            wiring.connect(link.a, link.b);
            wiring.set(link.a, link.b, link.conditions);
            wiring.set(link.b, link.a, link.conditions);
        }
        wiring
    }

    pub(super) fn connect(&mut self, a: NodeId, b: NodeId) {
        self.wanted.insert(pair(a, b), (a, b));
    }

    pub(super) fn disconnect(&mut self, a: NodeId, b: NodeId) {
        self.wanted.remove(&pair(a, b));
    }

    pub(super) fn sever(&mut self, a: NodeId, b: NodeId) {
        self.severed.insert(pair(a, b));
    }

    pub(super) fn mend(&mut self, a: NodeId, b: NodeId) {
        self.severed.remove(&pair(a, b));
    }

    pub(super) fn set(&mut self, from: NodeId, to: NodeId, conditions: Conditions) {
        self.conditions.insert((from, to), conditions);
    }

    /// All wanted links that a node is an end of: who dials whom.
    pub(super) fn links_of(&self, node: NodeId) -> Vec<(NodeId, NodeId)> {
        self.wanted
            .values()
            .copied()
            .filter(|(a, b)| *a == node || *b == node)
            .collect()
    }

    /// Whom a node may not be connected to.
    pub(super) fn severed_from(&self, node: NodeId) -> Vec<NodeId> {
        self.severed
            .iter()
            .filter_map(|(a, b)| match node {
                _ if node == *a => Some(*b),
                _ if node == *b => Some(*a),
                _ => None,
            })
            .collect()
    }

    /// What a node's links to others are like, where they are not as usual.
    pub(super) fn conditions_from(&self, node: NodeId) -> Vec<(NodeId, Conditions)> {
        self.conditions
            .range((node, NodeId(0))..=(node, NodeId(u32::MAX)))
            .map(|((_, to), conditions)| (*to, *conditions))
            .collect()
    }

    /// Whether nothing gets through in at least one direction.
    pub(super) fn is_cut(&self, a: NodeId, b: NodeId) -> bool {
        let cut = |key| self.conditions.get(&key).unwrap_or(&self.usual).cut;
        cut((a, b)) || cut((b, a))
    }

    /// The longest that a message of no bytes may be under way.
    pub(super) fn slowest(&self) -> Duration {
        self.conditions
            .values()
            .chain([&self.usual])
            .map(|conditions| conditions.latency + conditions.jitter)
            .max()
            .expect("the usual conditions are one")
    }

    /// How long the narrowest link takes to carry so many bytes, rounded up to seconds.
    pub(super) fn longest_transmission(&self, bytes: u64) -> Duration {
        let narrowest = self
            .conditions
            .values()
            .chain([&self.usual])
            .filter_map(|conditions| conditions.bandwidth)
            .min();
        let seconds = narrowest.map_or(0, |bits| bytes.saturating_mul(8).div_ceil(bits.max(1)));
        Duration::from_secs(seconds)
    }
}

#[cfg(test)]
mod tests {
    use chain::Params;

    use super::*;

    fn wiring() -> Wiring {
        Wiring::new(&Plan::empty("test", Params::instant()))
    }

    #[test]
    fn a_pair_is_linked_once_whoever_dials() {
        let (a, b) = (NodeId(1), NodeId(0));
        let mut wiring = wiring();
        wiring.connect(b, a);
        wiring.connect(a, b);
        assert_eq!(wiring.links_of(a), [(a, b)]);
        wiring.disconnect(b, a);
        assert!(wiring.links_of(b).is_empty());
    }

    #[test]
    fn both_ends_of_a_severed_link_know() {
        let (a, b) = (NodeId(3), NodeId(1));
        let mut wiring = wiring();
        wiring.sever(a, b);
        assert_eq!((wiring.severed_from(a), wiring.severed_from(b)), (vec![b], vec![a]));
        wiring.mend(b, a);
        assert!(wiring.severed_from(a).is_empty());
    }

    #[test]
    fn conditions_are_by_direction_and_a_cut_of_one_cuts_both() {
        let (a, b) = (NodeId(0), NodeId(1));
        let mut wiring = wiring();
        let cut = Conditions {
            cut: true,
            latency: Duration::from_secs(1),
            ..Conditions::default()
        };
        wiring.set(a, b, cut);
        assert_eq!(wiring.conditions_from(a), [(b, cut)]);
        assert!(wiring.conditions_from(b).is_empty());
        assert!(wiring.is_cut(b, a) && wiring.is_cut(a, b));
        assert!(!wiring.is_cut(a, NodeId(2)));
        assert_eq!(wiring.slowest(), Duration::from_secs(1));
    }

    #[test]
    fn the_narrowest_link_takes_the_longest_to_carry_a_block() {
        let mut wiring = wiring();
        assert_eq!(wiring.longest_transmission(1_000), Duration::ZERO);
        for (peer, bandwidth) in [(1, 8_000), (2, 1_000)] {
            let narrow = Conditions {
                bandwidth: Some(bandwidth),
                ..Conditions::default()
            };
            wiring.set(NodeId(0), NodeId(peer), narrow);
        }
        assert_eq!(wiring.longest_transmission(1_000), Duration::from_secs(8));
    }
}
