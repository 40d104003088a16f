//! The kinds of events as they stand in the log, typed for those who read it back: a line's `kind` and fields, nodes by their names.
//!
//! What is read here and what is written by [`crate::line`] is the same to the last field; a test holds every scenario's log to it.
//! A reader takes kinds and fields that it does not know for news from a later version, and passes them over.

mod blocks;
mod forks;
mod network;
mod run;
mod transactions;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::log::LoggedEvent;

pub use blocks::{
    BlockConnected, BlockMined, BlockReceived, BlockRejected, BlockTransactions, HeaderAccepted, OrphanHeld,
    OrphanResolved, Place, Reorg, Spend, TipChanged, TransactionInBlock,
};
pub use forks::{BlockSpread, BranchTold, Convergence, ForkEnd, ForkResolved, ForkTold};
pub use network::{
    HashRateChanged, Heal, LinkChanged, Loss, Message, MessageDropped, NodeCaughtUp, NodeLagging, NodeStarted,
    NodeStopped, Partition, PeerConnected, PeerDisconnected, PeerPenalised,
};
pub use run::{Control, Participant, PaymentTold, RunEnded, RunStarted, Step, StepStateTold, Totals};
pub use transactions::{ConflictTold, Dropped, TxAccepted, TxEvicted, TxRejected, TxReplaced, TxSubmitted};

/// The kinds of lines, in the order in which docs/EVENTS.md tells of them.
pub const KINDS: [&str; 41] = [
    "run_started",
    "run_ended",
    "node_started",
    "node_stopped",
    "node_paused",
    "node_resumed",
    "node_wiped",
    "node_lagging",
    "node_caught_up",
    "peer_connected",
    "peer_disconnected",
    "peer_penalised",
    "message_sent",
    "message_received",
    "message_dropped",
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
    "hash_rate_changed",
    "fork_opened",
    "fork_progress",
    "fork_resolved",
    "block_spread",
    "convergence",
];

/// What one line tells.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is documented where its fields are")]
pub enum Told {
    RunStarted(Box<RunStarted>),
    RunEnded(RunEnded),
    NodeStarted(NodeStarted),
    NodeStopped(NodeStopped),
    /// A node stands still.
    NodePaused,
    /// A node does not stand still any more.
    NodeResumed,
    /// A node that is down has lost all that was on its disk.
    NodeWiped,
    NodeLagging(NodeLagging),
    NodeCaughtUp(NodeCaughtUp),
    PeerConnected(PeerConnected),
    PeerDisconnected(PeerDisconnected),
    PeerPenalised(PeerPenalised),
    MessageSent(Message),
    MessageReceived(Message),
    MessageDropped(MessageDropped),
    BlockMined(BlockMined),
    BlockTransactions(BlockTransactions),
    HeaderAccepted(HeaderAccepted),
    BlockReceived(BlockReceived),
    BlockConnected(BlockConnected),
    BlockRejected(BlockRejected),
    OrphanHeld(OrphanHeld),
    OrphanResolved(OrphanResolved),
    TipChanged(TipChanged),
    Reorg(Box<Reorg>),
    TxSubmitted(TxSubmitted),
    TxAccepted(TxAccepted),
    TxRejected(TxRejected),
    TxEvicted(TxEvicted),
    TxReplaced(TxReplaced),
    Step(Step),
    Control(Control),
    Partition(Partition),
    Heal(Heal),
    LinkChanged(LinkChanged),
    HashRateChanged(HashRateChanged),
    ForkOpened(ForkTold),
    ForkProgress(ForkTold),
    ForkResolved(ForkResolved),
    BlockSpread(BlockSpread),
    Convergence(Convergence),
}

