//! Blocks and transactions to peers: announcements of new tips, and answers to requests.

use std::sync::Arc;

use base::NodeId;
use chain::{Block, BlockId, BlockRef, HashedHeader, Height, Ledger, Wtxid};
use gossip::limits::MAX_ITEMS;
use gossip::{Item, Message, Offence};

use crate::Node;
use crate::config::Relay;
use crate::context::Context;
use crate::limits::MAX_ANNOUNCED_HEADERS;
use crate::peers::Peer;
use crate::served::Serving;

/// What is told of a tip by headers.
struct News {
    tip: BlockRef,
    parent: Option<BlockRef>,
    height: Height,
    /// The message that was made last: most peers lack the tip and nothing else.
    told: Option<Arc<[HashedHeader]>>,
}

impl News {
    /// `heard` may be the very message that this node had of the tip: it is passed on as it is.
    fn of(cx: &Context<'_>, tip: BlockRef, heard: Option<Arc<[HashedHeader]>>) -> Self {
        let parent = cx.ledger.parent(tip);
        let ends_with_tip =
            |headers: &Arc<[HashedHeader]>| headers.last().map(HashedHeader::id) == Some(cx.ledger.id(tip));
        Self {
            tip,
            parent,
            height: cx.ledger.height(tip),
            told: heard.filter(ends_with_tip),
        }
    }

    /// The headers that the peer lacks, the last few of them; nothing when it knows the tip. It counts as told.
    fn for_peer(&mut self, ledger: &Ledger, listener: &mut Peer) -> Option<Arc<[HashedHeader]>> {
        let known = [listener.best, listener.told];
        listener.told = Some(self.tip);
        if known.contains(&Some(self.tip)) {
            return None;
        }
        let common = if known.contains(&self.parent) {
            self.height.0 - 1
        } else {
            common_height_of(ledger, known, self.tip).0
        };
        let first = common.max(self.height.0.saturating_sub(MAX_ANNOUNCED_HEADERS)) + 1;
        let count = (self.height.0 + 1).saturating_sub(first) as usize;
        if count == 0 {
            return None;
        }
        if let Some(told) = self.told.as_ref().filter(|told| told.len() == count) {
            return Some(Arc::clone(told));
        }
        let headers: Arc<[HashedHeader]> = (first..=self.height.0)
            .filter_map(|height| ledger.ancestor(self.tip, Height(height)))
            .map(|block| *ledger.hashed_header(block))
            .collect();
        self.told = Some(Arc::clone(&headers));
        Some(headers)
    }
}

/// The height up to which a peer is known to know a chain.
fn common_height(ledger: &Ledger, listener: &Peer, tip: BlockRef) -> Height {
    common_height_of(ledger, [listener.best, listener.told], tip)
}

fn common_height_of(ledger: &Ledger, known: [Option<BlockRef>; 2], tip: BlockRef) -> Height {
    let known = known.into_iter().flatten();
    let common = known.map(|block| ledger.height(ledger.fork_point(block, tip))).max();
    common.unwrap_or(Height(0))
}

impl Node {
    /// Tells all peers about the tip, when it is another than before. In initial sync nothing is said: peers know more.
    pub(crate) fn announce_tip(&mut self, cx: &mut Context<'_>, before: BlockRef) {
        if self.knowledge.tip() == before || self.is_syncing(cx) {
            return;
        }
        if self.config.relay == Relay::Headers {
            self.announce_headers(cx);
            return;
        }
        for peer in self.peers.ready_ids() {
            self.announce_tip_to(cx, peer);
        }
    }

    /// Tells all peers about the tip by its header: one message for all that lack the same.
    fn announce_headers(&mut self, cx: &mut Context<'_>) {
        let Self {
            peers,
            knowledge,
            heard,
            ..
        } = self;
        let mut news = News::of(cx, knowledge.tip(), heard.take());
        for (peer, listener) in peers.all_ready_mut() {
            if let Some(headers) = news.for_peer(cx.ledger, listener) {
                cx.send(peer, Message::Headers(headers));
            }
        }
        *heard = news.told;
    }

