//! Chains of headers that are lighter than our own: nothing of them is kept, whoever sends how many.

use base::NodeId;
use chain::{BlockId, HashedHeader, Header, Ledger, Work};
use gossip::{Message, MessageKind};

use crate::limits::{HEADERS_TIMEOUT, LIGHT_DEPTH, MAX_PRESYNC_ANSWERS};
use crate::testing::{PLAYED, World, forge, params};
use crate::{Event, Input};

const PEER: NodeId = NodeId(PLAYED);
/// More than one answer with headers takes, and the depth beyond it.
const HEIGHT: u32 = 2_300;

/// Headers alone, each with its work, on a branch of its own from the genesis block.
fn header_chain(length: usize) -> Vec<Header> {
    let mut ledger = Ledger::new(params());
    let mut tip = ledger.genesis();
    (0..length)
        .map(|_| {
            let block = forge(&ledger, tip, |draft| draft.extra_nonce = 77);
            tip = ledger.add_header(&block.header).expect("made by the rules");
            *block.header.header()
        })
        .collect()
}

/// A node with a chain of so many blocks, and a peer.
fn grown(height: u32) -> World {
    let mut world = World::new(1);
    let mut maker = Ledger::new(params());
    let mut tip = maker.genesis();
    for _ in 0..height {
        let block = forge(&maker, tip, |_| {});
        tip = maker.add_header(&block.header).expect("a good header");
        maker.add_body(&block).expect("a good body");
        world.input(0, Input::Restored { block });
    }
    assert_eq!(world.height(0), height);
    world.play(0, PEER);
    world.clear_log();
    world
}

fn send(world: &mut World, headers: &[Header]) {
    world.receive(0, PEER, Message::headers(headers.to_vec()));
}

fn light(world: &World) -> usize {
    let is_light = |event: &&Event| matches!(event, Event::BlockRejected { reason: "too-little-chainwork", penalty: 0, from: Some(peer), .. } if *peer == PEER);
    world.events(0).filter(is_light).count()
}

fn questions(world: &World) -> Vec<&Message> {
    let sent = world.sent(0, PEER);
    sent.filter(|message| message.kind() == MessageKind::GetHeaders)
        .collect()
}

fn is_blamed(world: &World) -> bool {
    world
        .events(0)
        .any(|event| matches!(event, Event::PeerPenalised { .. }))
}

#[test]
fn threat_c2_a_branch_that_left_too_long_ago_is_not_kept_and_one_of_a_block_less_is() {
    let mut world = grown(HEIGHT);
    let known = world.ledger(0).len();
    let headers = header_chain((HEIGHT - LIGHT_DEPTH) as usize);
    let (last, light_ones) = headers.split_last().expect("some");
    for chunk in light_ones.chunks(2_000) {
        send(&mut world, chunk);
    }
    assert_eq!(world.ledger(0).len(), known);
    assert!(world.nodes[0].presync.is_none(), "a short answer has nothing after it");
    assert_eq!(light(&world), 1);
    for chunk in headers.chunks(2_000) {
        send(&mut world, chunk);
    }
    assert_eq!(world.ledger(0).len(), known, "heavy enough, so it is asked for again");
    send(&mut world, &headers[..2_000]);
    send(&mut world, &headers[2_000..]);
    assert_eq!(world.ledger(0).len(), known + headers.len());
    assert!(world.ledger(0).find(&last.id()).is_some());
    assert!(!is_blamed(&world), "an honest peer may be on such a branch");
}

#[test]
fn threat_c2_ten_thousand_light_headers_leave_nothing_and_are_asked_for_once() {
    let mut world = grown(HEIGHT);
    let known = world.ledger(0).len();
    for _ in 0..5 {
        send(&mut world, &header_chain(2_000));
        assert!(world.nodes[0].presync.is_some());
        send(&mut world, &header_chain(2_100)[2_000..]);
        assert!(world.nodes[0].presync.is_none(), "it has ended, and is too light");
    }
    assert_eq!(world.ledger(0).len(), known);
    assert_eq!(world.nodes[0].sync_peer, None);
    assert_eq!(questions(&world).len(), 5);
    assert!(!is_blamed(&world));
}

#[test]
fn a_peer_that_falls_silent_within_a_light_chain_is_given_up_with_it() {
    let mut world = grown(HEIGHT);
    send(&mut world, &header_chain(2_000));
    let patience = HEADERS_TIMEOUT.as_secs();
    world.run_secs(patience - 1);
    assert!(
        world.nodes[0].presync.is_some() && !is_blamed(&world),
        "it has time to answer"
    );
    world.run_secs(1);
    assert!(world.nodes[0].presync.is_none() && is_blamed(&world));
    assert_eq!(world.nodes[0].sync_peer, None);
}

