//! Bodies: from a peer, a template, the operator or the disk, through the ledger's validation, to a connected block.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use base::NodeId;
use chain::{Block, BlockId, BlockRef, Height, Reject, Verdict};
use gossip::{BlockFetch, Item, Offence};

use crate::branches::Targets;
use crate::context::Context;
use crate::knowledge::Standing;
use crate::limits::{MAX_HELD_BODIES, MAX_HELD_BYTES};
use crate::{Event, Node, Output};

/// Where a block comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    Peer(NodeId),
    /// Put together from what a peer told and what was at hand: the peer is not to blame for what is in it.
    Assembled(NodeId),
    Mined,
    Submitted,
    Restored,
}

impl Origin {
    pub(crate) const fn peer(self) -> Option<NodeId> {
        match self {
            Self::Peer(peer) | Self::Assembled(peer) => Some(peer),
            Self::Mined | Self::Submitted | Self::Restored => None,
        }
    }

    /// Who is at fault when the block is invalid.
    const fn blamed(self) -> Option<NodeId> {
        match self {
            Self::Peer(peer) => Some(peer),
            Self::Assembled(_) | Self::Mined | Self::Submitted | Self::Restored => None,
        }
    }
}

/// A body that waits until its parent is connected.
#[derive(Debug)]
pub(crate) struct Held {
    block: Arc<Block>,
    height: Height,
    from: NodeId,
}

/// Bodies on their way.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    pub(crate) fetch: BlockFetch,
    pub(crate) targets: Targets,
    pub(crate) held: BTreeMap<BlockId, Held>,
    by_height: BTreeSet<(Height, BlockId)>,
    by_parent: BTreeMap<BlockId, BTreeSet<BlockId>>,
    /// Held, but of no branch that is being fetched at present. It may become one again; until then these give way first.
    spare: BTreeSet<(Height, BlockId)>,
    bytes: u64,
    /// A body was dropped for lack of room and must be asked for again.
    overflowed: bool,
}

impl Bodies {
    /// Whether no body is wanted, expected or held.
    pub(crate) fn is_idle(&self) -> bool {
        self.targets.is_empty() && self.held.is_empty() && !self.overflowed && self.fetch.is_idle()
    }

    pub(crate) fn holds(&self, id: &BlockId) -> bool {
        self.held.contains_key(id)
    }

    /// Keeps a body; when there is no room a spare one goes, or else the highest, be it this one. Whether this one was kept.
    fn hold(&mut self, id: BlockId, held: Held) -> bool {
        self.bytes += held.block.bytes();
        self.by_height.insert((held.height, id));
        self.by_parent.entry(held.block.header.parent).or_default().insert(id);
        self.held.insert(id, held);
        while self.held.len() > MAX_HELD_BODIES || self.bytes > MAX_HELD_BYTES {
            self.overflowed |= self.spare.is_empty();
            let (_, given_up) = *self
                .spare
                .first()
                .or_else(|| self.by_height.last())
                .expect("something takes the room");
            self.release(&given_up);
        }
        self.holds(&id)
    }

    /// The body's branch is fetched no longer; the body is kept as long as there is room.
    pub(crate) fn set_aside(&mut self, id: &BlockId) {
        if let Some(held) = self.held.get(id) {
            self.spare.insert((held.height, *id));
        }
    }

    /// The body's branch is fetched; whether the body is here already.
    pub(crate) fn pick_up(&mut self, id: &BlockId) -> bool {
        if let Some(held) = self.held.get(id) {
            self.spare.remove(&(held.height, *id));
        }
        self.holds(id)
    }

    /// Lets go of a body.
    pub(crate) fn release(&mut self, id: &BlockId) -> Option<Held> {
        let held = self.held.remove(id)?;
        self.bytes -= held.block.bytes();
        self.by_height.remove(&(held.height, *id));
        self.spare.remove(&(held.height, *id));
        let parent = held.block.header.parent;
        if let Some(siblings) = self.by_parent.get_mut(&parent) {
            siblings.remove(id);
            if siblings.is_empty() {
                self.by_parent.remove(&parent);
            }
        }
        Some(held)
    }

