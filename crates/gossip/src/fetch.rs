//! Which bodies are wanted, who has them, who was asked, and when to give up on an answer.

mod patience;
mod rows;
mod single;
mod usual;

use std::time::Duration;

use base::{NodeId, Time};
use chain::{BlockId, Height};

pub use self::patience::Patience;
use self::rows::{Asked, Peer, Source, Wanted};
use crate::limits::{ASK_AGAIN_AFTER, BLOCK_WINDOW, MAX_ASKED_PER_BLOCK, MAX_BLOCKS_OWED, MAX_BLOCKS_WANTED};

/// One node's requests for bodies.
///
/// A body is asked of one peer at a time. Links are reliable and ordered, so a request is lost only where a link is cut: a peer stalls when it
/// owes bodies and sends none for the stall timeout, however many it owes. That is two seconds, or as long as bodies usually take here. What it owes is then asked of others, but an answer that comes late
/// all the same is still an answer to a question of ours, until the peer is gone.
///
/// Between blocks nothing is wanted, and at the tip one body is: rows in order take less room than trees, and are as quick to look through.
#[derive(Clone, Debug)]
pub struct BlockFetch {
    /// In the order of names.
    wanted: Vec<Wanted>,
    /// In the order of names.
    peers: Vec<Peer>,
    /// Questions that were not answered.
    asked: Vec<Asked>,
    /// How many are wanted, in nobody's flight, and some source may be asked.
    due: usize,
    /// How many are asked of a peer that is being waited for.
    flying: usize,
    /// Room for sources, used again.
    room: Vec<Source>,
    patience: Patience,
}

