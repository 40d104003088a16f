//! Nodes, links and connections in virtual time: what happens when something happens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{NodeId, Seed, Time};
use chain::{Block, HashRate, Ledger};
use gossip::{Message, wire};
use node::{Command, Config, HangupReason, Input, Node, Outbox, Output};
use observe::{Collector, RunEvent};
use scenario::{Conditions, Link, Order, Plan};

use crate::engine::Verify;
use crate::heap::{Happening, Heap};
use crate::limits::REDIAL;
use crate::miner::Miner;

/// A pair of nodes, the lower first.
type Pair = (NodeId, NodeId);

fn pair(a: NodeId, b: NodeId) -> Pair {
    (a.min(b), a.max(b))
}

/// One node's place in the network.
#[derive(Debug)]
struct Place {
    /// None while it is down.
    node: Option<Node>,
    miner: Miner,
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
    now: Time,
    heap: Heap,
    /// One for all, or one for each node.
    ledgers: Vec<Ledger>,
    places: Vec<Place>,
    /// Links by direction; made when first used.
    links: BTreeMap<(NodeId, NodeId), Link>,
    conditions: BTreeMap<(NodeId, NodeId), Conditions>,
    /// Who dials whom.
    wanted: BTreeMap<Pair, (NodeId, NodeId)>,
    severed: BTreeSet<Pair>,
    /// Pairs of which one will not hear of the other any more.
    discouraged: BTreeSet<Pair>,
    /// The connection between two nodes, open or opening.
    connections: BTreeMap<Pair, u64>,
    next_connection: u64,
    outbox: Outbox,
    collector: Collector,
}

