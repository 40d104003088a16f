//! What asking for bodies means, one sentence at a time.

use base::Hash;

use super::*;
use crate::limits::MAX_BLOCKS_IN_FLIGHT;

const A: NodeId = NodeId(1);
const B: NodeId = NodeId(2);
const C: NodeId = NodeId(3);

/// The block of a chain at this height.
fn block(height: u32) -> BlockId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&height.to_be_bytes());
    BlockId(Hash(bytes))
}

fn seconds(secs: u64) -> Time {
    Time::from_secs(secs)
}

/// Bodies at these heights are wanted, and each of these peers has them all.
fn fetch(peers: &[NodeId], heights: impl IntoIterator<Item = u32>) -> BlockFetch {
    let mut fetch = BlockFetch::new();
    for &peer in peers {
        fetch.add_peer(peer);
    }
    for height in heights {
        assert!(fetch.want(block(height), Height(height)));
        for &peer in peers {
            fetch.add_source(peer, block(height), seconds(0));
        }
    }
    fetch
}

/// The requests that are due, as heights per peer.
fn requests(fetch: &mut BlockFetch, now: Time) -> Vec<(NodeId, Vec<BlockId>)> {
    let mut out = Vec::new();
    fetch.requests(now, &mut out);
    out
}

#[test]
fn a_body_is_asked_of_one_source_at_a_time() {
    let mut fetch = fetch(&[A, B], [1]);
    assert_eq!(requests(&mut fetch, seconds(0)), [(A, vec![block(1)])]);
    assert_eq!(requests(&mut fetch, seconds(1)), []);
}

#[test]
fn a_body_that_nobody_has_is_not_asked_for_until_somebody_does() {
    let mut fetch = fetch(&[], [1]);
    fetch.add_source(A, block(1), seconds(0));
    assert_eq!(requests(&mut fetch, seconds(0)), [], "A is not known");
    fetch.add_peer(A);
    fetch.add_source(A, block(2), seconds(0));
    assert_eq!(
        requests(&mut fetch, seconds(0)),
        [],
        "A has another block, which is not wanted"
    );
    fetch.add_source(A, block(1), seconds(0));
    assert_eq!(requests(&mut fetch, seconds(0)), [(A, vec![block(1)])]);
}

#[test]
fn the_lowest_bodies_come_first_and_are_spread_over_the_sources() {
    let mut fetch = fetch(&[A, B], (1..=6).rev());
    let expected = [
        (A, vec![block(1), block(3), block(5)]),
        (B, vec![block(2), block(4), block(6)]),
    ];
    assert_eq!(requests(&mut fetch, seconds(0)), expected);
}

#[test]
fn a_peer_has_at_most_sixteen_bodies_in_flight() {
    let limit = u32::try_from(MAX_BLOCKS_IN_FLIGHT).expect("fits");
    let mut fetch = fetch(&[A], 1..=limit + 1);
    let asked: Vec<BlockId> = (1..=limit).map(block).collect();
    assert_eq!(requests(&mut fetch, seconds(0)), [(A, asked)]);
    assert_eq!(fetch.in_flight(A), MAX_BLOCKS_IN_FLIGHT);
    assert_eq!(requests(&mut fetch, seconds(0)), []);
    assert!(fetch.received(A, &block(1), seconds(1)));
    fetch.forget(&block(1));
    assert_eq!(requests(&mut fetch, seconds(1)), [(A, vec![block(limit + 1)])]);
}

#[test]
fn nothing_is_asked_for_beyond_the_window_above_the_lowest_body_that_can_come() {
    let mut fetch = fetch(&[A, B], [10, 10 + BLOCK_WINDOW - 1, 10 + BLOCK_WINDOW]);
    let expected = [(A, vec![block(10)]), (B, vec![block(10 + BLOCK_WINDOW - 1)])];
    assert_eq!(requests(&mut fetch, seconds(0)), expected);
    assert_eq!(requests(&mut fetch, seconds(0)), [], "what is in flight can still come");
    assert!(fetch.received(A, &block(10), seconds(1)));
    fetch.forget(&block(10));
    assert_eq!(requests(&mut fetch, seconds(1)), [(A, vec![block(10 + BLOCK_WINDOW)])]);
}

