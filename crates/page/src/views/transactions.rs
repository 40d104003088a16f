//! Transactions: what became of each until a time.

use std::collections::BTreeMap;

use chain::{BlockId, Txid};
use observe::model::{BlockNumber, Model, Moment};
use observe::told::Dropped;
use serde::Serialize;

use super::fork::why_dropped;
use super::letters::Letters;
use crate::limits::MAX_TRANSACTIONS;

/// The newest transactions.
#[derive(Debug, Serialize)]
pub(crate) struct TransactionsView {
    transactions: Vec<TransactionView>,
    left_out: usize,
}

#[derive(Debug, Serialize)]
struct TransactionView {
    tx: Txid,
    label: Option<String>,
    first_seen_us: u64,
    state: &'static str,
    confirmed_in: Vec<PlaceView>,
    refused: Option<String>,
}

#[derive(Debug, Serialize)]
struct PlaceView {
    block: BlockId,
    height: u32,
    side: Option<String>,
}

impl TransactionsView {
    pub(crate) fn of(model: &Model, moment: &Moment<'_>) -> Self {
        let chain = model.chain();
        let seen = moment.blocks_seen();
        let mut places: BTreeMap<Txid, Vec<BlockNumber>> = BTreeMap::new();
        for (number, transaction) in chain.all_transactions().filter(|(number, _)| number.index() < seen) {
            places.entry(transaction.txid).or_default().push(number);
        }
        let known = model.transactions().all().filter(|tx| tx.first <= moment.time());
        let mut listed: Vec<_> = known.collect();
        listed.sort_by_key(|tx| std::cmp::Reverse((tx.first, tx.txid)));
        let left_out = listed.len().saturating_sub(MAX_TRANSACTIONS);
        listed.truncate(MAX_TRANSACTIONS);
        let best = moment.best();
        let in_best = |number: &BlockNumber| best.is_some_and(|best| chain.fork_point(best, *number) == *number);
        let dropped = dropped(model, moment);
        let letters = Letters::at(model, moment.time());
        let view = |tx: &&observe::model::Transaction| {
            let places = places.get(&tx.txid).map_or(&[][..], Vec::as_slice);
            let dropped = dropped.get(&tx.txid).map(|dropped| why_dropped(model, dropped));
            let confirmed = places.iter().any(in_best);
            TransactionView {
                tx: tx.txid,
                label: tx.label.clone(),
                first_seen_us: tx.first.as_micros(),
                state: match (confirmed, places.is_empty(), &dropped) {
                    (true, _, _) => "confirmed",
                    (false, _, Some(_)) => "lost",
                    (false, false, None) => "in a stale block",
                    (false, true, None) => "waiting",
                },
                confirmed_in: places
                    .iter()
                    .map(|&number| PlaceView {
                        block: chain.block(number).id,
                        height: chain.block(number).height.0,
                        side: letters.of(number),
                    })
                    .collect(),
                refused: dropped,
            }
        };
        Self {
            transactions: listed.iter().map(view).collect(),
            left_out,
        }
    }
}

/// The transactions that reorgs had left behind, and the first to tell why.
fn dropped<'a>(model: &'a Model, moment: &Moment<'_>) -> BTreeMap<Txid, &'a Dropped> {
    let until = model.reorgs().iter().take_while(|reorg| reorg.at <= moment.time());
    // The first of several is what stays.
    until
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .flat_map(|reorg| &reorg.dropped)
        .map(|dropped| (dropped.txid, dropped))
        .collect()
}
