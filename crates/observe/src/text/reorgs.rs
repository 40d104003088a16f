//! The reorgs of a run.

use base::NodeId;
use chain::{BlockId, Txid};
use node::event::DroppedTransaction;
use scenario::{Plan, World};

use super::{Labels, counted, moment, wrapped};
use crate::history::{Reorg, ReorgRecord};

/// Transactions of one reorg that are listed; the rest is counted.
const MAX_LISTED: usize = 12;

/// Every reorg, once for all the nodes that went through the same: blocks, and what became of their transactions.
#[must_use]
pub fn reorgs(reorgs: &[ReorgRecord], world: &World, plan: &Plan, labels: &Labels) -> String {
    let mut seen: Vec<(&ReorgRecord, Vec<NodeId>)> = Vec::new();
    for record in reorgs {
        match seen.iter_mut().find(|(first, _)| first.reorg == record.reorg) {
            Some((_, nodes)) => nodes.push(record.node),
            None => seen.push((record, vec![record.node])),
        }
    }
    let scene = Scene { world, plan, labels };
    let texts: Vec<String> = seen.iter().map(|(first, nodes)| scene.one(first, nodes)).collect();
    texts.join("\n")
}

struct Scene<'a> {
    world: &'a World,
    plan: &'a Plan,
    labels: &'a Labels,
}

impl Scene<'_> {
    fn one(&self, first: &ReorgRecord, nodes: &[NodeId]) -> String {
        let Reorg {
            fork_point,
            disconnected,
            connected,
            returned,
            dropped,
        } = &first.reorg;
        let depth = counted(disconnected.len(), "block");
        let mut text = format!("reorg of {depth} above {}\n", self.place(fork_point));
        text.push_str(&wrapped("  nodes         ", self.plan.ranges(nodes.iter().copied())));
        text.push_str(&format!("  first at      {}\n", moment(first.at)));
        text.push_str(&wrapped("  disconnected  ", self.blocks(disconnected)));
        text.push_str(&wrapped("  connected     ", self.blocks(connected)));
        if !returned.is_empty() {
            let listed = returned.iter().map(|txid| self.transaction(txid));
            text.push_str(&wrapped("  returned      ", limited(listed, returned.len())));
        }
        if !dropped.is_empty() {
            let listed = dropped.iter().map(|dropped| self.dropped(dropped));
            for line in limited(listed, dropped.len()) {
                text.push_str(&wrapped("  dropped       ", line.split(' ').map(str::to_owned)));
            }
        }
        text
    }

    /// A block's height and name: `12 aabbccdd`.
    fn place(&self, block: &BlockId) -> String {
        let height = self
            .world
            .block(block)
            .map_or("?".to_owned(), |facts| facts.height.to_string());
        format!("{height} {}", block.short())
    }

    fn blocks(&self, blocks: &[BlockId]) -> Vec<String> {
        let word = |block: &BlockId| {
            let miner = self.world.block(block).and_then(|facts| facts.miner);
            let miner = miner.map_or("?", |miner| self.plan.name_of(miner));
            format!("{} ({miner}),", self.place(block))
        };
        let mut words = limited(blocks.iter().map(word), blocks.len());
        if let Some(last) = words.last_mut() {
            last.truncate(last.trim_end_matches(',').len());
        }
        words
    }

    /// What a transaction is called, or the eight digits its name begins with.
    fn transaction(&self, txid: &Txid) -> String {
        let name = txid.0.leading();
        self.labels
            .get(txid)
            .map_or(name.clone(), |label| format!("{label} ({name})"))
    }

    fn dropped(&self, dropped: &DroppedTransaction) -> String {
        let lost = self.transaction(&dropped.txid);
        let Some(conflict) = &dropped.conflicts_with else {
            return format!("{lost}: {}", dropped.reason);
        };
        let coin = format!("{}:{}", conflict.outpoint.txid.0.leading(), conflict.outpoint.index);
        let place = conflict
            .block
            .map_or("the mempool".to_owned(), |block| self.place(&block));
        let rival = self.transaction(&conflict.txid);
        format!("{lost}: {}, {coin} is spent by {rival} in {place}", dropped.reason)
    }
}

/// The first of the words, and how many more there are.
fn limited(words: impl Iterator<Item = String>, count: usize) -> Vec<String> {
    let mut listed: Vec<String> = words.take(MAX_LISTED).collect();
    if count > MAX_LISTED {
        listed.push(format!("and {} more", count - MAX_LISTED));
    }
    listed
}
