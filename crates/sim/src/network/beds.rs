//! Where nodes rest: what is looked at of a resting node for every message, that of all nodes side by side, and what is on its way to it and says nothing new.
//!
//! Most of what a network sends are announcements of blocks that the receiver has, or is being sent. All that follows from such a one is that its sender has the
//! block too. So it is not queued: it waits here, and is noted, with its own time, before that matters. What says something new, or may by the time it arrives, is
//! heard on arrival. The run is the same to the last byte.

use base::{NodeId, Time};
use chain::{BlockRef, Ledger};
use node::{Neighbour, Resting};

use crate::digest::Digest;
use crate::heap::Turn;
use crate::pairs::{Exit, Pairs};

/// An announcement on its way to a resting node, or not noted yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announcement {
    pub(super) at: Time,
    pub(super) turn: Turn,
    pub(super) block: BlockRef,
}

/// What noting needs: until when, about what, and where it is counted.
pub(super) type Aside<'a> = (Moment, &'a Ledger, &'a mut Digest);

/// A moment, and whose turn it is at it.
pub(super) type Moment = (Time, Option<Turn>);

impl Announcement {
    /// Whether it has arrived by this moment.
    fn has_arrived(&self, (now, turn): Moment) -> bool {
        let had_its_turn = || turn.is_some_and(|turn| self.turn.is_before(turn));
        self.at < now || (self.at == now && had_its_turn())
    }
}

/// Of which blocks announcements say nothing new to a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Calm {
    tip: Option<BlockRef>,
    awaited: Option<BlockRef>,
}

impl Calm {
    fn of(resting: &Resting) -> Self {
        Self {
            tip: Some(resting.tip()),
            awaited: resting.awaited(),
        }
    }
}

/// Where nodes rest.
#[derive(Debug, Default)]
pub(super) struct Beds {
    resting: Vec<Option<Resting>>,
    /// Beside all others, so that a look at one costs little.
    calm: Vec<Calm>,
    /// Where each node's neighbours begin, and where the last one's end: there is one for each of its exits, in their order.
    first: Vec<u32>,
    neighbours: Vec<Neighbour>,
    /// What waits for a node from each.
    waiting: Vec<Option<Announcement>>,
}

/// What is known of one resting node.
pub(super) struct Bed<'a> {
    pub(super) resting: &'a mut Resting,
    pub(super) neighbours: &'a mut [Neighbour],
    waiting: &'a mut [Option<Announcement>],
    calm: &'a mut Calm,
}

impl Beds {
    /// Nobody rests yet, of nodes with these exits.
    pub(super) fn new(nodes: usize, pairs: &Pairs) -> Self {
        let mut beds = Self {
            resting: vec![None; nodes],
            calm: vec![Calm::default(); nodes],
            first: vec![0],
            neighbours: Vec::new(),
            waiting: Vec::new(),
        };
        for node in (0..nodes).map(NodeId::at) {
            let neighbours = pairs.exits(node).iter().map(|exit| Neighbour::unheard(exit.to));
            beds.neighbours.extend(neighbours);
            let end = u32::try_from(beds.neighbours.len()).expect("memory ends before four billion ways");
            beds.first.push(end);
        }
        beds.waiting = vec![None; beds.neighbours.len()];
        beds
    }

    /// Whether there are any.
    pub(super) const fn are_open(&self) -> bool {
        !self.resting.is_empty()
    }

    fn rows(&self, node: NodeId) -> std::ops::Range<usize> {
        self.first[node.index()] as usize..self.first[node.index() + 1] as usize
    }

    /// Reads where the things are that a message to a node is about, and changes nothing: see [`super::Network::prepare`].
    pub(super) fn glance(&self, node: NodeId) -> usize {
        self.of(node).map_or(0, Resting::glance) + self.first.get(node.index()).map_or(0, |at| *at as usize)
    }

    /// Reads the things themselves, what waits among them or not.
    pub(super) fn look_closer(&self, node: NodeId, with_waiting: bool) -> usize {
        if self.of(node).is_none() {
            return 0;
        }
        let rows = self.rows(node);
        let neighbours = self.neighbours[rows.clone()].iter().step_by(8);
        let waiting = self.waiting[rows].iter().step_by(4).filter(|_| with_waiting);
        neighbours.map(|neighbour| neighbour.peer.index()).sum::<usize>() + waiting.flatten().count()
    }

