//! A node that keeps its one request itself for a while, as a node at rest does, and hands it over when more happens.

use base::{NodeId, Time};
use chain::{BlockId, Height};

use super::rows::{Asked, Source, Wanted};
use super::{BlockFetch, Patience};
use crate::limits::MAX_BLOCKS_OWED;

impl BlockFetch {
    /// Whether no body is wanted or waited for. Late answers may still come, fewer than would keep anybody from being asked.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.wanted.is_empty() && self.flying == 0 && self.asked.len() < MAX_BLOCKS_OWED
    }

    /// How long it waits for a body.
    #[must_use]
    pub const fn patience(&self) -> Patience {
        self.patience
    }

    /// What was learnt meanwhile of how long bodies take.
    pub const fn set_patience(&mut self, patience: Patience) {
        self.patience = patience;
    }

    /// The late answers that may still come: of whom, which, and when that peer was last asked or answered.
    pub fn late_answers(&self) -> impl Iterator<Item = (NodeId, &BlockId, Time)> {
        let late = self.asked.iter().filter(|asked| !asked.is_waited_for);
        late.map(|asked| (asked.of, &asked.block, self.peer(asked.of).progress))
    }

    /// What late answers may still come, while none is waited for.
    pub fn set_late_answers(&mut self, late: impl Iterator<Item = (NodeId, BlockId)>) {
        self.asked.clear();
        for peer in &mut self.peers {
            peer.given_up = 0;
        }
        for (of, block) in late {
            self.asked.push(Asked {
                block,
                of,
                is_waited_for: false,
            });
            if let Ok(at) = self.find_peer(of) {
                self.peers[at].given_up += 1;
            }
        }
    }

    /// A source of a wanted body was asked for it so many times, and last at this time.
    pub fn note_asked(&mut self, peer: NodeId, block: &BlockId, (times, at): (u8, Time)) {
        self.revise(block, |wanted| {
            let source = wanted.source(peer);
            source.times_asked = times;
            source.last_asked = at;
        });
    }

    /// A peer was last asked at this time, when it owed nothing, or answered.
    pub fn set_progress(&mut self, peer: NodeId, at: Time) {
        if let Ok(place) = self.find_peer(peer) {
            self.peers[place].progress = at;
        }
    }

    /// A body is wanted that this peer has, and was asked for at that time, when it owed nothing that was waited for: what [`BlockFetch::want`],
    /// [`BlockFetch::add_source`] and [`BlockFetch::requests`] come to when nobody else has it.
    ///
    /// # Panics
    /// When it is wanted already, or nobody knows the peer.
    pub fn take_over(&mut self, peer: NodeId, (block, height): (BlockId, Height), asked_at: Time) {
        let at = self.find_peer(peer).expect("a peer of this node was asked");
        let source = Source {
            has_it: true,
            times_asked: 1,
            last_asked: asked_at,
            ..Source::new(peer)
        };
        let place = self.find(&block).expect_err("it is wanted for the first time");
        let wanted = Wanted {
            block,
            height,
            sources: vec![source],
            asked_of: Some(peer),
            is_idle: false,
            is_due: false,
        };
        self.wanted.insert(place, wanted);
        assert!(
            !self.asked.iter().any(|asked| asked.is(peer, &block)),
            "it is asked for the first time"
        );
        self.asked.push(Asked {
            block,
            of: peer,
            is_waited_for: true,
        });
        self.flying += 1;
        let asked = &mut self.peers[at];
        asked.in_flight += 1;
        asked.progress = asked_at;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base::Hash;

    use super::*;

    fn block(number: u32) -> BlockId {
        BlockId(Hash::sha256(&[&number.to_le_bytes()]))
    }

    /// Bodies come one after the other, after longer and shorter silences. One fetch is told of all of it; the other of the last request only,
    /// and of what was learnt before.
    #[test]
    fn what_is_handed_over_is_what_the_general_calls_come_to() {
        let peers = [NodeId(1), NodeId(2)];
        let mut general = BlockFetch::new();
        for peer in peers {
            general.add_peer(peer);
        }
        let mut patience = general.patience();
        let mut now = Time::ZERO;
        for number in 0..50_u32 {
            let (body, height) = (block(number), Height(number));
            let peer = peers[number as usize % 2];
            now += Duration::from_millis(u64::from(number * 977 % 7_001));
            let mut handed_over = general.clone();
            handed_over.set_patience(patience);
            assert!(handed_over.is_idle());

            assert!(general.want(body, height));
            general.add_source(peer, body, now);
            let mut requests = Vec::new();
            general.requests(now, &mut requests);
            assert_eq!(requests, [(peer, vec![body])]);
            handed_over.take_over(peer, (body, height), now);
            assert_eq!(format!("{handed_over:?}"), format!("{general:?}"));
            assert_eq!(general.deadline(), Some(patience.ends(now)));

            let silence = Duration::from_millis(u64::from(number * 3_571 % 1_999));
            now += silence;
            assert!(general.received(peer, &body, now));
            general.forget(&body);
            patience.learn(silence);
            assert_eq!(general.patience(), patience);
        }
    }
}
