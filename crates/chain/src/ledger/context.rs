//! The rules of a header in context: what its ancestors demand of it.

use super::index::{Body, Entry};
use super::{BlockRef, Ledger};
use crate::limits::MAX_TIMEWARP;
use crate::retarget::{Asert, Window};
use crate::{Amount, CompactTarget, HashedHeader, Header, Height, ProofOfWork, Reject, Retarget, Target, Work};

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
        let bits = header.bits;
        let target = bits.target().filter(|target| *target <= self.params.limit_target());
        let target = target.ok_or(Reject::BadTarget { bits })?;
        let is_proof = match self.params.proof_of_work {
            ProofOfWork::Sha256d => target.is_met_by(&header.id()),
            ProofOfWork::Oracle => self.sealed.contains(&header.id()),
        };
        if !is_proof {
            return Err(Reject::HighHash { bits });
        }
        let parent = self.find(&header.parent).ok_or(Reject::PrevBlkNotFound)?;
        Ok((parent, target))
    }

    /// What the headers below demand.
    pub(super) fn check_context(&self, header: &Header, parent: BlockRef) -> Result<(), Reject> {
        let bits = header.bits;
        let expected = self.next_bits(parent);
        if bits != expected {
            return Err(Reject::BadDiffbits { found: bits, expected });
        }
        self.check_time(header, parent)?;
        let minimum = self.params.min_version;
        if header.version < minimum {
            return Err(Reject::BadVersion {
                version: header.version,
                minimum,
            });
        }
        Ok(())
    }

    fn check_time(&self, header: &Header, parent: BlockRef) -> Result<(), Reject> {
        let (time, median) = (header.time, self.median_time_past(parent));
        if time <= median {
            return Err(Reject::TimeTooOld { time, median });
        }
        let parent_time = self.header(parent).time;
        if self.is_held_to_parent(parent) && time < parent_time.saturating_sub(MAX_TIMEWARP) {
            return Err(Reject::TimeTimewarpAttack {
                time,
                parent: parent_time,
            });
        }
        Ok(())
    }

    /// Whether BIP94's rule binds the time of a child to its parent's: it begins a window.
    fn is_held_to_parent(&self, parent: BlockRef) -> bool {
        match self.params.retarget {
            Retarget::Bitcoin { window, timewarp_rule } => {
                timewarp_rule && self.height(parent).next().0.is_multiple_of(window)
            }
            Retarget::Fixed | Retarget::Asert { .. } => false,
        }
    }

    /// The earliest time that a child may have (Bitcoin Core's `GetMinimumTime`).
    #[must_use]
    pub fn earliest_time(&self, parent: BlockRef) -> u32 {
        let above_median = self.median_time_past(parent).saturating_add(1);
        if self.is_held_to_parent(parent) {
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
    fn anchor(&self, block: BlockRef) -> BlockRef {
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
        let params = &self.params;
        let last = self.header(parent);
        let height = self.height(parent).next();
        match params.retarget {
            Retarget::Bitcoin { window, .. } if height.0.is_multiple_of(window) => {
                let first = self.ancestor(parent, Height(height.0 - window));
                let first = self.header(first.expect("a window begins at or above the genesis block"));
                let rule = Window {
                    timespan: window * params.interval_seconds(),
                    limit: params.limit,
                };
                rule.next(last.bits, first.time, last.time)
            }
            Retarget::Asert { half_life } if height > Height(1) => {
                let anchor = self.header(self.anchor(parent));
                let rule = Asert {
                    anchor_bits: anchor.bits,
                    interval: params.interval_seconds(),
                    half_life,
                    limit: params.limit,
                };
                let begin = i64::from(anchor.time) - i64::from(rule.interval);
                rule.next(i64::from(last.time) - begin, self.height(parent).0 - 1)
            }
            Retarget::Fixed | Retarget::Bitcoin { .. } | Retarget::Asert { .. } => last.bits,
        }
    }
}
