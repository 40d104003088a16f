//! Forks: their branches at any time, who was on which, and what two branches spend differently.

mod series;
mod story;
mod transactions;

use std::collections::{BTreeMap, BTreeSet};

use base::{NodeId, Time};
use chain::{BlockId, HashRate, Height};
use serde::Serialize;

use super::{BlockNumber, Model, Moment};
use crate::told::{BranchTold, ForkEnd, ForkResolved};

pub use series::{ForkSeries, SeriesPoint, Side};
pub use story::{ForkStory, ReorgStory};
pub use transactions::{Rivals, TransactionDifference, Unshared};

/// A fork of the run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForkFacts {
    /// Its number, in the order of opening.
    pub id: usize,
    /// The last common block.
    pub point: BlockNumber,
    /// When it opened.
    pub opened: Time,
    /// When and how it ended.
    pub end: Option<(Time, Box<ForkResolved>)>,
}

/// A fork as it stood at a time.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ForkCard {
    /// Its number.
    pub fork: usize,
    /// The last common block.
    pub fork_point: BlockId,
    /// The fork point's height.
    pub height: Height,
    /// When it opened.
    pub opened_us: u64,
    /// When it ended; none while it is open.
    pub ended_us: Option<u64>,
    /// Its branches, in the order they were seen.
    pub branches: Vec<BranchCard>,
    /// How it ended.
    pub resolution: Option<ResolutionCard>,
}

/// A branch as it stood at a time.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct BranchCard {
    /// What the log would have told of it then.
    #[serde(flatten)]
    pub told: BranchTold,
    /// The child of the fork point.
    pub first: BlockId,
    /// How many running nodes' tips are on it.
    pub node_count: usize,
    /// Their share of all running nodes.
    pub node_share: f64,
    /// Their share of all running nodes' hash power; none when nobody hashes.
    pub hash_share: Option<f64>,
}

/// How a fork ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ResolutionCard {
    /// What the log tells of it.
    #[serde(flatten)]
    pub told: ForkEnd,
    /// Its cause in words, to follow "ended because".
    pub because: &'static str,
}

/// The blocks of a fork's branches, as far as they count: up to the fork's end.
#[derive(Clone, Debug)]
pub(super) struct Members {
    /// The children of the fork point, in the order they were seen.
    pub(super) first: Vec<BlockNumber>,
    pub(super) branch_of: BTreeMap<BlockNumber, usize>,
}

impl Model {
    /// The forks of the run, in the order of opening.
    #[must_use]
    pub fn forks(&self) -> &[ForkFacts] {
        &self.forks
    }

    /// One fork.
    #[must_use]
    pub fn fork(&self, id: usize) -> Option<&ForkFacts> {
        // Numbers count on from 0, unless the log has lost something.
        let there = self.forks.get(id).filter(|fork| fork.id == id);
        there.or_else(|| self.forks.iter().find(|fork| fork.id == id))
    }

    /// The blocks of a fork's branches that were seen until a time.
    pub(super) fn members(&self, fork: &ForkFacts, until: Time) -> Members {
        let until = fork.end.as_ref().map_or(until, |(end, _)| until.min(*end));
        let seen = |block: &BlockNumber| self.chain.block(*block).seen <= until;
        let children = self.chain.children(fork.point).iter().copied();
        let first: Vec<BlockNumber> = children.filter(seen).collect();
        let mut branch_of = BTreeMap::new();
        for (branch, &block) in first.iter().enumerate() {
            let mut waiting = vec![block];
            while let Some(block) = waiting.pop() {
                branch_of.insert(block, branch);
                waiting.extend(self.chain.children(block).iter().copied().filter(seen));
            }
        }
        Members { first, branch_of }
    }

