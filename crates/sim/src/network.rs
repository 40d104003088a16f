//! Nodes, links and connections in virtual time: what happens when something happens.

mod beds;
mod bodies;
mod connections;
mod couriers;
mod meetings;
mod newcomers;
mod next;
mod rest;
mod rivals;
mod running;
mod send;
mod telling;
#[cfg(test)]
mod tests;
mod winding_up;

use std::sync::Arc;

use base::{Hash, NodeId, Time};
use chain::{Block, HashRate, Header, Ledger, ProofOfWork};
use gossip::Message;
use node::event::Loss;
use node::{Command, Event, Goal, Input, Node, Outbox, Output};
use observe::{Collector, Intervention, RunEvent};
use scenario::{Order, Plan, Uplinks};

use crate::digest::{Digest, message_from};
use crate::engine::{Options, Verify};
use crate::forgetting::may_forget;
use crate::heap::{Happening, Heap, Turn};
use crate::miner::{self, Difficulty, Miner};
use crate::pairs::{Pairs, Way};

use self::beds::{Announcement, Beds};
use self::bodies::Bodies;
use self::couriers::Couriers;
pub(crate) use self::couriers::Paid;
use self::newcomers::Newcomers;
use self::next::Next;
use self::rest::Lately;
pub(crate) use self::rest::Short;

/// One node's place in the network.
#[derive(Debug)]
pub(crate) struct Place {
    /// None while it is down, and before it is made ([`newcomers`]). Apart, for it is large and most often rests.
    pub(crate) node: Option<Box<Node>>,
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
    pub(crate) now: Time,
    /// Whose turn it is at this moment; none before the first.
    turn: Option<Turn>,
    heap: Heap,
    /// Whether every message goes through the codec.
    check_wire: bool,
    verify: Verify,
    /// One for all, or one for each node.
    pub(crate) ledgers: Vec<Ledger>,
    /// Whether bodies deep below all tips go, and how many blocks there were when they last did.
    pub(crate) forgets: bool,
    pub(crate) forgotten_at: usize,
    pub(crate) places: Vec<Place>,
    pairs: Pairs,
    /// The queues that blocks leave by, in a network whose nodes have lines.
    uplinks: Option<Uplinks>,
    /// Where nodes rest; there are none before mining begins, and where none may.
    beds: Beds,
    lately: Lately,
    difficulty: Difficulty,
    bodies: Bodies,
    /// Room for what is under way, used again.
    under_way: Vec<(usize, Announcement, bool)>,
    room: Vec<u32>,
    aloud: Vec<(usize, Announcement)>,
    couriers: Couriers,
    newcomers: Newcomers,
    /// Whether nobody is to mine any more.
    has_stopped: bool,
    next_connection: u32,
    /// How often a node has said that a connection is ready.
    greeted: usize,
    digest: Digest,
    next: Next,
    outbox: Outbox,
    pub(crate) collector: Collector,
}

