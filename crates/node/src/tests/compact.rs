//! Compact blocks: what is put together, what is asked for, and who is to blame.

use std::sync::Arc;

use base::NodeId;
use chain::{Block, Transaction};
use gossip::compact::ShortId;
use gossip::{CompactBlock, Item, Message, MessageKind, Offence};

use super::honest::blames;
use super::policies::{check_all_agree, network, sent};
use crate::config::Relay;
use crate::limits::{MAX_ASSEMBLIES_IN_ALL, MAX_COMPACT_DEPTH, MAX_HIGH_BANDWIDTH};
use crate::testing::{PLAYED, World, forge};

const ALICE: NodeId = NodeId(PLAYED);
const BOB: NodeId = NodeId(PLAYED + 1);

/// A node at height 12 that uses compact blocks, with peers that understand them, and a block for it with three payments.
fn stage() -> (World, Arc<Block>) {
    let mut world = World::new(1);
    world.set_up(0, |config| config.relay = Relay::Compact);
    world.mine(0, 12);
    for peer in [ALICE, BOB] {
        world.play(0, peer);
        world.receive(0, peer, Message::SendCompact { high_bandwidth: false });
    }
    let payments: Vec<Arc<Transaction>> = (1..=3).map(|height| world.spend(0, height, 1_000, 1)).collect();
    let tip = world.nodes[0].view().tip();
    let block = forge(world.ledger(0), tip, |draft| draft.transactions = payments);
    world.clear_log();
    (world, block)
}

fn tell(world: &mut World, peer: NodeId, block: &Block) {
    let compact = CompactBlock::new(block, 7);
    world.receive(0, peer, Message::CompactBlock(Arc::new(compact)));
}

#[test]
fn a_block_of_known_transactions_takes_one_message() {
    let (mut world, block) = stage();
    for payment in &block.transactions[1..] {
        world.submit(0, payment);
    }
    world.clear_log();
    tell(&mut world, ALICE, &block);
    assert_eq!(world.tip(0), block.id());
    let sent: Vec<MessageKind> = world.sent(0, ALICE).map(Message::kind).collect();
    assert_eq!(sent, [MessageKind::SendCompact], "it was first, and shall be so again");
    assert_eq!(blames(&world), []);
}

#[test]
fn unknown_transactions_are_asked_for_by_their_places() {
    let (mut world, block) = stage();
    world.submit(0, &block.transactions[2]);
    tell(&mut world, ALICE, &block);
    let request = Message::GetBlockTransactions {
        block: block.id(),
        indexes: vec![1, 3],
    };
    assert_eq!(world.sent(0, ALICE).last(), Some(&request));
    let transactions = vec![Arc::clone(&block.transactions[1]), Arc::clone(&block.transactions[3])];
    let id = block.id();
    world.receive(
        0,
        ALICE,
        Message::BlockTransactions {
            block: id,
            transactions,
        },
    );
    assert_eq!(world.tip(0), id);
    assert_eq!(blames(&world), []);
}

#[test]
fn a_block_that_was_announced_by_its_header_is_asked_for_by_short_names() {
    let (mut world, block) = stage();
    world.receive(0, ALICE, Message::headers([block.header]));
    let request = Message::Get(vec![Item::CompactBlock(block.id())]);
    assert_eq!(world.sent(0, ALICE).last(), Some(&request));
}

#[test]
fn a_peer_that_never_fills_the_gaps_is_passed_over() {
    let (mut world, block) = stage();
    tell(&mut world, ALICE, &block);
    world.receive(0, BOB, Message::headers([block.header]));
    world.run_secs(3);
    let request = Message::Get(vec![Item::CompactBlock(block.id())]);
    assert_eq!(world.sent(0, BOB).last(), Some(&request));
    world.receive(0, BOB, Message::Block(Arc::clone(&block)));
    assert_eq!(world.tip(0), block.id());
    assert_eq!(blames(&world), [], "its link may be slow");
}

/// The root is not the header's: as when a short name is that of another transaction in the mempool.
#[test]
fn a_block_that_cannot_be_put_together_is_asked_for_whole_and_nobody_is_blamed() {
    let (mut world, block) = stage();
    let mut other = (*block).clone();
    other.transactions.truncate(3);
    tell(&mut world, ALICE, &other);
    let transactions = other.transactions[1..].to_vec();
    let id = block.id();
    world.receive(
        0,
        ALICE,
        Message::BlockTransactions {
            block: id,
            transactions,
        },
    );
    let request = Message::Get(vec![Item::Block(id)]);
    assert_eq!(world.sent(0, ALICE).last(), Some(&request));
    world.receive(0, ALICE, Message::Block(Arc::clone(&block)));
    assert_eq!(world.tip(0), id);
    assert_eq!(blames(&world), []);
}

#[test]
fn nobody_is_blamed_for_an_invalid_block_that_was_put_together_but_for_its_child() {
    let (mut world, _) = stage();
    let tip = world.nodes[0].view().tip();
    let bad = forge(world.ledger(0), tip, |draft| draft.height = chain::Height(7));
    tell(&mut world, ALICE, &bad);
    assert_eq!(world.height(0), 12);
    assert_eq!(blames(&world), []);
    let at = world.ledger(0).find(&bad.id()).expect("its header is known");
    let child = forge(world.ledger(0), at, |_| {});
    tell(&mut world, ALICE, &child);
    let (_, peer, offence, _) = &blames(&world)[0];
    assert_eq!((*peer, *offence), (ALICE, Offence::InvalidHeader));
}

fn check_blamed(expected: Offence, act: impl FnOnce(&mut World, &Block)) {
    let (mut world, block) = stage();
    act(&mut world, &block);
    let offences: Vec<Offence> = blames(&world).iter().map(|blame| blame.2).collect();
    assert_eq!(offences, [expected]);
    assert_eq!(world.height(0), 12);
}