#[test]
fn a_low_body_that_nobody_has_does_not_hold_the_window_back() {
    let mut fetch = fetch(&[A], [5_000]);
    assert!(fetch.want(block(1), Height(1)));
    assert_eq!(requests(&mut fetch, seconds(0)), [(A, vec![block(5_000)])]);
}

#[test]
fn wants_are_refused_above_their_limit_and_not_at_it() {
    let mut fetch = BlockFetch::new();
    let limit = u32::try_from(MAX_BLOCKS_WANTED).expect("fits");
    for height in 0..limit {
        assert!(fetch.want(block(height), Height(height)));
    }
    assert!(!fetch.want(block(limit), Height(limit)));
    assert!(!fetch.is_wanted(&block(limit)));
    assert!(fetch.want(block(0), Height(0)), "wanted already");
    fetch.forget(&block(0));
    assert!(fetch.want(block(limit), Height(limit)));
}

#[test]
fn threat_c7_a_body_from_one_peer_never_cancels_what_another_was_asked() {
    let mut fetch = fetch(&[A, B], [1]);
    requests(&mut fetch, seconds(0));
    assert!(!fetch.received(B, &block(1), seconds(0)), "B was not asked");
    fetch.failed(B, &block(1));
    assert!(!fetch.not_found(B, &block(1), seconds(0)));
    fetch.remove_peer(B);
    assert_eq!(fetch.in_flight(A), 1);
    assert!(fetch.received(A, &block(1), seconds(1)));
}

#[test]
fn threat_c7_after_a_bad_body_another_is_asked_at_once_and_the_liar_never_again() {
    let mut fetch = fetch(&[A, B], [1]);
    requests(&mut fetch, seconds(0));
    assert!(fetch.received(A, &block(1), seconds(1)));
    fetch.failed(A, &block(1));
    assert_eq!(requests(&mut fetch, seconds(1)), [(B, vec![block(1)])]);
    fetch.remove_peer(B);
    fetch.add_source(A, block(1), seconds(0));
    assert_eq!(requests(&mut fetch, seconds(2)), []);
}

#[test]
fn after_not_found_another_is_asked_and_the_first_when_it_announces_again() {
    let mut fetch = fetch(&[A, B], [1]);
    requests(&mut fetch, seconds(0));
    assert!(fetch.not_found(A, &block(1), seconds(1)));
    assert_eq!(requests(&mut fetch, seconds(1)), [(B, vec![block(1)])]);
    assert!(fetch.not_found(B, &block(1), seconds(2)));
    assert_eq!(requests(&mut fetch, seconds(2)), []);
    fetch.add_source(A, block(1), seconds(0));
    assert_eq!(requests(&mut fetch, seconds(3)), [(A, vec![block(1)])]);
}

#[test]
fn what_a_peer_owed_when_it_left_is_asked_of_others_and_nothing_of_it_remains() {
    let mut fetch = fetch(&[A, B], [1, 2]);
    requests(&mut fetch, seconds(0));
    fetch.remove_peer(A);
    assert!(fetch.is_empty_of(A));
    assert!(!fetch.is_empty_of(B));
    assert_eq!(requests(&mut fetch, seconds(0)), [(B, vec![block(1)])]);
    assert!(!fetch.received(A, &block(1), seconds(1)));
}

#[test]
fn threat_m7_a_peer_that_sends_nothing_for_two_seconds_stalls_and_others_are_asked() {
    let mut fetch = fetch(&[A, B], [1]);
    requests(&mut fetch, seconds(0));
    assert_eq!(fetch.deadline(), Some(seconds(2)));
    assert_eq!(fetch.overdue(Time::from_millis(1_999)), []);
    assert_eq!(fetch.overdue(seconds(2)), [(A, block(1))]);
    assert_eq!(fetch.deadline(), None);
    assert_eq!(requests(&mut fetch, seconds(2)), [(B, vec![block(1)])]);
}

