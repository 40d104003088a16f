//! The one place all events of a run pass through.

mod follow;
mod meet;

use std::io;
use std::path::Path;
use std::sync::Arc;

use base::{Hash, NodeId, Time};
use chain::BlockId;
use gossip::MessageKind;
use node::Event;
use scenario::{Deed, Engine, Plan, StepState, World};
use sha2::{Digest, Sha256};

use crate::best::BestChain;
use crate::convergence::ConvergenceMeter;
use crate::deeds;
use crate::detail::Detail;
use crate::folder::RunFolder;
use crate::forks::{Fork, ForkTracker};
use crate::history::{History, Traffic};
use crate::invariants::{Violation, Watch};
use crate::lagging::LagWatch;
use crate::line;
use crate::record::{Derived, Intervention, Record, RunEvent};
use crate::spread::SpreadMeter;
use crate::summary::{Ending, Summary, Verdict};
use crate::tables;
use crate::told::Totals;

/// Gives events their order, keeps the world, and writes the log. See the crate's documentation.
#[derive(Debug)]
pub struct Collector {
    plan: Arc<Plan>,
    engine: Engine,
    detail: Detail,
    world: World,
    next_seq: u64,
    changes: u64,
    controls: u64,
    digest: Sha256,
    run_digest: Option<Hash>,
    folder: Option<RunFolder>,
    history: History,
    forks: ForkTracker,
    spread: SpreadMeter,
    convergence: ConvergenceMeter,
    lagging: LagWatch,
    watch: Watch,
    checked: bool,
}

impl Collector {
    /// A collector that writes to `folder` (created when missing), or nowhere. Its first event is `run_started`.
    ///
    /// # Errors
    /// When the folder or its first files cannot be written, or it holds a log already.
    pub fn new(plan: Arc<Plan>, engine: Engine, folder: Option<&Path>) -> io::Result<Self> {
        Self::with_detail(plan, engine, folder, Detail::Full)
    }

    /// [`Collector::new`] with less detail than all.
    ///
    /// # Errors
    /// As there.
    pub fn with_detail(plan: Arc<Plan>, engine: Engine, folder: Option<&Path>, detail: Detail) -> io::Result<Self> {
        let folder = folder
            .map(|path| RunFolder::create(path, &plan, engine, detail))
            .transpose()?;
        let world = World::new(&plan);
        let genesis = world.genesis();
        let mut collector = Self {
            engine,
            detail,
            world,
            next_seq: 0,
            changes: 0,
            controls: 0,
            digest: Sha256::new(),
            run_digest: None,
            folder,
            history: History::new(&plan),
            forks: ForkTracker::new(&plan, detail),
            spread: SpreadMeter::default(),
            convergence: ConvergenceMeter::new(&plan),
            lagging: LagWatch::new(&plan),
            watch: Watch::default(),
            checked: false,
            plan,
        };
        collector.observe(
            Time::ZERO,
            RunEvent::RunStarted {
                engine,
                detail,
                genesis,
            },
        );
        Ok(collector)
    }

    /// Takes in what happened. Errors of the log's file are kept: see [`Collector::log_error`].
    pub fn observe(&mut self, now: Time, event: RunEvent) {
        if let RunEvent::Node { event, .. } = &event
            && matches!(event.as_ref(), Event::HeaderAccepted { .. })
            && !self.detail.tells(event)
        {
            // Nothing follows from it either.
            return;
        }
        let record = self.record(now, event);
        if let Some(folder) = &mut self.folder {
            folder.arrive(now, &record.what);
        }
        self.changes += u64::from(record.what.changes_the_world());
        self.watch.observe(&record, &self.plan, &self.world);
        let mut spread = None;
        match &record.what {
            RunEvent::Node { node, event, .. } => {
                if self.world.observe(now, *node, event) {
                    self.tell_of_block(&record, event);
                }
                spread = self.spread.observe(now, *node, event, &self.world);
            }
            RunEvent::NodeStarted { node, .. } => self.world.node_started(*node),
            RunEvent::NodeStopped { node, .. } => self.world.node_stopped(*node),
            RunEvent::Intervention { node, what } => match what {
                Intervention::Paused => self.world.node_paused(*node),
                Intervention::Resumed => self.world.node_resumed(*node),
                Intervention::Wiped => self.world.node_wiped(*node),
            },
            RunEvent::Step(report) => self.tell_of_deed(now, report.deed.as_ref()),
            RunEvent::Control(report) => {
                self.controls += u64::from(report.state == StepState::Started);
                self.tell_of_deed(now, report.deed.as_ref());
            }
            RunEvent::RunStarted { .. } | RunEvent::RunEnded { .. } | RunEvent::Derived(_) => {}
        }
        let mut news = self.forks.observe(now, &record.what, &self.plan, &self.world);
        let around = (&*self.plan, &self.world);
        self.lagging.observe(now, &record.what, around, &mut news);
        if self.detail != Detail::Summary {
            news.extend(spread.map(Derived::BlockSpread));
            self.convergence.observe(now, &record.what, around, &mut news);
        }
        for derived in news {
            self.record(now, RunEvent::Derived(derived));
        }
    }

