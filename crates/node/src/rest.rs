//! A node at rest: at the tip, with nothing under way but, at most, the next block's body. It is a few words, and what it does about the next block a few
//! comparisons.
//!
//! Nearly all that nodes of a large network do is this: hear of a block that stands on the tip, ask for it, follow it, tell others, send it to those who
//! ask. [`Node::handle`] does it, too, and looks around each time for all else that might follow. At rest nothing else can. So an engine with many nodes that share a ledger lets
//! them rest ([`Node::rest`]), asks [`Resting`] about what is of this kind, and has the node go on with what came of it ([`Node::resume`]) before it hands it anything else. What
//! a resting node does is what [`Node::handle`] does; tests compare.

mod newcomer;

use std::sync::Arc;

use base::{NodeId, Time};
use chain::{Block, BlockRef, CompactTarget, HashRate, Ledger};
use gossip::limits::MAX_BLOCKS_OWED;
use gossip::{Item, Patience};

use crate::branches::Target;
use crate::clock::Clock;
use crate::config::Relay;
use crate::knowledge::Standing;
use crate::limits::SERVED_REMEMBERED;
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

/// A block that was sent to a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Served {
    to: NodeId,
    block: BlockRef,
    at: Time,
}

/// A body that a resting node waits for no longer, because it took too long; it may come all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Late {
    block: BlockRef,
    of: NodeId,
    asked_at: Time,
}

/// Late answers, and since when those have been silent who owe them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Debts {
    late: Vec<Late>,
    progress: Vec<(NodeId, Time)>,
}

impl Debts {
    /// How many answers this peer owes.
    fn owed(&self, peer: NodeId) -> usize {
        self.late.iter().filter(|late| late.of == peer).count()
    }

    fn find(&self, peer: NodeId, block: BlockRef) -> Option<usize> {
        self.late.iter().position(|late| late.of == peer && late.block == block)
    }

    fn make_progress(&mut self, peer: NodeId, now: Time) {
        self.progress.retain(|(other, _)| *other != peer);
        self.progress.push((peer, now));
    }

    fn silent_since(&self, peer: NodeId) -> Option<Time> {
        let (_, since) = self.progress.iter().find(|(other, _)| *other == peer)?;
        Some(*since)
    }
}

/// What a resting node makes of an announcement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// The peer has a block that is followed or waited for. Nothing else follows.
    Nothing,
    /// A header to accept ([`crate::Event::HeaderAccepted`]): the peer is asked for the body.
    Next,
}

/// A node at rest.
#[derive(Clone, Debug)]
pub struct Resting {
    tip: BlockRef,
    /// The block that the node followed when it came to rest.
    base: BlockRef,
    awaited: Option<Awaited>,
    /// When it last heard of a block, or followed one.
    moved_at: Time,
    followed_at: Time,
    patience: Patience,
    clock: Clock,
    /// Who was sent `base` before, where that is known.
    sent_before: Option<Box<[NodeId]>>,
    served: Vec<Served>,
    /// None while no late answers may come.
    debts: Option<Box<Debts>>,
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

    /// Reads all that is kept of it, and changes nothing; the sum says nothing. An engine with many nodes looks at all at once to whom something is about to happen,
    /// so that their memory is fetched side by side.
    #[must_use]
    pub fn glance(&self) -> usize {
        self.tip.index() + usize::from(self.patience.ends(self.moved_at) > self.followed_at) + self.served.len()
    }

