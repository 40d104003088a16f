//! Which bodies are wanted, who has them, who was asked, and when to give up on an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base::{NodeId, Time};
use chain::{BlockId, Height};

use crate::limits::{
    ASK_AGAIN_AFTER, BLOCK_WINDOW, MAX_ASKED_PER_BLOCK, MAX_BLOCKS_IN_FLIGHT, MAX_BLOCKS_OWED, MAX_BLOCKS_WANTED,
    MAX_STALL_TIMEOUT, STALL_TIMEOUT,
};

/// One node's requests for bodies.
///
/// A body is asked of one peer at a time. Links are reliable and ordered, so a request is lost only where a link is cut: a peer stalls when it
/// owes bodies and sends none for the stall timeout, however many it owes. What it owes is then asked of others, but an answer that comes late
/// all the same is still an answer to a question of ours, until the peer is gone.
#[derive(Clone, Debug)]
pub struct BlockFetch {
    wanted: BTreeMap<BlockId, Wanted>,
    /// Wanted, in nobody's flight, and some source may be asked.
    due: BTreeSet<(Height, BlockId)>,
    /// Asked of a peer that is being waited for.
    flying: BTreeSet<(Height, BlockId)>,
    peers: BTreeMap<NodeId, Peer>,
    stall_timeout: Duration,
}

#[derive(Clone, Debug)]
struct Wanted {
    height: Height,
    sources: BTreeMap<NodeId, Source>,
    asked_of: Option<NodeId>,
    /// Nobody wants it any more, but it was asked for: remembered until the answer is settled, lest it be asked for twice.
    is_idle: bool,
}

/// A peer that has announced a block, or implied that it has it.
#[derive(Clone, Copy, Debug, Default)]
struct Source {
    /// Cleared when the peer says that it has it not.
    has_it: bool,
    /// It sent another body in its place.
    is_liar: bool,
    times_asked: u8,
    last_asked: Time,
}

impl Source {
    const fn may_be_asked(self) -> bool {
        self.has_it && self.times_asked < MAX_ASKED_PER_BLOCK
    }
}

#[derive(Clone, Debug, Default)]
struct Peer {
    /// Asked of it and waited for.
    in_flight: BTreeSet<BlockId>,
    /// Asked of it and no longer waited for; the answer may still come.
    given_up: BTreeSet<BlockId>,
    /// When it last answered, or was asked while it owed nothing.
    progress: Time,
    /// How many due bodies it may be asked for.
    offers: usize,
}

impl Peer {
    fn has_room(&self) -> bool {
        self.in_flight.len() < MAX_BLOCKS_IN_FLIGHT && self.owed() < MAX_BLOCKS_OWED
    }

    fn owed(&self) -> usize {
        self.in_flight.len() + self.given_up.len()
    }
}

