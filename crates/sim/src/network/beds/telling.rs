//! What nodes at rest tell their neighbours, and what of it has arrived.

use base::{NodeId, Time};
use chain::BlockRef;

use super::{Announcement, Bed, Beds, End, Moment, UNEVEN};
use crate::heap::Turn;

impl Beds {
    /// Which of a node's neighbours have not announced a block with this parent by this moment: where their ends stand among its own.
    pub(in crate::network) fn lacking<'a>(
        &self,
        node: NodeId,
        (block, parent): (BlockRef, BlockRef),
        moment: Moment,
        out: &'a mut Vec<u32>,
    ) -> &'a [u32] {
        let count = self.lacking_surely(node, (block, parent), moment.0, out);
        if let Some(count) = count {
            return &out[..count];
        }
        out.clear();
        let lacks = |(_, place): &(u32, usize)| !self.has_announced(*place, (block, parent), moment);
        out.extend((0..).zip(self.places(node)).filter(lacks).map(|(at, _)| at));
        out
    }

    /// The same, as far as when neighbours followed it, or that they follow its parent, says so of all of them: the first of `out`, and how many. Nearly always it does.
    /// All are looked at without a guess, for half would be wrong.
    fn lacking_surely(
        &self,
        node: NodeId,
        (block, parent): (BlockRef, BlockRef),
        now: Time,
        out: &mut Vec<u32>,
    ) -> Option<usize> {
        let until = now
            .as_micros()
            .checked_sub(self.overhead_us)
            .filter(|_| self.are_even)?;
        let routes = &self.routes[self.places(node)];
        let [block, parent] = [block, parent].map(BlockRef::number);
        if out.len() < routes.len() {
            out.resize(routes.len(), 0);
        }
        let (mut count, mut are_sure) = (0, true);
        for (at, route) in (0..).zip(routes) {
            let front = &self.fronts[route.peer.index()];
            let tip = front.tip.map_or(0, BlockRef::number);
            let told_at = front.told_at.as_micros();
            let arrival = told_at.wrapping_add(u64::from(route.latency_us));
            let follows = tip == block;
            are_sure &= (tip == parent) | (follows & (told_at != u64::MAX) & (arrival != until));
            out[count] = at;
            count += usize::from(!(follows & (arrival < until)));
        }
        are_sure.then_some(count)
    }

    /// Whether by this moment the neighbour at an end has announced a block: aloud, or silently.
    fn has_announced(&self, place: usize, (block, parent): (BlockRef, BlockRef), moment: Moment) -> bool {
        let route = &self.routes[place];
        let front = &self.fronts[route.peer.index()];
        if front.tip == Some(parent) {
            // It has never followed another that stands on it.
            return false;
        }
        if front.tip == Some(block) && front.told_at != Time::MAX && route.latency_us != UNEVEN {
            let arrival = later(front.told_at, self.overhead_us + u64::from(route.latency_us));
            if arrival != moment.0 {
                return arrival < moment.0;
            }
        }
        let End { neighbour, other, .. } = self.ends[place];
        let said = self.routes[other as usize].said;
        let is_under_way = || self.under_way_from(neighbour.peer, other as usize, moment).is_some();
        neighbour.has(block)
            || said.before() == Some(block)
            || said.is_silent() && said.last() == Some(block) && !is_under_way()
    }

    /// When what a node last told its neighbours arrives, if it left by this of its ends and only latencies counted.
    fn news_arrive(&self, node: NodeId, place: usize) -> Option<Time> {
        let talk = &self.beds[node.index()].talk;
        if self.routes[place].said.last() != talk.news {
            return None;
        }
        match self.routes[place].latency_us {
            _ if talk.is_uneven => Some(self.arrivals[place]),
            UNEVEN => None,
            latency_us => Some(later(talk.since, self.overhead_us + u64::from(latency_us))),
        }
    }

    /// The same announcement, if it has not arrived by this moment.
    pub(super) fn under_way_from(&self, node: NodeId, place: usize, moment: Moment) -> Option<Announcement> {
        let at = self.news_arrive(node, place).filter(|at| *at >= moment.0)?;
        let talk = &self.beds[node.index()].talk;
        let earlier = self.routes[self.first[node.index()] as usize..place].iter();
        let earlier = earlier.filter(|route| route.said.last() == talk.news);
        let announcement = Announcement {
            at,
            turn: talk.turn.after(earlier.count()),
            block: talk.news?,
        };
        (!announcement.has_arrived(moment)).then_some(announcement)
    }

    /// Whether something that a node has told its neighbours may be under way.
    pub(super) fn may_be_under_way(&self, node: NodeId, now: Time) -> bool {
        // Most often nobody has told of a block of late.
        self.told_until >= now && self.beds[node.index()].talk.until >= now
    }

    /// Whether bodies that the node has sent are still on their way.
    fn is_sending_bodies(&self, node: NodeId, now: Time) -> bool {
        self.beds[node.index()].talk.bodies_until > now
    }

    /// A body that the node sends is on its way until then.
    pub(in crate::network) fn sends_body(&mut self, node: NodeId, arrival: Time) {
        if let Some(Bed { talk, .. }) = self.beds.get_mut(node.index()) {
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

    /// Whether all that leaves by a node's ends takes the latency of its link, and has to overtake nothing but what was sent by the same end.
    pub(in crate::network) fn are_free(&self, node: NodeId, now: Time) -> bool {
        self.are_even && !self.may_be_under_way(node, now)
    }

    /// Something small leaves by some of a node's ends that [are free](Beds::are_free), a bit each: by which, where its opposite stands among the other node's, and when
    /// it arrives.
    pub(in crate::network) fn leave_by_all(
        &mut self,
        (node, mut places): (NodeId, u64),
        leaves: Time,
        mut each: impl FnMut(&End, usize, Time),
    ) {
        let own = self.places(node);
        let ends = &mut self.ends[own];
        while places != 0 {
            let end = &mut ends[places.trailing_zeros() as usize];
            places &= places - 1;
            let arrival = later(leaves, end.latency_us.into()).max(end.last_arrival);
            end.last_arrival = arrival;
            let opposite = end.other - self.first[end.neighbour.peer.index()];
            each(end, opposite as usize, arrival);
        }
    }

    /// Something else than what is told to all was sent by an end, and arrives then.
    pub(in crate::network) fn occupy(&mut self, place: usize, until: Time) {
        let last = &mut self.ends[place].last_arrival;
        *last = until.max(*last);
    }

    /// How long a message takes by an end, in microseconds, where only that counts.
    pub(in crate::network) fn latency(&self, place: usize) -> Option<u64> {
        let latency_us = self.ends[place].latency_us;
        (latency_us != UNEVEN).then(|| u64::from(latency_us))
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
                    let was_silent = self.routes[place].said.speak();
                    under_way.push((place, last, was_silent));
                }
            }
        }
        let is_uneven = !self.are_even || self.is_sending_bodies(node, moment.0);
        if is_uneven && self.arrivals.is_empty() {
            self.arrivals = vec![Time::ZERO; self.ends.len()];
        }
        let longest_us = if is_uneven { 0 } else { self.longest_us };
        let talk = &mut self.beds[node.index()].talk;
        talk.news = Some(block);
        talk.since = moment.0;
        talk.turn = turn;
        talk.is_uneven = is_uneven;
        talk.until = later(moment.0, longest_us);
        self.told_until = self.told_until.max(talk.until);
    }

    /// Whether all that a node is telling arrives when latencies say so.
    pub(in crate::network) fn is_all_even(&self, node: NodeId) -> bool {
        !self.beds[node.index()].talk.is_uneven
    }

    /// What a node is telling leaves by these of its ends, counted among its own: silently where the neighbour has the block. `hear` is told of each, to whom and when
    /// it arrives. Those for which something must stand go to the beginning of `aloud`, each with the place of the end that it leaves by; how many they are.
    ///
    /// Who has the block nobody can guess, so that all is done for each.
    pub(in crate::network) fn tell_all(
        &mut self,
        (node, block): (NodeId, BlockRef),
        (now, ends): (Time, &[u32]),
        aloud: &mut Vec<(usize, Announcement)>,
        mut hear: impl FnMut(NodeId, Time),
    ) -> usize {
        let turn = self.beds[node.index()].talk.turn;
        if aloud.len() < ends.len() {
            let at = now;
            aloud.resize(ends.len(), (0, Announcement { at, turn, block }));
        }
        let mut count = 0;
        let places = self.places(node);
        let first = places.start;
        let routes = &mut self.routes[places];
        for (nth, exit) in ends.iter().map(|exit| *exit as usize).enumerate() {
            let route = &mut routes[exit];
            let front = &self.fronts[route.peer.index()];
            let is_silent = !self.is_aloud & front.knows(block);
            route.said.tell(block, is_silent);
            let at = later(now, self.overhead_us + u64::from(route.latency_us));
            let turn = turn.after(nth);
            aloud[count] = (first + exit, Announcement { at, turn, block });
            count += usize::from(!is_silent);
            hear(route.peer, at);
        }
        count
    }

    /// The same for one, which arrives when its link says so. Whether it leaves silently.
    pub(in crate::network) fn tell_one(
        &mut self,
        (node, place): (NodeId, usize),
        block: BlockRef,
        arrival: Time,
    ) -> bool {
        let is_silent = !self.is_aloud && self.fronts[self.routes[place].peer.index()].knows(block);
        self.routes[place].said.tell(block, is_silent);
        self.arrivals[place] = arrival;
        let talk = &mut self.beds[node.index()].talk;
        talk.until = talk.until.max(arrival);
        self.told_until = self.told_until.max(talk.until);
        is_silent
    }
}

/// So many microseconds later.
const fn later(time: Time, micros: u64) -> Time {
    Time::from_micros(time.as_micros() + micros)
}
