//! Which branches' bodies are wanted, and who has them.
//!
//! A branch is worth fetching while it has at least the tip's work. Of each a window above its last connected block is wanted at a time.

use base::NodeId;
use chain::{BlockId, BlockRef, Height, Ledger};

use crate::Node;
use crate::bodies::Bodies;
use crate::context::Context;
use crate::knowledge::{Knowledge, Standing};
use crate::limits::{BODY_WINDOW, MAX_TARGETS};

/// The end of a branch that is being fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    id: BlockId,
    block: BlockRef,
    /// Bodies up to here have been asked for, or wait to be.
    wanted_to: Height,
}

impl Target {
    /// The next block, whose body is wanted.
    pub(crate) const fn of_one(id: BlockId, block: BlockRef, height: Height) -> Self {
        Self {
            id,
            block,
            wanted_to: height,
        }
    }

    /// Whether more of it is to be wanted once the window can move on.
    pub(crate) fn is_held_up(&self, ledger: &Ledger) -> bool {
        self.wanted_to < ledger.height(self.block)
    }
}

/// Branches being fetched, in the order of the names of their ends.
pub(crate) type Targets = Vec<Target>;

impl Bodies {
    /// One more branch is fetched.
    pub(crate) fn add_target(&mut self, target: Target) {
        let at = self.targets.partition_point(|other| other.id < target.id);
        self.targets.insert(at, target);
    }

    /// The only block that is wanted, when it is the next of its branch and asked of somebody who is waited for.
    pub(crate) fn under_way(&self, ledger: &Ledger, knowledge: &Knowledge) -> Option<BlockRef> {
        let [target] = self.targets.as_slice() else {
            return None;
        };
        let is_next = || {
            ledger
                .parent(target.block)
                .is_some_and(|parent| knowledge.is_connected(parent))
        };
        let is_it = self.held.is_empty() && self.fetch.is_asked_only_for(&target.id);
        let is_missing = || knowledge.standing(target.block) == Standing::Header;
        (is_it && is_missing() && is_next()).then_some(target.block)
    }
}

impl Node {
    /// Headers up to this one were accepted: their branch is fetched when it has the work.
    pub(crate) fn consider_branch(&mut self, cx: &mut Context<'_>, block: BlockRef) {
        let is_missing = self.knowledge.standing(block) == Standing::Header;
        let has_work = cx.ledger.work(block) >= cx.ledger.work(self.knowledge.tip());
        if !is_missing || !has_work || self.knowledge.is_marked(cx.ledger, block) {
            return;
        }
        let targets = &mut self.bodies.targets;
        if targets.iter().any(|target| cx.ledger.is_ancestor(block, target.block)) {
            return;
        }
        // It takes the place of those it extends.
        let mut wanted_to = Height(0);
        targets.retain(|target| {
            let is_extended = cx.ledger.is_ancestor(target.block, block);
            if is_extended {
                wanted_to = wanted_to.max(target.wanted_to);
            }
            !is_extended
        });
        let id = cx.ledger.id(block);
        self.bodies.add_target(Target { id, block, wanted_to });
        if self.bodies.targets.len() > MAX_TARGETS {
            self.drop_least_target(cx);
        }
        // While headers come by the thousand there is nothing more to want: the window is full.
        let base = self.knowledge.connected_base(cx.ledger, block);
        if wanted_to.0 < cx.ledger.height(base).0.saturating_add(BODY_WINDOW) {
            self.want_bodies(cx, &id);
        }
    }

    /// Looks at all branches anew, after one was condemned or the operator marked a block.
    pub(crate) fn reconsider_branches(&mut self, cx: &mut Context<'_>) {
        let targets: Vec<BlockId> = self.bodies.targets.iter().map(|target| target.id).collect();
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
        // From the last to the first, so that one that goes moves none that is still to be looked at.
        for at in (0..self.bodies.targets.len()).rev() {
            let target = self.bodies.targets[at];
            let is_done = self.knowledge.is_connected(target.block);
            if is_done || cx.ledger.work(target.block) < tip_work {
                self.forget_target(cx, &target.id);
            } else if target.wanted_to < cx.ledger.height(target.block)
                && height.0 + BODY_WINDOW / 2 >= target.wanted_to.0
                && cx.ledger.is_ancestor(connected, target.block)
            {
                self.want_bodies(cx, &target.id);
            }
        }
    }

    /// The peer has this block and all below: it may be asked for their bodies.
    pub(crate) fn note_has(&mut self, cx: &mut Context<'_>, peer: NodeId, block: BlockRef) {
        self.note_has_up_to(cx, peer, block, false);
    }

