//! What a node at rest has sent to whom, and how often: as [`crate::served::Served`] counts it, for all peers together.

use base::{NodeId, Time};
use chain::BlockRef;

use crate::limits::{MAX_SENDS_PER_ITEM, SERVED_REMEMBERED};

/// A block that was sent to a peer, and when it first was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Served {
    pub(super) to: NodeId,
    pub(super) block: BlockRef,
    pub(super) at: Time,
}

/// All of them, in the order in which they were sent.
#[derive(Clone, Debug, Default)]
pub(super) struct ServedAtRest(Vec<Served>);

impl ServedAtRest {
    pub(super) const fn are_any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Reads one of them, and changes nothing ([`super::Resting::glance_at_served`]).
    pub(super) fn glance(&self) -> usize {
        self.0.first().map_or(0, |served| served.block.index())
    }

    pub(super) fn all(self) -> impl Iterator<Item = Served> {
        self.0.into_iter()
    }

    /// A peer asks for a block. Counts it if it is to be sent: the same may be asked for again, when it is late.
    pub(super) fn count(&mut self, (to, block): (NodeId, BlockRef), now: Time) -> bool {
        let is_old = |served: &Served| served.at + SERVED_REMEMBERED <= now;
        if self.0.first().is_some_and(is_old) {
            self.0.retain(|served| !is_old(served));
        }
        let mut sent = self.0.iter().filter(|served| (served.to, served.block) == (to, block));
        // All is forgotten with the first time.
        let at = sent.next().map_or(now, |first| first.at);
        let is_sent = sent.count() + 1 < MAX_SENDS_PER_ITEM.into();
        if is_sent {
            self.0.push(Served { to, block, at });
        }
        is_sent
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base::{Hash, Seed};
    use chain::BlockId;
    use gossip::Item;

    use super::*;
    use crate::served::{Served, Serving};

    const PEERS: usize = 3;

    /// Blocks are asked for now and then, and now and then again and again.
    #[test]
    fn what_is_counted_for_all_peers_together_is_what_is_counted_for_each() {
        let mut rng = Seed::from_number(1).rng();
        let mut at_rest = ServedAtRest::default();
        let mut each: [Served; PEERS] = std::array::from_fn(|_| Served::new());
        let mut now = Time::ZERO;
        let mut sent = [0; 2];
        for _ in 0..5_000 {
            let (peer, block) = (rng.index(PEERS), rng.index(4));
            now += Duration::from_secs(rng.below(8));
            let item = Item::Block(BlockId(Hash::sha256(&[&block.to_le_bytes()])));
            let is_sent = at_rest.count((NodeId::at(peer), BlockRef::at(block)), now);
            assert_eq!(is_sent, each[peer].count(item, now) == Serving::Send, "at {now}");
            sent[usize::from(is_sent)] += 1;
            assert!(at_rest.0.len() <= PEERS * 4 * usize::from(MAX_SENDS_PER_ITEM));
        }
        assert!(sent.iter().all(|count| *count > 200), "{sent:?}");
    }
}
