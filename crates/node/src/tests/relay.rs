//! Transactions between nodes: announced, asked for, refused, and orphans.

use std::sync::Arc;
use std::time::Duration;

use base::NodeId;
use chain::{Amount, Coin, Height, OutPoint, Transaction, TxOutput, Txid};
use gossip::{Item, Message, MessageKind};

use crate::Event;
use crate::limits::{MAX_PARENTS_ASKED, MAX_QUEUED_ANNOUNCEMENTS};
use crate::testing::{PLAYED, World, key, n};

const ALICE: NodeId = NodeId(PLAYED);

fn refused(world: &World, node: usize) -> Vec<(Txid, &'static str)> {
    let refused = world.events(node).filter_map(|event| match event {
        Event::TxRejected { txid, reason, .. } => Some((*txid, *reason)),
        _ => None,
    });
    refused.collect()
}

/// A chain of three payments, each spending the one before.
fn family(world: &World) -> [Arc<Transaction>; 3] {
    let parent = world.spend(0, 1, 1_000, 1);
    let child = world.spend_output(1, parent.outpoint(0), &parent, (1_000, 2));
    let grandchild = world.spend_output(2, child.outpoint(0), &child, (1_000, 3));
    [parent, child, grandchild]
}

#[test]
fn a_transaction_spreads_to_all_and_is_mined_by_another() {
    let mut world = World::new(4);
    for node in 1..4 {
        world.connect(node, node - 1);
    }
    world.mine(0, 2);
    let payment = world.spend(0, 1, 1_000, 1);
    world.submit(0, &payment);
    world.run_secs(2);
    for node in 0..4 {
        assert!(
            world.nodes[node].view().has_unconfirmed(&payment.wtxid()),
            "node {node}"
        );
    }
    world.mine(3, 1);
    for node in 0..4 {
        assert!(world.nodes[node].view().mempool().is_empty(), "node {node}");
    }
    // Nobody was told what it had told.
    assert!(
        !world
            .sent(1, n(0))
            .any(|message| message.kind() == MessageKind::Announce)
    );
}

#[test]
fn announcements_share_a_message_and_wait_at_most_a_tenth_of_a_second() {
    let mut world = World::new(1);
    world.mine(0, 4);
    world.play(0, ALICE);
    let payments: Vec<_> = (1..=3).map(|height| world.spend(0, height, 1_000, 1)).collect();
    for payment in &payments {
        world.submit(0, payment);
    }
    assert!(
        !world
            .sent(0, ALICE)
            .any(|message| message.kind() == MessageKind::Announce)
    );
    world.run(Duration::from_millis(100));
    let told: Vec<&Message> = world
        .sent(0, ALICE)
        .filter(|message| message.kind() == MessageKind::Announce)
        .collect();
    let names = payments.iter().map(|payment| payment.wtxid()).collect();
    assert_eq!(told, [&Message::Announce(names)]);
}

#[test]
fn a_new_peer_is_told_what_waits() {
    let mut world = World::new(2);
    world.connect(1, 0);
    world.mine(0, 2);
    world.disconnect(0, 1);
    let [parent, child, _] = family(&world);
    world.submit(0, &parent);
    world.submit(0, &child);
    world.connect(1, 0);
    world.run_secs(1);
    assert_eq!(world.nodes[1].view().mempool().len(), 2);
}

#[test]
fn the_parents_of_an_orphan_are_asked_of_its_sender_and_all_are_kept_in_the_end() {
    let mut world = World::new(1);
    world.mine(0, 2);
    world.play(0, ALICE);
    let [parent, child, grandchild] = family(&world);
    world.receive(0, ALICE, Message::Announce([grandchild.wtxid()].into()));
    world.run_secs(2);
    let asked = |item| Some(Message::Get(vec![item]));
    assert_eq!(
        world.sent(0, ALICE).last().cloned(),
        asked(Item::Transaction(grandchild.wtxid()))
    );
    world.receive(0, ALICE, Message::Transaction(Arc::clone(&grandchild)));
    assert_eq!(world.sent(0, ALICE).last().cloned(), asked(Item::Parent(child.txid())));
    world.receive(0, ALICE, Message::Transaction(Arc::clone(&child)));
    assert_eq!(world.sent(0, ALICE).last().cloned(), asked(Item::Parent(parent.txid())));
    assert!(world.nodes[0].view().mempool().is_empty());
    world.receive(0, ALICE, Message::Transaction(Arc::clone(&parent)));
    assert_eq!(world.nodes[0].view().mempool().len(), 3);
    assert!(world.nodes[0].relay.orphans.is_empty());
    assert_eq!(refused(&world, 0), []);
}

