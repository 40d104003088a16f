//! News of a network that comes up: a node meets its peers.

use base::{NodeId, Time};

use super::Collector;
use crate::detail::Detail;

impl Collector {
    /// Whether all that there is to say of nodes that meet before the first block is found can be said by [`Collector::meet`]: not when each connection has a line of its
    /// own.
    #[must_use]
    pub fn may_meet(&self) -> bool {
        self.detail == Detail::Summary && self.world.blocks().len() == 1
    }

    /// A node that has just started was greeted by these peers, the last of them now: what `peer_connected` says of each.
    ///
    /// # Panics
    /// In a build with debug assertions, when that cannot be said so shortly ([`Collector::may_meet`]).
    pub fn meet(&mut self, now: Time, node: NodeId, peers: impl Iterator<Item = NodeId>) {
        debug_assert!(self.may_meet(), "there is more to say");
        let known = self.world.node(node).peers.len();
        self.world.meet(node, peers);
        let met = self.world.node(node).peers.len() - known;
        self.changes += met as u64;
        if met > 0 && self.plan.is_honest(node) {
            let mut news = Vec::new();
            self.lagging.connected(now, node, &self.world, &mut news);
            assert!(news.is_empty(), "nobody is behind before the first block");
        }
    }
}
