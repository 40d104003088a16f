//! Random operations, compared with a ledger of who was asked for what that knows nothing of schedules.

use std::collections::BTreeMap;
use std::time::Duration;

use base::Hash;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::*;

const PEERS: u32 = 3;
const TRANSACTIONS: u8 = 12;

#[derive(Clone, Debug)]
enum Step {
    AddPeer(NodeId),
    RemovePeer(NodeId),
    Announced {
        peer: NodeId,
        transaction: u8,
        outbound: bool,
    },
    Received(NodeId, u8),
    NotFound(NodeId, u8),
    Forget(u8),
    Request,
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let peer = || (0..PEERS).prop_map(NodeId);
    let announced =
        (peer(), 0..TRANSACTIONS, any::<bool>()).prop_map(|(peer, transaction, outbound)| Step::Announced {
            peer,
            transaction,
            outbound,
        });
    let step = prop_oneof![
        2 => peer().prop_map(Step::AddPeer),
        1 => peer().prop_map(Step::RemovePeer),
        12 => announced,
        3 => (peer(), 0..TRANSACTIONS).prop_map(|(peer, transaction)| Step::Received(peer, transaction)),
        2 => (peer(), 0..TRANSACTIONS).prop_map(|(peer, transaction)| Step::NotFound(peer, transaction)),
        1 => (0..TRANSACTIONS).prop_map(Step::Forget),
        6 => Just(Step::Request),
        4 => (0_u64..40).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..200)
}

fn tx(transaction: u8) -> Wtxid {
    Wtxid(Hash([transaction; 32]))
}

/// The structure under test, and what anybody could write down who watches from outside.
struct Watched {
    fetch: TransactionFetch,
    now: Time,
    peers: BTreeSet<NodeId>,
    /// Announcements that were neither followed by a request nor settled.
    open: BTreeSet<(NodeId, Wtxid)>,
    /// Questions that were not answered.
    owed: BTreeSet<(NodeId, Wtxid)>,
    /// Of those, the ones that are waited for, and since when.
    asked: BTreeMap<Wtxid, (NodeId, Time)>,
}

impl Watched {
    fn new() -> Self {
        Self {
            fetch: TransactionFetch::new([1, 2]),
            now: Time::ZERO,
            peers: BTreeSet::new(),
            open: BTreeSet::new(),
            owed: BTreeSet::new(),
            asked: BTreeMap::new(),
        }
    }

    fn apply(&mut self, step: &Step) -> TestCaseResult {
        match *step {
            Step::AddPeer(peer) => {
                self.fetch.add_peer(peer);
                self.peers.insert(peer);
            }
            Step::RemovePeer(peer) => self.remove_peer(peer)?,
            Step::Announced {
                peer,
                transaction,
                outbound,
            } => self.announced(peer, tx(transaction), outbound)?,
            Step::Received(peer, transaction) => {
                let was_asked = self.fetch.received(peer, &tx(transaction));
                prop_assert_eq!(was_asked, self.answered(peer, tx(transaction)));
            }
            Step::NotFound(peer, transaction) => {
                let was_asked = self.fetch.not_found(peer, &tx(transaction));
                prop_assert_eq!(was_asked, self.answered(peer, tx(transaction)));
            }
            Step::Forget(transaction) => {
                let wtxid = tx(transaction);
                self.fetch.forget(&wtxid);
                self.open.retain(|(_, of)| *of != wtxid);
                self.asked.remove(&wtxid);
            }
            Step::Request => self.request()?,
            Step::Wait(secs) => {
                self.now += Duration::from_secs(secs);
                self.expire()?;
            }
        }
        check_filing(&self.fetch)
    }

    fn remove_peer(&mut self, peer: NodeId) -> TestCaseResult {
        self.fetch.remove_peer(peer);
        self.peers.remove(&peer);
        self.open.retain(|(of, _)| *of != peer);
        self.owed.retain(|(of, _)| *of != peer);
        self.asked.retain(|_, (of, _)| *of != peer);
        prop_assert!(self.fetch.is_empty_of(peer));
        prop_assert_eq!(self.fetch.in_flight(peer), 0);
        Ok(())
    }

    fn announced(&mut self, peer: NodeId, wtxid: Wtxid, outbound: bool) -> TestCaseResult {
        let name = (peer, wtxid);
        let counts = self.fetch.announced(peer, wtxid, outbound, self.now);
        let expected = self.peers.contains(&peer) && !self.owed.contains(&name) && !self.open.contains(&name);
        prop_assert_eq!(counts, expected);
        if counts {
            self.open.insert(name);
        }
        Ok(())
    }

    fn answered(&mut self, peer: NodeId, wtxid: Wtxid) -> bool {
        self.open.remove(&(peer, wtxid));
        if self.asked.get(&wtxid).is_some_and(|(of, _)| *of == peer) {
            self.asked.remove(&wtxid);
        }
        self.owed.remove(&(peer, wtxid))
    }

