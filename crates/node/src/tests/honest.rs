//! Networks in which nobody misbehaves: nobody is blamed, and all come to agree.

use std::time::Duration;

use base::NodeId;
use chain::{HashRate, mining};
use gossip::Offence;
use proptest::prelude::*;

use super::policies::ALL;
use crate::config::Relay;
use crate::testing::World;
use crate::{Event, Input};

/// Every blame there was: by whom, of whom, for what.
pub(super) fn blames(world: &World) -> Vec<(usize, NodeId, Offence, String)> {
    let nodes = 0..world.nodes.len();
    let blames = nodes.flat_map(|node| {
        world.events(node).filter_map(move |event| match event {
            Event::PeerPenalised {
                peer, offence, detail, ..
            } => Some((node, *peer, *offence, detail.clone())),
            _ => None,
        })
    });
    blames.collect()
}

/// Nodes that have hash power, which the test spends.
pub(super) fn miners(nodes: usize) -> World {
    let mut world = World::new(nodes);
    for node in 0..nodes {
        world.set_up(node, |config| config.hashrate = HashRate(1));
        world.input(node, Input::Tick);
    }
    world
}

/// The node finds a block now.
pub(super) fn find_block(world: &mut World, node: usize) {
    let template = world.templates[node].clone().expect("a miner has a template");
    let header = mining::solve(&template.header, 10_000).expect("one hash in two will do");
    world.input(node, Input::Solved { header });
}

fn connect_all(world: &mut World) {
    for a in 0..world.nodes.len() {
        for b in 0..a {
            world.connect(a, b);
        }
    }
}

/// After quiet, one more block makes all agree.
fn check_agreement(world: &mut World) {
    world.run_secs(20);
    find_block(world, 0);
    world.run_secs(20);
    let work: Vec<_> = (0..world.nodes.len())
        .map(|node| world.ledger(node).work(world.nodes[node].view().tip()))
        .collect();
    assert!(work.iter().all(|each| *each == work[0]), "{work:?}");
}

#[test]
fn threat_s8_nodes_that_find_blocks_faster_than_they_travel_do_not_ban_each_other() {
    let mut world = miners(5);
    world.delay = Duration::from_millis(50);
    connect_all(&mut world);
    world.run_secs(1);
    for _ in 0..100 {
        for node in 0..5 {
            find_block(&mut world, node);
        }
        world.run(Duration::from_millis(10));
    }
    check_agreement(&mut world);
    assert_eq!(blames(&world), []);
}

/// One thing that happens to a network in which nobody misbehaves.
#[derive(Clone, Debug)]
enum Step {
    Find(usize),
    Wait(u64),
    /// The connection between two nodes goes, or comes.
    Toggle(usize, usize),
}

fn steps(nodes: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..nodes).prop_map(Step::Find),
        3 => (0_u64..200).prop_map(Step::Wait),
        1 => (0..nodes, 0..nodes).prop_map(|(a, b)| Step::Toggle(a, b)),
    ];
    prop::collection::vec(step, 0..150)
}

/// One policy for all, or one for each.
fn policies(nodes: usize) -> impl Strategy<Value = Vec<Relay>> {
    let policy = || prop::sample::select(ALL.to_vec());
    prop_oneof![
        policy().prop_map(move |policy| vec![policy; nodes]),
        prop::collection::vec(policy(), nodes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn in_an_honest_network_nobody_is_blamed_and_all_agree_in_the_end(delay in 0_u64..500, relays in policies(4), steps in steps(4)) {
        let mut world = miners(4);
        for (node, relay) in relays.into_iter().enumerate() {
            world.set_up(node, |config| config.relay = relay);
            world.input(node, Input::Tick);
        }
        world.delay = Duration::from_millis(delay);
        for step in steps {
            match step {
                Step::Find(node) => find_block(&mut world, node),
                Step::Wait(millis) => world.run(Duration::from_millis(millis)),
                Step::Toggle(a, b) if a != b => world.toggle(a, b),
                Step::Toggle(..) => {}
            }
        }
        for node in 1..4 {
            world.disconnect(node, node - 1);
            world.connect(node, node - 1);
        }
        check_agreement(&mut world);
        prop_assert_eq!(blames(&world), []);
    }
}
