//! The order in which things happen.

use std::time::Duration;

use base::Seed;

use super::*;

fn solved(number: u32) -> Happening {
    let node = NodeId(number);
    Happening::Solved { node, search: 0 }
}

fn number((at, _, happening): (Time, Turn, Happening)) -> (Time, u32) {
    let of_message = |short| {
        if let Short::Sent(body) = short {
            Some(body)
        } else {
            None
        }
    };
    let number = match happening {
        Happening::Solved { node, .. } | Happening::Tick { node } => Some(node.0),
        Happening::Short { short, .. } => of_message(short),
        Happening::Arrival { .. } | Happening::Paid { .. } | Happening::Connected { .. } | Happening::Redial { .. } => {
            None
        }
    };
    (at, number.expect("it was planned"))
}

fn drain(heap: &mut Heap) -> Vec<u32> {
    std::iter::from_fn(|| heap.pop().map(|what| number(what).1)).collect()
}

#[test]
fn what_is_planned_for_one_time_happens_in_the_order_of_planning() {
    let mut heap = Heap::default();
    for (at, node) in [(2, 0), (1, 1), (2, 2), (1, 3)] {
        heap.push(Time::from_secs(at), solved(node));
    }
    assert_eq!(drain(&mut heap), [1, 3, 0, 2]);
}

/// Against sorting: pushes and pops in turn, times near and far, deadlines and other things.
#[test]
fn everything_comes_out_by_time_and_order_of_planning_and_deadlines_last() {
    let mut rng = Seed::from_number(1).rng();
    let mut heap = Heap::default();
    let mut planned = std::collections::BTreeSet::new();
    let mut now = Time::ZERO;
    for planning in 0..20_000_u32 {
        let reach = 1 << rng.below(40);
        let at = now + Duration::from_micros(rng.below(reach));
        if rng.chance(0.2) {
            // Deadlines are in the order of nodes, and not of when they were set.
            let node = 100_000 - planning;
            heap.push_tick(at, NodeId(node));
            planned.insert((at, true, node));
        } else {
            heap.push(at, solved(planning));
            planned.insert((at, false, planning));
        }
        let due = planned.first().expect("one was just planned").0;
        for moment in [due, due + Duration::from_micros(1)] {
            assert_eq!(heap.happens_before(moment), moment > due, "{planning}");
        }
        if rng.chance(0.4) {
            let (at, _, expected) = planned.pop_first().expect("one was just planned");
            assert_eq!(heap.next(), Some(at));
            assert_eq!(heap.pop().map(number), Some((at, expected)));
            now = at;
        }
    }
    while let Some(what) = heap.pop() {
        let expected = planned.pop_first().map(|(at, _, number)| (at, number));
        assert_eq!(Some(number(what)), expected);
    }
    assert!(planned.is_empty() && heap.next().is_none());
}

#[test]
fn what_was_held_back_has_its_place_among_what_happens_at_its_time() {
    let at = Time::from_secs(1);
    for is_present in [false, true] {
        let mut heap = Heap::default();
        heap.push_tick(at, NodeId(9));
        heap.push(at, solved(0));
        heap.push(at, solved(1));
        let turn = heap.hold_back();
        heap.push(at, solved(3));
        let mut order = Vec::new();
        if is_present {
            order.extend(heap.pop().map(|what| number(what).1));
        }
        heap.put_back_short(at, turn, (Leg::NONE, Short::Sent(2)));
        order.extend(drain(&mut heap));
        assert_eq!(order, [0, 1, 2, 3, 9]);
    }
}

#[test]
fn all_that_was_planned_for_a_deadlines_time_has_had_its_turn() {
    let mut heap = Heap::default();
    heap.push_tick(Time::ZERO, NodeId(1));
    let before = heap.hold_back();
    let (_, turn, _) = heap.pop().expect("a tick");
    let after = heap.hold_back();
    assert!(before.is_before(turn) && !after.is_before(turn));
}

#[test]
fn turns_come_round_again() {
    let mut turns = Turn(u32::MAX);
    let (last, first) = (turns.next(), turns.next());
    assert!(last.is_before(first) && !first.is_before(last) && !first.is_before(first));
}

#[test]
fn timers_are_no_traffic() {
    let mut heap = Heap::default();
    heap.push_tick(Time::ZERO, NodeId(0));
    assert!(heap.is_quiet());
    heap.push(Time::ZERO, Happening::Redial { way: Way::first() });
    assert!(!heap.is_quiet());
    heap.pop();
    heap.pop();
    assert!(heap.is_quiet());
}
