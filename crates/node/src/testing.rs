//! A small world for tests: nodes, links of constant delay, an engine that solves templates at once, and peers that a test plays itself.
//!
//! Events are ordered by `(time, sequence)`; due deadlines come before messages of the same moment.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks the few variants it looks at"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base::{NodeId, Seed, Time};
use chain::{
    Amount, Block, BlockId, BlockRef, Header, Ledger, OutPoint, Params, SigningKey, Transaction, TxOutput, mining,
};
use gossip::{Hello, Message};

use crate::{Command, Config, Event, Input, Node, Outbox, Output, Template};

/// How long a message takes unless a test says otherwise.
pub(crate) const DELAY: Duration = Duration::from_millis(10);
/// The first number of peers that a test plays itself.
pub(crate) const PLAYED: u32 = 1_000;

/// The hello of a peer that a test plays and that is at the genesis block.
pub(crate) fn played_hello(ledger: &Ledger) -> Hello {
    let genesis = ledger.id(ledger.genesis());
    Hello {
        version: Hello::VERSION,
        genesis,
        agent: "played".to_owned(),
        tip: genesis,
        height: chain::Height(0),
    }
}

/// Whether every node has a ledger of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ledgers {
    Own,
    Shared,
}

/// See the module's documentation.
pub(crate) struct World {
    pub(crate) nodes: Vec<Node>,
    pub(crate) ledgers: Vec<Ledger>,
    pub(crate) now: Time,
    /// How long a message takes.
    pub(crate) delay: Duration,
    queue: BTreeMap<(Time, u64), (usize, Input)>,
    sequence: u64,
    links: BTreeSet<(NodeId, NodeId)>,
    /// Nodes whose messages, but for the handshake, get lost.
    pub(crate) muted: BTreeSet<NodeId>,
    /// Everything every node put out, in order.
    pub(crate) log: Vec<(Time, usize, Output)>,
    /// The metered template of each node, for tests to solve.
    pub(crate) templates: Vec<Option<Template>>,
}

pub(crate) fn params() -> Params {
    Params {
        coinbase_maturity: 1,
        ..Params::instant()
    }
}

pub(crate) fn key(number: usize) -> SigningKey {
    SigningKey::from_seed(&Seed::from_number(99).child("key", number as u64))
}

pub(crate) fn config(number: usize, params: &Params) -> Config {
    let epoch = Duration::from_secs(u64::from(params.genesis_time));
    Config::new(format!("test-{number}"), key(number).owner(), epoch)
}

pub(crate) fn n(number: usize) -> NodeId {
    NodeId::at(number)
}

impl World {
    pub(crate) fn new(nodes: usize) -> Self {
        Self::with(nodes, &params(), Ledgers::Own)
    }

    /// Another world, whose blocks are not those of the first.
    pub(crate) fn elsewhere(nodes: usize) -> Self {
        let mut world = Self::new(nodes);
        for number in 0..nodes {
            let seed = Seed::from_number(8).child("node", number as u64);
            world.nodes[number] = Node::new(n(number), config(number, &params()), seed);
        }
        world
    }

    pub(crate) fn with(nodes: usize, params: &Params, ledgers: Ledgers) -> Self {
        let count = match ledgers {
            Ledgers::Own => nodes,
            Ledgers::Shared => 1,
        };
        let seed = Seed::from_number(7);
        let node = |number| Node::new(n(number), config(number, params), seed.child("node", number as u64));
        Self {
            nodes: (0..nodes).map(node).collect(),
            ledgers: (0..count).map(|_| Ledger::new(params.clone())).collect(),
            now: Time::ZERO,
            delay: DELAY,
            queue: BTreeMap::new(),
            sequence: 0,
            links: BTreeSet::new(),
            muted: BTreeSet::new(),
            log: Vec::new(),
            templates: vec![None; nodes],
        }
    }

    /// Replaces a node that has seen nothing yet by one that is set up otherwise.
    pub(crate) fn set_up(&mut self, node: usize, change: impl FnOnce(&mut Config)) {
        let mut config = self.nodes[node].view().config().clone();
        change(&mut config);
        let seed = *self.nodes[node].view().seed();
        self.nodes[node] = Node::new(n(node), config, seed);
    }

    pub(crate) fn connect(&mut self, a: usize, b: usize) {
        self.links.insert((n(a), n(b)));
        self.links.insert((n(b), n(a)));
        self.input(
            a,
            Input::Connected {
                peer: n(b),
                outbound: true,
            },
        );
        self.input(
            b,
            Input::Connected {
                peer: n(a),
                outbound: false,
            },
        );
    }

