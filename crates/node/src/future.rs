//! Headers whose time lies too far ahead: kept until the clock has come near enough.

use std::collections::BTreeMap;

use base::{NodeId, Time};
use chain::{BlockId, Header};

use crate::clock::Clock;
use crate::limits::MAX_FUTURE_HEADERS;

/// A header that is valid in all but its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Early {
    pub(crate) header: Header,
    pub(crate) from: NodeId,
    /// What the clock must show before it is accepted, in Unix seconds.
    pub(crate) acceptable_at: u64,
}

/// Headers that are "not yet": nobody is blamed for them, and nothing is remembered against them.
#[derive(Debug, Default)]
pub(crate) struct FutureHeaders {
    held: BTreeMap<BlockId, Early>,
}

impl FutureHeaders {
    /// Keeps a header; whether it is new and there was room. The room is filled only with proof of work.
    pub(crate) fn hold(&mut self, id: BlockId, early: Early) -> bool {
        if self.held.contains_key(&id) {
            return false;
        }
        if self.held.len() >= MAX_FUTURE_HEADERS {
            // The one furthest off gives way, so that nobody can fill the room with headers of a far future.
            let furthest = self.held.iter().max_by_key(|(id, early)| (early.acceptable_at, **id));
            let (furthest, at) = furthest
                .map(|(id, early)| (*id, early.acceptable_at))
                .expect("the room is full");
            if at <= early.acceptable_at {
                return false;
            }
            self.held.remove(&furthest);
        }
        self.held.insert(id, early);
        true
    }

    /// Takes out those whose time has come, the earliest first.
    pub(crate) fn take_due(&mut self, unix_secs: u64) -> Vec<Early> {
        let due: Vec<BlockId> = self
            .held
            .iter()
            .filter(|(_, early)| early.acceptable_at <= unix_secs)
            .map(|(id, _)| *id)
            .collect();
        let mut due: Vec<Early> = due.iter().filter_map(|id| self.held.remove(id)).collect();
        due.sort_by_key(|early| early.header.time);
        due
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// When the next one can be looked at again.
    pub(crate) fn deadline(&self, clock: &Clock) -> Option<Time> {
        let earliest = self.held.values().map(|early| early.acceptable_at).min()?;
        Some(clock.when(earliest))
    }
}

#[cfg(test)]
mod tests {
    use chain::Params;

    use super::*;

    #[test]
    fn the_room_is_bounded_and_the_earliest_come_out_first() {
        let mut headers = FutureHeaders::default();
        let genesis = *Params::instant().genesis_block().header;
        let early_at = |time: u32| {
            let header = Header { time, ..genesis };
            let acceptable_at = u64::from(time);
            let from = NodeId(0);
            (
                header.id(),
                Early {
                    header,
                    from,
                    acceptable_at,
                },
            )
        };
        let early = |number: usize| early_at(5_000 - u32::try_from(number).expect("a few"));
        for number in 0..MAX_FUTURE_HEADERS {
            let (id, header) = early(number);
            assert!(headers.hold(id, header));
            assert!(!headers.hold(id, header), "held already");
        }
        let (id, further) = early_at(6_000);
        assert!(
            !headers.hold(id, further),
            "there is no room for what is further off than all others"
        );
        let (id, one_more) = early(MAX_FUTURE_HEADERS);
        assert!(headers.hold(id, one_more), "the furthest off, at 5,000, gives way");
        assert_eq!(headers.held.len(), MAX_FUTURE_HEADERS);
        let due: Vec<u32> = headers.take_due(4_938).iter().map(|early| early.header.time).collect();
        assert_eq!(due, [4_936, 4_937, 4_938]);
    }
}