impl BlockFetch {
    /// Nothing is wanted, nobody is known.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            wanted: Vec::new(),
            peers: Vec::new(),
            asked: Vec::new(),
            due: 0,
            flying: 0,
            room: Vec::new(),
            patience: Patience::new(),
        }
    }

    /// A peer that may be asked, once it is a source of something.
    pub fn add_peer(&mut self, id: NodeId) {
        if let Err(at) = self.find_peer(id) {
            let peer = Peer {
                id,
                in_flight: 0,
                given_up: 0,
                offers: 0,
                progress: Time::ZERO,
            };
            self.peers.insert(at, peer);
        }
    }

    /// The peer is gone: what was asked of it is asked of others, and nothing of it remains.
    pub fn remove_peer(&mut self, peer: NodeId) {
        if let Ok(at) = self.find_peer(peer) {
            self.peers.remove(at);
        }
        self.asked.retain(|asked| asked.of != peer);
        for at in (0..self.wanted.len()).rev() {
            self.revise_at(at, |wanted| {
                wanted.sources.retain(|source| source.peer != peer);
                wanted.stop_waiting_for(peer);
            });
        }
    }

    /// The body of this block is wanted. Whether it is (now, or was before): `false` when [`MAX_BLOCKS_WANTED`] others are.
    pub fn want(&mut self, block: BlockId, height: Height) -> bool {
        match self.find(&block) {
            Ok(at) => {
                self.revise_at(at, |wanted| wanted.is_idle = false);
                true
            }
            Err(_) if self.wanted.len() >= MAX_BLOCKS_WANTED => false,
            Err(at) => {
                let wanted = Wanted {
                    block,
                    height,
                    sources: std::mem::take(&mut self.room),
                    asked_of: None,
                    is_idle: false,
                    is_due: false,
                };
                self.wanted.insert(at, wanted);
                true
            }
        }
    }

    /// The body is not wanted any more. One that was asked for is expected all the same, and when it is wanted again before it came, nobody
    /// is asked anew.
    pub fn unwant(&mut self, block: &BlockId) {
        self.revise(block, |wanted| wanted.is_idle = true);
    }

    /// The body has arrived and is settled, or can never be. Whoever was asked for it still may answer.
    pub fn forget(&mut self, block: &BlockId) {
        let Ok(at) = self.find(block) else { return };
        if let Some(peer) = self.wanted[at].asked_of {
            self.give_up(peer, block);
        }
        self.remove_at(at);
    }

    /// The peer announced a wanted block, or a descendant of it. Says nothing about blocks that are not wanted, or of peers that are not known.
    ///
    /// Asked often enough, or owing too much, it has another chance now and then: what it was asked may have been lost on a link that was cut.
    pub fn add_source(&mut self, peer: NodeId, block: BlockId, now: Time) {
        let Ok(announcer) = self.find_peer(peer) else { return };
        let announcer = &mut self.peers[announcer];
        if announcer.owed() >= MAX_BLOCKS_OWED && announcer.progress + ASK_AGAIN_AFTER <= now {
            announcer.given_up = 0;
            self.asked.retain(|asked| asked.of != peer || asked.is_waited_for);
        }
        self.revise(&block, |wanted| {
            let source = wanted.source(peer);
            source.has_it = !source.is_liar;
            if source.times_asked == MAX_ASKED_PER_BLOCK && source.last_asked + ASK_AGAIN_AFTER <= now {
                source.times_asked -= 1;
            }
        });
    }

    /// A body came from this peer; whether it was asked of this peer. What was asked of others stays asked.
    ///
    /// Until it is settled ([`BlockFetch::forget`]) or found bad ([`BlockFetch::failed`]) it is wanted as before.
    pub fn received(&mut self, peer: NodeId, block: &BlockId, now: Time) -> bool {
        let Some(silence) = self.answered(peer, block, now) else {
            return false;
        };
        self.patience.learn(silence);
        true
    }

    /// The peer says that it does not have the body; whether it was asked. It is asked again when it announces the block again.
    pub fn not_found(&mut self, peer: NodeId, block: &BlockId, now: Time) -> bool {
        let was_asked = self.answered(peer, block, now).is_some();
        self.revise(block, |wanted| {
            if let Ok(at) = wanted.find_source(peer) {
                wanted.sources[at].has_it = false;
            }
        });
        was_asked
    }

    /// The body that this peer sent is not the one its header commits to: this peer is never asked for it again, another is at once.
    pub fn failed(&mut self, peer: NodeId, block: &BlockId) {
        if self.find_peer(peer).is_ok() {
            self.revise(block, |wanted| {
                let source = wanted.source(peer);
                source.is_liar = true;
                source.has_it = false;
            });
        }
    }

    /// What this peer has told of the body leaves gaps that it is now asked to fill: it is waited for like one that was asked for the whole.
    /// `false` when another is being waited for, or this one may not be asked.
    pub fn claim(&mut self, peer: NodeId, block: BlockId, now: Time) -> bool {
        let Ok(at) = self.find(&block) else { return false };
        let wanted = &self.wanted[at];
        let is_free = wanted.asked_of.is_none() && !wanted.is_idle;
        let source = wanted.find_source(peer).map(|at| wanted.sources[at]);
        let may_be_asked = source.is_ok_and(Source::may_be_asked);
        if is_free && may_be_asked && self.peer(peer).has_room() {
            self.wait_for(peer, block, now);
            return true;
        }
        wanted.asked_of == Some(peer)
    }

    /// Adds the requests that are now due: the lowest blocks first, each asked of the source that was asked for it least often, then owes least.
    /// A peer that stalls is asked for what nobody else has.
    pub fn requests(&mut self, now: Time, out: &mut Vec<(NodeId, Vec<BlockId>)>) {
        if self.due == 0 || !self.somebody_has_room() {
            return;
        }
        let end = self.window_end();
        let mut requests: Vec<(NodeId, Vec<BlockId>)> = Vec::new();
        while self.somebody_has_room()
            && let Some((block, peer)) = self.next_request(end)
        {
            self.ask(peer, block, now);
            match requests.binary_search_by_key(&peer, |(peer, _)| *peer) {
                Ok(at) => requests[at].1.push(block),
                Err(at) => requests.insert(at, (peer, vec![block])),
            }
        }
        out.extend(requests);
    }

    /// The lowest block below this height that somebody can be asked for now, and whom to ask; of equal height, the one whose name comes first.
    ///
    /// In initial sync a thousand are due and one can be asked for, so that sorting them would be most of the work.
    fn next_request(&self, end: Height) -> Option<(BlockId, NodeId)> {
        let mut lowest: Option<(&Wanted, NodeId)> = None;
        for wanted in &self.wanted {
            let is_lowest = lowest.is_none_or(|(lowest, _)| wanted.height < lowest.height);
            if wanted.is_due && wanted.height < end && is_lowest {
                lowest = self.best_source(wanted).map(|peer| (wanted, peer)).or(lowest);
            }
        }
        lowest.map(|(wanted, peer)| (wanted.block, peer))
    }

    /// The requests of peers that stall: no longer waited for, and due to be asked of others. The timeout doubles for all.
    pub fn overdue(&mut self, now: Time) -> Vec<(NodeId, BlockId)> {
        let mut overdue = Vec::new();
        if self.flying == 0 {
            return overdue;
        }
        for peer in &mut self.peers {
            if peer.in_flight > 0 && self.patience.ends(peer.progress) <= now {
                peer.given_up += std::mem::take(&mut peer.in_flight);
                for asked in self.asked.iter_mut().filter(|asked| asked.of == peer.id) {
                    if std::mem::take(&mut asked.is_waited_for) {
                        overdue.push((peer.id, asked.block));
                    }
                }
            }
        }
        for (peer, block) in &overdue {
            self.revise(block, |wanted| wanted.stop_waiting_for(*peer));
        }
        if !overdue.is_empty() {
            self.patience.wear_out();
        }
        overdue
    }

    /// For when no further bodies can be wanted before the lowest has come: what its holder owes is due to be asked of others, at once, if one that
    /// has the lowest has nothing to do. A peer may be slow and steady, so that it never stalls; it holds up nobody (THREATS M7).
    pub fn hurry(&mut self) {
        let is_idle = |peer: &Peer| peer.in_flight == 0 && peer.given_up == 0;
        if self.due > 0 || self.flying == 0 || !self.peers.iter().any(is_idle) {
            return;
        }
        let in_flight = self.wanted.iter().filter(|wanted| wanted.asked_of.is_some());
        let Some(lowest) = in_flight.min_by_key(|wanted| wanted.height) else {
            return;
        };
        let could_come = |source: &Source| source.may_be_asked() && is_idle(self.peer(source.peer));
        let Some(holder) = lowest.asked_of.filter(|_| lowest.sources.iter().any(could_come)) else {
            return;
        };
        let owed: Vec<BlockId> = self.waited_for(holder).collect();
        for block in owed {
            self.give_up(holder, &block);
            self.revise(&block, |wanted| wanted.stop_waiting_for(holder));
        }
    }

    fn waited_for(&self, peer: NodeId) -> impl Iterator<Item = BlockId> {
        let asked = self
            .asked
            .iter()
            .filter(move |asked| asked.of == peer && asked.is_waited_for);
        asked.map(|asked| asked.block)
    }

    /// When [`BlockFetch::overdue`] next has something to say.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        if self.flying == 0 {
            return None;
        }
        let waited_for = self.asked.iter().filter(|asked| asked.is_waited_for);
        let silent_since = waited_for.map(|asked| self.peer(asked.of).progress).min()?;
        Some(self.patience.ends(silent_since))
    }

    /// Whether the body is wanted.
    #[must_use]
    pub fn is_wanted(&self, block: &BlockId) -> bool {
        self.find(block).is_ok_and(|at| !self.wanted[at].is_idle)
    }

    /// Whether the body is wanted and waited for, and no other is wanted.
    #[must_use]
    pub fn is_asked_only_for(&self, block: &BlockId) -> bool {
        let [wanted] = self.wanted.as_slice() else {
            return false;
        };
        wanted.block == *block && !wanted.is_idle && wanted.asked_of.is_some()
    }

    /// How many bodies are waited for from this peer.
    #[must_use]
    pub fn in_flight(&self, peer: NodeId) -> usize {
        self.find_peer(peer).map_or(0, |at| self.peers[at].in_flight.into())
    }

    /// Whether nothing is kept about this peer.
    #[must_use]
    pub fn is_empty_of(&self, peer: NodeId) -> bool {
        let named = |wanted: &Wanted| wanted.asked_of == Some(peer) || wanted.find_source(peer).is_ok();
        let asked = |asked: &Asked| asked.of == peer;
        self.find_peer(peer).is_err() && !self.wanted.iter().any(named) && !self.asked.iter().any(asked)
    }

    fn somebody_has_room(&self) -> bool {
        self.peers.iter().any(|peer| peer.offers > 0 && peer.has_room())
    }

    /// The first height beyond the window, which starts at the lowest body that can still come.
    fn window_end(&self) -> Height {
        let can_come = |wanted: &&Wanted| wanted.is_due || wanted.asked_of.is_some();
        let lowest = self.wanted.iter().filter(can_come).map(|wanted| wanted.height).min();
        Height(lowest.unwrap_or_default().0.saturating_add(BLOCK_WINDOW))
    }

    /// Whom to ask for a block, if anybody it could be asked of has room.
    fn best_source(&self, wanted: &Wanted) -> Option<NodeId> {
        let sources = &wanted.sources;
        let candidates = || {
            let may_be_asked = sources.iter().filter(|source| source.may_be_asked());
            may_be_asked.map(|source| (source.times_asked, self.peer(source.peer)))
        };
        let all_stall = candidates().all(|(_, peer)| peer.given_up > 0);
        let best = candidates()
            .filter(|(_, peer)| peer.has_room() && (all_stall || peer.given_up == 0))
            .min_by_key(|(times_asked, peer)| (*times_asked, peer.owed(), peer.id));
        best.map(|(_, peer)| peer.id)
    }

    fn ask(&mut self, peer: NodeId, block: BlockId, now: Time) {
        self.wait_for(peer, block, now);
        self.revise(&block, |wanted| {
            let at = wanted.find_source(peer).expect("only a source is asked");
            wanted.sources[at].times_asked += 1;
            wanted.sources[at].last_asked = now;
        });
    }

    fn wait_for(&mut self, peer: NodeId, block: BlockId, now: Time) {
        let at = self.find_peer(peer).expect("sources are peers");
        let asked = &mut self.peers[at];
        if asked.in_flight == 0 {
            asked.progress = now;
        }
        asked.in_flight += 1;
        match self.asked.iter_mut().find(|asked| asked.is(peer, &block)) {
            Some(given_up) => {
                given_up.is_waited_for = true;
                self.peers[at].given_up -= 1;
            }
            None => self.asked.push(Asked {
                block,
                of: peer,
                is_waited_for: true,
            }),
        }
        self.revise(&block, |wanted| wanted.asked_of = Some(peer));
    }

    /// The peer is not waited for any more; it may answer all the same.
    fn give_up(&mut self, peer: NodeId, block: &BlockId) {
        let at = self.find_peer(peer).expect("a peer that leaves is asked for nothing");
        let asked = self.asked.iter_mut().find(|asked| asked.is(peer, block));
        asked.expect("who is waited for was asked").is_waited_for = false;
        self.peers[at].in_flight -= 1;
        self.peers[at].given_up += 1;
    }

    /// The peer owes this answer no longer; for how long it had been silent, if it did.
    fn answered(&mut self, peer: NodeId, block: &BlockId, now: Time) -> Option<Duration> {
        let at = self.find_peer(peer).ok()?;
        self.revise(block, |wanted| wanted.stop_waiting_for(peer));
        let asked = self.asked.iter().position(|asked| asked.is(peer, block))?;
        let answering = &mut self.peers[at];
        let silence = now.since(answering.progress);
        if self.asked.swap_remove(asked).is_waited_for {
            answering.in_flight -= 1;
            answering.progress = now;
        } else {
            answering.given_up -= 1;
        }
        Some(silence)
    }

    /// Changes what is known of a wanted block, and counts it anew.
    fn revise(&mut self, block: &BlockId, change: impl FnOnce(&mut Wanted)) {
        if let Ok(at) = self.find(block) {
            self.revise_at(at, change);
        }
    }

    fn revise_at(&mut self, at: usize, change: impl FnOnce(&mut Wanted)) {
        let wanted = &mut self.wanted[at];
        self.due -= usize::from(wanted.is_due);
        self.flying -= usize::from(wanted.asked_of.is_some());
        if wanted.is_due {
            count_offers(&mut self.peers, wanted, |offers| *offers -= 1);
        }
        change(wanted);
        wanted.is_due =
            !wanted.is_idle && wanted.asked_of.is_none() && wanted.sources.iter().any(|source| source.may_be_asked());
        if wanted.is_due {
            count_offers(&mut self.peers, wanted, |offers| *offers += 1);
        }
        self.due += usize::from(wanted.is_due);
        self.flying += usize::from(wanted.asked_of.is_some());
        if wanted.is_idle && wanted.asked_of.is_none() {
            self.remove_at(at);
        }
    }

    fn remove_at(&mut self, at: usize) {
        let mut wanted = self.wanted.remove(at);
        self.due -= usize::from(wanted.is_due);
        self.flying -= usize::from(wanted.asked_of.is_some());
        if wanted.is_due {
            count_offers(&mut self.peers, &wanted, |offers| *offers -= 1);
        }
        wanted.sources.clear();
        self.room = wanted.sources;
    }

    fn find(&self, block: &BlockId) -> Result<usize, usize> {
        self.wanted.binary_search_by_key(block, |wanted| wanted.block)
    }

    fn find_peer(&self, peer: NodeId) -> Result<usize, usize> {
        self.peers.binary_search_by_key(&peer, |peer| peer.id)
    }

    fn peer(&self, peer: NodeId) -> &Peer {
        &self.peers[self.find_peer(peer).expect("sources are peers")]
    }
}

impl Default for BlockFetch {
    fn default() -> Self {
        Self::new()
    }
}

/// Counts a due body in, or out, for each peer that may be asked for it.
fn count_offers(peers: &mut [Peer], wanted: &Wanted, count: impl Fn(&mut u32)) {
    for source in wanted.sources.iter().filter(|source| source.may_be_asked()) {
        // One that has just left is not counted any more.
        if let Ok(at) = peers.binary_search_by_key(&source.peer, |peer| peer.id) {
            count(&mut peers[at].offers);
        }
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
