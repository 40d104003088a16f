//! What happens next, so that the memory it needs is there when it happens.

use base::{NodeId, Time};

use super::{Network, Short};
use crate::heap::Happening;
use crate::limits::PREPARED;

/// What is prepared for.
#[derive(Debug, Default)]
pub(super) struct Next {
    /// Up to when everything was.
    pub(super) prepared_to: Time,
    /// Room for what happens soon, used again.
    soon: Vec<u32>,
    /// Whom it is about, and how far they will look around.
    about: Vec<(NodeId, Looks)>,
}

/// How far a resting node looks around when it takes something in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Looks {
    AtItsPeers,
    AtAllItWillTell,
}

impl Network {
    /// Looks at what resting nodes need to whom something happens soon: most of a large run is waiting for memory, and so it waits for that of many at a
    /// time, first for where things are, then for the things.
    pub(super) fn prepare(&mut self) {
        self.next.soon.clear();
        self.next.prepared_to = self.heap.soon(self.now, PREPARED, &mut self.next.soon);
        self.next.about.clear();
        for place in &self.next.soon {
            if let Some(Happening::Short { passage, short, .. }) = self.heap.at(*place) {
                let looks = match short {
                    Short::Told(_) | Short::Asked(_) => Looks::AtItsPeers,
                    Short::Sent(..) => Looks::AtAllItWillTell,
                };
                self.next.about.push((passage.to, looks));
            }
        }
        let about = || self.next.about.iter().copied();
        let mut seen: usize = about()
            .map(|(node, _)| self.beds.glance(node) + self.pairs.glance(node))
            .sum();
        for (node, looks) in about() {
            seen += self.beds.look_closer(node, looks == Looks::AtAllItWillTell);
            if looks == Looks::AtAllItWillTell {
                seen += self.pairs.look_closer(node);
            }
            seen += usize::try_from(self.places[node.index()].told).unwrap_or(0);
            if looks == Looks::AtAllItWillTell {
                seen += self.collector.glance(node);
            }
        }
        std::hint::black_box(seen);
    }
}
