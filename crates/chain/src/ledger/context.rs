//! The rules of a header in context: what its ancestors demand of it.

use super::index::{Body, Entry};
use super::{BlockRef, Ledger};
use crate::limits::MAX_TIMEWARP;
use crate::retarget::{Asert, Window};
use crate::{Amount, CompactTarget, HashedHeader, Header, Height, Params, ProofOfWork, Reject, Retarget, Target, Work};

impl Ledger {
    /// Checks a header that is not known yet, in Bitcoin Core's order; gives its parent and its own target.
    pub(super) fn check_header(&self, header: &HashedHeader) -> Result<(BlockRef, Target), Reject> {
        let (parent, target) = self.check_proof(header)?;
        match self.index.get(parent).fault() {
            // An operator's mark is no fault of whoever sends a child.
            Some(Reject::Invalidated) => return Err(Reject::Invalidated),
            Some(_) => return Err(Reject::BadPrevblk),
            None => {}
        }
        self.check_context(header, parent)?;
        Ok((parent, target))
    }

    /// Proof of work, and a parent that is known.
    pub(super) fn check_proof(&self, header: &HashedHeader) -> Result<(BlockRef, Target), Reject> {
        let target = self.check_work(header)?;
        let parent = self.find(&header.parent).ok_or(Reject::PrevBlkNotFound)?;
        Ok((parent, target))
    }

    /// Proof of work; gives the target.
    pub(super) fn check_work(&self, header: &HashedHeader) -> Result<Target, Reject> {
        let bits = header.bits;
        let target = bits.target().filter(|target| *target <= self.params.limit_target());
        let target = target.ok_or(Reject::BadTarget { bits })?;
        let is_proof = match self.params.proof_of_work {
            ProofOfWork::Sha256d => target.is_met_by(&header.id()),
            // A seal is kept until the header is.
            ProofOfWork::Oracle => self.sealed.contains(&header.id()) || self.find(&header.id()).is_some(),
        };
        if !is_proof {
            return Err(Reject::HighHash { bits });
        }
        Ok(target)
    }

    /// What the headers below demand.
    pub(super) fn check_context(&self, header: &Header, parent: BlockRef) -> Result<(), Reject> {
        self.check_demands(header, &self.demand(parent))
    }

    /// The same, whether those are kept or were only walked over.
    pub(super) fn check_demands(
        &self,
        header: &Header,
        demand: &Demand<impl Fn() -> u32, impl Fn() -> Anchor>,
    ) -> Result<(), Reject> {
        let (bits, expected) = (header.bits, demand.next_bits(&self.params));
        if bits != expected {
            return Err(Reject::BadDiffbits { found: bits, expected });
        }
        let (time, median) = (header.time, demand.median_time);
        if time <= median {
            return Err(Reject::TimeTooOld { time, median });
        }
        let parent = demand.time;
        if self.is_held_to_parent(demand.height) && time < parent.saturating_sub(MAX_TIMEWARP) {
            return Err(Reject::TimeTimewarpAttack { time, parent });
        }
        let (version, minimum) = (header.version, self.params.min_version);
        if version < minimum {
            return Err(Reject::BadVersion { version, minimum });
        }
        Ok(())
    }

    /// What a child must be like.
    fn demand(&self, parent: BlockRef) -> Demand<impl Fn() -> u32, impl Fn() -> Anchor> {
        let last = self.header(parent);
        Demand {
            height: self.height(parent),
            bits: last.bits,
            time: last.time,
            median_time: self.median_time_past(parent),
            window_time: move || self.window_time(parent),
            anchor: move || Anchor::of(self.header(self.anchor(parent))),
        }
    }

    /// Whether BIP94's rule binds the time of a child to its parent's: it begins a window.
    fn is_held_to_parent(&self, parent: Height) -> bool {
        match self.params.retarget {
            Retarget::Bitcoin { timewarp_rule, .. } => timewarp_rule && self.begins_window(parent.next()),
            Retarget::Fixed | Retarget::Asert { .. } => false,
        }
    }

    /// Whether a block of this height is the first of its window.
    pub(super) fn begins_window(&self, height: Height) -> bool {
        match self.params.retarget {
            Retarget::Bitcoin { window, .. } => height.0.is_multiple_of(window),
            Retarget::Fixed | Retarget::Asert { .. } => false,
        }
    }

