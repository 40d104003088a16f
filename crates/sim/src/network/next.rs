//! What happens next, so that the memory it needs is there when it happens.

use base::Time;
use node::Resting;

use super::Network;
use super::rest::Short;
use crate::heap::{BUCKET_US, Leg};
use crate::limits::{PREPARED, PREPARED_FROM};

/// What is prepared for.
#[derive(Debug, Default)]
pub(super) struct Next {
    /// Up to when everything was.
    prepared_to: Time,
    /// Room for what happens soon, used again.
    soon: Vec<(Leg, Short)>,
}

impl Next {
    /// Whether what happens after this moment is soon to be prepared for.
    pub(super) const fn is_due(&self, now: Time) -> bool {
        now.as_micros() + BUCKET_US > self.prepared_to.as_micros()
    }
}

impl Network {
    /// Looks at what resting nodes need to whom something happens soon: most of a large run is waiting for memory, and so it waits for that of many at a
    /// time, first for where things are, then for the things.
    pub(super) fn prepare(&mut self) {
        if !self.beds.are_open() || self.places.len() < PREPARED_FROM {
            return;
        }
        let Self {
            next,
            beds,
            heap,
            collector,
            uplinks,
            ..
        } = self;
        next.soon.clear();
        next.prepared_to = heap.soon(self.now.max(next.prepared_to), PREPARED, &mut next.soon);
        let soon = || next.soon.iter().map(|(leg, short)| (leg.place as usize, short));
        let mut seen: usize = soon().map(|(place, _)| beds.look_at(place)).sum();
        for (place, short) in soon() {
            let end = beds.end(place);
            seen += beds.glance(end.owner);
            match short {
                Short::Told(_) => {}
                Short::Asked(_) => {
                    seen += beds.glance_closer(end.owner);
                    let peer = end.neighbour.peer;
                    seen += uplinks.as_ref().map_or(0, |uplinks| uplinks.glance((end.owner, peer)));
                    // How long it waits for the answer.
                    seen += beds.of(peer).map_or(0, Resting::glance);
                }
                Short::Sent(_) => {
                    seen += beds.glance_closer(end.owner) + beds.look_closer(end.owner);
                    seen += collector.glance(end.owner);
                }
            }
        }
        for (place, short) in soon() {
            if let Short::Sent(_) = short {
                seen += beds.look_around(beds.end(place).owner);
            }
        }
        std::hint::black_box(seen);
    }
}
