//! Chains of headers that are too light to be kept.
//!
//! Where a hash is cheap so is a chain of headers, and all that comes would be kept for ever. So what ends with less work than our own chain
//! had some blocks ago is only walked over ([`chain::Walk`]). When there is more of it, more is asked for, and only the name that each answer
//! ends with is remembered. Once the chain turns out to be heavy enough it is fetched again, and kept as far as it ends with the same names:
//! they stand for all headers below. This is Bitcoin Core's `headerssync`, which remembers a bit for every 600 headers; a name for every
//! 2,000 takes more, and then no buffer is needed (THREATS C2).

use base::NodeId;
use chain::{BlockId, BlockRef, HashedHeader, Header, Height, Reject, Walk, Work, limits};
use gossip::Message;
use gossip::limits::MAX_HEADERS;

use crate::context::Context;
use crate::knowledge::Standing;
use crate::limits::{HEADERS_PATIENCE, HEADERS_TIMEOUT, LIGHT_DEPTH, MAX_PRESYNC_ANSWERS};
use crate::{Event, Node};

/// A light chain that a peer is asked for. There is one at a time.
#[derive(Debug)]
pub(crate) struct Presync {
    pub(crate) peer: NodeId,
    /// The known block that it leaves our tree at.
    start: BlockRef,
    /// The end of what was walked over.
    walk: Walk,
    /// The names that full answers ended with, the lowest first.
    pub(crate) ends: Vec<BlockId>,
    pass: Pass,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pass {
    /// How much work there is, is being found out.
    Weighing,
    /// It was enough, and so many of the names have come again.
    Fetching(usize),
}

/// How far a walk over a message of headers came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Walked {
    /// To its end.
    All,
    /// To a header that is not to be looked at yet.
    Early,
    /// To one that breaks a rule, for which its sender was blamed.
    Refused,
}

/// What may be kept of a message of headers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept<'a> {
    pub(crate) headers: &'a [HashedHeader],
    pub(crate) may_be_more: bool,
}

impl Node {
    /// The least work that a chain must have to be kept (Core's `GetAntiDoSWorkThreshold`): a node without a chain has nothing but what its
    /// operator said.
    fn least_work(&self, cx: &Context<'_>) -> Work {
        let tip = self.knowledge.tip();
        let work = cx.ledger.work(tip);
        let below = cx
            .ledger
            .parent(tip)
            .map_or(Work::ZERO, |parent| cx.ledger.work(parent));
        let near_tip = work.saturating_sub(work.saturating_sub(below).times(LIGHT_DEPTH));
        near_tip.max(self.config.minimum_work)
    }

    /// Whether a chain of this work is too light. Most stand on the tip, and nothing needs computing for them.
    fn is_light(&self, cx: &Context<'_>, work: Work) -> bool {
        let bound = cx.ledger.work(self.knowledge.tip()).max(self.config.minimum_work);
        work < bound && work < self.least_work(cx)
    }

    /// Whether a header that came alone, on a known parent, is too light to be kept.
    pub(crate) fn is_light_header(&self, cx: &Context<'_>, parent: BlockRef, header: &Header) -> bool {
        let own = header.bits.target().map_or(Work::ZERO, chain::Target::work);
        self.is_light(cx, cx.ledger.work(parent) + own)
    }

    /// Whether these headers go on from where a light chain was walked to.
    pub(crate) fn is_presync(&self, peer: NodeId, first: &HashedHeader) -> bool {
        self.presync.as_ref().is_some_and(|presync| {
            presync.peer == peer && presync.pass == Pass::Weighing && presync.walk.last() == first.parent
        })
    }

