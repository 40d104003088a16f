//! Buckets of entries that wait, in no order. What they hold lies in small pieces that all buckets share: a piece that has become free is the next that is filled, so
//! few are in use and those are at hand.

use base::Time;

use super::{Entry, Leg, Turn, What};

/// Of one byte of a time: what it can be.
pub(super) const BUCKETS: usize = 256;
/// Entries of a piece: with what else it has, four cache lines.
const ENTRIES: usize = 10;
/// No piece's number.
const NONE: u32 = u32::MAX;

/// Entries that share a bucket.
#[derive(Clone, Copy, Debug)]
struct Piece {
    entries: [Entry; ENTRIES],
    /// Another piece of the same bucket, which is full; or the next that is free.
    next: u32,
}

impl Piece {
    const EMPTY: Self = Self {
        entries: [Entry {
            at: Time::ZERO,
            what: What::NONE,
            turn: Turn(0),
            leg: Leg::NONE,
        }; ENTRIES],
        next: NONE,
    };
}

/// Where the entries of all buckets are.
#[derive(Debug)]
pub(super) struct Pieces {
    rows: Vec<Piece>,
    /// The first that is free.
    free: u32,
}

impl Default for Pieces {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            free: NONE,
        }
    }
}

impl Pieces {
    /// A piece to be filled, before this one.
    fn take(&mut self, next: u32) -> u32 {
        if self.free == NONE {
            self.free = u32::try_from(self.rows.len()).expect("memory ends before four billion pieces");
            self.rows.push(Piece::EMPTY);
        }
        let piece = self.free;
        let row = &mut self.rows[piece as usize];
        self.free = std::mem::replace(&mut row.next, next);
        piece
    }

    /// The newest piece of what was taken out of a bucket, and how many entries it has.
    pub(super) const fn newest(bucket: Bucket) -> Option<(u32, usize)> {
        if bucket.newest == NONE {
            None
        } else {
            Some((bucket.newest, bucket.count as usize))
        }
    }

    /// One of a piece's entries.
    pub(super) fn entry(&self, piece: u32, at: usize) -> Entry {
        self.rows[piece as usize].entries[at]
    }

    /// Frees the newest piece of what was taken out of a bucket; what is left.
    pub(super) fn free_newest(&mut self, bucket: Bucket) -> Bucket {
        let row = &mut self.rows[bucket.newest as usize];
        let newest = std::mem::replace(&mut row.next, self.free);
        self.free = bucket.newest;
        Bucket { newest, count: FULL }
    }

    /// All that is in a bucket.
    pub(super) fn entries(&self, bucket: Bucket) -> impl Iterator<Item = &Entry> {
        let newest = self
            .rows
            .get(bucket.newest as usize)
            .map(|row| (row, bucket.count as usize));
        let pieces = std::iter::successors(newest, |(row, _)| Some((self.rows.get(row.next as usize)?, ENTRIES)));
        pieces.flat_map(|(row, count)| &row.entries[..count])
    }
}

/// A bucket: its newest piece, and how many entries that has. Those before it are full.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    newest: u32,
    count: u32,
}

/// How many a piece has that is full.
#[expect(clippy::cast_possible_truncation, reason = "ten")]
const FULL: u32 = ENTRIES as u32;

impl Bucket {
    const EMPTY: Self = Self {
        newest: NONE,
        count: FULL,
    };
}

/// The buckets of one byte.
#[derive(Debug)]
pub(super) struct Level {
    buckets: [Bucket; BUCKETS],
    /// Which are not empty, a bit each.
    filled: [u64; BUCKETS / 64],
    /// In which of these words there are any.
    words: u8,
}

impl Level {
    pub(super) const fn new() -> Self {
        Self {
            buckets: [Bucket::EMPTY; BUCKETS],
            filled: [0; BUCKETS / 64],
            words: 0,
        }
    }