    /// Tells a peer about the tip, in the way that this node has been set up to.
    pub(crate) fn announce_tip_to(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        match self.config.relay {
            Relay::Headers => self.announce_headers_to(cx, peer),
            Relay::Announce => self.announce_name_to(cx, peer),
            Relay::Compact => self.tell_compactly(cx, peer),
            Relay::Push => self.push_tip_to(cx, peer),
            Relay::Mesh => self.tell_in_mesh(cx, peer),
        }
    }

    /// Tells a peer about the tip by its header and those before it that the peer does not know of, the last few (BIP130). One that
    /// does not connect for the peer makes it ask.
    pub(crate) fn announce_headers_to(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        let Some(listener) = self.peers.ready_mut(peer) else {
            return;
        };
        let mut news = News::of(cx, self.knowledge.tip(), self.heard.take());
        if let Some(headers) = news.for_peer(cx.ledger, listener) {
            cx.send(peer, Message::Headers(headers));
        }
        self.heard = news.told;
    }

    /// Tells a peer the tip's name, unless it knows the tip (Bitcoin's `inv`).
    pub(crate) fn announce_name_to(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        let tip = self.knowledge.tip();
        if self
            .common_height(cx, peer)
            .is_none_or(|common| common == cx.ledger.height(tip))
        {
            return;
        }
        if let Some(listener) = self.peers.ready_mut(peer) {
            listener.told = Some(tip);
        }
        cx.send(peer, Message::AnnounceBlocks(vec![cx.ledger.id(tip)]));
    }

    /// Sends a peer the tip's body, when the tip is all that the peer lacks. One that lacks more, as after a reorg, is told by headers and asks.
    pub(crate) fn push_tip_to(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        let tip = self.knowledge.tip();
        let height = cx.ledger.height(tip);
        let lacks_only_tip = |common: Height| common.0 + 1 == height.0;
        let body = cx.ledger.body(tip).cloned();
        let Some(body) = body.filter(|_| self.common_height(cx, peer).is_some_and(lacks_only_tip)) else {
            self.announce_headers_to(cx, peer);
            return;
        };
        let Some(listener) = self.peers.ready_mut(peer) else {
            return;
        };
        listener.told = Some(tip);
        if listener.pushed.insert(body.id()) {
            cx.send(peer, Message::Block(body));
        }
    }

    /// The height up to which a peer is known to know our chain; none when it is gone.
    pub(crate) fn common_height(&self, cx: &Context<'_>, peer: NodeId) -> Option<Height> {
        let listener = self.peers.ready(peer)?;
        Some(common_height(cx.ledger, listener, self.knowledge.tip()))
    }

    /// A peer asks for items. Each is sent a few times, and after that hardly ever, whoever asks.
    pub(crate) fn get(&mut self, cx: &mut Context<'_>, peer: NodeId, items: &[Item]) {
        if items.len() > MAX_ITEMS {
            let detail = format!("{} items in one request", items.len());
            self.penalise(cx, peer, Offence::Flooding, detail);
            return;
        }
        let mut missing = Vec::new();
        for item in items {
            let Some(message) = self.answer(cx, item) else {
                missing.push(*item);
                continue;
            };
            let Some(asker) = self.peers.ready_mut(peer) else {
                return;
            };
            match asker.served.count(*item, cx.now) {
                Serving::Send => {
                    self.note_tip_sent(cx.ledger, peer, item);
                    cx.send(peer, message);
                }
                Serving::Refuse => missing.push(*item),
                Serving::Blame => {
                    let detail = "asked for the same item again and again".to_owned();
                    self.penalise(cx, peer, Offence::Flooding, detail);
                }
            }
        }
        if !missing.is_empty() && self.peers.ready(peer).is_some() {
            cx.send(peer, Message::NotFound(missing));
        }
    }

