//! What may be looked at from outside.

use std::sync::Arc;

use base::{NodeId, Seed, Time};
use chain::{Amount, BlockId, BlockRef, HashRate, Ledger, OutPoint, Transaction, Txid, Wtxid};

use crate::knowledge::Standing;
use crate::peers::Stage;
use crate::{Config, Node, OpenTemplate, Pooled, Strategy};

/// A node, read-only.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    node: &'a Node,
}

/// A peer whose handshake is done, as its node sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerView {
    /// Which peer.
    pub id: NodeId,
    /// Whether the node dialled it.
    pub outbound: bool,
    /// What its offences add up to; at [`gossip::Offence::LIMIT`] it is dropped.
    pub score: u32,
    /// The header with the most work that it is known to have.
    pub best_header: Option<BlockRef>,
    /// Bodies that were asked of it and have not come.
    pub bodies_in_flight: usize,
}

/// Why a transaction or a block would be refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The reason word.
    pub reason: &'static str,
    /// What is wrong.
    pub detail: String,
}

impl Node {
    /// What may be looked at from outside.
    #[must_use]
    pub const fn view(&self) -> View<'_> {
        View { node: self }
    }
}

impl<'a> View<'a> {
    /// Which node.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.node.id
    }

    /// How it is set up, its hash rate as it is now.
    #[must_use]
    pub const fn config(&self) -> &'a Config {
        &self.node.config
    }

    /// The block it follows.
    #[must_use]
    pub const fn tip(&self) -> BlockRef {
        self.node.knowledge.tip()
    }

    /// The header with the most work that it knows of; above the tip while bodies are missing.
    #[must_use]
    pub const fn best_header(&self) -> BlockRef {
        self.node.knowledge.best_header()
    }

    /// The tips of all branches it has in full, the best first.
    #[must_use]
    pub fn tips(&self, ledger: &Ledger) -> Vec<BlockRef> {
        self.node.knowledge.tips(ledger)
    }

    /// The ends of all branches of headers, with and without bodies, in the order of their names.
    #[must_use]
    pub fn header_tips(&self, ledger: &Ledger) -> Vec<BlockRef> {
        self.node.knowledge.header_leaves(ledger)
    }

    /// The ends of branches that break a rule, in the order of their names.
    #[must_use]
    pub fn invalid_tips(&self) -> Vec<BlockRef> {
        self.node.knowledge.condemned_leaves().collect()
    }

    /// The block of this name, when this node has heard of it.
    #[must_use]
    pub fn find(&self, ledger: &Ledger, id: &BlockId) -> Option<BlockRef> {
        self.node.knowledge.find(ledger, id)
    }

    /// Whether the block, or an ancestor, breaks a rule or is marked invalid by the operator.
    #[must_use]
    pub fn is_invalid(&self, ledger: &Ledger, block: BlockRef) -> bool {
        let knowledge = &self.node.knowledge;
        knowledge.standing(block) == Standing::Invalid || knowledge.is_marked(ledger, block)
    }

    /// The Unix time by its wall clock, in seconds.
    #[must_use]
    pub fn unix_secs(&self, now: Time) -> u64 {
        self.node.clock.unix_secs(now)
    }

    /// A block for a miner outside, on top of its tip.
    #[must_use]
    pub fn template(&self, ledger: &Ledger, now: Time) -> OpenTemplate {
        self.node.open_template(ledger, now)
    }

    /// An unconfirmed transaction and its place among the others.
    #[must_use]
    pub fn pooled(&self, txid: &Txid) -> Option<Pooled> {
        self.node.pool.look(txid)
    }

    /// The unconfirmed transaction that spends a coin.
    #[must_use]
    pub fn unconfirmed_spender(&self, outpoint: &OutPoint) -> Option<Txid> {
        self.node.pool.spender(outpoint)
    }

    /// What its unconfirmed transactions pay together.
    #[must_use]
    pub fn mempool_fees(&self) -> Amount {
        self.node.pool.total_fees()
    }

    /// Whether it has this block, and all below it, in full.
    #[must_use]
    pub fn has_block(&self, block: BlockRef) -> bool {
        self.node.knowledge.is_connected(block)
    }

    /// Peers whose handshake is done, in order.
    #[must_use]
    pub fn peers(&self) -> Vec<NodeId> {
        self.node.peers.ready_ids()
    }

    /// A peer whose handshake is done.
    #[must_use]
    pub fn peer(&self, id: NodeId) -> Option<PeerView> {
        let peer = self.node.peers.get(id).filter(|peer| peer.stage == Stage::Ready)?;
        Some(PeerView {
            id,
            outbound: peer.outbound,
            score: peer.score.value(),
            best_header: peer.best,
            bodies_in_flight: self.node.bodies.fetch.in_flight(id),
        })
    }

    /// Whether the peer was dropped for what it did and is not wanted again.
    #[must_use]
    pub fn is_discouraged(&self, peer: NodeId) -> bool {
        self.node.peers.discouraged(peer).is_some()
    }

    /// Its unconfirmed transactions, in the order of their names.
    #[must_use]
    pub fn mempool(&self) -> Vec<&'a Arc<Transaction>> {
        let mut transactions: Vec<&Arc<Transaction>> = self.node.pool.iter().collect();
        transactions.sort_unstable_by_key(|transaction| transaction.txid());
        transactions
    }

    /// The memory that its unconfirmed transactions take, in bytes.
    #[must_use]
    pub const fn mempool_bytes(&self) -> usize {
        self.node.pool.bytes()
    }

    /// The lowest fee rate that enters its mempool now, in base units per 1,000 bytes.
    #[must_use]
    pub fn mempool_min_fee(&self, now: Time) -> u64 {
        self.node.pool.min_fee(now)
    }

    /// Whether it has this transaction unconfirmed.
    #[must_use]
    pub fn has_unconfirmed(&self, wtxid: &Wtxid) -> bool {
        self.node.pool.get_by_wtxid(wtxid).is_some()
    }

    /// The unconfirmed transaction of this txid.
    #[must_use]
    pub fn unconfirmed(&self, txid: &Txid) -> Option<&'a Arc<Transaction>> {
        self.node.pool.get(txid)
    }

    /// Its hash power now.
    #[must_use]
    pub const fn hashrate(&self) -> HashRate {
        self.node.config.hashrate
    }

    /// How it behaves.
    #[must_use]
    pub const fn strategy(&self) -> Strategy {
        self.node.config.strategy
    }

    /// The seed its own randomness comes from.
    #[must_use]
    pub const fn seed(&self) -> &'a Seed {
        &self.node.seed
    }
}
