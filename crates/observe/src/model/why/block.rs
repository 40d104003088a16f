//! Why a block ended as it did.

use std::collections::BTreeMap;

use base::{NodeId, Time};
use chain::{BlockId, Height, Txid};
use serde::Serialize;

use super::WhyError;
use crate::model::events::EventFilter;
use crate::model::{BlockNumber, Follow, Model};
use crate::told::{Loss, MessageDropped, Told};

/// A block, and what every node made of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WhyBlock {
    /// The block.
    pub block: BlockId,
    /// Its height.
    pub height: Height,
    /// Its parent; none for the genesis block.
    pub parent: Option<BlockId>,
    /// Who mined it, when that was seen.
    pub miner: Option<String>,
    /// When it was mined, or first seen.
    pub mined_us: u64,
    /// Its transactions, its coinbase aside, and what the scenario calls them.
    pub transactions: Vec<(Txid, Option<String>)>,
    /// Whether it is not on the chain with the most work.
    pub stale: bool,
    /// The fork it lost at, and its branch there.
    pub lost_at: Option<(usize, usize)>,
    /// Why that fork ended, in words.
    pub because: Option<&'static str>,
    /// Every node, in order.
    pub nodes: Vec<NodeAndBlock>,
}

/// What one node made of a block.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct NodeAndBlock {
    /// The node.
    pub node: String,
    /// When it first heard of it: a header, a body, or its own.
    pub heard_us: Option<u64>,
    /// When it had it, with all ancestors, and found it valid.
    pub connected_us: Option<u64>,
    /// How long after it was mined.
    pub delay_us: Option<u64>,
    /// Who sent it.
    pub from: Option<String>,
    /// When the node first stood on it, with its tip here or above.
    pub followed_us: Option<u64>,
    /// When a reorg took it out of the node's chain.
    pub left_us: Option<u64>,
    /// Why the node refused it, when it did: the reason word, and in words.
    pub refused: Option<(String, String)>,
    /// The parent it waited for.
    pub waited_for: Option<BlockId>,
    /// How many messages about it were lost on the way to the node: in full detail.
    pub lost_messages: u32,
    /// Why the last of them was.
    pub lost_because: Option<Loss>,
}

impl WhyBlock {
    /// The same as far as it had come at a time: what nodes did later is left out. Where it stood in the end stays.
    #[must_use]
    pub fn until(mut self, at: Time) -> Self {
        let later = |time: &mut Option<u64>| time.take_if(|time| *time > at.as_micros()).is_some();
        for node in &mut self.nodes {
            if later(&mut node.connected_us) {
                (node.delay_us, node.from) = (None, None);
            }
            for time in [&mut node.heard_us, &mut node.followed_us, &mut node.left_us] {
                later(time);
            }
        }
        self
    }

    pub(super) fn of(follow: &Follow, number: BlockNumber) -> Result<Self, WhyError> {
        let model = follow.model();
        let facts = model.chain.block(number);
        let mut nodes = heard(follow, number)?;
        let spread = model.spread(number)?;
        for arrival in &spread.arrivals {
            let node = &mut nodes[arrival.node.index()];
            node.connected_us = Some(arrival.at.as_micros());
            node.delay_us = Some(arrival.delay_us);
            node.from = arrival.from.map(|from| model.cast.name(from).to_owned());
            node.heard_us = Some(node.heard_us.unwrap_or(u64::MAX).min(arrival.at.as_micros()));
        }
        follow_times(model, number, &mut nodes)?;
        let lost_at = model.lost_at(number);
        let end = lost_at.and_then(|(fork, _)| model.fork(fork)?.end.as_ref());
        let transactions = model.chain.transactions(number).iter();
        Ok(Self {
            block: facts.id,
            height: facts.height,
            parent: facts.parent.map(|parent| model.chain.block(parent).id),
            miner: facts.miner.map(|miner| model.cast.name(miner).to_owned()),
            mined_us: spread.mined_us,
            transactions: transactions
                .map(|transaction| {
                    let label = model.transactions.label_of(&transaction.txid);
                    (transaction.txid, label.map(str::to_owned))
                })
                .collect(),
            stale: model.is_stale(number),
            lost_at,
            because: end.map(|(_, told)| told.end.cause.words()),
            nodes,
        })
    }
}

