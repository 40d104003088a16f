//! Handshakes, headers first, bodies after.

use std::time::Duration;

use base::NodeId;
use chain::{Block, Header};
use gossip::{Hello, Item, Message, MessageKind, Offence};

use crate::testing::{Ledgers, PLAYED, World, forge, n, params};
use crate::{Command, Event, HangupReason, Input, Output, Wake};

fn hangups(world: &World, node: usize) -> Vec<(NodeId, HangupReason)> {
    let hangups = world.log.iter().filter_map(|(_, at, output)| match output {
        Output::Hangup { peer, reason } if *at == node => Some((*peer, *reason)),
        _ => None,
    });
    hangups.collect()
}

#[test]
fn both_sides_say_hello_and_are_connected_after_the_handshake() {
    let mut world = World::new(2);
    world.connect(0, 1);
    assert!(world.nodes[0].view().peers().is_empty());
    world.run_secs(1);
    assert_eq!(world.nodes[0].view().peers(), [n(1)]);
    assert_eq!(world.nodes[1].view().peers(), [n(0)]);
    let connected = world.events(0).find_map(|event| match event {
        Event::PeerConnected { peer, outbound, agent } => Some((*peer, *outbound, agent.clone())),
        _ => None,
    });
    assert_eq!(connected, Some((n(1), true, "test-1".to_owned())));
    assert_eq!(world.nodes[0].deadline(), None);
}

#[test]
fn a_repeated_connection_is_ignored() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.run_secs(1);
    world.clear_log();
    world.input(
        0,
        Input::Connected {
            peer: n(1),
            outbound: true,
        },
    );
    assert!(world.log.is_empty());
    assert_eq!(world.nodes[0].view().peers(), [n(1)]);
}

#[test]
fn a_peer_of_another_network_or_version_is_left_without_blame() {
    let other = |change: fn(&mut Hello)| {
        let mut world = World::new(1);
        let peer = NodeId(PLAYED);
        world.input(0, Input::Connected { peer, outbound: true });
        let mut hello = world.hello(0);
        change(&mut hello);
        world.receive(0, peer, Message::Hello(Box::new(hello)));
        assert_eq!(hangups(&world, 0), [(peer, HangupReason::OtherNetwork)]);
        assert!(
            !world
                .events(0)
                .any(|event| matches!(event, Event::PeerPenalised { .. }))
        );
        assert!(!world.nodes[0].view().is_discouraged(peer));
    };
    other(|hello| hello.genesis = chain::BlockId::ZERO);
    other(|hello| hello.version += 1);
}

#[test]
fn a_peer_that_says_nothing_is_left_after_ten_seconds() {
    let mut world = World::new(1);
    let peer = NodeId(PLAYED);
    world.input(0, Input::Connected { peer, outbound: true });
    assert_eq!(world.nodes[0].deadline().map(|(_, wake)| wake), Some(Wake::Handshake));
    world.run(Duration::from_millis(9_999));
    assert_eq!(hangups(&world, 0), []);
    world.run(Duration::from_millis(1));
    assert_eq!(hangups(&world, 0), [(peer, HangupReason::NoHandshake)]);
    assert_eq!(world.nodes[0].deadline(), None);
}

#[test]
fn nothing_is_heard_before_the_hello_nor_a_second_hello() {
    let mut world = World::new(1);
    let peer = NodeId(PLAYED);
    world.input(0, Input::Connected { peer, outbound: true });
    world.receive(0, peer, Message::GetHeaders { locator: vec![] });
    let hello = world.hello(0);
    world.receive(0, peer, Message::Hello(Box::new(hello.clone())));
    world.receive(0, peer, Message::Hello(Box::new(hello)));
    let blamed: Vec<(Offence, u32)> = world
        .events(0)
        .filter_map(|event| match event {
            Event::PeerPenalised { offence, score, .. } => Some((*offence, *score)),
            _ => None,
        })
        .collect();
    assert_eq!(blamed, [(Offence::Unexpected, 34), (Offence::Unexpected, 68)]);
    assert!(
        !world
            .sent(0, peer)
            .any(|message| message.kind() == MessageKind::Headers)
    );
}

#[test]
fn a_node_that_is_behind_catches_up_headers_first() {
    let mut world = World::new(2);
    world.mine(0, 30);
    world.connect(0, 1);
    world.run_secs(2);
    assert_eq!(world.tip(1), world.tip(0));
    assert_eq!(world.height(1), 30);
}

