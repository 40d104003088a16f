//! A node that follows no rule: it announces and serves what the scenario gives it, and believes nobody.

use std::collections::VecDeque;
use std::sync::Arc;

use base::NodeId;
use chain::{Block, BlockId};
use gossip::{Item, Message};

use crate::context::Context;
use crate::limits::MAX_OFFERS;
use crate::peers::Stage;
use crate::{Command, Input, Node};

/// A block for one peer, and whether the peer has been told.
#[derive(Debug)]
struct Offer {
    to: NodeId,
    id: BlockId,
    block: Arc<Block>,
    is_announced: bool,
}

/// What a hostile node has on offer, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Offers {
    offers: VecDeque<Offer>,
}

impl Offers {
    fn add(&mut self, to: NodeId, block: Arc<Block>) {
        let id = block.id();
        self.offers.push_back(Offer {
            to,
            id,
            block,
            is_announced: false,
        });
        if self.offers.len() > MAX_OFFERS {
            self.offers.pop_front();
        }
    }

    /// The latest body offered to this peer under a name, or to anybody: one header may have gone out with several bodies.
    fn body(&self, peer: NodeId, id: &BlockId) -> Option<&Arc<Block>> {
        let named = || self.offers.iter().rev().filter(|offer| offer.id == *id);
        let offer = named().find(|offer| offer.to == peer).or_else(|| named().next())?;
        Some(&offer.block)
    }
}

impl Node {
    pub(crate) fn handle_hostile(&mut self, cx: &mut Context<'_>, input: Input) {
        match input {
            Input::Connected { peer, outbound } => self.connected(cx, peer, outbound),
            Input::Disconnected { peer } => self.disconnected(cx, peer),
            Input::Received { peer, message } => self.overhear(cx, peer, &message),
            Input::Command(Command::Offer { to, block }) => {
                self.offers.add(to, block);
                self.announce_offers(cx, to);
            }
            Input::Tick => self.drop_silent_peers(cx),
            Input::Garbage { .. }
            | Input::Drawn
            | Input::Solved { .. }
            | Input::Restored { .. }
            | Input::Command(_) => {}
        }
    }

    /// Answers requests for what is on offer; everything else is heard and forgotten.
    fn overhear(&mut self, cx: &mut Context<'_>, peer: NodeId, message: &Message) {
        let Some(stage) = self.peers.get(peer).map(|peer| peer.stage) else {
            return;
        };
        cx.received(peer, message);
        match (stage, message) {
            (Stage::Greeting, Message::Hello(hello)) => {
                if self.greeted(cx, peer, hello) {
                    self.announce_offers(cx, peer);
                }
            }
            (Stage::Ready, Message::Get(items)) => self.serve_offers(cx, peer, items),
            (Stage::Greeting | Stage::Ready | Stage::Closing(_), _) => {}
        }
    }

    fn announce_offers(&mut self, cx: &mut Context<'_>, to: NodeId) {
        if self.peers.ready(to).is_none() {
            return;
        }
        let due = self
            .offers
            .offers
            .iter_mut()
            .filter(|offer| offer.to == to && !offer.is_announced);
        for offer in due {
            offer.is_announced = true;
            cx.send(to, Message::headers([offer.block.header]));
        }
    }

    fn serve_offers(&self, cx: &mut Context<'_>, peer: NodeId, items: &[Item]) {
        let mut missing = Vec::new();
        for item in items {
            let body = match item {
                Item::Block(id) => self.offers.body(peer, id),
                Item::Transaction(_) | Item::Parent(_) | Item::CompactBlock(_) => None,
            };
            match body {
                Some(block) => cx.send(peer, Message::Block(Arc::clone(block))),
                None => missing.push(*item),
            }
        }
        if !missing.is_empty() {
            cx.send(peer, Message::NotFound(missing));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, forge, n};

    #[test]
    fn a_body_offered_to_one_peer_is_served_to_others_unless_they_have_their_own() {
        let world = World::new(1);
        let ledger = world.ledger(0);
        let block = forge(ledger, ledger.genesis(), |_| {});
        let mutated = Arc::new(Block {
            transactions: Vec::new(),
            ..(*block).clone()
        });
        let mut offers = Offers::default();
        offers.add(n(1), Arc::clone(&mutated));
        offers.add(n(2), Arc::clone(&block));
        let id = block.id();
        assert_eq!(offers.body(n(1), &id), Some(&mutated));
        assert_eq!(offers.body(n(2), &id), Some(&block));
        assert_eq!(offers.body(n(3), &id), Some(&block), "the latest");
        for _ in 1..MAX_OFFERS {
            offers.add(n(2), Arc::clone(&block));
        }
        assert_eq!(offers.offers.len(), MAX_OFFERS);
        assert_eq!(offers.body(n(1), &id), Some(&block), "the oldest was forgotten");
    }
}
