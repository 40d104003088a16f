//! What is remembered of a run's events in memory: the last few of each node, and the reorgs.

use std::collections::{BTreeMap, VecDeque};

use base::{NodeId, Time};
use chain::{BlockId, Txid};
use gossip::MessageKind;
use node::Event;
use node::event::DroppedTransaction;
use scenario::Plan;
use serde::Serialize;

use crate::limits::{MAX_REORGS, RECENT_EVENTS};
use crate::record::{Record, RunEvent};

/// A reorg in full, as a node told it. Lists of blocks are oldest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReorgRecord {
    /// When.
    pub at: Time,
    /// Who went through it.
    pub node: NodeId,
    /// What it went through.
    pub reorg: Reorg,
}

/// What a reorg did, whoever went through it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reorg {
    /// The last common block.
    pub fork_point: BlockId,
    /// Blocks that are no longer in the chain; as many as the reorg is deep.
    pub disconnected: Vec<BlockId>,
    /// Blocks that came instead.
    pub connected: Vec<BlockId>,
    /// Transactions that went back to the mempool.
    pub returned: Vec<Txid>,
    /// Transactions that could not.
    pub dropped: Vec<DroppedTransaction>,
}

/// Messages and their bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Traffic {
    /// How many were sent.
    pub messages: u64,
    /// How many bytes they had together.
    pub bytes: u64,
}

impl Traffic {
    /// So much more was sent.
    pub const fn add(&mut self, more: Self) {
        self.messages += more.messages;
        self.bytes += more.bytes;
    }
}

/// The memory. See the module's documentation.
#[derive(Debug)]
pub struct History {
    recent: Vec<VecDeque<Record>>,
    reorgs: Vec<ReorgRecord>,
    reorgs_seen: u64,
    reorg_depths: BTreeMap<usize, u64>,
    /// By [`MessageKind`].
    traffic: [Traffic; MessageKind::ALL.len()],
    sent_by_node: Vec<Traffic>,
}

