//! Real SHA-256d at the rate that the scenario says, for all nodes of a process, on one thread.
//!
//! Every few milliseconds each miner gets the hashes that its rate owes it since the last time (`meter`), so a node's share of the network's
//! hash power is what the scenario says, whatever the machine does. Blocks on demand are searched at full speed in between, in slices, so
//! that nodes share the thread fairly. Hashes that a slow machine cannot deliver are counted ([`Hasher::missed`]), never hidden.

mod job;
mod meter;

use std::collections::BTreeMap;
use std::mem::take;
#[expect(
    clippy::disallowed_types,
    reason = "a slot per node that is overwritten in place, which a channel is not"
)]
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::{NodeId, Time};
use chain::{HashRate, Header};
use node::Template;
use tokio::sync::watch;

use crate::Clock;
use crate::limits::{HASHING_SLICE, HASHING_TICK};
use job::Job;
use meter::Meter;

/// The thread that hashes for all nodes of a process. Dropping it ends the thread.
#[derive(Debug)]
pub struct Hasher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Hasher {
    /// Starts the thread.
    ///
    /// # Panics
    /// When the system refuses a thread.
    #[must_use]
    pub fn start(clock: Clock) -> Self {
        let shared = Arc::new(Shared::default());
        let bench = Bench::new(Arc::clone(&shared), clock);
        let thread = thread::Builder::new()
            .name("hasher".to_owned())
            .spawn(move || bench.run())
            .expect("a process may have another thread");
        Self {
            shared,
            thread: Some(thread),
        }
    }

    /// A place for a node. Taking a place that is taken ends the one before.
    #[must_use]
    pub fn seat(&self, node: NodeId) -> Seat {
        let (solution, solved) = watch::channel(None);
        self.shared.hand_in(node, Change::Seat(solution));
        Seat {
            node,
            generation: 0,
            shared: Arc::clone(&self.shared),
            solved,
        }
    }

    /// Hashes that metered miners were owed and never got because the machine is too slow.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.shared.missed.load(Ordering::Relaxed)
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.shared.desk().is_closed = true;
        self.shared.handed_in.fetch_add(1, Ordering::Release);
        self.shared.news.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the hashing thread panicked");
        }
    }
}

/// A solved header, and the template it belongs to.
type Solution = Option<(u64, Header)>;

/// One node's place at the [`Hasher`]. Dropping it stops the search.
#[derive(Debug)]
pub struct Seat {
    node: NodeId,
    generation: u64,
    shared: Arc<Shared>,
    solved: watch::Receiver<Solution>,
}

impl Seat {
    /// Searches this template from now on, at this rate unless it is on demand, or nothing.
    pub fn assign(&mut self, template: Option<Template>, rate: HashRate) {
        self.generation += 1;
        let assignment = Assignment {
            generation: self.generation,
            template,
            rate,
        };
        self.shared.hand_in(self.node, Change::Assign(assignment));
    }

    /// Waits for the solution of the template assigned last. May be dropped and called again.
    ///
    /// # Panics
    /// When the hashing thread is gone, because it panicked or the place was given to another.
    pub async fn solved(&mut self) -> Header {
        loop {
            self.solved
                .changed()
                .await
                .expect("the hashing thread outlives the nodes it serves");
            let solution = *self.solved.borrow_and_update();
            if let Some((generation, header)) = solution
                && generation == self.generation
            {
                return header;
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.hand_in(self.node, Change::Leave);
    }
}

#[derive(Debug)]
struct Assignment {
    generation: u64,
    template: Option<Template>,
    rate: HashRate,
}

#[derive(Debug)]
enum Change {
    Seat(watch::Sender<Solution>),
    Assign(Assignment),
    Leave,
}

/// What nodes have handed in since the thread last looked. Only the last assignment of each node counts, so it never holds more than a few
/// entries per node.
#[derive(Debug, Default)]
struct Desk {
    seats: BTreeMap<NodeId, Option<watch::Sender<Solution>>>,
    assignments: BTreeMap<NodeId, Assignment>,
    is_closed: bool,
}

#[derive(Debug, Default)]
struct Shared {
    #[expect(
        clippy::disallowed_types,
        reason = "a slot per node that is overwritten in place, which a channel is not"
    )]
    desk: Mutex<Desk>,
    news: Condvar,
    /// Counts what was handed in, so that the thread sees between two slices that there is news.
    handed_in: AtomicU64,
    missed: AtomicU64,
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk
            .lock()
            .expect("nobody panics while holding the desk: it is only written and taken from")
    }

    fn hand_in(&self, node: NodeId, change: Change) {
        let mut desk = self.desk();
        match change {
            Change::Seat(solution) => {
                desk.assignments.remove(&node);
                desk.seats.insert(node, Some(solution));
            }
            Change::Assign(assignment) => {
                desk.assignments.insert(node, assignment);
            }
            Change::Leave => {
                desk.assignments.remove(&node);
                desk.seats.insert(node, None);
            }
        }
        self.handed_in.fetch_add(1, Ordering::Release);
        drop(desk);
        self.news.notify_one();
    }
}

/// One node, as the thread sees it.
#[derive(Debug)]
struct Miner {
    solution: watch::Sender<Solution>,
    generation: u64,
    job: Option<Job>,
    meter: Option<Meter>,
    /// What is left of what it was owed when the tick began.
    owed: u64,
}