    pub(crate) fn disconnect(&mut self, a: usize, b: usize) {
        self.links.remove(&(n(a), n(b)));
        self.links.remove(&(n(b), n(a)));
        self.queue.retain(|_, (to, input)| {
            let between = |peer: NodeId| (*to == a && peer == n(b)) || (*to == b && peer == n(a));
            !matches!(input, Input::Received { peer, .. } if between(*peer))
        });
        self.input(a, Input::Disconnected { peer: n(b) });
        self.input(b, Input::Disconnected { peer: n(a) });
    }

    pub(crate) fn are_connected(&self, a: usize, b: usize) -> bool {
        self.links.contains(&(n(a), n(b)))
    }

    /// Disconnects two nodes that are connected, connects two that are not.
    pub(crate) fn toggle(&mut self, a: usize, b: usize) {
        if self.are_connected(a, b) {
            self.disconnect(a, b);
        } else {
            self.connect(a, b);
        }
    }

    /// Connects a peer that the test plays, handshake included.
    pub(crate) fn play(&mut self, node: usize, peer: NodeId) {
        self.input(node, Input::Connected { peer, outbound: false });
        let hello = self.hello(node);
        self.receive(node, peer, Message::Hello(Box::new(hello)));
    }

    /// The hello of a peer that is at the genesis block.
    pub(crate) fn hello(&self, node: usize) -> Hello {
        played_hello(self.ledger(node))
    }

    pub(crate) fn receive(&mut self, node: usize, peer: NodeId, message: Message) {
        self.input(node, Input::Received { peer, message });
    }

    pub(crate) fn command(&mut self, node: usize, command: Command) {
        self.input(node, Input::Command(command));
    }

    pub(crate) fn submit(&mut self, node: usize, transaction: &Arc<Transaction>) {
        self.command(node, Command::Submit(Arc::clone(transaction)));
    }

    /// Hands an input to a node now, and carries out what it asks for.
    pub(crate) fn input(&mut self, node: usize, input: Input) {
        let mut out = Outbox::new();
        let at = node.min(self.ledgers.len() - 1);
        self.nodes[node].handle(&mut self.ledgers[at], self.now, input, &mut out);
        for output in out {
            self.carry_out(node, output);
        }
    }

    fn carry_out(&mut self, node: usize, output: Output) {
        self.log.push((self.now, node, output.clone()));
        match output {
            Output::Send { peer, message } => {
                let is_lost = self.muted.contains(&n(node)) && !matches!(message, Message::Hello(_));
                if self.links.contains(&(n(node), peer)) && !is_lost {
                    let input = Input::Received { peer: n(node), message };
                    self.schedule(self.delay, peer.index(), input);
                }
            }
            Output::Hangup { peer, .. } => {
                if self.links.remove(&(n(node), peer)) {
                    self.links.remove(&(peer, n(node)));
                    self.schedule(DELAY, peer.index(), Input::Disconnected { peer: n(node) });
                }
                self.schedule(Duration::ZERO, node, Input::Disconnected { peer });
            }
            Output::Mine(Some(template)) if template.on_demand => {
                let header = mining::solve(&template.header, 10_000).expect("one hash in two will do");
                self.schedule(Duration::from_millis(1), node, Input::Solved { header });
            }
            Output::Mine(template) => self.templates[node] = template,
            Output::Draw(_) | Output::Save { .. } | Output::Emit(_) => {}
        }
    }

    fn schedule(&mut self, delay: Duration, node: usize, input: Input) {
        self.queue.insert((self.now + delay, self.sequence), (node, input));
        self.sequence += 1;
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        let mut ticks_at_once = 0;
        loop {
            let deadline = (0..self.nodes.len())
                .filter_map(|node| {
                    self.nodes[node]
                        .deadline()
                        .map(|(at, wake)| (at.max(self.now), node, wake))
                })
                .min();
            let delivery = self.queue.first_key_value().map(|(key, _)| *key);
            let is_tick = match (deadline, delivery) {
                (Some((at, ..)), Some((then, _))) => at <= then,
                (deadline, _) => deadline.is_some(),
            };
            let next = if is_tick {
                deadline.map(|(at, ..)| at)
            } else {
                delivery.map(|(at, _)| at)
            };
            let Some(next) = next.filter(|at| *at <= end) else {
                break;
            };
            ticks_at_once = if is_tick && next == self.now {
                ticks_at_once + 1
            } else {
                0
            };
            assert!(
                ticks_at_once < 1_000,
                "a deadline that a tick does not settle: {deadline:?}"
            );
            self.now = next;
            if let Some((_, node, _)) = deadline.filter(|_| is_tick) {
                self.input(node, Input::Tick);
            } else if let Some((_, (node, input))) = self.queue.pop_first() {
                self.input(node, input);
            }
        }
        self.now = end;
    }