    /// Reads where what a node tells the others of a block will wait.
    pub(super) fn glance_where_told(&self, node: NodeId, block: BlockRef, exits: &[Exit]) -> usize {
        let told = exits
            .iter()
            .zip(self.neighbours(node))
            .filter(|(_, neighbour)| !neighbour.has(block));
        let places = told.map(|(exit, _)| self.first[exit.to.index()] as usize + exit.opposite as usize);
        places
            .map(|place| usize::from(self.waiting.get(place).is_some_and(Option::is_some)))
            .sum()
    }

    /// Whom the node knew when there came to be beds.
    pub(super) fn neighbours(&self, node: NodeId) -> &[Neighbour] {
        &self.neighbours[self.rows(node)]
    }

    /// How a node rests, if it does.
    pub(super) fn of(&self, node: NodeId) -> Option<&Resting> {
        self.resting.get(node.index())?.as_ref()
    }

    /// The same, to change it.
    pub(super) fn bed(&mut self, node: NodeId) -> Option<Bed<'_>> {
        let resting = self.resting.get_mut(node.index())?.as_mut()?;
        let rows = self.first[node.index()] as usize..self.first[node.index() + 1] as usize;
        Some(Bed {
            resting,
            neighbours: &mut self.neighbours[rows.clone()],
            waiting: &mut self.waiting[rows],
            calm: &mut self.calm[node.index()],
        })
    }

    /// A node comes to rest; it knows as many neighbours as it has exits.
    pub(super) fn lie_down(&mut self, node: NodeId, resting: Resting, neighbours: impl Iterator<Item = Neighbour>) {
        let rows = self.rows(node);
        for (row, neighbour) in self.neighbours[rows].iter_mut().zip(neighbours) {
            *row = neighbour;
        }
        self.calm[node.index()] = Calm::of(&resting);
        self.resting[node.index()] = Some(resting);
    }

    /// A node rests no longer. What still waits for it is taken out, each with the place of the exit back to its sender.
    pub(super) fn get_up(&mut self, node: NodeId, left: &mut Vec<(usize, Announcement)>) -> Option<Resting> {
        let resting = self.resting.get_mut(node.index())?.take()?;
        self.calm[node.index()] = Calm::default();
        let rows = self.rows(node);
        let waiting = self.waiting[rows].iter_mut().map(Option::take).enumerate();
        left.extend(waiting.filter_map(|(at, waiting)| Some((at, waiting?))));
        Some(resting)
    }

    /// Whether an announcement of this block says nothing new to a node.
    pub(super) fn is_old_news(&self, node: NodeId, block: BlockRef) -> bool {
        let calm = self.calm[node.index()];
        calm.tip == Some(block) || calm.awaited == Some(block)
    }

    /// Lets an announcement that says nothing new wait; whether there was room. One that waits there and has arrived is noted.
    pub(super) fn wait(
        &mut self,
        (node, exit): (NodeId, u32),
        announcement: Announcement,
        (moment, ledger, digest): Aside<'_>,
    ) -> bool {
        let row = self.first[node.index()] as usize + exit as usize;
        if let Some(before) = self.waiting[row] {
            if !before.has_arrived(moment) {
                return false;
            }
            digest.announced(before.at, node, self.neighbours[row].peer);
            self.neighbours[row].note(ledger, before.block);
        }
        self.waiting[row] = Some(announcement);
        true
    }
}

impl Bed<'_> {
    /// Notes what has arrived.
    pub(super) fn note_arrived(&mut self, node: NodeId, (moment, ledger, digest): Aside<'_>) {
        for (waiting, neighbour) in self.waiting.iter_mut().zip(self.neighbours.iter_mut()) {
            if let Some(announcement) = waiting.take_if(|announcement| announcement.has_arrived(moment)) {
                digest.announced(announcement.at, node, neighbour.peer);
                neighbour.note(ledger, announcement.block);
            }
        }
    }

    /// The node has taken something in: what it is calm about is another block now.
    pub(super) fn settle(&mut self) {
        *self.calm = Calm::of(self.resting);
    }
}
