//! A fork: its branches, who was on which for how long, what they disagree about, and why it ended.

use std::collections::{BTreeMap, BTreeSet};

use chain::{BlockId, Txid};
use observe::arrivals::Unreadable;
use observe::model::{BranchCard, ForkCard, ForkSeries, Model, Moment, ReorgFacts, Unshared};
use observe::told::Dropped;
use serde::Serialize;

use super::letters::letter;
use crate::limits::{MAX_BRANCH_BLOCKS, MAX_DIFFERING, MAX_STAYING_NODES};

/// A fork as it is known, and who was where at the moment asked for.
#[derive(Debug, Serialize)]
pub(crate) struct ForkView {
    id: usize,
    point: BlockId,
    height: u32,
    opened_us: u64,
    resolved_us: Option<u64>,
    branches: Vec<BranchView>,
    winner: Option<usize>,
    cause: Option<serde_json::Value>,
    stale_blocks: Option<u32>,
    deepest_reorg: u32,
    nodes_reorged: Vec<String>,
    shares: Vec<ShareView>,
    of_nodes: usize,
    widest_us: u64,
    stays: Vec<StaysView>,
    transactions: Vec<DifferenceView>,
    transactions_left_out: usize,
    transactions_known: bool,
}

#[derive(Debug, Serialize)]
struct BranchView {
    letter: String,
    tip: BlockId,
    height: u32,
    blocks: Vec<BlockView>,
    blocks_left_out: usize,
    miners: Vec<String>,
    chain_work: String,
    nodes: Vec<String>,
    most_nodes: u32,
    now: Vec<String>,
    now_nodes: usize,
    now_hash_share: Option<f64>,
}

#[derive(Debug, Serialize)]
struct BlockView {
    block: BlockId,
    height: u32,
    miner: Option<String>,
    txs: usize,
}

#[derive(Debug, Serialize)]
struct ShareView {
    t_us: u64,
    nodes: Vec<u32>,
    hash: Vec<f64>,
}

#[derive(Debug, Serialize)]
struct StaysView {
    node: String,
    stays: Vec<StayView>,
}

#[derive(Debug, Serialize)]
struct StayView {
    branch: usize,
    from_us: u64,
    to_us: Option<u64>,
}

/// A transaction that not all branches have.
#[derive(Debug, Serialize)]
struct DifferenceView {
    tx: Txid,
    label: Option<String>,
    /// For each branch the block it is in.
    blocks: Vec<Option<BlockId>>,
    lost: bool,
    why: Option<String>,
}

impl ForkView {
    /// None when there is no such fork.
    pub(crate) fn of(model: &Model, id: usize, moment: &Moment<'_>) -> Result<Option<Self>, Unreadable> {
        let latest = model.at(model.now())?;
        let (Some(card), Some(series)) = (latest.fork(id), model.fork_series(id)?) else {
            return Ok(None);
        };
        let then = moment.fork(id);
        let shares = shares(&series);
        let ended = card.resolution.as_ref();
        let differences = differences(model, &card);
        Ok(Some(Self {
            id,
            point: card.fork_point,
            height: card.height.0,
            opened_us: card.opened_us,
            resolved_us: card.ended_us,
            branches: branches(model, &card, &series, then.as_ref()),
            winner: ended.and_then(|end| end.told.winner),
            cause: ended.and_then(|end| serde_json::to_value(end.told.cause).ok()),
            stale_blocks: ended.map(|end| end.told.stale_blocks),
            deepest_reorg: ended.map_or(0, |end| end.told.deepest_reorg),
            nodes_reorged: ended.map_or_else(Vec::new, |end| end.told.nodes_reorged.clone()),
            of_nodes: series.points.iter().map(running).max().unwrap_or(0) as usize,
            widest_us: series.widest().map_or(card.opened_us, base::Time::as_micros),
            shares,
            stays: stays(model, &series),
            transactions_known: card.branches.iter().all(|branch| is_told(model, &card, branch)),
            transactions_left_out: differences.len().saturating_sub(MAX_DIFFERING),
            transactions: differences.into_iter().take(MAX_DIFFERING).collect(),
        }))
    }
}

