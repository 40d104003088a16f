//! What happens around one node: blocks that others make, announcements, answers late and early, questions.

use std::sync::Arc;

use base::{NodeId, Rng, Seed};
use chain::{Block, BlockRef, Ledger};
use gossip::{Item, Message};

use super::PEERS;
use crate::testing::{forge, n, params};
use crate::{Input, Output};

/// What a node's surroundings are like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    /// A lot happens.
    Busy,
    /// Little does, but some bodies take long, so that others are asked.
    Slow,
    /// The same, and only one peer announces blocks.
    Lonely,
    /// Little does, but half of the blocks have others beside them.
    Forked,
}

/// A tree of valid blocks that others have made, and what was asked of peers.
pub(super) struct Surroundings {
    pub(super) ledger: Ledger,
    pub(super) tree: Vec<BlockRef>,
    /// Bodies, or headers where it is no block.
    pub(super) asked: Vec<(NodeId, Option<BlockRef>)>,
    pub(super) mutations: usize,
    life: Life,
    /// Connections that were hung up.
    pub(super) gone: Vec<NodeId>,
    pub(super) rng: Rng,
}

impl Surroundings {
    pub(super) fn new(number: u64) -> Self {
        let ledger = Ledger::new(params());
        Self {
            tree: vec![ledger.genesis()],
            ledger,
            asked: Vec::new(),
            mutations: 0,
            life: match number / 24 {
                0 => Life::Busy,
                1 => Life::Slow,
                2 => Life::Lonely,
                _ => Life::Forked,
            },
            gone: Vec::new(),
            rng: Seed::from_number(number).child("rest", 0).rng(),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.rng.below(bound as u64)).expect("below it")
    }

    /// Mostly the next one for a node with this tip, or one of the newest.
    fn some_block(&mut self, tip: BlockRef) -> BlockRef {
        if self.below(4) > 0 {
            let next = self
                .tree
                .iter()
                .rev()
                .find(|block| self.ledger.parent(**block) == Some(tip));
            return next.copied().unwrap_or(tip);
        }
        let back = if self.below(8) == 0 {
            self.below(12)
        } else {
            self.below(2)
        };
        self.tree[self.tree.len().saturating_sub(back + 1)]
    }

    fn all_headers(&self) -> Message {
        let newest = self.tree[self.tree.len() - 1];
        let path = self.ledger.path(self.ledger.genesis(), newest);
        let headers = path.into_iter().map(|block| *self.ledger.hashed_header(block));
        Message::headers(headers.collect::<Vec<_>>())
    }

    fn grow(&mut self) {
        let newest = self.tree[self.tree.len() - 1];
        let parent = if self.below(10) == 0 {
            self.some_block(newest)
        } else {
            newest
        };
        self.grow_on(parent);
    }

    fn grow_on(&mut self, parent: BlockRef) {
        let mark = self.tree.len() as u64;
        let block = forge(&self.ledger, parent, |draft| draft.extra_nonce = mark);
        let at = self.ledger.record_hashed_header(&block.header).expect("a valid header");
        self.ledger.add_body(&block).expect("a valid block");
        self.tree.push(at);
    }

    /// What happens next where little does, but some bodies take long.
    fn next_of_little(&mut self, tip: BlockRef) -> Option<Input> {
        let peer = if self.life == Life::Lonely {
            n(2)
        } else {
            n(1 + self.below(PEERS))
        };
        let received = |peer, message| Some(Input::Received { peer, message });
        let newest = self.tree[self.tree.len() - 1];
        match self.below(100) {
            0..=20 if self.ledger.height(newest) <= self.ledger.height(tip) => {
                self.grow();
                None
            }
            21..=40 => received(peer, Message::headers([*self.ledger.hashed_header(newest)])),
            41..=90 if !self.asked.is_empty() => self.answer(2),
            91 => self.next_of_much(tip),
            _ => None,
        }
    }

