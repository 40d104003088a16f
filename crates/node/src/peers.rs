//! What a node keeps of each peer, for as long as the connection lasts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::{Deref, DerefMut};

use base::{NodeId, Time};
use chain::{BlockId, BlockRef, Height, Txid};
use gossip::{Item, Offence, Recent, Score};

use crate::HangupReason;
use crate::compact::CompactPeer;
use crate::limits::{HANDSHAKE_TIMEOUT, MAX_DISCOURAGED};
use crate::mesh::MeshPeer;
use crate::served::Served;
use crate::waits::Waits;

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// The peer has not said hello.
    Greeting,
    /// The handshake is done.
    Ready,
    /// The engine was told to close the connection; nothing is heard any more.
    Closing(HangupReason),
}

/// One connected peer: what is looked at of all peers for every block lies together, the rest is apart.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) stage: Stage,
    pub(crate) outbound: bool,
    /// Announcements in a row that did not connect.
    pub(crate) unconnecting: u32,
    /// The header with the most work that the peer has announced, sent or claimed: it has the bodies up to there.
    pub(crate) best: Option<BlockRef>,
    /// The tip it was last told about.
    pub(crate) told: Option<BlockRef>,
    /// Made when there is something to keep: of most peers of a large network there never is.
    rest: Option<Box<Rest>>,
}

/// What else is kept of a peer.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) score: Score,
    /// The tip it claims, of which nothing is known here yet.
    claimed: Option<Box<BlockId>>,
    /// When the answer to a request for headers is late.
    headers_due: Option<Time>,
    /// The highest header of the answers to the present round of requests.
    pub(crate) headers_to: Height,
    /// Blocks whose bodies it sent unasked.
    pub(crate) bodies: Recent<BlockId>,
    /// Blocks that were pushed to it.
    pub(crate) pushed: Recent<BlockId>,
    pub(crate) compact: CompactPeer,
    pub(crate) mesh: MeshPeer,
    /// Made when there are any: there seldom are.
    parents_asked: Option<Box<ParentsAsked>>,
    /// Bodies it was asked for and has neither sent nor denied. One may be asked for again when it is late, and then come twice.
    pub(crate) bodies_owed: u32,
    /// The same for transactions.
    pub(crate) transactions_owed: u32,
    pub(crate) served: Served,
}

/// What is read of a peer of which there is nothing to keep.
static NOTHING: Rest = Rest::NOTHING;

/// Parents of a peer's orphans that it was asked for.
#[derive(Debug, Default)]
struct ParentsAsked(BTreeSet<Txid>);

impl Deref for Peer {
    type Target = Rest;

    fn deref(&self) -> &Rest {
        self.rest.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for Peer {
    fn deref_mut(&mut self) -> &mut Rest {
        self.rest.get_or_insert_with(|| Box::new(Rest::NOTHING))
    }
}

impl Peer {
    fn new(outbound: bool, stage: Stage) -> Self {
        Self {
            stage,
            outbound,
            unconnecting: 0,
            best: None,
            told: None,
            rest: None,
        }
    }

    /// One that has said hello, and knows this block as the node does.
    pub(crate) const fn greeted(outbound: bool, block: BlockRef) -> Self {
        Self {
            stage: Stage::Ready,
            outbound,
            unconnecting: 0,
            best: Some(block),
            told: Some(block),
            rest: None,
        }
    }

    /// Whether a hello or headers are waited for, or a claim is to be followed up.
    fn is_unsettled(&self) -> bool {
        self.stage == Stage::Greeting || self.headers_due.is_some() || self.claimed.is_some()
    }
}

impl Rest {
    /// What is kept of a peer of which there is nothing to keep.
    const NOTHING: Self = Self {
        score: Score::new(),
        claimed: None,
        headers_due: None,
        headers_to: Height(0),
        bodies: Recent::new(),
        pushed: Recent::new(),
        compact: CompactPeer::new(),
        mesh: MeshPeer::new(),
        parents_asked: None,
        bodies_owed: 0,
        transactions_owed: 0,
        served: Served::new(),
    };

    /// The tip it claims, of which nothing is known here yet.
    pub(crate) fn claimed(&self) -> Option<BlockId> {
        self.claimed.as_deref().copied()
    }

    pub(crate) fn parents_asked(&mut self) -> &mut BTreeSet<Txid> {
        &mut self.parents_asked.get_or_insert_default().0
    }

    /// Notes that the peer answered for an orphan's parent, with it or without; whether it was asked.
    pub(crate) fn settles_parent(&mut self, txid: &Txid) -> bool {
        let asked = self.parents_asked.as_mut();
        asked.is_some_and(|asked| asked.0.remove(txid))
    }

    /// Whether it owes no orphan's parent.
    pub(crate) fn is_asked_for_no_parents(&self) -> bool {
        self.parents_asked.as_ref().is_none_or(|asked| asked.0.is_empty())
    }

    /// How many transactions it owes.
    pub(crate) const fn transactions_owed(&self) -> usize {
        self.transactions_owed as usize
    }

    /// When the answer to a request for headers is late.
    pub(crate) const fn headers_due(&self) -> Option<Time> {
        self.headers_due
    }

    /// Notes that the peer was asked for an item.
    pub(crate) const fn owes(&mut self, item: &Item) {
        let owed = self.owed(item);
        *owed = owed.saturating_add(1);
    }

    /// Notes that it owes so many bodies, and no others.
    pub(crate) fn owes_bodies(&mut self, count: usize) {
        self.bodies_owed = u32::try_from(count).unwrap_or(u32::MAX);
    }

    /// Notes that the peer answered for an item, with it or without; whether it owed any such answer.
    pub(crate) const fn settles(&mut self, item: &Item) -> bool {
        let owed = self.owed(item);
        let was_owed = *owed > 0;
        *owed = owed.saturating_sub(1);
        was_owed
    }

    const fn owed(&mut self, item: &Item) -> &mut u32 {
        match item {
            Item::Block(_) | Item::CompactBlock(_) => &mut self.bodies_owed,
            Item::Transaction(_) | Item::Parent(_) => &mut self.transactions_owed,
        }
    }
}

/// How many more peers room is made for.
const PEERS_AT_A_TIME: usize = 4;

/// All connected peers, and those that are not to be connected again.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    /// Who is connected, in order.
    ids: Vec<NodeId>,
    /// What is kept of each, in the same order.
    rows: Vec<Peer>,
    /// How many are unsettled.
    unsettled: usize,
    /// Who has not said hello, and whose answer to a request for headers has not come.
    greeting: Waits,
    answering: Waits,
    discouraged: BTreeMap<NodeId, Offence>,
    oldest_first: VecDeque<NodeId>,
}

impl Peers {
    /// A connection is open.
    pub(crate) fn add(&mut self, peer: NodeId, outbound: bool, now: Time) {
        self.put(peer, Peer::new(outbound, Stage::Greeting));
        self.greeting.set(peer, Some(now + HANDSHAKE_TIMEOUT));
    }