/// The node's first coinbase in so many equal parts, all its own.
fn split(world: &World, parts: usize) -> Arc<Transaction> {
    let coinbase = &world.block(0, 1).transactions[0];
    let output = coinbase.outputs()[0];
    let part = TxOutput {
        value: Amount::from_units(output.value.units() / (parts as u64 + 1)),
        ..output
    };
    let coin = Coin {
        output,
        height: Height(1),
        coinbase: true,
    };
    let genesis = world.ledger(0).id(world.ledger(0).genesis());
    let transaction = Transaction::payment(vec![coinbase.outpoint(0)], vec![part; parts], b"");
    Arc::new(transaction.sign(&key(0), genesis, &[coin]))
}

#[test]
fn a_peer_is_told_of_so_many_transactions_at_a_time_and_of_no_more() {
    const BOB: NodeId = NodeId(PLAYED + 1);
    let mut world = World::new(1);
    world.mine(0, 2);
    let parent = split(&world, MAX_QUEUED_ANNOUNCEMENTS + 1);
    world.submit(0, &parent);
    world.mine(0, 1);
    world.play(0, ALICE);
    for index in 0..=MAX_QUEUED_ANNOUNCEMENTS {
        let index = u32::try_from(index).expect("a few hundred");
        let payment = world.spend_output(0, parent.outpoint(index), &parent, (1_000, 1));
        world.submit(0, &payment);
    }
    assert_eq!(world.nodes[0].view().mempool().len(), MAX_QUEUED_ANNOUNCEMENTS + 1);
    world.run_secs(1);
    // One that comes later is told of what waits, and of no more either.
    world.play(0, BOB);
    world.run_secs(1);
    for peer in [ALICE, BOB] {
        let told = world.sent(0, peer).filter_map(|message| match message {
            Message::Announce(wtxids) => Some(wtxids.len()),
            _ => None,
        });
        assert_eq!(told.sum::<usize>(), MAX_QUEUED_ANNOUNCEMENTS, "{peer}");
    }
}

#[test]
fn a_peer_is_asked_for_so_many_parents_of_its_orphans() {
    let mut world = World::new(1);
    world.mine(0, 2);
    world.play(0, ALICE);
    let unknown = |number: usize| OutPoint {
        txid: Txid(base::Hash::sha256(&[&number.to_le_bytes()])),
        index: 0,
    };
    let inputs: Vec<OutPoint> = (0..=MAX_PARENTS_ASKED).map(unknown).collect();
    let output = world.block(0, 1).transactions[0].outputs()[0];
    let coins = vec![
        Coin {
            output,
            height: Height(0),
            coinbase: false,
        };
        inputs.len()
    ];
    let genesis = world.ledger(0).id(world.ledger(0).genesis());
    let orphan = Arc::new(Transaction::payment(inputs, vec![output], b"").sign(&key(0), genesis, &coins));
    world.receive(0, ALICE, Message::Announce([orphan.wtxid()].into()));
    world.run_secs(2);
    world.receive(0, ALICE, Message::Transaction(Arc::clone(&orphan)));
    assert_eq!(world.nodes[0].relay.orphans.len(), 1);
    let is_parent = |item: &&Item| matches!(item, Item::Parent(_));
    let asked = world.sent(0, ALICE).filter_map(|message| match message {
        Message::Get(items) => Some(items.iter().filter(is_parent).count()),
        _ => None,
    });
    assert_eq!(asked.sum::<usize>(), MAX_PARENTS_ASKED);
}

#[test]
fn an_orphan_is_kept_when_a_block_brings_its_parent() {
    let mut world = World::new(2);
    world.connect(1, 0);
    world.mine(0, 2);
    world.play(0, ALICE);
    let [parent, child, _] = family(&world);
    world.receive(0, ALICE, Message::Announce([child.wtxid()].into()));
    world.run_secs(2);
    world.receive(0, ALICE, Message::Transaction(Arc::clone(&child)));
    assert_eq!(world.nodes[0].relay.orphans.len(), 1);
    world.disconnect(0, 1);
    world.submit(1, &parent);
    world.mine(1, 1);
    world.connect(1, 0);
    world.run_secs(1);
    assert!(world.nodes[0].view().has_unconfirmed(&child.wtxid()));
    assert!(world.nodes[0].relay.orphans.is_empty());
}

