//! A node that rests whenever it can, and one that never does: whatever they are told, they say the same.

use std::sync::Arc;
use std::time::Duration;

use base::{NodeId, Rng, Seed, Time};
use chain::{Block, BlockRef, HashRate, Ledger};
use gossip::{Hello, Item, Message};

use crate::event::TipRef;
use crate::testing::{config, forge, n, params};
use crate::{Event, Heard, Input, Neighbour, Node, Outbox, Output, Resting, TipChange};

const PEERS: usize = 6;

/// A node as an engine with many nodes keeps it.
struct Sleeper {
    node: Node,
    bed: Option<(Resting, Vec<Neighbour>)>,
    rests: usize,
    steps: usize,
    /// How often it asked another, and got an answer after all.
    late: [usize; 2],
}

impl Sleeper {
    fn handle(&mut self, ledger: &mut Ledger, now: Time, input: &Input) -> Outbox {
        if let Some(out) = self.step(ledger, now, input) {
            self.steps += 1;
            return out;
        }
        if let Some((resting, neighbours)) = self.bed.take() {
            self.node.resume(ledger, resting, neighbours.into_iter());
        }
        let mut out = Outbox::new();
        self.node.handle(ledger, now, input.clone(), &mut out);
        self.bed = self
            .node
            .rest(ledger)
            .map(|resting| (resting, self.node.neighbours().collect()));
        self.rests += usize::from(self.bed.is_some());
        out
    }

    fn deadline(&self) -> Option<Time> {
        match &self.bed {
            Some((resting, _)) => resting.deadline(),
            None => self.node.deadline().map(|(at, _)| at),
        }
    }

    /// What it puts out when it takes this in at rest.
    fn step(&mut self, ledger: &Ledger, now: Time, input: &Input) -> Option<Outbox> {
        let (resting, neighbours) = self.bed.as_mut()?;
        if let Input::Tick = input {
            let out = overdue(ledger, now, (resting, neighbours));
            self.late[0] += usize::from(out.is_some());
            return out;
        }
        let Input::Received { peer, message } = input else {
            return None;
        };
        let peer = *peer;
        let neighbour = neighbours.iter_mut().find(|neighbour| neighbour.peer == peer)?;
        let send = |message| Output::Send { peer, message };
        match message {
            Message::Headers(headers) => {
                let block = ledger.find(&headers[0].id())?;
                Some(match resting.hear(ledger, (now, neighbour), block)? {
                    Heard::Nothing => Vec::new(),
                    Heard::Next => vec![
                        accepted(ledger, block, peer),
                        send(Message::Get(vec![Item::Block(headers[0].id())])),
                    ],
                })
            }
            Message::Get(items) => {
                let [Item::Block(id)] = items.as_slice() else {
                    return None;
                };
                let block = ledger.find(id)?;
                let is_sent = resting.serve(ledger, (now, peer), block);
                is_sent.then(|| vec![send(Message::Block(Arc::clone(ledger.body(block).expect("valid"))))])
            }
            Message::Block(body) => {
                let block = ledger.find(&body.id())?;
                if resting.receive_late(ledger, (now, peer), block) {
                    self.late[1] += 1;
                    return Some(vec![received(ledger, block, (peer, body), true)]);
                }
                let old = resting.tip();
                resting.follow(ledger, (now, peer), (block, body)).then(|| {
                    let lacking = neighbours.iter().filter(|neighbour| !neighbour.has(block));
                    let header = *ledger.hashed_header(block);
                    let told = lacking.map(|neighbour| Output::Send {
                        peer: neighbour.peer,
                        message: Message::headers([header]),
                    });
                    followed(ledger, (old, block), (peer, body))
                        .into_iter()
                        .chain(told)
                        .collect()
                })
            }
            _ => None,
        }
    }
}

fn emit(event: Event) -> Output {
    Output::Emit(Box::new(event))
}

fn accepted(ledger: &Ledger, block: BlockRef, from: NodeId) -> Output {
    let header = ledger.header(block);
    emit(Event::HeaderAccepted {
        block: ledger.id(block),
        parent: header.parent,
        height: ledger.height(block),
        chain_work: ledger.work(block),
        time: header.time,
        from: Some(from),
    })
}

/// What a node says at rest whose body is late.
fn overdue(ledger: &Ledger, now: Time, (resting, neighbours): (&mut Resting, &[Neighbour])) -> Option<Outbox> {
    let block = resting.awaited()?;
    let sources = neighbours.iter().filter(|neighbour| neighbour.has(block));
    let peer = resting.ask_another(now, sources.map(|neighbour| neighbour.peer))?;
    let message = Message::Get(vec![Item::Block(ledger.id(block))]);
    Some(vec![Output::Send { peer, message }])
}

fn received(ledger: &Ledger, block: BlockRef, (from, body): (NodeId, &Block), duplicate: bool) -> Output {
    emit(Event::BlockReceived {
        block: ledger.id(block),
        from,
        bytes: body.bytes(),
        duplicate,
    })
}

