//! The most common of all news: a node follows the next block.

use base::{NodeId, Time};
use chain::{BlockId, Txid};
use node::event::TipRef;

use super::Collector;
use crate::detail::Detail;
use crate::record::{Derived, RunEvent};

impl Collector {
    /// Has fetched what [`Collector::follow`] is about: an engine with many nodes asks for the memory of all to whom something is about to happen, and does
    /// not wait for it.
    pub fn glance(&self, node: NodeId) {
        self.world.glance(node);
        self.spread.glance(node);
        self.lagging.glance(node);
    }

    /// Whether all that there is to say of a node that follows this block can be said by [`Collector::follow`]: not when that has lines of its own, or there
    /// may be more to the block.
    #[must_use]
    pub fn may_follow(&self, block: &BlockId) -> bool {
        self.detail != Detail::Full && self.world.is_latest(block) && self.forks.is_latest(block)
    }

    /// A node accepted a transaction from a peer: what `tx_accepted` says, where that has no line.
    pub fn accept(&mut self, node: NodeId, txid: &Txid) {
        debug_assert!(self.detail != Detail::Full, "there is a line to write");
        self.changes += 1;
        self.world.accept(node, *txid);
    }

    /// An honest node received a block from a peer, connected it and follows it, and it stands on what the node followed before: what `block_received`,
    /// `block_connected` and `tip_changed` say together.
    ///
    /// # Panics
    /// In a build with debug assertions, when that cannot be said so shortly ([`Collector::may_follow`]).
    pub fn follow(&mut self, now: Time, (node, peer): (NodeId, NodeId), block: TipRef) {
        debug_assert!(self.may_follow(&block.block), "there is more to say");
        if let Some(folder) = &mut self.folder {
            folder.follow(now, (node, peer), &block.block);
        }
        // Connected, and followed.
        self.changes += 2;
        self.watch.follow(now, (node, block), &self.plan, &self.world);
        let old = self.world.node(node).tip;
        self.world.follow(node, block);
        let spread = self.spread.reach(now, node, &block.block, &self.world);
        let tells_spread = self.detail != Detail::Summary;
        // Nearly always there are none.
        let mut news: Vec<Derived> = Vec::new();
        if tells_spread && let Some(spread) = spread {
            news.push(Derived::BlockSpread(spread));
        }
        self.forks.follow(now, node, (&self.plan, &self.world), &mut news);
        self.lagging.moved(now, node, block.height, &mut news);
        if tells_spread {
            self.convergence.moved((old, block), now, &mut news);
        }
        for derived in news {
            self.record(now, RunEvent::Derived(derived));
        }
    }
}
