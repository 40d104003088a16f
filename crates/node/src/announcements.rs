//! Of which transactions peers are still to be told.
//!
//! What peers are known to have stands beside the transactions ([`crate::mempool`]), a bit for each peer.

use std::sync::Arc;

use base::NodeId;
use chain::Wtxid;

use crate::limits::MAX_QUEUED_ANNOUNCEMENTS;
use crate::mempool::Mempool;
use crate::peers::Peers;

/// One queue for all peers: what is new here is new to most.
#[derive(Debug, Default)]
pub(crate) struct Announcements {
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
    /// A new peer will be told of what waits here, up to a limit. It is not told of what is queued for the others, unless that is among it.
    pub(crate) fn add_peer(&mut self, peer: NodeId, mut waiting: Vec<Wtxid>) {
        waiting.truncate(MAX_QUEUED_ANNOUNCEMENTS);
        let from = self.queue.len();
        self.newcomers.push(Newcomer { peer, waiting, from });
    }

    pub(crate) fn remove_peer(&mut self, peer: NodeId) {
        self.newcomers.retain(|newcomer| newcomer.peer != peer);
    }

    /// Whether all peers are told of the same.
    pub(crate) const fn has_no_newcomers(&self) -> bool {
        self.newcomers.is_empty()
    }

    /// What all peers will be told of who do not have it.
    pub(crate) fn waiting(&self) -> &[Wtxid] {
        &self.queue
    }

    /// Will tell nobody of anything.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.newcomers.clear();
    }

    /// Will tell all peers of a transaction who are not known to have it; whether there is room.
    pub(crate) fn queue(&mut self, wtxid: Wtxid) -> bool {
        let is_queued = self.queue.len() < MAX_QUEUED_ANNOUNCEMENTS;
        if is_queued {
            self.queue.push(wtxid);
        }
        is_queued
    }

    /// Empties the queue. Tells each peer, in the order of peers, of what it is not known to have and still waits here; from now on the peers have it.
    pub(crate) fn take(&mut self, (peers, pool): (&Peers, &mut Mempool), mut tell: impl FnMut(NodeId, Arc<[Wtxid]>)) {
        let newcomers = std::mem::take(&mut self.newcomers);
        let find = |(place, wtxid)| Some((place, pool.find(&wtxid)?, wtxid));
        let queued: Vec<(usize, u32, Wtxid)> = self.queue.drain(..).enumerate().filter_map(find).collect();
        if let ([(_, row, wtxid)], []) = (queued.as_slice(), newcomers.as_slice()) {
            // So it is most often.
            let message: Arc<[Wtxid]> = [*wtxid].into();
            let lacks_it = |(at, peer): (usize, NodeId)| pool.add_holder(*row, at).then_some(peer);
            for peer in peers.all_ready_in_place().filter_map(lacks_it) {
                tell(peer, Arc::clone(&message));
            }
            return;
        }
        let mut news: Vec<Wtxid> = Vec::new();
        let mut last: Option<Arc<[Wtxid]>> = None;
        for (at, peer) in peers.all_ready_in_place() {
            news.clear();
            let newcomer = newcomers.iter().find(|newcomer| newcomer.peer == peer);
            for wtxid in newcomer.iter().flat_map(|newcomer| &newcomer.waiting) {
                let row = pool.find(wtxid);
                if row.is_some_and(|row| pool.add_holder(row, at)) {
                    news.push(*wtxid);
                }
            }
            for (place, row, wtxid) in &queued {
                let is_meant = newcomer.is_none_or(|newcomer| newcomer.is_told_of(*place));
                if is_meant && pool.add_holder(*row, at) {
                    news.push(*wtxid);
                }
            }
            if news.is_empty() {
                continue;
            }
            // Most are told of the same.
            let same = last.take().filter(|last| **last == *news);
            let message = last.insert(same.unwrap_or_else(|| news.as_slice().into()));
            tell(peer, Arc::clone(message));
        }
    }
}
