//! What becomes of what was told when a connection goes, or a link changes.

use base::NodeId;

use super::{Beds, UNEVEN};

impl Beds {
    /// The connection between two nodes is gone, and with it what they told each other.
    pub(in crate::network) fn part(&mut self, node: NodeId, exit: (u32, NodeId)) {
        let Some(place) = self.place(node, exit) else { return };
        for place in [place, self.ends[place].other as usize] {
            self.routes[place].said.before = 0;
            self.routes[place].said.speak();
        }
    }

    /// The way out of one of a node's ends is not what it was. What is sent from now on either way is a matter for the links.
    pub(in crate::network) fn change(&mut self, node: NodeId, exit: (u32, NodeId)) {
        let Some(place) = self.place(node, exit) else { return };
        self.are_even = false;
        // Who was told by it is up, and has noted it.
        self.routes[place].said.before = 0;
        self.routes[place].said.speak();
        for place in [place, self.ends[place].other as usize] {
            self.ends[place].latency_us = UNEVEN;
            self.routes[place].latency_us = UNEVEN;
        }
    }
}
