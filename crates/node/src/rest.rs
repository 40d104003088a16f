//! A node at rest: at the tip, with nothing under way but, at most, the next block's body. What it does about that block is a step for each message.
//!
//! Nearly all that nodes of a large network do is this: hear of a block that stands on the tip, ask for it, follow it, tell others, send it to those who ask. [`Node::handle`]
//! does it, too, and looks around each time for all else that might follow. Here nothing else can, so an engine with many nodes tries this first; its outputs are those
//! of [`Node::handle`] (a test compares), and where a message is not of this kind nothing has changed.

use std::sync::Arc;

use base::{NodeId, Time};
use chain::{Block, BlockId, BlockRef, HashedHeader, Ledger};
use gossip::{Item, Message};

use crate::branches::Target;
use crate::config::Relay;
use crate::knowledge::Standing;
use crate::{Goal, Node, Strategy, Wake};

/// What a node may take in without looking around.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Pose {
    /// Nothing.
    #[default]
    Busy,
    /// What is about the next block: it is at the tip, and nothing is under way.
    AtRest,
    /// The body of this block, which stands on the tip: nothing else is under way. Who else has announced it stands in the rows of peers alone.
    Awaits(BlockRef),
}

/// What a node at rest did about a message.
#[derive(Clone, Debug)]
pub enum Step {
    /// It noted that the peer has the block.
    Noted,
    /// It accepted the block's header ([`crate::Event::HeaderAccepted`]), and asks the peer for the body.
    Heard(BlockRef),
    /// It connected the block and follows it ([`crate::Event::BlockReceived`], [`crate::Event::BlockConnected`] and [`crate::Event::TipChanged`]);
    /// saves it; tells some of its peers by the header alone; and mines on it, when there is a goal.
    Followed(BlockRef, Option<Goal>),
    /// It sends the peer this block.
    Served(Arc<Block>),
}

impl Node {
    /// Takes in a peer's message, when it is one that a node at rest has an answer to: what it did; otherwise nothing has changed, and
    /// [`Node::handle`] is to take it in. `tell` is where it leaves whom it tells, in order.
    ///
    /// For nodes that tell of no messages and whose blocks are drawn ([`Node::without_messages`], [`Node::drawn`]).
    pub fn step_at_rest(
        &mut self,
        ledger: &mut Ledger,
        (now, peer): (Time, NodeId),
        message: &Message,
        tell: &mut Vec<NodeId>,
    ) -> Option<Step> {
        match (self.pose, message) {
            (Pose::Busy, _) => None,
            (_, Message::Headers(headers)) => match headers.as_ref() {
                [header] => self.header_at_rest(ledger, (now, peer), header),
                [] | [_, _, ..] => None,
            },
            (_, Message::Get(items)) => match items.as_slice() {
                [Item::Block(id)] => self.serve_at_rest(ledger, (now, peer), id),
                _ => None,
            },
            (Pose::Awaits(awaited), Message::Block(block)) => {
                self.body_at_rest(ledger, (now, peer), (awaited, block), tell)
            }
            _ => None,
        }
    }

