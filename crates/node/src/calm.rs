//! Announcements that tell a node nothing new: the most common message there is.

use base::{NodeId, Time};
use chain::{BlockId, BlockRef, Ledger};
use gossip::Message;

use crate::context::Context;
use crate::{Input, Node, Strategy};

impl Node {
    /// Whether a peer's announcement of this block says nothing new.
    fn is_calm_about(&self, ledger: &Ledger, peer: NodeId, block: BlockRef) -> bool {
        self.may_be_calm()
            && (self.knowledge.is_connected(block)
                || (self.sync_peer != Some(peer) && self.bodies.under_way(ledger, &self.knowledge) == Some(block)))
    }

    fn may_be_calm(&self) -> bool {
        self.config.strategy == Strategy::Honest && self.peers.are_settled()
    }

    /// Takes in a peer's announcement of a block about which it is calm ([`Node::is_calm_about`]). It is what
    /// [`Node::handle`] does with the header alone: all that follows is that the peer has the block, and may be asked for it.
    fn note_announcement(&mut self, ledger: &Ledger, (at, peer): (Time, NodeId), block: BlockRef) {
        let Some(row) = self.peers.ready_mut(peer) else {
            return;
        };
        row.unconnecting = 0;
        if row.best.is_none_or(|best| ledger.work(block) > ledger.work(best)) {
            row.best = Some(block);
        }
        if self.knowledge.is_connected(block) {
            self.sync_peer.take_if(|source| *source == peer);
        } else {
            self.bodies.fetch.add_source(peer, ledger.id(block), at);
        }
    }

    /// Takes in an input that is such an announcement; whether it was one.
    pub(crate) fn takes_calmly(&mut self, cx: &mut Context<'_>, input: &Input) -> bool {
        let Input::Received { peer, message } = input else {
            return false;
        };
        let Message::Headers(headers) = message else {
            return false;
        };
        let [header] = headers.as_ref() else {
            return false;
        };
        let known = self.find_likely(cx.ledger, &header.id());
        let Some(block) = known.filter(|block| self.is_calm_about(cx.ledger, *peer, *block)) else {
            return false;
        };
        if self.peers.ready(*peer).is_none() {
            return false;
        }
        cx.received(*peer, message);
        self.note_announcement(cx.ledger, (cx.now, *peer), block);
        true
    }

    /// The block of this name, which is most likely the tip.
    fn find_likely(&self, ledger: &Ledger, id: &BlockId) -> Option<BlockRef> {
        let tip = self.knowledge.tip();
        if ledger.id(tip) == *id {
            Some(tip)
        } else {
            ledger.find(id)
        }
    }
}