    /// Lets go of the bodies of all blocks that are not above this one, which all nodes' chains have in common and which lies so deep that
    /// nothing will be asked of them again, nor spent of what they hold; checks first what of it is the chain's.
    ///
    /// # Panics
    /// When no node has told of the block.
    pub fn bury(&mut self, now: Time, block: &BlockId) {
        let from = self.watch.buried().unwrap_or_else(|| self.world.genesis());
        let blocks = self.world.path(&from, block);
        self.watch.bury(now, &self.plan, &blocks);
        for gone in self.world.let_go(block) {
            self.forks.let_go(&gone);
        }
    }

    /// Counts so many messages of one size that a node sent and, below full detail, does not tell of.
    pub fn count_sent(&mut self, node: NodeId, message: MessageKind, sent: (u64, u64)) {
        self.history.count_all_sent(node, message, sent);
    }

    /// Counts messages of one kind that some node sent: an engine with many nodes adds up by itself what each of them sends, and says so in the end
    /// ([`Collector::count_by_node`]).
    pub fn count_by_kind(&mut self, message: MessageKind, sent: Traffic) {
        self.history.count_by_kind(message, sent);
    }

    /// Counts messages that a node sent, and that were counted by their kinds before.
    pub fn count_by_node(&mut self, node: NodeId, sent: Traffic) {
        self.history.count_by_node(node, sent);
    }

    /// Finishes the log's current frame, so that all events so far survive a crash. In real time, call it about once a second.
    pub fn flush(&mut self) {
        if let Some(folder) = &mut self.folder {
            folder.flush();
        }
    }

    /// Checks what must hold at the end of a run; gives what does not. Call it while the nodes still run, when none is in the middle of a change.
    ///
    /// `settled`: whether the network was left alone for long enough that connected nodes must agree.
    pub fn check_end(&mut self, now: Time, settled: bool) -> &[Violation] {
        self.checked = true;
        let known = self.watch.violations().len();
        self.watch.check_tips(now, &self.plan, &self.world);
        self.watch.check_chains(now, &self.plan, &self.world);
        if settled {
            self.watch.check_agreement(now, &self.plan, &self.world);
        }
        &self.watch.violations()[known..]
    }

    /// Ends the run: closes what is still being measured, writes `run_ended` and the rest of the run folder, and gives the figures.
    ///
    /// Chains are checked now if [`Collector::check_end`] was not called.
    pub fn finish(&mut self, now: Time, ending: Ending) -> Summary {
        if !self.checked {
            self.check_end(now, false);
        }
        while let Some(spread) = self.spread.close_oldest(&self.world) {
            self.record(now, RunEvent::Derived(Derived::BlockSpread(spread)));
        }
        if let Some(convergence) = self.convergence.close() {
            self.record(now, RunEvent::Derived(Derived::Convergence(convergence)));
        }
        let verdict = Verdict::of(ending, self.violations());
        self.record(
            now,
            RunEvent::RunEnded {
                reason: verdict.words().to_owned(),
                ok: verdict == Verdict::Passed,
                totals: self.totals(),
            },
        );
        self.flush();
        self.write_results(&Summary::of(self, now, ending));
        // Once more, so that it tells of errors while the results were written.
        Summary::of(self, now, ending)
    }

