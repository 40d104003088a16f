//! The rules' numbers: one value, chosen by the scenario, the same on every node of a network.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::block::Draft;
use crate::limits::MAX_NAME_BYTES;
use crate::{Amount, Block, BlockId, CompactTarget, Header, Height, Owner, Target, TxOutput, preimage};

/// How a chain finds the target of its next block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Retarget {
    /// Never changes.
    Fixed,
    /// Bitcoin's: every `window` blocks, by the time the last `window - 1` intervals took, at most a factor of four.
    Bitcoin {
        /// Blocks between changes; 2016 in Bitcoin.
        window: u32,
        /// BIP94: the first block of a window is at most 600 s earlier than its parent.
        timewarp_rule: bool,
    },
    /// aserti3-2d: every block, exponentially in how far the chain is ahead of or behind its schedule.
    ///
    /// The anchor is block 1, and its reference time is its own less one interval: a chain's schedule begins when mining does.
    Asert {
        /// Seconds behind schedule after which the target has doubled.
        half_life: u32,
    },
}

/// What makes a header's id proof of work. Bits, retarget and chain work are computed alike in both.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum ProofOfWork {
    /// The id, which is the header's double SHA-256, meets the target: Bitcoin's.
    #[default]
    Sha256d,
    /// The mining oracle sealed that exact id ([`crate::Ledger::seal`]), after as long a wait as the hashes would have taken.
    ///
    /// For virtual time at real-world difficulty, where nobody can hash 2^70 times. It is the ideal functionality of the
    /// literature (Garay, Kiayias, Leonardos: The Bitcoin Backbone Protocol, 2015): whoever runs the simulation is the oracle,
    /// and nobody else, attackers included, can make proof of work.
    Oracle,
}

/// The parameters of a network. Every field is part of the genesis block's id, so networks with other rules never mix.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Params {
    /// What the network is called: a preset's name, or the user's own, to keep two networks apart. At most 32 bytes.
    pub name: String,
    /// The easiest target allowed.
    pub limit: CompactTarget,
    /// The target of the genesis block and of block 1.
    pub initial_bits: CompactTarget,
    /// The time a block should take; whole seconds where the retarget rule uses it.
    pub interval: Duration,
    /// How the target follows the hash power.
    pub retarget: Retarget,
    /// What makes a header proof of work.
    pub proof_of_work: ProofOfWork,
    /// Blocks between two halvings of the subsidy.
    pub halving_interval: u32,
    /// Blocks until the outputs of a coinbase may be spent.
    pub coinbase_maturity: u32,
    /// What block 1 may create.
    pub initial_subsidy: Amount,
    /// The most bytes an encoded body may have.
    pub max_block_bytes: u32,
    /// The most a header's time may lie ahead of a node's clock.
    pub max_future: Duration,
    /// The genesis block's time, in Unix seconds.
    pub genesis_time: u32,
    /// The lowest version a header may have.
    pub min_version: i32,
}

impl Params {
    /// Regtest's easiest target: one hash in two meets it.
    pub const EASIEST: CompactTarget = CompactTarget(0x207f_ffff);

    /// Bitcoin's own numbers.
    #[must_use]
    pub fn mainnet_like() -> Self {
        Self {
            name: "mainnet-like".to_owned(),
            limit: CompactTarget(0x1d00_ffff),
            initial_bits: CompactTarget(0x1d00_ffff),
            interval: Duration::from_secs(600),
            retarget: Retarget::Bitcoin {
                window: 2016,
                timewarp_rule: false,
            },
            proof_of_work: ProofOfWork::Sha256d,
            halving_interval: 210_000,
            coinbase_maturity: 100,
            initial_subsidy: Amount::from_units(50 * Amount::COIN.units()),
            max_block_bytes: 1 << 20,
            max_future: Duration::from_secs(2 * 60 * 60),
            genesis_time: Self::GENESIS_TIME,
            min_version: Header::VERSION,
        }
    }

    /// For real nodes that mine all the time: a block every two seconds, the target follows the hash power.
    #[must_use]
    pub fn cluster() -> Self {
        Self {
            name: "cluster".to_owned(),
            limit: Self::EASIEST,
            initial_bits: Self::EASIEST,
            interval: Duration::from_secs(2),
            retarget: Retarget::Asert { half_life: 60 },
            halving_interval: 10_000,
            coinbase_maturity: 10,
            max_future: Duration::from_secs(12 * 2),
            ..Self::mainnet_like()
        }
    }