#[test]
fn a_refused_transaction_is_not_asked_for_again_until_the_tip_changes() {
    let mut world = World::new(1);
    world.mine(0, 2);
    world.play(0, ALICE);
    let cheap = world.spend(0, 1, 0, 1);
    let announce = |world: &mut World| {
        world.clear_log();
        world.receive(0, ALICE, Message::Announce([cheap.wtxid()].into()));
        world.run_secs(3);
        world.sent(0, ALICE).any(|message| message.kind() == MessageKind::Get)
    };
    assert!(announce(&mut world));
    world.receive(0, ALICE, Message::Transaction(Arc::clone(&cheap)));
    assert_eq!(refused(&world, 0), [(cheap.txid(), "mempool-min-fee-not-met")]);
    assert!(!announce(&mut world));
    world.mine(0, 1);
    assert!(announce(&mut world));
    assert!(
        !world
            .events(0)
            .any(|event| matches!(event, Event::PeerPenalised { .. }))
    );
}

#[test]
fn a_wallet_is_told_why_its_transaction_is_refused() {
    let mut world = World::new(1);
    world.mine(0, 2);
    let [parent, child, _] = family(&world);
    world.submit(0, &child);
    world.submit(0, &parent);
    world.submit(0, &parent);
    world.mine(0, 1);
    world.submit(0, &parent);
    let expected = [
        (child.txid(), "missing-inputs"),
        (parent.txid(), "txn-already-in-mempool"),
        (parent.txid(), "txn-already-known"),
    ];
    assert_eq!(refused(&world, 0), expected);
    let submitted = world
        .events(0)
        .filter(|event| matches!(event, Event::TxSubmitted { .. }));
    assert_eq!(submitted.count(), 4);
}

#[test]
fn a_node_in_initial_sync_asks_for_no_transactions() {
    let mut world = World::new(1);
    let mut source = World::elsewhere(1);
    source.mine(0, 30);
    let payment = source.spend(0, 1, 1_000, 1);
    world.play(0, ALICE);
    let headers = (1..=30).map(|height| source.block(0, height).header);
    world.receive(0, ALICE, Message::headers(headers));
    world.receive(0, ALICE, Message::Announce([payment.wtxid()].into()));
    world.run(Duration::from_millis(1_900));
    let is_request =
        |message: &&Message| matches!(message, Message::Get(items) if matches!(items[0], Item::Transaction(_)));
    assert_eq!(world.sent(0, ALICE).filter(is_request).count(), 0);
    for height in 1..=30 {
        world.receive(0, ALICE, Message::Block(source.block(0, height)));
    }
    assert_eq!(world.height(0), 30);
    world.receive(0, ALICE, Message::Announce([payment.wtxid()].into()));
    world.run_secs(2);
    assert_eq!(world.sent(0, ALICE).filter(is_request).count(), 1);
}

#[test]
fn every_message_sent_is_told_with_its_size_and_what_it_is_about() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.mine(0, 1);
    let tip = world.tip(0);
    let sends = world
        .log
        .iter()
        .filter(|(_, _, output)| matches!(output, crate::Output::Send { .. }));
    let told = (0..2).map(|node| {
        world
            .events(node)
            .filter(|event| matches!(event, Event::MessageSent { .. }))
            .count()
    });
    assert_eq!(sends.count(), told.sum::<usize>());
    let block = world.events(0).find_map(|event| match event {
        Event::MessageSent {
            message: MessageKind::Block,
            bytes,
            about,
            ..
        } => Some((*bytes, *about)),
        _ => None,
    });
    let bytes = gossip::wire::encode(&Message::Block(world.block(0, 1))).len() as u64;
    assert_eq!(block, Some((bytes, Some(tip))));
    let header = world.events(1).find_map(|event| match event {
        Event::MessageReceived {
            message: MessageKind::Headers,
            about: Some(about),
            ..
        } => Some(*about),
        _ => None,
    });
    assert_eq!(header, Some(tip));
}
