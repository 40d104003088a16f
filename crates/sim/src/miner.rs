//! When a node finds a block: waits drawn from its hash power, headers solved for real.

use std::time::Duration;

use base::{Rng, Time};
use chain::uint::U256;
use chain::{CompactTarget, HashRate, Header, ProofOfWork, Work, mining};
use node::Goal;

use crate::limits::ON_DEMAND;

/// One node's mining.
#[derive(Debug)]
pub(crate) struct Miner {
    search_for: Option<Search>,
    /// Tells a search from those it replaced.
    search: u64,
    rng: Rng,
}

/// What the waiting time depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Search {
    goal: Goal,
    rate: HashRate,
}

/// What it takes to find a block. Nearly always it is asked for the same bits as before, by one node after the other.
#[derive(Debug, Default)]
pub(crate) struct Difficulty {
    hashes: Option<(CompactTarget, Option<f64>)>,
}

impl Difficulty {
    /// The mean time until a hash meets the target; nothing when it never does.
    fn expected_time(&mut self, bits: CompactTarget, rate: HashRate) -> Option<Duration> {
        let hashes = match self.hashes {
            Some((known, hashes)) if known == bits => hashes,
            _ => expected_hashes(bits),
        };
        self.hashes = Some((bits, hashes));
        Duration::try_from_secs_f64(hashes? / as_f64(rate.0)).ok()
    }
}

impl Miner {
    pub(crate) const fn new(rng: Rng) -> Self {
        Self {
            search_for: None,
            search: 0,
            rng,
        }
    }

    /// Searches for something else from now on. Gives when it will be found, and the search's number; nothing when it is not searched
    /// for, or when the search that goes on stands for it.
    ///
    /// Waiting times have no memory: while neither bits nor hash rate change, going on with the old wait is as good as a new draw.
    pub(crate) fn search(
        &mut self,
        now: Time,
        goal: Option<Goal>,
        rate: HashRate,
        difficulty: &mut Difficulty,
    ) -> Option<(Time, u64)> {
        let search = goal.map(|goal| Search { goal, rate });
        if search == self.search_for && !goal?.on_demand {
            return None;
        }
        self.search_for = search;
        self.search += 1;
        let goal = goal?;
        if goal.on_demand {
            return Some((now + ON_DEMAND, self.search));
        }
        let mean = difficulty.expected_time(goal.bits, rate)?;
        Some((now + self.rng.exponential(mean), self.search))
    }

    /// Whether it searches for this.
    pub(crate) fn searches_for(&self, goal: Goal) -> bool {
        self.search_for.is_some_and(|search| search.goal == goal)
    }

    /// Searches for nothing any more.
    pub(crate) fn stop(&mut self) {
        self.search_for = None;
        self.search += 1;
    }

    /// The wait of a search is over: whether something was found, and not given up for another search meanwhile.
    pub(crate) fn found(&mut self, search: u64) -> bool {
        let has_found = search == self.search && self.search_for.is_some();
        if has_found {
            self.stop();
        }
        has_found
    }
}

/// The header that was found, its time not before the miner's clock, in Unix seconds.
///
/// An oracle's header is proof of work once it is sealed, as it is.
pub(crate) fn solve(header: &Header, clock: u32, proof_of_work: ProofOfWork) -> Header {
    let mut header = *header;
    header.time = header.time.max(clock);
    match proof_of_work {
        ProofOfWork::Oracle => header,
        ProofOfWork::Sha256d => loop {
            if let Some(solved) = mining::solve(&header, u32::MAX) {
                return solved;
            }
            header.time += 1;
        },
    }
}

/// How many hashes it takes on average until one meets the target; nothing when none ever does.
pub(crate) fn expected_hashes(bits: CompactTarget) -> Option<f64> {
    let Work(U256(limbs)) = bits.target()?.work();
    let hashes = limbs.iter().rev();
    Some(hashes.fold(0.0, |sum, limb| sum * TWO_TO_64 + as_f64(*limb)))
}

const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

#[expect(clippy::cast_precision_loss, reason = "the last bits do not matter to a mean")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bits_take_does_not_depend_on_what_was_asked_before() {
        let bits = [0x207f_ffff, 0x1d00_ffff, 0x1d00_ffff, 0, 0x207f_ffff].map(CompactTarget);
        let rate = HashRate(1_000);
        let mut asked = Difficulty::default();
        for bits in bits {
            let alone = Difficulty::default().expected_time(bits, rate);
            assert_eq!(asked.expected_time(bits, rate), alone, "{bits:?}");
            assert_eq!(alone.is_none(), bits == CompactTarget(0));
        }
    }
}
