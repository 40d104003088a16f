//! One run, from start to stop.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base::{NodeId, Time};
use chain::HashRate;
use libp2p::Multiaddr;
use node::{Command, Event};
use observe::operator::Owed;
use observe::{Collector, Desk, Engine, Intervention, RunEvent};
use scenario::{Director, Order, Outcome, Plan};
use tokio::select;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

use super::fleet::{Ended, Fleet, Stuck};
use super::settling::Settling;
use super::{Died, Finished, Progress, RunOptions};
use crate::driver::{Exit, Told};
use crate::limits::{
    CONNECTING_PATIENCE, FLUSH_EVERY, MAX_QUEUED_EVENTS, MAX_SETTLING, STARTING_PATIENCE, STOPPING_PATIENCE,
};
use crate::{Clock, Error, Interrupt};

/// What [`Session::wait`] came back for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Woken {
    /// A node told something, and the collector knows it now.
    Told(Change),
    /// A node can be reached.
    Listening,
    /// A node was stopped as it was told.
    Stopped,
    /// A node died.
    Died,
    /// The time that was given has come.
    Time,
    /// Somebody wants the run to end.
    Interrupted,
}

/// What changed with what a node told, as far as waiting for it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    Peers(NodeId, NodeId),
    Tip,
    Other,
}

