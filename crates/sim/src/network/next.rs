//! What happens next, so that the memory it needs is there when it happens.

use base::Time;

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
    /// Has fetched what resting nodes need to whom something happens soon, first where things are, then the things: most of a large run would be waiting
    /// for memory.
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
        for (place, _) in soon() {
            beds.glance_at(place);
        }
        for (place, _) in soon() {
            beds.glance(beds.end(place).owner);
        }
        for (place, short) in soon() {
            let end = beds.end(place);
            match short {
                // It may ask for the block.
                Short::Told(_) => {
                    beds.glance_closer(end.owner);
                    beds.glance_at_route(place);
                }
                Short::Asked(_) => {
                    beds.glance_closer(end.owner);
                    beds.glance_at_route(place);
                    let peer = end.neighbour.peer;
                    if let Some(uplinks) = uplinks {
                        uplinks.glance((end.owner, peer));
                    }
                    // How long it waits for the answer.
                    beds.glance_at_bed(peer);
                }
                Short::Sent(_) => {
                    beds.glance_closer(end.owner);
                    beds.glance_at_routes(end.owner);
                    collector.glance(end.owner);
                }
            }
        }
        for (place, short) in soon() {
            let end = beds.end(place);
            match short {
                Short::Told(_) => {}
                Short::Asked(_) => {
                    beds.glance_at_served(end.owner);
                    beds.glance_closer(end.neighbour.peer);
                }
                Short::Sent(_) => beds.glance_around(end.owner),
            }
        }
    }
}
