//! A node at rest: at the tip, with nothing under way but, at most, the bodies of the next block and of one beside it. It is a few words, and what it does about
//! the next block a few comparisons.
//!
//! Nearly all that nodes of a large network do is this: hear of a block that stands on the tip, ask for it, follow it, tell others, send it to those who
//! ask. [`Node::handle`] does it, too, and looks around each time for all else that might follow. At rest nothing else can. So an engine with many nodes that share a ledger lets
//! them rest ([`Node::rest`]), asks [`Resting`] about what is of this kind, and has the node go on with what came of it ([`Node::resume`]) before it hands it anything else. What
//! a resting node does is what [`Node::handle`] does; tests compare.

mod late;
mod newcomer;
mod rivals;
mod served;

use std::sync::Arc;

use base::{NodeId, Time, prefetch};
use chain::{Block, BlockRef, CompactTarget, HashRate, Ledger};
use gossip::limits::STALL_TIMEOUT;
use gossip::{Item, Patience};

use self::late::Debts;
use self::rivals::Rivals;
use self::served::{Served, ServedAtRest};
use crate::branches::Target;
use crate::clock::Setting;
use crate::config::{Relay, Tie};
use crate::peers::{Peer, Stage};
use crate::{Node, Strategy, Wake};

/// What a resting node knows of a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Neighbour {
    /// Which peer.
    pub peer: NodeId,
    /// The header with the most work that it has announced.
    best: Option<BlockRef>,
}

impl Neighbour {
    /// A peer of which nothing is known.
    #[must_use]
    pub const fn unheard(peer: NodeId) -> Self {
        Self { peer, best: None }
    }

    /// The peer has announced a block that its node follows, or waits for.
    pub fn note(&mut self, ledger: &Ledger, block: BlockRef) {
        let stands_on = || ledger.parent(block) == self.best;
        if self.best != Some(block)
            && (stands_on() || self.best.is_none_or(|best| ledger.work(block) > ledger.work(best)))
        {
            self.best = Some(block);
        }
    }

    /// The same of what it announced before any other block of this work.
    pub fn note_first(&mut self, ledger: &Ledger, block: BlockRef) {
        if self.best.is_none_or(|best| ledger.work(block) >= ledger.work(best)) {
            self.best = Some(block);
        }
    }

    /// Whether it has announced this block.
    #[must_use]
    pub fn has(&self, block: BlockRef) -> bool {
        self.best == Some(block)
    }
}

/// A body that a resting node waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Awaited {
    block: BlockRef,
    of: NodeId,
    since: Time,
}

/// What a resting node makes of an announcement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// The peer has a block that is followed or waited for. Nothing else follows.
    Nothing,
    /// A header to accept ([`crate::Event::HeaderAccepted`]): the peer is asked for the body.
    Next,
    /// The same, of a block beside the one that is followed or waited for.
    Rival,
}

/// What a resting node does with a body that it has waited for ([`crate::Event::BlockReceived`], [`crate::Event::BlockConnected`]); it is saved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gained {
    /// It is followed ([`crate::Event::TipChanged`]), and told by the header alone to all who do not have it ([`Neighbour::has`]).
    Followed,
    /// It stands beside what is followed. Nothing but that.
    Aside,
}

/// What few resting nodes have.
#[derive(Clone, Debug, Default)]
struct Seldom {
    /// While late answers may come.
    debts: Debts,
    rivals: Rivals,
}

/// A node at rest: two cache lines, of which the first says what it knows, and the second what it does about it.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Resting {
    tip: BlockRef,
    /// The block that the node followed when it came to rest.
    base: BlockRef,
    awaited: Option<Awaited>,
    /// When it last heard of a block, or followed one.
    moved_at: Time,
    followed_at: Time,
    clock: Setting,
    /// None while there is nothing of the kind.
    seldom: Option<Box<Seldom>>,
    /// Whether late answers may come.
    has_debts: bool,
    /// Whether there is more to what it follows, or waits for, than one block after the other.
    is_contested: bool,
    /// Whether a coin decides between blocks of equal work: the node tosses it itself.
    tosses: bool,
    patience: Patience,
    /// Who was sent `base` before, where that is known.
    #[expect(clippy::box_collection, reason = "eight bytes less of each node")]
    sent_before: Option<Box<Vec<NodeId>>>,
    served: ServedAtRest,
}

