//! Compact blocks (BIP152): who tells whom in which way, and how a block is put together out of the mempool.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use base::{NodeId, Seed};
use chain::{Block, BlockId, BlockRef, Height, Transaction};
use gossip::{Assembly, CompactBlock, Item, Known, Message, Offence};

use crate::bodies::Origin;
use crate::config::Relay;
use crate::context::Context;
use crate::knowledge::Standing;
use crate::limits::{MAX_ASSEMBLIES_IN_ALL, MAX_COMPACT_DEPTH, MAX_HIGH_BANDWIDTH};
use crate::served::Serving;
use crate::{Event, Node};

/// What a node keeps of compact blocks besides its peers.
#[derive(Debug)]
pub(crate) struct Compact {
    /// Makes its short names its own. One will do: a name depends on the header, too.
    nonce: u64,
    /// The peers that were asked to tell of new blocks at once, the longest without a new block first.
    eager: VecDeque<NodeId>,
    /// Blocks that could not be put together; asked for whole.
    failed: Known<BlockId>,
}

impl Compact {
    pub(crate) fn new(seed: &Seed) -> Self {
        Self {
            nonce: seed.child("compact", 0).rng().next_u64(),
            eager: VecDeque::new(),
            failed: Known::new(),
        }
    }

    /// The peer is gone.
    pub(crate) fn remove_peer(&mut self, peer: NodeId) {
        self.eager.retain(|eager| *eager != peer);
    }

    /// A body as this node tells it.
    pub(crate) fn tell(&self, block: &Block) -> Message {
        Message::CompactBlock(Arc::new(CompactBlock::new(block, self.nonce)))
    }
}

/// What a peer has said about compact blocks, and what it owes.
#[derive(Debug, Default)]
pub(crate) struct CompactPeer {
    /// It understands them.
    pub(crate) understands: bool,
    /// It wants to be told by them at once.
    pub(crate) wants_at_once: bool,
    /// Blocks whose gaps it was asked to fill, and has not answered for.
    assemblies: BTreeMap<BlockId, Assembly>,
}

impl CompactPeer {
    /// Nothing has been said.
    pub(crate) const fn new() -> Self {
        Self {
            understands: false,
            wants_at_once: false,
            assemblies: BTreeMap::new(),
        }
    }

    /// The peer does not have the block after all.
    pub(crate) fn not_found(&mut self, id: &BlockId) {
        self.assemblies.remove(id);
    }
}

impl Node {
    /// After the handshake: says that compact blocks are understood, if it has been set up to use them.
    pub(crate) fn offer_compact(&self, cx: &mut Context<'_>, peer: NodeId) {
        if self.config.relay == Relay::Compact && self.peers.ready(peer).is_some() {
            cx.send(peer, Message::SendCompact { high_bandwidth: false });
        }
    }

    /// A peer says that it understands compact blocks, and how it wants them.
    pub(crate) fn compact_offered(&mut self, peer: NodeId, high_bandwidth: bool) {
        if let Some(peer) = self.peers.ready_mut(peer) {
            peer.compact.understands = true;
            peer.compact.wants_at_once = high_bandwidth;
        }
    }

    /// A peer was the first with a new tip: it is asked to be as quick again, and the one that was not for longest may take its time.
    pub(crate) fn prefer(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        let understands = self.peers.ready(peer).is_some_and(|peer| peer.compact.understands);
        if self.config.relay != Relay::Compact || !understands || self.is_syncing(cx) {
            return;
        }
        let eager = &mut self.compact.eager;
        let is_new = !eager.contains(&peer);
        eager.retain(|other| *other != peer);
        eager.push_back(peer);
        if is_new {
            cx.send(peer, Message::SendCompact { high_bandwidth: true });
        }
        if eager.len() > MAX_HIGH_BANDWIDTH {
            let slowest = eager.pop_front().expect("longer than the limit");
            cx.send(slowest, Message::SendCompact { high_bandwidth: false });
        }
    }

