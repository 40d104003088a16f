//! What is told silently is known when it would have arrived, and not before.

use chain::Ledger;
use node::{Input, Node};
use scenario::{Conditions, Overrides, Plan};

use base::Seed;

use super::*;

const LATENCY: Duration = Duration::from_millis(100);
const OVERHEAD: Duration = Duration::from_millis(10);

fn n(number: u32) -> NodeId {
    NodeId(number)
}

fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

fn turn(number: usize) -> Turn {
    Turn::default().after(number)
}

fn block(number: usize) -> BlockRef {
    BlockRef::at(number)
}

/// A moment before and after anything that was planned first has its turn.
fn moment(millis: u64, number: usize) -> Moment {
    (at(millis), Some(turn(number)))
}

/// Node 0 in the middle of three others, all at rest.
struct Star {
    plan: Plan,
    ledger: Ledger,
    beds: Beds,
    pairs: Pairs,
}

impl Star {
    fn new() -> Self {
        let conditions = Conditions {
            latency: LATENCY,
            ..Conditions::default()
        };
        let links = (1..4).map(|other| (n(0), n(other), conditions));
        let pairs = Pairs::new(4, links, (conditions, Seed::from_number(1)));
        let source =
            "[chain]\npreset = \"cluster\"\nproof-of-work = \"oracle\"\n[network]\nnodes = 4\nrelay = \"headers\"\n";
        let plan = scenario::parse("star", source, &Overrides::default()).expect("a scenario without fault");
        let mut star = Self {
            ledger: Ledger::new(plan.params.clone()),
            plan,
            beds: Beds::new(4, &pairs, OVERHEAD),
            pairs,
        };
        for node in (0..4).map(n) {
            star.lie_down(node);
        }
        star
    }

    fn lie_down(&mut self, node: NodeId) {
        let mut core = Node::new(node, self.plan.node_config(node), Seed::from_number(2));
        core.handle(&mut self.ledger, Time::ZERO, Input::Tick, &mut Vec::new());
        let resting = core.drawn().without_messages().rest(&self.ledger);
        let exits = self.pairs.exits(node).iter();
        let neighbours = exits.map(|exit| (Neighbour::unheard(exit.to), 7));
        self.beds
            .lie_down(node, resting.expect("nothing is under way"), neighbours);
    }

    /// A node follows a block and tells all of it who lack it; to whom something must be said aloud, and what it told before and is under way.
    fn follow(
        &mut self,
        node: NodeId,
        number: usize,
        moment: Moment,
    ) -> (Vec<NodeId>, Vec<(usize, Announcement, bool)>) {
        let first = turn(10 * number);
        let lacking = self.lacking(node, number, moment);
        let mut under_way = Vec::new();
        self.beds
            .begin_to_tell(node, (block(number), first), moment, &mut under_way);
        let mut aloud = Vec::new();
        if self.beds.is_all_even(node) {
            let (family, mut room) = ((node, block(number)), Vec::new());
            let count = self.beds.tell_all(family, (moment.0, &lacking), &mut room, |_, _| {});
            aloud.extend(
                room[..count]
                    .iter()
                    .map(|(place, _)| self.beds.end(*place).neighbour.peer),
            );
        } else {
            let first = self.beds.places(node).start;
            for place in lacking.iter().map(|at| first + *at as usize) {
                self.beds.tell_one((node, place), block(number), at(1_600));
            }
        }
        self.beds.have_told(node, block(number));
        (aloud, under_way)
    }

    /// Which of a node's ends lead to somebody who has not announced a block.
    fn lacking(&self, node: NodeId, number: usize, moment: Moment) -> Vec<u32> {
        let mut lacking = Vec::new();
        let family = (block(number), block(number - 1));
        self.beds.lacking(node, family, moment, &mut lacking).to_vec()
    }
}

