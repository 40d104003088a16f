//! The mesh: how many are in it, who gets in, and who is let go.

use base::NodeId;
use gossip::{Message, MessageKind, Offence};

use super::honest::blames;
use super::policies::{check_all_agree, network, sent};
use crate::Input;
use crate::config::Relay;
use crate::limits::{MAX_BACK_OFF, MAX_EARLY_GRAFTS, MESH_DEGREE, MESH_HIGH, MESH_LOW};
use crate::testing::{PLAYED, World};

const ALICE: NodeId = NodeId(PLAYED);

fn members(world: &World, node: usize) -> usize {
    let peers = world.nodes[node].peers.all_ready();
    peers.filter(|(_, peer)| peer.mesh.is_member).count()
}

/// A node of the mesh with this many peers, of whom it dialled every fifth.
fn stage(peers: u32) -> World {
    let mut world = World::new(1);
    world.set_up(0, |config| config.relay = Relay::Mesh);
    for number in 0..peers {
        let peer = NodeId(PLAYED + number);
        let outbound = number % 5 == 0;
        world.input(0, Input::Connected { peer, outbound });
        let hello = world.hello(0);
        world.receive(0, peer, Message::Hello(Box::new(hello)));
    }
    world
}

fn told(world: &World, peer: NodeId, kind: MessageKind) -> usize {
    world.sent(0, peer).filter(|message| message.kind() == kind).count()
}

#[test]
fn a_mesh_grows_to_its_degree_and_shrinks_back_to_it() {
    let mut world = stage(30);
    assert_eq!(members(&world, 0), 0);
    world.run_secs(2);
    assert_eq!(members(&world, 0), MESH_DEGREE);
    // Everybody wants in; those above the limit are refused.
    for number in 0..30 {
        world.receive(0, NodeId(PLAYED + number), Message::Graft);
    }
    assert_eq!(members(&world, 0), MESH_HIGH);
    let refused = (0..30).filter(|number| told(&world, NodeId(PLAYED + number), MessageKind::Prune) > 0);
    assert_eq!(refused.count(), 30 - MESH_HIGH);
    // Some leave, and others are asked in their place.
    for number in 0..30 {
        world.receive(0, NodeId(PLAYED + number), Message::Prune { back_off_secs: 1 });
    }
    assert_eq!(members(&world, 0), 0);
    world.run_secs(3);
    assert!(members(&world, 0) >= MESH_LOW);
    assert_eq!(blames(&world), []);
}

#[test]
fn a_mesh_that_is_too_large_lets_the_surplus_go_but_keeps_two_outbound_peers() {
    let mut world = stage(30);
    for number in 0..20 {
        if let Some(peer) = world.nodes[0].peers.ready_mut(NodeId(PLAYED + number)) {
            peer.mesh.is_member = true;
        }
    }
    world.run_secs(2);
    assert_eq!(members(&world, 0), MESH_DEGREE);
    let peers = world.nodes[0].peers.all_ready();
    let outbound = peers.filter(|(_, peer)| peer.mesh.is_member && peer.outbound).count();
    assert!(outbound >= 2, "{outbound}");
}

/// THREATS P6.
#[test]
fn an_absurd_back_off_is_bounded_and_asking_too_early_again_and_again_is_flooding() {
    let mut world = stage(1);
    world.run_secs(2);
    assert_eq!(members(&world, 0), 1);
    world.receive(
        0,
        ALICE,
        Message::Prune {
            back_off_secs: u32::MAX,
        },
    );
    assert_eq!(members(&world, 0), 0);
    world.run_secs(MAX_BACK_OFF.as_secs() - 1);
    assert_eq!(members(&world, 0), 0);
    world.run_secs(3);
    assert_eq!(members(&world, 0), 1, "asked again after ten minutes");
    world.receive(0, ALICE, Message::Prune { back_off_secs: 0 });
    world.run_secs(2);
    assert_eq!(members(&world, 0), 1);
    for _ in 0..=MAX_EARLY_GRAFTS {
        assert_eq!(blames(&world), []);
        world.receive(0, ALICE, Message::Prune { back_off_secs: 60 });
        world.receive(0, ALICE, Message::Graft);
        assert_eq!(members(&world, 0), 0);
    }
    let offences: Vec<Offence> = blames(&world).iter().map(|blame| blame.2).collect();
    assert_eq!(offences, [Offence::Flooding]);
}

#[test]
fn members_are_sent_the_block_and_others_its_name() {
    let mut world = stage(10);
    world.run_secs(2);
    world.mine(0, 1);
    world.run_secs(3);
    for number in 0..10 {
        let id = NodeId(PLAYED + number);
        let is_member = world.nodes[0].peers.ready(id).is_some_and(|peer| peer.mesh.is_member);
        assert_eq!(told(&world, id, MessageKind::Block), usize::from(is_member));
        assert_eq!(told(&world, id, MessageKind::AnnounceBlocks), usize::from(!is_member));
    }
    assert_eq!(world.nodes[0].deadline(), None, "all are told");
}

#[test]
fn a_node_of_another_policy_declines() {
    let mut world = World::new(1);
    world.play(0, ALICE);
    world.receive(0, ALICE, Message::Graft);
    let declined = Message::Prune { back_off_secs: 60 };
    assert_eq!(world.sent(0, ALICE).last(), Some(&declined));
}

#[test]
fn a_mesh_sends_fewer_bodies_than_pushing_to_all() {
    let bodies = |policy| {
        let mut world = network(30, |_| policy);
        for node in 0..30 {
            for other in 0..node {
                if !world.are_connected(node, other) {
                    world.connect(node, other);
                }
            }
        }
        world.run_secs(100);
        world.clear_log();
        world.mine(0, 1);
        world.run_secs(5);
        check_all_agree(&world, 1);
        sent(&world, MessageKind::Block).0
    };
    let (mesh, push) = (bodies(Relay::Mesh), bodies(Relay::Push));
    assert!(mesh * 2 < push, "{mesh} and {push}");
}

#[test]
fn a_new_member_is_told_what_was_found_while_it_was_none() {
    let mut world = World::new(2);
    for node in 0..2 {
        world.set_up(node, |config| config.relay = Relay::Mesh);
    }
    world.connect(0, 1);
    world.run(std::time::Duration::from_millis(100));
    world.mine(0, 3);
    world.run_secs(2);
    check_all_agree(&world, 3);
}
