//! Which peers have which transactions, and of which they are still to be told.

use std::sync::Arc;

use base::NodeId;
use chain::Wtxid;
use gossip::Holders;

use crate::limits::MAX_QUEUED_ANNOUNCEMENTS;

/// What is known of the peers, and one queue for all of them: what is new here is new to most.
#[derive(Debug)]
pub(crate) struct Announcements {
    holders: Holders,
    /// All peers will be told of these who do not have them, at most [`MAX_QUEUED_ANNOUNCEMENTS`].
    queue: Vec<Wtxid>,
    /// Peers that came while these were waiting.
    newcomers: Vec<Newcomer>,
}

/// A peer that is told of what was here when it came.
#[derive(Debug)]
struct Newcomer {
    peer: NodeId,
    waiting: Vec<Wtxid>,
    /// How much of the queue there was when it came, of which it is not told.
    from: usize,
}

impl Newcomer {
    /// Which part of the queue it is told of.
    fn is_told_of(&self, place: usize) -> bool {
        let room = MAX_QUEUED_ANNOUNCEMENTS - self.waiting.len();
        (self.from..self.from + room).contains(&place)
    }
}

impl Announcements {
    pub(crate) fn new(secret: [u64; 2], peers: impl IntoIterator<Item = NodeId>) -> Self {
        let mut holders = Holders::new(secret);
        for peer in peers {
            holders.add_peer(peer);
        }
        Self {
            holders,
            queue: Vec::new(),
            newcomers: Vec::new(),
        }
    }

    /// A new peer will be told of what waits here, up to a limit. It is not told of what is queued for the others, unless that is among it.
    pub(crate) fn add_peer(&mut self, peer: NodeId, mut waiting: Vec<Wtxid>) {
        waiting.truncate(MAX_QUEUED_ANNOUNCEMENTS);
        self.holders.add_peer(peer);
        let from = self.queue.len();
        self.newcomers.push(Newcomer { peer, waiting, from });
    }

    pub(crate) fn remove_peer(&mut self, peer: NodeId) {
        self.holders.remove_peer(peer);
        self.newcomers.retain(|newcomer| newcomer.peer != peer);
    }

    /// A peer has a transaction.
    pub(crate) fn heard(&mut self, peer: NodeId, wtxid: &Wtxid) {
        self.holders.insert(peer, wtxid);
    }

    /// Whether all peers are known to have a transaction.
    pub(crate) fn all_have(&self, wtxid: &Wtxid) -> bool {
        self.holders.all_have(wtxid)
    }

    /// Will tell all peers of a transaction who are not known to have it; whether there are any, and there is room.
    pub(crate) fn queue(&mut self, wtxid: Wtxid) -> bool {
        let is_queued = self.queue.len() < MAX_QUEUED_ANNOUNCEMENTS && !self.holders.all_have(&wtxid);
        if is_queued {
            self.queue.push(wtxid);
        }
        is_queued
    }

    /// Empties the queue. Gives what each peer is to be told, in the order of peers, of what is still wanted; from now on the peers have it.
    pub(crate) fn take(&mut self, is_wanted: impl Fn(&Wtxid) -> bool) -> Vec<(NodeId, Arc<[Wtxid]>)> {
        // By place among the peers.
        let mut told: Vec<(usize, Wtxid)> = Vec::new();
        let newcomers: Vec<(usize, Newcomer)> = self
            .newcomers
            .drain(..)
            .filter_map(|newcomer| Some((self.holders.place_of(newcomer.peer)?, newcomer)))
            .collect();
        for (at, newcomer) in &newcomers {
            for wtxid in newcomer.waiting.iter().filter(|wtxid| is_wanted(wtxid)) {
                if self.holders.insert(newcomer.peer, wtxid) {
                    told.push((*at, *wtxid));
                }
            }
        }
        let mut lacking = Vec::new();
        for (place, wtxid) in self.queue.drain(..).enumerate() {
            if !is_wanted(&wtxid) {
                continue;
            }
            let is_meant = |at: usize| {
                let newcomer = newcomers.iter().find(|(other, _)| *other == at);
                newcomer.is_none_or(|(_, newcomer)| newcomer.is_told_of(place))
            };
            self.holders.insert_for(&wtxid, is_meant, &mut lacking);
            told.extend(lacking.drain(..).map(|at| (at, wtxid)));
        }
        // Stable: what each is told of stays in its order.
        told.sort_by_key(|(at, _)| *at);
        let mut messages: Vec<(NodeId, Arc<[Wtxid]>)> = Vec::new();
        for group in told.chunk_by(|(a, _), (b, _)| a == b) {
            let (at, _) = group[0];
            let wtxids = || group.iter().map(|(_, wtxid)| *wtxid);
            // Most are told of the same.
            let same = messages.last().filter(|(_, last)| last.iter().copied().eq(wtxids()));
            let message = same.map_or_else(|| wtxids().collect(), |(_, last)| Arc::clone(last));
            messages.push((self.holders.peer(at), message));
        }
        messages
    }
}