    /// A peer has come that has said hello already; its name comes after all others.
    pub(crate) fn add_ready(&mut self, peer: NodeId, row: Peer) {
        assert!(self.ids.last().is_none_or(|last| *last < peer), "peers are in order");
        self.ids.push(peer);
        self.rows.push(row);
    }

    /// The connection is being closed: all that was kept of the peer goes, but why.
    pub(crate) fn close(&mut self, peer: NodeId, reason: HangupReason) {
        let outbound = self.get(peer).is_some_and(|peer| peer.outbound);
        self.put(peer, Peer::new(outbound, Stage::Closing(reason)));
    }

    /// The connection is gone.
    pub(crate) fn remove(&mut self, peer: NodeId) -> Option<Peer> {
        let at = self.ids.binary_search(&peer).ok()?;
        self.ids.remove(at);
        let gone = self.rows.remove(at);
        self.greeting.set(peer, None);
        self.answering.set(peer, None);
        self.unsettled -= usize::from(gone.is_unsettled());
        Some(gone)
    }

    fn put(&mut self, id: NodeId, peer: Peer) {
        self.greeting.set(id, None);
        self.answering.set(id, None);
        self.unsettled += usize::from(peer.is_unsettled());
        match self.ids.binary_search(&id) {
            Ok(at) => {
                let before = std::mem::replace(&mut self.rows[at], peer);
                self.unsettled -= usize::from(before.is_unsettled());
            }
            Err(at) => {
                if self.rows.len() == self.rows.capacity() {
                    // Rows are large, and a node has few more peers than it has.
                    self.ids.reserve_exact(PEERS_AT_A_TIME);
                    self.rows.reserve_exact(PEERS_AT_A_TIME);
                }
                self.ids.insert(at, id);
                self.rows.insert(at, peer);
            }
        }
    }

    /// The peer has said hello.
    pub(crate) fn set_ready(&mut self, peer: NodeId) {
        self.greeting.set(peer, None);
        self.settle(peer, |peer| peer.stage = Stage::Ready);
    }

    /// The tip that a peer claims and that is unknown here; none when there is nothing to follow up any more.
    pub(crate) fn set_claimed(&mut self, peer: NodeId, claimed: Option<BlockId>) {
        self.settle(peer, |peer| {
            if peer.claimed.is_some() || claimed.is_some() {
                peer.claimed = claimed.map(Box::new);
            }
        });
    }

    /// When the answer to a request for headers is late; none when no answer is waited for.
    pub(crate) fn set_headers_due(&mut self, peer: NodeId, due: Option<Time>) {
        if self.get(peer).is_some() {
            self.answering.set(peer, due);
        }
        self.settle(peer, |peer| {
            if peer.headers_due != due {
                peer.headers_due = due;
            }
        });
    }

