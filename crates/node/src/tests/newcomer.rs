//! A node that was greeted by one peer after the other, and one that was greeted by all at once, are the same.

use std::time::Duration;

use base::{NodeId, Seed, Time};
use chain::{HashRate, Ledger};
use gossip::Message;

use crate::testing::{config, n, params, played_hello};
use crate::{Command, Config, Input, Neighbour, Node, Outbox, Relay, Resting, Strategy, comes_up_quietly};

/// Ten peers, and whether the node dialled.
fn peers() -> impl Iterator<Item = (NodeId, bool)> {
    (1..=10).map(|number| (n(number), number % 3 == 0))
}

fn begin_to_mine(node: &mut Node, ledger: &mut Ledger, at: Time) {
    let input = Input::Command(Command::SetHashRate(HashRate(1_000)));
    node.handle(ledger, at, input, &mut Outbox::new());
}

/// One that meets one peer after the other, in some order, and hears of each some time later.
fn greeted_in_turn(mut node: Node, ledger: &mut Ledger, number: u64) -> Node {
    let mut rng = Seed::from_number(number).rng();
    let mut waiting: Vec<(NodeId, bool)> = peers().collect();
    rng.shuffle(&mut waiting);
    let mut greeting = Vec::new();
    let mut now = Time::ZERO;
    let mut out = Outbox::new();
    node.handle(ledger, now, Input::Tick, &mut out);
    while !waiting.is_empty() || !greeting.is_empty() {
        now += Duration::from_millis(rng.below(100));
        let meets_another = greeting.is_empty() || rng.chance(0.5);
        if meets_another && let Some((peer, outbound)) = waiting.pop() {
            node.handle(ledger, now, Input::Connected { peer, outbound }, &mut out);
            greeting.push(peer);
        } else if !greeting.is_empty() {
            let peer = greeting.swap_remove(rng.index(greeting.len()));
            let message = Message::Hello(Box::new(played_hello(ledger)));
            node.handle(ledger, now, Input::Received { peer, message }, &mut out);
        }
    }
    node
}

fn compare(number: u64, relay: Relay) {
    let mut ledger = Ledger::new(params());
    let config = Config {
        relay,
        ..config(0, ledger.params())
    };
    assert!(comes_up_quietly(config.strategy, relay));
    let node = || {
        Node::new(n(0), config.clone(), Seed::from_number(7))
            .without_messages()
            .drawn()
    };
    let mut in_turn = greeted_in_turn(node(), &mut ledger, number);
    let mut at_once = node();
    at_once.be_greeted(&ledger, peers());
    for is_mining in [false, true] {
        if is_mining {
            let at = Time::from_secs(5);
            begin_to_mine(&mut in_turn, &mut ledger, at);
            begin_to_mine(&mut at_once, &mut ledger, at);
        }
        assert_eq!(format!("{in_turn:?}"), format!("{at_once:?}"), "{number}, {relay:?}");
        let resting = in_turn.rest(&ledger).map(|resting| format!("{resting:?}"));
        let newcomer = Resting::newcomer(&config).map(|resting| format!("{resting:?}"));
        assert_eq!(resting, newcomer, "{number}, {relay:?}");
        assert_eq!(newcomer.is_some(), relay == Relay::Headers);
        let neighbours = peers().map(|(peer, _)| Neighbour::newcomer(peer));
        assert!(in_turn.neighbours().eq(neighbours), "{number}, {relay:?}");
    }
}

#[test]
fn who_is_greeted_by_all_at_once_is_as_if_greeted_by_one_after_the_other() {
    for number in 0..20 {
        for relay in [Relay::Headers, Relay::Announce, Relay::Push] {
            compare(number, relay);
        }
    }
}

#[test]
fn who_has_more_to_say_than_hello_does_not_come_up_quietly() {
    for relay in [Relay::Compact, Relay::Mesh] {
        assert!(!comes_up_quietly(Strategy::Honest, relay));
    }
    assert!(!comes_up_quietly(Strategy::Hostile, Relay::Headers));
}
