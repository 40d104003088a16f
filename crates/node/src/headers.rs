//! Headers from peers: do they link, are they valid, and what follows from them.

use base::NodeId;
use chain::{BlockId, BlockRef, HashedHeader, Header, Reject, Status, Verdict};
use gossip::Offence;
use gossip::limits::{MAX_ANNOUNCED_BLOCKS, MAX_HEADERS};

use crate::context::Context;
use crate::future::Early;
use crate::knowledge::Standing;
use crate::limits::MAX_UNCONNECTING_HEADERS;
use crate::{Event, Node};

/// What became of one header.
enum Outcome {
    /// It is known now, or was before.
    Known(BlockRef),
    /// It waits for its time; what follows it would find its parent unknown.
    Early,
    /// It breaks a rule, and so does whatever stands on it.
    Refused,
}

impl Node {
    /// Headers came, asked for or not: unasked they announce new blocks.
    pub(crate) fn headers(&mut self, cx: &mut Context<'_>, peer: NodeId, headers: &[HashedHeader]) {
        let Some(first) = headers.first() else {
            self.headers_answered(cx, peer, None);
            return;
        };
        if headers.len() > MAX_HEADERS {
            let detail = format!("{} headers in one message", headers.len());
            self.penalise(cx, peer, Offence::Malformed, detail);
            return;
        }
        if let Some(at) = (1..headers.len()).find(|at| headers[*at].parent != headers[at - 1].id()) {
            let detail = format!("header {at} does not stand on the one before it");
            self.penalise(cx, peer, Offence::DisconnectedHeaders, detail);
            return;
        }
        if self.is_presync(peer, first) {
            self.presync_headers(cx, peer, headers);
            return;
        }
        if self.knowledge.find(cx.ledger, &first.parent).is_none() {
            self.unconnecting(cx, peer);
            return;
        }
        let Some(kept) = self.weigh(cx, peer, headers) else {
            return;
        };
        let mut last = None;
        for header in kept.headers {
            let parent = last.or_else(|| self.knowledge.find(cx.ledger, &header.parent));
            match self.header(cx, Some(peer), parent, header) {
                Outcome::Known(block) => last = Some(block),
                Outcome::Early | Outcome::Refused => break,
            }
        }
        // They link, so the last has the most work.
        if let Some(last) = last {
            self.consider_branch(cx, last);
        }
        if let Some(peer) = self.peers.ready_mut(peer) {
            peer.unconnecting = 0;
        }
        if let Some(last) = last {
            self.note_has_up_to(cx, peer, last, kept.may_be_more);
        }
        self.headers_answered(cx, peer, last.filter(|_| kept.may_be_more));
    }

    /// A header came with its block, unasked. The block, when it is known or valid and stands on what is known.
    pub(crate) fn pushed_header(&mut self, cx: &mut Context<'_>, peer: NodeId, header: &Header) -> Option<BlockRef> {
        let Some(parent) = self.knowledge.find(cx.ledger, &header.parent) else {
            self.unconnecting(cx, peer);
            return None;
        };
        if self.is_light_header(cx, parent, header) {
            return None;
        }
        let Outcome::Known(block) = self.header(cx, Some(peer), Some(parent), &HashedHeader::from(*header)) else {
            return None;
        };
        self.consider_branch(cx, block);
        if let Some(peer) = self.peers.ready_mut(peer) {
            peer.unconnecting = 0;
        }
        self.note_has(cx, peer, block);
        Some(block)
    }

    /// A peer has these blocks: what is not known is asked for, header first.
    pub(crate) fn blocks_announced(&mut self, cx: &mut Context<'_>, peer: NodeId, ids: &[BlockId]) {
        if ids.len() > MAX_ANNOUNCED_BLOCKS {
            let detail = format!("{} blocks in one announcement", ids.len());
            self.penalise(cx, peer, Offence::Flooding, detail);
            return;
        }
        for id in ids {
            match self.knowledge.find(cx.ledger, id) {
                Some(block) => self.note_has(cx, peer, block),
                None => self.unconnecting(cx, peer),
            }
        }
    }

    /// The announced block's parent is unknown here: asks what lies between, but not for ever. An honest peer may be that far ahead.
    pub(crate) fn unconnecting(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        let Some(sender) = self.peers.ready_mut(peer) else {
            return;
        };
        if sender.headers_due().is_some() {
            // The question is asked already; what is told before the answer says nothing about the peer.
            return;
        }
        sender.unconnecting += 1;
        if sender.unconnecting <= MAX_UNCONNECTING_HEADERS {
            self.request_headers(cx, peer);
        }
    }

