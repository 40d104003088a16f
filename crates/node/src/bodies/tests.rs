//! Bodies that wait for their parents, and how many may.

use base::Hash;
use chain::Header;
use gossip::Message;

use super::*;
use crate::testing::{PLAYED, World, forge, key, params};

const PEER: NodeId = NodeId(PLAYED);

fn held(number: usize) -> (BlockId, Held) {
    let header = Header {
        parent: BlockId(Hash::sha256(&[&number.to_le_bytes()])),
        ..*params().genesis_block().header
    };
    let block = Arc::new(Block {
        header: header.into(),
        transactions: Vec::new(),
    });
    let height = Height(u32::try_from(number).expect("a few thousand"));
    let from = PEER;
    (block.id(), Held { block, height, from })
}

#[test]
fn the_highest_body_gives_way_when_there_is_no_room() {
    let mut bodies = Bodies::default();
    let mut ids = Vec::new();
    for number in 0..MAX_HELD_BODIES {
        let (id, held) = held(number);
        assert!(bodies.hold(id, held), "the limit itself is allowed");
        ids.push(id);
    }
    assert!(!bodies.overflowed);
    let (above, held_above) = held(MAX_HELD_BODIES);
    assert!(!bodies.hold(above, held_above));
    assert!(bodies.overflowed);
    bodies.release(&ids[0]);
    bodies.release(&ids[1]);
    for id in &ids[2..] {
        assert!(bodies.release(id).is_some());
    }
    assert!(bodies.held.is_empty() && bodies.by_height.is_empty() && bodies.by_parent.is_empty());
    assert_eq!(bodies.bytes, 0);
}

/// Bodies of 80 kB, more of them than there is room for, the lowest last.
#[test]
fn a_body_that_was_dropped_for_lack_of_room_is_asked_for_again() {
    let mut source = World::elsewhere(1);
    let mut blocks = Vec::new();
    let mut parent = source.ledger(0).genesis();
    let mut bytes = 0;
    while bytes <= MAX_HELD_BYTES + 500_000 {
        let block = forge(source.ledger(0), parent, |draft| {
            let owner = key(0).owner();
            let value = chain::Amount::from_units(1);
            draft.coinbase_outputs = vec![chain::TxOutput { value, owner }; 1_990];
        });
        bytes += block.bytes();
        source.command(0, crate::Command::SubmitBlock(Arc::clone(&block)));
        parent = source.nodes[0].view().tip();
        blocks.push(block);
    }
    let mut world = World::new(1);
    world.play(0, PEER);
    world.receive(0, PEER, Message::headers(blocks.iter().map(|block| block.header)));
    for block in blocks.iter().skip(1) {
        world.receive(0, PEER, Message::Block(Arc::clone(block)));
        assert!(world.nodes[0].bodies.bytes <= MAX_HELD_BYTES);
    }
    assert!(world.nodes[0].bodies.overflowed);
    world.receive(0, PEER, Message::Block(Arc::clone(&blocks[0])));
    let missing = usize::try_from(world.height(0)).expect("a few hundred");
    assert!(missing < blocks.len() && missing > 0);
    for block in &blocks[missing..] {
        assert!(world.nodes[0].bodies.fetch.is_wanted(&block.id()));
        world.receive(0, PEER, Message::Block(Arc::clone(block)));
    }
    assert_eq!(world.tip(0), source.tip(0));
    assert!(world.nodes[0].bodies.targets.is_empty());
}

#[test]
fn branches_that_are_fetched_at_once_have_a_limit() {
    let mut world = World::new(1);
    world.play(0, PEER);
    for number in 0..100 {
        let ledger = world.ledger(0);
        let block = forge(ledger, ledger.genesis(), |draft| draft.extra_nonce = number);
        world.receive(0, PEER, Message::headers([block.header]));
    }
    let node = &world.nodes[0];
    assert_eq!(node.bodies.targets.len(), crate::limits::MAX_TARGETS);
    let wanted = node
        .knowledge
        .header_leaves(world.ledger(0))
        .into_iter()
        .filter(|leaf| {
            let id = world.ledger(0).id(*leaf);
            node.bodies.fetch.is_wanted(&id)
        });
    assert_eq!(wanted.count(), crate::limits::MAX_TARGETS);
    // When one of them wins, the others are no longer wanted.
    let ledger = world.ledger(0);
    let winner = forge(ledger, ledger.genesis(), |draft| draft.extra_nonce = 500);
    world.command(0, crate::Command::SubmitBlock(winner));
    world.mine(0, 1);
    assert!(world.nodes[0].bodies.targets.is_empty());
    let still_wanted = world.nodes[0]
        .knowledge
        .header_leaves(world.ledger(0))
        .into_iter()
        .any(|leaf| {
            let id = world.ledger(0).id(leaf);
            world.nodes[0].bodies.fetch.is_wanted(&id)
        });
    assert!(!still_wanted);
}
