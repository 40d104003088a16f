//! One body at a time: what a node at the tip does, a step for each thing that happens.
//!
//! Each is what the general calls together come to where nothing else is wanted, or expected of anybody; a test compares.

use std::time::Duration;

use base::{NodeId, Time};
use chain::{BlockId, Height};

use super::BlockFetch;
use super::rows::{Asked, Source, Wanted};
use crate::limits::{MAX_STALL_TIMEOUT, STALL_TIMEOUT};

impl BlockFetch {
    /// Whether no body is wanted, or expected of anybody.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.wanted.is_empty() && self.asked.is_empty()
    }

    /// A body is wanted that this peer has, while nothing else is ([`BlockFetch::is_idle`]): whether it is to be asked for it. Says no, and changes
    /// nothing, when the peer is not known.
    ///
    /// What [`BlockFetch::want`], [`BlockFetch::add_source`] and [`BlockFetch::requests`] come to.
    pub fn ask_for_one(&mut self, peer: NodeId, (block, height): (BlockId, Height), now: Time) -> bool {
        assert!(self.is_idle(), "something else is wanted");
        let Ok(at) = self.find_peer(peer) else {
            return false;
        };
        let mut sources = std::mem::take(&mut self.room);
        sources.push(Source {
            has_it: true,
            times_asked: 1,
            last_asked: now,
            ..Source::new(peer)
        });
        self.wanted.push(Wanted {
            block,
            height,
            sources,
            asked_of: Some(peer),
            is_idle: false,
            is_due: false,
        });
        self.asked.push(Asked {
            block,
            of: peer,
            is_waited_for: true,
        });
        self.flying = 1;
        let asked = &mut self.peers[at];
        asked.in_flight = 1;
        asked.progress = now;
        true
    }

    /// The body came, and is settled, that alone is wanted and expected of this peer and nobody else: whether it is that.
    ///
    /// What [`BlockFetch::received`] and [`BlockFetch::forget`] come to.
    pub fn settle_the_one(&mut self, peer: NodeId, block: &BlockId, now: Time) -> bool {
        let ([wanted], [asked]) = (self.wanted.as_slice(), self.asked.as_slice()) else {
            return false;
        };
        if !asked.is(peer, block) || !asked.is_waited_for || wanted.block != *block || wanted.is_idle {
            return false;
        }
        let Ok(at) = self.find_peer(peer) else {
            return false;
        };
        let answering = &mut self.peers[at];
        let silence = now.since(answering.progress);
        answering.in_flight = 0;
        answering.progress = now;
        self.learn(silence);
        self.asked.clear();
        self.flying = 0;
        let mut wanted = self.wanted.pop().expect("one is wanted");
        wanted.sources.clear();
        self.room = wanted.sources;
        true
    }

    /// When the one body that is expected of anybody is late.
    #[must_use]
    pub fn late_at(&self, asked: Time) -> Time {
        asked + self.stall_timeout
    }

    /// A body came after such a silence.
    pub(super) fn learn(&mut self, silence: Duration) {
        // However late an answer is, it says no more than a request that came to nothing: or one peer could make this node wait for all.
        self.usual.learn(silence.min(self.stall_timeout * 2));
        let least = STALL_TIMEOUT.max(self.usual.at_most());
        self.stall_timeout = (self.stall_timeout / 2).max(least).min(MAX_STALL_TIMEOUT);
    }
}

#[cfg(test)]
mod tests {
    use base::Hash;

    use super::*;

    fn block(number: u32) -> BlockId {
        BlockId(Hash::sha256(&[&number.to_le_bytes()]))
    }

    /// Bodies come one after the other, after longer and shorter silences, and what is expected in the end does not depend on which calls were made.
    #[test]
    fn one_step_is_what_the_general_calls_come_to() {
        let peers = [NodeId(1), NodeId(2)];
        let mut general = BlockFetch::new();
        peers.map(|peer| general.add_peer(peer));
        let mut single = general.clone();
        let mut now = Time::ZERO;
        for number in 0..50_u32 {
            let (body, height) = (block(number), Height(number));
            let peer = peers[number as usize % 2];
            now += Duration::from_millis(u64::from(number * 977 % 7_001));

            assert!(general.want(body, height));
            general.add_source(peer, body, now);
            let mut requests = Vec::new();
            general.requests(now, &mut requests);
            assert_eq!(requests, [(peer, vec![body])]);
            assert!(single.is_idle() && single.ask_for_one(peer, (body, height), now));
            assert_eq!(single.deadline(), general.deadline());
            assert_eq!(single.deadline(), Some(single.late_at(now)));

            let other = peers[(number as usize + 1) % 2];
            assert!(!single.settle_the_one(other, &body, now) && !single.settle_the_one(peer, &block(1_000), now));
            now += Duration::from_millis(u64::from(number * 3_571 % 1_999));
            assert!(general.received(peer, &body, now));
            general.forget(&body);
            assert!(single.settle_the_one(peer, &body, now));
            assert_eq!(format!("{single:?}"), format!("{general:?}"));
        }
        assert!(
            !single.ask_for_one(NodeId(3), (block(1), Height(1)), now),
            "nobody knows it"
        );
        assert_eq!(format!("{single:?}"), format!("{general:?}"));
    }
}
