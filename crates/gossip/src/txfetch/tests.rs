//! What asking for transactions means, one sentence at a time.

use base::Hash;

use super::*;

const A: NodeId = NodeId(1);
const B: NodeId = NodeId(2);
const C: NodeId = NodeId(3);

fn tx(number: usize) -> Wtxid {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
    Wtxid(Hash(bytes))
}

fn seconds(secs: u64) -> Time {
    Time::from_secs(secs)
}

fn fetch() -> TransactionFetch {
    let mut fetch = TransactionFetch::new([1, 2]);
    for peer in [A, B, C] {
        fetch.add_peer(peer);
    }
    fetch
}

fn requests(fetch: &mut TransactionFetch, now: Time) -> Vec<(NodeId, Vec<Wtxid>)> {
    let mut out = Vec::new();
    fetch.requests(now, &mut out);
    out
}

#[test]
fn an_outbound_peer_is_asked_at_once_and_an_inbound_one_after_two_seconds() {
    let mut fetch = fetch();
    assert!(fetch.announced(A, tx(1), true, seconds(0)));
    assert!(fetch.announced(B, tx(2), false, seconds(0)));
    assert_eq!(requests(&mut fetch, seconds(0)), [(A, vec![tx(1)])]);
    assert_eq!(fetch.deadline(), Some(seconds(2)));
    assert_eq!(requests(&mut fetch, Time::from_millis(1_999)), []);
    assert_eq!(requests(&mut fetch, seconds(2)), [(B, vec![tx(2)])]);
    assert_eq!(fetch.deadline(), Some(seconds(60)));
}

#[test]
fn an_outbound_peer_is_preferred_though_it_announced_later() {
    let mut fetch = fetch();
    fetch.announced(A, tx(1), false, seconds(0));
    fetch.announced(B, tx(1), true, seconds(2));
    assert_eq!(requests(&mut fetch, seconds(2)), [(B, vec![tx(1)])]);
}

#[test]
fn of_equals_the_first_announcer_is_asked_and_nobody_else_meanwhile() {
    let mut fetch = fetch();
    fetch.announced(B, tx(1), true, seconds(0));
    fetch.announced(A, tx(1), true, seconds(0));
    assert_eq!(requests(&mut fetch, seconds(0)), [(B, vec![tx(1)])]);
    assert_eq!(requests(&mut fetch, seconds(59)), []);
}

#[test]
fn threat_m5_who_announces_first_and_never_sends_delays_a_transaction_by_a_minute() {
    let mut fetch = fetch();
    fetch.announced(A, tx(1), true, seconds(0));
    requests(&mut fetch, seconds(0));
    fetch.announced(B, tx(1), false, seconds(1));
    assert_eq!(fetch.overdue(Time::from_millis(59_999)), []);
    assert_eq!(fetch.overdue(seconds(60)), [(A, tx(1))]);
    assert_eq!(requests(&mut fetch, seconds(60)), [(B, vec![tx(1)])]);
    assert!(!fetch.announced(A, tx(1), true, seconds(61)), "A owes it still");
    assert!(fetch.received(B, &tx(1)));
    fetch.forget(&tx(1));
    assert_eq!(fetch.deadline(), None);
    assert!(fetch.received(A, &tx(1)), "late, but asked for");
    assert!(!fetch.received(A, &tx(1)), "once");
}

#[test]
fn the_next_announcer_is_asked_after_not_found_a_refused_answer_and_a_disconnect() {
    let mut fetch = fetch();
    for peer in [A, B, C] {
        fetch.announced(peer, tx(1), true, seconds(0));
    }
    assert_eq!(requests(&mut fetch, seconds(0)), [(A, vec![tx(1)])]);
    assert!(fetch.not_found(A, &tx(1)));
    assert_eq!(requests(&mut fetch, seconds(0)), [(B, vec![tx(1)])]);
    assert!(fetch.received(B, &tx(1)));
    assert_eq!(requests(&mut fetch, seconds(0)), [(C, vec![tx(1)])]);
    fetch.announced(A, tx(1), true, seconds(1));
    fetch.remove_peer(C);
    assert!(fetch.is_empty_of(C));
    assert_eq!(requests(&mut fetch, seconds(1)), [(A, vec![tx(1)])]);
}

#[test]
fn an_answer_of_one_peer_never_cancels_what_another_was_asked() {
    let mut fetch = fetch();
    fetch.announced(A, tx(1), true, seconds(0));
    fetch.announced(B, tx(1), true, seconds(0));
    requests(&mut fetch, seconds(0));
    assert!(!fetch.received(B, &tx(1)));
    assert!(!fetch.not_found(B, &tx(1)));
    fetch.remove_peer(B);
    assert_eq!(fetch.in_flight(A), 1);
    assert!(fetch.received(A, &tx(1)));
}

#[test]
fn a_settled_transaction_is_asked_of_nobody() {
    let mut fetch = fetch();
    fetch.announced(A, tx(1), true, seconds(0));
    fetch.announced(B, tx(1), true, seconds(0));
    requests(&mut fetch, seconds(0));
    fetch.forget(&tx(1));
    assert_eq!(requests(&mut fetch, seconds(100)), []);
    assert_eq!(fetch.overdue(seconds(100)), []);
    assert_eq!(fetch.in_flight(A), 0);
    assert!(fetch.received(A, &tx(1)), "it was asked before");
}

