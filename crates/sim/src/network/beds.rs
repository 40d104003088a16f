//! Where nodes rest: what is looked at of a resting node for every message, that of all nodes side by side, and what neighbours tell each other that says nothing new.
//!
//! Most of what a network sends are announcements of blocks that the receiver has, or is being sent. All that follows from such a one is that its sender has the
//! block too. So it is kept where it was sent ([`End`]), and the receiver looks whether it has arrived when that matters: when it follows a block, and when it gets up.
//! What says something new, or may by the time it arrives, is heard on arrival. The run is the same to the last byte.

mod aloud;
mod announcement;
mod changes;
mod glance;
mod telling;
#[cfg(test)]
mod tests;

use std::hint::select_unpredictable;
use std::time::Duration;

use base::{NodeId, Time};
use chain::{BlockRef, Ledger};
use node::{Neighbour, Resting};
use observe::history::Traffic;
use scenario::Link;

pub(super) use self::announcement::{Announcement, Moment, has_come};
use crate::heap::Turn;
use crate::limits::AHEAD;
use crate::pairs::Pairs;

/// What others look at of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Front {
    /// The blocks that it follows and waits for, while it rests: announcements of them say nothing new.
    tip: Option<BlockRef>,
    awaited: Option<BlockRef>,
    /// When it followed its tip and told the others, one right after the other, if it did at rest and nothing was in the way; [`Time::MAX`] otherwise.
    told_at: Time,
}

impl Front {
    /// Of a node that does not rest.
    const UP: Self = Self {
        tip: None,
        awaited: None,
        told_at: Time::MAX,
    };

    /// Whether an announcement of this block says nothing new.
    fn knows(&self, block: BlockRef) -> bool {
        let number = |block: Option<BlockRef>| block.map_or(0, BlockRef::number);
        (number(self.tip) == block.number()) | (number(self.awaited) == block.number())
    }

    fn of(resting: &Resting) -> Self {
        Self {
            tip: Some(resting.tip()),
            awaited: resting.awaited(),
            told_at: Time::MAX,
        }
    }
}

/// What a node looks at of all its ends when it tells its neighbours something: a quarter of a cache line.
#[derive(Clone, Debug)]
struct Route {
    /// Who is at the other end.
    peer: NodeId,
    /// How long a small message takes, there and back alike, in microseconds; [`UNEVEN`] where there is more to it.
    latency_us: u32,
    /// What left by it.
    said: Said,
}

const _: () = assert!(size_of::<Route>() == 16, "a quarter of a cache line");

/// Of links with more than a latency, and of those that have changed, one way or the other.
const UNEVEN: u32 = u32::MAX;

/// A node's end of a connection: what a message by it needs, half a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct End {
    /// Who is at the other end, and what it has announced that was heard on arrival.
    pub(super) neighbour: Neighbour,
    /// Whose end it is.
    pub(super) owner: NodeId,
    /// Where the other end stands.
    pub(super) other: u32,
    /// The connection's number, when the node last came to rest.
    pub(super) connection: u32,
    /// As its route says.
    latency_us: u32,
    /// When what was last sent by it arrives, what is told to all aside.
    last_arrival: Time,
}

const _: () = assert!(size_of::<End>() == 32, "half a cache line");

/// What left by an end, in eight bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Said {
    /// The number of the last block that was announced at rest, or zero; and whether nothing on the heap stands for it ([`SILENT`]).
    last: u32,
    /// That of the one before that was announced silently, which has arrived.
    before: u32,
}

/// The highest bit, which no number of a block has.
const SILENT: u32 = 1 << 31;

impl Said {
    fn tell(&mut self, block: BlockRef, is_silent: bool) {
        self.before = select_unpredictable(self.is_silent(), self.last & !SILENT, self.before);
        self.last = block.number() | select_unpredictable(is_silent, SILENT, 0);
    }

    fn before(self) -> Option<BlockRef> {
        BlockRef::numbered(self.before)
    }

    fn last(self) -> Option<BlockRef> {
        BlockRef::numbered(self.last & !SILENT)
    }

    const fn is_silent(self) -> bool {
        self.last & SILENT != 0
    }

    /// Something on the heap stands for the last from now on, or the last is forgotten; whether nothing did.
    const fn speak(&mut self) -> bool {
        let was_silent = self.is_silent();
        self.last &= !SILENT;
        was_silent
    }
}

/// What is kept of a node at rest, and of one that is up: three cache lines.
#[derive(Clone, Debug, Default)]
#[repr(C, align(64))]
struct Bed {
    /// How it rests, if it does: two of them.
    resting: Option<Resting>,
    talk: Talk,
}

const _: () = assert!(size_of::<Bed>() == 192, "three cache lines");

