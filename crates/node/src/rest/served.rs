//! What a node at rest has sent to whom, and how often: as [`crate::served::Served`] counts it, for all peers together.

use base::{NodeId, Time, prefetch};
use chain::BlockRef;

use crate::limits::{MAX_SENDS_PER_ITEM, SERVED_REMEMBERED};

/// A block that was sent to a peer, and when it first was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Served {
    pub(super) to: NodeId,
    pub(super) block: BlockRef,
    pub(super) at: Time,
}

/// All of them. What was not sent before, nearly always, is counted without a look at what was.
#[derive(Clone, Debug, Default)]
pub(super) struct ServedAtRest {
    /// In the order in which they were sent, the first so many. No `Vec`, for which the compiler would mark resting nodes in this cache line, and not in the other.
    sent: Box<[Option<Served>]>,
    count: usize,
    /// A bit for each, which it shares with few: what has none was not sent before.
    marks: u64,
    /// When all are forgotten.
    until: Time,
}

/// For how many there is room at first.
const ROOM: usize = 4;

impl Served {
    fn mark((to, block): (NodeId, BlockRef)) -> u64 {
        let spread = to.0.wrapping_add(block.number()).wrapping_mul(0x9e37_79b1);
        1 << (spread >> 26)
    }

    fn is_old(&self, now: Time) -> bool {
        self.at + SERVED_REMEMBERED <= now
    }
}

impl ServedAtRest {
    pub(super) fn all(&self) -> impl Iterator<Item = Served> {
        self.sent[..self.count].iter().copied().flatten()
    }

    /// A peer asks for a block. Counts it if it is to be sent: the same may be asked for again, when it is late.
    pub(super) fn count(&mut self, (to, block): (NodeId, BlockRef), now: Time) -> bool {
        let mark = Served::mark((to, block));
        let mut at = now;
        if self.until <= now {
            self.count = 0;
            self.marks = 0;
        } else if self.marks & mark != 0 {
            let is_it = |served: &Served| (served.to, served.block) == (to, block) && !served.is_old(now);
            let mut sent = self.all().filter(is_it);
            // All is forgotten with the first time.
            at = sent.next().map_or(now, |first| first.at);
            if sent.count() + 1 >= MAX_SENDS_PER_ITEM.into() {
                return false;
            }
        }
        if self.count == self.sent.len() {
            self.make_room(now);
        }
        self.sent[self.count] = Some(Served { to, block, at });
        self.count += 1;
        self.marks |= mark;
        self.until = self.until.max(at + SERVED_REMEMBERED);
        true
    }

    /// Has fetched where the next is written.
    pub(super) fn glance(&self) {
        if let Some(next) = self.sent.get(self.count) {
            prefetch(next);
        }
    }

    /// Forgets what is old. What is left fills at most half of the room.
    fn make_room(&mut self, now: Time) {
        let mut sent: Vec<_> = self.all().filter(|served| !served.is_old(now)).map(Some).collect();
        self.count = sent.len();
        sent.resize((2 * self.count).max(self.sent.len()).max(ROOM), None);
        self.sent = sent.into();
        let marks = self.all().map(|served| Served::mark((served.to, served.block)));
        self.marks = marks.fold(0, |all, mark| all | mark);
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
            assert!(at_rest.sent.len() <= 4 * PEERS * 4 * usize::from(MAX_SENDS_PER_ITEM));
        }
        assert!(sent.iter().all(|count| *count > 200), "{sent:?}");
    }
}