impl Resting {
    /// The block that it follows.
    #[must_use]
    pub const fn tip(&self) -> BlockRef {
        self.tip
    }

    /// The block whose body it waits for.
    #[must_use]
    pub fn awaited(&self) -> Option<BlockRef> {
        self.awaited.map(|awaited| awaited.block)
    }

    /// Has fetched what it knows: an engine with many nodes asks for the memory of all to whom something is about to happen, and does not wait for it.
    #[inline]
    pub fn glance(&self) {
        prefetch(&self.tip);
    }

    /// The same of what it does.
    #[inline]
    pub fn glance_closer(&self) {
        prefetch(&self.sent_before);
    }

    /// The same of where it keeps what it sends.
    #[inline]
    pub fn glance_at_served(&self) {
        self.served.glance();
    }

    /// When [`crate::Input::Tick`] is next wanted.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        Some(self.patience.ends(self.waits_since()?))
    }

    /// Whether [`crate::Input::Tick`] is wanted by then. Most often the least that nodes wait says that it is not, before it is looked at how long this one does.
    #[must_use]
    pub fn is_due_by(&self, time: Time) -> bool {
        let is_due = |since: Time| since + STALL_TIMEOUT <= time && self.patience.ends(since) <= time;
        self.waits_since().is_some_and(is_due)
    }

    fn waits_since(&self) -> Option<Time> {
        let first = self.awaited?.since;
        Some(self.second().map_or(first, |second| first.min(second.since)))
    }

    /// A peer announced a block. None when that is not for a node at rest; then nothing has changed.
    pub fn hear(
        &mut self,
        ledger: &Ledger,
        (now, neighbour): (Time, &mut Neighbour),
        block: BlockRef,
    ) -> Option<Heard> {
        let is_it = block == self.tip || self.awaited() == Some(block);
        let is_next = self.awaited.is_none() && ledger.parent(block) == Some(self.tip);
        if is_it || (!is_next && self.has_beside(block)) {
            neighbour.note(ledger, block);
            self.note_source(neighbour, block);
            return Some(Heard::Nothing);
        }
        let header = ledger.header(block);
        let is_due = || chain::header::check_not_future(header, self.clock.unix_secs(now), ledger.params()).is_ok();
        if !is_due() || !(is_next || self.may_be_rival(ledger, neighbour.peer, block)) {
            return None;
        }
        self.wait_for(ledger, (now, neighbour), block);
        Some(if is_next { Heard::Next } else { Heard::Rival })
    }

    /// Who announced a block is asked for its body.
    fn wait_for(&mut self, ledger: &Ledger, (now, neighbour): (Time, &mut Neighbour), block: BlockRef) {
        neighbour.note(ledger, block);
        let of = neighbour.peer;
        let awaited = Awaited { block, of, since: now };
        if self.awaited.is_none() {
            self.awaited = Some(awaited);
        } else {
            self.contest().second = Some(awaited);
        }
        self.note_source(neighbour, block);
        self.make_progress(of, now);
        self.moved_at = now;
    }

    /// The body of a block came from a peer. When it is one that is waited for, it is connected; what comes of it. Otherwise nothing has changed.
    pub fn gain(
        &mut self,
        ledger: &Ledger,
        (now, peer): (Time, NodeId),
        (block, body): (BlockRef, &Arc<Block>),
    ) -> Option<Gained> {
        let is_it = |awaited: &Awaited| awaited.block == block;
        let awaited = self.awaited.filter(is_it).or_else(|| self.second().filter(is_it))?;
        // Another body with the same header may be anything.
        let is_known = ledger.is_valid(block) && ledger.body(block).is_some_and(|known| Arc::ptr_eq(known, body));
        if !is_known {
            return None;
        }
        if awaited.of == peer {
            self.patience.learn(now.since(awaited.since));
            self.make_progress(peer, now);
        } else {
            self.settle_late(now, peer, awaited)?;
        }
        Some(self.connect(ledger, now, block))
    }

    /// A block that was waited for is here.
    fn connect(&mut self, ledger: &Ledger, now: Time, block: BlockRef) -> Gained {
        let follows = ledger.parent(block) == Some(self.tip);
        let first = self.awaited.take_if(|awaited| awaited.block != block);
        self.awaited = None;
        let is_progress = if follows && !self.is_contested {
            true
        } else {
            let rivals = self.contest();
            let is_progress = rivals.connect((block, follows), first.map(|first| first.block));
            let second = rivals.second.take();
            self.is_contested = rivals.is_contest();
            self.awaited = first.or(second);
            is_progress
        };
        if is_progress {
            self.moved_at = now;
        }
        if follows {
            self.tip = block;
            self.followed_at = now;
            Gained::Followed
        } else {
            Gained::Aside
        }
    }

    /// A peer asks for a block's body. Whether it is sent; otherwise nothing has changed.
    ///
    /// What the node may have sent before it came to rest is for the node to count.
    pub fn serve(&mut self, ledger: &Ledger, (now, to): (Time, NodeId), block: BlockRef) -> bool {
        let was_sent_before = || self.sent_before.as_ref().is_none_or(|sent| sent.contains(&to));
        let is_above_base = || ledger.height(block) > ledger.height(self.base) && ledger.is_ancestor(block, self.tip);
        let is_new = if block == self.base {
            !was_sent_before()
        } else {
            block == self.tip || is_above_base()
        };
        is_new && ledger.body(block).is_some() && self.served.count((to, block), now)
    }
}

