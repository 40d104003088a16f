//! What a courier has bounds for, and what it leaves to the node.

use super::*;
use crate::limits::{MAX_COURIER_PEERS, MAX_REFUSED_OF_COURIER};
use crate::testing::{config, forge, key, n, params};
use crate::{Command, Input, Node, Payments};
use base::Seed;
use chain::{Amount, OutPoint, Transaction, TxOutput, Txid};
use gossip::Message;

/// A node with so many inbound peers that have said hello.
fn node(ledger: &mut Ledger, peers: usize) -> Node {
    let seed = Seed::from_number(7);
    let mut node = Node::new(n(0), config(0, &params()), seed).drawn().without_messages();
    node.be_greeted(ledger, (1..=peers).map(|peer| (n(peer), false)));
    node
}

/// A payment of a coin that nobody knows, which nobody signed.
fn payment(ledger: &Ledger, payments: &mut Payments, number: u32) -> PaymentRef {
    let outpoint = OutPoint {
        txid: Txid::default(),
        index: number,
    };
    let output = TxOutput {
        value: Amount::from_units(1),
        owner: key(0).owner(),
    };
    let transaction = Transaction::payment(vec![outpoint], vec![output], b"");
    payments.add(ledger, &Arc::new(transaction))
}

#[test]
fn a_courier_has_as_many_peers_as_a_word_has_bits() {
    for (peers, may_be) in [
        (0, false),
        (1, true),
        (MAX_COURIER_PEERS, true),
        (MAX_COURIER_PEERS + 1, false),
    ] {
        let mut ledger = Ledger::new(params());
        let mut node = node(&mut ledger, peers);
        let courier = node.hire(
            &ledger,
            &mut Payments::new(1),
            (PaymentRef::default(), &mut Satchel::default()),
        );
        assert_eq!(courier.is_some(), may_be, "{peers} peers");
        if let Some(courier) = courier {
            assert_eq!(courier.everybody().count_ones() as usize, peers);
        }
    }
}

#[test]
fn a_courier_waits_for_so_many_payments_and_no_more() {
    let mut ledger = Ledger::new(params());
    let mut node = node(&mut ledger, 2);
    let mut payments = Payments::new(1);
    let mut courier = node
        .hire(&ledger, &mut payments, (PaymentRef::default(), &mut Satchel::default()))
        .expect("a courier");
    let mut out = Vec::new();
    for number in 0..=u32::try_from(MAX_WANTED_BY_COURIER).expect("few") {
        let list = List::One(payment(&ledger, &mut payments, number));
        let is_heard = courier.hear(&mut payments, (Time::ZERO, 0), &list, &mut out);
        assert_eq!(is_heard, (number as usize) < MAX_WANTED_BY_COURIER, "{number}");
    }
    assert_eq!(out, [], "inbound peers wait for outbound ones");
    node.relieve(&ledger, &mut payments, courier);
    assert_eq!(node.relay.fetch.in_hand().count(), MAX_WANTED_BY_COURIER);
}

/// What a node waits for is announced to it in one message by its first peer.
fn announce(node: &mut Node, ledger: &mut Ledger, wtxids: impl Iterator<Item = Wtxid>) {
    let input = Input::Received {
        peer: n(1),
        message: Message::Announce(wtxids.collect()),
    };
    let mut out = Vec::new();
    node.handle(ledger, Time::ZERO, input, &mut out);
    assert!(out.is_empty(), "{out:?}");
}

fn hire(node: &mut Node, ledger: &Ledger, payments: &mut Payments) -> Option<Courier> {
    node.hire(ledger, payments, (PaymentRef::default(), &mut Satchel::default()))
}

fn bring(node: &mut Node, transaction: Arc<Transaction>) {
    let sequence = node.pool.next_sequence();
    node.pool.bring(transaction, (Amount::ZERO, Time::ZERO), sequence);
    node.pool.set_next_sequence(sequence + 1);
}

/// No peer is asked for more than a hundred at a time, and a courier does not look at that.
#[test]
fn who_waits_for_more_than_a_courier_does_has_none() {
    let most = u32::try_from(MAX_WANTED_BY_COURIER).expect("few");
    for (count, may_be) in [(most, true), (most + 1, false)] {
        let mut ledger = Ledger::new(params());
        let mut node = node(&mut ledger, 2);
        let mut payments = Payments::new(1);
        let wanted: Vec<_> = (0..count)
            .map(|number| payment(&ledger, &mut payments, number))
            .collect();
        let wtxids = wanted.iter().map(|payment| payments.wtxid(*payment));
        announce(&mut node, &mut ledger, wtxids);
        let courier = hire(&mut node, &ledger, &mut payments);
        assert_eq!(courier.is_some(), may_be, "{count} payments");
    }
}

/// A courier would take it in a second time.
#[test]
fn who_waits_for_what_its_wallet_has_sent_meanwhile_has_no_courier() {
    for is_sent in [false, true] {
        let mut ledger = Ledger::new(params());
        let mut node = node(&mut ledger, 2);
        let mut payments = Payments::new(1);
        let wanted = payment(&ledger, &mut payments, 0);
        announce(&mut node, &mut ledger, std::iter::once(payments.wtxid(wanted)));
        if is_sent {
            let transaction = Arc::clone(payments.transaction(wanted));
            bring(&mut node, transaction);
        }
        let courier = hire(&mut node, &ledger, &mut payments);
        assert_eq!(courier.is_some(), !is_sent);
    }
}