    /// How a body is asked of a peer: by short names where they are understood and may do, whole otherwise.
    pub(crate) fn item_for(&self, cx: &Context<'_>, peer: NodeId, id: BlockId) -> Item {
        if self.config.relay != Relay::Compact {
            return Item::Block(id);
        }
        let understands = self.peers.ready(peer).is_some_and(|peer| peer.compact.understands);
        let is_next = || {
            let block = self.knowledge.find(cx.ledger, &id)?;
            Some(self.knowledge.is_connected(cx.ledger.parent(block)?))
        };
        let may_do = understands && !self.compact.failed.contains(&id) && !self.is_syncing(cx);
        if may_do && is_next() == Some(true) {
            Item::CompactBlock(id)
        } else {
            Item::Block(id)
        }
    }

    /// What is answered to who asks for a block by short names: deep ones are sent whole, their transactions are in nobody's mempool.
    pub(crate) fn answer_compact(&self, cx: &Context<'_>, id: &BlockId) -> Option<Message> {
        let (at, body) = self.served_body(cx, id)?;
        let depth = cx
            .ledger
            .height(self.knowledge.tip())
            .0
            .saturating_sub(cx.ledger.height(at).0);
        if depth > MAX_COMPACT_DEPTH {
            return Some(Message::Block(body));
        }
        Some(self.compact.tell(&body))
    }

    /// Sends a peer that wants it so the tip by short names, when the tip is all that it lacks; others are told by headers, and ask.
    pub(crate) fn tell_compactly(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        let tip = self.knowledge.tip();
        let lacks_only_tip = |common: Height| common.0 + 1 == cx.ledger.height(tip).0;
        let wants = self.peers.ready(peer).is_some_and(|peer| peer.compact.wants_at_once);
        let may = wants && self.common_height(cx, peer).is_some_and(lacks_only_tip);
        let Some(body) = cx.ledger.body(tip).cloned().filter(|_| may) else {
            self.announce_headers_to(cx, peer);
            return;
        };
        if let Some(listener) = self.peers.ready_mut(peer) {
            listener.told = Some(tip);
            if listener.pushed.insert(body.id()) {
                cx.send(peer, self.compact.tell(&body));
            }
        }
    }

    /// A block came by short names, asked for or not. Like a pushed body it is worth no more than its header.
    pub(crate) fn compact_block(&mut self, cx: &mut Context<'_>, peer: NodeId, compact: &CompactBlock) {
        let id = compact.id();
        let was_asked = self.bodies.fetch.received(peer, &id, cx.now);
        // Each may come unasked once, which is no answer for another that was asked for.
        let is_excused = self.peers.ready_mut(peer).is_some_and(|sender| {
            let is_first = sender.bodies.insert(id);
            let is_owed = (was_asked || !is_first) && sender.settles(&Item::Block(id));
            is_first || is_owed
        });
        if !is_excused {
            let detail = format!("compact block {id} again, which nobody asked for");
            self.penalise(cx, peer, Offence::Unexpected, detail);
            return;
        }
        let Some(at) = self.pushed_header(cx, peer, &compact.header) else {
            return;
        };
        let is_welcome = was_asked || self.bodies.fetch.is_wanted(&id);
        // A second one, asked for because the first was slow, must not take the place of what its answer is awaited for.
        let is_under_way = self
            .peers
            .ready_mut(peer)
            .is_some_and(|sender| sender.compact.assemblies.contains_key(&id));
        if !is_welcome || is_under_way || !self.may_assemble(cx, at) {
            return;
        }
        let Some(assembly) = Assembly::new(compact, self.pool.iter()) else {
            let detail = format!("compact block {id} makes no sense");
            self.penalise(cx, peer, Offence::Malformed, detail);
            return;
        };
        let indexes = assembly.missing();
        if indexes.is_empty() {
            let block = assembly.complete(Vec::new()).expect("nothing is missing");
            self.assembled(cx, peer, at, block);
        } else {
            self.ask_for_gaps(cx, peer, assembly, indexes);
        }
    }

