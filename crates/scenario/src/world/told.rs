//! What has been observed of one node.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use base::{NodeId, Time};
use chain::{BlockId, Txid, Work};
use node::Event;
use node::event::TipRef;

use crate::limits::MAX_REORGS_KEPT;

/// A reorg that a node went through.
#[derive(Clone, Debug)]
pub struct ReorgFacts {
    /// When.
    pub at: Time,
    /// Blocks disconnected.
    pub depth: u32,
    /// The last common block.
    pub fork_point: BlockId,
}

/// What a node refused, from one sender for one reason.
#[derive(Clone, Copy, Debug)]
pub struct Rejections {
    /// How often.
    pub count: u32,
    /// When last.
    pub last: Time,
}

/// One node, as far as its events tell. What changes with every block fills the first two of its cache lines.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct NodeFacts {
    /// What it follows.
    pub tip: TipRef,
    /// The most work among the blocks it has connected.
    pub most_work: Work,
    /// Whether it runs.
    pub running: bool,
    /// Whether it stands still: it runs, but does nothing.
    pub paused: bool,
    /// Whether its disk was cleared, and it has not run since.
    pub blank: bool,
    /// Whom it is connected to.
    pub peers: BTreeSet<NodeId>,
    /// How many blocks it has mined.
    pub mined: u32,
    /// The work of the chain that ends with the last of them.
    pub last_mined_work: Work,
    /// The reorgs it went through, the last [`MAX_REORGS_KEPT`] of them.
    pub reorgs: VecDeque<ReorgFacts>,
    /// What it refused: by reason word and by sender, who is none for what a wallet or miner handed in.
    pub rejections: BTreeMap<(&'static str, Option<NodeId>), Rejections>,
    /// Transactions that wallets handed in and it refused, and the reason in words.
    pub refused: BTreeMap<Txid, String>,
}

impl NodeFacts {
    pub(super) fn down(genesis: TipRef) -> Self {
        Self {
            running: false,
            paused: false,
            blank: false,
            tip: genesis,
            most_work: genesis.chain_work,
            peers: BTreeSet::new(),
            mined: 0,
            last_mined_work: Work::default(),
            reorgs: VecDeque::new(),
            rejections: BTreeMap::new(),
            refused: BTreeMap::new(),
        }
    }

    /// Takes in what the node tells of itself; blocks, tips and mempools are the world's to judge.
    pub(super) fn observe(&mut self, now: Time, event: &Event) {
        match event {
            Event::PeerConnected { peer, .. } => {
                self.peers.insert(*peer);
            }
            Event::PeerDisconnected { peer, .. } => {
                self.peers.remove(peer);
            }
            Event::BlockMined { chain_work, .. } => {
                self.mined += 1;
                self.last_mined_work = *chain_work;
            }
            Event::BlockConnected { chain_work, .. } => self.most_work = self.most_work.max(*chain_work),
            Event::Reorg { fork_point, depth, .. } => {
                if self.reorgs.len() == MAX_REORGS_KEPT {
                    self.reorgs.pop_front();
                }
                self.reorgs.push_back(ReorgFacts {
                    at: now,
                    depth: *depth,
                    fork_point: *fork_point,
                });
            }
            Event::BlockRejected { from, reason, .. } => self.reject(now, reason, *from),
            Event::TxRejected {
                txid,
                from,
                reason,
                detail,
                ..
            } => {
                self.reject(now, reason, *from);
                if from.is_none() {
                    self.refused.insert(*txid, format!("{reason}: {detail}"));
                }
            }
            Event::TipChanged { .. }
            | Event::PeerPenalised { .. }
            | Event::MessageSent { .. }
            | Event::MessageReceived { .. }
            | Event::MessageDropped { .. }
            | Event::HeaderAccepted { .. }
            | Event::BlockReceived { .. }
            | Event::OrphanHeld { .. }
            | Event::OrphanResolved { .. }
            | Event::TxSubmitted { .. }
            | Event::TxAccepted { .. }
            | Event::TxEvicted { .. }
            | Event::TxReplaced { .. } => {}
        }
    }

    fn reject(&mut self, now: Time, reason: &'static str, from: Option<NodeId>) {
        let entry = self
            .rejections
            .entry((reason, from))
            .or_insert(Rejections { count: 0, last: now });
        entry.count += 1;
        entry.last = now;
    }
}

#[cfg(test)]
mod tests {
    use chain::Height;

    use super::*;

    #[test]
    fn only_the_last_reorgs_are_remembered() {
        let genesis = TipRef {
            block: BlockId::ZERO,
            height: Height(0),
            chain_work: Work::ZERO,
        };
        let mut facts = NodeFacts::down(genesis);
        let most = u32::try_from(MAX_REORGS_KEPT).expect("few");
        for depth in 0..=most {
            let reorg = Event::Reorg {
                fork_point: BlockId::ZERO,
                depth,
                disconnected: Vec::new(),
                connected: Vec::new(),
                old_work: Work::ZERO,
                new_work: Work::ZERO,
                txs_returned: Vec::new(),
                txs_dropped: Vec::new(),
            };
            facts.observe(Time::ZERO, &reorg);
        }
        let depths: Vec<u32> = facts.reorgs.iter().map(|reorg| reorg.depth).collect();
        assert_eq!(depths, (1..=most).collect::<Vec<u32>>());
    }
}