    /// Looks at one header, whose parent is this where it is known. `from` is none for the operator's.
    fn header(
        &mut self,
        cx: &mut Context<'_>,
        from: Option<NodeId>,
        parent: Option<BlockRef>,
        header: &HashedHeader,
    ) -> Outcome {
        let id = header.id();
        let recorded = cx.ledger.find(&id);
        if let Some(known) = recorded.filter(|block| self.knowledge.standing(*block) != Standing::Unknown) {
            if self.knowledge.standing(known) == Standing::Invalid {
                let reject = match cx.ledger.status(known) {
                    Status::Invalid(reject) => reject,
                    Status::Valid | Status::HeaderOnly => Reject::BadPrevblk,
                };
                self.refuse_header(cx, from, id, &reject);
                return Outcome::Refused;
            }
            return Outcome::Known(known);
        }
        let recorded = match (parent, recorded) {
            (Some(parent), _) if self.knowledge.standing(parent) == Standing::Invalid => Err(Reject::BadPrevblk),
            (Some(_), Some(block)) => Ok(block),
            (Some(parent), None) => cx.ledger.record_child(parent, header),
            (None, _) => Err(Reject::PrevBlkNotFound),
        };
        let block = match recorded {
            Ok(block) => block,
            Err(reject) => {
                self.refuse_header(cx, from, id, &reject);
                return Outcome::Refused;
            }
        };
        let unix_secs = self.clock.unix_secs(cx.now);
        if let Err(reject) = chain::header::check_not_future(header, unix_secs, cx.ledger.params()) {
            match from {
                Some(from) => self.hold_header(cx, from, header, id),
                None => self.refuse_header(cx, None, id, &reject),
            }
            return Outcome::Early;
        }
        self.accept_header(cx, block, from);
        Outcome::Known(block)
    }

    /// Takes in the operator's header; the block when it is valid and not invalid by what is known.
    pub(crate) fn own_header(&mut self, cx: &mut Context<'_>, header: &Header) -> Option<BlockRef> {
        let parent = self.knowledge.find(cx.ledger, &header.parent);
        match self.header(cx, None, parent, &HashedHeader::from(*header)) {
            Outcome::Known(block) => Some(block),
            Outcome::Early | Outcome::Refused => None,
        }
    }

    /// Knows a valid header from now on.
    pub(crate) fn accept_header(&mut self, cx: &mut Context<'_>, block: BlockRef, from: Option<NodeId>) {
        let was_behind = self.is_behind(cx.ledger);
        self.knowledge.accept_header(cx.ledger, block);
        if !was_behind {
            self.progress_at = cx.now;
        }
        self.emit_header_accepted(cx, block, from);
    }

    pub(crate) fn emit_header_accepted(&self, cx: &mut Context<'_>, block: BlockRef, from: Option<NodeId>) {
        let header = cx.ledger.header(block);
        let accepted = Event::HeaderAccepted {
            block: cx.ledger.id(block),
            parent: header.parent,
            height: cx.ledger.height(block),
            chain_work: cx.ledger.work(block),
            time: header.time,
            from,
        };
        cx.emit(accepted);
    }

    fn hold_header(&mut self, cx: &mut Context<'_>, from: NodeId, header: &Header, id: BlockId) {
        let max_future = cx.ledger.params().max_future.as_secs();
        let early = Early {
            header: *header,
            from,
            acceptable_at: u64::from(header.time).saturating_sub(max_future),
        };
        if self.future.hold(id, early) {
            cx.emit(Event::OrphanHeld {
                block: id,
                parent: header.parent,
                from,
            });
        }
    }

    /// Looks again at headers that came before their time, and asks their senders what came after them.
    pub(crate) fn retry_future_headers(&mut self, cx: &mut Context<'_>) {
        for early in self.future.take_due(self.clock.unix_secs(cx.now)) {
            let id = early.header.id();
            cx.emit(Event::OrphanResolved { block: id });
            let sender = self.peers.ready(early.from).map(|_| early.from);
            let parent = self.knowledge.find(cx.ledger, &early.header.parent);
            let outcome = self.header(cx, Some(early.from), parent, &HashedHeader::from(early.header));
            let Outcome::Known(block) = outcome else {
                continue;
            };
            self.consider_branch(cx, block);
            if let Some(sender) = sender {
                self.note_has(cx, sender, block);
                self.request_headers(cx, sender);
            }
        }
    }

    pub(crate) fn refuse_header(
        &mut self,
        cx: &mut Context<'_>,
        from: Option<NodeId>,
        block: BlockId,
        reject: &Reject,
    ) {
        let is_offence = from.is_some() && reject.verdict() == Verdict::Invalid;
        cx.emit(Event::BlockRejected {
            block,
            from,
            reason: reject.word(),
            detail: reject.to_string(),
            penalty: if is_offence {
                Offence::InvalidHeader.penalty()
            } else {
                0
            },
        });
        if let Some(peer) = from.filter(|_| is_offence) {
            self.penalise(cx, peer, Offence::InvalidHeader, reject.to_string());
        }
    }
}