fn followed(ledger: &Ledger, (old, new): (BlockRef, BlockRef), (from, body): (NodeId, &Arc<Block>)) -> Outbox {
    let [old, new] = [old, new].map(|block| TipRef {
        block: ledger.id(block),
        height: ledger.height(block),
        chain_work: ledger.work(block),
    });
    let (txs, bytes) = (body.transactions.len(), body.bytes());
    vec![
        received(ledger, ledger.find(&new.block).expect("known"), (from, body), false),
        Output::Save {
            block: Arc::clone(body),
            durable: false,
        },
        emit(Event::BlockConnected {
            block: new.block,
            parent: old.block,
            height: new.height,
            chain_work: new.chain_work,
            txs,
            bytes,
            body: Arc::clone(body),
        }),
        emit(Event::TipChanged {
            old,
            new,
            how: TipChange::Extend,
        }),
    ]
}

/// All but what to search for, which an engine knows from the bits.
fn told(out: &[Output]) -> Vec<String> {
    let told = out.iter().filter(|output| !matches!(output, Output::Draw(_)));
    told.map(|output| format!("{output:?}")).collect()
}

/// A tree of valid blocks that others have made, and what was asked of peers.
struct Surroundings {
    ledger: Ledger,
    tree: Vec<BlockRef>,
    /// Bodies, or headers where it is no block.
    asked: Vec<(NodeId, Option<BlockRef>)>,
    mutations: usize,
    /// Whether some bodies take long, so that others are asked.
    is_slow: bool,
    /// Connections that were hung up.
    gone: Vec<NodeId>,
    rng: Rng,
}

impl Surroundings {
    fn new(number: u64) -> Self {
        let ledger = Ledger::new(params());
        Self {
            tree: vec![ledger.genesis()],
            ledger,
            asked: Vec::new(),
            mutations: 0,
            is_slow: number >= 24,
            gone: Vec::new(),
            rng: Seed::from_number(number).child("rest", 0).rng(),
        }
    }

    /// That of a peer without a chain.
    fn hello(&self) -> Message {
        let genesis = self.ledger.id(self.ledger.genesis());
        Message::Hello(Box::new(Hello {
            version: Hello::VERSION,
            genesis,
            agent: "played".to_owned(),
            tip: genesis,
            height: chain::Height(0),
        }))
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.rng.below(bound as u64)).expect("below it")
    }

    /// Mostly the next one for a node with this tip, or one of the newest.
    fn some_block(&mut self, tip: BlockRef) -> BlockRef {
        if self.below(4) > 0 {
            let next = self
                .tree
                .iter()
                .rev()
                .find(|block| self.ledger.parent(**block) == Some(tip));
            return next.copied().unwrap_or(tip);
        }
        let back = if self.below(8) == 0 {
            self.below(12)
        } else {
            self.below(2)
        };
        self.tree[self.tree.len().saturating_sub(back + 1)]
    }

    fn all_headers(&self) -> Message {
        let newest = self.tree[self.tree.len() - 1];
        let path = self.ledger.path(self.ledger.genesis(), newest);
        let headers = path.into_iter().map(|block| *self.ledger.hashed_header(block));
        Message::headers(headers.collect::<Vec<_>>())
    }

    fn grow(&mut self) {
        let newest = self.tree[self.tree.len() - 1];
        let parent = if self.below(10) == 0 {
            self.some_block(newest)
        } else {
            newest
        };
        let mark = self.tree.len() as u64;
        let block = forge(&self.ledger, parent, |draft| draft.extra_nonce = mark);
        let at = self.ledger.record_hashed_header(&block.header).expect("a valid header");
        self.ledger.add_body(&block).expect("a valid block");
        self.tree.push(at);
    }

    /// What happens next where little does, but some bodies take long.
    fn next_of_little(&mut self, tip: BlockRef) -> Option<Input> {
        let peer = n(1 + self.below(PEERS));
        let received = |peer, message| Some(Input::Received { peer, message });
        let newest = self.tree[self.tree.len() - 1];
        match self.below(100) {
            0..=20 if self.ledger.height(newest) <= self.ledger.height(tip) => {
                self.grow();
                None
            }
            21..=40 => received(peer, Message::headers([*self.ledger.hashed_header(newest)])),
            41..=90 if !self.asked.is_empty() => {
                let at = self.below(self.asked.len());
                // Half of the peers are slow.
                if self.asked[at].0.0.is_multiple_of(2) && self.below(20) > 0 {
                    return None;
                }
                let (peer, block) = self.asked.swap_remove(at);
                let body = block.map(|block| Arc::clone(self.ledger.body(block).expect("valid")));
                received(peer, body.map_or_else(|| self.all_headers(), Message::Block))
            }
            91 => self.next_of_much(tip),
            _ => None,
        }
    }

    fn next(&mut self, tip: BlockRef) -> Option<Input> {
        if self.is_slow {
            self.next_of_little(tip)
        } else {
            self.next_of_much(tip)
        }
    }

    /// What happens next where a lot does.
    fn next_of_much(&mut self, tip: BlockRef) -> Option<Input> {
        let peer = n(1 + self.below(PEERS));
        let received = |peer, message| Some(Input::Received { peer, message });
        match self.below(20) {
            0 => {
                self.grow();
                None
            }
            1..=8 => {
                let block = self.some_block(tip);
                let header = *self.ledger.hashed_header(block);
                received(peer, Message::headers([header]))
            }
            9..=13 if !self.asked.is_empty() => {
                let at = self.below(self.asked.len());
                let (peer, block) = self.asked.swap_remove(at);
                let Some(block) = block else {
                    return received(peer, self.all_headers());
                };
                let id = self.ledger.id(block);
                let body = Arc::clone(self.ledger.body(block).expect("valid"));
                match self.below(12) {
                    0 => received(peer, Message::NotFound(vec![Item::Block(id)])),
                    1 => None,
                    2 if self.below(20) == 0 => {
                        // The header is the block's, what is in it is not.
                        self.mutations += 1;
                        let mut mutated = Block::clone(&body);
                        mutated.transactions.clear();
                        received(peer, Message::Block(Arc::new(mutated)))
                    }
                    _ => received(peer, Message::Block(body)),
                }
            }
            14..=17 => {
                let block = self.some_block(tip);
                let id = self.ledger.id(block);
                received(peer, Message::Get(vec![Item::Block(id)]))
            }
            18 => Some(Input::Tick),
            _ => None,
        }
    }

    fn note_requests(&mut self, out: &[Output]) {
        for output in out {
            let Output::Send { peer, message } = output else {
                continue;
            };
            if let Message::GetHeaders { .. } = message {
                self.asked.push((*peer, None));
            } else if let Message::Get(items) = message {
                let blocks = items.iter().filter_map(|item| match item {
                    Item::Block(id) => self.ledger.find(id),
                    Item::CompactBlock(_) | Item::Transaction(_) | Item::Parent(_) => None,
                });
                self.asked.extend(blocks.map(|block| (*peer, Some(block))));
            }
        }
    }
}

