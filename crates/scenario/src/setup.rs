//! How the nodes of a plan are set up.

use std::time::Duration;

use base::NodeId;
use node::{Config, Payee};

use crate::Plan;
use crate::uplink::{Line, Uplinks};

impl Plan {
    /// The Unix time at which a run begins: a day after the genesis block, in every engine, so that no run depends on the date.
    #[must_use]
    pub fn epoch(&self) -> Duration {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Duration::from_secs(u64::from(self.params.genesis_time)) + DAY
    }

    /// What a node calls itself to its peers.
    #[must_use]
    pub fn agent(&self, node: NodeId) -> String {
        format!("/nakanet:{}/{}/", env!("CARGO_PKG_VERSION"), self.name_of(node))
    }

    /// How a node is set up.
    #[must_use]
    pub fn node_config(&self, node: NodeId) -> Config {
        let planned = &self.nodes[node.index()];
        let payee = Payee::KeyOf(self.root_seed().child("miner", u64::from(node.0)));
        Config {
            hashrate: planned.hashrate,
            strategy: planned.strategy,
            tie: self.tie,
            relay: planned.relay,
            block_size: self.block_size,
            ..Config::new(self.agent(node), payee, self.epoch())
        }
    }

    /// The queues that blocks leave by, in a network whose nodes have lines; one of which nothing is said bounds nothing.
    #[must_use]
    pub fn uplinks(&self) -> Option<Uplinks> {
        let lines = self.nodes.iter().map(|node| node.line.unwrap_or(Line::UNLIMITED));
        Some(Uplinks::new(self.lines?, lines))
    }
}