    pub(super) fn push(&mut self, bucket: usize, entry: Entry, pieces: &mut Pieces) {
        self.filled[bucket / 64] |= 1 << (bucket % 64);
        self.words |= 1 << (bucket / 64);
        let bucket = &mut self.buckets[bucket];
        if bucket.count == FULL {
            bucket.newest = pieces.take(bucket.newest);
            bucket.count = 0;
        }
        pieces.rows[bucket.newest as usize].entries[bucket.count as usize] = entry;
        bucket.count += 1;
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.words == 0
    }

    /// The bucket with the earliest entries.
    pub(super) fn first(&self) -> Option<usize> {
        let word = self.words.trailing_zeros() as usize;
        Some(word * 64 + self.filled.get(word)?.trailing_zeros() as usize)
    }

    /// The first bucket from this one on that is not empty.
    pub(super) fn first_from(&self, bucket: usize) -> Option<usize> {
        let at = bucket / 64;
        let here = self.filled[at] & (u64::MAX << (bucket % 64));
        if here != 0 {
            return Some(at * 64 + here.trailing_zeros() as usize);
        }
        let word = (self.words & (0xfe << at)).trailing_zeros() as usize;
        Some(word * 64 + self.filled.get(word)?.trailing_zeros() as usize)
    }

    pub(super) fn bucket(&self, bucket: usize) -> Bucket {
        self.buckets[bucket]
    }

    /// Takes all out of a bucket.
    pub(super) fn take(&mut self, bucket: usize) -> Bucket {
        let word = &mut self.filled[bucket / 64];
        *word &= !(1 << (bucket % 64));
        self.words &= !(u8::from(*word == 0) << (bucket / 64));
        std::mem::replace(&mut self.buckets[bucket], Bucket::EMPTY)
    }
}

#[cfg(test)]
mod tests {
    use base::Seed;

    use super::super::what::PLACE;
    use super::*;

    fn entry(number: usize) -> Entry {
        let (at, turn, leg) = (Time::ZERO, Turn(0), Leg::NONE);
        Entry {
            at,
            what: What::new(PLACE, number),
            turn,
            leg,
        }
    }

    /// Against a list for each bucket.
    #[test]
    fn what_is_in_a_bucket_is_what_was_put_there_since_it_was_emptied() {
        let mut rng = Seed::from_number(1).rng();
        let (mut level, mut pieces) = (Level::new(), Pieces::default());
        let mut lists = vec![Vec::new(); BUCKETS];
        for number in 0..50_000 {
            // Now all over it, now in a few.
            let reach = [4, 70, BUCKETS][number / 1_000 % 3];
            let at = BUCKETS - 1 - rng.index(reach);
            level.push(at, entry(number), &mut pieces);
            lists[at].push(number);
            let from = rng.index(BUCKETS);
            let is_filled = |at: &usize| !lists[*at].is_empty();
            assert_eq!(level.first_from(from), (from..BUCKETS).find(is_filled));
            assert_eq!(level.first(), (0..BUCKETS).find(is_filled));
            if rng.chance(0.2) {
                let first = level.first().expect("one was just filled");
                let there = pieces.entries(level.bucket(first)).map(|entry| entry.what.number());
                let mut there: Vec<usize> = there.collect();
                let mut bucket = level.take(first);
                let mut taken = Vec::new();
                while let Some((piece, count)) = Pieces::newest(bucket) {
                    taken.extend((0..count).map(|at| pieces.entry(piece, at).what.number()));
                    bucket = pieces.free_newest(bucket);
                }
                assert_eq!(taken, there);
                there.sort_unstable();
                assert_eq!(there, std::mem::take(&mut lists[first]));
            }
            assert_eq!(level.is_empty(), lists.iter().all(Vec::is_empty));
        }
        let waiting = lists.iter().map(|list| list.len().div_ceil(ENTRIES)).sum::<usize>();
        assert!(pieces.rows.len() < waiting + 2 * BUCKETS, "pieces are filled again");
    }
}