impl Miner {
    fn assign(&mut self, assignment: Assignment, now: Time) {
        let Assignment {
            generation,
            template,
            rate,
        } = assignment;
        self.generation = generation;
        self.owed = 0;
        self.job = template.as_ref().map(|template| Job::new(template, now));
        match (&template, &mut self.meter) {
            // One that does not mine is owed nothing; one that waits for its next template goes on being owed.
            (None, meter) => *meter = None,
            (Some(_), Some(meter)) => meter.set_rate(rate, now),
            (Some(_), meter @ None) => *meter = Some(Meter::new(rate, now)),
        }
    }

    fn search(&mut self, hashes: u32, now: Time) -> u32 {
        let Some(job) = &mut self.job else { return 0 };
        let (solved, tried) = job.search(hashes, now);
        if let Some(header) = solved {
            self.job = None;
            self.solution.send_replace(Some((self.generation, header)));
        }
        tried
    }

    fn wants(&self, on_demand: bool) -> bool {
        self.job.as_ref().is_some_and(|job| job.on_demand == on_demand)
    }
}

/// The thread's own side.
#[derive(Debug)]
struct Bench {
    shared: Arc<Shared>,
    clock: Clock,
    seen: u64,
    miners: BTreeMap<NodeId, Miner>,
    next_tick: Time,
}

impl Bench {
    const fn new(shared: Arc<Shared>, clock: Clock) -> Self {
        Self {
            shared,
            clock,
            seen: 0,
            miners: BTreeMap::new(),
            next_tick: Time::ZERO,
        }
    }

    fn run(mut self) {
        while self.wait_for_work() {
            self.serve_demand();
            if self.clock.now() >= self.next_tick {
                self.tick();
            }
        }
    }

    /// Waits until there is something to do, and takes in what was handed in; false when the hasher was dropped.
    fn wait_for_work(&mut self) -> bool {
        let shared = Arc::clone(&self.shared);
        let mut desk = shared.desk();
        loop {
            if desk.is_closed {
                return false;
            }
            self.take_in(&mut desk);
            let Some(rest) = self.rest() else {
                desk = shared.news.wait(desk).expect("nobody panics while holding the desk");
                continue;
            };
            if rest.is_zero() {
                return true;
            }
            (desk, _) = shared
                .news
                .wait_timeout(desk, rest)
                .expect("nobody panics while holding the desk");
        }
    }

    /// How long there is nothing to do; none while nobody mines.
    fn rest(&self) -> Option<Duration> {
        if self.miners.values().any(|miner| miner.wants(true)) {
            return Some(Duration::ZERO);
        }
        let is_metered = self.miners.values().any(|miner| miner.wants(false));
        is_metered.then(|| self.next_tick.since(self.clock.now()))
    }

    fn take_in(&mut self, desk: &mut Desk) {
        self.seen = self.shared.handed_in.load(Ordering::Acquire);
        for (node, seat) in take(&mut desk.seats) {
            self.miners.remove(&node);
            if let Some(solution) = seat {
                let miner = Miner {
                    solution,
                    generation: 0,
                    job: None,
                    meter: None,
                    owed: 0,
                };
                self.miners.insert(node, miner);
            }
        }
        let now = self.clock.now();
        for (node, assignment) in take(&mut desk.assignments) {
            if let Some(miner) = self.miners.get_mut(&node) {
                miner.assign(assignment, now);
            }
        }
    }

    /// A slice for everybody who wants a block at once.
    fn serve_demand(&mut self) {
        let now = self.clock.now();
        for miner in self.miners.values_mut().filter(|miner| miner.wants(true)) {
            miner.search(HASHING_SLICE, now);
        }
    }

    /// What is owed, for everybody who is metered, in rounds: whoever is owed most gets a slice, the others their part of one. So a machine
    /// that is too slow slows all down alike. What is left after a tick's time, or when there is news, waits for the next time round.
    fn tick(&mut self) {
        let begun = self.clock.now();
        let mut most = self.accrue(begun);
        while most > 0 && !self.is_interrupted() && self.clock.now() < begun + HASHING_TICK {
            self.round(most);
            most = most.saturating_sub(u64::from(HASHING_SLICE));
        }
        if most == 0 {
            self.next_tick = begun + HASHING_TICK;
        }
    }

    fn is_interrupted(&self) -> bool {
        self.shared.handed_in.load(Ordering::Acquire) != self.seen
    }

    /// Brings all meters up to date; gives the most that anybody is owed.
    fn accrue(&mut self, now: Time) -> u64 {
        let (mut most, mut missed) = (0, 0);
        for miner in self.miners.values_mut().filter(|miner| miner.wants(false)) {
            if let Some(meter) = &mut miner.meter {
                miner.owed = meter.owed(now);
                missed += meter.take_missed();
                most = most.max(miner.owed);
            }
        }
        self.shared.missed.fetch_add(missed, Ordering::Relaxed);
        most
    }

    /// A part of what everybody was owed when the tick began, the same part for all; `most` is what is left of the largest.
    fn round(&mut self, most: u64) {
        let now = self.clock.now();
        for miner in self.miners.values_mut().filter(|miner| miner.wants(false)) {
            let part = u128::from(miner.owed) * u128::from(HASHING_SLICE);
            let slice = part.div_ceil(u128::from(most.max(u64::from(HASHING_SLICE))));
            let slice = u32::try_from(slice.min(u128::from(miner.owed))).expect("at most a slice");
            let tried = u64::from(miner.search(slice, now));
            miner.owed -= tried;
            if let Some(meter) = &mut miner.meter {
                meter.tried(tried);
            }
        }
    }
}

#[cfg(test)]
mod tests;