    /// When [`crate::Input::Tick`] is next wanted.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        self.awaited.map(|awaited| self.patience.ends(awaited.since))
    }

    /// A peer announced a block. None when that is not for a node at rest; then nothing has changed.
    pub fn hear(
        &mut self,
        ledger: &Ledger,
        (now, neighbour): (Time, &mut Neighbour),
        block: BlockRef,
    ) -> Option<Heard> {
        if block == self.tip || self.awaited() == Some(block) {
            neighbour.note(ledger, block);
            return Some(Heard::Nothing);
        }
        let header = ledger.header(block);
        let is_due = || chain::header::check_not_future(header, self.clock.unix_secs(now), ledger.params()).is_ok();
        if self.awaited.is_some() || ledger.parent(block) != Some(self.tip) || !is_due() {
            return None;
        }
        neighbour.note(ledger, block);
        let of = neighbour.peer;
        self.awaited = Some(Awaited { block, of, since: now });
        self.make_progress(of, now);
        self.moved_at = now;
        Some(Heard::Next)
    }

    /// The body of a block came from a peer. When it is the one that is waited for, it is connected and followed
    /// ([`crate::Event::BlockReceived`], [`crate::Event::BlockConnected`], [`crate::Event::TipChanged`]), saved, and told by the header alone to all who do not have it
    /// ([`Neighbour::has`]). Otherwise nothing has changed; whether it was.
    pub fn follow(
        &mut self,
        ledger: &Ledger,
        (now, peer): (Time, NodeId),
        (block, body): (BlockRef, &Arc<Block>),
    ) -> bool {
        let Some(awaited) = self.awaited.filter(|awaited| awaited.block == block) else {
            return false;
        };
        // Another body with the same header may be anything.
        let is_known = || ledger.is_valid(block) && ledger.body(block).is_some_and(|known| Arc::ptr_eq(known, body));
        if awaited.of == peer {
            if !is_known() {
                return false;
            }
            self.patience.learn(now.since(awaited.since));
            self.make_progress(peer, now);
        } else {
            // Somebody was asked before, and answers first.
            let Some(debts) = self.debts.as_mut().filter(|_| is_known()) else {
                return false;
            };
            let Some(at) = debts.find(peer, block) else {
                return false;
            };
            debts.late.swap_remove(at);
            let since = debts.silent_since(peer).expect("known of all who owe something");
            self.patience.learn(now.since(since));
            debts.late.push(Late {
                block,
                of: awaited.of,
                asked_at: awaited.since,
            });
            debts.make_progress(awaited.of, awaited.since);
        }
        self.awaited = None;
        self.tip = block;
        self.moved_at = now;
        self.followed_at = now;
        true
    }

    /// A body came from a peer that was asked for it and given up on, while another sent it ([`crate::Event::BlockReceived`], a duplicate): nothing but that
    /// follows. Otherwise nothing has changed; whether it did.
    pub fn receive_late(&mut self, ledger: &Ledger, (now, peer): (Time, NodeId), block: BlockRef) -> bool {
        let Some(debts) = &mut self.debts else { return false };
        let Some(at) = debts.find(peer, block) else {
            return false;
        };
        if !ledger.is_ancestor(block, self.tip) {
            return false;
        }
        debts.late.swap_remove(at);
        let since = debts.silent_since(peer).expect("known of all who owe something");
        self.patience.learn(now.since(since));
        if debts.late.is_empty() {
            self.debts = None;
        }
        true
    }

    /// The body that is waited for is overdue. Who is asked for it instead, of those that have announced it, in the order of their names; none when there is more to it, and then nothing
    /// has changed.
    pub fn ask_another(&mut self, now: Time, mut sources: impl Iterator<Item = NodeId>) -> Option<NodeId> {
        let awaited = self
            .awaited
            .filter(|awaited| self.patience.ends(awaited.since) <= now)?;
        let owed = |peer: NodeId| self.debts.as_ref().map_or(0, |debts| debts.owed(peer));
        // Of those that owe nothing the first comes first; one that does owe something would be asked only if all did.
        let next = sources.find(|peer| *peer != awaited.of && owed(*peer) == 0)?;
        if self.debts.as_ref().map_or(0, |debts| debts.late.len()) + 1 >= MAX_BLOCKS_OWED {
            return None;
        }
        let debts = self.debts.get_or_insert_default();
        debts.late.push(Late {
            block: awaited.block,
            of: awaited.of,
            asked_at: awaited.since,
        });
        debts.make_progress(awaited.of, awaited.since);
        debts.make_progress(next, now);
        self.patience.wear_out();
        self.awaited = Some(Awaited {
            of: next,
            since: now,
            ..awaited
        });
        Some(next)
    }

    fn make_progress(&mut self, peer: NodeId, now: Time) {
        if let Some(debts) = &mut self.debts {
            debts.make_progress(peer, now);
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
        let is_old = |served: &Served| served.at + SERVED_REMEMBERED <= now;
        if self.served.first().is_some_and(is_old) {
            self.served.retain(|served| !is_old(served));
        }
        let was_asked = |served: &Served| served.to == to && served.block == block;
        let is_sent = is_new && ledger.body(block).is_some() && !self.served.iter().any(was_asked);
        if is_sent {
            self.served.push(Served { to, block, at: now });
        }
        is_sent
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
        let is_at_tip = || self.knowledge.is_at_tip() && self.sync_peer.is_none() && self.presync.is_none();
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
        self.peers.all().all(|(_, peer)| is_up_to_date(peer)).then(|| Resting {
            tip,
            base: tip,
            awaited: None,
            moved_at: self.progress_at,
            followed_at: self.progress_at,
            patience: self.bodies.fetch.patience(),
            clock: self.clock,
            sent_before: self.tip_sent.as_deref().map(Box::from),
            served: Vec::new(),
            debts: self.debts(ledger),
        })
    }

    /// The late answers that may still come.
    fn debts(&self, ledger: &Ledger) -> Option<Box<Debts>> {
        let mut debts = Debts::default();
        for (of, block, progress) in self.bodies.fetch.late_answers() {
            let block = ledger.find(block).expect("only known blocks are asked for");
            debts.late.push(Late {
                block,
                of,
                asked_at: progress,
            });
            debts.make_progress(of, progress);
        }
        (!debts.late.is_empty()).then(|| Box::new(debts))
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
            debts,
        } = resting;
        self.progress_at = moved_at;
        self.bodies.fetch.set_patience(patience);
        let debts = debts.unwrap_or_default();
        self.owe(ledger, &debts);
        if tip != base {
            for block in ledger.path(base, tip) {
                self.knowledge.accept_header(ledger, block);
                self.knowledge.connect(ledger, block);
            }
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
        if let Some(Awaited { block, of, since }) = awaited {
            assert_eq!(
                self.knowledge.standing(block),
                Standing::Unknown,
                "it was heard of at rest"
            );
            self.await_body(ledger, (of, since), block);
            for late in debts.late.iter().filter(|late| late.block == block) {
                self.bodies.fetch.note_asked(late.of, &ledger.id(block), late.asked_at);
            }
        }
        for Served { to, block, at } in served {
            let item = Item::Block(ledger.id(block));
            if let Some(peer) = self.peers.get_mut(to) {
                peer.served.count(item, at);
            }
            self.note_tip_sent(ledger, to, &item);
        }
    }

    /// These late answers may still come, and no others.
    fn owe(&mut self, ledger: &Ledger, debts: &Debts) {
        let before: Vec<NodeId> = self.bodies.fetch.late_answers().map(|(of, ..)| of).collect();
        let count = |of: NodeId| before.iter().filter(|other| **other == of).count();
        for (peer, row) in self.peers.all_mut() {
            row.owes_bodies(debts.owed(peer), count(peer));
        }
        let late = debts.late.iter().map(|late| (late.of, ledger.id(late.block)));
        self.bodies.fetch.set_late_answers(late);
        for (peer, at) in &debts.progress {
            self.bodies.fetch.set_progress(*peer, *at);
        }
    }

    /// The next block's header was accepted, and the peer asked for its body. Others have announced it since.
    fn await_body(&mut self, ledger: &Ledger, (of, since): (NodeId, Time), block: BlockRef) {
        let (id, height) = (ledger.id(block), ledger.height(block));
        self.knowledge.accept_header(ledger, block);
        self.bodies.targets.push(Target::of_one(id, block, height));
        self.bodies.fetch.take_over(of, (id, height), since);
        for (peer, row) in self.peers.all_mut() {
            if peer == of {
                row.owes(&Item::Block(id));
            } else if row.best == Some(block) {
                self.bodies.fetch.add_source(peer, id, since);
            }
        }
        self.heard = None;
        self.deadline = Some((self.bodies.fetch.patience().ends(since), Wake::BlockOverdue));
        self.deadline_without_payments = self.deadline;
    }
}
