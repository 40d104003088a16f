//! A peer that a test plays itself, over a real connection: it says what it is told to, and serves the blocks it is given.

use std::collections::BTreeMap;

use chain::testing::{Sandbox, key, pay, solve};
use chain::{Block, BlockId, BlockRef, Header};
use futures::AsyncReadExt;
use gossip::wire::FrameReader;
use gossip::{Hello, Item, MessageKind};

use super::*;

/// The chain that hostile tests build on, so long that the first coinbase can be spent in the next block.
pub(super) const GROWN: u32 = 11;

/// A node, and a copy of its chain to build on.
pub(super) struct Stage {
    pub(super) node: Rig,
    pub(super) sandbox: Sandbox,
    pub(super) tip: BlockRef,
    _hasher: Hasher,
}

impl Stage {
    /// A node that an honest peer has fed [`GROWN`] blocks.
    pub(super) async fn grown() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, of a node that is set up otherwise.
    pub(super) async fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let mut stage = Self::empty_with(change).await;
        let mut peer = Raw::greet(&stage.node).await;
        for _ in 0..GROWN {
            let block = stage.sandbox.block(stage.tip, &[]);
            stage.tip = stage.sandbox.accept(&block).unwrap();
            peer.offer(&block).await;
            peer.until_tip(&mut stage.node, block.id()).await;
        }
        stage
    }

    /// A node at the genesis block, whose clock is far ahead of it, so that no block comes too early.
    pub(super) async fn empty() -> Self {
        Self::empty_with(|_| {}).await
    }

    async fn empty_with(change: impl FnOnce(&mut Setup)) -> Self {
        let (hasher, clock) = hasher();
        let node = Rig::start_with(0, &hasher, clock, change).await;
        let millis = 7 * 24 * 3_600 * 1_000;
        node.order(Control::Command(Command::SkewClock { millis })).await;
        let sandbox = Sandbox::new(node.params.clone());
        Self {
            node,
            tip: sandbox.ledger.genesis(),
            sandbox,
            _hasher: hasher,
        }
    }

    /// A block on the tip that `change` breaks, with proof of work.
    pub(super) fn broken(&mut self, change: impl FnOnce(&mut chain::Draft)) -> Arc<Block> {
        let mut draft = self.sandbox.draft(self.tip);
        change(&mut draft);
        solve(draft.assemble())
    }

    /// A hostile peer sends the block and it is refused for this reason, to its own cost; the tip stays, and an honest peer's block connects.
    pub(super) async fn refuses(&mut self, block: &Arc<Block>, word: &str) {
        let mut hostile = Raw::greet(&self.node).await;
        hostile.offer(block).await;
        hostile.until_refused(&mut self.node, block.id(), word).await;
        hostile.until_dropped().await;
        self.goes_on().await;
    }

    /// An honest peer's block connects.
    pub(super) async fn goes_on(&mut self) {
        let block = self.sandbox.block(self.tip, &[]);
        self.tip = self.sandbox.accept(&block).unwrap();
        let mut honest = Raw::greet(&self.node).await;
        honest.offer(&block).await;
        honest.until_tip(&mut self.node, block.id()).await;
    }

    pub(super) async fn end(self) {
        self.node.stop().await;
    }
}

/// The peer.
pub(super) struct Raw {
    streams: Box<Pair>,
    frames: FrameReader,
    blocks: BTreeMap<BlockId, Arc<Block>>,
    transactions: BTreeMap<chain::Wtxid, Arc<chain::Transaction>>,
    pub(super) heard: Vec<Message>,
    /// Whether it answers no question.
    pub(super) is_mute: bool,
    /// The headers that it answers with, lowest first.
    chain: Vec<Header>,
    /// Answers that are not written yet.
    owed: Vec<u8>,
    is_unflushed: bool,
    pump: JoinHandle<()>,
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl Raw {
    /// Connects and shakes hands, as a peer that is at the genesis block.
    pub(super) async fn greet(node: &Rig) -> Self {
        let (mut net, streams, _) = dial_raw(node).await;
        let pump = tokio::spawn(async move {
            loop {
                net.next().await;
            }
        });
        let mut raw = Self {
            streams,
            frames: FrameReader::new(),
            blocks: BTreeMap::new(),
            transactions: BTreeMap::new(),
            heard: Vec::new(),
            is_mute: false,
            chain: Vec::new(),
            owed: Vec::new(),
            is_unflushed: false,
            pump,
        };
        let hello = Hello {
            version: Hello::VERSION,
            genesis: node.genesis,
            agent: "/raw/".to_owned(),
            tip: node.genesis,
            height: Height(0),
        };
        raw.send(&Message::Hello(Box::new(hello))).await;
        while !raw.heard.iter().any(|message| message.kind() == MessageKind::Hello) {
            assert!(raw.hear().await, "closed before the handshake");
        }
        raw
    }

    /// Sends a message, unless the connection is gone.
    pub(super) async fn send(&mut self, message: &Message) {
        self.send_bytes(&wire::frame(message)).await;
    }

    /// Sends bytes, unless the connection is gone.
    pub(super) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.owed.extend_from_slice(bytes);
        let owed = std::mem::take(&mut self.owed);
        let _gone = self.streams.outbound.write_all(&owed).await;
        let _gone = self.streams.outbound.flush().await;
    }

    /// Announces a block by its header, and has its body when asked.
    pub(super) async fn offer(&mut self, block: &Arc<Block>) {
        self.blocks.insert(block.id(), Arc::clone(block));
        self.send(&Message::headers([Header::from(block.header)])).await;
    }

