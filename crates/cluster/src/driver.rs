//! Drives one node: what comes from peers, the clock, the hasher, the disk and the operator goes in; what the node puts out is carried out,
//! in order.
//!
//! One task owns it all. Deadlines and messages that are due come before anything new is read. A block that must be durable is on disk before
//! any later output is carried out, so it is never announced before.

mod complaints;
mod connections;
mod control;
pub(crate) mod dialer;
pub(crate) mod directory;
mod eviction;
mod front;
mod full_disk;
mod incoming;
mod journal;
mod outputs;
mod peers;
mod restoring;
mod stillness;
mod turns;
pub(crate) mod turnstile;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

use base::{NodeId, Seed, Time};
use chain::Ledger;
use libp2p::{Multiaddr, PeerId};
use node::limits::MAX_DISCOURAGED;
use node::{Event, Input, Node, Outbox, Template};
use observe::RunEvent;
use scenario::Link;
use tokio::select;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

pub(crate) use control::{Complaint, Control, Exit, Interface, Links, Listen, Setup, Told};
use dialer::{Dialer, Target};
use directory::Directory;
use front::{Bans, Front};
use incoming::incoming;
use peers::Peers;
use turns::Turns;
use turnstile::Turnstile;

use crate::conversation::{Heard, Shared, Word};
use crate::hasher::Seat;
use crate::limits::{MAX_HEARD_PER_PEER, MAX_PEERS};
use crate::net::{Net, NetConfig, NetEvent, Trouble};
use crate::store::{Store, Writer};
use crate::{Clock, Error};

/// Words of all peers that may wait for a node; each peer waits for its own turn first.
const MAX_HEARD: usize = MAX_HEARD_PER_PEER * MAX_PEERS as usize;

/// A node and everything around it.
pub(crate) struct Driver {
    id: NodeId,
    node: Node,
    ledger: Ledger,
    clock: Clock,
    net: Net,
    directory: Directory,
    peers: Peers,
    /// The most peers that may have dialled this node.
    max_inbound: u32,
    /// What keeps others from telling whom addresses protect.
    eviction_seed: Seed,
    dialer: Dialer,
    turnstile: Turnstile,
    /// Links in use so far, from this node to its peers.
    links: BTreeMap<NodeId, Link>,
    link_plan: Links,
    severed: BTreeSet<NodeId>,
    /// Whom the node does not want again, the oldest first; as many as it remembers itself.
    discouraged: VecDeque<NodeId>,
    /// Where it keeps what it knows.
    folder: PathBuf,
    writer: Writer,
    /// Whether the disk is full, and nothing is taken in.
    is_out_of_room: bool,
    seat: Seat,
    /// What the hasher searches for it.
    searched: Option<Template>,
    control: mpsc::Receiver<Control>,
    /// Orders that came while it stood still.
    postponed: VecDeque<Control>,
    shared: Shared,
    heard: mpsc::Receiver<Heard>,
    /// Whose words are next of those that were heard.
    turns: Turns,
    told: mpsc::Sender<Told>,
    complaints: Option<mpsc::Sender<Complaint>>,
    /// Peers of other networks that were complained about.
    foreign: BTreeSet<PeerId>,
    /// How many events the node has told of.
    nseq: u64,
    /// Messages that will not arrive, still to be told of.
    losses: Vec<Event>,
    /// What is still to be handed to the node: consequences of what is being carried out.
    inputs: VecDeque<Input>,
    outbox: Outbox,
    /// The interface for other people's tools, if there is one.
    front: Option<Front>,
    /// Who may not connect, whether the interface is there or not.
    bans: Bans,
}

