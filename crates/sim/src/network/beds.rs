//! Where nodes rest: what is looked at of a resting node for every message, that of all nodes side by side, and what neighbours tell each other that says nothing new.
//!
//! Most of what a network sends are announcements of blocks that the receiver has, or is being sent. All that follows from such a one is that its sender has the
//! block too. So it is kept where it was sent ([`End`]), and the receiver looks whether it has arrived when that matters: when it follows a block, and when it gets up.
//! What says something new, or may by the time it arrives, is heard on arrival. The run is the same to the last byte.

use base::{NodeId, Time};
use chain::{BlockRef, Ledger};
use node::{Neighbour, Resting};
use scenario::Link;

use crate::heap::Turn;
use crate::pairs::Pairs;

/// An announcement of one block: when it arrives, and whose turn it is then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announcement {
    pub(super) at: Time,
    pub(super) turn: Turn,
    pub(super) block: BlockRef,
}

/// A moment, and whose turn it is at it.
pub(super) type Moment = (Time, Option<Turn>);

impl Announcement {
    /// Whether it has arrived by this moment.
    fn has_arrived(&self, (now, turn): Moment) -> bool {
        let had_its_turn = || turn.is_some_and(|turn| self.turn.is_before(turn));
        self.at < now || (self.at == now && had_its_turn())
    }
}

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

    fn of(resting: &Resting, told_at: Time) -> Self {
        Self {
            tip: Some(resting.tip()),
            awaited: resting.awaited(),
            told_at,
        }
    }
}

/// A node's end of a connection.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// Who is at the other end, and what it has announced that was heard on arrival.
    pub(super) neighbour: Neighbour,
    /// Where the other end stands.
    pub(super) other: u32,
    /// The connection's number, when the node last came to rest.
    pub(super) connection: u32,
    /// How long a small message takes, out and in, in microseconds; [`UNEVEN`] where there is more to it.
    out_us: u32,
    in_us: u32,
    /// The last announcement that left here for good.
    told: Option<BlockRef>,
    turn: Turn,
    arrives: Time,
    /// Whether nothing on the heap stands for it.
    is_silent: bool,
    /// The one before, which has arrived.
    told_before: Option<BlockRef>,
}

/// Of links with more than a latency, and of those that have changed.
const UNEVEN: u32 = u32::MAX;

impl End {
    fn last(&self) -> Option<Announcement> {
        Some(Announcement {
            at: self.arrives,
            turn: self.turn,
            block: self.told?,
        })
    }

    /// Whether an announcement of this block has arrived from here.
    fn has_brought(&self, block: BlockRef, moment: Moment) -> bool {
        self.told_before == Some(block)
            || self.told == Some(block) && self.last().is_some_and(|last| last.has_arrived(moment))
    }
}

/// What is kept of one node.
#[derive(Clone, Debug, Default)]
struct Bed {
    /// None while it is up.
    resting: Option<Resting>,
    /// How many events it has told of at rest.
    told: u64,
    /// Up to when bodies that it sends are on their way: smaller messages do not overtake them.
    bodies_until: Time,
}

/// Where nodes rest.
#[derive(Debug, Default)]
pub(super) struct Beds {
    fronts: Vec<Front>,
    beds: Vec<Bed>,
    /// Where each node's ends begin, and where the last one's end: there is one for each of its exits, in their order.
    first: Vec<u32>,
    ends: Vec<End>,
    /// What a small message takes on top of its latency, in microseconds.
    overhead_us: u64,
}