impl BlockFetch {
    /// Nothing is wanted, nobody is known.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            wanted: BTreeMap::new(),
            due: BTreeSet::new(),
            flying: BTreeSet::new(),
            peers: BTreeMap::new(),
            stall_timeout: STALL_TIMEOUT,
        }
    }

    /// A peer that may be asked, once it is a source of something.
    pub fn add_peer(&mut self, peer: NodeId) {
        self.peers.entry(peer).or_default();
    }

    /// The peer is gone: what was asked of it is asked of others, and nothing of it remains.
    pub fn remove_peer(&mut self, peer: NodeId) {
        self.peers.remove(&peer);
        let blocks: Vec<BlockId> = self.wanted.keys().copied().collect();
        for block in blocks {
            self.revise(&block, |wanted| {
                wanted.sources.remove(&peer);
                wanted.stop_waiting_for(peer);
            });
        }
    }

    /// The body of this block is wanted. Whether it is (now, or was before): `false` when [`MAX_BLOCKS_WANTED`] others are.
    pub fn want(&mut self, block: BlockId, height: Height) -> bool {
        if let Some(wanted) = self.wanted.get_mut(&block) {
            wanted.is_idle = false;
            return true;
        }
        if self.wanted.len() >= MAX_BLOCKS_WANTED {
            return false;
        }
        let wanted = Wanted {
            height,
            sources: BTreeMap::new(),
            asked_of: None,
            is_idle: false,
        };
        self.wanted.insert(block, wanted);
        true
    }

    /// The body is not wanted any more. One that was asked for is expected all the same, and when it is wanted again before it came, nobody
    /// is asked anew.
    pub fn unwant(&mut self, block: &BlockId) {
        self.revise(block, |wanted| wanted.is_idle = true);
    }

    /// The body has arrived and is settled, or can never be. Whoever was asked for it still may answer.
    pub fn forget(&mut self, block: &BlockId) {
        let Some(wanted) = self.wanted.remove(block) else {
            return;
        };
        if self.due.remove(&(wanted.height, *block)) {
            count_offers(&mut self.peers, &wanted, |offers| *offers -= 1);
        }
        self.flying.remove(&(wanted.height, *block));
        if let Some(peer) = wanted.asked_of {
            let peer = self
                .peers
                .get_mut(&peer)
                .expect("a peer that leaves is asked for nothing");
            peer.in_flight.remove(block);
            peer.given_up.insert(*block);
        }
    }

    /// The peer announced a wanted block, or a descendant of it. Says nothing about blocks that are not wanted, or of peers that are not known.
    ///
    /// Asked often enough, or owing too much, it has another chance now and then: what it was asked may have been lost on a link that was cut.
    pub fn add_source(&mut self, peer: NodeId, block: BlockId, now: Time) {
        let Some(announcer) = self.peers.get_mut(&peer) else {
            return;
        };
        if announcer.owed() >= MAX_BLOCKS_OWED && announcer.progress + ASK_AGAIN_AFTER <= now {
            announcer.given_up.clear();
        }
        self.revise(&block, |wanted| {
            let source = wanted.sources.entry(peer).or_default();
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
        let was_asked = self.answered(peer, block, now);
        if was_asked {
            self.stall_timeout = (self.stall_timeout / 2).max(STALL_TIMEOUT);
        }
        was_asked
    }

    /// The peer says that it does not have the body; whether it was asked. It is asked again when it announces the block again.
    pub fn not_found(&mut self, peer: NodeId, block: &BlockId, now: Time) -> bool {
        let was_asked = self.answered(peer, block, now);
        self.revise(block, |wanted| {
            if let Some(source) = wanted.sources.get_mut(&peer) {
                source.has_it = false;
            }
        });
        was_asked
    }

    /// The body that this peer sent is not the one its header commits to: this peer is never asked for it again, another is at once.
    pub fn failed(&mut self, peer: NodeId, block: &BlockId) {
        if self.peers.contains_key(&peer) {
            self.revise(block, |wanted| {
                let source = wanted.sources.entry(peer).or_default();
                source.is_liar = true;
                source.has_it = false;
            });
        }
    }

    /// What this peer has told of the body leaves gaps that it is now asked to fill: it is waited for like one that was asked for the whole.
    /// `false` when another is being waited for, or this one may not be asked.
    pub fn claim(&mut self, peer: NodeId, block: BlockId, now: Time) -> bool {
        let Some(wanted) = self.wanted.get(&block) else {
            return false;
        };
        let is_free = wanted.asked_of.is_none() && !wanted.is_idle;
        let may_be_asked = wanted.sources.get(&peer).is_some_and(|source| source.may_be_asked());
        if is_free && may_be_asked && self.peers[&peer].has_room() {
            self.wait_for(peer, block, now);
            return true;
        }
        wanted.asked_of == Some(peer)
    }

    /// Adds the requests that are now due: the lowest blocks first, each asked of the source that was asked for it least often, then owes least.
    /// A peer that stalls is asked for what nobody else has.
    pub fn requests(&mut self, now: Time, out: &mut Vec<(NodeId, Vec<BlockId>)>) {
        let Some(end) = self.window_end().filter(|_| self.somebody_has_room()) else {
            return;
        };
        let mut requests: BTreeMap<NodeId, Vec<BlockId>> = BTreeMap::new();
        let due: Vec<(Height, BlockId)> = self.due.range(..(end, BlockId::ZERO)).copied().collect();
        for (_, block) in due {
            if !self.somebody_has_room() {
                break;
            }
            let Some(peer) = self.best_source(&block) else {
                continue;
            };
            self.ask(peer, block, now);
            requests.entry(peer).or_default().push(block);
        }
        out.extend(requests);
    }

    /// The requests of peers that stall: no longer waited for, and due to be asked of others. The timeout doubles for all.
    pub fn overdue(&mut self, now: Time) -> Vec<(NodeId, BlockId)> {
        let mut overdue = Vec::new();
        for (&id, peer) in &mut self.peers {
            if !peer.in_flight.is_empty() && peer.progress + self.stall_timeout <= now {
                overdue.extend(peer.in_flight.iter().map(|&block| (id, block)));
                peer.given_up.append(&mut peer.in_flight);
            }
        }
        for (peer, block) in &overdue {
            self.revise(block, |wanted| wanted.stop_waiting_for(*peer));
        }
        if !overdue.is_empty() {
            self.stall_timeout = (self.stall_timeout * 2).min(MAX_STALL_TIMEOUT);
        }
        overdue
    }

    /// When [`BlockFetch::overdue`] next has something to say.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        if self.flying.is_empty() {
            return None;
        }
        let waited_for = self.peers.values().filter(|peer| !peer.in_flight.is_empty());
        waited_for.map(|peer| peer.progress + self.stall_timeout).min()
    }

    /// Whether the body is wanted.
    #[must_use]
    pub fn is_wanted(&self, block: &BlockId) -> bool {
        self.wanted.get(block).is_some_and(|wanted| !wanted.is_idle)
    }

    /// How many bodies are waited for from this peer.
    #[must_use]
    pub fn in_flight(&self, peer: NodeId) -> usize {
        self.peers.get(&peer).map_or(0, |peer| peer.in_flight.len())
    }

    /// Whether nothing is kept about this peer.
    #[must_use]
    pub fn is_empty_of(&self, peer: NodeId) -> bool {
        let named = |wanted: &Wanted| wanted.asked_of == Some(peer) || wanted.sources.contains_key(&peer);
        !self.peers.contains_key(&peer) && !self.wanted.values().any(named)
    }

    fn somebody_has_room(&self) -> bool {
        self.peers.values().any(|peer| peer.offers > 0 && peer.has_room())
    }

    /// The first height beyond the window, which starts at the lowest body that can still come.
    fn window_end(&self) -> Option<Height> {
        let due = self.due.first()?.0;
        let lowest = self.flying.first().map_or(due, |&(height, _)| height.min(due));
        Some(Height(lowest.0.saturating_add(BLOCK_WINDOW)))
    }

    /// Whom to ask for a block, if anybody it could be asked of has room.
    fn best_source(&self, block: &BlockId) -> Option<NodeId> {
        let sources = self.wanted.get(block)?.sources.iter();
        let candidates: Vec<(NodeId, u8, &Peer)> = sources
            .filter(|(_, source)| source.may_be_asked())
            .map(|(id, source)| (*id, source.times_asked, &self.peers[id]))
            .collect();
        let all_stall = candidates.iter().all(|(_, _, peer)| !peer.given_up.is_empty());
        let best = candidates
            .into_iter()
            .filter(|(_, _, peer)| peer.has_room() && (all_stall || peer.given_up.is_empty()))
            .min_by_key(|(id, times_asked, peer)| (*times_asked, peer.owed(), *id));
        best.map(|(id, _, _)| id)
    }

    fn ask(&mut self, peer: NodeId, block: BlockId, now: Time) {
        self.wait_for(peer, block, now);
        self.revise(&block, |wanted| {
            let source = wanted.sources.get_mut(&peer).expect("only a source is asked");
            source.times_asked += 1;
            source.last_asked = now;
        });
    }

    fn wait_for(&mut self, peer: NodeId, block: BlockId, now: Time) {
        let asked = self.peers.get_mut(&peer).expect("sources are peers");
        if asked.in_flight.is_empty() {
            asked.progress = now;
        }
        asked.given_up.remove(&block);
        asked.in_flight.insert(block);
        self.revise(&block, |wanted| wanted.asked_of = Some(peer));
    }

    /// The peer owes this answer no longer; whether it did.
    fn answered(&mut self, peer: NodeId, block: &BlockId, now: Time) -> bool {
        let Some(answering) = self.peers.get_mut(&peer) else {
            return false;
        };
        let was_waited_for = answering.in_flight.remove(block);
        if was_waited_for {
            answering.progress = now;
        }
        let was_asked = was_waited_for || answering.given_up.remove(block);
        self.revise(block, |wanted| wanted.stop_waiting_for(peer));
        was_asked
    }

    /// Changes what is known of a wanted block, and files it anew.
    fn revise(&mut self, block: &BlockId, change: impl FnOnce(&mut Wanted)) {
        let Some(wanted) = self.wanted.get_mut(block) else {
            return;
        };
        let key = (wanted.height, *block);
        if wanted.is_due() {
            count_offers(&mut self.peers, wanted, |offers| *offers -= 1);
        }
        change(wanted);
        if wanted.is_due() {
            count_offers(&mut self.peers, wanted, |offers| *offers += 1);
        }
        let (is_due, is_flying) = (wanted.is_due(), wanted.asked_of.is_some());
        let is_done_with = wanted.is_idle && !is_flying;
        file(&mut self.flying, key, is_flying);
        file(&mut self.due, key, is_due);
        if is_done_with {
            self.wanted.remove(block);
        }
    }
}

impl Default for BlockFetch {
    fn default() -> Self {
        Self::new()
    }
}

impl Wanted {
    fn is_due(&self) -> bool {
        !self.is_idle && self.asked_of.is_none() && self.sources.values().any(|source| source.may_be_asked())
    }

    fn stop_waiting_for(&mut self, peer: NodeId) {
        if self.asked_of == Some(peer) {
            self.asked_of = None;
        }
    }
}

/// Counts a due body in, or out, for each peer that may be asked for it.
fn count_offers(peers: &mut BTreeMap<NodeId, Peer>, wanted: &Wanted, count: impl Fn(&mut usize)) {
    for (id, _) in wanted.sources.iter().filter(|(_, source)| source.may_be_asked()) {
        // One that has just left is not counted any more.
        if let Some(peer) = peers.get_mut(id) {
            count(&mut peer.offers);
        }
    }
}

fn file(set: &mut BTreeSet<(Height, BlockId)>, key: (Height, BlockId), belongs: bool) {
    if belongs {
        set.insert(key);
    } else {
        set.remove(&key);
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
