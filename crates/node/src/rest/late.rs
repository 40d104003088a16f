//! Bodies that are late: asked of another, and taken in when they come after all.

use base::{NodeId, Time};
use chain::{BlockRef, Ledger};
use gossip::limits::MAX_BLOCKS_OWED;

use super::{Awaited, Resting};
use crate::Node;

/// A body that a resting node waits for no longer, because it took too long; it may come all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Late {
    pub(super) block: BlockRef,
    pub(super) of: NodeId,
    pub(super) asked_at: Time,
}

/// Late answers, and since when those have been silent who owe them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Debts {
    pub(super) late: Vec<Late>,
    pub(super) progress: Vec<(NodeId, Time)>,
}

impl Debts {
    /// How many answers this peer owes.
    pub(super) fn owed(&self, peer: NodeId) -> usize {
        self.late.iter().filter(|late| late.of == peer).count()
    }

    pub(super) fn find(&self, peer: NodeId, block: BlockRef) -> Option<usize> {
        self.late.iter().position(|late| late.of == peer && late.block == block)
    }

    pub(super) fn make_progress(&mut self, peer: NodeId, now: Time) {
        self.progress.retain(|(other, _)| *other != peer);
        self.progress.push((peer, now));
    }

    pub(super) fn silent_since(&self, peer: NodeId) -> Option<Time> {
        let (_, since) = self.progress.iter().find(|(other, _)| *other == peer)?;
        Some(*since)
    }
}

impl Resting {
    /// Somebody was asked for a body before, and answers first.
    pub(super) fn settle_late(&mut self, now: Time, peer: NodeId, awaited: Awaited) -> Option<()> {
        if self.second().is_some() {
            return None;
        }
        let debts = self.debts.as_mut()?;
        let at = debts.find(peer, awaited.block)?;
        debts.late.swap_remove(at);
        let since = debts.silent_since(peer).expect("known of all who owe something");
        self.patience.learn(now.since(since));
        debts.late.push(Late {
            block: awaited.block,
            of: awaited.of,
            asked_at: awaited.since,
        });
        debts.make_progress(awaited.of, awaited.since);
        Some(())
    }

    /// A body came from a peer that was asked for it and given up on, while another sent it ([`crate::Event::BlockReceived`], a duplicate): nothing but that
    /// follows. Otherwise nothing has changed; whether it did.
    pub fn receive_late(&mut self, ledger: &Ledger, (now, peer): (Time, NodeId), block: BlockRef) -> bool {
        let Some(debts) = &mut self.debts else { return false };
        let Some(at) = debts.find(peer, block) else {
            return false;
        };
        let is_beside = || self.rivals.as_ref().is_some_and(|rivals| rivals.has(block));
        if !ledger.is_ancestor(block, self.tip) && !is_beside() {
            return false;
        }
        debts.late.swap_remove(at);
        let since = debts.silent_since(peer).expect("known of all who owe something");
        self.patience.learn(now.since(since));
        if debts.late.is_empty() {
            self.debts = None;
        }
        true
    }

    /// The body that is waited for is overdue. Who is asked for it instead, of all neighbours in the order of their names, each with whether it has announced it ([`Neighbour::has`]);
    /// none when there is more to it, and then nothing has changed.
    pub fn ask_another(&mut self, now: Time, mut sources: impl Iterator<Item = (NodeId, bool)>) -> Option<NodeId> {
        let awaited = self
            .awaited
            .filter(|awaited| self.second().is_none() && self.patience.ends(awaited.since) <= now)?;
        let owed = |peer: NodeId| self.debts.as_ref().map_or(0, |debts| debts.owed(peer));
        // Of those that owe nothing the first comes first; one that does owe something would be asked only if all did.
        let is_source = |peer: NodeId, has: bool| has || self.is_also_source(peer, awaited.block);
        let is_next = |(peer, has): &(NodeId, bool)| *peer != awaited.of && owed(*peer) == 0 && is_source(*peer, *has);
        let (next, _) = sources.find(is_next)?;
        if self.debts.as_ref().map_or(0, |debts| debts.late.len()) + 1 >= MAX_BLOCKS_OWED {
            return None;
        }
        let debts = self.debts.get_or_insert_default();
        debts.late.push(Late {
            block: awaited.block,
            of: awaited.of,
            asked_at: awaited.since,
        });
        debts.make_progress(awaited.of, awaited.since);
        debts.make_progress(next, now);
        self.patience.wear_out();
        self.awaited = Some(Awaited {
            of: next,
            since: now,
            ..awaited
        });
        Some(next)
    }

    pub(super) fn make_progress(&mut self, peer: NodeId, now: Time) {
        if let Some(debts) = &mut self.debts {
            debts.make_progress(peer, now);
        }
    }
}

impl Node {
    /// The late answers that may still come.
    pub(super) fn debts(&self, ledger: &Ledger) -> Option<Box<Debts>> {
        let mut debts = Debts::default();
        for (of, block, progress) in self.bodies.fetch.late_answers() {
            let block = ledger.find(block).expect("only known blocks are asked for");
            debts.late.push(Late {
                block,
                of,
                asked_at: progress,
            });
            debts.make_progress(of, progress);
        }
        (!debts.late.is_empty()).then(|| Box::new(debts))
    }

    /// These late answers may still come, and no others.
    pub(super) fn owe(&mut self, ledger: &Ledger, debts: &Debts) {
        let before: Vec<NodeId> = self.bodies.fetch.late_answers().map(|(of, ..)| of).collect();
        let count = |of: NodeId| before.iter().filter(|other| **other == of).count();
        for (peer, row) in self.peers.all_mut() {
            row.owes_bodies(debts.owed(peer), count(peer));
        }
        let late = debts.late.iter().map(|late| (late.of, ledger.id(late.block)));
        self.bodies.fetch.set_late_answers(late);
        for (peer, at) in &debts.progress {
            self.bodies.fetch.set_progress(*peer, *at);
        }
    }
}