/// More than one message of headers, more than one window of bodies, more than one peer that has them.
#[test]
fn a_chain_of_2100_blocks_is_fetched_in_full_and_its_headers_from_one_peer() {
    let mut world = World::new(4);
    world.mine(0, 2_100);
    world.run_secs(5);
    world.connect(0, 1);
    world.connect(0, 2);
    world.connect(1, 2);
    world.run_secs(30);
    world.clear_log();
    for peer in 0..3 {
        world.connect(3, peer);
    }
    world.run_secs(30);
    for node in 1..4 {
        assert_eq!(world.tip(node), world.tip(0));
    }
    assert_eq!(world.height(3), 2_100);
    let asked: Vec<usize> = (0..3)
        .map(|peer| {
            let asked = world.sent(3, n(peer));
            asked
                .filter(|message| message.kind() == MessageKind::GetHeaders)
                .count()
        })
        .collect();
    assert_eq!(asked, [2, 1, 1]);
}

#[test]
fn a_new_block_is_announced_by_its_header_and_spreads_along_a_line() {
    let mut world = World::new(4);
    for node in 1..4 {
        world.connect(node - 1, node);
    }
    world.run_secs(1);
    world.mine(0, 1);
    for node in 1..4 {
        assert_eq!(world.tip(node), world.tip(0));
    }
    // The one it came from is not told again.
    assert!(
        !world
            .sent(3, n(2))
            .any(|message| message.kind() == MessageKind::Headers)
    );
}

#[test]
fn a_peer_that_never_answers_for_headers_is_given_up() {
    let mut world = World::new(1);
    let silent = NodeId(PLAYED);
    greet_with_unknown_tip(&mut world, silent);
    assert_eq!(
        world.nodes[0].deadline().map(|(_, wake)| wake),
        Some(Wake::HeadersOverdue)
    );
    world.run_secs(120);
    let is_blame = |event: &Event| {
        matches!(
            event,
            Event::PeerPenalised {
                offence: Offence::Stalled,
                score: 5,
                ..
            }
        )
    };
    assert!(world.events(0).any(is_blame));
    assert_eq!(world.nodes[0].deadline(), None);
}

#[test]
fn threat_m7_when_a_peer_falls_silent_within_a_long_answer_the_next_is_soon_asked() {
    let mut world = World::new(1);
    let (first, second) = (NodeId(PLAYED), NodeId(PLAYED + 1));
    greet_with_unknown_tip(&mut world, first);
    greet_with_unknown_tip(&mut world, second);
    let headers = header_chain(2_001);
    let questions = |world: &World, peer| {
        let sent = world.sent(0, peer);
        sent.filter(|message| message.kind() == MessageKind::GetHeaders).count()
    };
    for peer in [first, second] {
        world.receive(0, peer, Message::headers(headers[..2_000].to_vec()));
    }
    assert_eq!([questions(&world, first), questions(&world, second)], [2, 1]);
    world.run_secs(10);
    assert_eq!([questions(&world, first), questions(&world, second)], [2, 2]);
    world.receive(0, second, Message::headers(headers[2_000..].to_vec()));
    let best = world.nodes[0].view().best_header();
    assert_eq!(world.ledger(0).height(best).0, 2_001);
    assert_eq!(world.nodes[0].sync_peer, None);
}

fn greet_with_unknown_tip(world: &mut World, peer: NodeId) {
    world.input(0, Input::Connected { peer, outbound: true });
    let tip = chain::BlockId(base::Hash([7; 32]));
    let hello = Hello { tip, ..world.hello(0) };
    world.receive(0, peer, Message::Hello(Box::new(hello)));
}

/// Headers alone, each with its work.
fn header_chain(length: usize) -> Vec<Header> {
    let mut ledger = chain::Ledger::new(params());
    let mut tip = ledger.genesis();
    let mut headers = Vec::new();
    for _ in 0..length {
        let block = forge(&ledger, tip, |_| {});
        tip = ledger.add_header(&block.header).expect("made by the rules");
        headers.push(*block.header);
    }
    headers
}

#[test]
fn a_stalling_peer_is_given_up_and_the_body_comes_from_another() {
    let mut world = World::new(3);
    world.mine(0, 1);
    world.connect(1, 2);
    world.run_secs(1);
    // Node 0 announces its block to node 2 and then falls silent; node 1 will have it too.
    world.connect(0, 2);
    world.run(Duration::from_millis(25));
    world.muted.insert(n(0));
    let block = world.block(0, 1);
    let header = block.header;
    world.receive(2, n(0), Message::headers([header]));
    world.command(1, Command::SubmitBlock(block));
    world.run(Duration::from_millis(1_900));
    assert_eq!(world.height(2), 0, "the silent peer was asked first");
    world.run_secs(1);
    assert_eq!(world.tip(2), world.tip(0));
    let blamed = world
        .events(2)
        .any(|event| matches!(event, Event::PeerPenalised { .. }));
    assert!(!blamed, "its link may be slow");
}

