//! What happens next, so that the memory it needs is there when it happens.

use base::Time;

use super::Network;
use crate::heap::Soon;
use crate::limits::{PREPARED, PREPARED_FROM};

/// What is prepared for.
#[derive(Debug, Default)]
pub(super) struct Next {
    /// Up to when everything was.
    pub(super) prepared_to: Time,
    /// Room for what happens soon, used again.
    soon: Vec<Soon>,
    /// By which end it comes in, and whether it is a body.
    about: Vec<(usize, bool)>,
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
        for soon in &self.next.soon {
            let Soon { leg, is_body } = *soon;
            self.next.about.push((leg.place as usize, is_body));
        }
        let mut seen: usize = self.next.about.iter().map(|(place, _)| self.beds.look_at(*place)).sum();
        let about = || {
            let about = self.next.about.iter();
            about.map(|(place, is_body)| (self.beds.end(*place).owner, *is_body))
        };
        for (node, is_body) in about() {
            seen += self.beds.glance(node);
            if is_body {
                seen += self.beds.look_closer(node) + self.collector.glance(node);
            }
        }
        for (node, is_body) in about() {
            if is_body {
                seen += self.beds.look_around(node);
            }
        }
        std::hint::black_box(seen);
    }
}
