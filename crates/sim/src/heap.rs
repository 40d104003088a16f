//! What is to happen, in total order.

mod buckets;
#[cfg(test)]
mod tests;
mod what;

use std::collections::VecDeque;

use base::{NodeId, Time};
use gossip::Message;

use self::buckets::{BUCKETS, Level, Pieces};
use self::what::{PLACE, TICK, What};
use crate::network::{Paid, Short};
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
    /// The same, of a message about payments.
    Paid { door: Door, connection: u32, paid: Paid },
    /// The same, of one of the messages that there are most of.
    Short { leg: Leg, short: Short },
    /// A node's deadline is due, unless it has asked for another since.
    Tick { node: NodeId },
    /// A nonce is found, unless the search was given up meanwhile.
    Solved { node: NodeId, search: u64 },
    /// A connection is open in both directions, unless it was given up meanwhile. `way` leads from the dialler.
    Connected { way: Way, connection: u32 },
    /// A dialler tries again.
    Redial { way: Way },
}

/// All that is to happen, by time and, at one time, in the order it was planned in; deadlines come last, in the order of nodes, whenever they were set.
///
/// A radix heap (Ahuja, Mehlhorn, Orlin and Tarjan 1990) of bytes: time never runs backwards, so an entry waits in the bucket of the highest
/// byte in which its time differs from the present, and moves to lower buckets as the present comes nearer, at most once for each byte.
/// The lowest buckets are sorted when their time comes.
#[derive(Debug)]
pub(crate) struct Heap {
    /// What happens next, in order: all that happens before `horizon`.
    present: VecDeque<Entry>,
    horizon: u64,
    /// By which byte of the time differs, the second lowest first, and by what it is there.
    levels: [Level; BYTES - 1],
    pieces: Pieces,
    /// Which levels are not empty, a bit each.
    occupied: u32,
    /// Where the buckets are counted from: not later than anything that waits in them.
    base: u64,
    /// What was taken out last: nothing is planned for before.
    now: Time,
    /// The next turn to be given out.
    turns: Turn,
    happenings: Vec<Option<Happening>>,
    /// Places in `happenings` that are free.
    free: Vec<usize>,
    /// How many entries are more than somebody's timer: arrivals, connections, dials.
    traffic: usize,
}

/// Of a time.
const BYTES: usize = 8;
/// How long a bucket is that is sorted, in microseconds.
pub(crate) const BUCKET_US: u64 = 256;

/// When something happens, and what.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Time,
    what: What,
    turn: Turn,
    /// By which leg a short message comes, or a message about a payment.
    leg: Leg,
}

/// Where a message comes in, and by which connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Leg {
    /// The place of the receiver's end.
    pub(crate) place: u32,
    pub(crate) connection: u32,
}

impl Leg {
    const NONE: Self = Self {
        place: 0,
        connection: 0,
    };
}

/// Something that happens soon, as far as it is prepared for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Soon {
    /// A short message comes in at the end that stands there.
    Short(usize, Short),
    /// A message about a payment does.
    Paid(usize),
    /// A node may have something to do.
    Tick(NodeId),
}

impl Entry {
    fn soon(&self) -> Option<Soon> {
        let place = self.leg.place as usize;
        let short = self.what.short().map(|short| Soon::Short(place, short));
        let other = || self.what.ticking().map(Soon::Tick);
        short
            .or_else(|| self.what.is_paid().then_some(Soon::Paid(place)))
            .or_else(other)
    }

    /// Its place in the order of what happens soon after a moment, while this turn is the next to be given out.
    fn place(&self, (base, next): (u64, Turn)) -> u64 {
        let (is_tick, order) = match self.what.ticking() {
            Some(node) => (1, node.0),
            None => (0, self.turn.0.wrapping_sub(next.0)),
        };
        (self.at.as_micros() - base) << 33 | is_tick << 32 | u64::from(order)
    }
}

/// Where a message about payments comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Door {
    /// By this way.
    Way(Way),
    /// At the receiver's end that stands there ([`Leg::place`]).
    End(u32),
}

/// The order in which things were planned. Numbers come round again after four billion; no two whose order matters are half as many apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Turn(u32);

impl Turn {
    /// Whether this one was given out before the other.
    pub(crate) const fn is_before(self, other: Self) -> bool {
        self.0.wrapping_sub(other.0) > u32::MAX / 2
    }

    /// The turn that was given out so many later.
    pub(crate) fn after(self, turns: usize) -> Self {
        let turns = u32::try_from(turns).expect("far fewer than come before numbers come round");
        Self(self.0.wrapping_add(turns))
    }