#[test]
fn a_slow_peer_that_keeps_sending_does_not_stall() {
    let mut fetch = fetch(&[A], 1..=8);
    requests(&mut fetch, seconds(0));
    for height in 1..=8 {
        let now = Time::from_millis(u64::from(height) * 1_900);
        assert_eq!(fetch.overdue(now), []);
        assert!(fetch.received(A, &block(height), now));
        fetch.forget(&block(height));
    }
    assert_eq!(fetch.deadline(), None);
}

#[test]
fn asking_for_more_does_not_give_a_peer_more_time() {
    let mut fetch = fetch(&[A], [1]);
    requests(&mut fetch, seconds(0));
    fetch.want(block(2), Height(2));
    fetch.add_source(A, block(2), seconds(0));
    assert_eq!(requests(&mut fetch, seconds(1)), [(A, vec![block(2)])]);
    assert_eq!(fetch.deadline(), Some(seconds(2)));
}

#[test]
fn who_was_not_yet_asked_for_a_body_comes_before_who_owes_less() {
    let mut fetch = fetch(&[A], [1]);
    requests(&mut fetch, seconds(0));
    assert!(fetch.not_found(A, &block(1), seconds(0)));
    fetch.add_peer(B);
    fetch.want(block(2), Height(2));
    fetch.add_source(B, block(2), seconds(0));
    assert_eq!(requests(&mut fetch, seconds(0)), [(B, vec![block(2)])]);
    fetch.add_source(A, block(1), seconds(0));
    fetch.add_source(B, block(1), seconds(0));
    assert_eq!(requests(&mut fetch, seconds(0)), [(B, vec![block(1)])]);
}

#[test]
fn threat_m7_the_stall_timeout_doubles_to_its_limit_and_halves_with_every_body() {
    let mut fetch = fetch(&[], 1..=8);
    let mut now = Time::ZERO;
    for (staller, timeout) in (10..).zip([2, 4, 8, 16, 32, 64, 64]) {
        fetch.add_peer(NodeId(staller));
        fetch.add_source(NodeId(staller), block(1), seconds(0));
        requests(&mut fetch, now);
        now += Duration::from_secs(timeout);
        assert_eq!(fetch.deadline(), Some(now));
        assert_eq!(fetch.overdue(now).len(), 1);
    }
    fetch.add_peer(A);
    (1..=8).for_each(|height| fetch.add_source(A, block(height), seconds(0)));
    requests(&mut fetch, now);
    for (height, timeout) in (1..=7).zip([32, 16, 8, 4, 2, 2, 2]) {
        assert!(fetch.received(A, &block(height), now));
        fetch.forget(&block(height));
        assert_eq!(fetch.deadline(), Some(now + Duration::from_secs(timeout)));
    }
}

#[test]
fn a_late_answer_is_still_an_answer_to_a_question() {
    let mut fetch = fetch(&[A, B], [1]);
    requests(&mut fetch, seconds(0));
    fetch.overdue(seconds(2));
    requests(&mut fetch, seconds(2));
    assert!(fetch.received(A, &block(1), seconds(3)));
    assert_eq!(fetch.in_flight(B), 1, "B stays asked");
    fetch.forget(&block(1));
    assert_eq!(fetch.in_flight(B), 0);
    assert!(fetch.received(B, &block(1), seconds(4)), "B was asked, too");
    assert!(!fetch.received(B, &block(1), seconds(5)), "but only once");
}

#[test]
fn a_peer_that_stalls_is_asked_only_for_what_nobody_else_has() {
    let mut fetch = fetch(&[A, B], [1]);
    requests(&mut fetch, seconds(0));
    fetch.overdue(seconds(2));
    for height in 2..=4 {
        fetch.want(block(height), Height(height));
        fetch.add_source(A, block(height), seconds(0));
    }
    (2..=3).for_each(|height| fetch.add_source(B, block(height), seconds(0)));
    let expected = [(A, vec![block(4)]), (B, vec![block(1), block(2), block(3)])];
    assert_eq!(requests(&mut fetch, seconds(2)), expected);
}

