use super::*;
use crate::limits::MAX_COURIER_PEERS;
use crate::testing::{config, key, n, params};
use crate::{Node, Payments};
use base::Seed;
use chain::{Amount, OutPoint, Transaction, TxOutput, Txid};

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
