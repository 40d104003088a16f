//! What a node of a plan is set up with, wherever it runs.

use std::path::PathBuf;
use std::sync::Arc;

use base::{NodeId, Seed};
use chain::Params;
use node::Config;
use scenario::Conditions;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::driver::directory::{Directory, Roster};
use crate::driver::turnstile::Gate;
use crate::driver::{Control, Interface, Links, Listen, Setup, Told};
use crate::hasher::Seat;
use crate::port::Listeners;
use crate::{Clock, identity};

/// A node's set-up, as it can be told to another process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outfit {
    pub(crate) id: NodeId,
    pub(crate) config: Config,
    pub(crate) params: Params,
    /// The run's seed, as the user wrote it.
    pub(crate) seed: u64,
    pub(crate) folder: PathBuf,
    pub(crate) max_peers: u32,
    /// Conditions of links that nobody set.
    pub(crate) usual: Conditions,
    /// The links that were set before the node started.
    pub(crate) set: Vec<(NodeId, Conditions)>,
    /// Peers that may not be connected to, from the first moment on.
    pub(crate) severed: Vec<NodeId>,
}

/// What ties a node to the process it runs in.
#[derive(Debug)]
pub(crate) struct Ties {
    pub(crate) clock: Clock,
    pub(crate) roster: Arc<Roster>,
    /// Where peers come, and other people's tools if they may.
    pub(crate) listeners: Listeners,
    pub(crate) seat: Seat,
    pub(crate) gate: Gate,
    pub(crate) control: mpsc::Receiver<Control>,
    pub(crate) told: mpsc::Sender<Told>,
}

impl Outfit {
    /// What the node's driver needs.
    pub(crate) fn setup(self, ties: Ties) -> Setup {
        let seed = Seed::from_number(self.seed);
        Setup {
            id: self.id,
            config: self.config,
            params: self.params,
            seed: seed.child("node", u64::from(self.id.0)),
            clock: ties.clock,
            folder: self.folder,
            // A run whose disk is full shows nothing any more: it ends.
            reserve: None,
            identity: identity::planned(&seed, self.id),
            listen: Listen::On(ties.listeners.peers),
            max_peers: self.max_peers,
            // Nobody but the nodes of the plan can come.
            max_inbound: self.max_peers,
            directory: Directory::Plan(ties.roster),
            links: Links {
                seed,
                usual: self.usual,
                set: self.set,
            },
            severed: self.severed,
            seat: ties.seat,
            gate: ties.gate,
            control: ties.control,
            rpc: ties.listeners.rpc.map(Interface::On),
            told: ties.told,
            complaints: None,
        }
    }
}
