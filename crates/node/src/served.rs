//! What was sent to a peer of late, and how often.

use std::collections::VecDeque;

use base::Time;
use gossip::Item;

use crate::limits::{MAX_REFUSED_PER_ITEM, MAX_SENDS_PER_ITEM, MAX_SERVED_REMEMBERED, SERVED_REMEMBERED};

/// What to do about a request for an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Serving {
    /// Send it.
    Send,
    /// Say that it cannot be had.
    Refuse,
    /// The same, and blame the peer: no honest node asks that often.
    Blame,
}

/// How often an item was sent to a peer, and how often refused, since it was first sent.
#[derive(Clone, Copy, Debug)]
struct Sends {
    since: Time,
    count: u8,
    refused: u8,
}

/// How often each item was sent to a peer of late.
#[derive(Debug, Default)]
pub(crate) struct Served {
    /// Which items, by eight bytes, in the order in which they were first sent, apart from the rest, so that one is found in few cache lines: who makes
    /// up two items that share them may be sent both as often as one.
    items: VecDeque<u64>,
    sends: VecDeque<Sends>,
}

impl Served {
    /// Nothing was.
    pub(crate) const fn new() -> Self {
        Self {
            items: VecDeque::new(),
            sends: VecDeque::new(),
        }
    }

    /// Whether an item was sent of late.
    pub(crate) fn has(&self, item: &Item) -> bool {
        self.items.contains(&short_name(item))
    }

    /// Counts a request. An item is sent a few times, and after a while again: what was sent may have been lost on a cut link.
    pub(crate) fn count(&mut self, item: Item, now: Time) -> Serving {
        let is_old = |sends: &Sends| sends.since + SERVED_REMEMBERED <= now;
        while self.sends.len() == MAX_SERVED_REMEMBERED || self.sends.front().is_some_and(is_old) {
            self.sends.pop_front();
            self.items.pop_front();
        }
        let item = short_name(&item);
        let Some(at) = self.items.iter().position(|other| *other == item) else {
            self.items.push_back(item);
            self.sends.push_back(Sends {
                since: now,
                count: 1,
                refused: 0,
            });
            return Serving::Send;
        };
        let sends = &mut self.sends[at];
        if sends.count < MAX_SENDS_PER_ITEM {
            sends.count += 1;
            return Serving::Send;
        }
        sends.refused = sends.refused.saturating_add(1);
        if sends.refused > MAX_REFUSED_PER_ITEM {
            Serving::Blame
        } else {
            Serving::Refuse
        }
    }
}

#[cfg(test)]
impl Served {
    /// What was sent, and since when, as far as that still counts.
    pub(crate) fn of_late(&self, now: Time) -> Vec<(u64, Time, u8, u8)> {
        let all = self.items.iter().zip(&self.sends);
        let all = all.filter(|(_, sends)| sends.since + SERVED_REMEMBERED > now);
        all.map(|(item, sends)| (*item, sends.since, sends.count, sends.refused))
            .collect()
    }
}

fn short_name(item: &Item) -> u64 {
    let (kind, name) = match item {
        Item::Block(id) => (0, id.0),
        Item::Transaction(wtxid) => (1, wtxid.0),
        Item::Parent(txid) => (2, txid.0),
        Item::CompactBlock(id) => (3, id.0),
    };
    // The first bytes are the least significant ones, which no proof of work sets to zero.
    let [a, b, c, d, e, f, g, h, ..] = name.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h]) ^ kind
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str) -> Item {
        Item::Transaction(chain::Wtxid(base::Hash::sha256(&[name.as_bytes()])))
    }

    #[test]
    fn an_item_is_sent_three_times_and_the_count_of_the_oldest_is_forgotten() {
        let mut served = Served::default();
        let now = Time::ZERO;
        for _ in 0..MAX_SENDS_PER_ITEM {
            assert_eq!(served.count(item("first"), now), Serving::Send);
        }
        assert_eq!(served.count(item("first"), now), Serving::Refuse);
        for number in 0..MAX_SERVED_REMEMBERED {
            assert_eq!(served.count(item(&number.to_string()), now), Serving::Send);
        }
        assert_eq!(
            served.count(item("first"), now),
            Serving::Send,
            "forgotten, so counted anew"
        );
        assert_eq!(served.sends.len(), MAX_SERVED_REMEMBERED);
    }

    #[test]
    fn only_who_is_refused_again_and_again_is_blamed_and_after_a_minute_all_is_forgotten() {
        let mut served = Served::default();
        let mut now = Time::ZERO;
        for _ in 0..2 {
            for _ in 0..MAX_SENDS_PER_ITEM {
                assert_eq!(served.count(item("it"), now), Serving::Send);
            }
            for _ in 0..MAX_REFUSED_PER_ITEM {
                assert_eq!(served.count(item("it"), now), Serving::Refuse);
            }
            assert_eq!(served.count(item("it"), now), Serving::Blame);
            now += SERVED_REMEMBERED;
        }
        served.count(item("another"), now);
        assert_eq!(served.sends.len(), 1);
    }
}
