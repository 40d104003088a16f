//! How many headers a second one core takes in from a peer, beside what SHA-256's compressions alone take.
//!
//! `cargo bench -p node --bench headers` hands a node without a chain 100,000 headers, 2,000 in a message, as a peer sends them: from the
//! bytes of the frames, which are checked and decoded, to headers that are named, validated, kept and told of. It prints figures and judges
//! nothing: they are the machine's.

use std::hint::black_box;
use std::time::Duration;

use base::{NodeId, Seed, Time};
use chain::{HashedHeader, Height, Ledger, Params, mining};
use gossip::limits::{MAX_HEADERS, MAX_MESSAGE_BYTES};
use gossip::{Hello, Message, wire};
use node::{Config, Input, Node, Outbox};
use sha2::block_api::compress256;

#[path = "../../chain/benches/measure/mod.rs"]
mod measure;

use measure::race;

const HEADERS: u32 = 100_000;
const PEER: NodeId = NodeId(1);

fn main() {
    let params = Params::instant();
    let frames: Vec<Vec<u8>> = chain_of_headers(&params)
        .chunks(MAX_HEADERS)
        .map(|headers| wire::encode(&Message::headers(headers.iter().copied())))
        .collect();
    let messages: Vec<Message> = frames.iter().map(|frame| decoded(frame)).collect();
    race(
        "messages decoded",
        HEADERS,
        || {
            for frame in &frames {
                black_box(decoded(frame));
            }
        },
        || compressions(HEADERS),
    );
    race(
        "decoded messages handled by a node",
        HEADERS,
        || {
            let mut stage = Stage::new(&params);
            for message in &messages {
                stage.receive(message.clone());
            }
            stage.check();
        },
        || compressions(HEADERS),
    );
    race(
        "both",
        HEADERS,
        || {
            let mut stage = Stage::new(&params);
            for frame in &frames {
                stage.receive(decoded(frame));
            }
            stage.check();
        },
        || compressions(HEADERS),
    );
}

fn decoded(frame: &[u8]) -> Message {
    wire::decode(frame, MAX_MESSAGE_BYTES).expect("it was encoded")
}

/// A node and a peer that has said hello.
struct Stage {
    node: Node,
    ledger: Ledger,
    out: Outbox,
}

impl Stage {
    fn new(params: &Params) -> Self {
        let epoch = Duration::from_secs(u64::from(params.genesis_time) + u64::from(HEADERS));
        let config = Config::new("/bench/", chain::Owner([1; 32]), epoch);
        let mut stage = Self {
            node: Node::new(NodeId(0), config, Seed::from_number(1)),
            ledger: Ledger::new(params.clone()),
            out: Outbox::new(),
        };
        let genesis = stage.ledger.id(stage.ledger.genesis());
        stage.input(Input::Connected {
            peer: PEER,
            outbound: true,
        });
        let hello = Hello {
            version: Hello::VERSION,
            genesis,
            agent: "/bench/".to_owned(),
            tip: genesis,
            height: Height(0),
        };
        stage.receive(Message::Hello(Box::new(hello)));
        stage
    }

    fn receive(&mut self, message: Message) {
        self.input(Input::Received { peer: PEER, message });
    }

    fn input(&mut self, input: Input) {
        self.node.handle(&mut self.ledger, Time::ZERO, input, &mut self.out);
        black_box(&self.out);
        self.out.clear();
    }

    fn check(&self) {
        let best = self.node.view().best_header();
        assert_eq!(self.ledger.height(best), Height(HEADERS), "all are kept");
    }
}

/// Three compressions for each header, one after the other, and nothing else.
fn compressions(headers: u32) {
    let block = black_box([[0x5a; 64]]);
    let mut state = black_box([7; 8]);
    for _ in 0..headers * 3 {
        compress256(&mut state, &block);
    }
    black_box(state);
}

/// A chain with a header for every second.
fn chain_of_headers(params: &Params) -> Vec<HashedHeader> {
    let mut ledger = Ledger::new(params.clone());
    let mut tip = ledger.genesis();
    (0..HEADERS)
        .map(|_| {
            let header = *ledger.draft(tip, ledger.header(tip).time + 1).assemble().header;
            let header = HashedHeader::from(mining::solve(&header, u32::MAX).expect("two hashes"));
            tip = ledger.add_hashed_header(&header).expect("a good header");
            header
        })
        .collect()
}