/// A run that is going on.
pub(super) struct Session<'a> {
    pub(super) plan: Arc<Plan>,
    pub(super) clock: Clock,
    pub(super) collector: Collector,
    pub(super) director: Director,
    desk: Option<Desk>,
    pub(super) owed: Owed,
    pub(super) fleet: Fleet,
    told: mpsc::Receiver<Told>,
    ready: mpsc::Receiver<(NodeId, Multiaddr)>,
    interrupt: Interrupt,
    pub(super) observer: &'a mut dyn FnMut(&Progress<'_>),
    pub(super) died: Vec<Died>,
    /// The latest time that anything was observed at: the log's times never go back, though threads race.
    pub(super) latest: Time,
    /// When the log was last made to survive a crash.
    flushed: Time,
    hashes_missed_told: u64,
    /// How long the network may take to come to rest at the end.
    pub(super) max_settling: Duration,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        plan: &Arc<Plan>,
        options: &RunOptions,
        clock: Clock,
        observer: &'a mut dyn FnMut(&Progress<'_>),
    ) -> Result<Self, Error> {
        let (tell, told) = mpsc::channel(MAX_QUEUED_EVENTS);
        let (be_ready, ready) = mpsc::channel(plan.nodes.len().max(1));
        // Before a folder is made: a port that is taken leaves nothing behind.
        let fleet = Fleet::new(Arc::clone(plan), clock, options, (tell, be_ready))?;
        let collector =
            Collector::new(Arc::clone(plan), Engine::Cluster, options.folder.as_deref()).map_err(|source| {
                Error::RunFolder {
                    folder: options.folder.clone().unwrap_or_default(),
                    source,
                }
            })?;
        Ok(Self {
            collector,
            director: Director::new(Arc::clone(plan), Engine::Cluster).with_programs(options.nodes.programs()),
            desk: options.desk.clone(),
            owed: Owed::default(),
            fleet,
            told,
            ready,
            interrupt: options.interrupt.clone(),
            observer,
            died: Vec::new(),
            latest: Time::ZERO,
            flushed: Time::ZERO,
            hashes_missed_told: 0,
            max_settling: MAX_SETTLING,
            plan: Arc::clone(plan),
            clock,
        })
    }

    pub(super) async fn run(mut self) -> Result<Finished, Error> {
        let began = self.came_up().await;
        let (starting, connecting) = match began {
            Ok(durations) => durations,
            Err(error) => {
                self.stop().await;
                return Err(error);
            }
        };
        let (mut outcome, mut interrupted) = match self.direct().await {
            Ok(outcome) => (Some(outcome), false),
            Err(Woken::Interrupted) => (None, true),
            Err(Woken::Told(_) | Woken::Listening | Woken::Stopped | Woken::Died | Woken::Time) => (None, false),
        };
        let mut settling = None;
        if outcome == Some(Outcome::Passed) {
            settling = Some(self.settle().await);
        }
        if settling == Some(Settling::Interrupted) {
            (outcome, interrupted) = (None, true);
        }
        self.end_controls();
        let took = self.clock.now();
        let hashes_missed = self.fleet.hashes_missed();
        // A network that was given time must agree now, whether it came to rest or not: or disagreement would go unseen.
        let had_time = matches!(settling, Some(Settling::AtRest | Settling::Restless));
        // While the nodes still run, or there would be nobody to agree.
        self.collector
            .check_end(took.max(self.latest), had_time && self.director.links_are_open());
        self.stop().await;
        Ok(Finished {
            collector: self.collector,
            director: self.director,
            outcome,
            interrupted,
            died: self.died,
            settled: settling == Some(Settling::AtRest),
            hashes_missed,
            starting,
            connecting,
            took,
        })
    }

    /// Starts the nodes and waits for their links; gives how long each took.
    async fn came_up(&mut self) -> Result<(Duration, Duration), Error> {
        let planned: Vec<NodeId> = self
            .plan
            .node_ids()
            .filter(|node| self.plan.nodes[node.index()].started)
            .collect();
        (self.observer)(&Progress::Starting { nodes: planned.len() });
        // Nobody mines before all are connected, or every run would begin with a fork.
        for node in &planned {
            self.fleet.start(*node, HashRate::ZERO);
        }
        self.all_listen(&planned).await?;
        let starting = self.clock.now().since(Time::ZERO);
        (self.observer)(&Progress::Started { took: starting });

        let links = self.all_connected().await?;
        let connecting = self.clock.now().since(Time::ZERO + starting);
        (self.observer)(&Progress::Connected {
            links,
            took: connecting,
        });
        for node in planned {
            let rate = self.plan.nodes[node.index()].hashrate;
            if rate > HashRate::ZERO {
                self.fleet.command(node, Command::SetHashRate(rate))?;
            }
        }
        Ok((starting, connecting))
    }

    async fn all_listen(&mut self, planned: &[NodeId]) -> Result<(), Error> {
        let until = self.clock.now() + STARTING_PATIENCE;
        while let Some(missing) = planned.iter().find(|node| !self.fleet.is_listening(**node)) {
            let name = self.plan.name_of(*missing).to_owned();
            match self.wait(until).await {
                Woken::Told(_) | Woken::Listening | Woken::Stopped => {}
                Woken::Died => return Err(self.first_death()),
                Woken::Interrupted => return Err(Error::Interrupted),
                Woken::Time => {
                    return Err(Error::Slow {
                        name,
                        patience: STARTING_PATIENCE,
                    });
                }
            }
        }
        Ok(())
    }

    /// Waits until the planned links between nodes that run are up; gives their number.
    async fn all_connected(&mut self) -> Result<usize, Error> {
        let started = |node: NodeId| self.plan.nodes[node.index()].started;
        let links: Vec<_> = self
            .plan
            .links
            .iter()
            .filter(|link| started(link.a) && started(link.b))
            .map(|link| (link.a.min(link.b), link.a.max(link.b)))
            .collect();
        let mut missing: BTreeSet<_> = links.iter().copied().collect();
        missing.retain(|(a, b)| !self.collector.world().connected(*a, *b));
        let until = self.clock.now() + CONNECTING_PATIENCE;
        while let Some((a, b)) = missing.first().copied() {
            match self.wait(until).await {
                Woken::Told(Change::Peers(a, b)) => {
                    let link = (a.min(b), a.max(b));
                    if self.collector.world().connected(a, b) {
                        missing.remove(&link);
                    } else if links.contains(&link) {
                        missing.insert(link);
                    }
                }
                Woken::Told(Change::Tip | Change::Other) | Woken::Listening | Woken::Stopped => {}
                Woken::Died => return Err(self.first_death()),
                Woken::Interrupted => return Err(Error::Interrupted),
                Woken::Time => {
                    return Err(Error::NotConnected {
                        missing: missing.len(),
                        links: links.len(),
                        first: format!("{} to {}", self.plan.name_of(a), self.plan.name_of(b)),
                        patience: CONNECTING_PATIENCE,
                    });
                }
            }
        }
        Ok(links.len())
    }

    fn first_death(&mut self) -> Error {
        let Died { name, error, .. } = self.died.remove(0);
        Error::Node {
            name,
            source: Box::new(error),
        }
    }

    /// Goes through the steps; gives what cut them short when they did not come to their end.
    async fn direct(&mut self) -> Result<Outcome, Woken> {
        let desk = self.desk.clone();
        let mut orders = Vec::new();
        let mut reports = Vec::new();
        loop {
            let now = self.clock.now().max(self.latest);
            let world = self.collector.world();
            let outcome = self.director.advance(now, world, &mut orders, &mut reports);
            for report in reports.drain(..) {
                (self.observer)(&Progress::Step(&report));
                self.observe(now, RunEvent::Step(report));
            }
            if let Some(outcome) = outcome {
                return Ok(outcome);
            }
            let changes = self.collector.changes();
            for order in orders.drain(..) {
                self.obeyed(order)?;
            }
            self.look_at_controls()?;
            if self.collector.changes() != changes {
                continue;
            }
            let until = self.director.deadline().unwrap_or(Time::MAX);
            let handed_in = async {
                match &desk {
                    Some(desk) => desk.next().await,
                    None => std::future::pending().await,
                }
            };
            select! {
                biased;
                request = handed_in => self.carry_out(request)?,
                woken = self.wait(until) => match woken {
                    Woken::Told(_) | Woken::Listening | Woken::Stopped | Woken::Time => {}
                    cut_short @ (Woken::Died | Woken::Interrupted) => return Err(cut_short),
                },
            }
        }
    }

    pub(super) fn obeyed(&mut self, order: Order) -> Result<(), Woken> {
        let Order::Wipe(node) = order else {
            return self.fleet.obey(order).map_err(|stuck| self.fell_behind(stuck));
        };
        if let Err(error) = self.fleet.wipe(node) {
            self.bury(node, error);
            return Err(Woken::Died);
        }
        let what = Intervention::Wiped;
        self.observe(self.clock.now(), RunEvent::Intervention { node, what });
        Ok(())
    }

    /// A node that takes no orders is as good as dead.
    pub(super) fn fell_behind(&mut self, stuck: Stuck) -> Woken {
        self.bury(stuck.0, stuck.into());
        Woken::Died
    }

    /// Waits for the next thing that happens, at most until then, and takes it in.
    pub(super) async fn wait(&mut self, until: Time) -> Woken {
        self.tell_of_lag();
        loop {
            self.flush();
            let woken = select! {
                biased;
                () = self.interrupt.triggered() => Woken::Interrupted,
                Some(told) = self.told.recv() => self.take_in(told),
                Some((node, address)) = self.ready.recv() => match self.fleet.listening(node, address) {
                    Ok(()) => Woken::Listening,
                    Err(stuck) => self.fell_behind(stuck),
                },
                ended = self.fleet.ended() => self.took_leave(ended),
                () = sleep_until(self.clock.instant(until)) => Woken::Time,
                () = sleep_until(self.clock.instant(self.flushed + FLUSH_EVERY)) => continue,
            };
            return woken;
        }
    }

    fn take_in(&mut self, told: Told) -> Woken {
        let change = match &told.event {
            RunEvent::Node { node, event, .. } => change(*node, event),
            RunEvent::RunStarted { .. }
            | RunEvent::RunEnded { .. }
            | RunEvent::NodeStarted { .. }
            | RunEvent::NodeStopped { .. }
            | RunEvent::Intervention { .. }
            | RunEvent::Step(_)
            | RunEvent::Control(_)
            | RunEvent::Derived(_) => Change::Other,
        };
        self.observe(told.at, told.event);
        Woken::Told(change)
    }

    /// Lets readers of the log see what has happened, and a crash lose little of it.
    fn flush(&mut self) {
        let now = self.clock.now();
        if now >= self.flushed + FLUSH_EVERY {
            self.flushed = now;
            self.collector.flush();
        }
    }

    pub(super) fn observe(&mut self, at: Time, event: RunEvent) {
        self.latest = self.latest.max(at);
        self.collector.observe(self.latest, event);
        (self.observer)(&Progress::Observed(&self.collector));
    }

    fn took_leave(&mut self, ended: Ended) -> Woken {
        let Ended {
            node,
            how,
            was_told,
            is_wanted_again,
        } = ended;
        // All that it told before it ended comes before its end.
        while let Ok(told) = self.told.try_recv() {
            self.take_in(told);
        }
        let reason = match how {
            Ok(Exit::Stopped) if was_told => "stopped",
            Ok(Exit::Killed) if was_told => "killed",
            // An operator's word reached it through its interface.
            Ok(Exit::Stopped) => "stopped over its interface",
            Ok(Exit::Killed) => unreachable!("nodes are killed only when they are told to end"),
            Err(error) => {
                self.bury(node, error);
                return Woken::Died;
            }
        };
        let stopped = RunEvent::NodeStopped {
            node,
            reason: reason.to_owned(),
            expected: true,
        };
        self.observe(self.clock.now(), stopped);
        if is_wanted_again {
            self.fleet.start(node, self.plan.nodes[node.index()].hashrate);
        }
        Woken::Stopped
    }

    fn bury(&mut self, node: NodeId, error: Error) {
        let reason = error.to_string();
        let died = Died {
            node,
            name: self.plan.name_of(node).to_owned(),
            error,
        };
        (self.observer)(&Progress::NodeDied(&died));
        self.died.push(died);
        let stopped = RunEvent::NodeStopped {
            node,
            reason,
            expected: false,
        };
        self.observe(self.clock.now(), stopped);
    }

    fn tell_of_lag(&mut self) {
        let hashes_missed = self.fleet.hashes_missed();
        if hashes_missed > self.hashes_missed_told * 2 {
            self.hashes_missed_told = hashes_missed;
            (self.observer)(&Progress::Lagging { hashes_missed });
        }
    }

    /// Stops all nodes. What they tell while they stop is not observed: the world stays as it was at the end of the run.
    async fn stop(&mut self) {
        (self.observer)(&Progress::Stopping);
        self.fleet.stop_all();
        let stopping = async {
            while !self.fleet.is_empty() {
                select! {
                    Some(_) = self.told.recv() => {}
                    ended = self.fleet.ended() => if let Err(error) = ended.how {
                        let name = self.plan.name_of(ended.node).to_owned();
                        self.died.push(Died { node: ended.node, name, error });
                    },
                }
            }
        };
        if timeout(STOPPING_PATIENCE, stopping).await.is_err() {
            tracing::warn!("some nodes did not stop in time and were ended");
            self.fleet.abort().await;
        }
    }
}

fn change(node: NodeId, event: &Event) -> Change {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other kinds are alike here, and new ones will be"
    )]
    match event {
        Event::PeerConnected { peer, .. } | Event::PeerDisconnected { peer, .. } => Change::Peers(node, *peer),
        Event::TipChanged { .. } => Change::Tip,
        _ => Change::Other,
    }
}