    /// The block with the most work of each branch, the first seen of equals.
    pub(super) fn branch_tips(&self, members: &Members) -> Vec<BlockNumber> {
        let mut tips = members.first.clone();
        for (&block, &branch) in &members.branch_of {
            let work = |block: BlockNumber| self.chain.block(block).chain_work;
            if work(block) > work(tips[branch]) {
                tips[branch] = block;
            }
        }
        tips
    }
}

impl Moment<'_> {
    /// The forks that had opened by then, in the order of opening.
    #[must_use]
    pub fn forks(&self) -> Vec<ForkCard> {
        let opened = self.model.forks.iter().filter(|fork| fork.opened <= self.at);
        opened.map(|fork| self.card(fork)).collect()
    }

    /// The forks that were open then.
    #[must_use]
    pub fn open_forks(&self) -> Vec<ForkCard> {
        let open =
            |fork: &&ForkFacts| fork.opened <= self.at && fork.end.as_ref().is_none_or(|(end, _)| *end > self.at);
        self.model
            .forks
            .iter()
            .filter(open)
            .map(|fork| self.card(fork))
            .collect()
    }

    /// One fork as it stood then; none when it had not opened.
    #[must_use]
    pub fn fork(&self, id: usize) -> Option<ForkCard> {
        let fork = self.model.fork(id).filter(|fork| fork.opened <= self.at)?;
        Some(self.card(fork))
    }

    fn card(&self, fork: &ForkFacts) -> ForkCard {
        let point = self.model.chain.block(fork.point);
        let members = self.model.members(fork, self.at);
        let end = fork.end.as_ref().filter(|(end, _)| *end <= self.at);
        ForkCard {
            fork: fork.id,
            fork_point: point.id,
            height: point.height,
            opened_us: fork.opened.as_micros(),
            ended_us: end.map(|(at, _)| at.as_micros()),
            branches: self.branch_cards(&members),
            resolution: end.map(|(_, told)| ResolutionCard::of(told)),
        }
    }

    fn branch_cards(&self, members: &Members) -> Vec<BranchCard> {
        let chain = &self.model.chain;
        let tips = self.model.branch_tips(members);
        let mut blocks = vec![0; tips.len()];
        let mut miners: Vec<BTreeSet<NodeId>> = vec![BTreeSet::new(); tips.len()];
        for (&block, &branch) in &members.branch_of {
            blocks[branch] += 1;
            miners[branch].extend(chain.block(block).miner);
        }
        let mut nodes: Vec<Vec<NodeId>> = vec![Vec::new(); tips.len()];
        for node in self.running() {
            if let Some(&branch) = members.branch_of.get(&self.tips[node.index()]) {
                nodes[branch].push(node);
            }
        }
        let running = self.running().count();
        let power = |nodes: &[NodeId]| nodes.iter().map(|node| self.crew.rates[node.index()]).sum::<HashRate>();
        let all: HashRate = power(&self.running().collect::<Vec<_>>());
        let card = |branch: usize| {
            let tip = chain.block(tips[branch]);
            let hash_power = power(&nodes[branch]);
            BranchCard {
                told: BranchTold {
                    id: branch,
                    tip: tip.id,
                    tip_height: tip.height,
                    blocks: blocks[branch],
                    chain_work: tip.chain_work,
                    miners: self.model.cast.ranges(miners[branch].iter().copied()),
                    nodes: self.model.cast.ranges(nodes[branch].iter().copied()),
                    hash_power: hash_power.0.to_string(),
                },
                first: chain.block(members.first[branch]).id,
                node_count: nodes[branch].len(),
                node_share: share(nodes[branch].len() as u64, running as u64).unwrap_or(0.0),
                hash_share: share(hash_power.0, all.0),
            }
        };
        (0..tips.len()).map(card).collect()
    }
}

impl ResolutionCard {
    fn of(told: &ForkResolved) -> Self {
        Self {
            told: told.end.clone(),
            because: told.end.cause.words(),
        }
    }
}

/// A part of a whole; none of nothing.
#[expect(clippy::cast_precision_loss, reason = "a share is for people")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
