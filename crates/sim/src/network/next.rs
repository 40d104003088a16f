//! What happens next, so that the memory it needs is there when it happens.

use base::{NodeId, Time, prefetch};

use super::Network;
use super::rest::Short;
use crate::heap::{BUCKET_US, Soon};
use crate::limits::{PREPARED, PREPARED_FOR_PAYMENTS_FROM, PREPARED_FROM};

/// What is prepared for.
#[derive(Debug, Default)]
pub(super) struct Next {
    /// Up to when everything was.
    prepared_to: Time,
    /// Room for what happens soon, used again.
    soon: Vec<Soon>,
    /// And for those to whom something happens about payments, or who may have something to do.
    busy: Vec<NodeId>,
}

impl Next {
    /// Whether what happens after this moment is soon to be prepared for.
    pub(super) const fn is_due(&self, now: Time) -> bool {
        now.as_micros() + BUCKET_US > self.prepared_to.as_micros()
    }
}

impl Network {
    /// Has fetched what nodes need that rest or have couriers, and to whom something happens soon, first where things are, then the things: most of a large run
    /// would be waiting for memory.
    pub(super) fn prepare(&mut self) {
        let nodes = self.places.len();
        let pays = self.couriers.are_busy();
        let least = if pays {
            PREPARED_FOR_PAYMENTS_FROM
        } else {
            PREPARED_FROM
        };
        if !self.beds.are_open() || nodes < least {
            return;
        }
        let Next {
            prepared_to,
            soon,
            busy,
        } = &mut self.next;
        soon.clear();
        busy.clear();
        *prepared_to = self.heap.soon(self.now.max(*prepared_to), PREPARED, soon);
        let (soon, mut busy) = (std::mem::take(soon), std::mem::take(busy));
        for what in &soon {
            match what {
                Soon::Short(place, _) | Soon::Paid(place) => self.beds.glance_at(*place),
                Soon::Tick(node) if pays => busy.push(*node),
                Soon::Tick(_) => {}
            }
        }
        for what in &soon {
            match what {
                Soon::Short(place, _) => self.beds.glance(self.beds.end(*place).owner),
                Soon::Paid(place) => busy.push(self.beds.end(*place).owner),
                Soon::Tick(_) => {}
            }
        }
        if pays {
            self.prepare_couriers(&busy);
        }
        for what in &soon {
            if let Soon::Short(place, short) = what {
                self.glance_closer(*place, *short);
            }
        }
        for what in &soon {
            if let Soon::Short(place, short) = what {
                self.glance_around(*place, *short);
            }
        }
        (self.next.soon, self.next.busy) = (soon, busy);
    }

    fn prepare_couriers(&self, busy: &[NodeId]) {
        for node in busy {
            self.couriers.glance(*node);
            prefetch(&self.places[node.index()]);
        }
        for node in busy {
            self.couriers.glance_closer(*node);
        }
        for node in busy {
            self.couriers.glance_around(*node);
        }
    }

    fn glance_closer(&self, place: usize, short: Short) {
        let end = self.beds.end(place);
        self.beds.glance_closer(end.owner);
        match short {
            // It may ask for the block.
            Short::Told(_) => self.beds.glance_at_route(place),
            Short::Asked(_) => {
                self.beds.glance_at_route(place);
                let peer = end.neighbour.peer;
                if let Some(uplinks) = &self.uplinks {
                    uplinks.glance((end.owner, peer));
                }
                // How long it waits for the answer.
                self.beds.glance_at_bed(peer);
            }
            Short::Sent(_) => {
                self.beds.glance_at_routes(end.owner);
                self.collector.glance(end.owner);
            }
        }
    }

    fn glance_around(&self, place: usize, short: Short) {
        let end = self.beds.end(place);
        match short {
            Short::Told(_) => {}
            Short::Asked(_) => {
                self.beds.glance_at_served(end.owner);
                self.beds.glance_closer(end.neighbour.peer);
            }
            Short::Sent(_) => self.beds.glance_around(end.owner),
        }
    }
}
