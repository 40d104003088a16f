//! When a run ends, nothing may be under way that is not on the heap.

use base::NodeId;

use super::{Announcement, Beds, Moment};

impl Beds {
    /// From now on nothing is told silently. What was and has not arrived goes to `under_way`, each with the place of the end that it left by.
    pub(in crate::network) fn speak_up(&mut self, moment: Moment, under_way: &mut Vec<(usize, Announcement)>) {
        self.is_aloud = true;
        for node in (0..self.beds.len()).map(NodeId::at) {
            if !self.may_be_under_way(node, moment.0) {
                continue;
            }
            for place in self.places(node).filter(|place| self.routes[*place].said.is_silent()) {
                let last = self.under_way_from(node, place, moment);
                under_way.extend(last.map(|last| (place, last)));
            }
        }
        for (place, _) in under_way {
            self.routes[*place].said.speak();
        }
    }
}
