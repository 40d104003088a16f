//! Who is blamed for what, and what a fault leaves behind: nothing.

use std::sync::Arc;

use base::NodeId;
use chain::{Block, BlockId, Header, OutPoint, Wtxid};
use gossip::{Item, Message, MessageKind, Offence};

use crate::testing::{PLAYED, World, forge, key, n, solve, unsolved};
use crate::{Command, Event, HangupReason, Input, Output, Strategy};

const ALICE: NodeId = NodeId(PLAYED);
const BOB: NodeId = NodeId(PLAYED + 1);

fn offences(world: &World, node: usize) -> Vec<(NodeId, Offence)> {
    let blamed = world.events(node).filter_map(|event| match event {
        Event::PeerPenalised { peer, offence, .. } => Some((*peer, *offence)),
        _ => None,
    });
    blamed.collect()
}

fn rejections(world: &World, node: usize) -> Vec<(BlockId, &'static str, u32)> {
    let rejected = world.events(node).filter_map(|event| match event {
        Event::BlockRejected {
            block, reason, penalty, ..
        } => Some((*block, *reason, *penalty)),
        _ => None,
    });
    rejected.collect()
}

/// A block of another world, for nodes at the genesis block.
fn first_block() -> Arc<Block> {
    let mut source = World::elsewhere(1);
    source.mine(0, 1);
    source.block(0, 1)
}

/// The same header over a body that has lost its root.
fn mutated(block: &Block) -> Arc<Block> {
    let mut mutated = block.clone();
    mutated.transactions.push(Arc::clone(&block.transactions[0]));
    Arc::new(mutated)
}

#[test]
fn threat_c1_a_header_without_work_drops_its_sender_and_is_relayed_to_nobody() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.run_secs(1);
    world.play(0, ALICE);
    world.clear_log();
    let header = unsolved(&first_block().header);
    world.receive(0, ALICE, Message::headers([header]));
    world.run_secs(5);
    assert_eq!(rejections(&world, 0), [(header.id(), "high-hash", 100)]);
    assert_eq!(offences(&world, 0), [(ALICE, Offence::InvalidHeader)]);
    assert_eq!(world.sent(0, n(1)).count(), 0);
    assert_eq!(world.nodes[0].view().peers(), [n(1)]);

    // It comes back and is not let in; what it says is not heard.
    world.clear_log();
    world.input(
        0,
        Input::Connected {
            peer: ALICE,
            outbound: false,
        },
    );
    let hello = world.hello(0);
    world.receive(0, ALICE, Message::Hello(Box::new(hello)));
    assert_eq!(world.log.len(), 1);
    let reason = HangupReason::Discouraged(Offence::InvalidHeader);
    assert!(matches!(&world.log[0].2, Output::Hangup { peer: ALICE, reason: found } if *found == reason));
}

#[test]
fn headers_that_do_not_link_drop_their_sender() {
    let mut world = World::new(1);
    world.play(0, ALICE);
    let header = first_block().header;
    world.receive(0, ALICE, Message::headers([header, header]));
    assert_eq!(offences(&world, 0), [(ALICE, Offence::DisconnectedHeaders)]);
    assert!(world.nodes[0].view().peers().is_empty());
}

/// THREATS C7: the honest body still connects, and only the liar is blamed.
#[test]
fn threat_c7_a_mutated_body_is_fetched_from_another_peer_and_connects() {
    let mut world = World::new(1);
    let block = first_block();
    for peer in [ALICE, BOB] {
        world.play(0, peer);
        world.receive(0, peer, Message::headers([block.header]));
    }
    let request = Message::Get(vec![Item::Block(block.id())]);
    assert_eq!(world.sent(0, ALICE).last(), Some(&request));
    world.clear_log();
    world.receive(0, ALICE, Message::Block(mutated(&block)));
    assert_eq!(rejections(&world, 0), [(block.id(), "bad-txnmrklroot", 100)]);
    assert_eq!(offences(&world, 0), [(ALICE, Offence::InvalidBlock)]);
    assert_eq!(world.sent(0, BOB).last(), Some(&request));
    world.receive(0, BOB, Message::Block(Arc::clone(&block)));
    assert_eq!(world.tip(0), block.id());
    assert_eq!(offences(&world, 0).len(), 1);
}

#[test]
fn a_mutated_body_that_comes_before_its_parent_is_not_held() {
    let mut source = World::elsewhere(1);
    source.mine(0, 2);
    let mut world = World::new(1);
    for peer in [ALICE, BOB] {
        world.play(0, peer);
        let headers: Vec<Header> = (1..=2).map(|height| *source.block(0, height).header).collect();
        world.receive(0, peer, Message::headers(headers));
    }
    let second = source.block(0, 2);
    world.receive(0, ALICE, Message::Block(mutated(&second)));
    assert_eq!(offences(&world, 0), [(ALICE, Offence::InvalidBlock)]);
    world.receive(0, BOB, Message::Block(source.block(0, 1)));
    world.receive(0, BOB, Message::Block(second));
    assert_eq!(world.height(0), 2);
}