    /// A peer answers, unless it is slow: one of so many is.
    fn answer(&mut self, one_of: u32) -> Option<Input> {
        let at = self.below(self.asked.len());
        if self.asked[at].0.0.is_multiple_of(one_of) && self.below(20) > 0 {
            return None;
        }
        let (peer, block) = self.asked.swap_remove(at);
        let body = block.map(|block| Arc::clone(self.ledger.body(block).expect("valid")));
        let message = body.map_or_else(|| self.all_headers(), Message::Block);
        Some(Input::Received { peer, message })
    }

    /// What happens next where forks do.
    fn next_of_forks(&mut self, tip: BlockRef) -> Option<Input> {
        let peer = n(1 + self.below(PEERS));
        let received = |peer, message| Some(Input::Received { peer, message });
        let newest = self.tree[self.tree.len() - 1];
        match self.below(100) {
            0..=20 if self.ledger.height(newest) <= self.ledger.height(tip) => {
                self.grow();
                None
            }
            0..=12 if self.tree.len() > 1 => {
                let parent = self.ledger.parent(newest).expect("not the first");
                if self
                    .tree
                    .iter()
                    .filter(|block| self.ledger.parent(**block) == Some(parent))
                    .count()
                    < 3
                {
                    self.grow_on(parent);
                }
                None
            }
            21..=50 => {
                let back = 1 + self.below(self.tree.len().min(3));
                let block = self.tree[self.tree.len() - back];
                received(peer, Message::headers([*self.ledger.hashed_header(block)]))
            }
            51..=90 if !self.asked.is_empty() => self.answer(3),
            91 => self.next_of_much(tip),
            _ => None,
        }
    }

    pub(super) fn next(&mut self, tip: BlockRef) -> Option<Input> {
        match self.life {
            Life::Busy => self.next_of_much(tip),
            Life::Slow | Life::Lonely => self.next_of_little(tip),
            Life::Forked => self.next_of_forks(tip),
        }
    }

    /// What happens next where a lot does.
    fn next_of_much(&mut self, tip: BlockRef) -> Option<Input> {
        let peer = n(1 + self.below(PEERS));
        let received = |peer, message| Some(Input::Received { peer, message });
        match self.below(20) {
            0 => {
                self.grow();
                None
            }
            1..=8 => {
                let block = self.some_block(tip);
                let header = *self.ledger.hashed_header(block);
                received(peer, Message::headers([header]))
            }
            9..=13 if !self.asked.is_empty() => {
                let at = self.below(self.asked.len());
                let (peer, block) = self.asked.swap_remove(at);
                let Some(block) = block else {
                    return received(peer, self.all_headers());
                };
                let id = self.ledger.id(block);
                let body = Arc::clone(self.ledger.body(block).expect("valid"));
                match self.below(12) {
                    0 => received(peer, Message::NotFound(vec![Item::Block(id)])),
                    1 => None,
                    2 if self.below(20) == 0 => {
                        // The header is the block's, what is in it is not.
                        self.mutations += 1;
                        let mut mutated = Block::clone(&body);
                        mutated.transactions.clear();
                        received(peer, Message::Block(Arc::new(mutated)))
                    }
                    _ => received(peer, Message::Block(body)),
                }
            }
            14..=17 => {
                let block = self.some_block(tip);
                let id = self.ledger.id(block);
                received(peer, Message::Get(vec![Item::Block(id)]))
            }
            18 => Some(Input::Tick),
            _ => None,
        }
    }

    pub(super) fn note_requests(&mut self, out: &[Output]) {
        for output in out {
            let Output::Send { peer, message } = output else {
                continue;
            };
            if let Message::GetHeaders { .. } = message {
                self.asked.push((*peer, None));
            } else if let Message::Get(items) = message {
                let blocks = items.iter().filter_map(|item| match item {
                    Item::Block(id) => self.ledger.find(id),
                    Item::CompactBlock(_) | Item::Transaction(_) | Item::Parent(_) => None,
                });
                self.asked.extend(blocks.map(|block| (*peer, Some(block))));
            }
        }
    }
}