fn branches(model: &Model, card: &ForkCard, series: &ForkSeries, then: Option<&ForkCard>) -> Vec<BranchView> {
    let view = |branch: &BranchCard| {
        let side = series.sides.get(branch.told.id);
        let now = then.and_then(|card| card.branches.get(branch.told.id));
        let path = path(model, card, branch);
        let blocks: Vec<BlockView> = path
            .iter()
            .map(|&number| {
                let facts = model.chain().block(number);
                BlockView {
                    block: facts.id,
                    height: facts.height.0,
                    miner: facts.miner.map(|miner| model.cast().name(miner).to_owned()),
                    txs: facts.transactions,
                }
            })
            .collect();
        BranchView {
            letter: letter(branch.told.id),
            tip: branch.told.tip,
            height: branch.told.tip_height.0,
            blocks_left_out: blocks.len().saturating_sub(MAX_BRANCH_BLOCKS),
            blocks: ends(blocks),
            miners: branch.told.miners.clone(),
            chain_work: branch.told.chain_work.to_string(),
            nodes: side.map_or_else(Vec::new, |side| side.first_here.clone()),
            most_nodes: side.map_or(0, |side| side.most_nodes),
            now: now.map_or_else(Vec::new, |now| now.told.nodes.clone()),
            now_nodes: now.map_or(0, |now| now.node_count),
            now_hash_share: now.and_then(|now| now.hash_share),
        }
    };
    card.branches.iter().map(view).collect()
}

/// The first and the last blocks of a long branch.
fn ends(mut blocks: Vec<BlockView>) -> Vec<BlockView> {
    let more = blocks.len().saturating_sub(MAX_BRANCH_BLOCKS);
    let first = MAX_BRANCH_BLOCKS / 2;
    blocks.drain(first.min(blocks.len())..(first + more).min(blocks.len()));
    blocks
}

fn path(model: &Model, card: &ForkCard, branch: &BranchCard) -> Vec<observe::model::BlockNumber> {
    let chain = model.chain();
    match (chain.number(&card.fork_point), chain.number(&branch.told.tip)) {
        (Some(point), Some(tip)) => chain.path(point, tip),
        _ => Vec::new(),
    }
}

/// Whether the log told what each block of a branch spends.
fn is_told(model: &Model, card: &ForkCard, branch: &BranchCard) -> bool {
    let chain = model.chain();
    path(model, card, branch)
        .into_iter()
        .all(|number| chain.block(number).transactions <= 1 || !chain.transactions(number).is_empty())
}

fn running(point: &observe::model::SeriesPoint) -> u32 {
    point.nodes.iter().sum::<u32>() + point.elsewhere
}

#[expect(clippy::cast_precision_loss, reason = "a share is for people")]
fn shares(series: &ForkSeries) -> Vec<ShareView> {
    let share = |point: &observe::model::SeriesPoint| {
        let all: u64 = point.hash_power.iter().fold(0, |sum, power| sum.saturating_add(*power));
        let of_all = |power: &u64| if all == 0 { 0.0 } else { *power as f64 / all as f64 };
        ShareView {
            t_us: point.at.as_micros(),
            nodes: point.nodes.clone(),
            hash: point.hash_power.iter().map(of_all).collect(),
        }
    };
    series.points.iter().map(share).collect()
}

fn stays(model: &Model, series: &ForkSeries) -> Vec<StaysView> {
    if model.cast().len() > MAX_STAYING_NODES {
        return Vec::new();
    }
    let view = |node: &observe::model::NodeStays| StaysView {
        node: model.cast().name(node.node).to_owned(),
        stays: node
            .stays
            .iter()
            .map(|stay| StayView {
                branch: stay.branch,
                from_us: stay.from.as_micros(),
                to_us: stay.until.map(base::Time::as_micros),
            })
            .collect(),
    };
    series.stays.iter().map(view).collect()
}

