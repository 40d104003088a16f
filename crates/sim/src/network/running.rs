//! Which nodes run: how they start, and stop.

use base::NodeId;
use chain::HashRate;
use node::{Config, Input, Node};
use observe::RunEvent;

use super::Network;

impl Network {
    pub(super) fn start(&mut self, node: NodeId, hashrate: HashRate) {
        let disk = self.places[node.index()].disk.clone();
        self.places[node.index()].node = Some(self.new_core(node, hashrate));
        self.tell_of_start(node, disk.len());
        for block in disk {
            self.handle(node, Input::Restored { block });
        }
        self.handle(node, Input::Tick);
        for way in self.ways_of(node) {
            self.dial(way);
        }
    }

    /// A node as it is made, with this hash power.
    pub(super) fn new_core(&self, node: NodeId, hashrate: HashRate) -> Box<Node> {
        let config = Config {
            hashrate,
            ..self.plan.node_config(node)
        };
        let seed = self.plan.root_seed().child("node", u64::from(node.0));
        let core = Node::new(node, config, seed).drawn();
        Box::new(if self.collector.detail().tells_messages() {
            core
        } else {
            core.without_messages()
        })
    }

    /// A node starts with so many blocks on its disk.
    pub(super) fn tell_of_start(&mut self, node: NodeId, restored: usize) {
        self.record(RunEvent::NodeStarted {
            node,
            peer_id: String::new(),
            addrs: Vec::new(),
            restored,
        });
    }

    pub(super) fn stop(&mut self, node: NodeId, reason: &str) {
        self.rouse(node);
        self.places[node.index()].node = None;
        self.places[node.index()].miner.stop();
        self.forget_payments(node);
        for way in self.ways_of(node) {
            self.close(way);
        }
        self.record(RunEvent::NodeStopped {
            node,
            reason: reason.to_owned(),
            expected: true,
        });
    }

    pub(super) fn is_up(&self, node: NodeId) -> bool {
        self.places[node.index()].node.is_some() || self.newcomers.has(node)
    }

    /// A node's hash power.
    pub(super) fn hashrate(&self, node: NodeId) -> HashRate {
        if self.has_stopped {
            return HashRate::ZERO;
        }
        match &self.places[node.index()].node {
            Some(core) => core.view().hashrate(),
            None if self.newcomers.has(node) => self.plan.nodes[node.index()].hashrate,
            None => HashRate::ZERO,
        }
    }
}