#[test]
fn threat_s12_one_peer_is_asked_for_the_same_body_at_most_three_times() {
    let mut fetch = fetch(&[A], [1]);
    let mut now = Time::ZERO;
    for _ in 0..MAX_ASKED_PER_BLOCK {
        assert_eq!(requests(&mut fetch, now), [(A, vec![block(1)])]);
        now = fetch.deadline().expect("A was asked");
        assert_eq!(fetch.overdue(now), [(A, block(1))]);
    }
    fetch.add_source(A, block(1), seconds(0));
    assert_eq!(requests(&mut fetch, now), []);
    fetch.add_peer(C);
    fetch.add_source(C, block(1), seconds(0));
    assert_eq!(requests(&mut fetch, now), [(C, vec![block(1)])]);
}

#[test]
fn a_peer_that_owes_too_much_is_asked_for_nothing_until_it_answers() {
    let limit = u32::try_from(MAX_BLOCKS_OWED).expect("fits");
    let mut fetch = fetch(&[A], 1..=limit + 1);
    let mut now = Time::ZERO;
    for _ in 0..MAX_BLOCKS_OWED / MAX_BLOCKS_IN_FLIGHT {
        requests(&mut fetch, now);
        now = fetch.deadline().expect("A was asked");
        for (peer, overdue) in fetch.overdue(now) {
            assert_eq!(peer, A);
            fetch.forget(&overdue);
        }
    }
    assert_eq!(requests(&mut fetch, now), []);
    assert!(fetch.received(A, &block(1), now));
    assert_eq!(requests(&mut fetch, now), [(A, vec![block(limit + 1)])]);
}

/// The request gets lost, and so do those that repeat it, until the peer is asked no more.
fn fetch_that_asked_in_vain() -> (BlockFetch, Time) {
    let mut fetch = fetch(&[A], [1]);
    let mut now = seconds(0);
    for _ in 0..MAX_ASKED_PER_BLOCK {
        assert_eq!(requests(&mut fetch, now), [(A, vec![block(1)])]);
        now = fetch.deadline().expect("A owes a body");
        assert_eq!(fetch.overdue(now), [(A, block(1))]);
    }
    assert_eq!(requests(&mut fetch, now), []);
    (fetch, now)
}

#[test]
fn a_body_whose_requests_were_lost_is_asked_for_again_when_it_is_announced_a_minute_later() {
    let (mut fetch, now) = fetch_that_asked_in_vain();
    fetch.add_source(A, block(1), now);
    assert_eq!(requests(&mut fetch, now), [], "too soon");
    let later = now + ASK_AGAIN_AFTER;
    assert_eq!(requests(&mut fetch, later), [], "not announced");
    fetch.add_source(A, block(1), later);
    assert_eq!(requests(&mut fetch, later), [(A, vec![block(1)])]);
    assert!(fetch.received(A, &block(1), later));
    fetch.add_source(A, block(1), later);
    assert_eq!(requests(&mut fetch, later), [], "once a minute");
}

#[test]
fn a_peer_whose_answers_were_all_lost_is_not_taken_for_one_that_owes_too_much_for_ever() {
    let mut fetch = fetch(&[A], []);
    let want = |fetch: &mut BlockFetch, number, now| {
        fetch.want(block(number), Height(number));
        fetch.add_source(A, block(number), now);
        requests(fetch, now).len()
    };
    let limit = u32::try_from(MAX_BLOCKS_OWED).expect("fits");
    for number in 0..limit {
        assert_eq!(want(&mut fetch, number, seconds(0)), 1);
        fetch.forget(&block(number));
    }
    assert_eq!(want(&mut fetch, limit, seconds(1)), 0);
    let later = seconds(1) + ASK_AGAIN_AFTER;
    assert_eq!(want(&mut fetch, limit, later), 1);
}