    fn header_at_rest(
        &mut self,
        ledger: &mut Ledger,
        (now, peer): (Time, NodeId),
        header: &HashedHeader,
    ) -> Option<Step> {
        let (id, tip) = (header.id(), self.knowledge.tip());
        let awaited = match self.pose {
            Pose::Busy => return None,
            Pose::AtRest => None,
            Pose::Awaits(block) => Some(block),
        };
        if let Some(known) = [Some(tip), awaited]
            .into_iter()
            .flatten()
            .find(|block| ledger.id(*block) == id)
        {
            self.peers.ready_mut(peer)?.note_best(ledger, known);
            return Some(Step::Noted);
        }
        let is_heavy = ledger.work(tip) >= self.config.minimum_work;
        if awaited.is_some() || header.parent != ledger.id(tip) || !is_heavy || self.peers.ready(peer).is_none() {
            return None;
        }
        let block = ledger.record_hashed_header(header).ok()?;
        let unix_secs = self.clock.unix_secs(now);
        let is_due = chain::header::check_not_future(header, unix_secs, ledger.params()).is_ok();
        let height = ledger.height(block);
        if self.knowledge.standing(block) != Standing::Unknown
            || !is_due
            || !self.bodies.fetch.ask_for_one(peer, (id, height), now)
        {
            return None;
        }
        let announcer = self.peers.ready_mut(peer)?;
        announcer.note_best(ledger, block);
        announcer.owes(&Item::Block(id));
        self.knowledge.accept_header(ledger, block);
        self.progress_at = now;
        self.bodies.targets.push(Target::of_one(id, block, height));
        self.pose = Pose::Awaits(block);
        self.deadline = Some((self.bodies.fetch.late_at(now), Wake::BlockOverdue));
        Some(Step::Heard(block))
    }

    fn body_at_rest(
        &mut self,
        ledger: &mut Ledger,
        (now, peer): (Time, NodeId),
        (awaited, body): (BlockRef, &Arc<Block>),
        tell: &mut Vec<NodeId>,
    ) -> Option<Step> {
        let (id, tip) = (body.id(), self.knowledge.tip());
        let is_it = ledger.id(awaited) == id && self.peers.ready(peer).is_some() && self.peers.lack_only(tip, awaited);
        if !is_it || ledger.add_body(body).is_err() || !self.bodies.fetch.settle_the_one(peer, &id, now) {
            return None;
        }
        self.peers.ready_mut(peer)?.settles(&Item::Block(id));
        self.bodies.targets.clear();
        self.knowledge.connect(ledger, awaited);
        self.progress_at = now;
        self.ties.settle();
        self.knowledge.follow(awaited);
        self.peers.tell(awaited, tell);
        self.pose = Pose::AtRest;
        self.deadline = None;
        Some(Step::Followed(awaited, self.goal_at_rest(ledger, now)))
    }

    fn serve_at_rest(&mut self, ledger: &Ledger, (now, peer): (Time, NodeId), id: &BlockId) -> Option<Step> {
        let tip = self.knowledge.tip();
        let block = Some(tip).filter(|tip| ledger.id(*tip) == *id);
        let block = block.or_else(|| {
            self.knowledge
                .find(ledger, id)
                .filter(|block| self.knowledge.is_connected(*block))
        })?;
        let body = ledger.body(block)?;
        let is_sent = self.peers.ready_mut(peer)?.served.count_if_sent(Item::Block(*id), now);
        is_sent.then(|| Step::Served(Arc::clone(body)))
    }

    /// The pose after an input that was taken in with all that follows from it.
    pub(crate) fn find_pose(&self) -> Pose {
        // No deadline: nobody is waited for, nothing is held, queued or planned.
        let is_plain = self.is_drawn
            && self.deadline.is_none()
            && self.config.strategy == Strategy::Honest
            && self.config.relay == Relay::Headers;
        let is_at_tip = || self.knowledge.is_at_tip() && self.sync_peer.is_none() && self.presync.is_none();
        let is_idle = || self.peers.are_settled() && self.bodies.is_idle() && self.future.is_empty();
        let without_transactions = || self.pool.is_empty() && self.relay.is_idle() && self.miner.owes_nothing();
        if is_plain && is_at_tip() && is_idle() && without_transactions() {
            Pose::AtRest
        } else {
            Pose::Busy
        }
    }

    /// Something happens that needs all that is known: who has the block that is awaited becomes known wherever it matters.
    pub(crate) fn leave_rest(&mut self, ledger: &Ledger, now: Time) {
        if let Pose::Awaits(block) = std::mem::take(&mut self.pose) {
            let id = ledger.id(block);
            for (peer, row) in self.peers.all_ready() {
                if row.best == Some(block) {
                    self.bodies.fetch.add_source(peer, id, now);
                }
            }
        }
    }
}
