//! The node: knowledge, and the one way to change it.

use std::sync::Arc;

use base::{NodeId, Seed, Time};
use chain::{BlockRef, HashedHeader, Ledger};
use gossip::{Message, Offence};

use crate::bodies::Bodies;
use crate::choice::Ties;
use crate::clock::Clock;
use crate::compact::Compact;
use crate::context::Context;
use crate::future::FutureHeaders;
use crate::hostile::Offers;
use crate::knowledge::Knowledge;
use crate::mempool::Mempool;
use crate::mesh::Mesh;
use crate::miner::Miner;
use crate::peers::{Peers, Stage};
use crate::presync::Presync;
use crate::seam::Deadline;
use crate::transactions::Relay;
use crate::{Config, Input, Outbox, Strategy, Wake};

/// One participant. See the crate's documentation.
#[derive(Debug)]
pub struct Node {
    pub(crate) id: NodeId,
    pub(crate) config: Config,
    /// Whether every message is told of.
    pub(crate) tells_messages: bool,
    /// Whether the engine draws when blocks are found.
    pub(crate) is_drawn: bool,
    pub(crate) seed: Seed,
    pub(crate) clock: Clock,
    pub(crate) knowledge: Knowledge,
    pub(crate) ties: Ties,
    pub(crate) peers: Peers,
    /// The peer whose long chain of headers is being fetched.
    pub(crate) sync_peer: Option<NodeId>,
    /// When another is asked as well.
    pub(crate) sync_late_at: Option<Time>,
    /// A chain of headers that is too light to be kept as far as it is known.
    pub(crate) presync: Option<Presync>,
    /// When a block below the best header was last connected, or the node last was not far behind.
    pub(crate) progress_at: Time,
    pub(crate) future: FutureHeaders,
    pub(crate) bodies: Bodies,
    pub(crate) pool: Mempool,
    pub(crate) relay: Relay,
    pub(crate) compact: Compact,
    pub(crate) mesh: Mesh,
    pub(crate) miner: Miner,
    pub(crate) offers: Offers,
    /// Who was sent the tip's body, where it has been the tip ever since it was connected.
    pub(crate) tip_sent: Option<Vec<NodeId>>,
    /// Headers that were heard or told last: passed on as they are when they are what others lack.
    pub(crate) heard: Option<Arc<[HashedHeader]>>,
    /// When [`Input::Tick`] is next wanted, as it was after the last input.
    pub(crate) deadline: Option<Deadline>,
    /// The same but for transactions: what they change leaves it alone.
    pub(crate) deadline_without_payments: Option<Deadline>,
}

impl Node {
    /// A node that knows the genesis block and nobody.
    #[must_use]
    pub fn new(id: NodeId, config: Config, seed: Seed) -> Self {
        let mut secrets = seed.child("names", 0).rng();
        let secret = [secrets.next_u64(), secrets.next_u64()];
        let mut node = Self {
            id,
            tells_messages: true,
            is_drawn: false,
            seed,
            clock: Clock::new(config.epoch),
            knowledge: Knowledge::new(),
            ties: Ties::new(&seed),
            peers: Peers::default(),
            sync_peer: None,
            sync_late_at: None,
            presync: None,
            progress_at: Time::ZERO,
            future: FutureHeaders::default(),
            bodies: Bodies::default(),
            pool: Mempool::new(config.mempool_bytes, config.min_relay_fee, secret),
            relay: Relay::new(&seed, secret),
            compact: Compact::new(&seed),
            mesh: Mesh::new(&seed),
            miner: Miner::new(&seed, config.hashrate),
            offers: Offers::default(),
            tip_sent: None,
            heard: None,
            deadline: None,
            deadline_without_payments: None,
            config,
        };
        node.set_deadline();
        node
    }

    /// The same node, which tells of all but messages: an engine that counts them itself saves what the events cost.
    #[must_use]
    pub const fn without_messages(mut self) -> Self {
        self.tells_messages = false;
        self
    }

    /// The same node for an engine that draws when blocks are found: what to search for is put together then and not before, since most
    /// of what is put together is never found.
    #[must_use]
    pub const fn drawn(mut self) -> Self {
        self.is_drawn = true;
        self
    }

    /// The one way to change a node. Never blocks, never fails: a peer's fault becomes an event and a score.
    ///
    /// `ledger` may be this node's own or shared with others: it holds facts, and the node acts only on those it has been told.
    pub fn handle(&mut self, ledger: &mut Ledger, now: Time, input: Input, out: &mut Outbox) {
        let block_size = self.config.block_size;
        let mut cx = Context {
            ledger,
            now,
            out,
            block_size,
            tells_messages: self.tells_messages,
        };
        if self.takes_calmly(&mut cx, &input) || self.hears_calmly(&mut cx, &input) || self.only_pays(&mut cx, &input) {
            return;
        }
        match self.config.strategy {
            Strategy::Honest => self.handle_honest(&mut cx, input),
            Strategy::Hostile => self.handle_hostile(&mut cx, input),
        }
        self.set_deadline();
    }

    fn handle_honest(&mut self, cx: &mut Context<'_>, input: Input) {
        let tip = self.knowledge.tip();
        match input {
            Input::Tick => self.tick(cx),
            Input::Connected { peer, outbound } => self.connected(cx, peer, outbound),
            Input::Disconnected { peer } => self.disconnected(cx, peer),
            Input::Received { peer, message } => self.received(cx, peer, message),
            Input::Garbage { peer, reason } => self.penalise(cx, peer, Offence::Malformed, reason.to_owned()),
            Input::Drawn => self.found(cx),
            Input::Solved { header } => self.solved(cx, &header),
            Input::Restored { block } => {
                // Nobody is told and nothing is mined before the whole disk is read.
                self.restore(cx, &block);
                return;
            }
            Input::Command(command) => self.command(cx, command),
        }
        self.follow_up(cx, tip);
    }

