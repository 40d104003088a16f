//! How nodes rest that know no more than the genesis block.

use std::time::Duration;

use base::{NodeId, Time};
use chain::BlockRef;
use gossip::Patience;

use super::served::ServedAtRest;
use super::{Neighbour, Resting};
use crate::clock::Clock;
use crate::config::Tie;

impl Neighbour {
    /// A peer that has said hello and knows the genesis block.
    #[must_use]
    pub const fn newcomer(peer: NodeId) -> Self {
        Self {
            peer,
            best: Some(BlockRef::GENESIS),
        }
    }
}

impl Resting {
    /// At the genesis block, which nobody has asked for.
    pub(crate) fn at_genesis(epoch: Duration, tie: Tie) -> Self {
        Self {
            tip: BlockRef::GENESIS,
            base: BlockRef::GENESIS,
            awaited: None,
            moved_at: Time::ZERO,
            followed_at: Time::ZERO,
            patience: Patience::new(),
            clock: Clock::new(epoch).as_set(),
            sent_before: None,
            served: ServedAtRest::default(),
            seldom: None,
            has_debts: false,
            is_contested: false,
            tosses: tie == Tie::Random,
        }
    }
}