impl History {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self {
            recent: vec![VecDeque::new(); plan.nodes.len()],
            reorgs: Vec::new(),
            reorgs_seen: 0,
            reorg_depths: BTreeMap::new(),
            traffic: [Traffic::default(); MessageKind::ALL.len()],
            sent_by_node: vec![Traffic::default(); plan.nodes.len()],
        }
    }

    /// Takes in a record. Messages are counted but not remembered: they would crowd out all else.
    pub fn observe(&mut self, record: &Record) {
        match &record.what {
            RunEvent::Node { node, event, .. } => {
                if let Event::MessageSent { message, bytes, .. } = event.as_ref() {
                    self.count_sent(*node, *message, *bytes);
                }
                self.remember_reorg(record.at, *node, event);
                if !is_message(event) {
                    self.remember(*node, record);
                }
            }
            RunEvent::NodeStarted { node, .. }
            | RunEvent::NodeStopped { node, .. }
            | RunEvent::Intervention { node, .. } => self.remember(*node, record),
            RunEvent::RunStarted { .. }
            | RunEvent::RunEnded { .. }
            | RunEvent::Step(_)
            | RunEvent::Control(_)
            | RunEvent::Derived(_) => {}
        }
    }

    /// Counts a message that a node sent.
    pub fn count_sent(&mut self, node: NodeId, message: MessageKind, bytes: u64) {
        self.count_all_sent(node, message, (1, bytes));
    }

    /// Counts so many messages of one kind and size that a node sent.
    pub fn count_all_sent(&mut self, node: NodeId, message: MessageKind, (messages, bytes): (u64, u64)) {
        let sent = Traffic {
            messages,
            bytes: messages * bytes,
        };
        self.count_by_kind(message, sent);
        self.count_by_node(node, sent);
    }

    /// Counts messages of one kind, whoever sent them.
    pub fn count_by_kind(&mut self, message: MessageKind, sent: Traffic) {
        self.traffic[message as usize].add(sent);
    }

    /// Counts messages that a node sent, of whichever kind.
    pub fn count_by_node(&mut self, node: NodeId, sent: Traffic) {
        self.sent_by_node[node.index()].add(sent);
    }

    /// A node's last events but messages, the oldest first: at most [`RECENT_EVENTS`].
    pub fn recent(&self, node: NodeId) -> impl DoubleEndedIterator<Item = &Record> {
        self.recent[node.index()].iter()
    }

    /// The run's reorgs in order, the first [`MAX_REORGS`] of them.
    #[must_use]
    pub fn reorgs(&self) -> &[ReorgRecord] {
        &self.reorgs
    }

    /// How many reorgs there were.
    #[must_use]
    pub const fn reorgs_seen(&self) -> u64 {
        self.reorgs_seen
    }

    /// What was sent, by kind of message: those of which any was.
    #[must_use]
    pub fn traffic(&self) -> BTreeMap<MessageKind, Traffic> {
        let sent = MessageKind::ALL.into_iter().zip(self.traffic);
        sent.filter(|(_, traffic)| traffic.messages > 0).collect()
    }

    /// What each node sent, in order.
    #[must_use]
    pub fn sent_by_node(&self) -> &[Traffic] {
        &self.sent_by_node
    }

    /// How many reorgs there were of each depth.
    #[must_use]
    pub const fn reorg_depths(&self) -> &BTreeMap<usize, u64> {
        &self.reorg_depths
    }

    fn remember(&mut self, node: NodeId, record: &Record) {
        let recent = &mut self.recent[node.index()];
        if recent.len() == RECENT_EVENTS {
            recent.pop_front();
        }
        if recent.is_empty() {
            // Of most nodes of a large network nothing is told in full but that they started.
            recent.reserve_exact(1);
        }
        recent.push_back(record.clone());
    }

    fn remember_reorg(&mut self, at: Time, node: NodeId, event: &Event) {
        let Event::Reorg {
            fork_point,
            disconnected,
            connected,
            txs_returned,
            txs_dropped,
            ..
        } = event
        else {
            return;
        };
        self.reorgs_seen += 1;
        *self.reorg_depths.entry(disconnected.len()).or_default() += 1;
        if self.reorgs.len() < MAX_REORGS {
            self.reorgs.push(ReorgRecord {
                at,
                node,
                reorg: Reorg {
                    fork_point: *fork_point,
                    disconnected: disconnected.clone(),
                    connected: connected.clone(),
                    returned: txs_returned.clone(),
                    dropped: txs_dropped.clone(),
                },
            });
        }
    }
}

const fn is_message(event: &Event) -> bool {
    matches!(
        event,
        Event::MessageSent { .. } | Event::MessageReceived { .. } | Event::MessageDropped { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{id, plan};

    #[test]
    fn reorgs_beyond_those_that_are_remembered_are_counted() {
        let mut history = History::new(&plan(1));
        for seq in 0..=MAX_REORGS as u64 {
            let event = Event::Reorg {
                fork_point: id("0"),
                depth: 1,
                disconnected: vec![id("a1")],
                connected: vec![id("b1")],
                old_work: chain::Work::ZERO,
                new_work: chain::Work::ZERO,
                txs_returned: Vec::new(),
                txs_dropped: Vec::new(),
            };
            let what = RunEvent::Node {
                node: NodeId(0),
                nseq: seq,
                event: Box::new(event),
            };
            let at = Time::from_micros(seq);
            history.observe(&Record { seq, at, what });
        }
        assert_eq!(history.reorgs().len(), MAX_REORGS);
        assert_eq!(history.reorgs_seen(), MAX_REORGS as u64 + 1);
        assert_eq!(history.reorg_depths()[&1], MAX_REORGS as u64 + 1);
        assert_eq!(history.recent(NodeId(0)).count(), RECENT_EVENTS);
    }
}
