//! A node that has a courier whenever it can, and one that never has: whatever they are told, they say the same.

mod bank;
mod helped;
mod street;

use std::sync::LazyLock;

use base::{Seed, Time};
use chain::{HashRate, Wtxid};

use self::bank::{Bank, Kind};
use self::helped::{Counts, Helped};
use self::street::Street;
use crate::testing::{config, n};
use crate::{Event, Input, Node, Outbox, Output};

/// What a node's surroundings are like.
#[derive(Clone, Copy, Debug)]
struct Life {
    kind: Kind,
    /// How long nothing happens at a time, most often, and how long messages take.
    pause_ms: u64,
    latency_us: u64,
    /// How many payments peers tell of at a time.
    batch: usize,
    /// How often blocks come, and peers come and go.
    unrest: u64,
    mempool_bytes: usize,
    hashrate: HashRate,
}

const PLAIN: Life = Life {
    kind: Kind {
        payments: 240,
        rivals: 1,
        chained: 20,
        near: 20,
        low: 0,
    },
    pause_ms: 60,
    latency_us: 200_000,
    batch: 3,
    unrest: 30,
    mempool_bytes: 5_000_000,
    hashrate: HashRate::ZERO,
};

/// All lives.
const LIVES: [Life; 6] = [
    PLAIN,
    // Everything takes long, and blocks are searched for.
    Life {
        pause_ms: 1_500,
        latency_us: 3_000_000,
        hashrate: HashRate(1_000),
        ..PLAIN
    },
    // Chains get too long, and few blocks come.
    Life {
        kind: Kind {
            rivals: 0,
            chained: 95,
            near: 3,
            low: 0,
            ..PLAIN.kind
        },
        unrest: 20,
        ..PLAIN
    },
    // Coins are spent twice, and blocks come all the time.
    Life {
        kind: Kind {
            rivals: 8,
            chained: 50,
            near: 10,
            low: 1,
            ..PLAIN.kind
        },
        unrest: 60,
        hashrate: HashRate(1_000),
        ..PLAIN
    },
    // Mempools are small.
    Life {
        mempool_bytes: 60_000,
        ..PLAIN
    },
    // Peers tell of very many at a time.
    Life {
        kind: Kind {
            payments: 700,
            chained: 2,
            ..PLAIN.kind
        },
        batch: 130,
        pause_ms: 300,
        ..PLAIN
    },
];

static BANKS: LazyLock<Vec<Bank>> = LazyLock::new(|| {
    let numbers = 0..;
    LIVES
        .iter()
        .zip(numbers)
        .map(|(life, number)| Bank::new(number, life.kind))
        .collect()
});

/// What a node keeps of payments that may count for what it says much later. Who holds what everybody was told of never does.
fn known(node: &Node, now: Time) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut wanted: Vec<_> = node.relay.fetch.in_hand().collect();
    wanted.sort_by_key(|request| request.wtxid);
    let queue = node.relay.announcements.waiting().iter().map(|wtxid| {
        let row = node.pool.find(wtxid);
        (*wtxid, row.map(|row| node.pool.holders(row)))
    });
    let peers = node.peers.all().map(|(peer, row)| {
        let waits = (row.transactions_owed, node.relay.fetch.in_flight(peer));
        (peer, waits, row.is_asked_for_no_parents(), row.served.of_late(now))
    });
    let relay = (node.relay.announce_at, format!("{:?}", node.relay.rng));
    let miner = (node.miner.refresh_at, node.miner.refreshed_at);
    (
        (wanted, node.pool.bytes()),
        (queue.collect::<Vec<_>>(), peers.collect::<Vec<_>>()),
        (relay, miner, node.deadline),
    )
}

/// The same of the mempool, where all is in its rows.
fn known_of_pool(node: &Node) -> impl PartialEq + std::fmt::Debug + use<> {
    let look = |wtxid: &Wtxid| {
        let transaction = node.pool.get_by_wtxid(wtxid).expect("it waits");
        let pooled = node.pool.look(&transaction.txid()).expect("it waits");
        let relatives = (pooled.ancestors, pooled.descendants);
        (transaction.txid(), pooled.fee, pooled.added, relatives)
    };
    node.pool.by_arrival().iter().map(look).collect::<Vec<_>>()
}