#[test]
fn who_has_followed_is_known_to_have_when_it_was_told() {
    let mut star = Star::new();
    star.beds.wait_for(n(1), block(5));
    let (aloud, _) = star.follow(n(0), 5, moment(1_000, 1));
    assert_eq!(aloud, [n(2), n(3)], "only one of them knows of it");
    // It arrives after the latency and what small messages take on top, the first in turn 50.
    assert_eq!(star.lacking(n(1), 5, moment(1_109, 99)), [0]);
    assert_eq!(star.lacking(n(1), 5, moment(1_110, 50)), [0]);
    assert_eq!(star.lacking(n(1), 5, moment(1_110, 51)), [] as [u32; 0]);
    assert_eq!(star.lacking(n(1), 5, moment(1_111, 0)), [] as [u32; 0]);
}

#[test]
fn each_has_its_own_turn() {
    let mut star = Star::new();
    for other in 1..4 {
        star.beds.wait_for(n(other), block(5));
    }
    star.follow(n(0), 5, moment(1_000, 1));
    for (other, its) in [(1, 50), (2, 51), (3, 52)] {
        assert_eq!(star.lacking(n(other), 5, moment(1_110, its)), [0]);
        assert_eq!(star.lacking(n(other), 5, moment(1_110, its + 1)), [] as [u32; 0]);
    }
}

#[test]
fn what_is_under_way_as_the_next_is_told_is_not_forgotten() {
    let mut star = Star::new();
    star.beds.wait_for(n(1), block(5));
    star.follow(n(0), 5, moment(1_000, 1));
    star.beds.wait_for(n(1), block(6));
    let (_, under_way) = star.follow(n(0), 6, moment(1_050, 1));
    // Aloud or not, links must know; the silent one must be heard.
    let told: Vec<_> = under_way
        .iter()
        .map(|(place, last, was_silent)| (*place, last.at, last.turn, *was_silent))
        .collect();
    let arrives = at(1_110);
    assert_eq!(
        told,
        [
            (0, arrives, turn(50), true),
            (1, arrives, turn(51), false),
            (2, arrives, turn(52), false)
        ]
    );
    // It is to be heard on arrival now: until then nobody knows.
    assert_eq!(star.lacking(n(1), 5, moment(1_200, 0)), [0]);
    // Of the next but one nothing is under way.
    let (_, under_way) = star.follow(n(0), 7, moment(2_000, 1));
    assert!(under_way.is_empty());
    assert_eq!(
        star.lacking(n(1), 6, moment(2_001, 0)),
        [] as [u32; 0],
        "it had arrived before"
    );
}

#[test]
fn who_gets_up_notes_what_has_arrived_and_hears_what_has_not() {
    for (millis, has_arrived) in [(1_109, false), (1_111, true)] {
        let mut star = Star::new();
        // Genesis is all that this ledger knows.
        star.beds.wait_for(n(1), BlockRef::GENESIS);
        let family = (BlockRef::GENESIS, block(9));
        let mut under_way = Vec::new();
        star.beds
            .begin_to_tell(n(0), (family.0, turn(50)), moment(1_000, 1), &mut under_way);
        star.beds
            .tell_all((n(0), family.0), (at(1_000), &[0, 1, 2]), &mut Vec::new(), |_, _| {});
        star.beds.have_told(n(0), family.0);
        let mut left = Vec::new();
        let now = moment(millis, 0);
        assert!(star.beds.get_up(n(1), (now, &star.ledger), &mut left).is_some());
        let left: Vec<_> = left.iter().map(|(_, last)| (last.at, last.turn)).collect();
        let heard = star
            .beds
            .neighbours(n(1))
            .next()
            .map(|neighbour| neighbour.has(family.0));
        assert_eq!(heard, Some(has_arrived));
        if has_arrived {
            assert_eq!(left, []);
        } else {
            assert_eq!(left, [(at(1_110), turn(50))]);
        }
    }
}

