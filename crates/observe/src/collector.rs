//! The one place all events of a run pass through.

use std::io;
use std::path::Path;
use std::sync::Arc;

use base::Time;
use scenario::{Plan, World};

use crate::record::{Engine, RunEvent};

/// Gives events their order, keeps the world, and writes the log. See the crate's documentation.
#[derive(Debug)]
pub struct Collector {
    plan: Arc<Plan>,
    world: World,
}

impl Collector {
    /// A collector that writes to `folder` (created when missing), or nowhere.
    pub fn new(_plan: Arc<Plan>, _engine: Engine, _folder: Option<&Path>) -> io::Result<Self> {
        todo!("observe")
    }

    /// Takes in what happened. Errors of the log's file are kept and told by [`Collector::finish`].
    pub fn observe(&mut self, _now: Time, _event: RunEvent) {
        todo!("observe")
    }

    /// What has been observed of the network so far.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// The plan of the run.
    #[must_use]
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }
}
