//! A peer to play by hand, over a real connection: for tests, and for benches with hostile peers (feature `testing`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chain::{Block, BlockId, HashedHeader, Height};
use futures::{AsyncReadExt, AsyncWriteExt};
use gossip::limits::MAX_HEADERS;
use gossip::wire::{self, FrameReader};
use gossip::{Hello, Item, Message, MessageKind};
use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use libp2p::swarm::ConnectionId;
use tokio::select;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::net::{Net, NetConfig, NetEvent, Pair};

/// The longest that anything is waited for. Only a failure takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A peer that says what it is told to, and serves the blocks it is given.
#[derive(Debug)]
pub struct Raw {
    streams: Box<Pair>,
    frames: FrameReader,
    blocks: BTreeMap<BlockId, Arc<Block>>,
    transactions: BTreeMap<chain::Wtxid, Arc<chain::Transaction>>,
    /// All that the node has said.
    pub heard: Vec<Message>,
    /// Whether it answers no question.
    pub is_mute: bool,
    /// The headers that it answers with, lowest first.
    chain: Vec<HashedHeader>,
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
    /// Connects to a node of the network with this genesis block and shakes hands, as a peer that is at the genesis block.
    pub async fn greet_at(address: Multiaddr, genesis: BlockId) -> Self {
        let (mut net, streams, _) = dial(address, genesis).await;
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
            genesis,
            agent: "/raw/".to_owned(),
            tip: genesis,
            height: Height(0),
        };
        raw.send(&Message::Hello(Box::new(hello))).await;
        while !raw.heard.iter().any(|message| message.kind() == MessageKind::Hello) {
            assert!(raw.hear().await, "closed before the handshake");
        }
        raw
    }

    /// Sends a message, unless the connection is gone.
    pub async fn send(&mut self, message: &Message) {
        self.send_bytes(&wire::frame(message)).await;
    }

    /// Sends bytes, unless the connection is gone.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.owed.extend_from_slice(bytes);
        let owed = std::mem::take(&mut self.owed);
        let _gone = self.streams.outbound.write_all(&owed).await;
        let _gone = self.streams.outbound.flush().await;
    }

    /// Announces a block by its header, and has its body when asked.
    pub async fn offer(&mut self, block: &Arc<Block>) {
        self.blocks.insert(block.id(), Arc::clone(block));
        self.send(&Message::Headers([block.header].into())).await;
    }

    /// Announces transactions, and has them when asked.
    pub async fn announce(&mut self, transactions: &[Arc<chain::Transaction>]) {
        for transaction in transactions {
            self.transactions.insert(transaction.wtxid(), Arc::clone(transaction));
        }
        let names = transactions.iter().map(|transaction| transaction.wtxid()).collect();
        self.send(&Message::Announce(names)).await;
    }

    /// Has this body when it is asked for the block of that name.
    pub fn serve(&mut self, id: BlockId, body: &Arc<Block>) {
        self.blocks.insert(id, Arc::clone(body));
    }

    /// Reads or writes once; whether the connection is still open. May be dropped and called again: what is owed stays owed.
    pub async fn hear(&mut self) -> bool {
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
            let message = message.expect("a node says what we can read");
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
                let answer = rest[..rest.len().min(MAX_HEADERS)].into();
                self.owe(&Message::Headers(answer));
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

    /// Announces this chain, which begins above the genesis block, answers what is asked about it, and goes on talking for as long as the
    /// connection lasts.
    pub async fn claim(mut self, chain: &[Arc<Block>]) -> JoinHandle<()> {
        self.chain = chain.iter().map(|block| block.header).collect();
        let first = self.chain[..self.chain.len().min(MAX_HEADERS)].into();
        self.send(&Message::Headers(first)).await;
        tokio::spawn(async move { while self.hear().await {} })
    }
}

/// Connects to a node, and says nothing yet.
pub(crate) async fn dial(address: Multiaddr, genesis: BlockId) -> (Net, Box<Pair>, ConnectionId) {
    let mut net = Net::new(NetConfig {
        identity: Keypair::generate_ed25519(),
        genesis,
        agent: "/raw/".to_owned(),
        max_peers: 10,
        max_inbound: 10,
    });
    net.dial(None, address).expect("an address of this machine");
    loop {
        let event = timeout(PATIENCE, net.next()).await.expect("it connects in time");
        if let NetEvent::Opened {
            connection, streams, ..
        } = event
        {
            return (net, streams, connection);
        }
    }
}