/// What was refused is not asked for until the next block, whoever announces it.
#[test]
fn who_has_refused_few_has_a_courier_that_asks_for_none_of_it() {
    let most = u32::try_from(MAX_REFUSED_OF_COURIER).expect("few");
    for (count, may_be) in [(1, true), (most, true), (most + 1, false)] {
        let mut ledger = Ledger::new(params());
        let mut node = node(&mut ledger, 2);
        let mut payments = Payments::new(1);
        let refused: Vec<PaymentRef> = (0..count)
            .map(|number| payment(&ledger, &mut payments, number))
            .collect();
        for payment in &refused {
            submit(&mut node, &mut ledger, payments.transaction(*payment));
        }
        let courier = hire(&mut node, &ledger, &mut payments);
        assert_eq!(courier.is_some(), may_be, "{count} payments");
        let Some(mut courier) = courier else { continue };
        let mut out = Vec::new();
        assert!(courier.hear(&mut payments, (Time::ZERO, 0), &List::of(&refused), &mut out));
        assert!(!courier.has(&payments, refused[0], |_| false), "it does not wait here");
        assert_eq!(courier.deadline(), None);
        node.relieve(&ledger, &mut payments, courier);
        assert_eq!(node.relay.fetch.in_hand().count(), 0);
        assert_eq!(
            payments.how_far(refused[0], n(0)),
            Far::Nothing,
            "a block may settle it"
        );
    }
}

/// It would be taken in when it comes, and not be looked at again.
#[test]
fn who_waits_for_what_it_has_refused_meanwhile_has_no_courier() {
    let mut ledger = Ledger::new(params());
    let mut node = node(&mut ledger, 2);
    let mut payments = Payments::new(1);
    let wanted = payment(&ledger, &mut payments, 0);
    announce(&mut node, &mut ledger, std::iter::once(payments.wtxid(wanted)));
    submit(&mut node, &mut ledger, payments.transaction(wanted));
    assert!(hire(&mut node, &ledger, &mut payments).is_none());
}

/// A wallet hands in what breaks a rule.
fn submit(node: &mut Node, ledger: &mut Ledger, transaction: &Arc<Transaction>) {
    let mut out = Vec::new();
    let input = Input::Command(Command::Submit(Arc::clone(transaction)));
    node.handle(ledger, Time::ZERO, input, &mut out);
    assert!(node.relay.rejected().contains(&transaction.wtxid()), "{out:?}");
}

/// The node counts how often it sends a peer the same.
#[test]
fn a_request_that_names_a_payment_twice_is_for_the_node() {
    let mut ledger = Ledger::new(params());
    let mut node = node(&mut ledger, 2);
    let mut payments = Payments::new(1);
    let both = [0, 1].map(|number| payment(&ledger, &mut payments, number));
    for payment in both {
        let transaction = Arc::clone(payments.transaction(payment));
        bring(&mut node, transaction);
    }
    let mut courier = hire(&mut node, &ledger, &mut payments).expect("a courier");
    for (list, is_served) in [
        (vec![both[0], both[0]], false),
        (vec![both[0], both[1]], true),
        (vec![both[1]], false),
    ] {
        let mut out = Vec::new();
        let may_send = |wtxid: &Wtxid| node.has_not_sent(n(1), wtxid);
        let is_done = courier.serve(&mut payments, (Time::ZERO, 0), &list, (may_send, &mut out));
        assert_eq!(is_done, is_served, "{list:?}");
        assert_eq!(out.len(), if is_served { list.len() } else { 0 });
    }
}

/// What spends so many payments is one of too many, though none of them has many that stand on it.
#[test]
fn a_payment_with_too_many_ancestors_is_for_the_node() {
    for (parents, is_heard_of) in [(24, true), (25, false)] {
        let ledger = Ledger::new(params());
        let mut payments = Payments::new(1);
        let outpoints = (0..parents).map(|number| {
            let parent = payment(&ledger, &mut payments, number);
            payments.transaction(parent).outpoint(0)
        });
        let output = TxOutput {
            value: Amount::from_units(1),
            owner: key(0).owner(),
        };
        let child = Transaction::payment(outpoints.collect(), vec![output], b"");
        let child = payments.add(&ledger, &Arc::new(child));
        assert_eq!(payments.is_plain(child), is_heard_of, "{parents} parents");
        assert_eq!(payments.is_plain(PaymentRef::default()), is_heard_of);
    }
}

/// What was confirmed under it may wait again, beside its relatives.
#[test]
fn nothing_is_plain_when_what_was_settled_is_not() {
    let mut ledger = Ledger::new(params());
    let block = forge(&ledger, ledger.genesis(), |_| {});
    let block = ledger.record_hashed_header(&block.header).expect("a valid header");
    let mut payments = Payments::new(1);
    let before = payment(&ledger, &mut payments, 0);
    payments.settle(&ledger, block);
    assert!(payments.is_plain(before));
    payments.settle(&ledger, ledger.genesis());
    assert!(!payments.is_plain(before));
    let after = payment(&ledger, &mut payments, 1);
    assert!(payments.is_plain(after));
}