impl Network {
    pub(crate) fn new(plan: &Arc<Plan>, options: &Options, collector: Collector) -> Self {
        let ledgers = match options.verify {
            Verify::Shared => 1,
            Verify::Each => plan.nodes.len(),
        };
        let root = plan.root_seed();
        let place = |node: NodeId| Place {
            node: None,
            miner: Miner::new(root.child("mining", u64::from(node.0)).rng()),
            disk: Vec::new(),
            told: 0,
            tick: Time::MAX,
        };
        let links = plan.links.iter().map(|link| (link.a, link.b, link.conditions));
        let pairs = Pairs::new(plan.nodes.len(), links, (plan.conditions, root));
        let mut network = Self {
            now: Time::ZERO,
            turn: None,
            heap: Heap::default(),
            check_wire: options.check_wire,
            verify: options.verify,
            ledgers: (0..ledgers).map(|_| Ledger::new(plan.params.clone())).collect(),
            forgets: may_forget(plan, options),
            forgotten_at: 0,
            places: plan.node_ids().map(place).collect(),
            beds: Beds::default(),
            lately: Lately::default(),
            difficulty: Difficulty::default(),
            bodies: Bodies::default(),
            under_way: Vec::new(),
            room: Vec::new(),
            aloud: Vec::new(),
            couriers: Couriers::new(plan, options, collector.detail()),
            newcomers: Newcomers::default(),
            pairs,
            uplinks: plan.uplinks(),
            has_stopped: false,
            next_connection: 0,
            greeted: 0,
            digest: Digest::new(),
            next: Next::default(),
            outbox: Outbox::new(),
            collector,
            plan: Arc::clone(plan),
        };
        // Nobody mines before all are connected, or every run would begin with a fork.
        if let Some(meetings) = network.plan_meetings() {
            network.come_up(&meetings);
            return network;
        }
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
    pub(crate) fn finish(mut self) -> (Collector, Hash) {
        self.speak_up();
        for (node, sent) in self.beds.sent_by_node() {
            self.collector.count_by_node(node, sent);
        }
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

    /// Whether something happens before this time.
    pub(crate) fn happens_before(&self, time: Time) -> bool {
        self.heap.happens_before(time)
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
        if moment > self.now {
            self.now = moment;
            self.turn = None;
        }
    }

    /// Lets time pass up to a moment at which all has happened that is planned for it: what waits for resting nodes has been heard by then.
    pub(crate) fn wait_out(&mut self, moment: Time) {
        self.wait_until(moment);
        self.turn = Some(self.heap.hold_back());
    }

    /// Lets the next thing happen.
    pub(crate) fn step(&mut self) {
        let Some((at, turn, happening)) = self.heap.pop() else {
            return;
        };
        self.now = at;
        self.turn = Some(turn);
        if self.next.is_due(at) {
            self.prepare();
        }
        match happening {
            Happening::Arrival {
                way,
                connection,
                bytes,
                message,
            } => self.arrive((way, connection), bytes, message),
            Happening::Paid { door, connection, paid } => self.arrive_paid((door, connection), &paid),
            Happening::Short { leg, short } => self.arrive_short(leg, short),
            Happening::Tick { node } => {
                let place = &mut self.places[node.index()];
                if place.tick == at {
                    place.tick = Time::MAX;
                    self.tick(node);
                }
            }
            Happening::Solved { node, search } => self.solve(node, search),
            Happening::Connected { way, connection } => self.connected(way, connection),
            Happening::Redial { way } => self.dial(way),
        }
    }

    /// A node's deadline was due now, when it was last looked at; it may have another since.
    fn tick(&mut self, node: NodeId) {
        if self.deadline(node).is_some_and(|at| at <= self.now) {
            self.digest.happened(self.now, node, (TICKED, 0));
            if !self.courier_ticks(node) && !self.asks_another(node) {
                self.handle(node, Input::Tick);
            }
        } else {
            self.set_tick(node);
        }
    }

    fn arrive(&mut self, (way, connection): (Way, u32), bytes: u32, message: Message) {
        let (peer, node) = self.pairs.ends(way);
        if self.pairs.get(way).connection() != Some(connection) {
            return self.lose((peer, node), &message, Loss::Disconnected);
        }
        if announces_one(&message) {
            self.digest.announced(self.now, node, peer);
        } else if let Message::Announce(_) = message {
            self.digest.announced_transactions(self.now, node, (peer, bytes));
        } else {
            let about = message_from(peer, bytes);
            self.digest.happened(self.now, node, (message.kind() as u8, about));
        }
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
                let way = self.way(a, b);
                self.pairs.get_mut(way).wanted = Some(way);
                self.dial(way);
            }
            Order::Disconnect(a, b) => {
                let way = self.way(a, b);
                self.pairs.get_mut(way).wanted = None;
                self.close(way);
            }
            Order::Sever(a, b) => {
                let way = self.way(a, b);
                self.pairs.get_mut(way).severed = true;
                self.close(way);
            }
            Order::Mend(a, b) => {
                let way = self.way(a, b);
                self.pairs.get_mut(way).severed = false;
                self.dial(way);
            }
            Order::SetLink(from, to, conditions) => {
                let way = self.way(from, to);
                self.change_link(way, conditions);
            }
        }
    }

