//! Runs a plan on real nodes, in real time.

mod controls;
mod fleet;
mod rest;
mod session;
mod settling;
mod wiring;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::{NodeId, Time};
use observe::{Collector, Desk};
use scenario::{ControlReport, Director, Outcome, Plan, StepReport};

use crate::{Clock, Error, Interrupt, PortRange, Program, files};
use session::Session;

/// What does not come from the plan.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Where the nodes keep their data, each in a folder of its name. One that has been used before is gone on with.
    pub data: PathBuf,
    /// Where the nodes live.
    pub nodes: Nodes,
    /// Where they listen for each other.
    pub ports: PortRange,
    /// Where other people's tools can ask each node; nowhere without. What each has is in its data folder.
    pub rpc: Option<PortRange>,
    /// Where the run folder goes; none writes nothing.
    pub folder: Option<PathBuf>,
    /// Ends the run early, in good order.
    pub interrupt: Interrupt,
    /// Where operators hand in steps while it goes on; none takes none.
    pub desk: Option<Desk>,
}

impl RunOptions {
    /// A run that writes no folder and takes nothing from anybody.
    #[must_use]
    pub fn new(data: &Path, nodes: Nodes) -> Self {
        Self {
            data: data.to_owned(),
            nodes,
            ports: PortRange::FREE,
            rpc: None,
            folder: None,
            interrupt: Interrupt::new(),
            desk: None,
        }
    }
}

/// Where the nodes of a run live.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Nodes {
    /// All in this process.
    #[default]
    Tasks,
    /// Each in a process of its own, of this program.
    Processes(Program),
}

impl Nodes {
    /// The names of the programs that nodes can be upgraded to.
    fn programs(&self) -> Vec<String> {
        match self {
            Self::Tasks => Vec::new(),
            Self::Processes(program) => program.upgrades.keys().cloned().collect(),
        }
    }
}

/// News of a run, for whoever shows it.
#[derive(Debug)]
pub enum Progress<'a> {
    /// This many nodes are being started.
    Starting {
        /// How many.
        nodes: usize,
    },
    /// All of them are up.
    Started {
        /// How long it took.
        took: Duration,
    },
    /// All planned links are up.
    Connected {
        /// How many.
        links: usize,
        /// How long it took, from when the nodes were up.
        took: Duration,
    },
    /// Something was observed; all that is known by now.
    Observed(&'a Collector),
    /// News of a step.
    Step(&'a StepReport),
    /// News of a step that an operator handed in.
    Control(&'a ControlReport),
    /// A node ended though no step told it to: the run ends.
    NodeDied(&'a Died),
    /// The machine is too slow for the plan's hash power.
    Lagging {
        /// Hashes that were owed and not tried, so far.
        hashes_missed: u64,
    },
    /// The steps are done; the network is given time to come to rest.
    Settling,
    /// All nodes are being stopped.
    Stopping,
}

/// A node that ended though no step told it to.
#[derive(Debug)]
pub struct Died {
    /// Which.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Why.
    pub error: Error,
}

/// A run that has ended. All nodes are stopped, their folders closed and their ports free.
#[derive(Debug)]
pub struct Finished {
    /// All that was observed, up to when the nodes were stopped.
    pub collector: Collector,
    /// The director, who knows what transactions are called.
    pub director: Director,
    /// How the steps ended; none when the run was cut short.
    pub outcome: Option<Outcome>,
    /// Whether the run was interrupted.
    pub interrupted: bool,
    /// Nodes that ended though no step told them to.
    pub died: Vec<Died>,
    /// Whether the network came to rest at the end. One that had time to and did not has broken an invariant.
    pub settled: bool,
    /// Hashes that metered miners were owed and never got because the machine is too slow.
    pub hashes_missed: u64,
    /// How long the nodes took to start.
    pub starting: Duration,
    /// How long the planned links took to come up after that.
    pub connecting: Duration,
    /// The time at the end.
    pub took: Time,
}

/// Runs a plan to its end. Blocks; `observer` is told of what goes on, from this thread.
///
/// # Errors
/// When the run could not start: too few open files, a folder, a port, links that do not come up. What fails later is in [`Finished`].
pub fn run(plan: &Arc<Plan>, options: &RunOptions, observer: &mut dyn FnMut(&Progress<'_>)) -> Result<Finished, Error> {
    match options.nodes {
        Nodes::Tasks => files::check(plan.nodes.len(), plan.links.len())?,
        Nodes::Processes(_) => files::check_processes(plan.nodes.len())?,
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("cluster")
        .enable_all()
        .build()
        .map_err(Error::Threads)?;
    let ended = runtime.block_on(async {
        let session = Session::new(plan, options, Clock::start(), observer)?;
        session.run().await
    });
    if let Some(desk) = &options.desk {
        desk.close();
    }
    ended
}

#[cfg(test)]
mod tests;
