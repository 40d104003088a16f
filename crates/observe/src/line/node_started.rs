//! The line of a node that starts: there are as many as nodes.

use node::Strategy;
use scenario::Plan;
use serde::Serialize;

use crate::record::RunEvent;

#[derive(Serialize)]
pub(super) struct NodeStarted<'a> {
    kind: &'static str,
    peer_id: &'a str,
    addrs: &'a [String],
    restored: usize,
    strategy: Strategy,
    hashrate: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'static str>,
}

impl<'a> NodeStarted<'a> {
    /// # Panics
    /// When no node starts.
    pub(super) fn of(event: &'a RunEvent, plan: &Plan) -> Self {
        let RunEvent::NodeStarted {
            node,
            peer_id,
            addrs,
            restored,
        } = event
        else {
            unreachable!("a node starts");
        };
        let setup = &plan.nodes[node.index()];
        Self {
            kind: "node_started",
            peer_id,
            addrs,
            restored: *restored,
            strategy: setup.strategy,
            hashrate: setup.hashrate.0.to_string(),
            region: setup.region.map(scenario::networks::Region::name),
        }
    }
}