impl Driver {
    /// Opens the folder, listens, and brings the node to where it was. Gives the address at which it can be reached.
    pub(crate) async fn start(mut setup: Setup) -> Result<(Self, Multiaddr), Error> {
        let genesis = setup.params.genesis_block().id();
        let folder = setup.folder.clone();
        let opening = spawn_blocking(move || -> Result<_, Error> {
            let mut store = Store::open(&folder, genesis)?;
            if let Some(bytes) = setup.reserve {
                store.keep_reserve(bytes)?;
            }
            let bans = Bans::load(&folder)?;
            let mut blocks = Vec::new();
            store.restore(|block| blocks.push(block))?;
            Ok((store, bans, blocks))
        });
        let network = NetConfig {
            identity: setup.identity.clone(),
            genesis,
            agent: setup.config.agent.clone(),
            max_peers: setup.max_peers,
            max_inbound: setup.max_inbound,
        };
        let (net, address) = Net::open(network, &setup.listen).await?;
        tracing::info!(%address, "listening");
        let bound = front::take_port(setup.rpc.take()).await?;
        let data = setup.folder.clone();
        let (store, bans, blocks) = opening
            .await
            .expect("opening a store is never aborted, and a panic in it is passed on")?;
        let started = RunEvent::NodeStarted {
            node: setup.id,
            peer_id: net.peer_id().to_string(),
            addrs: vec![address.to_string()],
            restored: blocks.len(),
        };
        let mut driver = Self::new(setup, net, (store, bans));
        driver.tell(started).await;
        driver.restore(blocks).await?;
        if let Some(bound) = bound {
            driver.open_front(bound, data, &address).await?;
        }
        Ok((driver, address))
    }

    fn new(setup: Setup, net: Net, (store, bans): (Store, Bans)) -> Self {
        let (ear, heard) = mpsc::channel(MAX_HEARD);
        let Links { set, .. } = &setup.links;
        let link = |(peer, conditions): &(NodeId, _)| (*peer, setup.links.link(setup.id, *peer, *conditions));
        let mut driver = Self {
            id: setup.id,
            node: Node::new(setup.id, setup.config, setup.seed),
            ledger: Ledger::new(setup.params),
            clock: setup.clock,
            net,
            directory: setup.directory,
            peers: Peers::default(),
            max_inbound: setup.max_inbound,
            eviction_seed: setup.seed.child("eviction", 0),
            dialer: Dialer::new(setup.seed.child("dialer", 0).rng()),
            turnstile: Turnstile::new(setup.gate),
            links: set.iter().map(link).collect(),
            link_plan: setup.links,
            severed: BTreeSet::new(),
            discouraged: VecDeque::new(),
            folder: setup.folder,
            writer: Writer::new(store),
            is_out_of_room: false,
            seat: setup.seat,
            searched: None,
            control: setup.control,
            postponed: VecDeque::new(),
            shared: Shared::new(ear),
            heard,
            turns: Turns::new(),
            told: setup.told,
            complaints: setup.complaints,
            foreign: BTreeSet::new(),
            nseq: 0,
            losses: Vec::new(),
            inputs: VecDeque::new(),
            outbox: Outbox::new(),
            front: None,
            bans,
        };
        for peer in setup.severed {
            driver.block(peer);
        }
        driver
    }

