//! Blocks of the same work as what a node at rest follows or waits for. While a fork lasts, all nodes of a network have two such blocks, and fetch both.

use base::NodeId;
use chain::{BlockRef, Ledger};
use gossip::limits::MAX_BLOCKS_OWED;

use super::{Awaited, Neighbour, Resting};
use crate::Node;
use crate::limits::MAX_RIVALS_AT_REST;

/// What a resting node knows beside the chain that it follows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Rivals {
    /// Connected before the node came to rest, of the work of what it followed then.
    before: Vec<BlockRef>,
    /// Connected since, one after the other.
    since: Vec<BlockRef>,
    /// Of the headers of the greatest work the one that was accepted first, where it is not the one that is followed.
    first: Option<BlockRef>,
    /// A second body that is waited for. It stands on what is followed, as the other does.
    pub(super) second: Option<Awaited>,
    /// Who else has a block that is waited for, though the best that it has announced is another.
    also: Vec<(NodeId, BlockRef)>,
}

impl Rivals {
    /// Whether this block is connected, and not followed.
    pub(super) fn has(&self, block: BlockRef) -> bool {
        self.since.contains(&block) || self.before.contains(&block)
    }

    /// Whether a peer has a block that is waited for, though the best that it has announced is another.
    pub(super) fn is_also_source(&self, peer: NodeId, block: BlockRef) -> bool {
        self.also.contains(&(peer, block))
    }

    /// Whether there is nothing of the kind.
    pub(super) const fn are_none(&self) -> bool {
        self.before.is_empty() && self.since.is_empty() && !self.is_contest()
    }

    /// Whether there is more to the next block that is connected than that it is.
    pub(super) const fn is_contest(&self) -> bool {
        self.first.is_some() || self.second.is_some() || !self.also.is_empty()
    }

    /// A body has come that was waited for, and may be followed; `other` is waited for since before it. Whether that is progress: the block is the
    /// first of its work.
    pub(super) fn connect(&mut self, (block, follows): (BlockRef, bool), other: Option<BlockRef>) -> bool {
        self.second.take_if(|second| second.block == block);
        self.also.retain(|(_, has)| *has != block);
        if follows {
            self.first = other;
            return other.is_none();
        }
        self.since.push(block);
        self.first == Some(block)
    }
}

impl Resting {
    fn rivals(&self) -> Option<&Rivals> {
        self.seldom.as_ref().map(|seldom| &seldom.rivals)
    }

    /// From now on there may be more to what it follows.
    pub(super) fn contest(&mut self) -> &mut Rivals {
        self.is_contested = true;
        &mut self.seldom.get_or_insert_default().rivals
    }

    pub(super) fn second(&self) -> Option<Awaited> {
        if !self.is_contested {
            return None;
        }
        self.rivals()?.second
    }

    /// Whether a block beside the chain that it follows is here, or is the second that is waited for.
    pub(super) fn has_beside(&self, block: BlockRef) -> bool {
        let Some(rivals) = self.rivals() else { return false };
        rivals.second.is_some_and(|second| second.block == block) || rivals.has(block)
    }

    fn awaits(&self, block: BlockRef) -> bool {
        self.awaited() == Some(block) || self.second().is_some_and(|second| second.block == block)
    }

    /// A neighbour has announced a block: it may be asked for it while it is waited for.
    pub fn note_source(&mut self, neighbour: &Neighbour, block: BlockRef) {
        if !neighbour.has(block) && self.awaits(block) {
            let rivals = self.contest();
            let source = (neighbour.peer, block);
            if !rivals.also.contains(&source) {
                rivals.also.push(source);
            }
        }
    }

    pub(super) fn is_also_source(&self, peer: NodeId, block: BlockRef) -> bool {
        let mut rivals = self.rivals().into_iter();
        rivals.any(|rivals| rivals.is_also_source(peer, block))
    }

    /// Whether a block that a peer announces, and nothing is known of, is fetched for its work alone: it stands beside what is followed, or beside what is waited for.
    pub(super) fn may_be_rival(&self, ledger: &Ledger, peer: NodeId, block: BlockRef) -> bool {
        let beside = match self.awaited {
            None => self.tip,
            Some(awaited) => awaited.block,
        };
        let is_beside = ledger.parent(block) == ledger.parent(beside) && ledger.work(block) == ledger.work(beside);
        // The one stands on what is followed and so does the other, and each is asked of somebody else.
        let is_second = |awaited: Awaited| ledger.parent(block) == Some(self.tip) && awaited.of != peer;
        let is_first_or_second = || self.awaited.is_none_or(is_second);
        let has_room = || {
            let owed = self.debts().map_or(0, |debts| debts.late.len());
            let may_be = |rivals: &Rivals| rivals.second.is_none() && rivals.since.len() < MAX_RIVALS_AT_REST;
            owed + 2 < MAX_BLOCKS_OWED && self.rivals().is_none_or(may_be)
        };
        !self.tosses && is_beside && is_first_or_second() && has_room()
    }
}

impl Node {
    /// What the node knows beside the chain that it follows, of the same work.
    pub(super) fn rivals(&self, ledger: &Ledger) -> Rivals {
        let (tip, best) = (self.knowledge.tip(), self.knowledge.best_header());
        Rivals {
            before: self.knowledge.rivals(ledger).collect(),
            first: Some(best).filter(|best| *best != tip),
            ..Rivals::default()
        }
    }

    /// Goes on with the chain that it has come to follow at rest, and with what stands beside it.
    pub(super) fn take_chain(&mut self, ledger: &Ledger, (base, tip): (BlockRef, BlockRef), rivals: &Rivals) {
        for block in ledger.path(base, tip) {
            // Of those of equal work the first that is accepted counts.
            if let Some(first) = rivals.first.filter(|_| block == tip) {
                self.knowledge.accept_once(ledger, first);
            }
            self.knowledge.accept_header(ledger, block);
            self.knowledge.connect(ledger, block);
        }
        for block in &rivals.since {
            self.knowledge.accept_once(ledger, *block);
            self.knowledge.connect(ledger, *block);
        }
    }
}

#[cfg(test)]
mod tests {
    use base::Time;

    use super::*;

    /// Of two blocks of equal work the second comes first, then the other; who announced both is remembered while it may be asked.
    #[test]
    fn nothing_is_kept_of_a_contest_that_is_over_but_who_came_second() {
        let [first, second, next] = [1, 2, 3].map(BlockRef::at);
        let peer = NodeId(1);
        let awaited = |block| Awaited {
            block,
            of: peer,
            since: Time::ZERO,
        };
        let mut rivals = Rivals {
            second: Some(awaited(second)),
            also: vec![(peer, first), (peer, second)],
            ..Rivals::default()
        };
        assert!(
            !rivals.connect((second, true), Some(first)),
            "the other was accepted first"
        );
        assert!(rivals.second.is_none() && rivals.is_also_source(peer, first) && !rivals.is_also_source(peer, second));
        assert!(rivals.connect((first, false), None), "it was accepted first");
        assert!(
            rivals.is_contest() && rivals.has(first),
            "it still is the first of its work"
        );
        assert!(rivals.connect((next, true), None));
        let over = Rivals {
            since: vec![first],
            ..Rivals::default()
        };
        assert_eq!(rivals, over);
        assert!(!rivals.is_contest() && !rivals.are_none());
    }
}
