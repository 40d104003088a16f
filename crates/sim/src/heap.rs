//! What is to happen, in total order.

use std::cmp::Ordering;

use base::{NodeId, Time};
use gossip::Message;

use crate::network::{Passage, Short};
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
    /// The same, of one of the messages that there are most of.
    Short { passage: Passage, bytes: u64, short: Short },
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
/// Buckets are only ever appended to, and one is spread over those below it only when they are empty, so entries of one time keep their order;
/// only what was held back ([`Heap::hold_back`]) and is put in later finds its place by its turn.
#[derive(Debug)]
pub(crate) struct Heap {
    /// What happens at the present, and how far it has been taken out.
    present: Vec<Entry>,
    taken: usize,
    /// By which byte of the time differs, the lowest first, and by what it is there.
    levels: [Level; BYTES],
    /// Which levels are not empty, a bit each.
    occupied: u32,
    /// What was taken out last: nothing is planned for before.
    now: Time,
    /// The next turn to be given out.
    turns: Turn,
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

/// When something happens, and what.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Time,
    what: What,
    turn: Turn,
}

/// Where it is written what happens, or, for a tick, whose it is: there are as many ticks as bodies, and most do nothing.
#[derive(Clone, Copy, Debug)]
struct What(u32);

/// Tells ticks from places.
const TICK: u32 = 1 << 31;

impl What {
    const fn place(place: u32) -> Self {
        assert!(place < TICK, "memory ends before two billion happenings");
        Self(place)
    }

    const fn tick(node: NodeId) -> Self {
        assert!(node.0 < TICK, "memory ends before two billion nodes");
        Self(node.0 | TICK)
    }
}

/// The order in which things were planned. Numbers come round again after four billion; no two whose order matters are half as many apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Turn(u32);

impl Turn {
    /// Whether this one was given out before the other.
    pub(crate) const fn is_before(self, other: Self) -> bool {
        self.0.wrapping_sub(other.0) > u32::MAX / 2
    }

    const fn next(&mut self) -> Self {
        let turn = *self;
        self.0 = self.0.wrapping_add(1);
        turn
    }

    fn cmp(self, other: Self) -> Ordering {
        if self == other {
            Ordering::Equal
        } else if self.is_before(other) {
            Ordering::Less
        } else {
            Ordering::Greater
        }
    }
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

    fn is_empty(&self) -> bool {
        self.filled == [0; BUCKETS / 64]
    }

    /// The bucket with the earliest entries.
    fn first(&self) -> Option<usize> {
        self.first_from(0)
    }

    /// The first bucket from this one on that is not empty.
    fn first_from(&self, bucket: usize) -> Option<usize> {
        let (first, bits) = (bucket / 64, u64::MAX << (bucket % 64));
        let words = self.filled.iter().enumerate().skip(first);
        let mut rest = words.map(|(at, word)| (at, if at == first { word & bits } else { *word }));
        let (at, word) = rest.find(|(_, word)| *word != 0)?;
        Some(at * 64 + word.trailing_zeros() as usize)
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
            occupied: 0,
            now: Time::ZERO,
            turns: Turn(0),
            happenings: Vec::new(),
            free: Vec::new(),
            traffic: 0,
        }
    }
}

impl Heap {
    /// Plans something for a time that is not before the last one taken out.
    pub(crate) fn push(&mut self, at: Time, happening: Happening) {
        let turn = self.turns.next();
        self.put_back(at, turn, happening);
    }

    /// The turn of something that is planned now, but kept elsewhere.
    pub(crate) const fn hold_back(&mut self) -> Turn {
        self.turns.next()
    }

    /// Puts in what was held back: it happens when it would have, had it been here from the first.
    pub(crate) fn put_back(&mut self, at: Time, turn: Turn, happening: Happening) {
        assert!(at >= self.now, "nothing is planned for the past");
        self.traffic += usize::from(happening.is_traffic());
        let what = if let Happening::Tick { node } = happening {
            What::tick(node)
        } else {
            What::place(self.store(happening))
        };
        self.file(Entry { at, what, turn });
    }

    pub(crate) fn pop(&mut self) -> Option<(Time, Turn, Happening)> {
        while self.taken == self.present.len() {
            self.advance()?;
        }
        let entry = self.present[self.taken];
        self.taken += 1;
        let What(what) = entry.what;
        if what & TICK != 0 {
            let node = NodeId(what & !TICK);
            return Some((entry.at, entry.turn, Happening::Tick { node }));
        }
        let happening = self.happenings[what as usize].take();
        let happening = happening.expect("an entry names what it stands for");
        self.free.push(what);
        self.traffic -= usize::from(happening.is_traffic());
        Some((entry.at, entry.turn, happening))
    }

    /// When the next thing happens.
    pub(crate) fn next(&self) -> Option<Time> {
        if self.taken < self.present.len() {
            return Some(self.now);
        }
        let (level, bucket) = self.first()?;
        self.levels[level].buckets[bucket].iter().map(|entry| entry.at).min()
    }

    /// Whether something happens before this time. Most often where the next things are filed says so.
    pub(crate) fn happens_before(&self, time: Time) -> bool {
        if self.taken < self.present.len() {
            return self.now < time;
        }
        let Some((level, bucket)) = self.first() else {
            return false;
        };
        let span = 1_u64 << (8 * level);
        let above = self.now.as_micros() & !((span << 7 << 1).wrapping_sub(1));
        let begin = above + bucket as u64 * span;
        if begin + (span - 1) < time.as_micros() {
            return true;
        }
        let earliest = self.levels[level].buckets[bucket].iter().map(|entry| entry.at).min();
        earliest.is_some_and(|earliest| earliest < time)
    }