#[test]
fn threat_m6_many_peers_share_the_room_for_announcements() {
    let mut fetch = TransactionFetch::new([1, 2]);
    let peers: Vec<NodeId> = (0..125).map(NodeId).collect();
    for peer in &peers {
        fetch.add_peer(*peer);
    }
    let mut announced = 0;
    for peer in &peers {
        let mine = (0..MAX_ANNOUNCED).map(|number| tx(number + 10_000 * peer.index()));
        announced += mine
            .filter(|name| fetch.announced(*peer, *name, false, seconds(0)))
            .count();
    }
    assert_eq!(announced, 125 * (MAX_ANNOUNCED_IN_ALL / 125));
}

#[test]
fn threat_m6_one_peer_has_at_most_five_thousand_announcements_and_takes_no_room_of_others() {
    let mut fetch = TransactionFetch::new([1, 2]);
    fetch.add_peer(A);
    for number in 0..MAX_ANNOUNCED {
        assert!(fetch.announced(A, tx(number), false, seconds(0)));
    }
    assert!(!fetch.announced(A, tx(MAX_ANNOUNCED), false, seconds(0)));
    fetch.forget(&tx(0));
    assert!(fetch.announced(A, tx(MAX_ANNOUNCED), false, seconds(0)));
    fetch.add_peer(B);
    assert!(fetch.announced(B, tx(MAX_ANNOUNCED + 1), false, seconds(0)));
    fetch.remove_peer(A);
    fetch.remove_peer(B);
    assert!(fetch.names.is_empty() && fetch.waiting.first().is_none() && fetch.in_flight.first().is_none());
}

#[test]
fn one_peer_has_at_most_a_hundred_in_flight_and_others_are_asked_instead() {
    let mut fetch = fetch();
    for number in 0..=MAX_TRANSACTIONS_IN_FLIGHT {
        fetch.announced(B, tx(number), false, seconds(0));
        fetch.announced(A, tx(number), true, seconds(1));
    }
    let asked = (0..MAX_TRANSACTIONS_IN_FLIGHT).map(tx).collect();
    assert_eq!(requests(&mut fetch, seconds(1)), [(A, asked)]);
    assert_eq!(fetch.in_flight(A), MAX_TRANSACTIONS_IN_FLIGHT);
    assert_eq!(fetch.deadline(), Some(seconds(2)));
    let last = tx(MAX_TRANSACTIONS_IN_FLIGHT);
    assert_eq!(requests(&mut fetch, seconds(2)), [(B, vec![last])]);
}

#[test]
fn an_announcement_waits_while_its_only_announcer_is_overloaded() {
    let mut fetch = fetch();
    for number in 0..=MAX_TRANSACTIONS_IN_FLIGHT {
        fetch.announced(A, tx(number), true, seconds(0));
    }
    requests(&mut fetch, seconds(0));
    assert_eq!(fetch.deadline(), Some(seconds(2)));
    assert_eq!(requests(&mut fetch, seconds(2)), []);
    assert!(fetch.received(A, &tx(0)));
    fetch.forget(&tx(0));
    assert_eq!(
        requests(&mut fetch, seconds(4)),
        [(A, vec![tx(MAX_TRANSACTIONS_IN_FLIGHT)])]
    );
}

#[test]
fn a_stranger_announces_nothing() {
    let mut fetch = fetch();
    assert!(!fetch.announced(NodeId(9), tx(1), true, seconds(0)));
    assert!(!fetch.received(NodeId(9), &tx(1)));
    assert!(fetch.is_empty_of(NodeId(9)));
    assert_eq!(fetch.deadline(), None);
}

#[test]
fn what_was_put_back_goes_on_as_if_it_had_never_been_taken_out() {
    let told = |fetch: &mut TransactionFetch| {
        fetch.announced(A, tx(1), false, seconds(0));
        fetch.announced(B, tx(1), false, seconds(1));
        fetch.announced(C, tx(2), true, seconds(1));
        fetch.announced(A, tx(2), false, seconds(1));
        assert_eq!(requests(fetch, seconds(1)), [(C, vec![tx(2)])]);
    };
    let [mut plain, mut fetch] = [fetch(), fetch()];
    told(&mut plain);
    told(&mut fetch);
    let in_hand: Vec<Request> = fetch.in_hand().collect();
    assert_eq!(in_hand.len(), 2);
    fetch.clear();
    assert!(fetch.is_empty() && fetch.is_plain() && fetch.deadline().is_none());
    assert!([A, B, C].iter().all(|peer| fetch.in_flight(*peer) == 0));
    for request in in_hand {
        fetch.put_back(request);
    }
    assert_eq!((fetch.deadline(), fetch.in_flight(C)), (plain.deadline(), 1));
    for fetch in [&mut plain, &mut fetch] {
        assert_eq!(requests(fetch, seconds(2)), [(A, vec![tx(1)])]);
        assert!(fetch.not_found(A, &tx(1)));
        assert_eq!(requests(fetch, seconds(3)), [(B, vec![tx(1)])]);
        assert_eq!(fetch.overdue(seconds(61)), [(C, tx(2))]);
        assert_eq!(requests(fetch, seconds(61)), [(A, vec![tx(2)])]);
        fetch.remove_peer(A);
        fetch.remove_peer(B);
        assert!(fetch.is_empty());
    }
}
