//! A node that has come up, and been greeted by all its peers, at once.
//!
//! Before mining begins, what happens to the nodes of a network is mostly this: each is connected to its peers, and each of them says hello and knows as much as the node
//! itself, the genesis block. What comes of it is known beforehand. So an engine with many nodes need not let it happen one after the other, nor at all
//! before the node has something to do: until then it rests ([`Resting::newcomer`]).

use base::NodeId;
use chain::{BlockRef, HashRate, Ledger, Work};

use crate::config::Relay;
use crate::peers::Peer;
use crate::rest::Resting;
use crate::{Config, Node, Strategy};

/// Whether a node says nothing but hello to peers who know no more than the genesis block, and waits for nothing.
#[must_use]
pub const fn comes_up_quietly(strategy: Strategy, relay: Relay) -> bool {
    let says_nothing = match relay {
        Relay::Headers | Relay::Announce | Relay::Push => true,
        Relay::Compact | Relay::Mesh => false,
    };
    says_nothing && matches!(strategy, Strategy::Honest)
}

impl Resting {
    /// How a node rests that has come up, been greeted by all its peers, and may have begun to mine; none when one that is set up so does not.
    #[must_use]
    pub fn newcomer(config: &Config) -> Option<Self> {
        let Config {
            strategy,
            relay,
            minimum_work,
            epoch,
            tie,
            ..
        } = *config;
        let rests = strategy == Strategy::Honest && relay == Relay::Headers && minimum_work == Work::ZERO;
        rests.then(|| Self::at_genesis(epoch, tie))
    }
}

impl Node {
    /// Goes on as if these peers, in the order of their names, had been connected, and each of them had said hello and known the genesis block alone. With each comes whether
    /// the node dialled.
    ///
    /// # Panics
    /// When the node is not as it is made, or does not come up quietly ([`comes_up_quietly`]), or mines.
    pub fn be_greeted(&mut self, ledger: &Ledger, peers: impl Iterator<Item = (NodeId, bool)>) {
        let is_new = self.peers.all().next().is_none() && self.knowledge.best_header() == BlockRef::GENESIS;
        let is_quiet = comes_up_quietly(self.config.strategy, self.config.relay);
        assert!(
            is_new && is_quiet && self.config.hashrate == HashRate::ZERO,
            "what comes of it is known"
        );
        let genesis = ledger.genesis();
        for (peer, outbound) in peers {
            self.peers.add_ready(peer, Peer::greeted(outbound, genesis));
            self.bodies.fetch.add_peer(peer);
            self.relay.fetch.add_peer(peer);
        }
    }
}
