//! Why a transaction ended as it did.

use std::collections::BTreeMap;

use base::NodeId;
use chain::{BlockId, Height, Txid};
use serde::Serialize;

use super::WhyError;
use crate::log::LoggedEvent;
use crate::model::events::EventFilter;
use crate::model::{Follow, Model};
use crate::told::{ConflictTold, Dropped, Spend, Told};

/// A transaction, where it was confirmed, what it competed with, and what every node made of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WhyTransaction {
    /// The transaction.
    pub txid: Txid,
    /// What the scenario calls it, and whom it pays.
    pub label: Option<String>,
    /// When it was first told of.
    pub first_us: Option<u64>,
    /// The node that a wallet handed it to.
    pub submitted_to: Option<String>,
    /// Its size.
    pub bytes: Option<u32>,
    /// What it pays.
    pub fee: Option<u64>,
    /// The coins it spends, when a block has it, or it lost to another.
    pub inputs: Vec<Spend>,
    /// The blocks it is in.
    pub blocks: Vec<InBlock>,
    /// Whether one of them is on the chain with the most work.
    pub confirmed: bool,
    /// Transactions that spend the same coin.
    pub rivals: Vec<Rival>,
    /// Every node that told of it, in order.
    pub nodes: Vec<NodeAndTransaction>,
}

/// A block that a transaction is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct InBlock {
    /// The block.
    pub block: BlockId,
    /// Its height.
    pub height: Height,
    /// Whether it is not on the chain with the most work.
    pub stale: bool,
    /// The fork it lost at, and its branch there.
    pub lost_at: Option<(usize, usize)>,
}

/// A transaction that spends the same coin.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Rival {
    /// The other.
    pub txid: Txid,
    /// What the scenario calls it.
    pub label: Option<String>,
    /// The coin.
    pub coin: Spend,
    /// The blocks it is in.
    pub blocks: Vec<InBlock>,
}

/// What one node made of a transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NodeAndTransaction {
    /// The node.
    pub node: String,
    /// What happened to it there, in order: when, and in words.
    pub events: Vec<(u64, String)>,
    /// What of that decided: `accepted`, `refused`, `dropped`, `evicted`, `replaced`, `returned`.
    pub verdict: &'static str,
    /// The reason word, when it was not accepted in the end.
    pub reason: Option<String>,
}

/// Something that happened to a transaction at a node.
struct Happened {
    verdict: &'static str,
    words: String,
    reason: Option<String>,
    conflict: Option<ConflictTold>,
}

impl WhyTransaction {
    pub(super) fn of(follow: &Follow, txid: &Txid) -> Result<Option<Self>, WhyError> {
        let model = follow.model();
        let places = model.places();
        let known = model.transactions.transaction(txid);
        if known.is_none() && !places.contains_key(txid) {
            return Ok(None);
        }
        let (nodes, conflicts) = by_node(follow, txid)?;
        let blocks = model.in_blocks(places.get(txid).map_or(&[], Vec::as_slice));
        let mut inputs: Vec<Spend> = model.inputs(txid);
        inputs.extend(conflicts.iter().map(|conflict| conflict.outpoint));
        inputs.sort_unstable();
        inputs.dedup();
        let mut rivals: BTreeMap<(Spend, Txid), Rival> = BTreeMap::new();
        let competing = model.chain.all_transactions().flat_map(|(_, other)| {
            let shared = other.inputs.iter().filter(|coin| inputs.contains(coin));
            shared.map(|coin| (*coin, other.txid))
        });
        let told = conflicts.iter().map(|conflict| (conflict.outpoint, conflict.txid));
        for (coin, other) in competing.chain(told).filter(|(_, other)| other != txid) {
            rivals.entry((coin, other)).or_insert_with(|| Rival {
                txid: other,
                label: model.transactions.label_of(&other).map(str::to_owned),
                coin,
                blocks: model.in_blocks(places.get(&other).map_or(&[], Vec::as_slice)),
            });
        }
        Ok(Some(Self {
            txid: *txid,
            label: model.transactions.label_of(txid).map(str::to_owned),
            first_us: known.map(|known| known.first.as_micros()),
            submitted_to: known
                .and_then(|known| known.submitted_to)
                .map(|node| model.cast.name(node).to_owned()),
            bytes: known.and_then(|known| known.bytes),
            fee: known.and_then(|known| known.fee),
            confirmed: blocks.iter().any(|block| !block.stale),
            inputs,
            blocks,
            rivals: rivals.into_values().collect(),
            nodes,
        }))
    }
}