    /// About the next things to happen after a moment, at least so many where there are, in no strict order; and how far they reach. Good enough to
    /// prepare for them.
    pub(crate) fn soon(&self, after: Time, least: usize, out: &mut Vec<u32>) -> Time {
        let level = &self.levels[1];
        let span = |time: Time| time.as_micros() >> 8;
        let base = span(self.now) & !0xff;
        let mut next = usize::try_from(span(after.max(self.now)) + 1 - base).unwrap_or(BUCKETS);
        while next < BUCKETS && out.len() < least {
            let Some(bucket) = level.first_from(next) else {
                next = BUCKETS;
                break;
            };
            out.extend(level.buckets[bucket].iter().map(|entry| entry.what.0));
            next = bucket + 1;
        }
        Time::from_micros(((base + next.min(BUCKETS) as u64) << 8) - 1)
    }

    /// What was found to happen soon, unless it has happened, or is a tick.
    pub(crate) fn at(&self, place: u32) -> Option<&Happening> {
        self.happenings.get(place as usize)?.as_ref()
    }

    /// Whether nothing is under way but timers.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.traffic == 0
    }

    fn first(&self) -> Option<(usize, usize)> {
        let level = self.occupied.trailing_zeros() as usize;
        Some((level, self.levels.get(level)?.first()?))
    }

    /// Moves the present to the earliest entry.
    fn advance(&mut self) -> Option<()> {
        let (level, bucket) = self.first()?;
        let mut entries = self.levels[level].take(bucket);
        if self.levels[level].is_empty() {
            self.occupied &= !(1 << level);
        }
        let earliest = entries.iter().map(|entry| entry.at).min();
        self.now = earliest.expect("a bucket that is not empty");
        self.present.clear();
        self.taken = 0;
        if level == 0 {
            // All of them are of one time. The room of the present is the bucket's from now on.
            std::mem::swap(&mut self.present, &mut entries);
            self.sort_present();
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
            // What waits is in order, so the last of it tells: to look through all of it for each would be quadratic where much happens at once.
            let waiting = &self.present[self.taken..];
            let is_late = waiting.last().is_some_and(|last| entry.turn.is_before(last.turn));
            self.present.push(entry);
            if is_late {
                self.sort_present();
            }
            return;
        }
        let level = (u64::BITS - 1 - differs.leading_zeros()) as usize / 8;
        let byte = entry.at.as_micros().to_le_bytes()[level];
        self.levels[level].push(usize::from(byte), entry);
        self.occupied |= 1 << level;
    }

    /// Only what was held back is ever out of order.
    fn sort_present(&mut self) {
        let waiting = &mut self.present[self.taken..];
        if !waiting.is_sorted_by(|a, b| a.turn.is_before(b.turn)) {
            waiting.sort_unstable_by(|a, b| a.turn.cmp(b.turn));
        }
    }

    fn store(&mut self, happening: Happening) -> u32 {
        if let Some(place) = self.free.pop() {
            self.happenings[place as usize] = Some(happening);
            return place;
        }
        self.happenings.push(Some(happening));
        u32::try_from(self.happenings.len() - 1).expect("memory ends before two billion happenings")
    }
}

impl Happening {
    const fn is_traffic(&self) -> bool {
        match self {
            Self::Arrival { .. } | Self::Short { .. } | Self::Connected { .. } | Self::Redial { .. } => true,
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
        while let Some((_, _, Happening::Tick { node })) = heap.pop() {
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
                let Some((at, _, Happening::Tick { node })) = heap.pop() else {
                    panic!("a tick is there")
                };
                assert_eq!((at, node.0), expected);
                now = at;
            }
        }
        while let Some((at, _, Happening::Tick { node })) = heap.pop() {
            assert_eq!(Some((at, node.0)), planned.pop_first());
        }
        assert!(planned.is_empty() && heap.next().is_none());
    }

    #[test]
    fn what_was_held_back_has_its_place_among_what_happens_at_its_time() {
        let at = Time::from_secs(1);
        for is_present in [false, true] {
            let mut heap = Heap::default();
            let tick = |heap: &mut Heap, node| heap.push(at, Happening::Tick { node: NodeId(node) });
            tick(&mut heap, 0);
            tick(&mut heap, 1);
            let turn = heap.hold_back();
            tick(&mut heap, 3);
            let mut order = Vec::new();
            let mut take = |heap: &mut Heap| match heap.pop() {
                Some((_, _, Happening::Tick { node })) => order.push(node.0),
                _ => panic!("a tick is there"),
            };
            if is_present {
                take(&mut heap);
            }
            heap.put_back(at, turn, Happening::Tick { node: NodeId(2) });
            while heap.next().is_some() {
                take(&mut heap);
            }
            assert_eq!(order, [0, 1, 2, 3]);
        }
    }

    #[test]
    fn turns_come_round_again() {
        let mut turns = Turn(u32::MAX);
        let (last, first) = (turns.next(), turns.next());
        assert!(last.is_before(first) && !first.is_before(last) && !first.is_before(first));
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
