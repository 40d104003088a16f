//! Headers that are checked one after the other and not kept: what a chain is worth is known before there is room for it.

use super::context::{Anchor, Demand};
use super::{BlockRef, Ledger};
use crate::limits::MEDIAN_TIME_SPAN;
use crate::{BlockId, CompactTarget, HashedHeader, Height, Reject, Work};

/// The end of a chain that leads from a block of the ledger to a header that the ledger may know nothing of. Takes the same room
/// however long the chain is.
#[derive(Clone, Debug)]
pub struct Walk {
    last: BlockId,
    height: Height,
    bits: CompactTarget,
    work: Work,
    /// Times of the last headers, the newest first; as many as `known` says.
    times: [u32; MEDIAN_TIME_SPAN],
    known: usize,
    /// The time of the first block of the window of the last one, where the rule has windows.
    window_time: u32,
    anchor: Anchor,
    /// What a header of these bits is worth; they mostly stay the same.
    worth: (CompactTarget, Work),
}

impl Walk {
    /// The header that was walked to.
    #[must_use]
    pub const fn last(&self) -> BlockId {
        self.last
    }

    /// Its height.
    #[must_use]
    pub const fn height(&self) -> Height {
        self.height
    }

    /// The work of its chain.
    #[must_use]
    pub const fn work(&self) -> Work {
        self.work
    }

    /// Goes on to the next header, when that keeps the rules that [`Ledger::add_header`] asks for; else nothing changes.
    ///
    /// `ledger` is the one that the walk began in.
    pub fn step(&mut self, ledger: &Ledger, header: &HashedHeader) -> Result<(), Reject> {
        if header.parent != self.last {
            return Err(Reject::PrevBlkNotFound);
        }
        let target = ledger.check_work(header)?;
        ledger.check_demands(header, &self.demand())?;
        if self.worth.0 != header.bits {
            self.worth = (header.bits, target.work());
        }
        self.last = header.id();
        self.height = self.height.next();
        self.bits = header.bits;
        self.work = self.work + self.worth.1;
        self.times.rotate_right(1);
        self.times[0] = header.time;
        self.known = (self.known + 1).min(MEDIAN_TIME_SPAN);
        if ledger.begins_window(self.height) {
            self.window_time = header.time;
        }
        if self.height == Height(1) {
            self.anchor = Anchor::of(header);
        }
        Ok(())
    }

    /// What the next header must be like.
    fn demand(&self) -> Demand<impl Fn() -> u32, impl Fn() -> Anchor> {
        let mut times = self.times;
        let times = &mut times[..self.known];
        times.sort_unstable();
        Demand {
            height: self.height,
            bits: self.bits,
            time: self.times[0],
            median_time: times[times.len() / 2],
            window_time: || self.window_time,
            anchor: || self.anchor,
        }
    }
}

impl Ledger {
    /// A walk that begins at a block of the ledger.
    #[must_use]
    pub fn walk(&self, from: BlockRef) -> Walk {
        let header = self.hashed_header(from);
        let mut times = [0; MEDIAN_TIME_SPAN];
        let below = std::iter::successors(Some(from), |at| self.parent(*at));
        let mut known = 0;
        for (place, at) in times.iter_mut().zip(below) {
            *place = self.header(at).time;
            known += 1;
        }
        let anchor = if from == self.genesis() {
            from
        } else {
            self.anchor(from)
        };
        Walk {
            last: header.id(),
            height: self.height(from),
            bits: header.bits,
            work: self.work(from),
            times,
            known,
            window_time: self.window_time(from),
            anchor: Anchor::of(self.header(anchor)),
            worth: (
                header.bits,
                header.bits.target().map_or(Work::ZERO, crate::Target::work),
            ),
        }
    }
}
