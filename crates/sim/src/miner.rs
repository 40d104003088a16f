//! When a node finds a block: waits drawn from its hash power, headers solved for real.

use std::time::Duration;

use base::{Rng, Time};
use chain::uint::U256;
use chain::{HashRate, Header, Work, mining};
use node::Template;

use crate::limits::ON_DEMAND;

/// One node's mining.
#[derive(Debug)]
pub(crate) struct Miner {
    template: Option<Template>,
    /// Tells a search from those it replaced.
    search: u64,
    rng: Rng,
}

impl Miner {
    pub(crate) const fn new(rng: Rng) -> Self {
        Self {
            template: None,
            search: 0,
            rng,
        }
    }

    /// Searches for something else from now on. Gives when it will be found, and the search's number; nothing when it is not searched for.
    ///
    /// Waiting times have no memory, so a new draw for a new template is as good as going on with the old one.
    pub(crate) fn search(&mut self, now: Time, template: Option<Template>, rate: HashRate) -> Option<(Time, u64)> {
        self.search += 1;
        self.template = template;
        let template = self.template.as_ref()?;
        if template.on_demand {
            return Some((now + ON_DEMAND, self.search));
        }
        let mean = expected_time(&template.header, rate)?;
        Some((now + self.rng.exponential(mean), self.search))
    }

    /// The header that a search has found; nothing when another took its place. `clock` is the miner's, in Unix seconds.
    pub(crate) fn found(&mut self, search: u64, clock: u32) -> Option<Header> {
        let mut header = self.template.as_ref().filter(|_| search == self.search)?.header;
        header.time = header.time.max(clock);
        self.template = None;
        loop {
            if let Some(solved) = mining::solve(&header, u32::MAX) {
                return Some(solved);
            }
            header.time += 1;
        }
    }
}

/// The mean time until a hash meets the target; nothing when it never does.
fn expected_time(header: &Header, rate: HashRate) -> Option<Duration> {
    let Work(U256(limbs)) = header.bits.target()?.work();
    let hashes = limbs
        .iter()
        .rev()
        .fold(0.0, |sum, limb| sum * TWO_TO_64 + as_f64(*limb));
    Duration::try_from_secs_f64(hashes / as_f64(rate.0)).ok()
}

const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

#[expect(clippy::cast_precision_loss, reason = "the last bits do not matter to a mean")]
fn as_f64(number: u64) -> f64 {
    number as f64
}
