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
    pub(super) fn has_arrived(&self, moment: Moment) -> bool {
        has_come((self.at, self.turn), moment)
    }
}

/// Whether a turn at a time has come by this moment.
pub(in crate::network) fn has_come((at, own): (Time, Turn), (now, turn): Moment) -> bool {
    at < now || (at == now && turn.is_some_and(|turn| own.is_before(turn)))
}