impl Node {
    /// The node as it rests, and what it knows of its peers, in their order; none when it cannot rest. From then on it is to be asked nothing, and handed nothing
    /// before [`Node::resume`].
    ///
    /// Only a node that tells of no messages, whose blocks are drawn and that announces by headers rests ([`Node::without_messages`], [`Node::drawn`],
    /// [`Relay::Headers`]).
    #[must_use]
    pub fn rest(&self, ledger: &Ledger) -> Option<Resting> {
        // No deadline: nobody is waited for, nothing is held, queued or planned.
        let is_plain = self.is_drawn
            && !self.tells_messages
            && self.deadline.is_none()
            && self.config.strategy == Strategy::Honest
            && self.config.relay == Relay::Headers;
        let tip = self.knowledge.tip();
        let is_at_tip = || self.knowledge.is_at_tip(ledger) && self.sync_peer.is_none() && self.presync.is_none();
        let is_idle = || self.peers.are_settled() && self.bodies.is_idle() && self.future.is_empty();
        let without_transactions = || self.pool.is_empty() && self.relay.is_idle() && self.miner.owes_nothing();
        let is_heavy = || ledger.work(tip) >= self.config.minimum_work;
        if !is_plain || !is_at_tip() || !is_idle() || !without_transactions() || !is_heavy() {
            return None;
        }
        let is_up_to_date = |peer: &Peer| {
            let is_below = peer.best.is_none_or(|best| ledger.work(best) <= ledger.work(tip));
            peer.stage == Stage::Ready && peer.unconnecting == 0 && peer.told == Some(tip) && is_below
        };
        if !self.peers.all().all(|(_, peer)| is_up_to_date(peer)) {
            return None;
        }
        let (debts, rivals) = (self.debts(ledger)?, self.rivals(ledger));
        let (has_debts, is_contested) = (!debts.are_settled(), rivals.is_contest());
        Some(Resting {
            tip,
            base: tip,
            awaited: None,
            moved_at: self.progress_at,
            followed_at: self.progress_at,
            patience: self.bodies.fetch.patience(),
            clock: self.clock.as_set(),
            sent_before: self.tip_sent.clone().map(Box::new),
            served: ServedAtRest::default(),
            seldom: (has_debts || !rivals.are_none()).then(|| Box::new(Seldom { debts, rivals })),
            has_debts,
            is_contested,
            tosses: self.config.tie == Tie::Random,
        })
    }

