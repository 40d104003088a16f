//! A node that rests whenever it can, and one that never does: whatever they are told, they say the same.

mod surroundings;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base::{NodeId, Seed, Time};
use chain::{Block, BlockRef, HashRate, Ledger};
use gossip::{Item, Message};

use self::surroundings::Surroundings;
use crate::event::TipRef;
use crate::limits::MAX_RIVALS_AT_REST;
use crate::testing::{config, forge, n, params, played_hello};
use crate::{Event, Gained, Heard, Input, Neighbour, Node, Outbox, Output, Resting, TipChange};

const PEERS: usize = 6;

/// A node as an engine with many nodes keeps it.
struct Sleeper {
    node: Node,
    bed: Option<(Resting, Vec<Neighbour>)>,
    rests: usize,
    steps: usize,
    /// How often it asked another, and got an answer after all.
    late: [usize; 2],
    /// How many blocks it connected beside the chain that it followed.
    aside: usize,
    /// Whom it asked for what at rest, and how often the same as before.
    asked: BTreeSet<(NodeId, Item)>,
    again: usize,
}

impl Sleeper {
    /// What it puts out. Whenever it gets up, it knows what one knows that has not rested.
    fn handle(&mut self, ledger: &mut Ledger, now: Time, (input, plain): (&Input, &Node)) -> Outbox {
        if let Some(out) = self.step(ledger, now, input) {
            self.steps += 1;
            for output in &out {
                if let Output::Send { peer, message } = output
                    && let Message::Get(items) = message
                {
                    self.again += usize::from(!self.asked.insert((*peer, items[0])));
                }
            }
            return out;
        }
        if let Some((resting, neighbours)) = self.bed.take() {
            self.node.resume(ledger, resting, neighbours.into_iter());
            assert_eq!(known(&self.node), known(plain), "at {now}");
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
                    Heard::Next | Heard::Rival => vec![
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
                let gained = resting.gain(ledger, (now, peer), (block, body))?;
                let connected = connected(ledger, block, (peer, body));
                if gained == Gained::Aside {
                    self.aside += 1;
                    return Some(connected.into());
                }
                let lacking = neighbours.iter().filter(|neighbour| !neighbour.has(block));
                let header = *ledger.hashed_header(block);
                let told = lacking.map(|neighbour| Output::Send {
                    peer: neighbour.peer,
                    message: Message::headers([header]),
                });
                let followed = [followed(ledger, (old, block))];
                Some(connected.into_iter().chain(followed).chain(told).collect())
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
    let sources = neighbours
        .iter()
        .map(|neighbour| (neighbour.peer, neighbour.has(block)));
    let peer = resting.ask_another(now, sources)?;
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

fn connected(ledger: &Ledger, block: BlockRef, (from, body): (NodeId, &Arc<Block>)) -> [Output; 3] {
    [
        received(ledger, block, (from, body), false),
        Output::Save {
            block: Arc::clone(body),
            durable: false,
        },
        emit(Event::BlockConnected {
            block: ledger.id(block),
            parent: body.header.parent,
            height: ledger.height(block),
            chain_work: ledger.work(block),
            txs: body.transactions.len(),
            bytes: body.bytes(),
            body: Arc::clone(body),
        }),
    ]
}

fn followed(ledger: &Ledger, (old, new): (BlockRef, BlockRef)) -> Output {
    let [old, new] = [old, new].map(|block| TipRef {
        block: ledger.id(block),
        height: ledger.height(block),
        chain_work: ledger.work(block),
    });
    emit(Event::TipChanged {
        old,
        new,
        how: TipChange::Extend,
    })
}

/// What a node keeps that may count for what it says much later.
fn known(node: &Node) -> impl PartialEq + std::fmt::Debug + use<> {
    let chain = (node.knowledge.tip(), node.knowledge.best_header(), node.progress_at);
    let peers = node.peers.all();
    let peers = peers.map(|(peer, row)| (peer, row.best, row.told, row.bodies_owed));
    (chain, peers.collect::<Vec<_>>(), node.bodies.fetch.patience())
}

/// All but what to search for, which an engine knows from the bits.
fn told(out: &[Output]) -> Vec<String> {
    let told = out.iter().filter(|output| !matches!(output, Output::Draw(_)));
    told.map(|output| format!("{output:?}")).collect()
}

/// A node that never rests, and one that does.
struct Both {
    plain: Node,
    sleeper: Sleeper,
}

impl Both {
    fn new(config: &crate::Config) -> Self {
        let node = || {
            Node::new(n(0), config.clone(), Seed::from_number(7))
                .without_messages()
                .drawn()
        };
        Self {
            plain: node(),
            sleeper: Sleeper {
                node: node(),
                bed: None,
                rests: 0,
                steps: 0,
                late: [0; 2],
                aside: 0,
                asked: BTreeSet::new(),
                again: 0,
            },
        }
    }

    /// Connects both to all peers, who know no more than the genesis block.
    fn meet(&mut self, ledger: &mut Ledger) {
        self.take(ledger, Time::ZERO, &Input::Tick);
        for peer in (1..=PEERS).map(n) {
            let message = Message::Hello(Box::new(played_hello(ledger)));
            self.take(ledger, Time::ZERO, &Input::Connected { peer, outbound: true });
            self.take(ledger, Time::ZERO, &Input::Received { peer, message });
        }
    }

    /// Tells both of something; what they say, which is the same.
    fn take(&mut self, ledger: &mut Ledger, now: Time, input: &Input) -> Outbox {
        let mut out = Outbox::new();
        let same = self.sleeper.handle(ledger, now, (input, &self.plain));
        self.plain.handle(ledger, now, input.clone(), &mut out);
        assert_eq!(told(&same), told(&out), "at {now}: {input:?}");
        assert_eq!(self.sleeper.deadline(), self.deadline(), "at {now}: {input:?}");
        out
    }

    fn deadline(&self) -> Option<Time> {
        self.plain.deadline().map(|(at, _)| at)
    }
}

/// Tells both of a few thousand things; how often the one rested, how much it took in at rest, how often it asked another and got a late answer, and how many
/// bodies were not what they seemed.
fn compare(number: u64, hashrate: HashRate) -> [usize; 7] {
    println!("number {number}");
    let mut around = Surroundings::new(number);
    let mut both = Both::new(&crate::Config {
        hashrate,
        ..config(0, around.ledger.params())
    });
    both.meet(&mut around.ledger);
    let mut now = Time::ZERO;
    let mut take = |around: &mut Surroundings, now: Time, input: &Input| {
        let out = both.take(&mut around.ledger, now, input);
        around.note_requests(&out);
        let hung_up = out.iter().find_map(|output| match output {
            Output::Hangup { peer, .. } => Some(*peer),
            _ => None,
        });
        around.gone.extend(hung_up);
        (both.deadline(), both.plain.view().tip())
    };
    let (mut due, mut tip) = (None, around.tree[0]);
    for _ in 0..3_000 {
        now += Duration::from_millis(around.rng.below(400));
        while let Some(at) = due.filter(|at| *at <= now) {
            (due, tip) = take(&mut around, at, &Input::Tick);
        }
        if let Some(input) = around.next(tip) {
            (due, tip) = take(&mut around, now, &input);
        }
        while let Some(peer) = around.gone.pop() {
            around.asked.retain(|(of, _)| *of != peer);
            (due, tip) = take(&mut around, now, &Input::Disconnected { peer });
        }
    }
    let Sleeper {
        rests,
        steps,
        late: [asked, answered],
        aside,
        again,
        ..
    } = both.sleeper;
    [rests, steps, asked, answered, aside, again, around.mutations]
}

#[test]
fn who_rests_says_what_who_never_rests_says() {
    let mut sums = [0; 7];
    for number in 0..120 {
        let counts = compare(number, HashRate((number % 2) * 1_000));
        sums = std::array::from_fn(|at| sums[at] + counts[at]);
    }
    let [rests, steps, asked, answered, aside, again, mutations] = sums;
    assert!(rests > 500 && steps > 10_000 && mutations > 10, "{sums:?}");
    assert!(asked > 200 && answered > 200 && aside > 150 && again > 20, "{sums:?}");
}

#[test]
fn one_rival_too_many_is_for_the_node_itself() {
    let mut ledger = Ledger::new(params());
    let genesis = ledger.genesis();
    let mut resting = Resting::newcomer(&config(0, ledger.params())).expect("it rests");
    let mut neighbour = Neighbour::newcomer(n(1));
    let now = Time::from_secs(1);
    let most = u64::try_from(MAX_RIVALS_AT_REST).expect("few");
    for number in 0..=most {
        let body = forge(&ledger, genesis, |draft| draft.extra_nonce = number);
        let block = ledger.record_hashed_header(&body.header).expect("a valid header");
        ledger.add_body(&body).expect("a valid block");
        let (heard, gained) = if number == 0 {
            (Heard::Next, Gained::Followed)
        } else {
            (Heard::Rival, Gained::Aside)
        };
        assert_eq!(resting.hear(&ledger, (now, &mut neighbour), block), Some(heard));
        let body = ledger.body(block).expect("valid");
        assert_eq!(resting.gain(&ledger, (now, n(1)), (block, body)), Some(gained));
    }
    let body = forge(&ledger, genesis, |draft| draft.extra_nonce = most + 1);
    let block = ledger.record_hashed_header(&body.header).expect("a valid header");
    assert_eq!(resting.hear(&ledger, (now, &mut neighbour), block), None);
}

/// Tells both of what happens to them, at times in milliseconds, and of deadlines in between.
struct Story {
    both: Both,
    ledger: Ledger,
}

impl Story {
    /// And so many blocks that stand on the genesis block.
    fn new(blocks: u64) -> (Self, Vec<BlockRef>) {
        let mut ledger = Ledger::new(params());
        let genesis = ledger.genesis();
        let blocks = (0..blocks).map(|number| {
            let body = forge(&ledger, genesis, |draft| draft.extra_nonce = number);
            let block = ledger.record_hashed_header(&body.header).expect("a valid header");
            ledger.add_body(&body).expect("a valid block");
            block
        });
        let blocks = blocks.collect();
        let mut both = Both::new(&config(0, ledger.params()));
        both.meet(&mut ledger);
        (Self { both, ledger }, blocks)
    }

    fn announces(&mut self, millis: u64, peer: usize, block: BlockRef) {
        self.hears(millis, peer, Message::headers([*self.ledger.hashed_header(block)]));
    }

    fn sends(&mut self, millis: u64, peer: usize, block: BlockRef) {
        let body = self.ledger.body(block).expect("valid");
        self.hears(millis, peer, Message::Block(Arc::clone(body)));
    }

    fn hears(&mut self, millis: u64, peer: usize, message: Message) {
        let peer = n(peer);
        let now = Time::from_micros(millis * 1_000);
        self.both
            .take(&mut self.ledger, now, &Input::Received { peer, message });
    }

    /// The next deadline comes; whom they ask.
    fn waits(&mut self) -> Vec<NodeId> {
        let now = self.both.deadline().expect("a body is waited for");
        let out = self.both.take(&mut self.ledger, now, &Input::Tick);
        let asked = out.iter().filter_map(|output| match output {
            Output::Send { peer, message } => matches!(message, Message::Get(_)).then_some(*peer),
            _ => None,
        });
        asked.collect()
    }

    fn rests(&self) -> bool {
        self.both.sleeper.bed.is_some()
    }
}

/// Its best is the block beside it, which is as heavy.
#[test]
fn who_was_asked_for_a_rival_has_it_though_it_announced_another_before() {
    let (mut story, blocks) = Story::new(2);
    let [first, rival] = blocks[..] else { unreachable!() };
    story.announces(1_000, 1, first);
    story.sends(1_100, 1, first);
    story.announces(1_200, 2, first);
    story.announces(1_300, 2, rival);
    story.announces(1_400, 3, rival);
    assert!(story.rests());
    assert_eq!(story.waits(), [n(3)]);
    assert!(story.rests());
    assert_eq!(
        story.waits(),
        [n(2)],
        "both are late, and it owes no more than the other"
    );
}

/// It sent another body, which nobody had asked for, so that it owes none by number.
#[test]
fn who_owes_less_than_it_is_late_with_is_not_said_to_owe_more() {
    let (mut story, blocks) = Story::new(2);
    let [block, rival] = blocks[..] else { unreachable!() };
    story.announces(1_000, 1, rival);
    story.sends(1_100, 1, rival);
    story.announces(1_200, 2, block);
    story.announces(1_300, 3, block);
    assert_eq!(story.waits(), [n(3)]);
    story.sends(4_000, 3, block);
    assert!(story.rests());
    for millis in 5_000..5_004 {
        story.sends(millis, 2, rival);
    }
    story.sends(6_000, 2, block);
    story.sends(7_000, 2, rival);
}

#[test]
fn who_is_asked_for_the_one_is_asked_for_the_other_when_nobody_else_has_it() {
    let (mut story, blocks) = Story::new(2);
    let [first, second] = blocks[..] else { unreachable!() };
    story.announces(1_000, 3, first);
    story.announces(1_100, 1, second);
    story.announces(1_200, 1, first);
    story.announces(1_300, 4, first);
    assert!(story.rests());
    assert_eq!(story.waits(), [n(4)]);
}

#[test]
fn two_that_are_late_at_one_time_are_asked_for_at_one_time() {
    let (mut story, blocks) = Story::new(2);
    let [first, second] = blocks[..] else { unreachable!() };
    story.announces(1_000, 3, first);
    story.announces(1_000, 4, second);
    story.announces(1_200, 5, first);
    story.announces(1_200, 6, second);
    assert!(story.rests());
    let mut asked = story.waits();
    asked.sort();
    assert_eq!(asked, [n(5), n(6)]);
}

/// Of peers that are late, who was asked as often as the other is asked by name, and not who was asked first.
#[test]
fn who_gets_up_knows_how_often_who_is_late_was_asked() {
    let (mut story, blocks) = Story::new(1);
    story.announces(1_000, 4, blocks[0]);
    story.announces(1_100, 3, blocks[0]);
    assert_eq!(story.waits(), [n(3)]);
    assert!(story.rests());
    assert_eq!(story.waits(), [n(3)]);
}

/// Asked three times and given up on, it would be asked once more if it announced the block a minute after it was last asked.
#[test]
fn who_gets_up_knows_when_who_is_late_was_last_asked() {
    let (mut story, blocks) = Story::new(1);
    story.announces(1_000, 2, blocks[0]);
    assert_eq!(story.waits(), [n(2)]);
    assert_eq!(story.waits(), [n(2)]);
    story.announces(8_000, 3, blocks[0]);
    assert_eq!(story.waits(), [n(3)]);
    assert!(story.rests());
    assert_eq!(story.waits(), [n(3)]);
    assert!(!story.rests());
    assert_eq!(story.waits(), [n(3)]);
    story.announces(66_000, 2, blocks[0]);
    assert_eq!(story.waits(), [], "it was last asked at seven seconds");
}
