//! Random operations, compared with a ledger of who was asked for what that knows nothing of schedules.

use std::collections::{BTreeMap, BTreeSet};

use base::Hash;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::*;
use crate::limits::{MAX_BLOCKS_IN_FLIGHT, MAX_STALL_TIMEOUT, STALL_TIMEOUT};

const PEERS: u32 = 3;
const BLOCKS: u8 = 20;

#[derive(Clone, Debug)]
enum Step {
    AddPeer(NodeId),
    RemovePeer(NodeId),
    Want(u8),
    Unwant(u8),
    Forget(u8),
    AddSource(NodeId, u8),
    Received(NodeId, u8),
    NotFound(NodeId, u8),
    Failed(NodeId, u8),
    Request,
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let peer = || (0..PEERS).prop_map(NodeId);
    let step = prop_oneof![
        2 => peer().prop_map(Step::AddPeer),
        1 => peer().prop_map(Step::RemovePeer),
        6 => (0..BLOCKS).prop_map(Step::Want),
        2 => (0..BLOCKS).prop_map(Step::Unwant),
        1 => (0..BLOCKS).prop_map(Step::Forget),
        12 => (peer(), 0..BLOCKS).prop_map(|(peer, block)| Step::AddSource(peer, block)),
        4 => (peer(), 0..BLOCKS).prop_map(|(peer, block)| Step::Received(peer, block)),
        2 => (peer(), 0..BLOCKS).prop_map(|(peer, block)| Step::NotFound(peer, block)),
        2 => (peer(), 0..BLOCKS).prop_map(|(peer, block)| Step::Failed(peer, block)),
        8 => Just(Step::Request),
        4 => (0_u64..5_000).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..200)
}

fn id(block: u8) -> BlockId {
    BlockId(Hash([block; 32]))
}

/// Far enough apart that the window matters, and two blocks to a height.
fn height(block: u8) -> Height {
    Height(u32::from(block / 2) * 250)
}

/// The structure under test, and what anybody could write down who watches from outside.
#[derive(Default)]
struct Watched {
    fetch: BlockFetch,
    now: Time,
    /// Peers that are connected.
    peers: BTreeSet<NodeId>,
    /// Questions that were not answered.
    owed: BTreeSet<(NodeId, BlockId)>,
    /// Who said last that it has a wanted block.
    sources: BTreeSet<(NodeId, BlockId)>,
    /// How often each was asked for a wanted block; many times for who sent a bad one.
    times_asked: BTreeMap<(NodeId, BlockId), u32>,
}

impl Watched {
    fn apply(&mut self, step: &Step) -> TestCaseResult {
        match *step {
            Step::AddPeer(peer) => {
                self.fetch.add_peer(peer);
                self.peers.insert(peer);
            }
            Step::RemovePeer(peer) => self.remove_peer(peer)?,
            Step::Want(block) => prop_assert!(self.fetch.want(id(block), height(block))),
            Step::Unwant(block) => {
                self.fetch.unwant(&id(block));
                prop_assert!(!self.fetch.is_wanted(&id(block)));
            }
            Step::Forget(block) => self.forget(&id(block)),
            Step::AddSource(peer, block) => {
                self.fetch.add_source(peer, id(block), self.now);
                if self.peers.contains(&peer) && self.fetch.find(&id(block)).is_ok() {
                    self.sources.insert((peer, id(block)));
                }
            }
            Step::Received(peer, block) => {
                let was_asked = self.fetch.received(peer, &id(block), self.now);
                prop_assert_eq!(was_asked, self.owed.remove(&(peer, id(block))));
            }
            Step::NotFound(peer, block) => {
                let was_asked = self.fetch.not_found(peer, &id(block), self.now);
                prop_assert_eq!(was_asked, self.owed.remove(&(peer, id(block))));
                self.sources.remove(&(peer, id(block)));
            }
            Step::Failed(peer, block) => {
                self.fetch.failed(peer, &id(block));
                if self.peers.contains(&peer) && self.fetch.find(&id(block)).is_ok() {
                    self.sources.remove(&(peer, id(block)));
                    self.times_asked.insert((peer, id(block)), u32::MAX / 2);
                }
            }
            Step::Request => {
                self.request()?;
            }
            Step::Wait(millis) => {
                self.now += Duration::from_millis(millis);
                self.expire()?;
            }
        }
        let still_kept = |block: &BlockId| self.fetch.find(block).is_ok();
        self.sources.retain(|(_, block)| still_kept(block));
        self.times_asked.retain(|(_, block), _| still_kept(block));
        check_filing(&self.fetch)
    }

    fn remove_peer(&mut self, peer: NodeId) -> TestCaseResult {
        self.fetch.remove_peer(peer);
        self.peers.remove(&peer);
        self.owed.retain(|(of, _)| *of != peer);
        self.sources.retain(|(of, _)| *of != peer);
        self.times_asked.retain(|(of, _), _| *of != peer);
        prop_assert!(self.fetch.is_empty_of(peer));
        prop_assert_eq!(self.fetch.in_flight(peer), 0);
        Ok(())
    }

