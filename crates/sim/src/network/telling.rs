//! How nodes at rest tell their neighbours of the block that they follow.

use base::NodeId;
use chain::BlockRef;
use gossip::MessageKind;

use super::Network;
use super::beds::Announcement;

impl Network {
    /// Sends the header of the block that a node follows to all who do not have it.
    pub(super) fn tell_others(&mut self, node: NodeId, block: BlockRef) {
        let moment = (self.now, self.turn);
        let parent = self.ledgers[0].parent(block).expect("it stands on what was followed");
        let mut under_way = std::mem::take(&mut self.under_way);
        let turn = self.heap.next_turn();
        self.beds.begin_to_tell(node, (block, turn), moment, &mut under_way);
        for (place, announcement, was_silent) in under_way.drain(..) {
            self.beds.occupy(place, announcement.at);
            if was_silent {
                self.say_aloud(place, announcement);
            }
        }
        self.under_way = under_way;
        let mut room = std::mem::take(&mut self.room);
        let lacking = self.beds.lacking(node, (block, parent), moment, &mut room);
        if self.beds.is_all_even(node) {
            self.tell_evenly((node, block), lacking);
        } else {
            self.tell_one_by_one((node, block), lacking);
        }
        let told = (lacking.len() as u64, self.lately.told);
        self.room = room;
        self.beds.have_told(node, block);
        self.count_sent(node, MessageKind::Headers, told);
    }

    /// Tells neighbours to whom it is only a matter of latencies.
    fn tell_evenly(&mut self, (node, block): (NodeId, BlockRef), ends: &[u32]) {
        let Self { beds, heap, digest, .. } = self;
        let mut aloud = std::mem::take(&mut self.aloud);
        let count = beds.tell_all((node, block), (self.now, ends), &mut aloud, |to, at| {
            heap.hold_back();
            digest.announced(at, to, node);
        });
        for (place, announcement) in &aloud[..count] {
            self.say_aloud(*place, *announcement);
        }
        self.aloud = aloud;
    }

    /// Tells neighbours by links that have more to them, or behind bodies.
    fn tell_one_by_one(&mut self, (node, block): (NodeId, BlockRef), ends: &[u32]) {
        let first = self.beds.places(node).start;
        for exit in ends.iter().map(|at| *at as usize) {
            let Some(at) = self.pass((node, exit), self.lately.told, false) else {
                continue;
            };
            let turn = self.heap.hold_back();
            let place = first + exit;
            if self.beds.tell_one((node, place), block, at) {
                let to = self.beds.end(place).neighbour.peer;
                self.digest.announced(at, to, node);
            } else {
                self.put_on_heap(place, Announcement { at, turn, block });
            }
        }
    }
}