impl Told {
    /// What a line tells; `None` when it is of a kind that this version does not know.
    ///
    /// # Errors
    /// When a field of a known kind is missing or not what it should be.
    pub fn of(event: &LoggedEvent) -> Result<Option<Self>, serde_json::Error> {
        let fields = &event.fields;
        Ok(Some(match event.kind.as_str() {
            "run_started" => Self::RunStarted(read(fields)?),
            "run_ended" => Self::RunEnded(read(fields)?),
            "node_started" => Self::NodeStarted(read(fields)?),
            "node_stopped" => Self::NodeStopped(read(fields)?),
            "node_paused" => Self::NodePaused,
            "node_resumed" => Self::NodeResumed,
            "node_wiped" => Self::NodeWiped,
            "node_lagging" => Self::NodeLagging(read(fields)?),
            "node_caught_up" => Self::NodeCaughtUp(read(fields)?),
            "peer_connected" => Self::PeerConnected(read(fields)?),
            "peer_disconnected" => Self::PeerDisconnected(read(fields)?),
            "peer_penalised" => Self::PeerPenalised(read(fields)?),
            "message_sent" => Self::MessageSent(read(fields)?),
            "message_received" => Self::MessageReceived(read(fields)?),
            "message_dropped" => Self::MessageDropped(read(fields)?),
            "block_mined" => Self::BlockMined(read(fields)?),
            "block_transactions" => Self::BlockTransactions(read(fields)?),
            "header_accepted" => Self::HeaderAccepted(read(fields)?),
            "block_received" => Self::BlockReceived(read(fields)?),
            "block_connected" => Self::BlockConnected(read(fields)?),
            "block_rejected" => Self::BlockRejected(read(fields)?),
            "orphan_held" => Self::OrphanHeld(read(fields)?),
            "orphan_resolved" => Self::OrphanResolved(read(fields)?),
            "tip_changed" => Self::TipChanged(read(fields)?),
            "reorg" => Self::Reorg(read(fields)?),
            "tx_submitted" => Self::TxSubmitted(read(fields)?),
            "tx_accepted" => Self::TxAccepted(read(fields)?),
            "tx_rejected" => Self::TxRejected(read(fields)?),
            "tx_evicted" => Self::TxEvicted(read(fields)?),
            "tx_replaced" => Self::TxReplaced(read(fields)?),
            "step" => Self::Step(read(fields)?),
            "control" => Self::Control(read(fields)?),
            "partition" => Self::Partition(read(fields)?),
            "heal" => Self::Heal(read(fields)?),
            "link_changed" => Self::LinkChanged(read(fields)?),
            "hash_rate_changed" => Self::HashRateChanged(read(fields)?),
            "fork_opened" => Self::ForkOpened(read(fields)?),
            "fork_progress" => Self::ForkProgress(read(fields)?),
            "fork_resolved" => Self::ForkResolved(read(fields)?),
            "block_spread" => Self::BlockSpread(read(fields)?),
            "convergence" => Self::Convergence(read(fields)?),
            _ => return Ok(None),
        }))
    }
}

/// The JSON Schema of a line of the log.
///
/// It describes the kinds and fields of this version. Readers that are to last take kinds and fields they do not know as well.
#[must_use]
pub fn json_schema() -> Value {
    schemars::schema_for!(Line).to_value()
}

/// A line of the log: one JSON object.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Line {
    /// The schema's version.
    v: u32,
    /// The run's total order, from 0.
    seq: u64,
    /// Microseconds since the run began.
    t_us: u64,
    /// The node that tells it; null when it is about the run.
    node: Option<String>,
    /// That node's own counter; null when another tells it of the node.
    nseq: Option<u64>,
    #[schemars(flatten)]
    told: Told,
}

fn read<T: DeserializeOwned>(fields: &Map<String, Value>) -> Result<T, serde_json::Error> {
    T::deserialize(fields)
}

/// How a hash is written, for the schema: 64 hexadecimal digits.
#[derive(Debug)]
struct Digits;

impl JsonSchema for Digits {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hash".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_kinds_of_the_schema_are_listed_and_read() {
        let schema = json_schema().to_string();
        let told: BTreeSet<&str> = schema
            .split("\"kind\":{\"type\":\"string\",\"const\":\"")
            .skip(1)
            .collect();
        let told: BTreeSet<&str> = told.into_iter().filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(told, BTreeSet::from(KINDS));
        for kind in KINDS {
            let event = serde_json::json!({ "v": 1, "seq": 0, "t_us": 0, "node": null, "nseq": null, "kind": kind });
            let event: LoggedEvent = serde_json::from_value(event).expect("an envelope");
            assert!(!matches!(Told::of(&event), Ok(None)), "{kind} is passed over");
        }
    }
}