    /// Announces transactions, and has them when asked.
    pub(super) async fn announce(&mut self, transactions: &[Arc<chain::Transaction>]) {
        for transaction in transactions {
            self.transactions.insert(transaction.wtxid(), Arc::clone(transaction));
        }
        let names = transactions.iter().map(|transaction| transaction.wtxid()).collect();
        self.send(&Message::Announce(names)).await;
    }

    /// Has this body when it is asked for the block of that name.
    pub(super) fn serve(&mut self, id: BlockId, body: &Arc<Block>) {
        self.blocks.insert(id, Arc::clone(body));
    }

    /// Reads or writes once; whether the connection is still open. May be dropped and called again: what is owed stays owed.
    async fn hear(&mut self) -> bool {
        let mut buffer = vec![0; 8_192];
        let Pair { outbound, inbound } = &mut *self.streams;
        let owes = !self.owed.is_empty();
        let writing = async {
            if owes {
                outbound.write(&self.owed).await
            } else {
                outbound.flush().await.map(|()| 0)
            }
        };
        select! {
            read = timeout(PATIENCE, inbound.read(&mut buffer)) => {
                let Ok(Ok(length @ 1..)) = read else { return false };
                self.frames.push(&buffer[..length]);
            }
            written = writing, if owes || self.is_unflushed => {
                let Ok(length) = written else { return false };
                self.owed.drain(..length);
                self.is_unflushed = owes;
            }
        }
        while let Some(message) = self.frames.next() {
            let message = message.unwrap();
            self.frames.unlock();
            if let Message::Get(items) = &message
                && !self.is_mute
            {
                self.answer(items);
            } else if let Message::GetHeaders { locator } = &message
                && !self.chain.is_empty()
            {
                let known = self.chain.iter().rposition(|header| locator.contains(&header.id()));
                let rest = &self.chain[known.map_or(0, |at| at + 1)..];
                self.owe(&Message::headers(rest.iter().copied()));
            }
            self.heard.push(message);
        }
        true
    }

    fn answer(&mut self, items: &[Item]) {
        for item in items {
            let answer = match item {
                Item::Block(id) => self.blocks.get(id).cloned().map(Message::Block),
                Item::Transaction(wtxid) => self.transactions.get(wtxid).cloned().map(Message::Transaction),
                Item::Parent(_) | Item::CompactBlock(_) => None,
            };
            self.owe(&answer.unwrap_or_else(|| Message::NotFound(vec![*item])));
        }
    }

    fn owe(&mut self, message: &Message) {
        self.owed.extend(wire::frame(message));
        self.is_unflushed = true;
    }

    /// Announces this chain, of at most as many headers as one answer takes, and goes on talking for as long as the connection lasts.
    pub(super) async fn claim(mut self, chain: &[Arc<Block>]) -> JoinHandle<()> {
        self.chain = chain.iter().map(|block| Header::from(block.header)).collect();
        self.send(&Message::headers(self.chain.iter().copied())).await;
        tokio::spawn(async move { while self.hear().await {} })
    }

    /// Talks on until the node tells of this.
    pub(super) async fn until(&mut self, node: &mut Rig, what: &str, is_it: impl Fn(&Event) -> bool) {
        let talking = async {
            let mut is_open = true;
            loop {
                select! {
                    told = node.told.recv() => {
                        let told = told.unwrap_or_else(|| panic!("the node ended before {what}"));
                        if let RunEvent::Node { event, .. } = told.event && is_it(&event) {
                            return;
                        }
                    }
                    open = self.hear(), if is_open => is_open = open,
                }
            }
        };
        assert!(timeout(PATIENCE, talking).await.is_ok(), "never {what}");
    }

    pub(super) async fn until_tip(&mut self, node: &mut Rig, id: BlockId) {
        let is_it = |event: &Event| matches!(event, Event::TipChanged { new, .. } if new.block == id);
        self.until(node, "at that tip", is_it).await;
    }

    pub(super) async fn until_refused(&mut self, node: &mut Rig, id: BlockId, word: &str) {
        let is_it = |event: &Event| matches!(event, Event::BlockRejected { block, reason, .. } if *block == id && *reason == word);
        self.until(node, word, is_it).await;
    }

    pub(super) async fn until_blamed(&mut self, node: &mut Rig) {
        let is_it = |event: &Event| matches!(event, Event::PeerPenalised { .. });
        self.until(node, "blamed", is_it).await;
    }

    /// Waits until the node closes the connection.
    pub(super) async fn until_dropped(&mut self) {
        while self.hear().await {}
    }

    /// Waits until something more was said.
    pub(super) async fn until_heard_more(&mut self) {
        let before = self.heard.len();
        while self.heard.len() == before {
            assert!(self.hear().await, "closed");
        }
    }

    /// Waits for a message of this kind, and answers what is asked by then.
    pub(super) async fn until_heard(&mut self, kind: MessageKind) {
        while !self.heard.iter().any(|message| message.kind() == kind) {
            assert!(self.hear().await, "never heard {kind:?}");
        }
        self.send_bytes(&[]).await;
    }
}

/// A payment of the coinbase at height 1, and what is changed in it before it is signed.
pub(super) fn payment(
    stage: &Stage,
    change: impl FnOnce(&mut Vec<chain::OutPoint>, &mut Vec<chain::TxOutput>),
) -> Arc<chain::Transaction> {
    let mut inputs = vec![stage.sandbox.reward(stage.tip, 1)];
    let coins = stage.sandbox.coins(stage.tip, &inputs);
    let mut outputs = vec![pay(coins[0].output.value.units(), key(1).owner())];
    change(&mut inputs, &mut outputs);
    let coins: Vec<chain::Coin> = inputs.iter().map(|_| coins[0]).collect();
    let genesis = stage.sandbox.ledger.id(stage.sandbox.ledger.genesis());
    Arc::new(chain::Transaction::payment(inputs, outputs, b"").sign(&key(0), genesis, &coins))
}