#[test]
fn threat_c2_a_heavy_chain_is_weighed_first_and_fetched_again() {
    let mut world = grown(HEIGHT);
    let known = world.ledger(0).len();
    let headers = header_chain(4_100);
    send(&mut world, &headers[..2_000]);
    let asked = HashedHeader::from(headers[1_999]).id();
    let continues =
        |world: &World| matches!(questions(world).last(), Some(Message::GetHeaders { locator }) if locator[0] == asked);
    assert!(
        continues(&world),
        "more of a light chain is asked for by its last header"
    );
    send(&mut world, &headers[2_000..4_000]);
    assert_eq!(world.ledger(0).len(), known, "weighed");
    assert!(!continues(&world), "it is asked for from its beginning");
    send(&mut world, &headers[..2_000]);
    send(&mut world, &headers[2_000..4_000]);
    assert_eq!(world.ledger(0).len(), known + 4_000);
    send(&mut world, &headers[4_000..]);
    let best = world.nodes[0].view().best_header();
    assert_eq!(world.ledger(0).height(best).0, 4_100);
    assert!(world.nodes[0].presync.is_none());
    assert_eq!(world.nodes[0].sync_peer, None);
}

#[test]
fn threat_c2_what_comes_the_second_time_must_be_what_came_the_first() {
    let mut world = grown(HEIGHT);
    let known = world.ledger(0).len();
    let headers = header_chain(4_000);
    send(&mut world, &headers[..2_000]);
    send(&mut world, &headers[2_000..]);
    // Another light chain in its place, of as many headers as one answer takes but one.
    let mut ledger = Ledger::new(params());
    let mut tip = ledger.genesis();
    let other: Vec<Header> = (0..1_999)
        .map(|_| {
            let block = forge(&ledger, tip, |draft| draft.extra_nonce = 78);
            tip = ledger.add_header(&block.header).expect("made by the rules");
            *block.header.header()
        })
        .collect();
    send(&mut world, &other);
    assert_eq!(world.ledger(0).len(), known);
    assert!(world.nodes[0].presync.is_none());
}

#[test]
fn threat_c2_a_light_header_that_breaks_a_rule_is_blamed_and_none_before_it_is_kept() {
    let mut world = grown(HEIGHT);
    let known = world.ledger(0).len();
    let mut headers = header_chain(2_000);
    // It claims the work of a whole chain, and has none of it.
    headers[1_999].bits = chain::CompactTarget(0x1d00_ffff);
    send(&mut world, &headers);
    assert_eq!(world.ledger(0).len(), known);
    assert!(is_blamed(&world));
    assert!(world.nodes[0].presync.is_none());
}

#[test]
fn threat_c2_a_peer_that_leaves_takes_its_light_chain_along() {
    let mut world = grown(HEIGHT);
    send(&mut world, &header_chain(2_000));
    assert!(world.nodes[0].presync.is_some());
    world.input(0, Input::Disconnected { peer: PEER });
    assert!(world.nodes[0].presync.is_none());
    assert_eq!(world.nodes[0].sync_peer, None);
}

/// A node without a chain that was told how much work there must be, and a peer.
fn fresh(minimum: Work) -> World {
    let mut world = World::new(1);
    world.set_up(0, |config| config.minimum_work = minimum);
    world.play(0, PEER);
    world.clear_log();
    world
}

#[test]
fn threat_c2_a_node_without_a_chain_keeps_no_headers_below_the_least_work_it_was_told_of() {
    let headers = header_chain(4_100);
    let heaviest = {
        let mut ledger = Ledger::new(params());
        let mut tip = ledger.genesis();
        for header in &headers {
            tip = ledger.add_header(&HashedHeader::from(*header)).expect("a good header");
        }
        ledger.work(tip)
    };
    let mut world = fresh(heaviest);
    for chunk in headers[..4_099].chunks(2_000) {
        send(&mut world, chunk);
    }
    assert_eq!(
        world.ledger(0).len(),
        1,
        "a block too few: the genesis block is all there is"
    );
    assert_eq!(light(&world), 1);
    assert!(!is_blamed(&world));
    for _pass in 0..2 {
        for chunk in headers.chunks(2_000) {
            send(&mut world, chunk);
        }
    }
    let best = world.nodes[0].view().best_header();
    assert_eq!(world.ledger(0).height(best).0, 4_100);
    assert!(world.nodes[0].presync.is_none());
}

#[test]
fn threat_c2_an_endless_light_chain_is_given_up() {
    let mut world = fresh(Work::MAX);
    let headers = header_chain(6_000);
    send(&mut world, &headers[..2_000]);
    let presync = world.nodes[0].presync.as_mut().expect("more is asked for");
    // As if so many answers had come, but for one.
    presync.ends.resize(MAX_PRESYNC_ANSWERS - 1, BlockId::ZERO);
    send(&mut world, &headers[2_000..4_000]);
    assert_eq!(light(&world), 0, "one more is taken");
    send(&mut world, &headers[4_000..]);
    assert_eq!(light(&world), 1);
    assert!(world.nodes[0].presync.is_none());
    assert_eq!(world.ledger(0).len(), 1);
    assert!(!is_blamed(&world));
}
