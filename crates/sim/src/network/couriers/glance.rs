//! Has fetched what couriers need to whom something happens soon.

use base::{NodeId, prefetch};

use super::Couriers;

impl Couriers {
    /// Whether there are any payments that couriers deal with, where messages come in at ends.
    pub(in crate::network) fn are_busy(&self) -> bool {
        self.go_by_ends && self.are_open()
    }

    /// Has fetched what stands beside a node.
    pub(in crate::network) fn glance(&self, node: NodeId) {
        prefetch(&self.states[node.index()]);
    }

    /// Has fetched what a node's courier knows, and what was said to it last.
    pub(in crate::network) fn glance_closer(&self, node: NodeId) {
        let state = &self.states[node.index()];
        if let Some(courier) = &state.courier {
            courier.glance();
        }
        if let Some(note) = state.notes.front() {
            prefetch(note);
        }
    }

    /// Has fetched what it works with.
    pub(in crate::network) fn glance_around(&self, node: NodeId) {
        if let Some(courier) = &self.states[node.index()].courier {
            courier.glance_closer();
        }
    }
}
