//! A run as a picture that can be wound back: built from the lines of its log, asked what it was like at any time.
//!
//! [`Model::push`] takes in one [`LoggedEvent`] after another; [`Follow`] does that with the log of a run folder, finished or still growing.
//! The same log gives the same model, whether it is read at once or as it comes, and the order in which blocks arrive does not show in what is
//! drawn of them.
//!
//! What does not hang on a time is asked of the model: blocks ([`Model::chain`]), forks, reorgs, steps, marks, transactions, how a block spread
//! ([`Model::spread`]), how nodes changed sides ([`Model::fork_series`]). What does is asked of a [`Moment`]: [`Model::at`] finds what every
//! node followed then by reading one frame of [`crate::arrivals`], and the moment gives nodes, tree and forks as they stood.
//!
//! | file | |
//! |---|---|
//! | `cast` | names, hash power, who was up |
//! | `chain` | blocks, what stands on what, what each spends |
//! | `connections` | who was connected to whom |
//! | `forks` | forks, their branches and sides over time, what two branches spend differently |
//! | `marks` | what a scrubber shows: forks, reorgs, cuts, steps |
//! | `moment` | the run at one time |
//! | `spread` | when each node got a block, and from whom |
//! | `stays` | from when to when each node was on a branch of a fork |
//! | `transactions` | what became of each transaction |
//! | `why` | what every node made of a block or transaction |
//! | `events` | the log's lines, by what they are about |
//! | `follow` | reading a run folder, also while it grows |

mod cast;
mod chain;
mod connections;
mod events;
mod follow;
mod forks;
mod marks;
mod moment;
mod push;
mod reorgs;
mod spread;
mod stays;
mod transactions;
mod why;

use std::collections::BTreeMap;
use std::path::Path;

use ::chain::BlockId;
use base::{NodeId, Time};

use crate::arrivals::{Arrivals, FILE, Unreadable};
use crate::log::LoggedEvent;
use crate::told::{RunEnded, RunStarted, Told};
use connections::Connections;

pub use crate::arrivals::BlockNumber;
pub use cast::Cast;
pub use chain::{BlockFacts, Chain};
pub use events::{EventFilter, EventPage};
pub use follow::{Follow, FollowError, FrameMark};
pub use forks::{
    BranchCard, ForkCard, ForkFacts, ForkSeries, ForkStory, ReorgStory, ResolutionCard, Rivals, SeriesPoint, Side,
    TransactionDifference, Unshared,
};
pub use marks::{Cut, Mark, MarkKind, StepFacts};
pub use moment::{Moment, NodeState, TreePicture, TreeRow};
pub use reorgs::ReorgFacts;
pub use spread::{BlockArrival, Spread};
pub use stays::{NodeStays, Stay};
pub use transactions::{Transaction, Transactions};
pub use why::{InBlock, Named, NodeAndBlock, NodeAndTransaction, Rival, WhyBlock, WhyError, WhyTransaction};

/// A run. See the module's documentation.
#[derive(Debug, Default)]
pub struct Model {
    revision: u64,
    events: u64,
    now: Time,
    run: Option<RunStarted>,
    ended: Option<(Time, RunEnded)>,
    cast: Cast,
    chain: Chain,
    arrivals: Arrivals,
    /// Who sent a body that its receiver has not connected yet.
    senders: BTreeMap<(NodeId, BlockId), NodeId>,
    connections: Connections,
    forks: Vec<ForkFacts>,
    reorgs: Vec<ReorgFacts>,
    steps: Vec<StepFacts>,
    cuts: Vec<Cut>,
    marks: Vec<Mark>,
    transactions: Transactions,
    not_understood: u64,
}

impl Model {
    /// A run of which nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next line of the log. Kinds it does not know are passed over; lines it cannot make sense of are counted.
    pub fn push(&mut self, event: &LoggedEvent) {
        self.revision += 1;
        self.events += 1;
        self.now = self.now.max(Time::from_micros(event.t_us));
        // Most lines of a full log are messages, and a picture has none.
        if matches!(
            event.kind.as_str(),
            "message_sent" | "message_received" | "header_accepted"
        ) {
            return;
        }
        let node = event.node.as_deref().and_then(|name| self.cast.node(name));
        match Told::of(event) {
            Ok(Some(told)) => self.tell(node, told),
            Ok(None) => {}
            Err(_) => self.not_understood += 1,
        }
    }

    /// Takes in what a run folder holds beside its log of when blocks arrived where; says whether there was more than before.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn poll_arrivals(&mut self, folder: &Path) -> Result<bool, Unreadable> {
        let is_beside = self.run.as_ref().is_some_and(|run| run.detail == "compact");
        if is_beside && !self.arrivals.is_stored() && folder.join(FILE).exists() {
            self.arrivals = Arrivals::beside(folder, self.cast.len())?;
        }
        let chain = &self.chain;
        let more = self.arrivals.poll(|block| chain.number(block))?;
        self.revision += u64::from(more);
        self.now = self.now.max(self.arrivals.last());
        Ok(more)
    }

    /// A number that grows whenever the picture may be another.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// How many events it was built from.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The time of the last event.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// What the run is; none before the log's first event.
    #[must_use]
    pub const fn run(&self) -> Option<&RunStarted> {
        self.run.as_ref()
    }

    /// When and how it ended; none while it goes on, or when it broke off.
    #[must_use]
    pub const fn ended(&self) -> Option<&(Time, RunEnded)> {
        self.ended.as_ref()
    }

    /// Its nodes.
    #[must_use]
    pub const fn cast(&self) -> &Cast {
        &self.cast
    }

    /// Its blocks.
    #[must_use]
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Its transactions.
    #[must_use]
    pub const fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    /// Its reorgs, of all nodes, in order.
    #[must_use]
    pub fn reorgs(&self) -> &[ReorgFacts] {
        &self.reorgs
    }

    /// Its steps, as far as they have begun.
    #[must_use]
    pub fn steps(&self) -> &[StepFacts] {
        &self.steps
    }

    /// Its partitions and isolations.
    #[must_use]
    pub fn cuts(&self) -> &[Cut] {
        &self.cuts
    }

    /// What stands out, in order of time: for a scrubber.
    #[must_use]
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Lines that were of a known kind but made no sense.
    #[must_use]
    pub const fn not_understood(&self) -> u64 {
        self.not_understood
    }

    /// The run as it was at a time.
    ///
    /// # Errors
    /// When what nodes followed was written to disk and cannot be read back.
    pub fn at(&self, at: Time) -> Result<Moment<'_>, Unreadable> {
        Moment::new(self, at)
    }
}

#[cfg(test)]
mod tests;
