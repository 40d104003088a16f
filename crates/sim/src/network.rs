//! Nodes, links and connections in virtual time: what happens when something happens.

use std::sync::Arc;

use base::{Hash, NodeId, Time};
use chain::{Block, HashRate, Header, Ledger, ProofOfWork};
use gossip::limits::MAX_MESSAGE_BYTES;
use gossip::{Message, wire};
use node::event::Loss;
use node::{Command, Config, Event, Goal, HangupReason, Input, Node, Outbox, Output};
use observe::{Collector, Intervention, RunEvent};
use scenario::uplink::{Line, Parcel};
use scenario::{Order, Plan, Uplink};

use crate::digest::Digest;
use crate::engine::{Options, Verify};
use crate::forgetting::may_forget;
use crate::heap::{Happening, Heap};
use crate::limits::REDIAL;
use crate::miner::{self, Miner};
use crate::pairs::{Pairs, Way};

/// One node's place in the network.
#[derive(Debug)]
pub(crate) struct Place {
    /// None while it is down.
    pub(crate) node: Option<Node>,
    miner: Miner,
    /// The queue that its blocks leave by, in a network whose nodes have lines.
    uplink: Option<Uplink>,
    /// What it has on disk: blocks, parents before children.
    disk: Vec<Arc<Block>>,
    /// How many events it has told of.
    told: u64,
    /// The earliest tick on the heap for it.
    tick: Time,
}

/// The simulated network.
#[derive(Debug)]
pub(crate) struct Network {
    plan: Arc<Plan>,
    pub(crate) now: Time,
    heap: Heap,
    /// Whether every message goes through the codec.
    check_wire: bool,
    /// One for all, or one for each node.
    pub(crate) ledgers: Vec<Ledger>,
    /// Whether bodies deep below all tips go, and how many blocks there were when they last did.
    pub(crate) forgets: bool,
    pub(crate) forgotten_at: usize,
    pub(crate) places: Vec<Place>,
    pairs: Pairs,
    next_connection: u32,
    /// How often a node has said that a connection is ready.
    greeted: usize,
    digest: Digest,
    outbox: Outbox,
    pub(crate) collector: Collector,
}

impl Network {
    pub(crate) fn new(plan: &Arc<Plan>, options: &Options, collector: Collector) -> Self {
        let ledgers = match options.verify {
            Verify::Shared => 1,
            Verify::Each => plan.nodes.len(),
        };
        let place = |node: NodeId| Place {
            node: None,
            miner: Miner::new(plan.root_seed().child("mining", u64::from(node.0)).rng()),
            uplink: plan.uplink(node),
            disk: Vec::new(),
            told: 0,
            tick: Time::MAX,
        };
        let mut network = Self {
            now: Time::ZERO,
            heap: Heap::default(),
            check_wire: options.check_wire,
            ledgers: (0..ledgers).map(|_| Ledger::new(plan.params.clone())).collect(),
            forgets: may_forget(plan, options),
            forgotten_at: 0,
            places: plan.node_ids().map(place).collect(),
            pairs: Pairs::new(plan.nodes.len(), plan.conditions, plan.root_seed()),
            next_connection: 0,
            greeted: 0,
            digest: Digest::new(),
            outbox: Outbox::new(),
            collector,
            plan: Arc::clone(plan),
        };
        for link in &plan.links {
            let way = network.pairs.way(link.a, link.b);
            network.pairs.get_mut(way).wanted = Some(way);
            network.pairs.set(way, link.conditions);
            network.pairs.set(way.reversed(), link.conditions);
        }
        // Nobody mines before all are connected, or every run would begin with a fork.
        for node in plan.node_ids().filter(|node| plan.nodes[node.index()].started) {
            network.start(node, HashRate::ZERO);
        }
        network
    }

    pub(crate) const fn now(&self) -> Time {
        self.now
    }

    pub(crate) const fn collector(&self) -> &Collector {
        &self.collector
    }

    /// What was observed, and the digest of all that happened.
    pub(crate) fn finish(self) -> (Collector, Hash) {
        (self.collector, self.digest.finish())
    }

    /// How often a node has said that a connection is ready. Each planned link is ready when both its ends say so.
    pub(crate) const fn greeted(&self) -> usize {
        self.greeted
    }

