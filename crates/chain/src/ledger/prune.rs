//! Forgetting what no live chain can ask for again.
//!
//! The *horizon* is the highest block that is buried deep enough under every live tip. What stands on it is kept whole. Below it, and on
//! every fork that leaves below it, headers, work, supply and verdicts stay; bodies and the versions of coins go. A coin whose spend is
//! below the horizon is spent on every chain that is left, so nobody can ask for it; one that is unspent there is kept, unless
//! nothing is ever spent.

use super::index::Body;
use super::{BlockRef, Ledger};
use crate::Height;

/// What becomes of coins that are unspent at the horizon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unspent {
    /// They are kept for ever: somebody may spend them.
    Kept,
    /// They go, as on a network without payments; whoever spends one finds that there is none.
    Forgotten,
}

impl Ledger {
    /// Forgets what is buried deeper than `depth` blocks under every live tip: bodies, coins whose spend is that deep, places of
    /// transactions, and all forks that left the common chain down there.
    ///
    /// Blocks that stand on the horizon answer as before, and so do new ones: only [`Ledger::confirmation`] and [`Ledger::spender`] no
    /// longer name blocks below it. A pruned block stays [`super::Status::Valid`] and has no [`Ledger::body`]; the header of a new child
    /// is taken in as ever, but its body is refused as [`crate::Reject::PrevBlkPruned`].
    ///
    /// The horizon never sinks: without live tips, or with one that does not stand on it, nothing happens. The cost is in proportion to
    /// what is forgotten, so a call for every new block is cheap.
    ///
    /// # Panics
    /// When a live tip has no valid body: it is no tip.
    pub fn prune(&mut self, live_tips: &[BlockRef], depth: u32, unspent: Unspent) {
        let has_valid_body = |tip: &BlockRef| matches!(self.index.get(*tip).body, Body::Valid { .. });
        assert!(live_tips.iter().all(has_valid_body), "tips are valid in full");
        let Some(horizon) = self.buried(live_tips, depth) else {
            return;
        };
        for next in self.tree.path(self.horizon, horizon) {
            self.forget_below(next, unspent);
            self.horizon = next;
        }
    }

    /// The lowest block whose body and coins are known: the genesis block until something is pruned.
    #[must_use]
    pub const fn horizon(&self) -> BlockRef {
        self.horizon
    }

    /// Whether the block does not stand on the horizon, so that a child's body can no longer be validated. O(log n).
    #[must_use]
    pub fn is_pruned(&self, block: BlockRef) -> bool {
        !self.tree.is_ancestor(self.horizon, block)
    }

    /// The highest block with `depth` blocks above it on every live chain, when it is above the horizon.
    fn buried(&self, live_tips: &[BlockRef], depth: u32) -> Option<BlockRef> {
        let common = live_tips.iter().copied().reduce(|a, b| self.fork_point(a, b))?;
        let lowest = live_tips.iter().map(|tip| self.height(*tip)).min()?;
        let height = Height(lowest.0.checked_sub(depth)?).min(self.height(common));
        let buried = self.ancestor(common, height)?;
        let is_above = buried != self.horizon && self.is_ancestor(self.horizon, buried);
        is_above.then_some(buried)
    }

    /// Forgets the present horizon, and every fork from it but the one that goes on with `next`.
    fn forget_below(&mut self, next: BlockRef, unspent: Unspent) {
        let Self { index, coins, .. } = self;
        if let Some(body) = index.drop_body(self.horizon) {
            coins.settle(self.horizon, &body, unspent);
        }
        let mut dead: Vec<BlockRef> = index.children(self.horizon).filter(|child| *child != next).collect();
        while let Some(at) = dead.pop() {
            if let Some(body) = index.drop_body(at) {
                coins.forget(at, &body);
            }
            dead.extend(index.children(at));
        }
    }
}