/// What a node has told, and sends: a cache line.
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
struct Talk {
    /// Of how many events it has told at rest.
    events: u64,
    /// What it has sent at rest.
    sent: Traffic,
    /// Up to when bodies that it sends are on their way: smaller messages do not overtake them.
    bodies_until: Time,
    /// What it last told its neighbours at rest: when, and whose turn was the first to hear of it.
    news: Option<BlockRef>,
    since: Time,
    turn: Turn,
    /// Whether each arrives when its link says so: there is more to the links, or bodies are in the way.
    is_uneven: bool,
    /// When all of it has arrived.
    until: Time,
}

/// Where nodes rest.
#[derive(Debug, Default)]
pub(super) struct Beds {
    fronts: Vec<Front>,
    beds: Vec<Bed>,
    /// Where each node's ends begin, and where the last one's end: there is one for each of its exits, in their order.
    first: Vec<u32>,
    ends: Vec<End>,
    routes: Vec<Route>,
    /// When what was last told by each end arrives, where that is not only a matter of latencies; empty while it always is.
    arrivals: Vec<Time>,
    /// Whether all links have a latency and nothing else, and have always had the same.
    are_even: bool,
    /// What a small message takes on top of its latency, in microseconds.
    overhead_us: u64,
    /// What it takes altogether at most, on links that have no more than a latency.
    longest_us: u64,
    /// When all that was told has arrived.
    told_until: Time,
    /// Whether something on the heap stands for all that is told ([`Beds::speak_up`]).
    is_aloud: bool,
}

impl Beds {
    /// Nobody rests yet, of nodes with these exits, where small messages take so long on top of their latency.
    pub(super) fn new(nodes: usize, pairs: &Pairs, overhead: Duration) -> Self {
        let mut beds = Self {
            fronts: vec![Front::UP; nodes],
            beds: vec![Bed::default(); nodes],
            first: vec![0],
            ends: Vec::new(),
            routes: Vec::new(),
            arrivals: Vec::new(),
            overhead_us: u64::try_from(overhead.as_micros()).expect("far less than an age"),
            longest_us: 0,
            are_even: true,
            told_until: Time::ZERO,
            is_aloud: false,
        };
        let mut count = 0;
        for node in (0..nodes).map(NodeId::at) {
            count += u32::try_from(pairs.exits(node).len()).expect("memory ends before four billion ways");
            beds.first.push(count);
        }
        beds.routes.reserve_exact(count as usize);
        beds.ends.reserve_exact(count as usize);
        for node in (0..nodes).map(NodeId::at) {
            pairs.glance_at_opposites(node.index() + AHEAD);
            for exit in pairs.exits(node) {
                let back = &pairs.exits(exit.to)[exit.opposite as usize];
                let latency_us = latency_us([&exit.link, &back.link]);
                beds.routes.push(Route {
                    peer: exit.to,
                    latency_us,
                    said: Said::default(),
                });
                beds.ends.push(End {
                    neighbour: Neighbour::unheard(exit.to),
                    owner: node,
                    other: beds.first[exit.to.index()] + exit.opposite,
                    connection: 0,
                    latency_us,
                    last_arrival: exit.link.last_arrival(),
                });
            }
        }
        let plain = beds.routes.iter().filter(|route| route.latency_us != UNEVEN);
        beds.are_even = plain.clone().count() == beds.routes.len();
        let longest = plain.map(|route| u64::from(route.latency_us)).max();
        beds.longest_us = beds.overhead_us + longest.unwrap_or(0);
        beds
    }

    /// Whether there are any.
    pub(super) const fn are_open(&self) -> bool {
        !self.fronts.is_empty()
    }

    /// Where a node's ends stand.
    pub(super) fn places(&self, node: NodeId) -> std::ops::Range<usize> {
        self.first[node.index()] as usize..self.first[node.index() + 1] as usize
    }

    /// Where one of a node's ends stands that stood there when there came to be beds, if it still leads to this peer.
    pub(super) fn place(&self, node: NodeId, (exit, peer): (u32, NodeId)) -> Option<usize> {
        let place = *self.first.get(node.index())? as usize + exit as usize;
        let is_there = place < self.first[node.index() + 1] as usize && self.ends[place].neighbour.peer == peer;
        is_there.then_some(place)
    }

    pub(super) fn end(&self, place: usize) -> End {
        self.ends[place]
    }

    /// Whether a node rests.
    pub(super) fn is_at_rest(&self, node: NodeId) -> bool {
        self.beds.get(node.index()).is_some_and(|bed| bed.resting.is_some())
    }

    /// A node's connections have these numbers.
    pub(super) fn note_connections(&mut self, node: NodeId, connections: impl Iterator<Item = u32>) {
        for (place, connection) in self.places(node).zip(connections) {
            self.ends[place].connection = connection;
        }
    }

    /// How a node rests, if it does.
    pub(super) fn of(&self, node: NodeId) -> Option<&Resting> {
        self.beds.get(node.index())?.resting.as_ref()
    }

