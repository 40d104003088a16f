//! Which branches' bodies are wanted, and who has them.
//!
//! A branch is worth fetching while it has at least the tip's work. Of each a window above its last connected block is wanted at a time.

use std::collections::BTreeMap;

use base::NodeId;
use chain::{BlockId, BlockRef, Height, Ledger};

use crate::Node;
use crate::context::Context;
use crate::knowledge::Standing;
use crate::limits::{BODY_WINDOW, MAX_TARGETS};

/// The end of a branch that is being fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    block: BlockRef,
    /// Bodies up to here have been asked for, or wait to be.
    wanted_to: Height,
}

/// Branches being fetched, by the names of their ends.
pub(crate) type Targets = BTreeMap<BlockId, Target>;

impl Node {
    /// Headers up to this one were accepted: their branch is fetched when it has the work.
    pub(crate) fn consider_branch(&mut self, cx: &mut Context<'_>, block: BlockRef) {
        let is_missing = self.knowledge.standing(block) == Standing::Header;
        let has_work = cx.ledger.work(block) >= cx.ledger.work(self.knowledge.tip());
        if !is_missing || !has_work || self.knowledge.is_marked(cx.ledger, block) {
            return;
        }
        let covers = |target: &Target| cx.ledger.is_ancestor(block, target.block);
        if self.bodies.targets.values().any(covers) {
            return;
        }
        // It takes the place of those it extends.
        self.bodies
            .targets
            .retain(|_, target| !cx.ledger.is_ancestor(target.block, block));
        let id = cx.ledger.id(block);
        let wanted_to = Height(0);
        self.bodies.targets.insert(id, Target { block, wanted_to });
        if self.bodies.targets.len() > MAX_TARGETS {
            self.drop_least_target(cx);
        }
        self.want_bodies(cx, &id);
    }

    /// Looks at all branches anew, after one was condemned or the operator marked a block.
    pub(crate) fn reconsider_branches(&mut self, cx: &mut Context<'_>) {
        let targets: Vec<BlockId> = self.bodies.targets.keys().copied().collect();
        for id in targets {
            self.forget_target(cx, &id);
        }
        for leaf in self.knowledge.header_leaves(cx.ledger) {
            self.consider_branch(cx, leaf);
        }
    }

    /// Blocks up to this one were connected: what lies above is wanted next, and branches that fell behind are not wanted any more.
    pub(crate) fn advance_branches(&mut self, cx: &mut Context<'_>, connected: BlockRef) {
        let tip_work = cx.ledger.work(self.knowledge.tip());
        let height = cx.ledger.height(connected);
        let targets: Vec<(BlockId, Target)> = self.bodies.targets.iter().map(|(id, at)| (*id, *at)).collect();
        for (id, target) in targets {
            let is_done = self.knowledge.is_connected(target.block);
            if is_done || cx.ledger.work(target.block) < tip_work {
                self.forget_target(cx, &id);
            } else if target.wanted_to < cx.ledger.height(target.block)
                && height.0 + BODY_WINDOW / 2 >= target.wanted_to.0
                && cx.ledger.is_ancestor(connected, target.block)
            {
                self.want_bodies(cx, &id);
            }
        }
    }

    /// The peer has this block and all below: it may be asked for their bodies.
    pub(crate) fn note_has(&mut self, cx: &mut Context<'_>, peer: NodeId, block: BlockRef) {
        let Some(source) = self.peers.ready_mut(peer) else {
            return;
        };
        let is_news = source
            .best
            .is_none_or(|best| cx.ledger.work(block) > cx.ledger.work(best));
        if is_news {
            source.best = Some(block);
        }
        // Most often the block is all that is wanted.
        let next = self.bodies.targets.values().next();
        if self.bodies.targets.len() == 1
            && next.is_some_and(|target| target.block == block && target.wanted_to == cx.ledger.height(block))
            && cx
                .ledger
                .parent(block)
                .is_some_and(|parent| self.knowledge.is_connected(parent))
        {
            let id = cx.ledger.id(block);
            if !self.knowledge.is_connected(block) && !self.bodies.holds(&id) {
                self.bodies.fetch.add_source(peer, id, cx.now);
            }
            return;
        }
        // Even a lighter block than the best may be on another branch that is wanted.
        let targets: Vec<Target> = self.bodies.targets.values().copied().collect();
        for target in targets {
            for (id, _) in self.missing(cx.ledger, target, block) {
                self.bodies.fetch.add_source(peer, id, cx.now);
            }
        }
    }

    /// Wants the bodies of a branch, a window above its last connected block.
    fn want_bodies(&mut self, cx: &mut Context<'_>, id: &BlockId) {
        let Some(target) = self.bodies.targets.get_mut(id) else {
            return;
        };
        let base = self.knowledge.connected_base(cx.ledger, target.block);
        let end = cx.ledger.height(target.block);
        target.wanted_to = end.min(Height(cx.ledger.height(base).0.saturating_add(BODY_WINDOW)));
        let target = *target;
        for (id, height) in self.unconnected(cx.ledger, target, target.block) {
            if !self.bodies.pick_up(&id) {
                self.bodies.fetch.want(id, height);
            }
        }
        let sources: Vec<(NodeId, BlockRef)> = self
            .peers
            .all_ready()
            .filter_map(|(id, peer)| Some((id, peer.best?)))
            .collect();
        for (peer, best) in sources {
            for (id, _) in self.missing(cx.ledger, target, best) {
                self.bodies.fetch.add_source(peer, id, cx.now);
            }
        }
    }

    /// The bodies of a branch that are still to come, as far as it has them in common with `other`.
    fn missing(&self, ledger: &Ledger, target: Target, other: BlockRef) -> Vec<(BlockId, Height)> {
        let mut blocks = self.unconnected(ledger, target, other);
        blocks.retain(|(id, _)| !self.bodies.holds(id));
        blocks
    }

    /// The blocks of a branch's window that are not connected, as far as it has them in common with `other`.
    fn unconnected(&self, ledger: &Ledger, target: Target, other: BlockRef) -> Vec<(BlockId, Height)> {
        let base = self.knowledge.connected_base(ledger, target.block);
        let common = ledger.height(ledger.fork_point(target.block, other));
        let last = common.min(target.wanted_to);
        (ledger.height(base).0 + 1..=last.0)
            .filter_map(|height| ledger.ancestor(target.block, Height(height)))
            .map(|block| (ledger.id(block), ledger.height(block)))
            .collect()
    }

    fn drop_least_target(&mut self, cx: &mut Context<'_>) {
        let least = self
            .bodies
            .targets
            .iter()
            .min_by_key(|(id, target)| (cx.ledger.work(target.block), **id))
            .map(|(id, _)| *id);
        if let Some(id) = least {
            self.forget_target(cx, &id);
        }
    }

    /// Gives up a branch; what it has in common with others stays wanted.
    fn forget_target(&mut self, cx: &mut Context<'_>, id: &BlockId) {
        let Some(target) = self.bodies.targets.remove(id) else {
            return;
        };
        if self.knowledge.is_connected(target.block) {
            return;
        }
        let shared = self
            .bodies
            .targets
            .values()
            .map(|other| cx.ledger.height(cx.ledger.fork_point(other.block, target.block)))
            .max()
            .unwrap_or(Height(0));
        for (id, height) in self.unconnected(cx.ledger, target, target.block) {
            if height > shared {
                self.bodies.fetch.unwant(&id);
                self.bodies.set_aside(&id);
            }
        }
    }
}
