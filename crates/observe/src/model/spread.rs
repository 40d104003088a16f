//! How a block spread: when each node had it, and from whom.

use std::ops::ControlFlow;

use base::{NodeId, Time};
use chain::BlockId;
use serde::Serialize;

use super::{BlockNumber, Model};
use crate::arrivals::{Unreadable, What};
use crate::spread::percentile;

/// A block at a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct BlockArrival {
    /// Which node.
    pub node: NodeId,
    /// When it had the block, and had found it valid.
    #[serde(rename = "t_us")]
    pub at: Time,
    /// How long after the block was mined.
    pub delay_us: u64,
    /// Who sent it; none for the miner, or when it was not seen.
    pub from: Option<NodeId>,
}

/// How a block spread. Percentiles are over the nodes it reached, its miner aside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Spread {
    /// The block.
    pub block: BlockId,
    /// Who mined it, when that was seen.
    pub miner: Option<NodeId>,
    /// When it was mined, or first seen.
    pub mined_us: u64,
    /// The nodes it reached, in that order.
    pub arrivals: Vec<BlockArrival>,
    /// Half of them had it after this.
    pub p50_us: Option<u64>,
    /// Nine of ten had it after this.
    pub p90_us: Option<u64>,
    /// Ninety-nine of a hundred had it after this.
    pub p99_us: Option<u64>,
    /// All of them had it after this.
    pub last_us: Option<u64>,
}

impl Model {
    /// How a block spread, as far as the log goes.
    ///
    /// # Errors
    /// When what was written to disk of it cannot be read back.
    pub fn spread(&self, block: BlockNumber) -> Result<Spread, Unreadable> {
        let facts = self.chain.block(block);
        let mined = facts.mined.unwrap_or(facts.seen);
        // Once its spread was measured it is known when the last node had it.
        let known = self.chain.spread_of(block).filter(|spread| spread.never == 0);
        let until = known.and_then(|spread| spread.last_us);
        let until = until.map_or(self.now, |last| {
            Time::from_micros(mined.as_micros().saturating_add(last))
        });
        let mut reached = vec![false; self.cast.len()];
        let mut arrivals = Vec::new();
        self.arrivals.walk((facts.seen, until), |arrival| {
            if arrival.block == block
                && let What::Connected { from } = arrival.what
                && !std::mem::replace(&mut reached[arrival.node.index()], true)
            {
                arrivals.push(BlockArrival {
                    node: arrival.node,
                    at: arrival.at,
                    delay_us: arrival.at.as_micros().saturating_sub(mined.as_micros()),
                    from,
                });
            }
            ControlFlow::Continue(())
        })?;
        let others = arrivals.iter().filter(|arrival| Some(arrival.node) != facts.miner);
        let delays: Vec<u64> = others.map(|arrival| arrival.delay_us).collect();
        Ok(Spread {
            block: facts.id,
            miner: facts.miner,
            mined_us: mined.as_micros(),
            p50_us: percentile(&delays, 50),
            p90_us: percentile(&delays, 90),
            p99_us: percentile(&delays, 99),
            last_us: delays.last().copied(),
            arrivals,
        })
    }
}