    /// The same, and who is at one of its ends, to change them.
    pub(super) fn bed(&mut self, node: NodeId, place: usize) -> (Option<&mut Resting>, &mut Neighbour) {
        let resting = self.beds[node.index()].resting.as_mut();
        (resting, &mut self.ends[place].neighbour)
    }

    /// A node at rest has sent messages.
    pub(super) fn count_sent(&mut self, node: NodeId, sent: Traffic) {
        self.beds[node.index()].talk.sent.add(sent);
    }

    /// What each node has sent at rest.
    pub(super) fn sent_by_node(&self) -> impl Iterator<Item = (NodeId, Traffic)> {
        (0..).map(NodeId::at).zip(self.beds.iter().map(|bed| bed.talk.sent))
    }

    /// A node at rest has told of so many events.
    pub(super) fn count_told(&mut self, node: NodeId, events: u64) {
        self.beds[node.index()].talk.events += events;
    }

    /// Of how many events it has told since this was last asked.
    pub(super) fn take_told(&mut self, node: NodeId) -> u64 {
        std::mem::take(&mut self.beds[node.index()].talk.events)
    }

    /// The body that a resting node waits for is overdue: by which of its ends it asks another, of whom those that are counted among its own have not announced it
    /// ([`Resting::ask_another`]).
    pub(super) fn ask_another(&mut self, node: NodeId, now: Time, lacking: &[u32]) -> Option<usize> {
        let places = self.places(node);
        let resting = self.beds[node.index()].resting.as_mut()?;
        let routes = || places.clone().zip((0..).zip(&self.routes[places.clone()]));
        let sources = routes().map(|(_, (at, route))| (route.peer, !lacking.contains(&at)));
        let next = resting.ask_another(now, sources)?;
        let mut routes = routes().filter(|(_, (_, route))| route.peer == next);
        routes.next().map(|(place, _)| place)
    }

    /// A node comes to rest; it knows as many neighbours as it has ends, by connections with these numbers.
    pub(super) fn lie_down(
        &mut self,
        node: NodeId,
        resting: Resting,
        neighbours: impl Iterator<Item = (Neighbour, u32)>,
    ) {
        let places = self.places(node);
        for (place, (neighbour, connection)) in places.zip(neighbours) {
            let end = &mut self.ends[place];
            (end.neighbour, end.connection) = (neighbour, connection);
        }
        self.fronts[node.index()] = Front::of(&resting);
        self.beds[node.index()].resting = Some(resting);
    }

    /// A node rests no longer; how it rested, and of how many events it told meanwhile. What has arrived is noted; what has not and nothing on the heap stands for
    /// goes to `left`, each with the place of the end that it is for.
    pub(super) fn get_up(
        &mut self,
        node: NodeId,
        (moment, ledger): (Moment, &Ledger),
        left: &mut Vec<(usize, Announcement)>,
    ) -> Option<(Resting, u64)> {
        let mut resting = self.beds.get_mut(node.index())?.resting.take()?;
        let told = self.take_told(node);
        self.fronts[node.index()] = Front::UP;
        for place in self.places(node) {
            let (teller, other) = (self.ends[place].neighbour.peer, self.ends[place].other as usize);
            let said = self.routes[other].said;
            let mut brought = [said.before(), None];
            if said.is_silent() {
                if let Some(last) = self.under_way_from(teller, other, moment) {
                    self.routes[other].said.speak();
                    left.push((place, last));
                } else {
                    brought[1] = said.last();
                }
            }
            for block in brought.into_iter().flatten() {
                let neighbour = &mut self.ends[place].neighbour;
                // It was told at rest, after the block below it. Another beside it came later, from who had got up and tossed a coin.
                neighbour.note_first(ledger, block);
                resting.note_source(neighbour, block);
            }
        }
        Some((resting, told))
    }

    /// What the node knows of its neighbours that were heard, or noted when it got up.
    pub(super) fn neighbours(&self, node: NodeId) -> impl Iterator<Item = Neighbour> + '_ {
        self.ends[self.places(node)].iter().map(|end| end.neighbour)
    }

    /// The node waits for a body, and others see that from now on.
    pub(super) fn wait_for(&mut self, node: NodeId, block: BlockRef) {
        self.fronts[node.index()].awaited = Some(block);
    }

    /// The node follows a block and has told its neighbours.
    pub(super) fn have_told(&mut self, node: NodeId, block: BlockRef) {
        let talk = &self.beds[node.index()].talk;
        self.fronts[node.index()] = Front {
            tip: Some(block),
            awaited: None,
            told_at: if talk.is_uneven { Time::MAX } else { talk.since },
        };
    }
}

/// What a small message takes there and back alike, on links that have a latency and nothing else.
fn latency_us([out, back]: [&Link; 2]) -> u32 {
    let latency = u32::try_from(out.latency().as_micros()).ok();
    let is_even = out.is_plain() && back.is_plain() && out.latency() == back.latency();
    latency.filter(|_| is_even).unwrap_or(UNEVEN)
}