impl Network {
    pub(crate) fn new(plan: &Arc<Plan>, verify: Verify, collector: Collector) -> Self {
        let ledgers = match verify {
            Verify::Shared => 1,
            Verify::Each => plan.nodes.len(),
        };
        let place = |node: NodeId| Place {
            node: None,
            miner: Miner::new(plan.root_seed().child("mining", u64::from(node.0)).rng()),
            disk: Vec::new(),
            told: 0,
            tick: Time::MAX,
        };
        let mut network = Self {
            now: Time::ZERO,
            heap: Heap::default(),
            ledgers: (0..ledgers).map(|_| Ledger::new(plan.params.clone())).collect(),
            places: plan.node_ids().map(place).collect(),
            links: BTreeMap::new(),
            conditions: BTreeMap::new(),
            wanted: BTreeMap::new(),
            severed: BTreeSet::new(),
            discouraged: BTreeSet::new(),
            connections: BTreeMap::new(),
            next_connection: 0,
            outbox: Outbox::new(),
            collector,
            plan: Arc::clone(plan),
        };
        for link in &plan.links {
            network.wanted.insert(pair(link.a, link.b), (link.a, link.b));
            network.conditions.insert((link.a, link.b), link.conditions);
            network.conditions.insert((link.b, link.a), link.conditions);
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

    pub(crate) fn into_collector(self) -> Collector {
        self.collector
    }

    /// When the next thing happens.
    pub(crate) fn next(&self) -> Option<Time> {
        self.heap.next()
    }

    /// Whether nothing is under way but timers.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.heap.is_quiet()
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
                from,
                to,
                connection,
                message,
            } => {
                if self.connections.get(&pair(from, to)) == Some(&connection) {
                    self.handle(to, Input::Received { peer: from, message });
                }
            }
            Happening::Tick { node } => {
                let place = &mut self.places[node.index()];
                if place.tick == at {
                    place.tick = Time::MAX;
                    self.handle(node, Input::Tick);
                }
            }
            Happening::Solved { node, search } => {
                let clock = u32::try_from(self.plan.epoch().as_secs() + at.as_secs()).unwrap_or(u32::MAX);
                if let Some(header) = self.places[node.index()].miner.found(search, clock) {
                    self.handle(node, Input::Solved { header });
                }
            }
            Happening::Connected { a, b, connection } => {
                if self.connections.get(&pair(a, b)) == Some(&connection) {
                    self.handle(
                        a,
                        Input::Connected {
                            peer: b,
                            outbound: true,
                        },
                    );
                    self.handle(
                        b,
                        Input::Connected {
                            peer: a,
                            outbound: false,
                        },
                    );
                }
            }
            Happening::Redial { a, b } => self.dial(a, b),
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
            Order::Connect(a, b) => {
                self.wanted.insert(pair(a, b), (a, b));
                self.dial(a, b);
            }
            Order::Disconnect(a, b) => {
                self.wanted.remove(&pair(a, b));
                self.close(a, b);
            }
            Order::Sever(a, b) => {
                self.severed.insert(pair(a, b));
                self.close(a, b);
            }
            Order::Mend(a, b) => {
                self.severed.remove(&pair(a, b));
                if let Some((a, b)) = self.wanted.get(&pair(a, b)).copied() {
                    self.dial(a, b);
                }
            }
            Order::SetLink(from, to, conditions) => {
                self.conditions.insert((from, to), conditions);
                if let Some(link) = self.links.get_mut(&(from, to)) {
                    link.set(conditions);
                }
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
        self.places[node.index()].node = Some(Node::new(node, config, seed));
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
        let links: Vec<Pair> = self
            .wanted
            .values()
            .copied()
            .filter(|&(a, b)| a == node || b == node)
            .collect();
        for (a, b) in links {
            self.dial(a, b);
        }
    }

    fn stop(&mut self, node: NodeId, reason: &str) {
        let peers: Vec<Pair> = self
            .connections
            .keys()
            .copied()
            .filter(|&(a, b)| a == node || b == node)
            .collect();
        self.places[node.index()].node = None;
        self.places[node.index()].miner.search(self.now, None, HashRate::ZERO);
        for (a, b) in peers {
            self.close(a, b);
        }
        self.record(RunEvent::NodeStopped {
            node,
            reason: reason.to_owned(),
            expected: true,
        });
    }

    /// Opens a connection where one is wanted and may be. It takes a round trip.
    fn dial(&mut self, a: NodeId, b: NodeId) {
        let key = pair(a, b);
        let wanted = self.wanted.contains_key(&key) && !self.severed.contains(&key) && !self.discouraged.contains(&key);
        if !wanted || self.connections.contains_key(&key) || !self.is_up(a) || !self.is_up(b) {
            return;
        }
        let connection = self.next_connection;
        self.next_connection += 1;
        self.connections.insert(key, connection);
        let round_trip = self.conditions_of(a, b).latency + self.conditions_of(b, a).latency;
        self.heap
            .push(self.now + round_trip, Happening::Connected { a, b, connection });
    }

    /// Closes the connection between two nodes, if there is one.
    fn close(&mut self, a: NodeId, b: NodeId) {
        if self.connections.remove(&pair(a, b)).is_some() {
            self.handle(a, Input::Disconnected { peer: b });
            self.handle(b, Input::Disconnected { peer: a });
        }
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.places[node.index()].node.is_some()
    }

    fn conditions_of(&self, from: NodeId, to: NodeId) -> Conditions {
        self.conditions
            .get(&(from, to))
            .copied()
            .unwrap_or(self.plan.conditions)
    }

    /// Hands a node an input and carries out what it leaves. Nothing happens to a node that is down.
    fn handle(&mut self, node: NodeId, input: Input) {
        let place = &mut self.places[node.index()];
        let ledger = if self.ledgers.len() == 1 { 0 } else { node.index() };
        let Some(core) = &mut place.node else { return };
        let mut outbox = std::mem::take(&mut self.outbox);
        core.handle(&mut self.ledgers[ledger], self.now, input, &mut outbox);
        let mut closing = Vec::new();
        for output in outbox.drain(..) {
            match output {
                Output::Send { peer, message } => self.send(node, peer, message),
                Output::Hangup { peer, reason } => closing.push((peer, reason)),
                Output::Mine(template) => self.mine(node, template),
                Output::Save { block, .. } => self.places[node.index()].disk.push(block),
                Output::Emit(event) => {
                    let nseq = self.places[node.index()].told;
                    self.places[node.index()].told += 1;
                    self.collector.observe(self.now, RunEvent::Node { node, nseq, event });
                }
            }
        }
        self.outbox = outbox;
        self.set_tick(node);
        for (peer, reason) in closing {
            self.hang_up(node, peer, reason);
        }
    }

    fn hang_up(&mut self, node: NodeId, peer: NodeId, reason: HangupReason) {
        match reason {
            HangupReason::Discouraged(_) | HangupReason::OtherNetwork => {
                self.discouraged.insert(pair(node, peer));
            }
            HangupReason::NoHandshake => {
                if let Some((a, b)) = self.wanted.get(&pair(node, peer)).copied() {
                    self.heap.push(self.now + REDIAL, Happening::Redial { a, b });
                }
            }
        }
        self.close(node, peer);
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        let Some(&connection) = self.connections.get(&pair(from, to)) else {
            return;
        };
        let conditions = self.conditions_of(from, to);
        let seed = link_seed(&self.plan, from, to);
        let link = self
            .links
            .entry((from, to))
            .or_insert_with(|| Link::new(conditions, &seed));
        if let Some(at) = link.send(self.now, wire::encoded_len(&message) as u64) {
            self.heap.push(
                at,
                Happening::Arrival {
                    from,
                    to,
                    connection,
                    message,
                },
            );
        }
    }

    fn mine(&mut self, node: NodeId, template: Option<node::Template>) {
        let place = &mut self.places[node.index()];
        let rate = place
            .node
            .as_ref()
            .map_or(HashRate::ZERO, |node| node.view().hashrate());
        if let Some((at, search)) = place.miner.search(self.now, template, rate) {
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

fn link_seed(plan: &Plan, from: NodeId, to: NodeId) -> Seed {
    plan.root_seed()
        .child("link", (u64::from(from.0) << 32) | u64::from(to.0))
}