    pub(crate) fn run_secs(&mut self, secs: u64) {
        self.run(Duration::from_secs(secs));
    }

    /// Mines on demand, and lets the news spread.
    pub(crate) fn mine(&mut self, node: usize, blocks: u32) {
        self.command(node, Command::Generate { blocks });
        self.run_secs(1);
    }

    pub(crate) fn ledger(&self, node: usize) -> &Ledger {
        &self.ledgers[node.min(self.ledgers.len() - 1)]
    }

    pub(crate) fn tip(&self, node: usize) -> BlockId {
        self.ledger(node).id(self.nodes[node].view().tip())
    }

    pub(crate) fn height(&self, node: usize) -> u32 {
        self.ledger(node).height(self.nodes[node].view().tip()).0
    }

    /// The block of a node's chain at a height.
    pub(crate) fn block(&self, node: usize, height: u32) -> Arc<Block> {
        let at = self.at(node, height);
        Arc::clone(self.ledger(node).body(at).expect("connected blocks have bodies"))
    }

    fn at(&self, node: usize, height: u32) -> BlockRef {
        let tip = self.nodes[node].view().tip();
        let at = self.ledger(node).ancestor(tip, chain::Height(height));
        at.expect("a height at most the tip's")
    }

    /// What a node said happened, in order.
    pub(crate) fn events(&self, node: usize) -> impl Iterator<Item = &Event> {
        self.log.iter().filter_map(move |(_, at, output)| match output {
            Output::Emit(event) if *at == node => Some(event.as_ref()),
            _ => None,
        })
    }

    /// The messages that a node sent to a peer, in order.
    pub(crate) fn sent(&self, node: usize, to: NodeId) -> impl Iterator<Item = &Message> {
        self.log.iter().filter_map(move |(_, at, output)| match output {
            Output::Send { peer, message } if *at == node && *peer == to => Some(message),
            _ => None,
        })
    }

    /// Forgets what happened so far.
    pub(crate) fn clear_log(&mut self) {
        self.log.clear();
    }

    /// Spends the first output of the coinbase at a height of a node's own chain.
    pub(crate) fn spend(&self, node: usize, height: u32, fee: u64, to: usize) -> Arc<Transaction> {
        let block = self.block(node, height);
        self.spend_output(
            node,
            block.transactions[0].outpoint(0),
            &block.transactions[0],
            (fee, to),
        )
    }

    /// Spends an output that belongs to the key of this number, whole but for the fee.
    pub(crate) fn spend_output(
        &self,
        signer: usize,
        outpoint: OutPoint,
        parent: &Transaction,
        (fee, to): (u64, usize),
    ) -> Arc<Transaction> {
        let output = parent.outputs()[outpoint.index as usize];
        let rest = Amount::from_units(output.value.units() - fee);
        let outputs = vec![TxOutput {
            value: rest,
            owner: key(to).owner(),
        }];
        let coin = chain::Coin {
            output,
            height: chain::Height(0),
            coinbase: false,
        };
        let genesis = self.ledger(0).id(self.ledger(0).genesis());
        let transaction = Transaction::payment(vec![outpoint], outputs, b"");
        Arc::new(transaction.sign(&key(signer), genesis, &[coin]))
    }
}

/// A block on top of `parent` that was not made by a node, solved.
pub(crate) fn forge(ledger: &Ledger, parent: BlockRef, change: impl FnOnce(&mut chain::Draft)) -> Arc<Block> {
    let mut draft = ledger.draft(parent, ledger.median_time_past(parent) + 1);
    draft.coinbase_outputs = vec![TxOutput {
        value: ledger.subsidy(draft.height),
        owner: key(500).owner(),
    }];
    change(&mut draft);
    solve(draft.assemble())
}

pub(crate) fn solve(block: Block) -> Arc<Block> {
    let header = mining::solve(&block.header, 10_000).expect("one hash in two will do");
    Arc::new(Block {
        header: header.into(),
        ..block
    })
}

/// A header that does not meet its target.
pub(crate) fn unsolved(header: &Header) -> Header {
    let target = header.bits.target().expect("valid bits");
    let mut header = *header;
    while target.is_met_by(&header.id()) {
        header.nonce += 1;
    }
    header
}