    fn forget(&mut self, block: &BlockId) {
        self.fetch.forget(block);
        self.sources.retain(|(_, of)| of != block);
        self.times_asked.retain(|(_, of), _| of != block);
    }

    /// Whether anything was asked. Every request is for a wanted block, of a source, and not one too many.
    fn request(&mut self) -> Result<bool, TestCaseError> {
        let mut out = Vec::new();
        self.fetch.requests(self.now, &mut out);
        for (peer, blocks) in &out {
            prop_assert!(!blocks.is_empty());
            for block in blocks {
                prop_assert!(self.fetch.is_wanted(block));
                prop_assert!(self.sources.contains(&(*peer, *block)));
                let times = self.times_asked.entry((*peer, *block)).or_default();
                *times += 1;
                let minutes = u32::try_from(self.now.since(Time::ZERO).as_secs() / 64).expect("a few minutes");
                prop_assert!(*times <= 3 + minutes, "{} asked {} times for {:?}", peer, times, block);
                self.owed.insert((*peer, *block));
            }
        }
        Ok(!out.is_empty())
    }

    fn expire(&mut self) -> TestCaseResult {
        let was_due = self.fetch.deadline().is_some_and(|deadline| deadline <= self.now);
        let overdue = self.fetch.overdue(self.now);
        prop_assert_eq!(was_due, !overdue.is_empty());
        for request in overdue {
            prop_assert!(self.owed.contains(&request));
        }
        prop_assert!(self.fetch.deadline().is_none_or(|deadline| deadline > self.now));
        Ok(())
    }

    /// From here on everybody answers. Nothing that a source could still give may be left wanting.
    fn check_nothing_is_lost(&mut self) -> TestCaseResult {
        while self.request()? || !self.owed.is_empty() {
            for (peer, block) in std::mem::take(&mut self.owed) {
                prop_assert!(self.fetch.received(peer, &block, self.now));
                self.forget(&block);
            }
            check_filing(&self.fetch)?;
        }
        for source in &self.sources {
            let times = self.times_asked.get(source).copied().unwrap_or(0);
            prop_assert!(times >= 3, "{:?} was never settled", source);
        }
        Ok(())
    }
}

/// Caps hold, and every fact that is kept twice agrees with itself.
fn check_filing(fetch: &BlockFetch) -> TestCaseResult {
    prop_assert!(fetch.wanted.is_sorted_by(|a, b| a.block < b.block));
    prop_assert!(fetch.peers.is_sorted_by(|a, b| a.id < b.id));
    let (mut due, mut flying) = (0, BTreeSet::new());
    let mut offers: BTreeMap<NodeId, usize> = BTreeMap::new();
    for wanted in &fetch.wanted {
        prop_assert!(wanted.sources.is_sorted_by(|a, b| a.peer < b.peer));
        for source in &wanted.sources {
            prop_assert!(fetch.find_peer(source.peer).is_ok());
            prop_assert!(source.times_asked <= MAX_ASKED_PER_BLOCK);
        }
        let mut is_due = false;
        if let Some(peer) = wanted.asked_of {
            flying.insert((peer, wanted.block));
        } else {
            prop_assert!(!wanted.is_idle, "nobody waits for it");
            for source in wanted.sources.iter().filter(|source| source.may_be_asked()) {
                *offers.entry(source.peer).or_default() += 1;
                is_due = true;
            }
        }
        prop_assert_eq!(wanted.is_due, is_due);
        due += usize::from(is_due);
    }
    prop_assert_eq!((due, flying.len()), (fetch.due, fetch.flying));
    let (mut in_flight, mut given_up) = (BTreeSet::new(), BTreeSet::new());
    for asked in &fetch.asked {
        let set = if asked.is_waited_for {
            &mut in_flight
        } else {
            &mut given_up
        };
        prop_assert!(set.insert((asked.of, asked.block)), "asked twice");
    }
    prop_assert!(in_flight.is_disjoint(&given_up));
    for peer in &fetch.peers {
        let of = |asked: &BTreeSet<(NodeId, BlockId)>| asked.iter().filter(|(of, _)| *of == peer.id).count();
        let counted = (usize::from(peer.in_flight), usize::from(peer.given_up));
        prop_assert_eq!((of(&in_flight), of(&given_up)), counted);
        prop_assert!(usize::from(peer.in_flight) <= MAX_BLOCKS_IN_FLIGHT);
        prop_assert!(peer.owed() <= MAX_BLOCKS_OWED);
        prop_assert_eq!(peer.offers as usize, offers.get(&peer.id).copied().unwrap_or(0));
    }
    prop_assert_eq!(flying, in_flight);
    prop_assert!((STALL_TIMEOUT..=MAX_STALL_TIMEOUT).contains(&fetch.patience.stall_timeout()));
    Ok(())
}

proptest! {
    #[test]
    fn whatever_happens_caps_hold_and_nothing_is_lost(steps in steps()) {
        let mut watched = Watched::default();
        for step in &steps {
            watched.apply(step)?;
        }
        watched.check_nothing_is_lost()?;
    }
}