    const fn next(&mut self) -> Self {
        let turn = *self;
        self.0 = self.0.wrapping_add(1);
        turn
    }
}

impl Default for Heap {
    fn default() -> Self {
        Self {
            present: VecDeque::new(),
            horizon: 0,
            levels: std::array::from_fn(|_| Level::new()),
            pieces: Pieces::default(),
            occupied: 0,
            base: 0,
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

    /// Plans for a short message to arrive.
    pub(crate) fn push_short(&mut self, at: Time, message: (Leg, Short)) {
        let turn = self.turns.next();
        self.put_back_short(at, turn, message);
    }

    /// The turn of what is planned next.
    pub(crate) const fn next_turn(&self) -> Turn {
        self.turns
    }

    /// The turn of something that is planned now, but kept elsewhere.
    pub(crate) const fn hold_back(&mut self) -> Turn {
        self.turns.next()
    }

    /// Puts in what was held back: it happens when it would have, had it been here from the first.
    pub(crate) fn put_back(&mut self, at: Time, turn: Turn, happening: Happening) {
        if let Happening::Short { leg, short } = happening {
            return self.put_back_short(at, turn, (leg, short));
        }
        if let Happening::Tick { node } = happening {
            return self.push_tick(at, node);
        }
        self.traffic += usize::from(happening.is_traffic());
        let what = What::new(PLACE, self.store(happening));
        let leg = Leg::NONE;
        self.file(Entry { at, what, turn, leg });
    }

    /// The same, of a short message.
    pub(crate) fn put_back_short(&mut self, at: Time, turn: Turn, (leg, short): (Leg, Short)) {
        self.traffic += 1;
        let what = What::of(short);
        self.file(Entry { at, what, turn, leg });
    }

    /// Plans for a message about payments to arrive, by this connection.
    pub(crate) fn push_paid(&mut self, at: Time, leg: (Door, u32), paid: Paid) {
        let turn = self.turns.next();
        self.put_back_paid(at, turn, (leg, paid));
    }

    /// [`Heap::put_back`] of such a message.
    pub(crate) fn put_back_paid(&mut self, at: Time, turn: Turn, ((door, connection), paid): ((Door, u32), Paid)) {
        let (Door::End(place), Some(what)) = (door, What::paid(&paid)) else {
            let happening = Happening::Paid { door, connection, paid };
            return self.put_back(at, turn, happening);
        };
        self.traffic += 1;
        let leg = Leg { place, connection };
        self.file(Entry { at, what, turn, leg });
    }

    /// Plans a look at a node's deadline.
    pub(crate) fn push_tick(&mut self, at: Time, node: NodeId) {
        let (what, turn, leg) = (What::new(TICK, node.index()), Turn::default(), Leg::NONE);
        self.file(Entry { at, what, turn, leg });
    }

    pub(crate) fn pop(&mut self) -> Option<(Time, Turn, Happening)> {
        while self.present.is_empty() {
            self.advance()?;
        }
        let Entry { at, what, turn, leg } = self.present.pop_front()?;
        self.now = at;
        if let Some(short) = what.short() {
            self.traffic -= 1;
            return Some((at, turn, Happening::Short { leg, short }));
        }
        if let Some(node) = what.ticking() {
            // All that has been planned for this time has had its turn.
            return Some((at, self.turns, Happening::Tick { node }));
        }
        if let Some(paid) = what.payment() {
            self.traffic -= 1;
            let (door, connection) = (Door::End(leg.place), leg.connection);
            return Some((at, turn, Happening::Paid { door, connection, paid }));
        }
        self.free.push(what.number());
        let happening = self.happenings[what.number()].take();
        let happening = happening.expect("an entry names what it stands for");
        self.traffic -= usize::from(happening.is_traffic());
        Some((at, turn, happening))
    }

    /// When the next thing happens.
    pub(crate) fn next(&self) -> Option<Time> {
        if let Some(first) = self.present.front() {
            return Some(first.at);
        }
        let (level, bucket) = self.first()?;
        let bucket = self.levels[level].bucket(bucket);
        self.pieces.entries(bucket).map(|entry| entry.at).min()
    }

    /// Whether something happens before this time. Nearly always where the next bucket is says so, whatever happens before.
    pub(crate) fn happens_before(&self, time: Time) -> bool {
        let next = self.first();
        if let Some((level, bucket)) = next
            && self.span(level, bucket).1 < time.as_micros()
        {
            return true;
        }
        if let Some(first) = self.present.front() {
            return first.at < time;
        }
        next.is_some_and(|(level, bucket)| {
            let bucket = self.levels[level].bucket(bucket);
            self.pieces.entries(bucket).any(|entry| entry.at < time)
        })
    }

    /// About the next things to happen after a moment for which there is something to prepare, at least so many where there are, in no strict order; and how far
    /// they reach.
    pub(crate) fn soon(&self, after: Time, least: usize, out: &mut Vec<Soon>) -> Time {
        let level = &self.levels[0];
        let span = |micros: u64| micros >> 8;
        let base = span(self.base) & !0xff;
        let mut next = usize::try_from(span(after.as_micros().max(self.base)) + 1 - base).unwrap_or(BUCKETS);
        while next < BUCKETS && out.len() < least {
            let Some(bucket) = level.first_from(next) else {
                next = BUCKETS;
                break;
            };
            let entries = self.pieces.entries(level.bucket(bucket));
            out.extend(entries.filter_map(Entry::soon));
            next = bucket + 1;
        }
        Time::from_micros(((base + next.min(BUCKETS) as u64) << 8) - 1)
    }

    /// Whether nothing is under way but timers.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.traffic == 0
    }

    fn first(&self) -> Option<(usize, usize)> {
        let level = self.occupied.trailing_zeros() as usize;
        Some((level, self.levels.get(level)?.first()?))
    }

    /// The first and the last microsecond of a bucket.
    const fn span(&self, level: usize, bucket: usize) -> (u64, u64) {
        let width = 8 * (level + 1);
        let above = if width + 8 < 64 {
            self.base >> (width + 8) << (width + 8)
        } else {
            0
        };
        let begin = above | ((bucket as u64) << width);
        (begin, begin | ((1 << width) - 1))
    }

    /// Brings the earliest bucket nearer to the present.
    fn advance(&mut self) -> Option<()> {
        let (level, bucket) = self.first()?;
        let (begin, last) = self.span(level, bucket);
        let mut taken = self.levels[level].take(bucket);
        if self.levels[level].is_empty() {
            self.occupied &= !(1 << level);
        }
        self.base = begin;
        if level == 0 {
            self.horizon = last.saturating_add(1);
            while let Some((piece, count)) = Pieces::newest(taken) {
                let entries = (0..count).map(|at| self.pieces.entry(piece, at));
                self.present.extend(entries);
                taken = self.pieces.free_newest(taken);
            }
            let since = (begin, self.turns);
            let present = self.present.make_contiguous();
            present.sort_unstable_by_key(|entry| entry.place(since));
        } else {
            // Nothing of the bucket's lowest part is in order yet.
            self.horizon = begin;
            while let Some((piece, count)) = Pieces::newest(taken) {
                for at in 0..count {
                    self.put_in_bucket(self.pieces.entry(piece, at));
                }
                taken = self.pieces.free_newest(taken);
            }
        }
        Some(())
    }

    fn file(&mut self, entry: Entry) {
        assert!(entry.at >= self.now, "nothing is planned for the past");
        if entry.at.as_micros() >= self.horizon {
            self.put_in_bucket(entry);
            return;
        }
        let since = (self.now.as_micros(), self.turns);
        let place = entry.place(since);
        let is_before = |other: &Entry| other.place(since) < place;
        if self.present.back().is_none_or(is_before) {
            self.present.push_back(entry);
        } else {
            let place = self.present.partition_point(is_before);
            self.present.insert(place, entry);
        }
    }

    fn put_in_bucket(&mut self, entry: Entry) {
        let at = entry.at.as_micros();
        // What differs in the lowest byte alone shares a bucket of the level above.
        let differs = (at ^ self.base) | 0x100;
        let level = (u64::BITS - 1 - differs.leading_zeros()) as usize / 8;
        let bucket = usize::from(at.to_le_bytes()[level]);
        self.levels[level - 1].push(bucket, entry, &mut self.pieces);
        self.occupied |= 1 << (level - 1);
    }

    fn store(&mut self, happening: Happening) -> usize {
        if let Some(place) = self.free.pop() {
            self.happenings[place] = Some(happening);
            return place;
        }
        self.happenings.push(Some(happening));
        self.happenings.len() - 1
    }
}

impl Happening {
    const fn is_traffic(&self) -> bool {
        match self {
            Self::Arrival { .. }
            | Self::Paid { .. }
            | Self::Short { .. }
            | Self::Connected { .. }
            | Self::Redial { .. } => true,
            Self::Tick { .. } | Self::Solved { .. } => false,
        }
    }
}
