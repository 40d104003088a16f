//! How a run ends: nobody mines any more, and what is under way is let arrive. Nodes that rest do not get up for that.

use base::NodeId;
use node::{Command, Input, Outbox, Output};

use super::Network;

impl Network {
    /// From now on all that is told is heard on arrival, and nothing is under way that is not on the heap.
    pub(super) fn speak_up(&mut self) {
        self.dismiss_couriers();
        let mut under_way = Vec::new();
        self.beds.speak_up((self.now, self.turn), &mut under_way);
        for (place, announcement) in under_way {
            self.say_aloud(place, announcement);
        }
    }

    /// Nobody mines any more, and all that is under way is on the heap.
    pub(crate) fn wind_up(&mut self) {
        self.speak_up();
        self.has_stopped = true;
        for node in (0..self.places.len()).map(NodeId::at) {
            if self.beds.is_at_rest(node) {
                // It hears of it when it gets up.
                self.mine(node, None);
            } else {
                self.command(node, Command::StopMining);
            }
        }
    }

    /// Has a node that has got up stop mining, which is known here.
    pub(super) fn stop_mining(&mut self, node: NodeId) {
        let Some(core) = &mut self.places[node.index()].node else {
            return;
        };
        let mut out = Outbox::new();
        let stop = Input::Command(Command::StopMining);
        core.handle(&mut self.ledgers[0], self.now, stop, &mut out);
        let is_known = |output: &Output| matches!(output, Output::Draw(None));
        assert!(out.iter().all(is_known), "nothing else was due: {out:?}");
    }
}