    /// The same. When `more_to_come`, headers above it follow at once, and what was noted with those below it is not noted again.
    pub(crate) fn note_has_up_to(&mut self, cx: &mut Context<'_>, peer: NodeId, block: BlockRef, more_to_come: bool) {
        let Some(source) = self.peers.ready_mut(peer) else {
            return;
        };
        let before = source.best;
        let is_news = before.is_none_or(|best| cx.ledger.work(block) > cx.ledger.work(best));
        if is_news {
            source.best = Some(block);
        }
        // Even a lighter block than the best may be on another branch that is wanted.
        for at in 0..self.bodies.targets.len() {
            let window = Window::of(cx.ledger, &self.knowledge, self.bodies.targets[at]);
            if more_to_come && before.is_some_and(|before| window.lies_below(cx.ledger, before)) {
                continue;
            }
            window.add_source(cx, &mut self.bodies, (peer, block));
        }
    }

    /// Wants the bodies of a branch, a window above its last connected block.
    fn want_bodies(&mut self, cx: &mut Context<'_>, id: &BlockId) {
        let Self {
            bodies,
            knowledge,
            peers,
            ..
        } = self;
        let Some(target) = bodies.targets.iter_mut().find(|target| target.id == *id) else {
            return;
        };
        let base = knowledge.connected_base(cx.ledger, target.block);
        let end = cx.ledger.height(target.block);
        target.wanted_to = end.min(Height(cx.ledger.height(base).0.saturating_add(BODY_WINDOW)));
        let window = Window::of(cx.ledger, knowledge, *target);
        for (id, height) in window.blocks(cx.ledger, target.block) {
            if !bodies.pick_up(&id) {
                bodies.fetch.want(id, height);
            }
        }
        for (peer, row) in peers.all_ready() {
            if let Some(best) = row.best {
                window.add_source(cx, bodies, (peer, best));
            }
        }
    }

    fn drop_least_target(&mut self, cx: &mut Context<'_>) {
        let least = self
            .bodies
            .targets
            .iter()
            .min_by_key(|target| (cx.ledger.work(target.block), target.id))
            .map(|target| target.id);
        if let Some(id) = least {
            self.forget_target(cx, &id);
        }
    }

    /// Gives up a branch; what it has in common with others stays wanted.
    fn forget_target(&mut self, cx: &mut Context<'_>, id: &BlockId) {
        let Some(at) = self.bodies.targets.iter().position(|target| target.id == *id) else {
            return;
        };
        let target = self.bodies.targets.remove(at);
        if self.knowledge.is_connected(target.block) {
            return;
        }
        let shared = self
            .bodies
            .targets
            .iter()
            .map(|other| cx.ledger.height(cx.ledger.fork_point(other.block, target.block)))
            .max()
            .unwrap_or(Height(0));
        let window = Window::of(cx.ledger, &self.knowledge, target);
        for (id, height) in window.blocks(cx.ledger, target.block) {
            if height > shared {
                self.bodies.fetch.unwant(&id);
                self.bodies.set_aside(&id);
            }
        }
    }
}

/// The blocks of a branch that are wanted at present: those above the last connected one.
#[derive(Clone, Copy)]
struct Window {
    target: BlockRef,
    /// The height of the last connected block.
    base: Height,
    end: Height,
}

impl Window {
    fn of(ledger: &Ledger, knowledge: &Knowledge, target: Target) -> Self {
        Self {
            target: target.block,
            base: ledger.height(knowledge.connected_base(ledger, target.block)),
            end: target.wanted_to,
        }
    }

    /// Its blocks, as far as it has them in common with the chain of `other`, the lowest first.
    fn blocks(self, ledger: &Ledger, other: BlockRef) -> impl Iterator<Item = (BlockId, Height)> {
        let last = self.common(ledger, other).min(self.end);
        (self.base.0 + 1..=last.0)
            .filter_map(move |height| ledger.ancestor(self.target, Height(height)))
            .map(|block| (ledger.id(block), ledger.height(block)))
    }

    /// How far it has its blocks in common with the chain of `other`. Most often that ends below, or is all.
    fn common(self, ledger: &Ledger, other: BlockRef) -> Height {
        let height = ledger.height(other);
        if other == self.target || height <= self.base {
            return height;
        }
        ledger.height(ledger.fork_point(self.target, other))
    }

    /// Whether all of it is on the chain of this block.
    fn lies_below(self, ledger: &Ledger, block: BlockRef) -> bool {
        ledger.height(block) >= self.end && self.common(ledger, block) >= self.end
    }

    /// A peer has a block and all below: it may be asked for those of the window whose bodies are still to come.
    fn add_source(self, cx: &Context<'_>, bodies: &mut Bodies, (peer, block): (NodeId, BlockRef)) {
        for (id, _) in self.blocks(cx.ledger, block) {
            if !bodies.holds(&id) {
                bodies.fetch.add_source(peer, id, cx.now);
            }
        }
    }
}
