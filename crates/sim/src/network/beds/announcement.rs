//! An announcement on its way.

use base::Time;
use chain::BlockRef;

use crate::heap::Turn;

/// An announcement of one block: when it arrives, and whose turn it is then.
#[derive(Clone, Copy, Debug)]
pub(in crate::network) struct Announcement {
    pub(in crate::network) at: Time,
    pub(in crate::network) turn: Turn,
    pub(in crate::network) block: BlockRef,
}

/// A moment, and whose turn it is at it.
pub(in crate::network) type Moment = (Time, Option<Turn>);

impl Announcement {
    /// Whether it has arrived by this moment.
    pub(super) fn has_arrived(&self, (now, turn): Moment) -> bool {
        let had_its_turn = || turn.is_some_and(|turn| self.turn.is_before(turn));
        self.at < now || (self.at == now && had_its_turn())
    }
}
