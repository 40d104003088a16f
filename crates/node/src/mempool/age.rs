//! Which transaction has waited longest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use base::Time;

use super::entries::Entries;

/// The oldest first; of equals the first to arrive. One that has left is passed over when its turn comes, or when there are many of them.
#[derive(Debug, Default)]
pub(super) struct ByAge {
    heap: BinaryHeap<Reverse<(Time, u64, u32)>>,
    /// When the first was added, and its row: asked for after everything that a node does.
    first: Option<(Time, u32)>,
}

/// So many may have left and still be here, besides as many as have not.
const SLACK: usize = 64;

impl ByAge {
    /// A transaction has come, into this row, with this place in the order of arrival. Seldom is one older than those before.
    pub(super) fn push(&mut self, added: Time, sequence: u64, row: u32) {
        self.heap.push(Reverse((added, sequence, row)));
        self.look_up_first();
    }

    /// Some have left: afterwards the first is one that has not.
    pub(super) fn settle(&mut self, entries: &Entries) {
        let is_here = |sequence: u64, row: u32| entries.at(row).is_some_and(|entry| entry.sequence == sequence);
        if self.heap.len() > 2 * entries.len() + SLACK {
            self.heap.retain(|Reverse((_, sequence, row))| is_here(*sequence, *row));
        }
        while let Some(Reverse((_, sequence, row))) = self.heap.peek()
            && !is_here(*sequence, *row)
        {
            self.heap.pop();
        }
        self.look_up_first();
    }

    fn look_up_first(&mut self) {
        self.first = self.heap.peek().map(|Reverse((added, _, row))| (*added, *row));
    }

    pub(super) fn clear(&mut self) {
        self.heap.clear();
        self.first = None;
    }

    /// When the oldest was added, and its row.
    pub(super) const fn first(&self) -> Option<(Time, u32)> {
        self.first
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (Time, u64, u32)> {
        self.heap.iter().map(|Reverse(key)| *key)
    }
}