    /// Takes out the bodies that waited for this block, in the order of their names.
    fn release_children(&mut self, parent: &BlockId) -> Vec<(BlockId, Held)> {
        let children = self.by_parent.get(parent).cloned().unwrap_or_default();
        children
            .into_iter()
            .filter_map(|id| self.release(&id).map(|held| (id, held)))
            .collect()
    }
}

impl Node {
    /// A body came from a peer.
    pub(crate) fn block(&mut self, cx: &mut Context<'_>, peer: NodeId, block: &Arc<Block>) {
        let id = block.id();
        let was_asked = self.bodies.fetch.received(peer, &id, cx.now);
        let is_wanted = self.bodies.fetch.is_wanted(&id);
        // A first body may come unasked, and may cross our request for it: then it comes twice.
        let is_excused = self
            .peers
            .ready_mut(peer)
            .is_some_and(|sender| sender.settles(&Item::Block(id)) || sender.bodies.insert(id));
        let known = self.knowledge.find(cx.ledger, &id);
        let duplicate = known.is_some_and(|known| self.knowledge.is_connected(known)) || self.bodies.holds(&id);
        cx.emit(Event::BlockReceived {
            block: id,
            from: peer,
            bytes: block.bytes(),
            duplicate,
        });
        if !was_asked && !is_wanted {
            if !is_excused {
                let detail = format!("body of {id} again, which nobody asked for");
                self.penalise(cx, peer, Offence::Unexpected, detail);
            } else if !duplicate {
                self.pushed(cx, peer, block);
            }
            return;
        }
        let Some(known) = known.filter(|_| !duplicate) else {
            self.bodies.fetch.forget(&id);
            return;
        };
        if self.knowledge.standing(known) != Standing::Header {
            self.bodies.fetch.forget(&id);
            return;
        }
        // Even when its branch is not the one to fetch at this moment: it was asked for, and would be asked for again.
        self.settle_body(cx, known, block, peer);
        if !is_wanted {
            self.bodies.set_aside(&id);
        }
    }

    /// A body came unasked, as some peers tell of blocks. It is worth no more than its header: without the work, or without a parent that is
    /// known, it is dropped, and fetched when its branch is worth it.
    fn pushed(&mut self, cx: &mut Context<'_>, peer: NodeId, block: &Arc<Block>) {
        let Some(at) = self.pushed_header(cx, peer, &block.header) else {
            return;
        };
        if self.knowledge.standing(at) == Standing::Header && self.bodies.fetch.is_wanted(&block.id()) {
            self.settle_body(cx, at, block, peer);
        }
    }

    /// A body that is welcome: connected when its parent is, held otherwise.
    fn settle_body(&mut self, cx: &mut Context<'_>, at: BlockRef, block: &Arc<Block>, peer: NodeId) {
        let parent = cx.ledger.parent(at).expect("the genesis block is connected");
        if self.knowledge.is_connected(parent) {
            self.take_body(cx, at, block, Origin::Peer(peer));
        } else {
            self.hold_body(cx, at, block, peer);
        }
    }

    /// Validates a body whose parent is connected, then those that waited for it. Whether the block is connected.
    pub(crate) fn take_body(&mut self, cx: &mut Context<'_>, at: BlockRef, block: &Arc<Block>, origin: Origin) -> bool {
        let is_connected = self.validate(cx, at, block, origin);
        if self.bodies.held.is_empty() && !self.bodies.overflowed {
            if is_connected {
                self.advance_branches(cx, at);
            }
            return is_connected;
        }
        let mut open = VecDeque::from([at]);
        let mut connected = Vec::new();
        while let Some(at) = open.pop_front() {
            if !self.knowledge.is_connected(at) {
                continue;
            }
            connected.push(at);
            for (id, held) in self.bodies.release_children(&cx.ledger.id(at)) {
                let child = self.knowledge.find(cx.ledger, &id).expect("only known blocks are held");
                cx.emit(Event::OrphanResolved { block: id });
                self.validate(cx, child, &held.block, Origin::Peer(held.from));
                open.push_back(child);
            }
        }
        // Each, not only the last: siblings come in any order, and a branch goes on from its own.
        for at in connected {
            self.advance_branches(cx, at);
        }
        if self.bodies.overflowed && self.bodies.held.len() < MAX_HELD_BODIES / 2 {
            self.bodies.overflowed = false;
            self.reconsider_branches(cx);
        }
        is_connected
    }