    /// What may be due after any input.
    pub(crate) fn follow_up(&mut self, cx: &mut Context<'_>, tip: BlockRef) {
        self.announce_tip(cx, tip);
        self.send_requests(cx);
        self.refresh_template(cx);
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        self.drop_silent_peers(cx);
        self.drop_late_header_requests(cx);
        self.pass_over_late_sync(cx);
        self.drop_late_body_requests(cx);
        self.drop_late_transactions(cx);
        self.retry_future_headers(cx);
        self.send_announcements(cx);
        self.beat(cx);
    }

    fn received(&mut self, cx: &mut Context<'_>, peer: NodeId, message: Message) {
        let Some(stage) = self.peers.get(peer).map(|peer| peer.stage) else {
            return;
        };
        match stage {
            Stage::Closing(_) => {}
            Stage::Greeting => {
                cx.received(peer, &message);
                self.greeting(cx, peer, &message);
            }
            Stage::Ready => {
                cx.received(peer, &message);
                self.message(cx, peer, message);
            }
        }
    }

    /// The first message must be a hello.
    fn greeting(&mut self, cx: &mut Context<'_>, peer: NodeId, message: &Message) {
        let Message::Hello(hello) = message else {
            let detail = format!("{:?} before the handshake", message.kind());
            self.penalise(cx, peer, Offence::Unexpected, detail);
            return;
        };
        if !self.greeted(cx, peer, hello) {
            return;
        }
        self.bodies.fetch.add_peer(peer);
        self.relay.fetch.add_peer(peer);
        self.offer_compact(cx, peer);
        self.look_after_mesh(cx);
        self.follow_claim(cx, peer, hello);
        let told = self.peers.ready(peer).and_then(|peer| peer.told);
        if told != Some(self.knowledge.tip()) {
            self.announce_tip_to(cx, peer);
        }
        self.queue_mempool_for(cx, peer);
    }

    fn message(&mut self, cx: &mut Context<'_>, peer: NodeId, message: Message) {
        match message {
            Message::Hello(_) => {
                self.penalise(cx, peer, Offence::Unexpected, "a second hello".to_owned());
            }
            Message::GetHeaders { locator } => self.send_headers(cx, peer, &locator),
            Message::Headers(headers) => {
                self.headers(cx, peer, &headers);
                if headers.len() == 1 {
                    self.heard = Some(headers);
                }
            }
            Message::Announce(wtxids) => self.announced(cx, peer, &wtxids),
            Message::Get(items) => self.get(cx, peer, &items),
            Message::Block(block) => self.block(cx, peer, &block),
            Message::Transaction(transaction) => self.transaction(cx, peer, &transaction),
            Message::NotFound(items) => self.not_found(cx, peer, &items),
            Message::AnnounceBlocks(ids) => self.blocks_announced(cx, peer, &ids),
            Message::SendCompact { high_bandwidth } => self.compact_offered(peer, high_bandwidth),
            Message::CompactBlock(compact) => self.compact_block(cx, peer, &compact),
            Message::GetBlockTransactions { block, indexes } => {
                self.send_block_transactions(cx, peer, block, &indexes);
            }
            Message::BlockTransactions { block, transactions } => {
                self.block_transactions(cx, peer, block, transactions);
            }
            Message::Graft => self.grafted(cx, peer),
            Message::Prune { back_off_secs } => self.pruned(cx, peer, back_off_secs),
        }
    }

    /// When [`Input::Tick`] is next wanted, and why.
    #[must_use]
    pub const fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    /// Finds out when the node is next to be woken.
    pub(crate) fn set_deadline(&mut self) {
        self.deadline_without_payments = self.next_deadline_without_payments();
        self.set_deadline_of_payments();
    }

    /// The same, after something that concerned transactions alone.
    pub(crate) fn set_deadline_of_payments(&mut self) {
        self.deadline = self.deadline_without_payments;
        if self.config.strategy == Strategy::Hostile {
            return;
        }
        let of_payments = [
            (self.relay.fetch.deadline(), Wake::TransactionOverdue),
            (self.relay.announce_at, Wake::Announce),
            (self.housekeeping_deadline(), Wake::Mempool),
        ];
        for (at, wake) in of_payments {
            let deadline = at.map(|at| (at, wake));
            if deadline.is_some_and(|deadline| self.deadline.is_none_or(|first| deadline < first)) {
                self.deadline = deadline;
            }
        }
    }

    fn next_deadline_without_payments(&self) -> Option<Deadline> {
        let greeting = self.peers.greeting_deadline();
        if self.config.strategy == Strategy::Hostile {
            // It follows no rule that has a time, so no other deadline of it would ever be met.
            return greeting.map(|at| (at, Wake::Handshake));
        }
        let all = [
            (greeting, Wake::Handshake),
            (self.peers.headers_deadline(), Wake::HeadersOverdue),
            (self.sync_peer.and(self.sync_late_at), Wake::HeadersOverdue),
            (self.bodies.fetch.deadline(), Wake::BlockOverdue),
            (self.mesh.beat_at, Wake::Announce),
            (self.future.deadline(&self.clock), Wake::FutureHeader),
        ];
        all.into_iter().filter_map(|(at, wake)| Some((at?, wake))).min()
    }
}