    fn write_results(&mut self, summary: &Summary) {
        let Some(folder) = &mut self.folder else {
            return;
        };
        let (plan, world) = (&self.plan, &self.world);
        folder.write("forks.csv", &tables::forks(self.forks.forks(), plan));
        folder.write("reorgs.csv", &tables::reorgs(self.history.reorgs(), plan));
        folder.write("blocks.csv", &tables::blocks(world, plan, &self.spread));
        folder.write("nodes.csv", &tables::nodes(world, plan));
        let mut run = line::run(plan, self.engine, self.detail);
        let summary = serde_json::to_value(summary).expect("a summary has no maps with keys other than text");
        run["verdict"] = summary["verdict"].clone();
        run["digest"] = summary["digest"].clone();
        run["controls"] = self.controls.into();
        run["events"] = summary["log"]["events"].clone();
        folder.write_json("summary.json", &summary);
        folder.write_json("run.json", &run);
    }

    /// Names the run by the digest of all that happened in it, whatever of it was told. For engines whose runs repeat.
    pub const fn set_run_digest(&mut self, digest: Hash) {
        self.run_digest = Some(digest);
    }

    /// The digest of all that happened, where the engine has one.
    #[must_use]
    pub const fn run_digest(&self) -> Option<Hash> {
        self.run_digest
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

    /// Which engine the run uses.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// The last events of each node, the reorgs, and what was sent.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// All forks so far, in the order of opening.
    #[must_use]
    pub fn forks(&self) -> &[Fork] {
        self.forks.forks()
    }

    /// How blocks spread.
    #[must_use]
    pub const fn spread(&self) -> &SpreadMeter {
        &self.spread
    }

    /// The invariants found broken so far.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        self.watch.violations()
    }

    /// How many more there were than are kept.
    #[must_use]
    pub const fn violations_left_out(&self) -> u64 {
        self.watch.unkept()
    }

    /// The chain with the most work so far.
    #[must_use]
    pub fn best_chain(&self) -> BestChain<'_> {
        BestChain::of(&self.world)
    }

    /// How much is told.
    #[must_use]
    pub const fn detail(&self) -> Detail {
        self.detail
    }

    /// How often something has happened that an expectation could be about.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// How many events were told.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.next_seq
    }

    /// SHA-256 over the lines of the log so far, line ends included: what `cat events-*.zst | zstdcat | sha256sum` gives.
    #[must_use]
    pub fn digest(&self) -> Hash {
        Hash(self.digest.clone().finalize().into())
    }

    /// Why the log is incomplete; nothing was written after this error. None when all is well.
    #[must_use]
    pub fn log_error(&self) -> Option<&io::Error> {
        self.folder.as_ref().and_then(RunFolder::error)
    }

    /// Gives an event its place, writes its line, and remembers it.
    fn record(&mut self, at: Time, what: RunEvent) -> Record {
        let record = Record {
            seq: self.next_seq,
            at,
            what,
        };
        if let RunEvent::Node { event, .. } = &record.what
            && !self.detail.tells(event)
        {
            return record;
        }
        self.write(&record);
        record
    }

    fn write(&mut self, record: &Record) {
        self.next_seq += 1;
        let line = line::line(record, &self.plan);
        self.digest.update(line.as_bytes());
        self.digest.update(b"\n");
        if let Some(folder) = &mut self.folder {
            folder.append(&line);
        }
        self.history.observe(record);
    }

    /// A block that nobody has told of before: that it is there, whatever the detail, and what it spends.
    fn tell_of_block(&mut self, record: &Record, event: &Event) {
        if !self.detail.tells(event) {
            self.write(record);
        }
        if let Event::BlockMined { block, body, .. } | Event::BlockConnected { block, body, .. } = event
            && let Some(transactions) = deeds::transactions(*block, body)
        {
            self.record(record.at, RunEvent::Derived(Derived::BlockTransactions(transactions)));
        }
    }

    fn tell_of_deed(&mut self, at: Time, deed: Option<&Deed>) {
        if let Some(told) = deed.and_then(|deed| deeds::told(deed, &self.plan)) {
            self.record(at, RunEvent::Derived(told));
        }
    }

    fn totals(&self) -> Totals {
        let traffic = self.history.traffic();
        let traffic = traffic.values();
        Totals {
            blocks: self.world.blocks().len() as u64 - 1,
            stale: self.best_chain().stale().count() as u64,
            forks: self.forks().len() as u64,
            reorgs: self.history.reorgs_seen(),
            messages: traffic.clone().map(|sent| sent.messages).sum(),
            bytes: traffic.map(|sent| sent.bytes).sum(),
        }
    }
}

#[cfg(test)]
mod tests;
