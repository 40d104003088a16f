//! Asking for headers and answering who asks.
//!
//! Every peer that claims an unknown tip is asked once. When the answer is full there is more, and only one peer at a time is asked on:
//! the others' chains are mostly the same. When that one is done, late or gone, the next whose tip is still unknown has its turn.

use std::sync::Arc;

use base::{NodeId, Time};
use chain::{BlockId, BlockRef, HashedHeader, Height, Ledger, limits};
use gossip::limits::MAX_HEADERS;
use gossip::{Hello, Message, Offence};

use crate::Node;
use crate::context::Context;
use crate::limits::{HEADERS_PATIENCE, HEADERS_TIMEOUT, SYNC_PATIENCE, SYNCING_BEHIND};

impl Node {
    /// Follows up the tip that a peer claims in its hello.
    pub(crate) fn follow_claim(&mut self, cx: &mut Context<'_>, peer: NodeId, hello: &Hello) {
        if let Some(block) = self.knowledge.find(cx.ledger, &hello.tip) {
            self.note_has(cx, peer, block);
            return;
        }
        self.peers.set_claimed(peer, Some(hello.tip));
        self.request_headers(cx, peer);
    }

    /// Asks a peer what comes after our best header, unless an answer to the same question is still due.
    pub(crate) fn request_headers(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        let Some(asked) = self.peers.ready_mut(peer) else {
            return;
        };
        if asked.headers_due().is_some() {
            return;
        }
        asked.headers_to = Height(0);
        self.ask_after(cx, peer, self.knowledge.best_header());
    }

    fn ask_after(&mut self, cx: &mut Context<'_>, peer: NodeId, block: BlockRef) {
        if self.peers.ready(peer).is_some() {
            self.peers.set_headers_due(peer, Some(cx.now + HEADERS_TIMEOUT));
            if self.sync_peer == Some(peer) {
                self.sync_late_at = Some(cx.now + HEADERS_PATIENCE);
            }
            let locator = cx.ledger.locator(block);
            cx.send(peer, Message::GetHeaders { locator });
        }
    }

    /// A peer answered, or announced what connects. `more_after` is the last header of an answer that was full.
    pub(crate) fn headers_answered(&mut self, cx: &mut Context<'_>, peer: NodeId, more_after: Option<BlockRef>) {
        if self.peers.are_settled() && more_after.is_none() {
            // An announcement: nobody had been asked, so there is no answer to go on from.
            if self.sync_peer == Some(peer) {
                self.sync_peer = None;
            }
            return;
        }
        self.peers.set_headers_due(peer, None);
        let Some(answering) = self.peers.ready_mut(peer) else {
            return;
        };
        if let Some(last) = more_after {
            let height = cx.ledger.height(last);
            let progress = height > answering.headers_to;
            answering.headers_to = height;
            if progress {
                if *self.sync_peer.get_or_insert(peer) == peer {
                    self.ask_after(cx, peer, last);
                }
                return;
            }
        }
        self.peers.set_claimed(peer, None);
        self.sync_done_with(cx, peer);
    }

    /// Gives up on answers that are late.
    pub(crate) fn drop_late_header_requests(&mut self, cx: &mut Context<'_>) {
        for peer in self.peers.late_to_answer(cx.now) {
            self.peers.set_headers_due(peer, None);
            self.peers.set_claimed(peer, None);
            if let Some(peer) = self.peers.ready_mut(peer) {
                // Answers may have been lost on the way, so it may be asked again.
                peer.unconnecting = 0;
            }
            self.penalise(
                cx,
                peer,
                Offence::Stalled,
                "headers were asked for and did not come".to_owned(),
            );
            self.sync_done_with(cx, peer);
        }
    }

    /// The peer whose long chain is fetched takes its time: another that claims a tip which is unknown here is asked, if there is one (THREATS M7). The answer of
    /// the first is as welcome as before when it comes.
    pub(crate) fn pass_over_late_sync(&mut self, cx: &mut Context<'_>) {
        let Some(late) = self
            .sync_peer
            .filter(|_| self.sync_late_at.is_some_and(|at| at <= cx.now))
        else {
            return;
        };
        self.sync_late_at = None;
        let is_unknown = |claimed: BlockId| self.knowledge.find(cx.ledger, &claimed).is_none();
        let could_answer = self
            .peers
            .all_ready()
            .any(|(id, peer)| id != late && peer.headers_due().is_none() && peer.claimed().is_some_and(is_unknown));
        if could_answer {
            self.sync_done_with(cx, late);
        }
    }

    /// The peer is gone; if headers were being fetched from it, another is asked.
    pub(crate) fn header_source_gone(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        self.sync_done_with(cx, peer);
    }

    fn sync_done_with(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        if self.sync_peer == Some(peer) {
            self.sync_peer = None;
        }
        self.presync.take_if(|presync| presync.peer == peer);
        if self.sync_peer.is_none() {
            self.resume_sync(cx);
        }
    }

    /// Asks the next peer whose tip is still unknown; those whose tips have become known need not be asked.
    fn resume_sync(&mut self, cx: &mut Context<'_>) {
        let claims: Vec<(NodeId, BlockId, bool)> = self
            .peers
            .all_ready()
            .filter_map(|(id, peer)| Some((id, peer.claimed()?, peer.headers_due().is_some())))
            .collect();
        for (peer, claimed, is_asked) in claims {
            if let Some(block) = self.knowledge.find(cx.ledger, &claimed) {
                self.peers.set_claimed(peer, None);
                self.note_has(cx, peer, block);
            } else if !is_asked {
                self.request_headers(cx, peer);
                return;
            }
        }
    }

    /// Answers with what comes on our chain after the last block that both have.
    pub(crate) fn send_headers(&mut self, cx: &mut Context<'_>, peer: NodeId, locator: &[BlockId]) {
        if locator.len() > limits::MAX_LOCATOR {
            let detail = format!("a locator of {} names", locator.len());
            self.penalise(cx, peer, Offence::Malformed, detail);
            return;
        }
        let tip = self.knowledge.tip();
        let common = locator
            .iter()
            .filter_map(|id| cx.ledger.find(id))
            .find(|block| cx.ledger.is_ancestor(*block, tip))
            .unwrap_or(cx.ledger.genesis());
        let headers = headers_above(cx, tip, cx.ledger.height(common));
        cx.send(peer, Message::Headers(headers));
    }

    /// Whether the node has more to learn than to say: it is far behind its best header, and catching up. One that does not get on
    /// speaks again: those headers' bodies may never come.
    pub(crate) fn is_syncing(&self, cx: &Context<'_>) -> bool {
        self.is_syncing_at(cx.ledger, cx.now)
    }

    /// The same at a time.
    pub(crate) fn is_syncing_at(&self, ledger: &Ledger, now: Time) -> bool {
        self.is_behind(ledger) && now.since(self.progress_at) < SYNC_PATIENCE
    }

    pub(crate) fn is_behind(&self, ledger: &Ledger) -> bool {
        let best = ledger.height(self.knowledge.best_header());
        let tip = ledger.height(self.knowledge.tip());
        best.0 > tip.0.saturating_add(SYNCING_BEHIND)
    }
}

/// The headers of a chain above a height, as many as one message takes.
fn headers_above(cx: &Context<'_>, tip: BlockRef, height: Height) -> Arc<[HashedHeader]> {
    let last = cx.ledger.height(tip).0;
    let heights = (height.0 + 1..=last).take(MAX_HEADERS);
    heights
        .filter_map(|height| cx.ledger.ancestor(tip, Height(height)))
        .map(|block| *cx.ledger.hashed_header(block))
        .collect()
}