#[test]
fn a_body_that_is_wanted_again_before_it_came_is_not_asked_for_again() {
    let mut fetch = fetch(&[A, B], [1]);
    requests(&mut fetch, seconds(0));
    fetch.unwant(&block(1));
    assert!(!fetch.is_wanted(&block(1)));
    assert_eq!(fetch.in_flight(A), 1);
    assert!(fetch.want(block(1), Height(1)));
    fetch.add_source(B, block(1), seconds(1));
    assert_eq!(requests(&mut fetch, seconds(1)), []);
    assert!(fetch.received(A, &block(1), seconds(1)));
}

#[test]
fn a_body_that_nobody_wants_any_more_is_not_asked_for_and_leaves_nothing_once_it_came() {
    let mut fetch = fetch(&[A], [1, 2]);
    fetch.unwant(&block(2));
    assert_eq!(requests(&mut fetch, seconds(0)), [(A, vec![block(1)])]);
    fetch.unwant(&block(1));
    assert!(fetch.received(A, &block(1), seconds(1)));
    assert!(fetch.wanted.is_empty() && fetch.due == 0 && fetch.flying == 0);
    assert_eq!(fetch.peer(A).offers, 0);
}

#[test]
fn a_peer_that_told_most_of_a_body_is_waited_for_unless_another_is() {
    let mut fetch = fetch(&[A, B], [1]);
    assert!(!fetch.claim(C, block(1), seconds(0)), "nobody knows C");
    assert!(!fetch.claim(A, block(2), seconds(0)), "not wanted");
    assert!(fetch.claim(A, block(1), seconds(0)));
    assert!(fetch.claim(A, block(1), seconds(0)), "still waited for");
    assert!(!fetch.claim(B, block(1), seconds(0)));
    assert_eq!(requests(&mut fetch, seconds(0)), []);
    assert_eq!(fetch.overdue(seconds(2)), [(A, block(1))]);
    assert_eq!(requests(&mut fetch, seconds(2)), [(B, vec![block(1)])]);
}

#[test]
fn only_peers_that_could_be_asked_for_something_due_count_as_having_room() {
    let limit = u32::try_from(MAX_BLOCKS_IN_FLIGHT).expect("fits");
    let mut fetch = fetch(&[A], 1..=limit + 1);
    fetch.add_peer(B);
    assert!(fetch.somebody_has_room());
    requests(&mut fetch, seconds(0));
    assert!(!fetch.somebody_has_room(), "B has room, but nothing that is wanted");
    fetch.add_source(B, block(limit + 1), seconds(0));
    assert!(fetch.somebody_has_room());
}

#[test]
fn threat_m7_a_slow_peer_that_holds_the_lowest_body_is_passed_over_when_another_has_nothing_to_do() {
    let mut fetch = fetch(&[A, B], 1..=4);
    requests(&mut fetch, seconds(0));
    fetch.hurry();
    assert_eq!(requests(&mut fetch, seconds(0)), [], "both are busy");
    for height in [2, 4] {
        fetch.received(B, &block(height), seconds(0));
        fetch.forget(&block(height));
    }
    fetch.hurry();
    assert_eq!(requests(&mut fetch, seconds(0)), [(B, vec![block(1), block(3)])]);
    fetch.hurry();
    assert_eq!(
        requests(&mut fetch, seconds(0)),
        [],
        "who was passed over is not idle: it owes two"
    );
    // Its answers are welcome all the same, and then it may be asked again.
    for height in [1, 3] {
        assert!(fetch.received(A, &block(height), seconds(1)));
        fetch.forget(&block(height));
    }
    for height in [1, 3] {
        assert!(
            fetch.received(B, &block(height), seconds(1)),
            "the second answer to a question of ours"
        );
    }
    fetch.want(block(5), Height(5));
    fetch.add_source(A, block(5), seconds(1));
    assert_eq!(requests(&mut fetch, seconds(1)), [(A, vec![block(5)])]);
}

#[test]
fn nobody_is_passed_over_while_others_have_something_to_do_or_have_not_what_is_lowest() {
    let mut fetch = fetch(&[A], [1]);
    fetch.add_peer(B);
    requests(&mut fetch, seconds(0));
    fetch.hurry();
    assert_eq!(requests(&mut fetch, seconds(0)), [], "B has no such body");
    assert_eq!(fetch.in_flight(A), 1);
}
