//! How a node is set up.

use std::time::Duration;

use base::Seed;
use chain::{HashRate, Owner, SigningKey, Work};
use serde::{Deserialize, Serialize};

use crate::BlockSize;

/// How a node behaves where the protocol leaves it a choice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Follows the rules.
    #[default]
    Honest,
    /// Follows none: announces and serves whatever [`crate::Command::Offer`] gives it, however broken, and believes nobody.
    Hostile,
}

/// What a node does when two chains have the same work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tie {
    /// The one whose body came first stays (Bitcoin).
    #[default]
    FirstSeen,
    /// Each equally likely (Eyal and Sirer 2014, section 6).
    Random,
}

/// How a node tells its peers of a new block. Peers of different policies understand each other: all of them hear all messages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relay {
    /// By its header; the body goes to those that ask (BIP130).
    #[default]
    Headers,
    /// By its name; header and body go to those that ask (Bitcoin's `inv` before 2015).
    Announce,
    /// By its header and short names of its transactions, from which peers rebuild it out of their mempools (BIP152).
    Compact,
    /// Whole and unasked, to every peer that is not known to have it.
    Push,
    /// Whole along a mesh of a few peers, and by name to others now and then (after gossipsub v1.1).
    Mesh,
}

/// Whom coinbases pay.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "Owner", into = "Owner")]
pub enum Payee {
    /// This owner.
    Owner(Owner),
    /// The owner of this seed's key, which is made when a block is put together: simulated nodes are many, and most never find one.
    KeyOf(Seed),
}

impl Payee {
    /// The owner that coinbases pay.
    #[must_use]
    pub fn owner(&self) -> Owner {
        match self {
            Self::Owner(owner) => *owner,
            Self::KeyOf(seed) => SigningKey::from_seed(seed).owner(),
        }
    }
}

impl From<Owner> for Payee {
    fn from(owner: Owner) -> Self {
        Self::Owner(owner)
    }
}

impl From<Payee> for Owner {
    fn from(payee: Payee) -> Self {
        payee.owner()
    }
}

/// A node's set-up. The network's rules are the ledger's [`chain::Params`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Config {
    /// What it tells peers it is called: printable ASCII.
    pub agent: String,
    /// Whom its coinbases pay.
    pub payee: Payee,
    /// Its hash power; zero does not mine. The engine does the hashing.
    pub hashrate: HashRate,
    /// How it behaves.
    pub strategy: Strategy,
    /// What it does at equal work.
    pub tie: Tie,
    /// How it tells of new blocks.
    pub relay: Relay,
    /// What its blocks stand for on the way, when that is more than what is in them.
    pub block_size: Option<BlockSize>,
    /// The Unix time, since 1970, at [`base::Time::ZERO`]: what its wall clock says is this plus `now` (plus its skew).
    pub epoch: Duration,
    /// The most bytes its mempool may take.
    pub mempool_bytes: usize,
    /// The lowest fee rate it relays, in base units per 1,000 bytes.
    pub min_relay_fee: u64,
    /// Chains of headers with less work than this are not kept, however little its own chain has (Bitcoin Core's `-minimumchainwork`).
    pub minimum_work: Work,
}

impl Config {
    /// The set-up of an honest node that does not mine, and does all else as is usual.
    #[must_use]
    pub fn new(agent: impl Into<String>, payee: impl Into<Payee>, epoch: Duration) -> Self {
        Self {
            agent: agent.into(),
            payee: payee.into(),
            hashrate: HashRate::ZERO,
            strategy: Strategy::Honest,
            tie: Tie::FirstSeen,
            relay: Relay::Headers,
            block_size: None,
            epoch,
            mempool_bytes: Self::DEFAULT_MEMPOOL_BYTES,
            min_relay_fee: Self::DEFAULT_MIN_RELAY_FEE,
            minimum_work: Work::ZERO,
        }
    }

    /// The most bytes a mempool takes unless said otherwise: 12 MiB, a fifth of what a node may take.
    pub const DEFAULT_MEMPOOL_BYTES: usize = 12 << 20;
    /// The lowest fee rate relayed unless said otherwise, in base units per 1,000 bytes (Bitcoin Core's `DEFAULT_MIN_RELAY_TX_FEE` until v30).
    pub const DEFAULT_MIN_RELAY_FEE: u64 = 1_000;
}
