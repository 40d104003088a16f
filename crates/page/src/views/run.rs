//! What a run is: told once.

use observe::model::Model;
use serde::Serialize;

/// What a run is.
#[derive(Debug, Serialize)]
pub(crate) struct RunView {
    scenario: String,
    file: String,
    seed: String,
    engine: String,
    detail: String,
    tool_version: String,
    participants: Vec<ParticipantView>,
    kinds: &'static [&'static str],
    control: bool,
}

#[derive(Debug, Serialize)]
struct ParticipantView {
    name: String,
    hashrate: String,
    strategy: String,
}

/// The kinds of events, for the filter.
const KINDS: [&str; 33] = [
    "run_started",
    "run_ended",
    "node_started",
    "node_stopped",
    "peer_connected",
    "peer_disconnected",
    "peer_penalised",
    "message_sent",
    "message_received",
    "block_mined",
    "block_transactions",
    "header_accepted",
    "block_received",
    "block_connected",
    "block_rejected",
    "orphan_held",
    "orphan_resolved",
    "tip_changed",
    "reorg",
    "tx_submitted",
    "tx_accepted",
    "tx_rejected",
    "tx_evicted",
    "tx_replaced",
    "step",
    "control",
    "partition",
    "heal",
    "link_changed",
    "fork_opened",
    "fork_progress",
    "fork_resolved",
    "block_spread",
];

impl RunView {
    /// None before the log's first event.
    pub(crate) fn of(model: &Model, control: bool) -> Option<Self> {
        let run = model.run()?;
        Some(Self {
            scenario: run.scenario.clone(),
            file: run.file.clone(),
            seed: run.seed.clone(),
            engine: run.engine.clone(),
            detail: run.detail.clone(),
            tool_version: run.tool_version.clone(),
            participants: run
                .participants
                .iter()
                .map(|node| ParticipantView {
                    name: node.name.clone(),
                    hashrate: node.hashrate.clone(),
                    strategy: node.strategy.clone(),
                })
                .collect(),
            kinds: &KINDS,
            control,
        })
    }
}