    /// The time of the first block of a block's window; its own where the rule has no windows.
    pub(super) fn window_time(&self, block: BlockRef) -> u32 {
        let first = match self.params.retarget {
            Retarget::Bitcoin { window, .. } => {
                let height = self.height(block).0;
                self.ancestor(block, Height(height - height % window))
            }
            Retarget::Fixed | Retarget::Asert { .. } => None,
        };
        self.header(first.unwrap_or(block)).time
    }

    /// The earliest time that a child may have (Bitcoin Core's `GetMinimumTime`).
    #[must_use]
    pub fn earliest_time(&self, parent: BlockRef) -> u32 {
        let above_median = self.median_time_past(parent).saturating_add(1);
        if self.is_held_to_parent(self.height(parent)) {
            above_median.max(self.header(parent).time.saturating_sub(MAX_TIMEWARP))
        } else {
            above_median
        }
    }

    /// Adds a header that has been checked.
    #[inline]
    pub(super) fn push_header(&mut self, header: &HashedHeader, (parent, target): (BlockRef, Target)) -> BlockRef {
        let block = self.tree.push(parent, header.time);
        let work = self.work(parent) + self.own_work(header, (parent, target));
        let median = self.tree.median_time(block);
        self.index.push(block, parent, Entry::new(header, work, median));
        self.sealed.remove(&header.id());
        block
    }

    /// The work of one header. Bits mostly stay what they were, and then a division of 256 bits is saved.
    fn own_work(&self, header: &Header, (parent, target): (BlockRef, Target)) -> Work {
        match self.parent(parent) {
            Some(grandparent) if self.header(parent).bits == header.bits && self.work(parent) < Work::MAX => {
                self.work(parent).saturating_sub(self.work(grandparent))
            }
            _ => target.work(),
        }
    }

    /// The entry of a genesis block, which is valid because it is given.
    pub(super) fn genesis_entry(header: &HashedHeader) -> Entry {
        let work = header.bits.target().map_or(Work::ZERO, Target::work);
        let mut entry = Entry::new(header, work, header.time);
        entry.body = Body::Valid {
            block: None,
            supply: Amount::ZERO,
        };
        entry
    }

    /// The first block of the chain that leads to one above the genesis block. There is hardly ever more than one to choose from.
    pub(super) fn anchor(&self, block: BlockRef) -> BlockRef {
        let mut firsts = self.children(self.genesis());
        match (firsts.next(), firsts.next()) {
            (Some(only), None) => only,
            _ => self
                .ancestor(block, Height(1))
                .expect("a block above the genesis block"),
        }
    }

    /// The bits that a child must have.
    #[must_use]
    pub fn next_bits(&self, parent: BlockRef) -> CompactTarget {
        self.demand(parent).next_bits(&self.params)
    }
}

/// Block 1, which a schedule is counted from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Anchor {
    bits: CompactTarget,
    time: u32,
}

impl Anchor {
    pub(super) const fn of(header: &Header) -> Self {
        Self {
            bits: header.bits,
            time: header.time,
        }
    }
}

/// What the last header of a chain and those below demand of the next. What only some rules ask for is found when they do.
pub(super) struct Demand<W, A> {
    /// The last header's, as are the next ones.
    pub(super) height: Height,
    pub(super) bits: CompactTarget,
    pub(super) time: u32,
    pub(super) median_time: u32,
    pub(super) window_time: W,
    pub(super) anchor: A,
}

impl<W: Fn() -> u32, A: Fn() -> Anchor> Demand<W, A> {
    /// The bits that the next header must have.
    fn next_bits(&self, params: &Params) -> CompactTarget {
        let height = self.height.next();
        match params.retarget {
            Retarget::Bitcoin { window, .. } if height.0.is_multiple_of(window) => {
                let rule = Window {
                    timespan: window * params.interval_seconds(),
                    limit: params.limit,
                };
                rule.next(self.bits, (self.window_time)(), self.time)
            }
            Retarget::Asert { half_life } if height > Height(1) => {
                let anchor = (self.anchor)();
                let rule = Asert {
                    anchor_bits: anchor.bits,
                    interval: params.interval_seconds(),
                    half_life,
                    limit: params.limit,
                };
                let begin = i64::from(anchor.time) - i64::from(rule.interval);
                rule.next(i64::from(self.time) - begin, self.height.0 - 1)
            }
            Retarget::Fixed | Retarget::Bitcoin { .. } | Retarget::Asert { .. } => self.bits,
        }
    }
}
