//! What is to happen, in total order.

use base::{NodeId, Time};
use gossip::Message;

use crate::pairs::Way;

/// Something that is to happen.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A message arrives, unless its connection has closed meanwhile.
    Arrival {
        way: Way,
        connection: u32,
        bytes: u32,
        message: Message,
    },
    /// A node's deadline is due, unless it has asked for another since.
    Tick { node: NodeId },
    /// A nonce is found, unless the search was given up meanwhile.
    Solved { node: NodeId, search: u64 },
    /// A connection is open in both directions, unless it was given up meanwhile. `way` leads from the dialler.
    Connected { way: Way, connection: u32 },
    /// A dialler tries again.
    Redial { way: Way },
}

/// All that is to happen, by time and, at one time, in the order it was planned in.
///
/// A radix heap (Ahuja, Mehlhorn, Orlin and Tarjan 1990) of bytes: time never runs backwards, so an entry waits in the bucket of the highest
/// byte in which its time differs from the present, and moves to lower buckets as the present comes nearer, at most once for each byte.
/// Buckets are only ever appended to, and one is spread over those below it only when they are empty, so entries of one time keep their order
/// without carrying it.
#[derive(Debug)]
pub(crate) struct Heap {
    /// What happens at the present, and how far it has been taken out.
    present: Vec<Entry>,
    taken: usize,
    /// By which byte of the time differs, the lowest first, and by what it is there.
    levels: [Level; BYTES],
    /// What was taken out last: nothing is planned for before.
    now: Time,
    happenings: Vec<Option<Happening>>,
    /// Places in `happenings` that are free.
    free: Vec<u32>,
    /// How many entries are more than somebody's timer: arrivals, connections, dials.
    traffic: usize,
}

/// Of a time.
const BYTES: usize = 8;
/// What a byte can be.
const BUCKETS: usize = 256;

/// When something happens, and where it is written what.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Time,
    place: u32,
}

/// The buckets of one byte.
#[derive(Debug)]
struct Level {
    buckets: Vec<Vec<Entry>>,
    /// Which are not empty, a bit each.
    filled: [u64; BUCKETS / 64],
}

impl Level {
    fn new() -> Self {
        Self {
            buckets: vec![Vec::new(); BUCKETS],
            filled: [0; BUCKETS / 64],
        }
    }

    fn push(&mut self, bucket: usize, entry: Entry) {
        self.filled[bucket / 64] |= 1 << (bucket % 64);
        self.buckets[bucket].push(entry);
    }

    /// The bucket with the earliest entries.
    fn first(&self) -> Option<usize> {
        let word = self.filled.iter().position(|word| *word != 0)?;
        Some(word * 64 + self.filled[word].trailing_zeros() as usize)
    }

    fn take(&mut self, bucket: usize) -> Vec<Entry> {
        self.filled[bucket / 64] &= !(1 << (bucket % 64));
        std::mem::take(&mut self.buckets[bucket])
    }
}

impl Default for Heap {
    fn default() -> Self {
        Self {
            present: Vec::new(),
            taken: 0,
            levels: std::array::from_fn(|_| Level::new()),
            now: Time::ZERO,
            happenings: Vec::new(),
            free: Vec::new(),
            traffic: 0,
        }
    }
}

impl Heap {
    /// Plans something for a time that is not before the last one taken out.
    pub(crate) fn push(&mut self, at: Time, happening: Happening) {
        assert!(at >= self.now, "nothing is planned for the past");
        self.traffic += usize::from(happening.is_traffic());
        let place = self.store(happening);
        self.file(Entry { at, place });
    }

    pub(crate) fn pop(&mut self) -> Option<(Time, Happening)> {
        while self.taken == self.present.len() {
            self.advance()?;
        }
        let entry = self.present[self.taken];
        self.taken += 1;
        let happening = self.happenings[entry.place as usize].take();
        let happening = happening.expect("an entry names what it stands for");
        self.free.push(entry.place);
        self.traffic -= usize::from(happening.is_traffic());
        Some((entry.at, happening))
    }

    /// When the next thing happens.
    pub(crate) fn next(&self) -> Option<Time> {
        if self.taken < self.present.len() {
            return Some(self.now);
        }
        let (level, bucket) = self.first()?;
        self.levels[level].buckets[bucket].iter().map(|entry| entry.at).min()
    }

    /// Whether nothing is under way but timers.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.traffic == 0
    }

    fn first(&self) -> Option<(usize, usize)> {
        let mut levels = self.levels.iter().enumerate();
        levels.find_map(|(level, buckets)| Some((level, buckets.first()?)))
    }

    /// Moves the present to the earliest entry.
    fn advance(&mut self) -> Option<()> {
        let (level, bucket) = self.first()?;
        let mut entries = self.levels[level].take(bucket);
        let earliest = entries.iter().map(|entry| entry.at).min();
        self.now = earliest.expect("a bucket that is not empty");
        self.present.clear();
        self.taken = 0;
        if level == 0 {
            // All of them are of one time. The room of the present is the bucket's from now on.
            std::mem::swap(&mut self.present, &mut entries);
        } else {
            for entry in entries.drain(..) {
                self.file(entry);
            }
        }
        self.levels[level].buckets[bucket] = entries;
        Some(())
    }

    fn file(&mut self, entry: Entry) {
        let differs = entry.at.as_micros() ^ self.now.as_micros();
        if differs == 0 {
            self.present.push(entry);
            return;
        }
        let level = (u64::BITS - 1 - differs.leading_zeros()) as usize / 8;
        let byte = entry.at.as_micros().to_le_bytes()[level];
        self.levels[level].push(usize::from(byte), entry);
    }

    fn store(&mut self, happening: Happening) -> u32 {
        if let Some(place) = self.free.pop() {
            self.happenings[place as usize] = Some(happening);
            return place;
        }
        self.happenings.push(Some(happening));
        u32::try_from(self.happenings.len() - 1).expect("memory ends before four billion happenings")
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
    use std::time::Duration;

    use base::Seed;

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

    /// Against sorting: pushes and pops in turn, times near and far.
    #[test]
    fn everything_comes_out_by_time_and_order_of_planning() {
        let mut rng = Seed::from_number(1).rng();
        let mut heap = Heap::default();
        let mut planned = std::collections::BTreeSet::new();
        let mut now = Time::ZERO;
        for number in 0..20_000_u32 {
            let reach = 1 << rng.below(40);
            let at = now + Duration::from_micros(rng.below(reach));
            heap.push(at, Happening::Tick { node: NodeId(number) });
            planned.insert((at, number));
            if rng.chance(0.4) {
                let expected = planned.pop_first().expect("one was just planned");
                assert_eq!(heap.next(), Some(expected.0));
                let Some((at, Happening::Tick { node })) = heap.pop() else {
                    panic!("a tick is there")
                };
                assert_eq!((at, node.0), expected);
                now = at;
            }
        }
        while let Some((at, Happening::Tick { node })) = heap.pop() {
            assert_eq!(Some((at, node.0)), planned.pop_first());
        }
        assert!(planned.is_empty() && heap.next().is_none());
    }

    #[test]
    fn timers_are_no_traffic() {
        let mut heap = Heap::default();
        heap.push(Time::ZERO, Happening::Tick { node: NodeId(0) });
        assert!(heap.is_quiet());
        heap.push(Time::ZERO, Happening::Redial { way: Way::first() });
        assert!(!heap.is_quiet());
        heap.pop();
        heap.pop();
        assert!(heap.is_quiet());
    }
}