    /// Unless the body is asked of another already: then that will come.
    fn ask_for_gaps(&mut self, cx: &mut Context<'_>, peer: NodeId, assembly: Assembly, indexes: Vec<u32>) {
        let block = assembly.id();
        let in_all: usize = self
            .peers
            .all_ready()
            .map(|(_, peer)| peer.compact.assemblies.len())
            .sum();
        let Some(sender) = self.peers.ready_mut(peer) else {
            return;
        };
        if in_all < MAX_ASSEMBLIES_IN_ALL && self.bodies.fetch.claim(peer, block, cx.now) {
            sender.compact.assemblies.insert(block, assembly);
            cx.send(peer, Message::GetBlockTransactions { block, indexes });
        }
    }

    /// Whether a block is the next of its branch, and its body still to come.
    fn may_assemble(&self, cx: &Context<'_>, at: BlockRef) -> bool {
        let parent = cx.ledger.parent(at);
        self.knowledge.standing(at) == Standing::Header
            && parent.is_some_and(|parent| self.knowledge.is_connected(parent))
    }

    /// A peer asks for transactions of a block by their places. Counts like a request for the whole.
    pub(crate) fn send_block_transactions(
        &mut self,
        cx: &mut Context<'_>,
        peer: NodeId,
        block: BlockId,
        indexes: &[u32],
    ) {
        let missing = Message::NotFound(vec![Item::Block(block)]);
        let Some((_, body)) = self.served_body(cx, &block) else {
            cx.send(peer, missing);
            return;
        };
        let is_rising = indexes.windows(2).all(|pair| pair[0] < pair[1]);
        let found: Option<Vec<Arc<Transaction>>> = indexes
            .iter()
            .map(|index| body.transactions.get(usize::try_from(*index).ok()?).cloned())
            .collect();
        let Some(transactions) = found.filter(|_| is_rising) else {
            let detail = format!("places in {block} out of order or out of range");
            self.penalise(cx, peer, Offence::Malformed, detail);
            return;
        };
        let Some(asker) = self.peers.ready_mut(peer) else {
            return;
        };
        match asker.served.count(Item::Block(block), cx.now) {
            Serving::Send => cx.send(peer, Message::BlockTransactions { block, transactions }),
            Serving::Refuse => cx.send(peer, missing),
            Serving::Blame => {
                let detail = "asked for the same item again and again".to_owned();
                self.penalise(cx, peer, Offence::Flooding, detail);
            }
        }
    }

    /// A peer fills the gaps of a block.
    pub(crate) fn block_transactions(
        &mut self,
        cx: &mut Context<'_>,
        peer: NodeId,
        id: BlockId,
        transactions: Vec<Arc<Transaction>>,
    ) {
        let Some(sender) = self.peers.ready_mut(peer) else {
            return;
        };
        let Some(assembly) = sender.compact.assemblies.remove(&id) else {
            let detail = format!("transactions of {id}, which nobody asked for");
            self.penalise(cx, peer, Offence::Unexpected, detail);
            return;
        };
        self.bodies.fetch.received(peer, &id, cx.now);
        let Some(block) = assembly.complete(transactions) else {
            self.bodies.fetch.failed(peer, &id);
            let detail = format!("too few or too many transactions for the gaps of {id}");
            self.penalise(cx, peer, Offence::Malformed, detail);
            return;
        };
        let at = self
            .knowledge
            .find(cx.ledger, &id)
            .filter(|at| self.may_assemble(cx, *at));
        if let Some(at) = at {
            self.assembled(cx, peer, at, block);
        }
    }

    /// A block was put together. When short names collided it is another than its header commits to, which is nobody's fault: it is
    /// asked for whole. Nor is a peer to blame for what is in it: compact blocks may be told before they are validated.
    fn assembled(&mut self, cx: &mut Context<'_>, peer: NodeId, at: BlockRef, block: Block) {
        let id = block.id();
        if block.check_commitment().is_err() {
            self.compact.failed.insert(id);
            return;
        }
        cx.emit(Event::BlockReceived {
            block: id,
            from: peer,
            bytes: block.bytes(),
            duplicate: false,
        });
        self.take_body(cx, at, &Arc::new(block), Origin::Assembled(peer));
    }
}
