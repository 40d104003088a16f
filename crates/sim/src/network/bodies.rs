//! Bodies under way. Of each block there are many at a time, and they are the same: who sends one counts it, and the queue of events holds a number.

use std::sync::Arc;

use chain::{Block, BlockRef};

/// Bodies that have been sent and have not arrived.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    /// By number.
    rows: Vec<Option<Row>>,
    /// Which was sent last: most often it is sent again.
    last: usize,
}

#[derive(Debug)]
struct Row {
    sent: Sent,
    /// How often it is under way.
    count: u32,
}

/// A body, and how many bytes it stands for, as far as the digest tells them apart.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) block: BlockRef,
    pub(super) body: Arc<Block>,
    pub(super) bytes: u32,
}

impl Bodies {
    /// A body is sent; its number.
    pub(super) fn send(&mut self, block: BlockRef, body: &Arc<Block>, bytes: u32) -> u32 {
        let is_it = |row: &Row| row.sent.block == block && row.sent.bytes == bytes && Arc::ptr_eq(&row.sent.body, body);
        let is_at = |row: &Option<Row>| row.as_ref().is_some_and(is_it);
        if !self.rows.get(self.last).is_some_and(is_at) {
            let same = self.rows.iter().position(is_at);
            let place = same.or_else(|| self.rows.iter().position(Option::is_none));
            self.last = place.unwrap_or(self.rows.len());
        }
        if self.last == self.rows.len() {
            self.rows.push(None);
        }
        let row = self.rows[self.last].get_or_insert_with(|| Row {
            sent: Sent {
                block,
                body: Arc::clone(body),
                bytes,
            },
            count: 0,
        });
        row.count += 1;
        u32::try_from(self.last).expect("few blocks are under way at a time")
    }

    /// A body arrives that was sent.
    pub(super) fn arrive(&mut self, number: u32) -> Sent {
        let place = &mut self.rows[number as usize];
        let row = place.as_mut().expect("it was sent");
        row.count -= 1;
        let sent = row.sent.clone();
        if row.count == 0 {
            *place = None;
        }
        sent
    }
}

#[cfg(test)]
mod tests {
    use base::Seed;
    use chain::Params;

    use super::*;

    /// Against a list of all that is under way.
    #[test]
    fn what_arrives_is_what_was_sent() {
        let genesis = Arc::new(Params::instant().genesis_block());
        let bodies: Vec<Arc<Block>> = (0..3).map(|_| Arc::new(Block::clone(&genesis))).collect();
        let mut rng = Seed::from_number(1).rng();
        let mut under_way = Bodies::default();
        let mut list = Vec::new();
        for _ in 0..10_000 {
            if rng.chance(0.5) {
                let (block, body) = (BlockRef::at(rng.index(4)), &bodies[rng.index(3)]);
                let bytes = 7 + u32::try_from(rng.index(2)).expect("few");
                list.push((under_way.send(block, body, bytes), block, Arc::clone(body), bytes));
            } else if !list.is_empty() {
                let (number, block, body, bytes) = list.swap_remove(rng.index(list.len()));
                let sent = under_way.arrive(number);
                assert_eq!((sent.block, sent.bytes), (block, bytes));
                assert!(Arc::ptr_eq(&sent.body, &body));
            }
            assert!(under_way.rows.len() <= 24);
        }
        for (number, ..) in list {
            under_way.arrive(number);
        }
        assert!(under_way.rows.iter().all(Option::is_none));
    }
}
