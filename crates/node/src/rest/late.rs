//! Bodies that are late: asked of another, and taken in when they come after all.

use base::{NodeId, Time};
use chain::{BlockRef, Ledger};
use gossip::limits::{MAX_ASKED_PER_BLOCK, MAX_BLOCKS_OWED};

use super::{Awaited, Resting, Seldom};
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
    /// Who owes answers that were asked for twice, one for each time; and for which block, where that is known.
    again: Vec<(NodeId, Option<BlockRef>)>,
}

impl Debts {
    /// How many answers this peer owes.
    pub(super) fn owed(&self, peer: NodeId) -> usize {
        self.late.iter().filter(|late| late.of == peer).count()
    }

    /// A body is waited for no longer.
    fn give_up(&mut self, Awaited { block, of, since }: Awaited) {
        let asked_at = since;
        self.late.push(Late { block, of, asked_at });
        self.make_progress(of, since);
    }

    /// A peer answers late; since when it was silent, if it owed that.
    fn settle(&mut self, peer: NodeId, block: BlockRef) -> Option<Time> {
        let at = self
            .late
            .iter()
            .position(|late| late.of == peer && late.block == block)?;
        self.late.swap_remove(at);
        Some(self.silent_since(peer).expect("known of all who owe something"))
    }

    /// How many more answers this peer owes because it was asked again.
    fn owed_again(&self, peer: NodeId) -> usize {
        self.again.iter().filter(|(of, _)| *of == peer).count()
    }

    /// How often a peer was asked for a block that has not come yet.
    pub(super) fn times_asked(&self, peer: NodeId, block: BlockRef) -> u8 {
        let again = self.again.iter().filter(|again| **again == (peer, Some(block)));
        u8::try_from(1 + again.count()).expect("a peer is asked a few times")
    }

    /// A peer sent a block once more; whether it was asked again.
    fn settle_again(&mut self, peer: NodeId, block: BlockRef) -> bool {
        let find = |block| self.again.iter().position(|again| *again == (peer, block));
        let at = find(Some(block)).or_else(|| find(None));
        at.map(|at| self.again.swap_remove(at)).is_some()
    }

    pub(super) const fn are_settled(&self) -> bool {
        self.late.is_empty() && self.again.is_empty()
    }

    fn make_progress(&mut self, peer: NodeId, now: Time) {
        self.progress.retain(|(other, _)| *other != peer);
        self.progress.push((peer, now));
    }

    fn silent_since(&self, peer: NodeId) -> Option<Time> {
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
        let debts = self.debts_mut()?;
        let since = debts.settle(peer, awaited.block)?;
        debts.give_up(awaited);
        self.patience.learn(now.since(since));
        Some(())
    }

    /// A body came from a peer that was asked for it and given up on, while another sent it, or that was asked for it twice ([`crate::Event::BlockReceived`], a duplicate): nothing but that
    /// follows. Otherwise nothing has changed; whether it did.
    pub fn receive_late(&mut self, ledger: &Ledger, (now, peer): (Time, NodeId), block: BlockRef) -> bool {
        if !self.has_debts {
            return false;
        }
        let Some(Seldom { debts, rivals }) = self.seldom.as_deref_mut() else {
            return false;
        };
        if !ledger.is_ancestor(block, self.tip) && !rivals.has(block) {
            return false;
        }
        if let Some(since) = debts.settle(peer, block) {
            self.patience.learn(now.since(since));
        } else if !debts.settle_again(peer, block) {
            return false;
        }
        if debts.are_settled() {
            *debts = Debts::default();
            self.has_debts = false;
        }
        true
    }

    /// The body that is waited for is overdue. Who is asked for it instead, of all neighbours in the order of their names, each with whether it has announced it ([`super::Neighbour::has`]);
    /// none when there is more to it, and then nothing has changed.
    pub fn ask_another(&mut self, now: Time, sources: impl Iterator<Item = (NodeId, bool)>) -> Option<NodeId> {
        let awaited = self
            .awaited
            .filter(|awaited| self.second().is_none() && self.patience.ends(awaited.since) <= now)?;
        let is_source = |(peer, has): &(NodeId, bool)| *has || self.is_also_source(*peer, awaited.block);
        let others = sources.filter(|source| source.0 != awaited.of && is_source(source));
        // Of those that owe nothing the first comes first; one that does owe something is asked only if all do.
        let owes_nothing = |peer: NodeId| self.debts().is_none_or(|debts| debts.owed(peer) == 0);
        let mut are_others = false;
        let mut others = others.inspect(|_| are_others = true).map(|(peer, _)| peer);
        let other = others.find(|peer| owes_nothing(*peer));
        let next = other.or_else(|| (!are_others).then_some(awaited.of))?;
        let owed = self.debts().map_or(0, |debts| debts.late.len() + debts.again.len());
        let times_asked = self.debts().map_or(1, |debts| debts.times_asked(next, awaited.block));
        if owed + 1 >= MAX_BLOCKS_OWED || (next == awaited.of && times_asked == MAX_ASKED_PER_BLOCK) {
            return None;
        }
        self.has_debts = true;
        let debts = &mut self.seldom.get_or_insert_default().debts;
        if next == awaited.of {
            debts.again.push((next, Some(awaited.block)));
        } else {
            debts.give_up(awaited);
        }
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
        if let Some(debts) = self.debts_mut() {
            debts.make_progress(peer, now);
        }
    }

    pub(super) fn debts(&self) -> Option<&Debts> {
        if !self.has_debts {
            return None;
        }
        self.seldom.as_ref().map(|seldom| &seldom.debts)
    }

    fn debts_mut(&mut self) -> Option<&mut Debts> {
        if !self.has_debts {
            return None;
        }
        self.seldom.as_mut().map(|seldom| &mut seldom.debts)
    }
}

impl Node {
    /// The late answers that may still come; none when a peer owes fewer by number, because it has sent what it was not asked for.
    pub(super) fn debts(&self, ledger: &Ledger) -> Option<Debts> {
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
        for (peer, row) in self.peers.all() {
            let again = (row.bodies_owed as usize).checked_sub(debts.owed(peer))?;
            debts.again.extend(std::iter::repeat_n((peer, None), again));
        }
        Some(debts)
    }

    /// These late answers may still come, and no others.
    pub(super) fn owe(&mut self, ledger: &Ledger, debts: &Debts) {
        for (peer, row) in self.peers.all_mut() {
            let owed = debts.owed(peer) + debts.owed_again(peer);
            // Most owe nothing, and of them nothing need be kept.
            if row.bodies_owed as usize != owed {
                row.owes_bodies(owed);
            }
        }
        let late = debts.late.iter().map(|late| (late.of, ledger.id(late.block)));
        self.bodies.fetch.set_late_answers(late);
        for (peer, at) in &debts.progress {
            self.bodies.fetch.set_progress(*peer, *at);
        }
    }
}
