//! The words of the exchange: orders to a worker, reports from it.

use std::sync::Arc;

use base::{NodeId, Time};
use chain::Block;
use libp2p::{Multiaddr, PeerId};
use node::{Command, Event};
use observe::RunEvent;
use scenario::Conditions;
use serde::{Deserialize, Serialize};

use super::outfit::Outfit;
use crate::driver::dialer::Target;
use crate::driver::{Control, Told};

/// What the engine tells a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Be this node. The first order, and given once.
    Begin(Box<Beginning>),
    Command(Command),
    Want {
        peer: Option<NodeId>,
        peer_id: Option<String>,
        address: Multiaddr,
    },
    Forget(NodeId),
    Sever(NodeId),
    Mend(NodeId),
    SetLink(NodeId, Conditions),
    /// It is the node's turn to dial: the turn of this number, which it wants.
    Turn(u64),
    Stop,
}

/// All that a worker needs to begin.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Beginning {
    pub(super) outfit: Outfit,
    /// The keys of all nodes of the plan, in order.
    pub(super) roster: Vec<String>,
    /// Where the system's monotonic clock stood when the run began, in nanoseconds.
    pub(super) origin: u64,
}

/// What a worker tells the engine.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// The node has opened its folder and listens.
    Started {
        at: Time,
        peer_id: String,
        addrs: Vec<String>,
        restored: usize,
    },
    /// The node is where it was when it last ran, and can be reached here.
    Ready { address: Multiaddr },
    /// Something happened in the node. The body of an event that has one is the frame's block.
    Event { at: Time, nseq: u64, event: Box<Event> },
    /// The turn to dial that the node wants or makes use of; none when it wants none, and others may.
    Turn { wanted: Option<u64> },
    /// So many hashes were owed and not tried, so far.
    Missed { hashes: u64 },
    /// The node has stopped as it was told.
    Stopped,
    /// The node cannot go on.
    Failed { error: String },
}

impl Order {
    /// The order for a node's driver; none for what is done to its process.
    pub(super) fn of(control: Control) -> Option<Self> {
        Some(match control {
            Control::Command(command) => Self::Command(command),
            Control::Want(Target { peer, peer_id, address }) => Self::Want {
                peer,
                peer_id: peer_id.map(|key| key.to_string()),
                address,
            },
            Control::Forget(peer) => Self::Forget(peer),
            Control::Sever(peer) => Self::Sever(peer),
            Control::Mend(peer) => Self::Mend(peer),
            Control::SetLink(peer, conditions) => Self::SetLink(peer, conditions),
            Control::Stop => Self::Stop,
            Control::Kill | Control::Pause | Control::Resume => return None,
        })
    }

    /// What the driver is to be told; none for an order to begin, for a turn, and for a key that is none.
    pub(super) fn control(self) -> Option<Control> {
        Some(match self {
            Self::Begin(_) | Self::Turn(_) => return None,
            Self::Command(command) => Control::Command(command),
            Self::Want { peer, peer_id, address } => {
                let peer_id = match peer_id {
                    Some(text) => Some(text.parse::<PeerId>().ok()?),
                    None => None,
                };
                Control::Want(Target { peer, peer_id, address })
            }
            Self::Forget(peer) => Control::Forget(peer),
            Self::Sever(peer) => Control::Sever(peer),
            Self::Mend(peer) => Control::Mend(peer),
            Self::SetLink(peer, conditions) => Control::SetLink(peer, conditions),
            Self::Stop => Control::Stop,
        })
    }
}

impl Report {
    /// The report of what a driver tells, and the block that goes with it.
    pub(super) fn of(told: Told) -> (Self, Option<Arc<Block>>) {
        let at = told.at;
        match told.event {
            RunEvent::Node { nseq, mut event, .. } => {
                let body = event.body_mut().map(|body| Arc::clone(body));
                (Self::Event { at, nseq, event }, body)
            }
            RunEvent::NodeStarted {
                peer_id,
                addrs,
                restored,
                ..
            } => {
                let started = Self::Started {
                    at,
                    peer_id,
                    addrs,
                    restored,
                };
                (started, None)
            }
            RunEvent::RunStarted { .. }
            | RunEvent::RunEnded { .. }
            | RunEvent::NodeStopped { .. }
            | RunEvent::Intervention { .. }
            | RunEvent::Step(_)
            | RunEvent::Control { .. }
            | RunEvent::Derived(_) => {
                unreachable!("a driver tells of its node, and a worker's is not paused by itself")
            }
        }
    }
}