/// All but what to search for, which stays the same; of an admission what a courier tells.
fn told(out: &[Output]) -> Vec<String> {
    let told = out.iter().filter(|output| !matches!(output, Output::Draw(_)));
    let say = |output: &Output| {
        if let Output::Emit(event) = output
            && let Event::TxAccepted { txid, from, .. } = event.as_ref()
        {
            return format!("{txid} from {from:?}");
        }
        format!("{output:?}")
    };
    told.map(say).collect()
}

/// A node that never has a courier, and one that has.
struct Both<'a> {
    plain: Node,
    helped: Helped,
    street: Street<'a>,
}

impl<'a> Both<'a> {
    fn new(number: u64, life: Life, bank: &'a Bank) -> Self {
        let street = Street::new(number, life, bank);
        let mut config = config(0, street.ledger.params());
        config.mempool_bytes = life.mempool_bytes;
        config.hashrate = life.hashrate;
        let node = || {
            Node::new(n(0), config.clone(), Seed::from_number(number))
                .without_messages()
                .drawn()
        };
        let mut both = Self {
            plain: node(),
            helped: Helped::new(node()),
            street,
        };
        for input in both.street.begin() {
            both.take(None, &input);
        }
        both
    }

    /// Tells both of something, with its number if it was on its way; what they say is the same.
    fn take(&mut self, number: Option<u64>, input: &Input) {
        let (now, ledger) = (self.street.now, &mut self.street.ledger);
        let mut out = Outbox::new();
        self.plain.handle(ledger, now, input.clone(), &mut out);
        let same = self.helped.take(ledger, (now, number), (input, &self.plain));
        assert_eq!(told(&same), told(&out), "at {now}: {input:?}");
        self.helped.left_to_itself(&self.street.ledger, self.street.others);
        assert_eq!(self.helped.deadline(), self.due(), "at {now}: {input:?}");
        let due = self.due();
        self.street.answer(&out, due);
        self.helped.counts.outputs(&out);
        let gone: Vec<_> = out
            .iter()
            .filter_map(|output| match output {
                Output::Hangup { peer, .. } => Some(*peer),
                _ => None,
            })
            .collect();
        for peer in gone {
            let input = self.street.leave(peer);
            self.take(None, &input);
        }
    }

    fn due(&self) -> Option<Time> {
        self.plain.deadline().map(|(at, _)| at)
    }

    /// Lets all happen that does until this time: at one time most often what arrives comes first.
    fn catch_up(&mut self, until: Time) {
        loop {
            let (due, arrival) = (self.due(), self.street.next_arrival());
            let next = due.into_iter().chain(arrival).min();
            let Some(next) = next.filter(|next| *next <= until) else {
                break;
            };
            let both_at_once = due.is_some() && due == arrival;
            let comes_first = !both_at_once || self.street.rng.below(4) > 0;
            self.street.now = next;
            if arrival == Some(next) && comes_first {
                if let Some(parcel) = self.street.arrive() {
                    self.take(Some(parcel.number), &parcel.input);
                }
            } else {
                self.take(None, &Input::Tick);
            }
        }
        self.street.now = until;
    }

    fn step(&mut self) {
        let mut announced = Vec::new();
        let before = self.street.now;
        let whose = (&self.plain, &mut self.helped.payments);
        let inputs = self.street.plan(whose, &mut announced);
        for (number, peer, list) in announced {
            self.helped.is_told(number, peer, &list);
        }
        let until = std::mem::replace(&mut self.street.now, before);
        self.catch_up(until);
        for input in inputs {
            self.take(None, &input);
        }
    }
}

/// Tells both of a thousand things; how often what happened.
fn compare(number: u64) -> Counts {
    println!("number {number}");
    let at = usize::try_from(number % LIVES.len() as u64).expect("one of a few");
    let mut both = Both::new(number, LIVES[at], &BANKS[at]);
    for _ in 0..1_200 {
        both.step();
    }
    both.helped.counts
}

#[test]
fn who_has_a_courier_says_what_who_has_none_says() {
    let mut sum = Counts::default();
    for number in 0..60 {
        sum.add(compare(number));
    }
    sum.check();
}
