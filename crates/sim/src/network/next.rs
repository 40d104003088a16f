//! What happens next, so that the memory it needs is there when it happens.

use base::{NodeId, Time};

use super::{Network, Short};
use crate::heap::Happening;
use crate::limits::{PREPARED, PREPARED_FROM};

/// What is prepared for.
#[derive(Debug, Default)]
pub(super) struct Next {
    /// Up to when everything was.
    pub(super) prepared_to: Time,
    /// Room for what happens soon, used again.
    soon: Vec<u32>,
    /// Whom it is about, by which of its exits it comes, and whether it is a body.
    about: Vec<(NodeId, u32, bool)>,
}

impl Network {
    /// Looks at what resting nodes need to whom something happens soon: most of a large run is waiting for memory, and so it waits for that of many at a
    /// time, first for where things are, then for the things.
    pub(super) fn prepare(&mut self) {
        if !self.beds.are_open() || self.places.len() < PREPARED_FROM {
            return;
        }
        self.next.soon.clear();
        self.next.prepared_to = self.heap.soon(self.now, PREPARED, &mut self.next.soon);
        self.next.about.clear();
        for place in &self.next.soon {
            if let Some(Happening::Short { passage, short, .. }) = self.heap.at(*place) {
                let is_body = matches!(short, Short::Sent(..));
                self.next.about.push((passage.to, passage.exit, is_body));
            }
        }
        let about = || self.next.about.iter().copied();
        let mut seen: usize = about()
            .map(|(node, exit, _)| self.beds.glance(node, exit) + self.pairs.glance(node))
            .sum();
        for (node, exit, is_body) in about() {
            seen += self.pairs.look_at(node, exit);
            if is_body {
                seen += self.beds.look_closer(node) + self.collector.glance(node);
            }
        }
        for (node, _, is_body) in about() {
            if is_body {
                seen += self.beds.look_around(node);
            }
        }
        std::hint::black_box(seen);
    }
}