/// Tells both of a few thousand things; how often the one rested, how much it took in at rest, how often it asked another and got a late answer, and how many
/// bodies were not what they seemed.
fn compare(number: u64, hashrate: HashRate) -> [usize; 5] {
    let mut around = Surroundings::new(number);
    let config = crate::Config {
        hashrate,
        ..config(0, around.ledger.params())
    };
    let node = || {
        Node::new(n(0), config.clone(), Seed::from_number(7))
            .without_messages()
            .drawn()
    };
    let mut plain = node();
    let mut sleeper = Sleeper {
        node: node(),
        bed: None,
        rests: 0,
        steps: 0,
        late: [0; 2],
    };
    let mut now = Time::ZERO;
    let mut take = |around: &mut Surroundings, now: Time, input: Input| {
        let mut out = Outbox::new();
        plain.handle(&mut around.ledger, now, input.clone(), &mut out);
        let same = sleeper.handle(&mut around.ledger, now, &input);
        assert_eq!(told(&same), told(&out), "{number} at {now}: {input:?}");
        assert_eq!(
            sleeper.deadline(),
            plain.deadline().map(|(at, _)| at),
            "{number} at {now}: {input:?}"
        );
        around.note_requests(&out);
        let hung_up = out.iter().find_map(|output| match output {
            Output::Hangup { peer, .. } => Some(*peer),
            _ => None,
        });
        around.gone.extend(hung_up);
        (plain.deadline().map(|(at, _)| at), plain.view().tip())
    };
    take(&mut around, now, Input::Tick);
    for peer in (1..=PEERS).map(n) {
        let hello = around.hello();
        take(&mut around, now, Input::Connected { peer, outbound: true });
        take(&mut around, now, Input::Received { peer, message: hello });
    }
    let (mut due, mut tip) = (None, around.tree[0]);
    for _ in 0..3_000 {
        now += Duration::from_millis(around.rng.below(400));
        while let Some(at) = due.filter(|at| *at <= now) {
            (due, tip) = take(&mut around, at, Input::Tick);
        }
        if let Some(input) = around.next(tip) {
            (due, tip) = take(&mut around, now, input);
        }
        while let Some(peer) = around.gone.pop() {
            around.asked.retain(|(of, _)| *of != peer);
            (due, tip) = take(&mut around, now, Input::Disconnected { peer });
        }
    }
    let [asked, answered] = sleeper.late;
    [sleeper.rests, sleeper.steps, asked, answered, around.mutations]
}

#[test]
fn who_rests_says_what_who_never_rests_says() {
    let mut sums = [0; 5];
    for number in 0..72 {
        let counts = compare(number, HashRate((number % 2) * 1_000));
        sums = std::array::from_fn(|at| sums[at] + counts[at]);
    }
    let [rests, steps, asked, answered, mutations] = sums;
    assert!(rests > 500 && steps > 10_000 && mutations > 10, "{sums:?}");
    assert!(asked > 200 && answered > 200, "{sums:?}");
}
