//! Looks at what something is about that happens soon, so that the memory is there when it does.

use base::NodeId;
use node::Resting;

use super::Beds;

impl Beds {
    /// Reads one end, and changes nothing: see [`crate::network::Network::prepare`].
    pub(in crate::network) fn look_at(&self, place: usize) -> usize {
        self.joints[place].connection as usize + self.ends[place].out_us as usize
    }

    /// Reads what a message to a node is about.
    pub(in crate::network) fn glance(&self, node: NodeId) -> usize {
        let resting = self.of(node).map_or(0, Resting::glance);
        let talk = usize::from(self.talks[node.index()].is_uneven);
        resting + talk + usize::from(self.fronts[node.index()].awaited.is_some()) + self.places(node).start
    }

    /// Reads all its ends.
    pub(in crate::network) fn look_closer(&self, node: NodeId) -> usize {
        let ends = self.ends[self.places(node)].iter().step_by(4);
        let said = self.said[self.places(node)].iter().step_by(5);
        ends.map(|end| end.out_us as usize).sum::<usize>() + said.filter(|said| said.is_silent).count()
    }

    /// Reads what it needs of its neighbours.
    pub(in crate::network) fn look_around(&self, node: NodeId) -> usize {
        let ends = self.ends[self.places(node)].iter();
        ends.map(|end| usize::from(self.fronts[end.neighbour.peer.index()].awaited.is_some()))
            .sum()
    }
}