/// What branches have that the winner (or the first, while there is none) has not, and the other way round.
fn differences(model: &Model, card: &ForkCard) -> Vec<DifferenceView> {
    let best = card.resolution.as_ref().and_then(|end| end.told.winner).unwrap_or(0);
    let count = card.branches.len();
    let mut found: BTreeMap<Txid, DifferenceView> = BTreeMap::new();
    let mut rivals: BTreeMap<Txid, String> = BTreeMap::new();
    for other in (0..count).filter(|other| *other != best) {
        let Some(difference) = model.transaction_difference(card.fork, [best, other], model.now()) else {
            continue;
        };
        for (branch, only) in [best, other].into_iter().zip(&difference.only) {
            for unshared in only {
                let entry = found.entry(unshared.txid).or_insert_with(|| DifferenceView {
                    tx: unshared.txid,
                    label: unshared.label.clone(),
                    blocks: vec![None; count],
                    lost: false,
                    why: None,
                });
                entry.blocks[branch] = Some(unshared.block);
            }
        }
        for pair in &difference.rivals {
            let [kept, given_up] = &pair.spenders;
            let rival = |of: &Unshared, branch: usize| {
                format!(
                    "spends the same coin as {} on {}",
                    named(of.label.as_deref(), &of.txid),
                    letter(branch)
                )
            };
            rivals.insert(given_up.txid, rival(kept, best));
            rivals.insert(kept.txid, rival(given_up, other));
        }
    }
    let resolved = card.resolution.is_some();
    let mut all: Vec<DifferenceView> = found.into_values().collect();
    for entry in &mut all {
        settle(model, card, entry, (best, resolved));
        let rival = rivals.get(&entry.tx).cloned();
        entry.why = match (entry.why.take(), rival) {
            (Some(why), Some(rival)) if !entry.lost => Some(format!("{why}; {rival}")),
            (why, rival) => why.or(rival),
        };
    }
    // Those that lost are what people look for.
    all.sort_by_key(|entry| (!entry.lost, !rivals.contains_key(&entry.tx), entry.tx));
    all
}

/// Says what became of a transaction, once that is decided.
fn settle(model: &Model, card: &ForkCard, entry: &mut DifferenceView, (best, resolved): (usize, bool)) {
    if !resolved {
        return;
    }
    if entry.blocks[best].is_some() {
        entry.why = Some("stays confirmed".to_owned());
        return;
    }
    let here = |reorg: &&ReorgFacts| reorg.fork == Some(card.fork);
    let of_fork: Vec<&ReorgFacts> = model.reorgs().iter().filter(here).collect();
    if let Some(dropped) = of_fork
        .iter()
        .flat_map(|reorg| &reorg.dropped)
        .find(|it| it.txid == entry.tx)
    {
        entry.lost = true;
        entry.why = Some(why_dropped(model, dropped));
        return;
    }
    let on_branches: BTreeSet<BlockId> = entry.blocks.iter().flatten().copied().collect();
    let chain = model.chain();
    let again = chain
        .all_transactions()
        .find(|(number, transaction)| transaction.txid == entry.tx && !on_branches.contains(&chain.block(*number).id));
    entry.why = match again {
        Some((number, _)) => {
            let block = chain.block(number);
            Some(format!(
                "confirmed again in block {} {}",
                block.height,
                block.id.short()
            ))
        }
        None if of_fork.iter().any(|reorg| reorg.returned.contains(&entry.tx)) => {
            Some("went back to wait for another block".to_owned())
        }
        None => None,
    };
}

/// What a transaction is called, and how it begins.
fn named(label: Option<&str>, txid: &Txid) -> String {
    let short: String = txid.to_string().chars().take(8).collect();
    label.map_or_else(|| short.clone(), |label| format!("{label} ({short})"))
}

/// Why a transaction could not come back after a reorg.
pub(super) fn why_dropped(model: &Model, dropped: &Dropped) -> String {
    let Some(conflict) = &dropped.conflicts_with else {
        return dropped.reason.clone();
    };
    let rival = named(model.transactions().label_of(&conflict.txid), &conflict.txid);
    let place = conflict
        .block
        .and_then(|block| model.chain().number(&block))
        .map(|number| {
            let block = model.chain().block(number);
            format!(" in block {} {}", block.height, block.id.short())
        });
    format!("its coin was spent by {rival}{}", place.unwrap_or_default())
}