    /// For scenarios that mine on demand: every block costs two hashes.
    #[must_use]
    pub fn instant() -> Self {
        Self {
            name: "instant".to_owned(),
            limit: Self::EASIEST,
            initial_bits: Self::EASIEST,
            interval: Duration::from_secs(600),
            retarget: Retarget::Fixed,
            halving_interval: 150,
            coinbase_maturity: 10,
            ..Self::mainnet_like()
        }
    }

    /// What a coinbase at this height may create, fees aside: halved every [`Params::halving_interval`] blocks, nothing from 64 halvings on.
    #[must_use]
    pub fn subsidy(&self, height: Height) -> Amount {
        let halvings = height.0 / self.halving_interval;
        Amount::from_units(self.initial_subsidy.units().checked_shr(halvings).unwrap_or(0))
    }

    /// The preset of this name: `mainnet-like`, `cluster` or `instant`.
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "mainnet-like" => Some(Self::mainnet_like()),
            "cluster" => Some(Self::cluster()),
            "instant" => Some(Self::instant()),
            _ => None,
        }
    }

    /// The names that [`Params::preset`] knows.
    pub const PRESETS: [&str; 3] = ["mainnet-like", "cluster", "instant"];

    /// The block that every chain of the network begins with. It is given, not mined: its hash meets no target.
    ///
    /// Its coinbase creates nothing, and its tag is the hash of every parameter, so networks with other rules have other genesis ids.
    #[must_use]
    pub fn genesis_block(&self) -> Block {
        let nobody = TxOutput {
            value: Amount::ZERO,
            owner: Owner([0; 32]),
        };
        Draft {
            parent: BlockId::ZERO,
            height: Height(0),
            time: self.genesis_time,
            bits: self.initial_bits,
            coinbase_outputs: vec![nobody],
            tag: preimage::params(self).0.to_vec(),
            extra_nonce: 0,
            transactions: Vec::new(),
        }
        .assemble()
    }

    /// Whether a chain can run by these numbers.
    pub fn check(&self) -> Result<(), UnsoundParams> {
        let Some(limit) = self.limit.target() else {
            return Err(UnsoundParams::Limit { limit: self.limit });
        };
        if self.initial_bits.target().is_none_or(|target| target > limit) {
            return Err(UnsoundParams::InitialBits {
                bits: self.initial_bits,
                limit: self.limit,
            });
        }
        if self.name.len() > MAX_NAME_BYTES {
            return Err(UnsoundParams::Name { bytes: self.name.len() });
        }
        let seconds = u32::try_from(self.interval.as_secs())
            .ok()
            .filter(|seconds| *seconds > 0);
        let whole = self.interval.subsec_nanos() == 0;
        let sound = match self.retarget {
            Retarget::Fixed => true,
            Retarget::Bitcoin { window, .. } => {
                whole && window >= 2 && seconds.and_then(|seconds| window.checked_mul(seconds)).is_some()
            }
            Retarget::Asert { half_life } => whole && half_life > 0 && seconds.is_some(),
        };
        if !sound {
            return Err(UnsoundParams::Retarget);
        }
        // Halvings add up to less than twice the first period's issue.
        let issue = u128::from(self.initial_subsidy.units()) * u128::from(self.halving_interval) * 2;
        if self.halving_interval == 0 || issue > u128::from(Amount::MAX_MONEY.units()) {
            return Err(UnsoundParams::Issue);
        }
        Ok(())
    }

    /// The target of [`Params::limit`].
    #[must_use]
    pub(crate) fn limit_target(&self) -> Target {
        self.limit.target().expect("checked when the ledger was made")
    }

    /// The interval in seconds, for retarget rules.
    #[must_use]
    pub(crate) fn interval_seconds(&self) -> u32 {
        u32::try_from(self.interval.as_secs()).expect("checked when the ledger was made")
    }

    /// 2026-01-01 00:00:00 UTC.
    const GENESIS_TIME: u32 = 1_767_225_600;
}

/// Parameters by which no chain can run.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[expect(missing_docs, reason = "Display says what each is and what would be right")]
pub enum UnsoundParams {
    #[error("the limit {limit} is no target")]
    Limit { limit: CompactTarget },
    #[error("the initial bits {bits} are no target, or easier than the limit {limit}")]
    InitialBits { bits: CompactTarget, limit: CompactTarget },
    #[error("the name has {bytes} bytes, the limit is {MAX_NAME_BYTES}")]
    Name { bytes: usize },
    #[error(
        "the retarget rule needs an interval of whole seconds, at least 1, a window of at least 2 blocks and less than 2^32 seconds, a half-life above 0"
    )]
    Retarget,
    #[error("the halving interval is 0, or initial subsidy x halving interval x 2 is above 21,000,000 coins")]
    Issue,
}

#[cfg(test)]
mod tests;
