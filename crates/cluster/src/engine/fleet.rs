//! The nodes of a run: starting, ordering, stopping, and noticing when one ends.

use std::collections::BTreeMap;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::NodeId;
use chain::HashRate;
use futures::FutureExt;
use libp2p::{Multiaddr, PeerId};
use node::Command;
use scenario::{Order, Plan};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::wiring::Wiring;
use super::{Nodes, RunOptions};
use crate::driver::dialer::Target;
use crate::driver::directory::Roster;
use crate::driver::turnstile::Gate;
use crate::driver::{Control, Driver, Exit, Told};
use crate::hasher::Hasher;
use crate::limits::{MAX_PEERS, MAX_QUEUED_ORDERS};
use crate::port::{Listeners, Ports};
use crate::process::outfit::{Outfit, Ties};
use crate::process::{Host, Lines};
use crate::{Clock, Error, Program, identity};

/// A node's place in the fleet.
#[derive(Debug, Default)]
struct Slot {
    /// Gives it orders; none while it is down.
    control: Option<mpsc::Sender<Control>>,
    /// Where it can be reached, once it listens.
    address: Option<Multiaddr>,
    /// Whether it was told to stop.
    is_leaving: bool,
    /// Whether it is to start again when it has stopped.
    is_wanted_again: bool,
}

/// A node that is so far behind with its orders that it can be given no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stuck(pub(super) NodeId);

impl From<Stuck> for Error {
    fn from(Stuck(node): Stuck) -> Self {
        Self::Stuck(node)
    }
}

/// How a node's task ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) node: NodeId,
    pub(super) how: Result<Exit, Error>,
    /// Whether it was told to.
    pub(super) was_told: bool,
    /// Whether it was told meanwhile to start again.
    pub(super) is_wanted_again: bool,
}

/// All nodes of a run.
pub(super) struct Fleet {
    plan: Arc<Plan>,
    clock: Clock,
    data: PathBuf,
    nodes: Nodes,
    ports: Ports,
    roster: Arc<Roster>,
    slots: Vec<Slot>,
    /// The names of the programs that nodes were upgraded to.
    programs: BTreeMap<NodeId, String>,
    pub(super) wiring: Wiring,
    hasher: Hasher,
    gate: Gate,
    /// Hashes that nodes in other processes owed and never tried.
    missed: Arc<AtomicU64>,
    tasks: JoinSet<(NodeId, Result<Exit, Error>)>,
    pub(super) told: mpsc::Sender<Told>,
    ready: mpsc::Sender<(NodeId, Multiaddr)>,
}

impl Fleet {
    /// Takes all ports; no node runs yet. Nodes tell `told` what happens, and `ready` when they can be reached.
    pub(super) fn new(
        plan: Arc<Plan>,
        clock: Clock,
        options: &RunOptions,
        (told, ready): (mpsc::Sender<Told>, mpsc::Sender<(NodeId, Multiaddr)>),
    ) -> Result<Self, Error> {
        let ports = Ports::hold(&plan, options.ports, options.rpc)?;
        let seed = plan.root_seed();
        let key = |node| identity::planned(&seed, node).public().to_peer_id();
        let roster = Roster::new(plan.node_ids().map(key).collect());
        Ok(Self {
            wiring: Wiring::new(&plan),
            slots: plan.node_ids().map(|_| Slot::default()).collect(),
            programs: BTreeMap::new(),
            hasher: Hasher::start(clock),
            gate: Gate::default(),
            tasks: JoinSet::new(),
            roster: Arc::new(roster),
            plan,
            clock,
            data: options.data.clone(),
            nodes: options.nodes.clone(),
            ports,
            missed: Arc::new(AtomicU64::new(0)),
            told,
            ready,
        })
    }

    /// Starts a node with this much hash power; one that is still stopping starts when it has stopped.
    pub(super) fn start(&mut self, node: NodeId, hashrate: HashRate) {
        let slot = &mut self.slots[node.index()];
        if slot.control.is_some() {
            slot.is_wanted_again = slot.is_leaving;
            return;
        }
        let (control, orders) = mpsc::channel(MAX_QUEUED_ORDERS);
        *slot = Slot {
            control: Some(control),
            ..Slot::default()
        };
        let outfit = self.outfit(node, hashrate);
        let listeners = match self.ports.open(node) {
            Ok(listeners) => listeners,
            Err(source) => return self.spawn(node, async { Err(Error::Unheard(source)) }),
        };
        match &self.nodes {
            Nodes::Tasks => self.spawn(node, self.in_this_process(outfit, listeners, orders)),
            Nodes::Processes(program) => self.spawn(node, self.in_its_own(program, outfit, &listeners, orders)),
        }
    }

