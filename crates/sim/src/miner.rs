//! When a node finds a block: waits drawn from its hash power, headers solved for real.

use std::time::Duration;

use base::{Rng, Time};
use chain::uint::U256;
use chain::{CompactTarget, HashRate, Header, ProofOfWork, Work, mining};
use node::Template;

use crate::limits::ON_DEMAND;

/// One node's mining.
#[derive(Debug)]
pub(crate) struct Miner {
    template: Option<Template>,
    goal: Option<Goal>,
    /// Tells a search from those it replaced.
    search: u64,
    rng: Rng,
}

/// What the waiting time depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Goal {
    bits: CompactTarget,
    rate: HashRate,
    on_demand: bool,
}

impl Miner {
    pub(crate) const fn new(rng: Rng) -> Self {
        Self {
            template: None,
            goal: None,
            search: 0,
            rng,
        }
    }

    /// Searches for something else from now on. Gives when it will be found, and the search's number; nothing when it is not searched
    /// for, or when the search that goes on stands for it.
    ///
    /// Waiting times have no memory: while neither bits nor hash rate change, going on with the old wait is as good as a new draw.
    pub(crate) fn search(&mut self, now: Time, template: Option<Template>, rate: HashRate) -> Option<(Time, u64)> {
        let goal = template.as_ref().map(|template| Goal {
            bits: template.header.bits,
            rate,
            on_demand: template.on_demand,
        });
        self.template = template;
        if goal == self.goal && !goal?.on_demand {
            return None;
        }
        self.goal = goal;
        self.search += 1;
        let goal = goal?;
        if goal.on_demand {
            return Some((now + ON_DEMAND, self.search));
        }
        let mean = expected_time(goal.bits, rate)?;
        Some((now + self.rng.exponential(mean), self.search))
    }

    /// Searches for nothing any more.
    pub(crate) fn stop(&mut self) {
        self.template = None;
        self.goal = None;
        self.search += 1;
    }

    /// The header that a search has found; nothing when another took its place. `clock` is the miner's, in Unix seconds.
    ///
    /// An oracle's header is proof of work once it is sealed, as it is.
    pub(crate) fn found(&mut self, search: u64, clock: u32, proof_of_work: ProofOfWork) -> Option<Header> {
        let mut header = self.template.as_ref().filter(|_| search == self.search)?.header;
        header.time = header.time.max(clock);
        self.stop();
        match proof_of_work {
            ProofOfWork::Oracle => Some(header),
            ProofOfWork::Sha256d => loop {
                if let Some(solved) = mining::solve(&header, u32::MAX) {
                    return Some(solved);
                }
                header.time += 1;
            },
        }
    }
}

/// The mean time until a hash meets the target; nothing when it never does.
fn expected_time(bits: CompactTarget, rate: HashRate) -> Option<Duration> {
    Duration::try_from_secs_f64(expected_hashes(bits)? / as_f64(rate.0)).ok()
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
