//! What nodes at rest tell their neighbours, and what of it has arrived.

use base::{NodeId, Time};
use chain::BlockRef;

use super::{Announcement, Beds, End, Moment, UNEVEN};
use crate::heap::Turn;

/// Set where more than the time at which a neighbour followed a block says whether it has announced it. A node has far fewer ends.
const UNSURE: u32 = 1 << 31;

impl Beds {
    /// Which of a node's neighbours have not announced a block with this parent by this moment: where their ends stand among its own.
    ///
    /// Nearly always when they followed it tells whether they have. All are looked at without a guess, for half would be wrong.
    pub(in crate::network) fn lacking<'a>(
        &self,
        node: NodeId,
        (block, parent): (BlockRef, BlockRef),
        moment: Moment,
        out: &'a mut Vec<u32>,
    ) -> &'a [u32] {
        let places = self.places(node);
        let (first, routes) = (places.start, &self.routes[places]);
        let (now, overhead) = (moment.0.as_micros(), self.overhead_us);
        let [block_number, parent_number] = [block.number(), parent.number()];
        if out.len() < routes.len() {
            out.resize(routes.len(), 0);
        }
        let (mut count, mut is_all_sure) = (0, true);
        for (at, route) in (0..).zip(routes) {
            let front = &self.fronts[route.peer.index()];
            let tip = front.tip.map_or(0, BlockRef::number);
            let told_at = front.told_at.as_micros();
            let arrival = told_at.wrapping_add(overhead).wrapping_add(u64::from(route.in_us));
            let follows = tip == block_number;
            let is_clear = follows & (route.in_us != UNEVEN) & (arrival != now);
            let is_sure = (told_at != u64::MAX) & (is_clear | (tip == parent_number));
            is_all_sure &= is_sure;
            out[count] = at | if is_sure { 0 } else { UNSURE };
            count += usize::from(!(is_sure & follows & (arrival < now)));
        }
        if !is_all_sure {
            let unsure = count;
            count = 0;
            for from in 0..unsure {
                let at = out[from] & !UNSURE;
                let lacks = out[from] == at || !self.has_announced(first + at as usize, block, moment);
                out[count] = at;
                count += usize::from(lacks);
            }
        }
        &out[..count]
    }

    /// Whether by this moment the neighbour at an end has announced a block: aloud, or silently.
    fn has_announced(&self, place: usize, block: BlockRef, moment: Moment) -> bool {
        let End { neighbour, other, .. } = self.ends[place];
        let said = self.said[other as usize];
        let is_under_way = || self.under_way_from(neighbour.peer, other as usize, moment).is_some();
        neighbour.has(block)
            || said.before() == Some(block)
            || said.is_silent() && said.last() == Some(block) && !is_under_way()
    }

    /// When what a node last told its neighbours arrives, if it left by this of its ends and only latencies counted.
    fn news_arrive(&self, node: NodeId, place: usize) -> Option<Time> {
        let talk = &self.talks[node.index()];
        if self.said[place].last() != talk.news {
            return None;
        }
        match self.routes[place].out_us {
            _ if talk.is_uneven => Some(self.arrivals[place]),
            UNEVEN => None,
            out_us => Some(later(talk.since, self.overhead_us + u64::from(out_us))),
        }
    }

    /// The same announcement, if it has not arrived by this moment.
    pub(super) fn under_way_from(&self, node: NodeId, place: usize, moment: Moment) -> Option<Announcement> {
        let at = self.news_arrive(node, place).filter(|at| *at >= moment.0)?;
        let talk = &self.talks[node.index()];
        let earlier = self.said[self.first[node.index()] as usize..place].iter();
        let earlier = earlier.filter(|said| said.last() == talk.news);
        let announcement = Announcement {
            at,
            turn: talk.turn.after(earlier.count()),
            block: talk.news?,
        };
        (!announcement.has_arrived(moment)).then_some(announcement)
    }

    /// Whether something that a node has told its neighbours may be under way.
    pub(super) fn may_be_under_way(&self, node: NodeId, now: Time) -> bool {
        self.talks[node.index()].until >= now
    }

    /// Whether bodies that the node has sent are still on their way.
    fn is_sending_bodies(&self, node: NodeId, now: Time) -> bool {
        self.talks[node.index()].bodies_until > now
    }

    /// A body that the node sends is on its way until then.
    pub(in crate::network) fn sends_body(&mut self, node: NodeId, arrival: Time) {
        if let Some(talk) = self.talks.get_mut(node.index()) {
            talk.bodies_until = talk.bodies_until.max(arrival);
        }
    }

    /// When what was last sent by one of a node's ends arrives, where only latencies count: nothing may overtake it.
    pub(in crate::network) fn busy_until(&self, (node, place): (NodeId, usize), now: Time) -> Time {
        let last = self.ends[place].last_arrival;
        if !self.may_be_under_way(node, now) {
            return last;
        }
        self.news_arrive(node, place).map_or(last, |at| at.max(last))
    }

    /// Something else than what is told to all was sent by an end, and arrives then.
    pub(in crate::network) fn occupy(&mut self, place: usize, until: Time) {
        let last = &mut self.ends[place].last_arrival;
        *last = until.max(*last);
    }

    /// How long a message takes by an end, in microseconds, where only that counts.
    pub(in crate::network) fn latency(&self, place: usize) -> Option<u64> {
        let out_us = self.ends[place].out_us;
        (out_us != UNEVEN).then(|| u64::from(out_us))
    }

    /// A node is about to tell its neighbours of a block, the first of them in this turn. What it told before and has not arrived goes to `under_way`, each with the
    /// place of the end that it left by, and whether something must stand for it from now on.
    pub(in crate::network) fn begin_to_tell(
        &mut self,
        node: NodeId,
        (block, turn): (BlockRef, Turn),
        moment: Moment,
        under_way: &mut Vec<(usize, Announcement, bool)>,
    ) {
        if self.may_be_under_way(node, moment.0) {
            for place in self.places(node) {
                if let Some(last) = self.under_way_from(node, place, moment) {
                    let was_silent = self.said[place].speak();
                    under_way.push((place, last, was_silent));
                }
            }
        }
        let is_uneven = !self.are_even || self.is_sending_bodies(node, moment.0);
        if is_uneven && self.arrivals.is_empty() {
            self.arrivals = vec![Time::ZERO; self.ends.len()];
        }
        let longest_us = if is_uneven { 0 } else { self.longest_us };
        let talk = &mut self.talks[node.index()];
        talk.news = Some(block);
        talk.since = moment.0;
        talk.turn = turn;
        talk.is_uneven = is_uneven;
        talk.until = later(moment.0, longest_us);
    }

    /// Whether all that a node is telling arrives when latencies say so.
    pub(in crate::network) fn is_all_even(&self, node: NodeId) -> bool {
        !self.talks[node.index()].is_uneven
    }

    /// What a node is telling leaves by these of its ends, counted among its own: silently where the neighbour has the block. `hear` is told of each: to whom, by
    /// which end, when it arrives, and whether something must stand for it.
    pub(in crate::network) fn tell_all(
        &mut self,
        (node, block): (NodeId, BlockRef),
        (now, ends): (Time, &[u32]),
        mut hear: impl FnMut(NodeId, usize, Time, bool),
    ) {
        let places = self.places(node);
        let first = places.start;
        let (own, said) = (&self.routes[places.clone()], &mut self.said[places]);
        for at in ends.iter().map(|at| *at as usize) {
            let route = &own[at];
            let front = &self.fronts[route.peer.index()];
            let is_silent = !self.is_aloud && front.knows(block);
            said[at].tell(block, is_silent);
            let arrival = later(now, self.overhead_us + u64::from(route.out_us));
            hear(route.peer, first + at, arrival, is_silent);
        }
    }

    /// The same for one, which arrives when its link says so. Whether it leaves silently.
    pub(in crate::network) fn tell_one(
        &mut self,
        (node, place): (NodeId, usize),
        block: BlockRef,
        arrival: Time,
    ) -> bool {
        let is_silent = !self.is_aloud && self.fronts[self.routes[place].peer.index()].knows(block);
        self.said[place].tell(block, is_silent);
        self.arrivals[place] = arrival;
        let talk = &mut self.talks[node.index()];
        talk.until = talk.until.max(arrival);
        is_silent
    }
}

/// So many microseconds later.
const fn later(time: Time, micros: u64) -> Time {
    Time::from_micros(time.as_micros() + micros)
}