    fn spawn(&mut self, node: NodeId, life: impl Future<Output = Result<Exit, Error>> + Send + 'static) {
        let span = tracing::info_span!("node", name = self.plan.name_of(node));
        self.tasks.spawn(async move {
            let how = AssertUnwindSafe(life.instrument(span)).catch_unwind().await;
            (node, how.unwrap_or_else(|panic| Err(Error::panicked(panic.as_ref()))))
        });
    }

    fn in_this_process(
        &self,
        outfit: Outfit,
        listeners: Listeners,
        control: mpsc::Receiver<Control>,
    ) -> impl Future<Output = Result<Exit, Error>> + Send + use<> {
        let node = outfit.id;
        let setup = outfit.setup(Ties {
            clock: self.clock,
            roster: Arc::clone(&self.roster),
            listeners,
            seat: self.hasher.seat(node),
            gate: self.gate.clone(),
            control,
            told: self.told.clone(),
        });
        let ready = self.ready.clone();
        async move {
            let (driver, address) = Driver::start(setup).await?;
            // An engine that is gone does not want to know.
            let _gone = ready.send((node, address)).await;
            driver.run().await
        }
    }

    /// The process is started here and now: the kernel kills it when the thread that started it ends, and this one outlives the run.
    fn in_its_own(
        &self,
        program: &Program,
        outfit: Outfit,
        listeners: &Listeners,
        control: mpsc::Receiver<Control>,
    ) -> impl Future<Output = Result<Exit, Error>> + Send + use<> {
        let node = outfit.id;
        let program = program.named(self.programs.get(&node).map(String::as_str));
        let host = Host::start(&program, (node, self.plan.name_of(node)), self.clock, listeners);
        let roster = self.roster.keys().iter().map(PeerId::to_string).collect();
        let lines = Lines {
            control,
            told: self.told.clone(),
            ready: self.ready.clone(),
            missed: Arc::clone(&self.missed),
            gate: self.gate.clone(),
        };
        async move { host?.run(outfit, roster, lines).await }
    }

    fn outfit(&self, node: NodeId, hashrate: HashRate) -> Outfit {
        let planned = self.wiring.links_of(node).len();
        let mut config = self.plan.node_config(node);
        config.hashrate = hashrate;
        Outfit {
            id: node,
            config,
            params: self.plan.params.clone(),
            seed: self.plan.seed,
            folder: folder(&self.data, self.plan.name_of(node)),
            max_peers: MAX_PEERS.max(u32::try_from(planned).unwrap_or(u32::MAX)),
            usual: self.plan.conditions,
            set: self.wiring.conditions_from(node),
            severed: self.wiring.severed_from(node),
        }
    }

    /// Hashes that metered miners were owed and never got because the machine is too slow.
    pub(super) fn hashes_missed(&self) -> u64 {
        self.hasher.missed() + self.missed.load(Ordering::Relaxed)
    }

    /// A node can be reached from now on: lets its links come up.
    pub(super) fn listening(&mut self, node: NodeId, address: Multiaddr) -> Result<(), Stuck> {
        self.slots[node.index()].address = Some(address);
        for (a, b) in self.wiring.links_of(node) {
            self.dial(a, b)?;
        }
        Ok(())
    }

    /// Whether a node listens.
    pub(super) fn is_listening(&self, node: NodeId) -> bool {
        self.slots[node.index()].address.is_some()
    }

