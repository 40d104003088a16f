//! The same inputs give the same outputs, and whose ledger it is makes no difference.

use std::sync::Arc;

use base::Hash;
use chain::{HashRate, mining};

use crate::testing::{Ledgers, World, forge, key, n, params};
use crate::{Command, Input, Strategy};

/// A little of everything: forks, double spends, a hostile node with an invalid block, disconnections, metered mining.
fn run(ledgers: Ledgers) -> World {
    let mut world = World::with(6, &params(), ledgers);
    world.set_up(5, |config| config.strategy = Strategy::Hostile);
    world.set_up(4, |config| config.hashrate = HashRate(1_000));
    for (a, b) in [(0, 1), (1, 2), (3, 4), (5, 3), (2, 5)] {
        world.connect(a, b);
    }
    world.mine(0, 5);
    world.mine(3, 7);
    let ledger = world.ledger(3);
    let bad = forge(ledger, world.nodes[3].view().tip(), |draft| {
        draft.coinbase_outputs[0].value = chain::Amount::MAX_MONEY;
    });
    world.command(
        5,
        Command::Offer {
            to: n(3),
            block: Arc::clone(&bad),
        },
    );
    world.run_secs(1);
    // A child of the bad block: to those who have not seen the body, its header is as good as any.
    world.connect(4, 1);
    world.command(5, Command::Offer { to: n(2), block: bad });
    world.run_secs(3);
    let spends = [world.spend(3, 1, 1_000, 1), world.spend(3, 1, 1_000, 2)];
    for (node, spend) in [0, 3].into_iter().zip(&spends) {
        world.submit(node, spend);
    }
    world.disconnect(1, 4);
    world.mine(0, 2);
    if let Some(template) = world.templates[4].clone() {
        let header = mining::solve(&template.header, 10_000).expect("one hash in two will do");
        world.input(4, Input::Solved { header });
    }
    world.run_secs(1);
    world.command(
        2,
        Command::PayFromReward(chain::TxOutput {
            value: chain::Amount::COIN,
            owner: key(9).owner(),
        }),
    );
    world.mine(2, 3);
    world.connect(0, 3);
    world.run_secs(70);
    world
}

fn digest(world: &World) -> Hash {
    Hash::sha256(&[format!("{:?}", world.log).as_bytes()])
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    let (first, second) = (run(Ledgers::Own), run(Ledgers::Own));
    assert!(first.log.len() > 300, "{}", first.log.len());
    assert_eq!(digest(&first), digest(&second));
}

/// What makes sharing honest: no node learns anything from what another has found out.
#[test]
fn shared_and_own_ledgers_give_the_same_outputs() {
    let (own, shared) = (run(Ledgers::Own), run(Ledgers::Shared));
    for (own, shared) in own.log.iter().zip(&shared.log) {
        assert_eq!(format!("{own:?}"), format!("{shared:?}"));
    }
    assert_eq!(own.log.len(), shared.log.len());
    let tips: Vec<_> = (0..5).map(|node| own.tip(node)).collect();
    assert!(tips.iter().all(|tip| *tip == tips[0]), "{tips:?}");
}

/// One node has found a block invalid; its ledger is shared; another hears of a child of that block first.
#[test]
fn a_header_on_a_block_that_only_others_know_to_be_invalid_is_accepted() {
    let check = |ledgers| {
        let mut world = World::with(2, &params(), ledgers);
        let bad = {
            let ledger = world.ledger(0);
            forge(ledger, ledger.genesis(), |draft| {
                draft.coinbase_outputs[0].value = chain::Amount::MAX_MONEY;
            })
        };
        let peer = base::NodeId(crate::testing::PLAYED);
        for node in 0..2 {
            world.play(node, peer);
        }
        world.receive(0, peer, gossip::Message::headers([bad.header]));
        world.receive(0, peer, gossip::Message::Block(Arc::clone(&bad)));
        let at = world.ledger(0).find(&bad.id()).expect("its header is known");
        let child = forge(world.ledger(0), at, |_| {});
        world.receive(1, peer, gossip::Message::headers([bad.header, child.header]));
        let best = world.nodes[1].view().best_header();
        assert_eq!(world.ledger(1).id(best), child.id());
        world.receive(1, peer, gossip::Message::Block(bad));
        assert_eq!(world.ledger(1).height(world.nodes[1].view().best_header()).0, 0);
        digest(&world)
    };
    assert_eq!(check(Ledgers::Own), check(Ledgers::Shared));
}
