//! Ways of telling of new blocks: each reaches everybody, alone and mixed with the others.

use std::time::Duration;

use base::{NodeId, Rng, Seed};
use chain::BlockId;
use gossip::{Item, Message, MessageKind, Offence};

use super::honest::{blames, find_block, miners};
use crate::Event;
use crate::config::Relay;
use crate::limits::{MAX_ANNOUNCED_HEADERS, MAX_UNCONNECTING_HEADERS};
use crate::testing::{PLAYED, World, n};

const ALICE: NodeId = NodeId(PLAYED);
pub(super) const ALL: [Relay; 5] = [
    Relay::Headers,
    Relay::Announce,
    Relay::Compact,
    Relay::Push,
    Relay::Mesh,
];

/// Nodes that each know three others drawn at random, all of them connected through a ring.
pub(super) fn network(nodes: usize, policy: impl Fn(usize) -> Relay) -> World {
    let mut world = World::new(nodes);
    let mut rng: Rng = Seed::from_number(5).child("links", 0).rng();
    for node in 0..nodes {
        world.set_up(node, |config| config.relay = policy(node));
    }
    for node in 0..nodes {
        world.connect(node, (node + 1) % nodes);
        for _ in 0..2 {
            let other = rng.index(nodes);
            if other != node {
                world.connect(node, other);
            }
        }
    }
    world.run_secs(5);
    world
}

pub(super) fn check_all_agree(world: &World, height: u32) {
    for node in 0..world.nodes.len() {
        assert_eq!(world.height(node), height, "node {node}");
        assert_eq!(world.tip(node), world.tip(0), "node {node}");
    }
    assert_eq!(blames(world), []);
}

/// What all nodes sent of one kind: messages and bytes.
pub(super) fn sent(world: &World, wanted: MessageKind) -> (usize, u64) {
    let nodes = 0..world.nodes.len();
    let sends = nodes.flat_map(|node| {
        world.events(node).filter_map(|event| match event {
            Event::MessageSent { message, bytes, .. } if *message == wanted => Some(*bytes),
            _ => None,
        })
    });
    sends.fold((0, 0), |(count, sum), bytes| (count + 1, sum + bytes))
}

/// Blocks from all over, then a fork that is resolved.
fn check_policy(policy: impl Fn(usize) -> Relay) -> World {
    let mut world = network(30, policy);
    for (round, node) in (0..30).step_by(6).enumerate() {
        world.mine(node, 1);
        world.run_secs(5);
        check_all_agree(&world, u32::try_from(round).expect("a few") + 1);
    }
    // Cut off, a node goes its own way, and is overtaken.
    let cut_off: Vec<usize> = (0..30).filter(|other| world.are_connected(7, *other)).collect();
    for other in &cut_off {
        world.disconnect(7, *other);
    }
    world.mine(7, 2);
    world.mine(20, 3);
    for other in cut_off {
        world.connect(7, other);
    }
    world.run_secs(10);
    check_all_agree(&world, 8);
    world.mine(7, 1);
    world.run_secs(5);
    check_all_agree(&world, 9);
    world
}

#[test]
fn each_policy_spreads_blocks_through_a_network_and_resolves_forks() {
    for policy in ALL {
        check_policy(|_| policy);
    }
}

#[test]
fn nodes_of_all_policies_understand_each_other() {
    check_policy(|node| ALL[node % ALL.len()]);
}

#[test]
fn bodies_travel_to_those_who_lack_them() {
    let bodies = |policy| {
        let mut world = network(30, |_| policy);
        world.clear_log();
        world.mine(0, 1);
        check_all_agree(&world, 1);
        sent(&world, MessageKind::Block).0
    };
    assert_eq!(bodies(Relay::Headers), 29);
    assert_eq!(bodies(Relay::Announce), 29);
    let pushed = bodies(Relay::Push);
    assert!(pushed > 29, "several peers push the same block at once: {pushed}");
}