    /// Lets all nodes mine as planned.
    pub(crate) fn begin_mining(&mut self) {
        self.open_beds();
        self.put_newcomers_to_rest();
        let plan = Arc::clone(&self.plan);
        for node in plan.node_ids() {
            let rate = plan.nodes[node.index()].hashrate;
            if rate > HashRate::ZERO && self.newcomers.has(node) {
                self.begin_at_rest(node);
            } else if rate > HashRate::ZERO {
                self.command(node, Command::SetHashRate(rate));
            }
        }
    }

    pub(crate) fn command(&mut self, node: NodeId, command: Command) {
        self.handle(node, Input::Command(command));
    }

    /// Hands a node an input and carries out what it leaves. Nothing happens to a node that is down.
    fn handle(&mut self, node: NodeId, input: Input) {
        self.get_up(node);
        self.call_courier_back(node);
        self.unpack(node, &input);
        let ledger = self.ledger_of(node);
        let Some(core) = &mut self.places[node.index()].node else {
            return;
        };
        let mut outbox = std::mem::take(&mut self.outbox);
        core.handle(&mut self.ledgers[ledger], self.now, input, &mut outbox);
        self.look_at_payments(node, &outbox);
        let mut closing = Vec::new();
        let mut solved = None;
        let mut hint = 0;
        for output in outbox.drain(..) {
            match output {
                Output::Send { peer, message } => {
                    if let Some(at) = self.pairs.position_after(node, peer, &mut hint) {
                        self.send((node, at), message);
                    }
                }
                Output::Hangup { peer, reason } => closing.push((peer, reason)),
                Output::Mine(template) => solved = template,
                Output::Draw(goal) => self.mine(node, goal),
                Output::Save { block, .. } => {
                    self.save(node, &block);
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
        self.lie_down(node);
        self.hire_courier(node);
    }

    fn ledger_of(&self, node: NodeId) -> usize {
        if self.ledgers.len() == 1 { 0 } else { node.index() }
    }

    fn tell(&mut self, node: NodeId, event: Box<Event>) {
        self.digest.told(self.now, node, &event);
        self.greeted += usize::from(matches!(event.as_ref(), Event::PeerConnected { .. }));
        let place = &mut self.places[node.index()];
        let nseq = place.told;
        place.told += 1;
        self.collector.observe(self.now, RunEvent::Node { node, nseq, event });
    }

    fn mine(&mut self, node: NodeId, goal: Option<Goal>) {
        let rate = self.hashrate(node);
        let miner = &mut self.places[node.index()].miner;
        if let Some((at, search)) = miner.search(self.now, goal, rate, &mut self.difficulty) {
            self.heap.push(at, Happening::Solved { node, search });
        }
    }

    /// When a node next wants a tick.
    fn deadline(&self, node: NodeId) -> Option<Time> {
        // Who has a courier does not rest.
        if let Some(deadline) = self.couriers.deadline(node) {
            return deadline;
        }
        match self.beds.of(node) {
            Some(resting) => resting.deadline(),
            None => self.places[node.index()].node.as_ref()?.deadline().map(|(at, _)| at),
        }
    }

    /// Puts a node's deadline on the heap, unless an earlier one is there already: early ticks do nothing.
    fn set_tick(&mut self, node: NodeId) {
        let Some(at) = self.deadline(node) else { return };
        let at = at.max(self.now);
        let place = &mut self.places[node.index()];
        if at < place.tick {
            place.tick = at;
            self.heap.push_tick(at, node);
        }
    }
}

/// Whether a message announces a single block by its header.
fn announces_one(message: &Message) -> bool {
    matches!(message, Message::Headers(headers) if headers.len() == 1)
}

/// What the digest calls happenings; messages have the numbers of their kinds, events of nodes those from 32.
const TICKED: u8 = 24;
const SOLVED: u8 = 25;
const CONNECTED: u8 = 26;
const DISCONNECTED: u8 = 27;