#[test]
fn bodies_that_come_before_their_parents_wait_for_them() {
    let mut world = World::new(1);
    let mut source = World::elsewhere(1);
    source.mine(0, 3);
    let blocks: Vec<_> = (1..=3).map(|height| source.block(0, height)).collect();
    let peer = NodeId(PLAYED);
    world.play(0, peer);
    let headers: Vec<Header> = blocks.iter().map(|block| *block.header).collect();
    world.receive(0, peer, Message::headers(headers));
    let asked: Vec<Item> = blocks.iter().map(|block| Item::Block(block.id())).collect();
    assert_eq!(world.sent(0, peer).last(), Some(&Message::Get(asked)));
    for at in [2, 1] {
        world.receive(0, peer, Message::Block(blocks[at].clone()));
        assert_eq!(world.height(0), 0);
    }
    world.clear_log();
    world.receive(0, peer, Message::Block(blocks[0].clone()));
    assert_eq!(world.height(0), 3);
    let resolved: Vec<_> = world
        .events(0)
        .filter_map(|event| match event {
            Event::OrphanResolved { block } => Some(*block),
            _ => None,
        })
        .collect();
    assert_eq!(resolved, [blocks[1].id(), blocks[2].id()]);
}

#[test]
fn the_parent_of_an_orphan_block_is_asked_for_a_bounded_number_of_times() {
    let mut world = World::new(1);
    let mut source = World::elsewhere(1);
    source.mine(0, 2);
    let peer = NodeId(PLAYED);
    world.play(0, peer);
    let header = source.block(0, 2).header;
    for _ in 0..20 {
        world.receive(0, peer, Message::headers([header]));
        // An empty answer, so that another question may be asked.
        world.receive(0, peer, Message::headers::<Header>([]));
    }
    let asked = world
        .sent(0, peer)
        .filter(|message| message.kind() == MessageKind::GetHeaders);
    assert_eq!(asked.count(), 10);
    assert!(
        !world
            .events(0)
            .any(|event| matches!(event, Event::PeerPenalised { .. }))
    );
    // And when the missing header comes, all is well.
    let headers: Vec<Header> = (1..=2).map(|height| *source.block(0, height).header).collect();
    world.receive(0, peer, Message::headers(headers));
    for height in 1..=2 {
        world.receive(0, peer, Message::Block(source.block(0, height)));
    }
    assert_eq!(world.height(0), 2);
}

#[test]
fn a_heavier_chain_of_headers_alone_is_never_the_tip() {
    let mut world = World::new(1);
    let mut source = World::elsewhere(1);
    source.mine(0, 5);
    world.mine(0, 2);
    let tip = world.tip(0);
    let peer = NodeId(PLAYED);
    world.play(0, peer);
    let headers: Vec<Header> = (1..=5).map(|height| *source.block(0, height).header).collect();
    world.receive(0, peer, Message::headers(headers));
    // All but the first body.
    for height in 2..=5 {
        world.receive(0, peer, Message::Block(source.block(0, height)));
    }
    world.run_secs(300);
    assert_eq!(world.tip(0), tip);
    let view = world.nodes[0].view();
    assert_eq!(world.ledger(0).height(view.best_header()).0, 5);
    // Mining goes on upon the valid tip.
    world.mine(0, 1);
    assert_eq!(world.height(0), 3);
}

#[test]
fn a_block_from_the_future_is_held_without_blame_and_accepted_later() {
    let mut world = World::with(2, &params(), Ledgers::Own);
    let ledger = world.ledger(0);
    let limit = params().genesis_time + 2 * 60 * 60;
    let block = forge(ledger, ledger.genesis(), |draft| draft.time = limit + 30);
    let peer = NodeId(PLAYED);
    world.play(0, peer);
    world.receive(0, peer, Message::headers([block.header]));
    assert!(
        world
            .events(0)
            .any(|event| matches!(event, Event::OrphanHeld { block: held, .. } if *held == block.id()))
    );
    assert_eq!(
        world.nodes[0].deadline().map(|(at, wake)| (at.as_secs(), wake)),
        Some((30, Wake::FutureHeader))
    );
    world.run(Duration::from_millis(29_999));
    assert!(!world.sent(0, peer).any(|message| message.kind() == MessageKind::Get));
    world.run(Duration::from_millis(1));
    world.receive(0, peer, Message::Block(block.clone()));
    assert_eq!(world.tip(0), block.id());
    assert!(
        !world
            .events(0)
            .any(|event| matches!(event, Event::PeerPenalised { .. }))
    );
}

