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
use crate::testing::{config, forge, n, params};
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
    fn handle(&mut self, ledger: &mut Ledger, now: Time, input: &Input) -> Outbox {
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

/// All but what to search for, which an engine knows from the bits.
fn told(out: &[Output]) -> Vec<String> {
    let told = out.iter().filter(|output| !matches!(output, Output::Draw(_)));
    told.map(|output| format!("{output:?}")).collect()
}

/// Tells both of a few thousand things; how often the one rested, how much it took in at rest, how often it asked another and got a late answer, and how many
/// bodies were not what they seemed.
fn compare(number: u64, hashrate: HashRate) -> [usize; 7] {
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
        aside: 0,
        asked: BTreeSet::new(),
        again: 0,
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
    [
        sleeper.rests,
        sleeper.steps,
        asked,
        answered,
        sleeper.aside,
        sleeper.again,
        around.mutations,
    ]
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