#[test]
fn threat_m8_an_invalid_block_blames_who_sent_its_body_and_not_who_announced_it() {
    let mut world = World::new(1);
    let ledger = world.ledger(0);
    let bad = forge(ledger, ledger.genesis(), |draft| draft.height = chain::Height(7));
    for peer in [ALICE, BOB] {
        world.play(0, peer);
        world.receive(0, peer, Message::headers([bad.header]));
    }
    world.receive(0, ALICE, Message::Block(Arc::clone(&bad)));
    assert_eq!(rejections(&world, 0), [(bad.id(), "bad-cb-height", 100)]);
    assert_eq!(offences(&world, 0), [(ALICE, Offence::InvalidBlock)]);
    assert_eq!(world.nodes[0].view().peers(), [BOB]);
    // What stands on it is refused for that reason, and now the sender is to blame: an honest peer checks before it announces.
    let at = world.ledger(0).find(&bad.id()).expect("its header is known");
    let child = {
        let mut draft = world.ledger(0).draft(at, bad.header.time + 1);
        draft.coinbase_outputs = vec![chain::TxOutput {
            value: chain::Amount::COIN,
            owner: key(0).owner(),
        }];
        solve(draft.assemble())
    };
    world.receive(0, BOB, Message::headers([child.header]));
    assert_eq!(rejections(&world, 0).last(), Some(&(child.id(), "bad-prevblk", 100)));
    assert_eq!(world.height(0), 0);
}

#[test]
fn a_body_that_nobody_asked_for_is_an_offence_each_time_but_the_first() {
    let mut world = World::new(1);
    world.play(0, ALICE);
    let block = first_block();
    for _ in 0..4 {
        world.receive(0, ALICE, Message::Block(Arc::clone(&block)));
    }
    assert_eq!(offences(&world, 0), [(ALICE, Offence::Unexpected); 3]);
    assert!(world.nodes[0].view().is_discouraged(ALICE));
    assert_eq!(world.tip(0), block.id());
}

/// THREATS M1: nothing of a body is kept whose chain nobody knows; what lies between is asked for, ten times.
#[test]
fn threat_m1_a_body_whose_parent_is_unknown_is_dropped_and_its_chain_asked_for() {
    let mut source = World::elsewhere(1);
    source.mine(0, 20);
    let mut world = World::new(1);
    world.play(0, ALICE);
    world.clear_log();
    for height in 5..20 {
        world.receive(0, ALICE, Message::Block(source.block(0, height)));
    }
    assert_eq!(world.ledger(0).find(&source.block(0, 5).id()), None);
    assert!(!world.nodes[0].bodies.holds(&source.block(0, 5).id()));
    assert_eq!(offences(&world, 0), []);
    let sent: Vec<MessageKind> = world.sent(0, ALICE).map(Message::kind).collect();
    assert_eq!(sent, [MessageKind::GetHeaders]);
}

#[test]
fn bytes_that_are_no_message_drop_their_sender() {
    let mut world = World::new(1);
    world.play(0, ALICE);
    world.input(
        0,
        Input::Garbage {
            peer: ALICE,
            reason: "oversize",
        },
    );
    assert_eq!(offences(&world, 0), [(ALICE, Offence::Malformed)]);
    assert!(world.nodes[0].view().is_discouraged(ALICE));
}

/// THREATS P4.
#[test]
fn threat_p4_one_item_is_sent_to_one_peer_three_times_at_most() {
    let mut world = World::new(1);
    world.mine(0, 1);
    let id = world.tip(0);
    for peer in [ALICE, BOB] {
        world.play(0, peer);
    }
    for _ in 0..100 {
        world.receive(0, ALICE, Message::Get(vec![Item::Block(id); 10]));
    }
    let bodies = |peer| {
        world
            .sent(0, peer)
            .filter(|message| message.kind() == MessageKind::Block)
            .count()
    };
    assert_eq!(bodies(ALICE), 3);
    assert!(world.nodes[0].view().is_discouraged(ALICE));
    world.receive(0, BOB, Message::Get(vec![Item::Block(id)]));
    assert_eq!(
        world
            .sent(0, BOB)
            .filter(|message| message.kind() == MessageKind::Block)
            .count(),
        1
    );
}