    fn settle(&mut self, peer: NodeId, change: impl FnOnce(&mut Peer)) {
        let Ok(at) = self.ids.binary_search(&peer) else {
            return;
        };
        let peer = &mut self.rows[at];
        self.unsettled -= usize::from(peer.is_unsettled());
        change(peer);
        self.unsettled += usize::from(peer.is_unsettled());
    }

    /// Whether no hello and no headers are waited for, and no claim is to be followed up.
    pub(crate) const fn are_settled(&self) -> bool {
        self.unsettled == 0
    }

    /// Remembers that the peer is not wanted again.
    pub(crate) fn discourage(&mut self, peer: NodeId, offence: Offence) {
        if self.discouraged.insert(peer, offence).is_none() {
            self.oldest_first.push_back(peer);
        }
        if self.oldest_first.len() > MAX_DISCOURAGED {
            let oldest = self.oldest_first.pop_front().expect("longer than the limit");
            self.discouraged.remove(&oldest);
        }
    }

    /// Why the peer is not wanted again.
    pub(crate) fn discouraged(&self, peer: NodeId) -> Option<Offence> {
        self.discouraged.get(&peer).copied()
    }

    /// Where a peer stands among all that are connected.
    pub(crate) fn place(&self, peer: NodeId) -> Option<usize> {
        self.ids.binary_search(&peer).ok()
    }

    /// A peer whose handshake is done and whose connection is not being closed, and where it stands among all that are connected.
    pub(crate) fn ready_at(&self, peer: NodeId) -> Option<(usize, &Peer)> {
        let at = self.place(peer)?;
        let row = &self.rows[at];
        (row.stage == Stage::Ready).then_some((at, row))
    }

    pub(crate) fn get(&self, peer: NodeId) -> Option<&Peer> {
        let at = self.ids.binary_search(&peer).ok()?;
        Some(&self.rows[at])
    }

    /// A peer whose handshake is done and whose connection is not being closed.
    pub(crate) fn ready(&self, peer: NodeId) -> Option<&Peer> {
        self.get(peer).filter(|peer| peer.stage == Stage::Ready)
    }

    pub(crate) fn ready_mut(&mut self, peer: NodeId) -> Option<&mut Peer> {
        self.get_mut(peer).filter(|peer| peer.stage == Stage::Ready)
    }

    pub(crate) fn get_mut(&mut self, peer: NodeId) -> Option<&mut Peer> {
        let at = self.ids.binary_search(&peer).ok()?;
        Some(&mut self.rows[at])
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (NodeId, &Peer)> {
        self.ids.iter().copied().zip(&self.rows)
    }

    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = (NodeId, &mut Peer)> {
        self.ids.iter().copied().zip(&mut self.rows)
    }

    /// All that are ready, in order.
    pub(crate) fn all_ready(&self) -> impl Iterator<Item = (NodeId, &Peer)> {
        self.all().filter(|(_, peer)| peer.stage == Stage::Ready)
    }

    /// The same, each with where it stands among all that are connected.
    pub(crate) fn all_ready_in_place(&self) -> impl Iterator<Item = (usize, NodeId)> {
        let all = self.all().enumerate();
        all.filter_map(|(at, (id, peer))| (peer.stage == Stage::Ready).then_some((at, id)))
    }

    pub(crate) fn all_ready_mut(&mut self) -> impl Iterator<Item = (NodeId, &mut Peer)> {
        self.all_mut().filter(|(_, peer)| peer.stage == Stage::Ready)
    }

    /// The names of all that are ready, in order.
    pub(crate) fn ready_ids(&self) -> Vec<NodeId> {
        self.all_ready().map(|(id, _)| id).collect()
    }

    /// Those that have not said hello by now.
    pub(crate) fn late_to_greet(&self, now: Time) -> Vec<NodeId> {
        self.greeting.late(now)
    }

    /// Those whose answer to a request for headers has not come by now.
    pub(crate) fn late_to_answer(&self, now: Time) -> Vec<NodeId> {
        self.answering.late(now)
    }

    /// When the next peer is too late with its hello.
    pub(crate) fn greeting_deadline(&self) -> Option<Time> {
        self.greeting.deadline()
    }

    /// When the next answer to a request for headers is late.
    pub(crate) fn headers_deadline(&self) -> Option<Time> {
        self.answering.deadline()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_discouraged_peer_is_forgotten_first() {
        let mut peers = Peers::default();
        for number in 0..=MAX_DISCOURAGED {
            peers.discourage(NodeId::at(number), Offence::Malformed);
        }
        assert_eq!(peers.discouraged(NodeId(0)), None);
        assert_eq!(peers.discouraged(NodeId(1)), Some(Offence::Malformed));
        assert_eq!(peers.discouraged.len(), MAX_DISCOURAGED);
    }
}
