//! All there is to say of a fork: how it stood, who was where, what its branches spend differently, whom it made go over.

use std::collections::BTreeMap;

use base::{NodeId, Time};
use chain::{BlockId, Height, Txid};
use serde::Serialize;

use super::{ForkCard, ForkSeries, TransactionDifference};
use crate::arrivals::{BlockNumber, Unreadable};
use crate::model::{Model, Moment, ReorgFacts};
use crate::told::Dropped;

/// A fork's story up to some time.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ForkStory {
    /// How it stood then.
    #[serde(flatten)]
    pub card: ForkCard,
    /// Who was on which branch, until then.
    #[serde(flatten)]
    pub series: ForkSeries,
    /// What each other branch spends differently from the one that won, or from the first.
    pub differences: Vec<TransactionDifference>,
    /// The reorgs it caused, once for all nodes that went through the same.
    pub reorgs: Vec<ReorgStory>,
}

/// A reorg that nodes went through alike. Lists are oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ReorgStory {
    /// When the first of them did.
    #[serde(rename = "first_us")]
    pub first: Time,
    /// When the last of them did.
    #[serde(rename = "last_us")]
    pub last: Time,
    /// They.
    pub nodes: Vec<String>,
    /// How many they are.
    pub node_count: usize,
    /// The fork whose branches they went between.
    pub fork: Option<usize>,
    /// The last common block.
    pub fork_point: BlockId,
    /// The fork point's height.
    pub height: Height,
    /// How many blocks were disconnected.
    pub depth: usize,
    /// They.
    pub disconnected: Vec<BlockId>,
    /// Those that came instead.
    pub connected: Vec<BlockId>,
    /// Transactions that went back to the mempool.
    pub returned: Vec<Txid>,
    /// Transactions that could not.
    pub dropped: Vec<Dropped>,
}

impl Moment<'_> {
    /// The story of a fork up to then; none when it had not opened.
    ///
    /// # Errors
    /// When what nodes followed was written to disk and cannot be read back.
    pub fn fork_story(&self, id: usize) -> Result<Option<ForkStory>, Unreadable> {
        let Some(card) = self.fork(id) else { return Ok(None) };
        let Some(series) = self.model.fork_series_until(id, self.at)? else {
            return Ok(None);
        };
        let first = card.resolution.as_ref().and_then(|end| end.told.winner).unwrap_or(0);
        let others = (0..card.branches.len()).filter(|branch| *branch != first);
        let differences = others.filter_map(|other| self.model.transaction_difference(id, [first, other], self.at));
        Ok(Some(ForkStory {
            differences: differences.collect(),
            reorgs: self
                .model
                .reorg_stories(|reorg| reorg.fork == Some(id) && reorg.at <= self.at),
            card,
            series,
        }))
    }
}

impl Model {
    /// The reorgs that are wanted, once for all nodes that went through the same, in the order of the first.
    pub fn reorg_stories(&self, wanted: impl Fn(&ReorgFacts) -> bool) -> Vec<ReorgStory> {
        // The first of each kind, and all its nodes: kinds that are alike have their fork point and new tip in common.
        let mut places: BTreeMap<(BlockNumber, Option<BlockNumber>), Vec<usize>> = BTreeMap::new();
        let mut kinds: Vec<(&ReorgFacts, Time, Vec<NodeId>)> = Vec::new();
        for reorg in self.reorgs.iter().filter(|reorg| wanted(reorg)) {
            let alike = places
                .entry((reorg.fork_point, reorg.connected.last().copied()))
                .or_default();
            match alike.iter().find(|kind| kinds[**kind].0.is_like(reorg)) {
                Some(&kind) => {
                    kinds[kind].1 = reorg.at;
                    kinds[kind].2.push(reorg.node);
                }
                None => {
                    alike.push(kinds.len());
                    kinds.push((reorg, reorg.at, vec![reorg.node]));
                }
            }
        }
        let names = |blocks: &[BlockNumber]| blocks.iter().map(|number| self.chain.block(*number).id).collect();
        let story = |(first, last, nodes): (&ReorgFacts, Time, Vec<NodeId>)| ReorgStory {
            first: first.at,
            last,
            node_count: nodes.len(),
            nodes: self.cast.ranges(nodes),
            fork: first.fork,
            fork_point: self.chain.block(first.fork_point).id,
            height: self.chain.block(first.fork_point).height,
            depth: first.disconnected.len(),
            disconnected: names(&first.disconnected),
            connected: names(&first.connected),
            returned: first.returned.clone(),
            dropped: first.dropped.clone(),
        };
        kinds.into_iter().map(story).collect()
    }
}