#[test]
fn faster_blocks_than_links_blame_nobody_under_any_policy() {
    for policy in ALL {
        let mut world = miners(4);
        world.delay = Duration::from_millis(50);
        for node in 0..4 {
            world.set_up(node, |config| config.relay = policy);
            world.input(node, crate::Input::Tick);
        }
        for node in 0..4 {
            world.connect(node, (node + 1) % 4);
        }
        for round in 0..200 {
            find_block(&mut world, round % 4);
            world.run(Duration::from_millis(15));
        }
        world.run_secs(10);
        find_block(&mut world, 0);
        world.run_secs(10);
        let height = world.height(0);
        assert!(height > 50, "{height}");
        check_all_agree(&world, height);
    }
}

fn headers_asked_of(world: &World, peer: NodeId) -> usize {
    let asked = world
        .sent(0, peer)
        .filter(|message| message.kind() == MessageKind::GetHeaders);
    asked.count()
}

#[test]
fn a_name_that_is_not_known_is_followed_up_by_its_header_and_body() {
    let mut source = World::elsewhere(1);
    source.mine(0, 1);
    let block = source.block(0, 1);
    let mut world = World::new(1);
    world.play(0, ALICE);
    world.receive(0, ALICE, Message::AnnounceBlocks(vec![block.id()]));
    assert_eq!(headers_asked_of(&world, ALICE), 1);
    world.receive(0, ALICE, Message::headers([block.header]));
    let request = Message::Get(vec![Item::Block(block.id())]);
    assert_eq!(world.sent(0, ALICE).last(), Some(&request));
    world.receive(0, ALICE, Message::Block(block.clone()));
    assert_eq!(world.tip(0), block.id());
    world.clear_log();
    world.receive(0, ALICE, Message::AnnounceBlocks(vec![block.id()]));
    assert_eq!(world.sent(0, ALICE).count(), 0);
}

/// THREATS P5.
#[test]
fn names_of_blocks_that_do_not_exist_are_asked_after_ten_times() {
    let mut world = World::new(1);
    world.play(0, ALICE);
    for number in 0..100_u8 {
        let id = BlockId(base::Hash([number; 32]));
        world.receive(0, ALICE, Message::AnnounceBlocks(vec![id]));
        world.receive(0, ALICE, Message::headers(Vec::<chain::Header>::new()));
    }
    assert_eq!(headers_asked_of(&world, ALICE), MAX_UNCONNECTING_HEADERS as usize);
    assert_eq!(world.nodes[0].deadline(), None);
    world.receive(0, ALICE, Message::AnnounceBlocks(vec![BlockId::ZERO; 9]));
    assert_eq!(blames(&world)[0].2, Offence::Flooding);
}

#[test]
fn a_peer_that_is_far_behind_is_told_of_the_last_few_headers_alone() {
    let mut world = World::new(2);
    world.mine(1, 60);
    world.play(0, ALICE);
    // A node in initial sync tells nobody, so that there is much to tell when it is done.
    world.connect(0, 1);
    world.run_secs(5);
    check_all_agree(&world, 60);
    let told: Vec<usize> = world
        .sent(0, ALICE)
        .filter_map(|message| match message {
            Message::Headers(headers) => Some(headers.len()),
            _ => None,
        })
        .collect();
    assert_eq!(told.first(), Some(&(MAX_ANNOUNCED_HEADERS as usize)), "{told:?}");
    assert!(told[1..].iter().all(|count| *count == 1), "{told:?}");
}

#[test]
fn a_block_is_pushed_to_none_that_is_known_to_have_it() {
    let mut world = World::new(2);
    for node in 0..2 {
        world.set_up(node, |config| config.relay = Relay::Push);
    }
    world.connect(0, 1);
    world.mine(0, 1);
    assert_eq!(sent(&world, MessageKind::Block).0, 1);
    assert_eq!(
        world
            .sent(1, n(0))
            .filter(|message| message.kind() == MessageKind::Block)
            .count(),
        0
    );
}