#[test]
fn answers_and_requests_that_make_no_sense_are_blamed() {
    check_blamed(Offence::Malformed, |world, block| {
        let mut compact = CompactBlock::new(block, 7);
        compact.prefilled[0].index = 9;
        world.receive(0, ALICE, Message::CompactBlock(Arc::new(compact)));
    });
    check_blamed(Offence::InvalidHeader, |world, block| {
        let mut compact = CompactBlock::new(block, 7);
        compact.header = crate::testing::unsolved(&compact.header);
        world.receive(0, ALICE, Message::CompactBlock(Arc::new(compact)));
    });
    check_blamed(Offence::Malformed, |world, block| {
        tell(world, ALICE, block);
        let (block, transactions) = (block.id(), Vec::new());
        world.receive(0, ALICE, Message::BlockTransactions { block, transactions });
    });
    check_blamed(Offence::Unexpected, |world, block| {
        tell(world, ALICE, block);
        tell(world, ALICE, block);
    });
    check_blamed(Offence::Unexpected, |world, block| {
        let (block, transactions) = (block.id(), Vec::new());
        world.receive(0, ALICE, Message::BlockTransactions { block, transactions });
    });
    for indexes in [vec![1], vec![0, 0], vec![u32::MAX]] {
        check_blamed(Offence::Malformed, |world, _| {
            let block = world.tip(0);
            world.receive(0, ALICE, Message::GetBlockTransactions { block, indexes });
        });
    }
}

#[test]
fn short_names_that_nothing_has_are_gaps_and_no_harm() {
    let (mut world, block) = stage();
    let mut compact = CompactBlock::new(&block, 7);
    compact.short_ids = vec![ShortId([0; 6]); 100];
    world.receive(0, ALICE, Message::CompactBlock(Arc::new(compact)));
    let Some(Message::GetBlockTransactions { indexes, .. }) = world.sent(0, ALICE).last() else {
        panic!("the gaps are asked for");
    };
    assert_eq!(indexes.len(), 100);
}

#[test]
fn few_peers_at_most_are_asked_to_tell_at_once() {
    let (mut world, _) = stage();
    let peers: Vec<NodeId> = (0..5).map(|number| NodeId(PLAYED + number)).collect();
    for peer in &peers[2..] {
        world.play(0, *peer);
        world.receive(0, *peer, Message::SendCompact { high_bandwidth: false });
    }
    world.clear_log();
    for peer in &peers {
        let tip = world.nodes[0].view().tip();
        let block = forge(world.ledger(0), tip, |_| {});
        tell(&mut world, *peer, &block);
    }
    let asked: Vec<Vec<bool>> = peers
        .iter()
        .map(|peer| {
            let asked = world.sent(0, *peer).filter_map(|message| match message {
                Message::SendCompact { high_bandwidth } => Some(*high_bandwidth),
                _ => None,
            });
            asked.collect()
        })
        .collect();
    let (first, last) = asked.split_at(peers.len() - MAX_HIGH_BANDWIDTH);
    assert!(first.iter().all(|asked| asked == &[true, false]), "{first:?}");
    assert!(last.iter().all(|asked| asked == &[true]), "{last:?}");
}

#[test]
fn gaps_of_few_blocks_are_asked_for_at_a_time_and_the_rest_whole() {
    let (mut world, block) = stage();
    let tip = world.nodes[0].view().tip();
    let payment = &block.transactions[1..2];
    for number in 0..=MAX_ASSEMBLIES_IN_ALL {
        let sibling = forge(world.ledger(0), tip, |draft| {
            draft.transactions = payment.to_vec();
            draft.extra_nonce = number as u64;
        });
        let peer = [ALICE, BOB][number % 2];
        tell(&mut world, peer, &sibling);
        let last = world.sent(0, peer).last().map(Message::kind);
        let expected = if number < MAX_ASSEMBLIES_IN_ALL {
            MessageKind::GetBlockTransactions
        } else {
            MessageKind::Get
        };
        assert_eq!(last, Some(expected), "block {number}");
    }
    assert_eq!(blames(&world), []);
}

#[test]
fn a_deep_block_is_sent_whole_to_whoever_asks_for_short_names() {
    let (mut world, _) = stage();
    for (depth, kind) in [
        (MAX_COMPACT_DEPTH, MessageKind::CompactBlock),
        (MAX_COMPACT_DEPTH + 1, MessageKind::Block),
    ] {
        let id = world.block(0, 12 - depth).id();
        world.receive(0, ALICE, Message::Get(vec![Item::CompactBlock(id)]));
        assert_eq!(
            world.sent(0, ALICE).last().map(Message::kind),
            Some(kind),
            "depth {depth}"
        );
    }
}

#[test]
fn compact_blocks_take_far_fewer_bytes_than_whole_ones_when_mempools_are_alike() {
    let bytes = |policy| {
        let mut world = network(30, |_| policy);
        world.mine(0, 30);
        world.run_secs(5);
        for height in 1..=25 {
            let payment = world.spend(0, height, 1_000, 1);
            world.submit(0, &payment);
        }
        world.run_secs(10);
        world.clear_log();
        world.mine(0, 1);
        world.run_secs(5);
        check_all_agree(&world, 31);
        let kinds = [
            MessageKind::Block,
            MessageKind::CompactBlock,
            MessageKind::BlockTransactions,
            MessageKind::GetBlockTransactions,
        ];
        kinds.map(|kind| sent(&world, kind).1).iter().sum::<u64>()
    };
    let (whole, compact) = (bytes(Relay::Headers), bytes(Relay::Compact));
    assert!(compact * 4 < whole, "{compact} of {whole} bytes");
}
