//! What any simulator of proof of work must reproduce: closed forms and published measurements, each checked by running it.
//!
//! Every law says what is expected and from where, and how far off chance alone may take what is found: 3.29 standard deviations, so that
//! about ten laws checked together go wrong by chance once in a hundred times. Where our model differs from a published one on purpose,
//! the finding says why; nothing is tuned.

mod difficulty;
mod forks;
mod published;

use observe::Detail;

use crate::engine::{Error, Options};

/// Standard deviations that chance may take a finding off: 99.9 %, for about ten laws at a time.
const SIGMAS: f64 = 3.29;

/// How much is spent on each law.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effort {
    /// Seconds in a debug build: wide tolerances.
    Quick,
    /// The sample sizes of the literature: minutes.
    Full,
}

impl Effort {
    /// The number that goes with the effort.
    const fn of(self, quick: u32, full: u32) -> u32 {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

/// Something that must hold.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// Its short name.
    pub id: &'static str,
    /// What is looked at.
    pub about: &'static str,
    /// Where the expectation is from.
    pub source: &'static str,
    check: fn(Effort) -> Result<Vec<Finding>, Error>,
}

/// What was found of one statistic.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// Which statistic.
    pub statistic: &'static str,
    /// What it should be.
    pub expected: f64,
    /// What it is.
    pub found: f64,
    /// How far off it may be.
    pub tolerance: f64,
    /// How many samples it is from, of what.
    pub samples: (u64, &'static str),
    /// Why our model gives another number on purpose, if it does.
    pub reason: Option<&'static str>,
}

/// What a finding says of the law.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Judgement {
    /// It holds.
    Holds,
    /// The model differs on purpose, and so does the number.
    DiffersOnPurpose,
    /// It does not hold.
    Broken,
}

impl Finding {
    /// Whether the law holds.
    #[must_use]
    pub fn judgement(&self) -> Judgement {
        if (self.found - self.expected).abs() <= self.tolerance {
            Judgement::Holds
        } else if self.reason.is_some() {
            Judgement::DiffersOnPurpose
        } else {
            Judgement::Broken
        }
    }
}

impl Law {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self {
            id: "F1",
            about: "two miners, constant delay",
            source: "exact: x / 2(1 + x), x = delay / interval",
            check: forks::two_miners,
        },
        Self {
            id: "F2",
            about: "sixteen equal miners, constant delay",
            source: "(1 - 1/n) x / (1 + x), within 1 % for x below 0.2",
            check: forks::many_miners,
        },
        Self {
            id: "F3",
            about: "a random network, measured spread",
            source: "Decker and Wattenhofer 2013: 1 - exp(-integral of (1 - f) / interval)",
            check: forks::any_network,
        },
        Self {
            id: "B1",
            about: "block intervals at constant difficulty",
            source: "exponential: Kolmogorov and Smirnov's distance, 1 % level",
            check: difficulty::intervals_are_exponential,
        },
        Self {
            id: "B2",
            about: "blocks per hour at constant difficulty",
            source: "Poisson: variance / mean = 1",
            check: difficulty::counts_are_poisson,
        },
        Self {
            id: "D2",
            about: "Bitcoin's retarget, constant hash power",
            source: "600 s x 2016 / 2014: it compares 2015 intervals with 2016",
            check: difficulty::mean_interval,
        },
        Self {
            id: "D3",
            about: "Bitcoin's retarget, constant hash power",
            source: "1 / sqrt(2015): the noise of one window",
            check: difficulty::epoch_noise,
        },
        Self {
            id: "M1",
            about: "SimBlock, Litecoin 2015, 800 nodes",
            source: "SimBlock run with its own parameters, seeds 10 to 12",
            check: published::simblock_litecoin,
        },
        Self {
            id: "M3",
            about: "SimBlock, Bitcoin 2015, 6,000 nodes",
            source: "SimBlock run with its own parameters, seeds 10 and 11",
            check: published::simblock_bitcoin,
        },
        Self {
            id: "G1",
            about: "Gervais et al., Bitcoin, 6,000 nodes",
            source: "CCS 2016: results.xlsx of the Bitcoin-Simulator, 10 min",
            check: published::gervais_propagation,
        },
        Self {
            id: "G2",
            about: "Gervais et al., Bitcoin, 6,000 nodes",
            source: "CCS 2016: results.xlsx of the Bitcoin-Simulator, 10 min",
            check: published::gervais_stale,
        },
    ];

    /// The law of this name, in any case.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|law| law.id.eq_ignore_ascii_case(id))
    }

    /// Runs what the law is about and compares.
    ///
    /// # Errors
    /// When a run cannot start.
    pub fn check(&self, effort: Effort) -> Result<Vec<Finding>, Error> {
        (self.check)(effort)
    }
}

/// No figure needs the log.
fn options() -> Options {
    Options {
        detail: Some(Detail::Summary),
        ..Options::default()
    }
}

/// How far chance takes a count of rare events from its expectation, relative to it.
fn relative_noise(events: f64) -> f64 {
    SIGMAS / events.max(1.0).sqrt()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn as_f64(number: u64) -> f64 {
    number as f64
}