/// What the log's lines about a block say of each node.
fn heard(follow: &Follow, number: BlockNumber) -> Result<Vec<NodeAndBlock>, WhyError> {
    let model = follow.model();
    let names = model.cast.names().iter();
    let mut nodes: Vec<NodeAndBlock> = names
        .map(|name| NodeAndBlock {
            node: name.clone(),
            ..NodeAndBlock::default()
        })
        .collect();
    let kinds = [
        "header_accepted",
        "block_received",
        "block_rejected",
        "orphan_held",
        "message_dropped",
    ];
    let filter = EventFilter {
        kinds: kinds.map(str::to_owned).to_vec(),
        about: Some(model.chain.block(number).id.to_string()),
        ..EventFilter::default()
    };
    for event in follow.events(&filter, usize::MAX)?.events {
        let Some(node) = event.node.as_deref().and_then(|name| model.cast.node(name)) else {
            continue;
        };
        let id = model.chain.block(number).id;
        let about = Told::of(&event).ok().flatten();
        if let Some(Told::MessageDropped(dropped)) = &about {
            lose(model, dropped, id, &mut nodes);
            continue;
        }
        let node = &mut nodes[node.index()];
        let mut hear = |is: bool| {
            if is {
                node.heard_us.get_or_insert(event.t_us);
            }
            is
        };
        match about {
            Some(Told::HeaderAccepted(header)) => {
                hear(header.block == id);
            }
            Some(Told::BlockReceived(block)) => {
                hear(block.block == id);
            }
            Some(Told::BlockRejected(block)) if hear(block.block == id) => {
                node.refused = Some((block.reason, block.detail));
            }
            Some(Told::OrphanHeld(orphan)) if hear(orphan.block == id) => node.waited_for = Some(orphan.parent),
            Some(_) | None => {}
        }
    }
    Ok(nodes)
}

/// Counts a message about a block that did not come, with whom it was for.
fn lose(model: &Model, dropped: &MessageDropped, block: BlockId, nodes: &mut [NodeAndBlock]) {
    if let Some(to) = model
        .cast
        .node(&dropped.message.peer)
        .filter(|_| dropped.message.about == Some(block))
    {
        nodes[to.index()].lost_messages += 1;
        nodes[to.index()].lost_because = Some(dropped.reason);
    }
}

/// When each node first stood on a block, and when a reorg took it away.
fn follow_times(model: &Model, number: BlockNumber, nodes: &mut [NodeAndBlock]) -> Result<(), WhyError> {
    for reorg in model.reorgs.iter().filter(|reorg| reorg.disconnected.contains(&number)) {
        nodes[reorg.node.index()].left_us = Some(reorg.at.as_micros());
    }
    // Those who stand on a block stood on it when it became their tip, or a block above it did.
    let mut above: BTreeMap<BlockNumber, bool> = BTreeMap::from([(number, true)]);
    let mut waiting: Vec<NodeId> = Vec::new();
    for (place, node) in nodes.iter().enumerate() {
        if node.connected_us.is_some() {
            waiting.push(NodeId::at(place));
        }
    }
    let from = model.chain.block(number).seen;
    model.arrivals.walk((from, model.now), |arrival| {
        if arrival.what == crate::arrivals::What::Followed
            && let Some(place) = waiting.iter().position(|node| *node == arrival.node)
            && is_above(model, number, arrival.block, &mut above)
        {
            nodes[arrival.node.index()].followed_us = Some(Time::as_micros(arrival.at));
            waiting.swap_remove(place);
        }
        if waiting.is_empty() {
            std::ops::ControlFlow::Break(())
        } else {
            std::ops::ControlFlow::Continue(())
        }
    })?;
    Ok(())
}

/// Whether `block` is `below`, or stands on it.
fn is_above(model: &Model, below: BlockNumber, block: BlockNumber, known: &mut BTreeMap<BlockNumber, bool>) -> bool {
    let mut path = Vec::new();
    let mut at = block;
    let found = loop {
        if let Some(&found) = known.get(&at) {
            break found;
        }
        if at < below {
            break false;
        }
        path.push(at);
        match model.chain.block(at).parent {
            Some(parent) => at = parent,
            None => break false,
        }
    };
    known.extend(path.into_iter().map(|block| (block, found)));
    found
}
