//! How the last blocks spread.

use chain::BlockId;
use observe::arrivals::Unreadable;
use observe::model::{BlockNumber, Model, Moment};
use serde::Serialize;

use crate::limits::{MAX_SPREAD_BLOCKS, MAX_SPREAD_CELLS};

/// How the last blocks before a time spread.
#[derive(Debug, Serialize)]
pub(crate) struct SpreadView {
    blocks: Vec<BlockView>,
    nodes: Vec<String>,
    nodes_left_out: usize,
}

#[derive(Debug, Serialize)]
struct BlockView {
    block: BlockId,
    height: u32,
    miner: Option<String>,
    mined_us: u64,
    /// By node: 0 for the miner, none where it had not come by then.
    delays: Vec<Option<u64>>,
    p50_us: Option<u64>,
    p90_us: Option<u64>,
    p99_us: Option<u64>,
    last_us: Option<u64>,
    missing: usize,
}

impl SpreadView {
    /// The last blocks that had been mined by then. With many nodes there are fewer blocks, and every so many nodes.
    pub(crate) fn of(model: &Model, moment: &Moment<'_>) -> Result<Self, Unreadable> {
        let all = model.cast().len();
        let every = all.div_ceil(MAX_SPREAD_CELLS / 20).max(1);
        let shown: Vec<usize> = (0..all).step_by(every).collect();
        let most = (MAX_SPREAD_CELLS / shown.len().max(1)).min(MAX_SPREAD_BLOCKS);
        let seen = moment.blocks_seen();
        let blocks: Result<Vec<BlockView>, Unreadable> = (seen.saturating_sub(most).max(1)..seen)
            .map(|place| BlockView::of(model, moment, BlockNumber::at(place), &shown))
            .collect();
        Ok(Self {
            blocks: blocks?,
            nodes: shown.iter().map(|&node| model.cast().names()[node].clone()).collect(),
            nodes_left_out: all - shown.len(),
        })
    }
}

impl BlockView {
    fn of(model: &Model, moment: &Moment<'_>, number: BlockNumber, shown: &[usize]) -> Result<Self, Unreadable> {
        let facts = model.chain().block(number);
        let spread = model.spread(number)?;
        let mut delays = vec![None; model.cast().len()];
        let mut there = 0;
        for arrival in spread.arrivals.iter().filter(|arrival| arrival.at <= moment.time()) {
            delays[arrival.node.index()] = Some(arrival.delay_us);
            there += usize::from(Some(arrival.node) != spread.miner);
        }
        if let Some(miner) = spread.miner {
            delays[miner.index()] = Some(0);
            there += 1;
        }
        Ok(Self {
            block: facts.id,
            height: facts.height.0,
            miner: facts.miner.map(|miner| model.cast().name(miner).to_owned()),
            mined_us: spread.mined_us,
            delays: shown.iter().map(|&node| delays[node]).collect(),
            p50_us: spread.p50_us,
            p90_us: spread.p90_us,
            p99_us: spread.p99_us,
            last_us: spread.last_us,
            missing: model.cast().len().saturating_sub(there),
        })
    }
}
