//! What happens next, so that the memory it needs is there when it happens.

use base::{NodeId, Time};
use gossip::MessageKind;

use super::Network;
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

/// How far a node looks around when it takes something in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Looks {
    Nowhere,
    AtItsPeers,
    AtAllItWillTell,
}

impl Network {
    /// Lets all nodes glance to whom something happens soon: most of a large run is waiting for memory, and so it waits for that of many at a time,
    /// first for where things are, then for the things.
    pub(super) fn prepare(&mut self) {
        self.next.soon.clear();
        self.next.prepared_to = self.heap.soon(self.now, PREPARED, &mut self.next.soon);
        self.next.about.clear();
        for place in &self.next.soon {
            if let Some(Happening::Arrival { way, message, .. }) = self.heap.at(*place) {
                let looks = if node::carries_body(message) {
                    Looks::AtAllItWillTell
                } else if message.kind() == MessageKind::Get {
                    Looks::Nowhere
                } else {
                    Looks::AtItsPeers
                };
                self.next.about.push((self.pairs.ends(*way).1, looks));
            }
        }
        let about = || {
            let cores = self
                .next
                .about
                .iter()
                .map(|(node, looks)| (node, self.places[node.index()].node.as_ref(), *looks));
            cores.filter_map(|(node, core, looks)| Some((*node, core?, looks)))
        };
        let mut seen: usize = about().map(|(_, core, _)| core.glance()).sum();
        for (node, core, looks) in about() {
            seen += self.inboxes.glance(node);
            if looks >= Looks::AtItsPeers {
                seen += core.look_closer();
            }
            if looks >= Looks::AtAllItWillTell {
                seen += self.pairs.glance(node);
            }
        }
        std::hint::black_box(seen);
    }
}