#[test]
fn after_a_disconnection_nothing_of_the_peer_remains() {
    let mut world = World::new(1);
    let mut source = World::elsewhere(1);
    source.mine(0, 4);
    let peer = NodeId(PLAYED);
    world.play(0, peer);
    world.mine(0, 3);
    let headers: Vec<Header> = (1..=4).map(|height| *source.block(0, height).header).collect();
    world.receive(0, peer, Message::headers(headers));
    let parent = world.block(0, 1);
    let orphan = {
        let middle = world.spend_output(
            0,
            parent.transactions[0].outpoint(0),
            &parent.transactions[0],
            (1_000, 0),
        );
        world.spend_output(0, middle.outpoint(0), &middle, (1_000, 1))
    };
    world.receive(
        0,
        peer,
        Message::Announce([orphan.wtxid(), chain::Wtxid(base::Hash([1; 32]))].into()),
    );
    world.run_secs(2);
    world.receive(0, peer, Message::Transaction(orphan.clone()));
    let node = &world.nodes[0];
    assert!(!node.relay.orphans.is_empty_of(peer));
    assert!(!node.bodies.fetch.is_empty_of(peer) && !node.relay.fetch.is_empty_of(peer));

    world.input(0, Input::Disconnected { peer });
    let node = &world.nodes[0];
    assert!(node.relay.orphans.is_empty_of(peer) && node.relay.orphans.is_empty());
    assert!(node.bodies.fetch.is_empty_of(peer) && node.relay.fetch.is_empty_of(peer));
    assert!(node.peers.get(peer).is_none());
    assert_eq!(node.sync_peer, None);
    assert_eq!(node.deadline().map(|(_, wake)| wake), None);
    assert!(
        world
            .events(0)
            .any(|event| matches!(event, Event::PeerDisconnected { reason: None, .. }))
    );
}

/// A body from the disk is neither saved nor announced, and needs no peer.
#[test]
fn restored_blocks_set_the_tip_in_silence() {
    let mut source = World::elsewhere(1);
    source.mine(0, 5);
    let mut world = World::new(2);
    world.connect(0, 1);
    world.run_secs(1);
    world.clear_log();
    for height in 1..=5 {
        let block: std::sync::Arc<Block> = source.block(0, height);
        world.input(0, Input::Restored { block });
    }
    assert_eq!(world.tip(0), source.tip(0));
    assert!(world.log.iter().all(|(_, _, output)| matches!(output, Output::Emit(_))));
    world.mine(0, 1);
    assert_eq!(
        world.tip(1),
        world.tip(0),
        "the next block leads the peer to all of them"
    );
}

/// Whoever has the work to make a long chain of headers must not silence the network by keeping the bodies.
#[test]
fn a_node_that_waits_in_vain_for_bodies_speaks_again() {
    let mut source = World::elsewhere(1);
    source.mine(0, 40);
    let mut world = World::new(2);
    world.connect(0, 1);
    world.run_secs(1);
    let peer = NodeId(PLAYED);
    world.play(0, peer);
    let headers: Vec<Header> = (1..=40).map(|height| *source.block(0, height).header).collect();
    world.receive(0, peer, Message::headers(headers));
    for blocks in 1..=3 {
        world.run_secs(14);
        world.mine(0, 1);
        assert_eq!((world.height(0), world.height(1)), (blocks, 0), "it is in initial sync");
    }
    world.run_secs(15);
    world.mine(0, 1);
    assert_eq!(world.height(1), 4);
}

/// No time passes: no timeout is waited for.
#[test]
fn threat_m7_a_peer_that_holds_up_the_window_is_passed_over_while_another_has_nothing_to_do() {
    let (fast, silent) = (NodeId(PLAYED), NodeId(PLAYED + 1));
    let height = crate::limits::BODY_WINDOW + 76;
    let mut source = World::elsewhere(1);
    source.mine(0, height);
    source.run_secs(5);
    let mut world = World::new(1);
    let headers: Vec<Header> = (1..=height).map(|height| *source.block(0, height).header).collect();
    for peer in [fast, silent] {
        world.play(0, peer);
        world.receive(0, peer, Message::headers(headers.clone()));
    }
    let mut answered = 0;
    loop {
        let asked = world.sent(0, fast).filter_map(|message| match message {
            Message::Get(items) => Some(items.clone()),
            _ => None,
        });
        let asked: Vec<Item> = asked.flatten().skip(answered).collect();
        if asked.is_empty() {
            break;
        }
        answered += asked.len();
        for item in asked {
            let Item::Block(id) = item else {
                panic!("{item:?} is no body")
            };
            let at = source.ledger(0).find(&id).expect("it is of that chain");
            let body = source.ledger(0).body(at).cloned().expect("it has them all");
            world.receive(0, fast, Message::Block(body));
        }
    }
    assert_eq!(world.height(0), height);
}