/// Node 0 told node 1 silently of one block, then got up, tossed a coin, and told of the other aloud.
#[test]
fn what_was_told_silently_was_told_before_another_of_the_same_work() {
    let mut star = Star::new();
    star.ledger = Ledger::new(chain::Params::instant());
    let [silent, aloud] = [1, 2].map(|number| {
        let mut draft = star
            .ledger
            .draft(BlockRef::GENESIS, star.ledger.params().genesis_time + 1);
        draft.extra_nonce = number;
        let header = chain::mining::solve(&draft.assemble().header, 10_000).expect("one hash in two will do");
        star.ledger
            .record_hashed_header(&header.into())
            .expect("a valid header")
    });
    star.beds.wait_for(n(1), silent);
    star.follow(n(0), silent.index(), moment(1_000, 1));
    let place = star.beds.places(n(1)).start;
    star.beds.bed(n(1), place).1.note(&star.ledger, aloud);
    star.beds
        .get_up(n(1), (moment(2_000, 1), &star.ledger), &mut Vec::new());
    let best = star.beds.neighbours(n(1)).next();
    assert!(best.is_some_and(|neighbour| neighbour.has(silent)));
}

#[test]
fn who_lies_down_again_still_knows_what_was_told() {
    let mut star = Star::new();
    star.beds.wait_for(n(1), block(5));
    star.follow(n(0), 5, moment(1_000, 1));
    let mut left = Vec::new();
    star.beds.get_up(n(0), (moment(1_050, 1), &star.ledger), &mut left);
    for again in [false, true] {
        if again {
            star.lie_down(n(0));
        }
        assert_eq!(star.lacking(n(1), 5, moment(1_109, 0)), [0]);
        assert_eq!(star.lacking(n(1), 5, moment(1_111, 0)), [] as [u32; 0]);
    }
}

#[test]
fn what_was_told_is_gone_with_the_connection_and_with_a_link_that_changes() {
    let end_of_1 = (0, n(1));
    for change in [Beds::part, Beds::change] {
        let mut star = Star::new();
        for number in [5, 6] {
            star.beds.wait_for(n(1), block(number));
            star.follow(n(0), number, moment(200 * number as u64, 1));
        }
        star.beds
            .get_up(n(0), (moment(1_400, 1), &star.ledger), &mut Vec::new());
        let lacking = |star: &Star| [5, 6].map(|number| star.lacking(n(1), number, moment(1_400, 0)).len());
        assert_eq!(lacking(&star), [0, 0]);
        change(&mut star.beds, n(0), end_of_1);
        assert_eq!(lacking(&star), [1, 1]);
    }
}

/// Each is as slow as the other, or neither is told from where ends stand.
#[test]
fn a_link_that_changes_one_way_is_a_matter_for_the_link_both_ways() {
    let mut star = Star::new();
    let [there, back] = [0, star.beds.places(n(1)).start];
    let latencies = |star: &Star| [there, back, 1].map(|place| star.beds.latency(place));
    assert_eq!(latencies(&star), [Some(100_000); 3]);
    star.beds.change(n(0), (0, n(1)));
    assert_eq!(latencies(&star), [None, None, Some(100_000)]);
}

#[test]
fn behind_bodies_all_that_is_told_arrives_when_its_link_says_so() {
    let mut star = Star::new();
    star.beds.wait_for(n(1), block(5));
    star.beds.sends_body(n(0), at(1_500));
    star.follow(n(0), 5, moment(1_000, 1));
    assert!(!star.beds.is_all_even(n(0)));
    assert_eq!(star.lacking(n(1), 5, moment(1_599, 0)), [0]);
    assert_eq!(star.lacking(n(1), 5, moment(1_601, 0)), [] as [u32; 0]);
    assert_eq!(star.beds.busy_until((n(0), 0), at(1_599)), at(1_600));
    let (_, under_way) = star.follow(n(0), 6, moment(1_501, 1));
    assert_eq!(under_way.len(), 3);
    assert!(star.beds.is_all_even(n(0)));
    assert_eq!(star.beds.busy_until((n(0), 0), at(1_502)), at(1_611));
}