    /// Carries out an order of the director.
    pub(super) fn obey(&mut self, order: Order) -> Result<(), Stuck> {
        match order {
            Order::Command(node, command) => self.command(node, command),
            Order::Start(node) => {
                self.start(node, self.plan.nodes[node.index()].hashrate);
                Ok(())
            }
            Order::Upgrade(node, program) => {
                self.programs.insert(node, program);
                self.start(node, self.plan.nodes[node.index()].hashrate);
                Ok(())
            }
            Order::Stop(node) => self.stop(node, Control::Stop),
            Order::Kill(node) => self.stop(node, Control::Kill),
            Order::Pause(node) => self.send(node, Control::Pause),
            Order::Resume(node) => self.send(node, Control::Resume),
            Order::Wipe(_) => unreachable!("the session asks for `wipe`"),
            Order::Connect(a, b) => {
                self.wiring.connect(a, b);
                self.dial(a, b)
            }
            Order::Disconnect(a, b) => {
                self.wiring.disconnect(a, b);
                self.both(a, b, Control::Forget)
            }
            Order::Sever(a, b) => {
                self.wiring.sever(a, b);
                self.both(a, b, Control::Sever)
            }
            Order::Mend(a, b) => {
                self.wiring.mend(a, b);
                self.both(a, b, Control::Mend)
            }
            Order::SetLink(from, to, conditions) => {
                self.wiring.set(from, to, conditions);
                self.send(from, Control::SetLink(to, conditions))
            }
        }
    }

    /// Removes all that a node that is down has on its disk.
    pub(super) fn wipe(&self, node: NodeId) -> Result<(), Error> {
        assert!(
            self.slots[node.index()].control.is_none(),
            "a node is down before it is wiped"
        );
        let folder = folder(&self.data, self.plan.name_of(node));
        match std::fs::remove_dir_all(&folder) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::NotWiped { folder, source }),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Gives a node a command; one that is down does not hear it.
    pub(super) fn command(&self, node: NodeId, command: Command) -> Result<(), Stuck> {
        self.send(node, Control::Command(command))
    }

    fn stop(&mut self, node: NodeId, control: Control) -> Result<(), Stuck> {
        let slot = &mut self.slots[node.index()];
        slot.is_leaving = true;
        slot.is_wanted_again = false;
        slot.address = None;
        self.send(node, control)
    }

    /// Tells every running node to stop in good order.
    pub(super) fn stop_all(&mut self) {
        for index in 0..self.slots.len() {
            let node = NodeId::at(index);
            if self.stop(node, Control::Stop).is_err() {
                tracing::warn!(%node, "cannot be told to stop");
            }
        }
    }

    /// Lets `a` dial `b`, when both are there and it is wanted.
    fn dial(&self, a: NodeId, b: NodeId) -> Result<(), Stuck> {
        let Some(address) = self.slots[b.index()].address.clone() else {
            return Ok(());
        };
        let target = Target {
            peer: Some(b),
            peer_id: Some(self.roster.key(b)),
            address,
        };
        self.send(a, Control::Want(target))
    }

    /// Tells both ends of a link; the one that does not dial first, so that it is prepared.
    fn both(&self, a: NodeId, b: NodeId, control: impl Fn(NodeId) -> Control) -> Result<(), Stuck> {
        let dials = |node: NodeId, peer: NodeId| self.wiring.links_of(node).contains(&(node, peer));
        let (dialer, other) = if dials(b, a) { (b, a) } else { (a, b) };
        self.send(other, control(dialer))?;
        self.send(dialer, control(other))
    }

    fn send(&self, node: NodeId, control: Control) -> Result<(), Stuck> {
        let Some(sender) = &self.slots[node.index()].control else {
            return Ok(());
        };
        match sender.try_send(control) {
            // One that has ended is noticed by its end.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Stuck(node)),
        }
    }

    /// Waits until a node ends; for ever when none runs. May be dropped and called again.
    pub(super) async fn ended(&mut self) -> Ended {
        let Some(joined) = self.tasks.join_next().await else {
            return std::future::pending().await;
        };
        let (node, how) = joined.expect("panics are caught inside, and no task is aborted while it is waited for");
        self.ports.close(node);
        let slot = std::mem::take(&mut self.slots[node.index()]);
        Ended {
            node,
            how,
            was_told: slot.is_leaving,
            is_wanted_again: slot.is_wanted_again,
        }
    }

    /// Whether no node runs, or is about to end.
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Ends nodes that do not stop.
    pub(super) async fn abort(&mut self) {
        self.tasks.shutdown().await;
    }
}

fn folder(data: &Path, name: &str) -> PathBuf {
    let mut parts = Path::new(name).components();
    let is_plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    assert!(is_plain, "a checked plan has names that are no paths: {name}");
    data.join(name)
}
