//! What a node at rest has sent to whom, and how often: as [`crate::served::Served`] counts it, for all peers together. Most send a block once.

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

/// All of them, the first at hand.
#[derive(Clone, Debug, Default)]
pub(super) struct ServedAtRest {
    first: Option<Served>,
    /// The others; kept when there are none, to be used again.
    #[expect(clippy::box_collection, reason = "many have none, and nodes at rest are many")]
    more: Option<Box<Vec<Served>>>,
    has_more: bool,
}

impl ServedAtRest {
    pub(super) const fn are_any(&self) -> bool {
        self.first.is_some()
    }

    /// All, the first that was sent first.
    pub(super) fn all(&self) -> impl Iterator<Item = Served> {
        let more = self.more.iter().filter(|_| self.has_more);
        let more = more.flat_map(|more| more.iter().copied());
        self.first.into_iter().chain(more)
    }

    /// A peer asks for a block. Counts it if it is to be sent: the same may be asked for again, when it is late.
    pub(super) fn count(&mut self, (to, block): (NodeId, BlockRef), now: Time) -> bool {
        self.forget(now);
        let mut sent = self.all().filter(|served| (served.to, served.block) == (to, block));
        // All is forgotten with the first time.
        let at = sent.next().map_or(now, |first| first.at);
        let is_sent = sent.count() + 1 < MAX_SENDS_PER_ITEM.into();
        if is_sent {
            let served = Served { to, block, at };
            if self.first.is_none() {
                self.first = Some(served);
            } else {
                self.more.get_or_insert_default().push(served);
                self.has_more = true;
            }
        }
        is_sent
    }

    fn forget(&mut self, now: Time) {
        let is_old = |served: &Served| served.at + SERVED_REMEMBERED <= now;
        if !self.first.as_ref().is_some_and(is_old) {
            return;
        }
        self.first = None;
        if let Some(more) = self.more.as_mut().filter(|_| self.has_more) {
            more.retain(|served| !is_old(served));
            self.first = (!more.is_empty()).then(|| more.remove(0));
            self.has_more = !more.is_empty();
        }
    }
}