    /// The peer is sent an item; remembered when it is the tip's body.
    pub(crate) fn note_tip_sent(&mut self, ledger: &Ledger, peer: NodeId, item: &Item) {
        if let Some(sent) = &mut self.tip_sent
            && *item == Item::Block(ledger.id(self.knowledge.tip()))
            && !sent.contains(&peer)
        {
            sent.push(peer);
        }
    }

    /// What a node serves: connected blocks and unconfirmed transactions.
    fn answer(&self, cx: &Context<'_>, item: &Item) -> Option<Message> {
        match item {
            Item::Block(id) => {
                let (_, body) = self.served_body(cx, id)?;
                Some(Message::Block(body))
            }
            Item::CompactBlock(id) => self.answer_compact(cx, id),
            Item::Transaction(wtxid) => Some(Message::Transaction(self.pool.get_by_wtxid(wtxid)?.clone())),
            Item::Parent(txid) => Some(Message::Transaction(self.pool.get(txid)?.clone())),
        }
    }

    /// A connected block that a peer asks for.
    pub(crate) fn served_body(&self, cx: &Context<'_>, id: &BlockId) -> Option<(BlockRef, Arc<Block>)> {
        let at = self.knowledge.find(cx.ledger, id)?;
        let body = cx.ledger.body(at).filter(|_| self.knowledge.is_connected(at))?;
        Some((at, Arc::clone(body)))
    }

    /// A peer does not have what it was asked for; others are asked.
    pub(crate) fn not_found(&mut self, cx: &mut Context<'_>, peer: NodeId, items: &[Item]) {
        if items.len() > MAX_ITEMS {
            let detail = format!("{} items in one answer", items.len());
            self.penalise(cx, peer, Offence::Flooding, detail);
            return;
        }
        for item in items {
            if let Some(peer) = self.peers.ready_mut(peer) {
                peer.settles(item);
            }
            match item {
                Item::Block(id) | Item::CompactBlock(id) => {
                    if let Some(peer) = self.peers.ready_mut(peer) {
                        peer.compact.not_found(id);
                    }
                    self.bodies.fetch.not_found(peer, id, cx.now);
                }
                Item::Transaction(wtxid) => {
                    self.relay.fetch.not_found(peer, wtxid);
                }
                Item::Parent(txid) => {
                    if let Some(peer) = self.peers.ready_mut(peer) {
                        peer.settles_parent(txid);
                    }
                }
            }
        }
    }

    /// Sends the requests for bodies and transactions that are due.
    pub(crate) fn send_requests(&mut self, cx: &mut Context<'_>) {
        let mut bodies: Vec<(NodeId, Vec<BlockId>)> = Vec::new();
        if self.bodies.targets.iter().any(|target| target.is_held_up(cx.ledger)) {
            self.bodies.fetch.hurry();
        }
        self.bodies.fetch.requests(cx.now, &mut bodies);
        for (peer, ids) in bodies {
            let items: Vec<Item> = ids.into_iter().map(|id| self.item_for(cx, peer, id)).collect();
            self.request(cx, peer, items);
        }
        self.send_transaction_requests(cx);
    }

    /// Sends the requests for transactions that are due.
    pub(crate) fn send_transaction_requests(&mut self, cx: &mut Context<'_>) {
        if !self.relay.fetch.is_due(cx.now) {
            return;
        }
        let mut transactions: Vec<(NodeId, Vec<Wtxid>)> = Vec::new();
        self.relay.fetch.requests(cx.now, &mut transactions);
        for (peer, ids) in transactions {
            self.request(cx, peer, ids.into_iter().map(Item::Transaction));
        }
    }

    /// Asks a peer for items.
    pub(crate) fn request(&mut self, cx: &mut Context<'_>, peer: NodeId, items: impl IntoIterator<Item = Item>) {
        let items: Vec<Item> = items.into_iter().collect();
        let Some(asked) = self.peers.ready_mut(peer) else {
            return;
        };
        for item in &items {
            asked.owes(item);
        }
        for items in items.chunks(MAX_ITEMS) {
            cx.send(peer, Message::Get(items.to_vec()));
        }
    }
}