    /// Runs until told to stop, or until something fails that a node cannot go on without.
    pub(crate) async fn run(mut self) -> Result<Exit, Error> {
        loop {
            self.do_what_is_due().await?;
            if self.writer.is_out_of_room() {
                if let Some(exit) = self.wait_for_room().await? {
                    return self.leave(exit).await;
                }
                continue;
            }
            if let Some(control) = self.postponed.pop_front() {
                if let Some(exit) = self.obey(control).await? {
                    return self.leave(exit).await;
                }
                continue;
            }
            let wake = self.clock.instant(self.next_wake());
            select! {
                biased;
                control = self.control.recv() => {
                    // Whoever could give orders is gone: nobody wants this node any more.
                    let control = control.unwrap_or(Control::Stop);
                    if let Some(exit) = self.obey(control).await? {
                        return self.leave(exit).await;
                    }
                }
                saved = self.writer.done() => saved?,
                header = self.seat.solved() => self.handle(Input::Solved { header }).await?,
                // Peers and the interface's clients have equal chances: neither can keep the other waiting.
                incoming = incoming(&mut self.net, self.turns.next(&mut self.heard), self.front.as_mut()) => {
                    if let Some(exit) = self.take_in(incoming).await? {
                        return self.leave(exit).await;
                    }
                }
                () = self.turnstile.called() => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    async fn leave(self, exit: Exit) -> Result<Exit, Error> {
        // Peers and the hasher first, so that nobody waits for a node that waits for its disk.
        let Self {
            writer,
            net,
            peers,
            seat,
            front,
            ..
        } = self;
        drop((net, peers, seat));
        if let Some(front) = front {
            front.close().await;
        }
        match exit {
            Exit::Stopped => writer.close().await?,
            Exit::Killed => writer.abandon().await,
        }
        Ok(exit)
    }

    async fn do_what_is_due(&mut self) -> Result<(), Error> {
        let now = self.clock.now();
        if self.node.deadline().is_some_and(|(at, _)| at <= now) {
            self.handle(Input::Tick).await?;
        }
        self.deliver(now);
        if self.writer.deadline().is_some_and(|at| at <= now) {
            self.writer.begin();
        }
        self.dial(now);
        self.catch_up().await
    }

    /// Sends what has waited for its link long enough.
    fn deliver(&mut self, now: Time) {
        for peer in self.peers.deliver(now) {
            tracing::debug!(node = %self.id, %peer, "dropping a peer that does not read");
            self.hang_up(peer);
        }
    }

    fn next_wake(&self) -> Time {
        let wakes = [
            self.node.deadline().map(|(at, _)| at),
            self.peers.deadline(),
            self.writer.deadline(),
            self.dialing_deadline(self.clock.now()),
        ];
        wakes.into_iter().flatten().min().unwrap_or(Time::MAX)
    }

    async fn obey(&mut self, control: Control) -> Result<Option<Exit>, Error> {
        let now = self.clock.now();
        match control {
            Control::Command(command) => self.handle(Input::Command(command)).await?,
            Control::Want(target) => self.want(target, now),
            Control::Forget(peer) => {
                self.dialer.forget(peer);
                self.hang_up(peer);
            }
            Control::Sever(peer) => {
                self.block(peer);
                self.hang_up(peer);
            }
            Control::Mend(peer) => self.unblock(peer, now),
            Control::SetLink(peer, conditions) => {
                let plan = &self.link_plan;
                let link = self
                    .links
                    .entry(peer)
                    .or_insert_with(|| plan.link(self.id, peer, conditions));
                link.set(conditions, || plan.link_seed(self.id, peer));
            }
            Control::Pause => return self.stand_still().await,
            // It goes on already.
            Control::Resume => {}
            Control::Stop => return Ok(Some(Exit::Stopped)),
            Control::Kill => return Ok(Some(Exit::Killed)),
        }
        self.catch_up().await?;
        Ok(None)
    }

    fn want(&mut self, target: Target, now: Time) {
        let peer = target.peer;
        self.dialer.want(target, now);
        if let Some(peer) = peer.filter(|peer| self.severed.contains(peer)) {
            self.dialer.hold(peer);
        }
    }

    async fn on_net(&mut self, event: NetEvent) -> Result<(), Error> {
        match event {
            NetEvent::Opened {
                peer,
                connection,
                outbound,
                streams,
            } => match self.name(peer) {
                Some(node) if self.may_talk(peer, connection) => self.open(node, connection, outbound, streams),
                Some(_) | None => self.net.close(connection),
            },
            NetEvent::Pinged { connection, took } => self.pinged(connection, took),
            NetEvent::Closed { peer, connection } => {
                let node = self.name(peer);
                // Of two connections to a peer one is closed, and nothing is wrong.
                if !node.is_some_and(|node| self.peers.contains(node)) {
                    let news = self.dialer.blame(connection, &Trouble::Closed);
                    self.complain_of(news, Trouble::Closed);
                }
                self.dialer.failed(connection, self.clock.now());
                if let Some(node) = node {
                    self.closed(node, connection);
                }
            }
            NetEvent::DialFailed { connection, trouble } => {
                let news = self.dialer.blame(connection, &trouble);
                self.complain_of(news, trouble);
                self.dialer.failed(connection, self.clock.now());
            }
            NetEvent::DialedItself { connection } => {
                tracing::warn!(node = %self.id, "one of the peers to dial is this node itself");
                if let Some(address) = self.dialer.give_up(connection) {
                    self.complain(Complaint::DialedItself { address });
                }
            }
            NetEvent::Useless {
                peer,
                connection,
                outbound,
                trouble,
            } => {
                if outbound {
                    let news = self.dialer.blame(connection, &trouble);
                    self.complain_of(news, trouble);
                } else {
                    self.complain_of_guest(peer, trouble);
                }
            }
            NetEvent::Deaf(source) => tracing::warn!(node = %self.id, %source, "cannot accept connections"),
            NetEvent::Listening(address) => tracing::info!(node = %self.id, %address, "listening"),
        }
        self.catch_up().await
    }

    /// What the node calls a peer; none when there is no room for a stranger. Those who are connected keep their numbers, and so do those who are
    /// discouraged, or a stranger would suffer for what another did.
    fn name(&mut self, peer: PeerId) -> Option<NodeId> {
        let (peers, discouraged) = (&self.peers, &self.discouraged);
        self.directory
            .name(peer, |node| peers.contains(node) || discouraged.contains(&node))
    }

    /// Refuses a peer from now on, and lets the one come again that has been refused longest when they are too many: keys cost nothing, so a
    /// crowd of them must not cost more (THREATS P13).
    fn discourage(&mut self, peer: NodeId) {
        if let Some(key) = self.directory.key(peer) {
            self.net.block(key);
        }
        if !self.discouraged.contains(&peer) {
            self.discouraged.push_back(peer);
        }
        if self.discouraged.len() > MAX_DISCOURAGED
            && let Some(oldest) = self.discouraged.pop_front()
            && let Some(key) = self.directory.key(oldest).filter(|_| !self.severed.contains(&oldest))
        {
            self.net.unblock(key);
        }
    }

    async fn on_heard(&mut self, heard: Heard) -> Result<(), Error> {
        let Heard {
            peer,
            connection,
            what,
            turn,
        } = heard;
        // Words on a connection that was given up meanwhile.
        if !self.peers.is_current(peer, connection) {
            return Ok(());
        }
        match what {
            Word::Message(message) => {
                let began = Instant::now();
                self.count_received(peer, &message);
                self.handle(Input::Received { peer, message }).await?;
                self.turns.charge(peer, began.elapsed());
            }
            Word::Garbage(reason) => self.handle(Input::Garbage { peer, reason }).await?,
            Word::End => self.net.close(connection),
        }
        drop(turn);
        Ok(())
    }

    /// Closes all connections to a peer, on this side at once.
    fn hang_up(&mut self, peer: NodeId) {
        if let Some(key) = self.directory.key(peer) {
            self.net.disconnect(key);
        }
        if self.peers.contains(peer) {
            // One that stands by is closed with the rest.
            drop(self.part_with(peer));
            self.turns.forget(peer);
            self.unregister(peer);
            self.dialer.lost(peer, self.clock.now());
            self.inputs.push_back(Input::Disconnected { peer });
        }
    }

    fn block(&mut self, peer: NodeId) {
        self.severed.insert(peer);
        self.dialer.hold(peer);
        if let Some(key) = self.directory.key(peer) {
            self.net.block(key);
        }
    }

    fn unblock(&mut self, peer: NodeId, now: Time) {
        self.severed.remove(&peer);
        if self.discouraged.contains(&peer) {
            return;
        }
        if let Some(key) = self.directory.key(peer) {
            self.net.unblock(key);
        }
        self.dialer.release(peer, now);
    }
}

#[cfg(test)]
mod tests;