#[test]
fn lists_above_the_limit_are_flooding() {
    let flood = |message: Message| {
        let mut world = World::new(1);
        world.play(0, ALICE);
        world.clear_log();
        world.receive(0, ALICE, message);
        assert_eq!(offences(&world, 0), [(ALICE, Offence::Flooding)]);
        assert_eq!(world.sent(0, ALICE).count(), 0);
    };
    flood(Message::Announce(vec![Wtxid::default(); 1_001].into()));
    flood(Message::Get(vec![Item::Block(BlockId::ZERO); 1_001]));
    flood(Message::NotFound(vec![Item::Block(BlockId::ZERO); 1_001]));
}

#[test]
fn unknown_items_are_answered_with_not_found() {
    let mut world = World::new(1);
    world.play(0, ALICE);
    let items = vec![Item::Block(first_block().id()), Item::Transaction(Wtxid::default())];
    world.receive(0, ALICE, Message::Get(items.clone()));
    assert_eq!(world.sent(0, ALICE).last(), Some(&Message::NotFound(items)));
}

#[test]
fn ten_transactions_with_bad_signatures_drop_their_sender() {
    let mut world = World::new(1);
    world.mine(0, 12);
    world.play(0, ALICE);
    for height in 1..=10 {
        let good = world.spend(0, height, 1_000, 1);
        let stranger = key(77).sign(&base::Hash::ZERO);
        let mut parts = good.parts().clone();
        parts.signatures[0] = stranger;
        let bad = Arc::new(chain::Transaction::new(parts));
        world.receive(0, ALICE, Message::Announce([bad.wtxid()].into()));
        world.run_secs(3);
        world.receive(0, ALICE, Message::Transaction(bad));
        // The good one is not touched by its bad copy.
        world.submit(0, &good);
        assert!(world.nodes[0].view().has_unconfirmed(&good.wtxid()));
    }
    assert_eq!(offences(&world, 0), [(ALICE, Offence::InvalidTransaction); 10]);
    assert!(world.nodes[0].view().is_discouraged(ALICE));
}

#[test]
fn a_hostile_node_offers_whatever_it_is_given_and_is_dropped() {
    let mut world = World::new(3);
    world.set_up(2, |config| config.strategy = Strategy::Hostile);
    world.connect(0, 1);
    let ledger = world.ledger(0);
    let bad = forge(ledger, ledger.genesis(), |draft| {
        let outpoint = OutPoint {
            txid: chain::Txid::default(),
            index: 0,
        };
        let output = chain::TxOutput {
            value: chain::Amount::COIN,
            owner: key(0).owner(),
        };
        let theft = chain::Transaction::payment(vec![outpoint], vec![output], b"");
        let coin = chain::Coin {
            output,
            height: chain::Height(0),
            coinbase: false,
        };
        draft.transactions = vec![Arc::new(theft.sign(&key(0), draft.parent, &[coin]))];
    });
    // Given before there is a connection; told when there is one.
    world.command(
        2,
        Command::Offer {
            to: n(0),
            block: Arc::clone(&bad),
        },
    );
    world.connect(2, 0);
    world.run_secs(1);
    assert_eq!(
        rejections(&world, 0),
        [(bad.id(), "bad-txns-inputs-missingorspent", 100)]
    );
    assert!(world.nodes[0].view().is_discouraged(n(2)));
    assert!(world.nodes[2].view().peers().is_empty());
    assert_eq!(rejections(&world, 1), []);
    world.mine(0, 1);
    assert_eq!(world.tip(1), world.tip(0));
    assert_eq!(world.height(2), 0);
}

/// Asked twice because it was slow, a peer answers twice.
#[test]
fn a_slow_peer_is_not_blamed_for_its_second_answer_but_for_a_fourth() {
    let mut world = World::new(1);
    let block = first_block();
    world.play(0, ALICE);
    world.receive(0, ALICE, Message::headers([block.header]));
    world.run_secs(3);
    let asked = world
        .sent(0, ALICE)
        .filter(|message| message.kind() == MessageKind::Get);
    assert_eq!(asked.count(), 2);
    // One answer more is excused: a body that is pushed may cross the request for it.
    for _ in 0..4 {
        world.receive(0, ALICE, Message::Block(Arc::clone(&block)));
    }
    assert_eq!(world.tip(0), block.id());
    assert_eq!(offences(&world, 0), [(ALICE, Offence::Unexpected)]);
}

/// Each body takes longer than the stall timeout, again and again: that is what a slow link does, and no fault.
#[test]
fn threat_s8_a_peer_behind_a_slow_link_is_never_blamed() {
    let mut world = World::new(1);
    let mut source = World::elsewhere(1);
    source.mine(0, 30);
    world.play(0, ALICE);
    for height in 1..=30 {
        let block = source.block(0, height);
        world.receive(0, ALICE, Message::headers([block.header]));
        world.run_secs(3);
        world.receive(0, ALICE, Message::Block(block));
    }
    assert_eq!(world.tip(0), source.tip(0));
    assert_eq!(offences(&world, 0), []);
}
