//! Looks at what something is about that happens soon, so that the memory is there when it does.

use base::NodeId;
use node::Resting;

use super::Beds;

impl Beds {
    /// Reads one end, and changes nothing: see [`crate::network::Network::prepare`].
    pub(in crate::network) fn look_at(&self, place: usize) -> usize {
        self.ends[place].connection as usize
    }

    /// Reads what a message to a node is about.
    pub(in crate::network) fn glance(&self, node: NodeId) -> usize {
        let resting = self.of(node).map_or(0, Resting::glance);
        let talk = usize::from(self.beds[node.index()].talk.is_uneven);
        resting + talk + usize::from(self.fronts[node.index()].awaited.is_some()) + self.places(node).start
    }

    /// Reads what a node does that is asked for a block, or sent one.
    pub(in crate::network) fn glance_closer(&self, node: NodeId) -> usize {
        self.of(node).map_or(0, Resting::glance_closer)
    }

    /// Reads all its routes, of which four share a cache line.
    pub(in crate::network) fn look_closer(&self, node: NodeId) -> usize {
        let routes = &self.routes[self.places(node)];
        let looked_at = routes.iter().step_by(4).chain(routes.last());
        looked_at.map(|route| route.latency_us as usize).sum()
    }

    /// Reads what it needs of its neighbours.
    pub(in crate::network) fn look_around(&self, node: NodeId) -> usize {
        let routes = self.routes[self.places(node)].iter();
        routes
            .map(|route| usize::from(self.fronts[route.peer.index()].awaited.is_some()))
            .sum()
    }
}