    fn validate(&mut self, cx: &mut Context<'_>, at: BlockRef, block: &Arc<Block>, origin: Origin) -> bool {
        match cx.ledger.add_body(block) {
            Ok(added) => {
                assert_eq!(added, at, "a body belongs to its header");
                self.connect(cx, at, block, origin);
                true
            }
            Err(reject) => {
                match reject.verdict() {
                    Verdict::Invalid => self.condemn(cx, at),
                    // That says nothing about the block: its sender is dropped, and the right body asked of another.
                    Verdict::Mutated | Verdict::NotYet => {}
                }
                self.refuse_body(cx, block.id(), origin, &reject);
                false
            }
        }
    }

    /// The block is valid, and so are all below: it is kept, told about, and may become the tip.
    fn connect(&mut self, cx: &mut Context<'_>, at: BlockRef, block: &Arc<Block>, origin: Origin) {
        let id = block.id();
        self.bodies.fetch.forget(&id);
        self.knowledge.connect(cx.ledger, at);
        if cx.ledger.is_ancestor(at, self.knowledge.best_header()) {
            self.progress_at = cx.now;
        }
        let durable = match origin {
            Origin::Peer(_) | Origin::Assembled(_) => Some(false),
            Origin::Mined | Origin::Submitted => Some(true),
            Origin::Restored => None,
        };
        if let Some(durable) = durable {
            let block = Arc::clone(block);
            cx.out.push(Output::Save { block, durable });
        }
        let (height, chain_work) = (cx.ledger.height(at), cx.ledger.work(at));
        let (txs, bytes) = (block.transactions.len(), block.bytes());
        let parent = block.header.parent;
        if origin == Origin::Mined {
            cx.emit(Event::BlockMined {
                block: id,
                parent,
                height,
                chain_work,
                time: block.header.time,
                txs,
                bytes,
                body: Arc::clone(block),
            });
            self.emit_header_accepted(cx, at, None);
        }
        cx.emit(Event::BlockConnected {
            block: id,
            parent,
            height,
            chain_work,
            txs,
            bytes,
            body: Arc::clone(block),
        });
        self.consider_tip(cx, at);
        if let Some(peer) = origin.peer().filter(|_| self.knowledge.tip() == at) {
            self.prefer(cx, peer);
        }
    }

    /// A body whose parent is not connected: looked at as far as that is possible, and kept.
    fn hold_body(&mut self, cx: &mut Context<'_>, at: BlockRef, block: &Arc<Block>, from: NodeId) {
        let id = block.id();
        if let Err(reject) = block.check_commitment() {
            self.refuse_body(cx, id, Origin::Peer(from), &reject);
            return;
        }
        self.bodies.fetch.forget(&id);
        let held = Held {
            block: Arc::clone(block),
            height: cx.ledger.height(at),
            from,
        };
        if self.bodies.hold(id, held) {
            cx.emit(Event::OrphanHeld {
                block: id,
                parent: block.header.parent,
                from,
            });
        }
    }

    /// The block breaks a rule: it and all that stands on it are not wanted any more.
    fn condemn(&mut self, cx: &mut Context<'_>, at: BlockRef) {
        for block in self.knowledge.condemn(cx.ledger, at) {
            let id = cx.ledger.id(block);
            self.bodies.fetch.forget(&id);
            self.bodies.release(&id);
        }
        self.reconsider_branches(cx);
    }

    fn refuse_body(&mut self, cx: &mut Context<'_>, block: BlockId, origin: Origin, reject: &Reject) {
        let blamed = origin.blamed();
        cx.emit(Event::BlockRejected {
            block,
            from: origin.peer(),
            reason: reject.word(),
            detail: reject.to_string(),
            penalty: blamed.map_or(0, |_| Offence::InvalidBlock.penalty()),
        });
        if let Some(peer) = blamed {
            self.penalise(cx, peer, Offence::InvalidBlock, reject.to_string());
        }
    }

    /// Bodies that did not come in time are asked of others. Nobody is blamed: a slow link is no fault, and a peer that stalls is asked only
    /// for what nobody else has.
    pub(crate) fn drop_late_body_requests(&mut self, cx: &mut Context<'_>) {
        // What is due to others now is asked for at the end of this input, with all other requests.
        let _given_up = self.bodies.fetch.overdue(cx.now);
    }
}
