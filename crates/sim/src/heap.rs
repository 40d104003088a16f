//! What is to happen, in total order.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use base::{NodeId, Time};
use gossip::Message;

/// Something that is to happen.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A message arrives, unless its connection has closed meanwhile.
    Arrival {
        from: NodeId,
        to: NodeId,
        connection: u64,
        message: Message,
    },
    /// A node's deadline is due, unless it has asked for another since.
    Tick { node: NodeId },
    /// A nonce is found, unless the node mines something else by now.
    Solved { node: NodeId, search: u64 },
    /// A connection is open in both directions, unless it was given up meanwhile.
    Connected { a: NodeId, b: NodeId, connection: u64 },
    /// A dialler tries again.
    Redial { a: NodeId, b: NodeId },
}

/// A happening and its place in the order.
#[derive(Debug)]
struct Entry {
    at: Time,
    sequence: u64,
    happening: Happening,
}

impl Entry {
    const fn key(&self) -> (Time, u64) {
        (self.at, self.sequence)
    }
}

/// The earliest is the greatest: `BinaryHeap` gives the greatest first.
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Entry {}

/// All that is to happen, by time and, at one time, in the order it was planned in.
#[derive(Debug, Default)]
pub(crate) struct Heap {
    entries: BinaryHeap<Entry>,
    sequence: u64,
    /// How many entries are more than somebody's timer: arrivals, connections, dials.
    traffic: usize,
}

impl Heap {
    pub(crate) fn push(&mut self, at: Time, happening: Happening) {
        self.traffic += usize::from(happening.is_traffic());
        self.entries.push(Entry {
            at,
            sequence: self.sequence,
            happening,
        });
        self.sequence += 1;
    }

    pub(crate) fn pop(&mut self) -> Option<(Time, Happening)> {
        let entry = self.entries.pop()?;
        self.traffic -= usize::from(entry.happening.is_traffic());
        Some((entry.at, entry.happening))
    }

    /// When the next thing happens.
    pub(crate) fn next(&self) -> Option<Time> {
        self.entries.peek().map(|entry| entry.at)
    }

    /// Whether nothing is under way but timers.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.traffic == 0
    }
}

impl Happening {
    const fn is_traffic(&self) -> bool {
        match self {
            Self::Arrival { .. } | Self::Connected { .. } | Self::Redial { .. } => true,
            Self::Tick { .. } | Self::Solved { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planned_for_one_time_happens_in_the_order_of_planning() {
        let mut heap = Heap::default();
        for (at, node) in [(2, 0), (1, 1), (2, 2), (1, 3)] {
            heap.push(Time::from_secs(at), Happening::Tick { node: NodeId(node) });
        }
        let mut order = Vec::new();
        while let Some((_, Happening::Tick { node })) = heap.pop() {
            order.push(node.0);
        }
        assert_eq!(order, [1, 3, 0, 2]);
    }

    #[test]
    fn timers_are_no_traffic() {
        let mut heap = Heap::default();
        heap.push(Time::ZERO, Happening::Tick { node: NodeId(0) });
        assert!(heap.is_quiet());
        heap.push(
            Time::ZERO,
            Happening::Redial {
                a: NodeId(0),
                b: NodeId(1),
            },
        );
        assert!(!heap.is_quiet());
        heap.pop();
        heap.pop();
        assert!(heap.is_quiet());
    }
}