    /// Every request follows an open announcement, and is the only one for its transaction.
    fn request(&mut self) -> TestCaseResult {
        let mut out = Vec::new();
        self.fetch.requests(self.now, &mut out);
        for (peer, wtxids) in out {
            prop_assert!(!wtxids.is_empty());
            for wtxid in wtxids {
                prop_assert!(self.open.remove(&(peer, wtxid)));
                prop_assert!(self.owed.insert((peer, wtxid)));
                prop_assert_eq!(self.asked.insert(wtxid, (peer, self.now)), None);
            }
        }
        Ok(())
    }

    fn expire(&mut self) -> TestCaseResult {
        let late: BTreeSet<(NodeId, Wtxid)> = self
            .asked
            .iter()
            .filter(|(_, (_, since))| *since + TRANSACTION_TIMEOUT <= self.now)
            .map(|(wtxid, (peer, _))| (*peer, *wtxid))
            .collect();
        let overdue: BTreeSet<(NodeId, Wtxid)> = self.fetch.overdue(self.now).into_iter().collect();
        prop_assert_eq!(&overdue, &late);
        for (_, wtxid) in late {
            self.asked.remove(&wtxid);
        }
        Ok(())
    }

    /// From here on nobody answers. Every announcer must have its turn, in a bounded time for each.
    fn check_nothing_is_lost(&mut self) -> TestCaseResult {
        let bound = self.now + (TRANSACTION_TIMEOUT + INBOUND_DELAY) * (PEERS + 1);
        while let Some(deadline) = self.fetch.deadline() {
            self.now = self.now.max(deadline);
            self.expire()?;
            self.request()?;
            check_filing(&self.fetch)?;
        }
        prop_assert!(self.now <= bound);
        prop_assert_eq!(&self.open, &BTreeSet::new());
        prop_assert_eq!(self.fetch.names.len(), 0);
        prop_assert_eq!(self.fetch.free.len(), self.fetch.rows.len());
        Ok(())
    }
}

/// Caps hold, and every fact that is kept twice agrees with itself.
fn check_filing(fetch: &TransactionFetch) -> TestCaseResult {
    let (mut waiting, mut in_flight) = (BTreeSet::new(), BTreeSet::new());
    let (mut announced, mut asked) = (BTreeMap::new(), BTreeMap::new());
    let free: BTreeSet<usize> = fetch.free.iter().map(|row| *row as usize).collect();
    prop_assert_eq!(free.len(), fetch.free.len());
    for (number, row) in fetch.rows.iter().enumerate() {
        if free.contains(&number) {
            prop_assert!(row.announcers.is_empty() && row.state == State::Idle);
            continue;
        }
        prop_assert_eq!(fetch.find(&row.wtxid), Some(number));
        for announcement in &row.announcers {
            *announced.entry(announcement.peer).or_insert(0) += 1;
        }
        match row.state {
            State::Idle => prop_assert!(false, "kept though nobody is left to ask"),
            State::Waiting { until } => {
                prop_assert_eq!(Some(until), row.next_turn());
                waiting.insert((until, row.wtxid));
            }
            State::Asked { of, until } => {
                in_flight.insert((until, row.wtxid));
                prop_assert!(!row.announcers.iter().any(|announcement| announcement.peer == of));
                prop_assert!(!fetch.given_up.contains(&(of, row.wtxid)));
                *asked.entry(of).or_insert(0) += 1;
            }
        }
    }
    prop_assert_eq!(fetch.names.len(), waiting.len() + in_flight.len());
    for (queue, filed) in [(&fetch.waiting, waiting), (&fetch.in_flight, in_flight)] {
        let queued: Vec<(Time, Wtxid)> = queue.iter().map(|(time, row)| (time, fetch.rows[row].wtxid)).collect();
        prop_assert_eq!(queued, filed.into_iter().collect::<Vec<_>>());
    }
    for (id, peer) in fetch.ids.iter().zip(&fetch.peers) {
        prop_assert!(peer.names() <= MAX_ANNOUNCED);
        prop_assert!(peer.in_flight as usize <= MAX_TRANSACTIONS_IN_FLIGHT);
        prop_assert_eq!(peer.announced, announced.remove(id).unwrap_or(0));
        prop_assert_eq!(peer.in_flight, asked.remove(id).unwrap_or(0));
        let given_up = fetch.given_up.iter().filter(|(of, _)| of == id).count();
        prop_assert_eq!(peer.given_up as usize, given_up);
    }
    prop_assert!(announced.is_empty() && asked.is_empty());
    prop_assert!(fetch.given_up.iter().all(|(of, _)| fetch.find_peer(*of).is_ok()));
    Ok(())
}

proptest! {
    #[test]
    fn whatever_happens_caps_hold_and_nothing_is_lost(steps in steps()) {
        let mut watched = Watched::new();
        for step in &steps {
            watched.apply(step)?;
        }
        watched.check_nothing_is_lost()?;
    }
}
