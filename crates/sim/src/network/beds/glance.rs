//! Has fetched what something is about that happens soon.

use base::{NodeId, prefetch};

use super::Beds;

impl Beds {
    /// Has an end fetched: see [`crate::network::Network::prepare`].
    pub(in crate::network) fn glance_at(&self, place: usize) {
        prefetch(&self.ends[place]);
    }

    /// Has fetched what a message to a node is about.
    pub(in crate::network) fn glance(&self, node: NodeId) {
        let bed = &self.beds[node.index()];
        prefetch(bed);
        prefetch(&bed.talk);
        prefetch(&self.fronts[node.index()]);
        prefetch(&self.first[node.index()]);
    }

    /// Has fetched what a node knows that waits for another.
    pub(in crate::network) fn glance_at_bed(&self, node: NodeId) {
        prefetch(&self.beds[node.index()]);
    }

    /// Has fetched what a node does that is asked for a block, or sent one.
    pub(in crate::network) fn glance_closer(&self, node: NodeId) {
        if let Some(resting) = self.of(node) {
            resting.glance_closer();
        }
    }

    /// Has fetched where it keeps what it sends.
    pub(in crate::network) fn glance_at_served(&self, node: NodeId) {
        if let Some(resting) = self.of(node) {
            resting.glance_at_served();
        }
    }

    /// Has one route fetched.
    pub(in crate::network) fn glance_at_route(&self, place: usize) {
        prefetch(&self.routes[place]);
    }

    /// Has all its routes fetched, of which four share a cache line.
    pub(in crate::network) fn glance_at_routes(&self, node: NodeId) {
        let routes = &self.routes[self.places(node)];
        routes.iter().step_by(4).chain(routes.last()).for_each(prefetch);
    }

    /// Has fetched what it needs of its neighbours.
    pub(in crate::network) fn glance_around(&self, node: NodeId) {
        for route in &self.routes[self.places(node)] {
            prefetch(&self.fronts[route.peer.index()]);
        }
    }
}