    /// What to keep of headers that link and begin on a known block. None when they are too light: then all that there is to do is done.
    pub(crate) fn weigh<'a>(
        &mut self,
        cx: &mut Context<'_>,
        peer: NodeId,
        headers: &'a [HashedHeader],
    ) -> Option<Kept<'a>> {
        let all = Kept {
            headers,
            may_be_more: headers.len() == MAX_HEADERS,
        };
        let is_news = |header: &&HashedHeader| self.knowledge.find(cx.ledger, &header.id()).is_none();
        let Some(first) = headers.iter().find(is_news) else {
            return Some(all);
        };
        let parent = self.knowledge.find(cx.ledger, &first.parent)?;
        if self.knowledge.standing(parent) == Standing::Invalid || !self.is_light(cx, cx.ledger.work(parent)) {
            return Some(all);
        }
        if let Some(kept) = self.fetched_again(peer, headers) {
            return Some(kept);
        }
        let news = headers.iter().skip_while(|header| header.id() != first.id());
        let mut walk = cx.ledger.walk(parent);
        let walked = self.walk_over(cx, peer, &mut walk, news);
        if walked == Walked::Refused {
            return None;
        }
        if !self.is_light(cx, walk.work()) {
            return Some(all);
        }
        let is_free = self.presync.is_none() && self.sync_peer.is_none_or(|source| source == peer);
        if walked == Walked::Early || !all.may_be_more || !is_free {
            self.pass_over(cx, peer, &walk);
            return None;
        }
        self.sync_peer = Some(peer);
        let presync = Presync {
            peer,
            start: parent,
            ends: vec![walk.last()],
            walk,
            pass: Pass::Weighing,
        };
        self.go_on(cx, presync);
        None
    }

    /// Walks on with a light chain.
    pub(crate) fn presync_headers(&mut self, cx: &mut Context<'_>, peer: NodeId, headers: &[HashedHeader]) {
        let Some(mut presync) = self.presync.take() else {
            return;
        };
        let walked = self.walk_over(cx, peer, &mut presync.walk, headers);
        if walked == Walked::Refused {
            return;
        }
        let is_light = self.is_light(cx, presync.walk.work());
        let is_full = walked == Walked::All && headers.len() == MAX_HEADERS;
        if is_light && !(is_full && presync.ends.len() < MAX_PRESYNC_ANSWERS) {
            self.pass_over(cx, peer, &presync.walk);
            return;
        }
        if is_full {
            presync.ends.push(presync.walk.last());
        }
        if !is_light {
            presync.pass = Pass::Fetching(0);
        }
        self.go_on(cx, presync);
    }

    /// What of these headers is the chain that was found to be heavy enough.
    fn fetched_again<'a>(&mut self, peer: NodeId, headers: &'a [HashedHeader]) -> Option<Kept<'a>> {
        let presync = self.presync.as_mut().filter(|presync| presync.peer == peer)?;
        let Pass::Fetching(mut count) = presync.pass else {
            return None;
        };
        let mut kept = None;
        while let Some(end) = presync.ends.get(count)
            && let Some(at) = headers.iter().position(|header| header.id() == *end)
        {
            kept = Some(&headers[..=at]);
            count += 1;
        }
        presync.pass = Pass::Fetching(count);
        // Either all of it is here, or it is another chain now and is weighed anew.
        if count == presync.ends.len() || kept.is_none() {
            self.presync = None;
        }
        kept.map(|headers| Kept {
            headers,
            may_be_more: true,
        })
    }

    /// Steps on these headers; blames whoever sent one that breaks a rule.
    fn walk_over<'a>(
        &mut self,
        cx: &mut Context<'_>,
        peer: NodeId,
        walk: &mut Walk,
        headers: impl IntoIterator<Item = &'a HashedHeader>,
    ) -> Walked {
        let unix_secs = self.clock.unix_secs(cx.now);
        for header in headers {
            if chain::header::check_not_future(header, unix_secs, cx.ledger.params()).is_err() {
                return Walked::Early;
            }
            if let Err(reject) = walk.step(cx.ledger, header) {
                self.refuse_header(cx, Some(peer), header.id(), &reject);
                return Walked::Refused;
            }
        }
        Walked::All
    }

    /// Asks for more of a light chain, or for all of it again.
    fn go_on(&mut self, cx: &mut Context<'_>, presync: Presync) {
        let peer = presync.peer;
        let mut locator = cx.ledger.locator(presync.start);
        if presync.pass == Pass::Weighing {
            locator.insert(0, presync.walk.last());
            locator.truncate(limits::MAX_LOCATOR);
        }
        self.presync = Some(presync);
        if let Some(asked) = self.peers.ready_mut(peer) {
            asked.headers_to = Height(0);
        }
        self.peers.set_headers_due(peer, Some(cx.now + HEADERS_TIMEOUT));
        self.sync_late_at = Some(cx.now + HEADERS_PATIENCE);
        cx.send(peer, Message::GetHeaders { locator });
    }

    /// A light chain has ended. Nobody is blamed: the peer may just be behind.
    fn pass_over(&mut self, cx: &mut Context<'_>, peer: NodeId, walk: &Walk) {
        let reject = Reject::TooLittleChainwork {
            work: walk.work(),
            least: self.least_work(cx),
        };
        cx.emit(Event::BlockRejected {
            block: walk.last(),
            from: Some(peer),
            reason: reject.word(),
            detail: reject.to_string(),
            penalty: 0,
        });
        self.peers.set_claimed(peer, None);
        self.headers_answered(cx, peer, None);
    }
}