impl Beds {
    /// Nobody rests yet, of nodes with these exits, where small messages take so much on top of their latency; none where that differs.
    pub(super) fn new(nodes: usize, pairs: &Pairs, overhead_us: Option<u64>) -> Self {
        let mut beds = Self {
            fronts: vec![Front::UP; nodes],
            beds: vec![Bed::default(); nodes],
            first: vec![0],
            ends: Vec::new(),
            overhead_us: overhead_us.unwrap_or(0),
        };
        let mut count = 0;
        for node in (0..nodes).map(NodeId::at) {
            count += u32::try_from(pairs.exits(node).len()).expect("memory ends before four billion ways");
            beds.first.push(count);
        }
        for node in (0..nodes).map(NodeId::at) {
            for exit in pairs.exits(node) {
                let back = &pairs.exits(exit.to)[exit.opposite as usize];
                let delay = |link: &Link| overhead_us.map_or(UNEVEN, |_| delay_us(link));
                beds.ends.push(End {
                    neighbour: Neighbour::unheard(exit.to),
                    other: beds.first[exit.to.index()] + exit.opposite,
                    connection: 0,
                    out_us: delay(&exit.link),
                    in_us: delay(&back.link),
                    told: None,
                    turn: Turn::default(),
                    arrives: Time::ZERO,
                    is_silent: false,
                    told_before: None,
                });
            }
        }
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

    pub(super) fn end(&self, place: usize) -> &End {
        &self.ends[place]
    }

    /// Whether a node rests.
    pub(super) fn is_at_rest(&self, node: NodeId) -> bool {
        self.fronts.get(node.index()).is_some_and(|front| front.tip.is_some())
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

    /// A node at rest has told of so many events.
    pub(super) fn count_told(&mut self, node: NodeId, events: u64) {
        self.beds[node.index()].told += events;
    }

    /// A node comes to rest; it knows as many neighbours as it has ends, by connections with these numbers.
    pub(super) fn lie_down(
        &mut self,
        node: NodeId,
        resting: Resting,
        neighbours: impl Iterator<Item = (Neighbour, u32)>,
    ) {
        let places = self.places(node);
        for (end, (neighbour, connection)) in self.ends[places].iter_mut().zip(neighbours) {
            end.neighbour = neighbour;
            end.connection = connection;
        }
        self.fronts[node.index()] = Front::of(&resting, Time::MAX);
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
        let bed = self.beds.get_mut(node.index())?;
        let resting = bed.resting.take()?;
        let told = std::mem::take(&mut bed.told);
        self.fronts[node.index()] = Front::UP;
        for place in self.places(node) {
            let other = self.ends[place].other as usize;
            let other = &mut self.ends[other];
            let mut brought = [other.told_before, None];
            if let Some(last) = other.last() {
                if last.has_arrived(moment) {
                    brought[1] = Some(last.block);
                } else if std::mem::take(&mut other.is_silent) {
                    left.push((place, last));
                }
            }
            for block in brought.into_iter().flatten() {
                self.ends[place].neighbour.note(ledger, block);
            }
        }
        Some((resting, told))
    }

    /// What the node knows of its neighbours that were heard, or noted when it got up.
    pub(super) fn neighbours(&self, node: NodeId) -> impl Iterator<Item = Neighbour> + '_ {
        self.ends[self.places(node)].iter().map(|end| end.neighbour)
    }

    /// The node has taken something in, or, at this time, followed a block: others see that from now on.
    pub(super) fn settle(&mut self, node: NodeId, followed_at: Option<Time>) {
        let front = &mut self.fronts[node.index()];
        if let Some(resting) = &self.beds[node.index()].resting {
            *front = Front::of(resting, followed_at.unwrap_or(front.told_at));
        }
    }

    /// Whether an announcement of this block says nothing new to a node.
    pub(super) fn is_old_news(&self, node: NodeId, block: BlockRef) -> bool {
        let front = self.fronts[node.index()];
        front.tip == Some(block) || front.awaited == Some(block)
    }

    /// Whether by this moment the neighbour at an end has announced a block with this parent.
    pub(super) fn has(&self, end: &End, (block, parent): (BlockRef, BlockRef), moment: Moment) -> bool {
        if end.neighbour.has(block) {
            return true;
        }
        let front = self.fronts[end.neighbour.peer.index()];
        if front.told_at != Time::MAX {
            if front.tip == Some(parent) {
                return false;
            }
            if front.tip == Some(block) && end.in_us != UNEVEN {
                let arrival = front.told_at.as_micros() + self.overhead_us + u64::from(end.in_us);
                if arrival != moment.0.as_micros() {
                    return arrival < moment.0.as_micros();
                }
            }
        }
        self.ends[end.other as usize].has_brought(block, moment)
    }

    /// When a small message that leaves an end now arrives, where that is only a matter of latencies.
    pub(super) fn arrival(&self, end: &End, now: Time) -> Option<Time> {
        let delay = self.overhead_us + u64::from(end.out_us);
        (end.out_us != UNEVEN).then(|| Time::from_micros(now.as_micros() + delay))
    }

    /// Whether bodies that the node has sent are still on their way.
    pub(super) fn is_sending_bodies(&self, node: NodeId, now: Time) -> bool {
        self.beds[node.index()].bodies_until > now
    }

    /// A body that the node sends is on its way until then.
    pub(super) fn sends_body(&mut self, node: NodeId, arrival: Time) {
        if let Some(bed) = self.beds.get_mut(node.index()) {
            bed.bodies_until = bed.bodies_until.max(arrival);
        }
    }

    /// What was last told by one of a node's exits, if that is still where it was, arrives then; nothing may overtake it.
    pub(super) fn told_until(&self, node: NodeId, exit: (u32, NodeId)) -> Option<Time> {
        let end = &self.ends[self.place(node, exit)?];
        end.told.map(|_| end.arrives)
    }

    /// Something is announced from an end, silently or not. The one before, if it has not arrived and nothing on the heap stood for it: from now on
    /// something must.
    pub(super) fn tell(
        &mut self,
        place: usize,
        (announcement, is_silent): (Announcement, bool),
        moment: Moment,
    ) -> Option<Announcement> {
        let end = &mut self.ends[place];
        let before = end.last();
        let was_silent = std::mem::replace(&mut end.is_silent, is_silent);
        end.told = Some(announcement.block);
        end.turn = announcement.turn;
        end.arrives = announcement.at;
        let before = before?;
        if before.has_arrived(moment) {
            end.told_before = Some(before.block);
            return None;
        }
        Some(before).filter(|_| was_silent)
    }

    /// The connection between two nodes is gone, and with it what they told each other.
    pub(super) fn part(&mut self, node: NodeId, exit: (u32, NodeId)) {
        let Some(place) = self.place(node, exit) else { return };
        for place in [place, self.ends[place].other as usize] {
            let end = &mut self.ends[place];
            end.told = None;
            end.told_before = None;
            end.is_silent = false;
        }
    }

    /// The way out of one of a node's ends is not what it was.
    pub(super) fn change(&mut self, node: NodeId, exit: (u32, NodeId)) {
        let Some(place) = self.place(node, exit) else { return };
        self.ends[place].out_us = UNEVEN;
        let other = self.ends[place].other as usize;
        self.ends[other].in_us = UNEVEN;
    }

    /// Reads what a message to one of a node's ends is about, and changes nothing: see [`super::Network::prepare`].
    pub(super) fn glance(&self, node: NodeId, exit: u32) -> usize {
        let Some(bed) = self.beds.get(node.index()) else { return 0 };
        let resting = bed.resting.as_ref().map_or(0, Resting::glance);
        let front = usize::from(self.fronts[node.index()].awaited.is_some());
        let end = self.ends.get(self.first[node.index()] as usize + exit as usize);
        resting + front + end.map_or(0, |end| end.connection as usize)
    }

    /// Reads all its ends.
    pub(super) fn look_closer(&self, node: NodeId) -> usize {
        let ends = self.ends[self.places(node)].iter();
        ends.map(|end| end.other as usize).sum()
    }

    /// Reads what it needs of its neighbours.
    pub(super) fn look_around(&self, node: NodeId) -> usize {
        let ends = self.ends[self.places(node)].iter();
        ends.map(|end| usize::from(self.fronts[end.neighbour.peer.index()].awaited.is_some()))
            .sum()
    }
}

/// What a small message takes on a link that has a latency and nothing else.
fn delay_us(link: &Link) -> u32 {
    let latency = u32::try_from(link.latency().as_micros()).ok();
    latency.filter(|_| link.is_plain()).unwrap_or(UNEVEN)
}