    /// What a node that comes to rest knows of its peers, in their order.
    pub fn neighbours(&self) -> impl Iterator<Item = Neighbour> {
        self.peers.all().map(|(peer, row)| Neighbour { peer, best: row.best })
    }

    /// What the node searches for, when it mines: what a resting node does not look at, because it stays the same.
    #[must_use]
    pub fn goal(&self, ledger: &Ledger) -> Option<CompactTarget> {
        (self.config.hashrate > HashRate::ZERO).then(|| ledger.next_bits(self.knowledge.tip()))
    }

    /// Goes on with what came of it while it was at rest.
    ///
    /// # Panics
    /// When the peers are not those that it had when it came to rest.
    pub fn resume(&mut self, ledger: &Ledger, resting: Resting, neighbours: impl Iterator<Item = Neighbour>) {
        let Resting {
            tip,
            base,
            awaited,
            moved_at,
            followed_at,
            patience,
            clock: _,
            sent_before: _,
            served,
            seldom,
            has_debts: _,
            is_contested: _,
            tosses: _,
        } = resting;
        self.progress_at = moved_at;
        self.bodies.fetch.set_patience(patience);
        let Seldom { debts, rivals } = seldom.map_or_else(Seldom::default, |seldom| *seldom);
        self.owe(ledger, &debts);
        self.take_chain(ledger, (base, tip), &rivals);
        if tip != base {
            self.knowledge.follow(tip);
            self.tip_sent = Some(Vec::new());
            self.ties.settle();
            self.miner.searched(followed_at, self.config.hashrate);
            self.heard = None;
        }
        for (neighbour, (peer, row)) in neighbours.zip(self.peers.all_mut()) {
            assert_eq!(neighbour.peer, peer, "who rests has the same peers");
            row.best = neighbour.best;
            row.told = Some(tip);
        }
        for awaited in [awaited, rivals.second].into_iter().flatten() {
            self.await_body(ledger, awaited, |peer| rivals.is_also_source(peer, awaited.block));
            let late = debts.late.iter().filter(|late| late.block == awaited.block);
            let asked = late.map(|late| (late.of, late.asked_at));
            for (of, at) in asked.chain([(awaited.of, awaited.since)]) {
                let times = debts.times_asked(of, awaited.block);
                self.bodies.fetch.note_asked(of, &ledger.id(awaited.block), (times, at));
            }
        }
        for Served { to, block, at } in served.all() {
            let item = Item::Block(ledger.id(block));
            if let Some(peer) = self.peers.get_mut(to) {
                peer.served.count(item, at);
            }
            self.note_tip_sent(ledger, to, &item);
        }
    }

    /// A block's header was accepted, and a peer asked for its body. Others have announced it since, and some of them another of the same work before.
    fn await_body(&mut self, ledger: &Ledger, awaited: Awaited, is_also_source: impl Fn(NodeId) -> bool) {
        let Awaited { block, of, since } = awaited;
        let (id, height) = (ledger.id(block), ledger.height(block));
        self.knowledge.accept_once(ledger, block);
        self.bodies.add_target(Target::of_one(id, block, height));
        self.bodies.fetch.take_over(of, (id, height), since);
        for (peer, row) in self.peers.all_mut() {
            if peer == of {
                row.owes(&Item::Block(id));
            } else if row.best == Some(block) || is_also_source(peer) {
                self.bodies.fetch.add_source(peer, id, since);
            }
        }
        self.heard = None;
        self.deadline = self.bodies.fetch.deadline().map(|at| (at, Wake::BlockOverdue));
        self.deadline_without_payments = self.deadline;
    }
}
