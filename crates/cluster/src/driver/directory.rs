//! Who is who: libp2p's keys and the node's numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::NodeId;
use libp2p::PeerId;

use crate::limits::MAX_KNOWN_IDENTITIES;

/// The key of every node of a plan.
#[derive(Debug)]
pub(crate) struct Roster {
    keys: Vec<PeerId>,
    nodes: BTreeMap<PeerId, NodeId>,
}

impl Roster {
    /// The keys in the order of their nodes.
    pub(crate) fn new(keys: Vec<PeerId>) -> Self {
        let nodes = keys.iter().enumerate().map(|(index, key)| (*key, NodeId::at(index)));
        Self {
            nodes: nodes.collect(),
            keys,
        }
    }

    pub(crate) fn key(&self, node: NodeId) -> PeerId {
        self.keys[node.index()]
    }

    /// The keys in the order of their nodes.
    pub(crate) fn keys(&self) -> &[PeerId] {
        &self.keys
    }
}

/// What a node calls those it meets.
#[derive(Debug)]
pub(crate) enum Directory {
    /// The nodes of a plan, and nobody else.
    Plan(Arc<Roster>),
    /// Whoever comes, numbered from 1 as they come; 0 is the node itself.
    Open(Register),
}

/// The numbers given out so far.
#[derive(Debug, Default)]
pub(crate) struct Register {
    numbers: BTreeMap<PeerId, NodeId>,
    /// Who had this number last.
    holders: Vec<PeerId>,
    /// Where the search for a number to give anew begins.
    hand: usize,
}

impl Directory {
    /// What a peer is called; none when it is a stranger and there is no room for another. `is_busy` tells who is connected and keeps his number.
    pub(crate) fn name(&mut self, peer: PeerId, is_busy: impl Fn(NodeId) -> bool) -> Option<NodeId> {
        match self {
            Self::Plan(roster) => roster.nodes.get(&peer).copied(),
            Self::Open(register) => register.name(peer, is_busy),
        }
    }

    /// The key of a node that has been named.
    pub(crate) fn key(&self, node: NodeId) -> Option<PeerId> {
        match self {
            Self::Plan(roster) => roster.keys.get(node.index()).copied(),
            Self::Open(register) => register.holders.get(node.index().checked_sub(1)?).copied(),
        }
    }
}

impl Register {
    fn name(&mut self, peer: PeerId, is_busy: impl Fn(NodeId) -> bool) -> Option<NodeId> {
        if let Some(number) = self.numbers.get(&peer) {
            return Some(*number);
        }
        let place = if self.holders.len() < MAX_KNOWN_IDENTITIES {
            self.holders.push(peer);
            self.holders.len() - 1
        } else {
            let places = (0..MAX_KNOWN_IDENTITIES).map(|step| (self.hand + step) % MAX_KNOWN_IDENTITIES);
            let free = places.into_iter().find(|place| !is_busy(NodeId::at(place + 1)))?;
            self.hand = free + 1;
            self.numbers.remove(&self.holders[free]);
            self.holders[free] = peer;
            free
        };
        let number = NodeId::at(place + 1);
        self.numbers.insert(peer, number);
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_keep_their_numbers_while_there_is_room() {
        let mut directory = Directory::Open(Register::default());
        let keys: Vec<_> = (0..3).map(|_| PeerId::random()).collect();
        for _ in 0..2 {
            for (index, key) in keys.iter().enumerate() {
                let node = NodeId::at(index + 1);
                assert_eq!(directory.name(*key, |_| true), Some(node));
                assert_eq!(directory.key(node), Some(*key));
            }
        }
    }

    #[test]
    fn a_full_register_gives_anew_the_numbers_of_those_who_left() {
        let mut directory = Directory::Open(Register::default());
        for _ in 0..MAX_KNOWN_IDENTITIES {
            directory.name(PeerId::random(), |_| true).unwrap();
        }
        let late = PeerId::random();
        assert_eq!(directory.name(late, |_| true), None);
        let gone = NodeId(17);
        assert_eq!(directory.name(late, |node| node != gone), Some(gone));
        assert_eq!(directory.key(gone), Some(late));
    }

    #[test]
    fn a_plan_knows_its_nodes_and_nobody_else() {
        let keys: Vec<_> = (0..2).map(|_| PeerId::random()).collect();
        let mut directory = Directory::Plan(Arc::new(Roster::new(keys.clone())));
        assert_eq!(directory.name(keys[1], |_| false), Some(NodeId(1)));
        assert_eq!(directory.name(PeerId::random(), |_| false), None);
    }
}