    /// When the next thing happens.
    pub(crate) fn next(&self) -> Option<Time> {
        self.heap.next()
    }

    /// Whether nothing is under way but timers.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.heap.is_quiet()
    }

    /// Lets readers of the log see what has happened.
    pub(crate) fn flush(&mut self) {
        self.collector.flush();
    }

    /// Lets time pass up to a moment at which nothing has happened yet.
    pub(crate) fn wait_until(&mut self, moment: Time) {
        assert!(
            self.heap.next().is_none_or(|next| next >= moment),
            "something happens before"
        );
        self.now = self.now.max(moment);
    }

    /// Lets the next thing happen.
    pub(crate) fn step(&mut self) {
        let Some((at, happening)) = self.heap.pop() else { return };
        self.now = at;
        match happening {
            Happening::Arrival {
                way,
                connection,
                bytes,
                message,
            } => self.arrive((way, connection), bytes, message),
            Happening::Tick { node } => {
                let place = &mut self.places[node.index()];
                if place.tick == at {
                    place.tick = Time::MAX;
                    self.digest.happened(at, node, (TICKED, 0));
                    self.handle(node, Input::Tick);
                }
            }
            Happening::Solved { node, search } => self.solve(node, search),
            Happening::Connected { way, connection } => self.connected(way, connection),
            Happening::Redial { way } => self.dial(way),
        }
    }

    fn arrive(&mut self, (way, connection): (Way, u32), bytes: u32, message: Message) {
        let (peer, node) = self.pairs.ends(way);
        if self.pairs.get(way).connection != Some(connection) {
            return self.lose((peer, node), &message, Loss::Disconnected);
        }
        let about = (u64::from(peer.0) << 32) | u64::from(bytes);
        self.digest.happened(self.now, node, (message.kind() as u8, about));
        self.handle(node, Input::Received { peer, message });
    }

    fn solve(&mut self, node: NodeId, search: u64) {
        if self.places[node.index()].miner.found(search) {
            self.digest.happened(self.now, node, (SOLVED, search));
            self.handle(node, Input::Drawn);
        }
    }

    /// What was found is known: the node has its block.
    fn found(&mut self, node: NodeId, header: &Header) {
        let clock = u32::try_from(self.plan.epoch().as_secs() + self.now.as_secs()).unwrap_or(u32::MAX);
        let proof_of_work = self.plan.params.proof_of_work;
        let header = miner::solve(header, clock, proof_of_work);
        if proof_of_work == ProofOfWork::Oracle {
            for ledger in &mut self.ledgers {
                ledger.seal(header.id());
            }
        }
        self.handle(node, Input::Solved { header });
        self.forget();
    }

    fn connected(&mut self, way: Way, connection: u32) {
        if self.pairs.get(way).connection != Some(connection) {
            return;
        }
        let (a, b) = self.pairs.ends(way);
        for (node, peer, outbound) in [(a, b, true), (b, a, false)] {
            self.digest.happened(self.now, node, (CONNECTED, u64::from(peer.0)));
            self.handle(node, Input::Connected { peer, outbound });
        }
    }

    pub(crate) fn record(&mut self, event: RunEvent) {
        self.collector.observe(self.now, event);
    }

    /// Carries out an order of the director.
    pub(crate) fn obey(&mut self, order: Order) {
        match order {
            Order::Command(node, command) => self.command(node, command),
            Order::Start(node) => self.start(node, self.plan.nodes[node.index()].hashrate),
            Order::Stop(node) => self.stop(node, "stopped"),
            Order::Kill(node) => self.stop(node, "killed"),
            Order::Wipe(node) => {
                self.places[node.index()].disk.clear();
                let what = Intervention::Wiped;
                self.record(RunEvent::Intervention { node, what });
            }
            Order::Pause(_) | Order::Resume(_) | Order::Upgrade(..) => {
                unreachable!("a plan that pauses or upgrades nodes is refused")
            }
            Order::Connect(a, b) => {
                let way = self.pairs.way(a, b);
                self.pairs.get_mut(way).wanted = Some(way);
                self.dial(way);
            }
            Order::Disconnect(a, b) => {
                let way = self.pairs.way(a, b);
                self.pairs.get_mut(way).wanted = None;
                self.close(way);
            }
            Order::Sever(a, b) => {
                let way = self.pairs.way(a, b);
                self.pairs.get_mut(way).severed = true;
                self.close(way);
            }
            Order::Mend(a, b) => {
                let way = self.pairs.way(a, b);
                self.pairs.get_mut(way).severed = false;
                self.dial(way);
            }
            Order::SetLink(from, to, conditions) => {
                let way = self.pairs.way(from, to);
                self.pairs.set(way, conditions);
            }
        }
    }

    /// Lets all nodes mine as planned.
    pub(crate) fn begin_mining(&mut self) {
        let plan = Arc::clone(&self.plan);
        for node in plan.node_ids() {
            let rate = plan.nodes[node.index()].hashrate;
            if rate > HashRate::ZERO {
                self.command(node, Command::SetHashRate(rate));
            }
        }
    }

    pub(crate) fn command(&mut self, node: NodeId, command: Command) {
        self.handle(node, Input::Command(command));
    }

    fn start(&mut self, node: NodeId, hashrate: HashRate) {
        let config = Config {
            hashrate,
            ..self.plan.node_config(node)
        };
        let seed = self.plan.root_seed().child("node", u64::from(node.0));
        let disk = self.places[node.index()].disk.clone();
        let core = Node::new(node, config, seed).drawn();
        self.places[node.index()].node = Some(if self.collector.detail().tells_messages() {
            core
        } else {
            core.without_messages()
        });
        let started = RunEvent::NodeStarted {
            node,
            peer_id: String::new(),
            addrs: Vec::new(),
            restored: disk.len(),
        };
        self.record(started);
        for block in disk {
            self.handle(node, Input::Restored { block });
        }
        self.handle(node, Input::Tick);
        for way in self.ways_of(node) {
            self.dial(way);
        }
    }

    fn stop(&mut self, node: NodeId, reason: &str) {
        self.places[node.index()].node = None;
        self.places[node.index()].miner.stop();
        for way in self.ways_of(node) {
            self.close(way);
        }
        self.record(RunEvent::NodeStopped {
            node,
            reason: reason.to_owned(),
            expected: true,
        });
    }

    /// A node's ways to others, in their order.
    fn ways_of(&self, node: NodeId) -> Vec<Way> {
        self.pairs.from(node).collect()
    }

    /// Opens a pair's connection where one is wanted and may be. It takes a round trip.
    fn dial(&mut self, way: Way) {
        let pair = self.pairs.get(way);
        let Some(way) = pair.wanted.filter(|_| pair.may_connect()) else {
            return;
        };
        let (a, b) = self.pairs.ends(way);
        if !self.is_up(a) || !self.is_up(b) {
            return;
        }
        let connection = self.next_connection;
        self.next_connection += 1;
        self.pairs.get_mut(way).connection = Some(connection);
        let latency = |way| self.pairs.link(way).latency();
        let round_trip = latency(way) + latency(way.reversed());
        self.heap
            .push(self.now + round_trip, Happening::Connected { way, connection });
    }

    /// Closes a pair's connection, if there is one. The end that the way leads from hears of it first.
    fn close(&mut self, way: Way) {
        if self.pairs.get_mut(way).connection.take().is_some() {
            let (a, b) = self.pairs.ends(way);
            for (node, peer) in [(a, b), (b, a)] {
                self.digest.happened(self.now, node, (DISCONNECTED, u64::from(peer.0)));
                self.handle(node, Input::Disconnected { peer });
            }
        }
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.places[node.index()].node.is_some()
    }

    /// Hands a node an input and carries out what it leaves. Nothing happens to a node that is down.
    fn handle(&mut self, node: NodeId, input: Input) {
        let place = &mut self.places[node.index()];
        let ledger = if self.ledgers.len() == 1 { 0 } else { node.index() };
        let Some(core) = &mut place.node else { return };
        let mut outbox = std::mem::take(&mut self.outbox);
        core.handle(&mut self.ledgers[ledger], self.now, input, &mut outbox);
        let mut closing = Vec::new();
        let mut solved = None;
        let mut hint = 0;
        for output in outbox.drain(..) {
            match output {
                Output::Send { peer, message } => {
                    if let Some(way) = self.pairs.find_after(node, peer, &mut hint) {
                        self.send((node, peer, way), message);
                    }
                }
                Output::Hangup { peer, reason } => closing.push((peer, reason)),
                Output::Mine(template) => solved = template,
                Output::Draw(goal) => self.mine(node, goal),
                Output::Save { block, .. } => {
                    if !self.forgets {
                        self.places[node.index()].disk.push(block);
                    }
                }
                Output::Emit(event) => self.tell(node, event),
            }
        }
        self.outbox = outbox;
        self.set_tick(node);
        if let Some(template) = solved {
            self.found(node, &template.header);
        }
        for (peer, reason) in closing {
            self.hang_up(node, peer, reason);
        }
    }

    fn tell(&mut self, node: NodeId, event: Event) {
        self.digest.told(self.now, node, &event);
        self.greeted += usize::from(matches!(event, Event::PeerConnected { .. }));
        let place = &mut self.places[node.index()];
        let nseq = place.told;
        place.told += 1;
        self.collector.observe(self.now, RunEvent::Node { node, nseq, event });
    }

    fn hang_up(&mut self, node: NodeId, peer: NodeId, reason: HangupReason) {
        let way = self.pairs.way(node, peer);
        match reason {
            HangupReason::Discouraged(_) | HangupReason::OtherNetwork => {
                self.pairs.get_mut(way).discouraged = true;
            }
            HangupReason::NoHandshake => {
                self.heap.push(self.now + REDIAL, Happening::Redial { way });
            }
        }
        self.close(way);
    }

    fn send(&mut self, (from, to, way): (NodeId, NodeId, Way), message: Message) {
        let Some(connection) = self.pairs.get(way).connection else {
            return self.lose((from, to), &message, Loss::Disconnected);
        };
        let bytes = node::message_bytes(self.plan.block_size, &message);
        if !self.collector.detail().tells_messages() {
            self.collector.count_sent(from, message.kind(), bytes);
        }
        let link = self.pairs.link_mut(way);
        let arrival = match &mut self.places[from.index()].uplink {
            None => link.send(self.now, bytes),
            Some(uplink) => {
                let parcel = Parcel {
                    bytes,
                    is_block: node::carries_body(&message),
                    to: self.plan.nodes[to.index()].line.unwrap_or(Line::UNLIMITED),
                };
                uplink.send(link, self.now, parcel)
            }
        };
        let Some(at) = arrival else {
            return self.lose((from, to), &message, Loss::Cut);
        };
        let message = if self.check_wire {
            through_the_codec(&message)
        } else {
            message
        };
        let arrival = Happening::Arrival {
            way,
            connection,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            message,
        };
        self.heap.push(at, arrival);
    }

    /// Tells that a message will not arrive, where messages are told of.
    fn lose(&mut self, (from, to): (NodeId, NodeId), message: &Message, reason: Loss) {
        if self.collector.detail().tells_messages() {
            self.tell(from, Event::lost(to, message, self.plan.block_size, reason));
        }
    }

    fn mine(&mut self, node: NodeId, goal: Option<Goal>) {
        let place = &mut self.places[node.index()];
        let rate = place
            .node
            .as_ref()
            .map_or(HashRate::ZERO, |node| node.view().hashrate());
        if let Some((at, search)) = place.miner.search(self.now, goal, rate) {
            self.heap.push(at, Happening::Solved { node, search });
        }
    }

    /// Puts a node's deadline on the heap, unless an earlier one is there already: early ticks do nothing.
    fn set_tick(&mut self, node: NodeId) {
        let place = &mut self.places[node.index()];
        let Some((at, _)) = place.node.as_ref().and_then(Node::deadline) else {
            return;
        };
        let at = at.max(self.now);
        if at < place.tick {
            place.tick = at;
            self.heap.push(at, Happening::Tick { node });
        }
    }
}

/// What the digest calls happenings; messages have the numbers of their kinds, events of nodes those from 32.
const TICKED: u8 = 24;
const SOLVED: u8 = 25;
const CONNECTED: u8 = 26;
const DISCONNECTED: u8 = 27;

/// What a real peer would have read: the message that its bytes stand for, all of it.
fn through_the_codec(message: &Message) -> Message {
    let bytes = wire::encode(message);
    let read = wire::decode(&bytes, MAX_MESSAGE_BYTES);
    let read = read.unwrap_or_else(|error| panic!("a node sent what no node reads: {error}: {:?}", message.kind()));
    assert_eq!(&read, message, "what is read is what was written");
    read
}