impl Model {
    fn inputs(&self, txid: &Txid) -> Vec<Spend> {
        let found = self
            .chain
            .all_transactions()
            .find(|(_, transaction)| transaction.txid == *txid);
        found.map_or_else(Vec::new, |(_, transaction)| transaction.inputs.clone())
    }

    fn in_blocks(&self, blocks: &[crate::arrivals::BlockNumber]) -> Vec<InBlock> {
        let place = |number: &crate::arrivals::BlockNumber| {
            let block = self.chain.block(*number);
            InBlock {
                block: block.id,
                height: block.height,
                stale: self.is_stale(*number),
                lost_at: self.lost_at(*number),
            }
        };
        blocks.iter().map(place).collect()
    }
}

/// What happened to a transaction at each node that told of it, and what it was said to conflict with.
fn by_node(follow: &Follow, txid: &Txid) -> Result<(Vec<NodeAndTransaction>, Vec<ConflictTold>), WhyError> {
    let model = follow.model();
    let kinds = [
        "tx_submitted",
        "tx_accepted",
        "tx_rejected",
        "tx_evicted",
        "tx_replaced",
        "reorg",
    ];
    let filter = EventFilter {
        kinds: kinds.map(str::to_owned).to_vec(),
        about: Some(txid.to_string()),
        ..EventFilter::default()
    };
    let mut nodes: BTreeMap<NodeId, NodeAndTransaction> = BTreeMap::new();
    let mut conflicts = Vec::new();
    for event in follow.events(&filter, usize::MAX)?.events {
        let node = event.node.as_deref().and_then(|name| model.cast.node(name));
        let (Some(node), Some(happened)) = (node, happened(&event, txid)) else {
            continue;
        };
        let entry = nodes.entry(node).or_insert_with(|| NodeAndTransaction {
            node: model.cast.name(node).to_owned(),
            events: Vec::new(),
            verdict: happened.verdict,
            reason: None,
        });
        entry.events.push((event.t_us, happened.words));
        entry.verdict = happened.verdict;
        entry.reason = happened.reason;
        conflicts.extend(happened.conflict);
    }
    Ok((nodes.into_values().collect(), conflicts))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "few kinds are about transactions")]
fn happened(event: &LoggedEvent, txid: &Txid) -> Option<Happened> {
    let happened = |verdict, words: String, reason: Option<String>, conflict| Happened {
        verdict,
        words,
        reason,
        conflict,
    };
    match Told::of(event).ok().flatten()? {
        Told::TxSubmitted(_) => Some(happened("submitted", "handed in by a wallet".to_owned(), None, None)),
        Told::TxAccepted(told) => {
            let from = told.from.map_or_else(String::new, |from| format!(" from {from}"));
            Some(happened("accepted", format!("accepted{from}"), None, None))
        }
        Told::TxRejected(told) => {
            let from = told.from.map_or_else(String::new, |from| format!(" from {from}"));
            let words = format!("refused{from}: {}", told.reason);
            Some(happened("refused", words, Some(told.reason), told.conflicts_with))
        }
        Told::TxEvicted(told) => {
            let words = format!("evicted: {}", told.reason);
            Some(happened("evicted", words, Some(told.reason), told.conflicts_with))
        }
        Told::TxReplaced(told) if told.txid == *txid => {
            let words = format!("gave way to {}", told.by.0.leading());
            Some(happened("replaced", words, None, None))
        }
        Told::Reorg(told) => match told.txs_dropped.into_iter().find(|dropped| dropped.txid == *txid) {
            Some(Dropped {
                reason, conflicts_with, ..
            }) => Some(happened(
                "dropped",
                format!("dropped in a reorg: {reason}"),
                Some(reason),
                conflicts_with,
            )),
            None if told.txs_returned.contains(txid) => Some(happened(
                "returned",
                "back to the mempool in a reorg".to_owned(),
                None,
                None,
            )),
            None => None,
        },
        _ => None,
    }
}
