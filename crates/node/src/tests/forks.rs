//! Forks, the choice between them, and what a reorg does to transactions.

use std::time::Duration;

use base::NodeId;
use chain::{BlockId, Header, Txid};
use gossip::Message;

use crate::config::Tie;
use crate::event::{Conflict, DroppedTransaction};
use crate::testing::{PLAYED, World, key};
use crate::{Command, Event, TipChange};

/// The last reorg of a node: depth, disconnected, connected, returned, dropped.
type Reorg = (u32, Vec<BlockId>, Vec<BlockId>, Vec<Txid>, Vec<DroppedTransaction>);

fn last_reorg(world: &World, node: usize) -> Option<Reorg> {
    let reorgs = world.events(node).filter_map(|event| match event {
        Event::Reorg {
            depth,
            disconnected,
            connected,
            txs_returned,
            txs_dropped,
            ..
        } => Some((
            *depth,
            disconnected.clone(),
            connected.clone(),
            txs_returned.clone(),
            txs_dropped.clone(),
        )),
        _ => None,
    });
    reorgs.last()
}

fn ids(world: &World, node: usize, heights: std::ops::RangeInclusive<u32>) -> Vec<BlockId> {
    heights.map(|height| world.block(node, height).id()).collect()
}

#[test]
fn two_nodes_that_mine_apart_agree_on_the_heavier_chain_after_they_meet() {
    let mut world = World::new(2);
    world.mine(0, 3);
    world.mine(1, 4);
    let losing = ids(&world, 0, 1..=3);
    let winning = ids(&world, 1, 1..=4);
    world.connect(0, 1);
    world.run_secs(2);
    assert_eq!(world.tip(0), world.tip(1));
    assert_eq!(world.tip(0), winning[3]);
    let (depth, disconnected, connected, ..) = last_reorg(&world, 0).expect("the loser reorganises");
    assert_eq!((depth, disconnected, connected), (3, losing, winning));
    assert_eq!(last_reorg(&world, 1), None);
    // The losing branch of equal or more work was never node 1's to fetch.
    assert_eq!(world.nodes[1].view().tips(world.ledger(1)).len(), 1);
    assert_eq!(world.nodes[0].view().tips(world.ledger(0)).len(), 2);
}

#[test]
fn a_reorg_is_told_before_the_change_of_tip_it_belongs_to() {
    let mut world = World::new(2);
    world.mine(0, 1);
    world.mine(1, 2);
    world.connect(0, 1);
    world.clear_log();
    world.run_secs(2);
    let told: Vec<&str> = world
        .events(0)
        .filter_map(|event| match event {
            Event::BlockReceived { .. } => Some("received"),
            Event::HeaderAccepted { .. } => Some("header"),
            Event::BlockConnected { .. } => Some("connected"),
            Event::Reorg { .. } => Some("reorg"),
            Event::TipChanged {
                how: TipChange::Reorg, ..
            } => Some("tip by reorg"),
            Event::TipChanged {
                how: TipChange::Extend, ..
            } => Some("tip"),
            _ => None,
        })
        .collect();
    let expected = [
        "header",
        "header",
        "received",
        "connected",
        "received",
        "connected",
        "reorg",
        "tip by reorg",
    ];
    assert_eq!(told, expected);
}

#[test]
fn at_equal_work_the_first_seen_stays_on_both_sides() {
    let mut world = World::new(2);
    world.mine(0, 2);
    world.mine(1, 2);
    let tips = [world.tip(0), world.tip(1)];
    world.connect(0, 1);
    world.run_secs(2);
    assert_eq!([world.tip(0), world.tip(1)], tips);
    // Both know both branches, the own one first.
    for node in 0..2 {
        let view = world.nodes[node].view();
        let named: Vec<BlockId> = view
            .tips(world.ledger(node))
            .iter()
            .map(|tip| world.ledger(node).id(*tip))
            .collect();
        assert_eq!(named, [tips[node], tips[1 - node]]);
    }
    world.mine(1, 1);
    assert_eq!(world.tip(0), world.tip(1));
    assert_eq!(last_reorg(&world, 0).expect("node 0 reorganises").0, 2);
}

#[test]
fn with_random_ties_either_side_may_give_way() {
    let mut switched = 0;
    for seed in 0..20 {
        let mut world = World::new(2);
        world.nodes[0] = {
            let mut config = world.nodes[0].view().config().clone();
            config.tie = Tie::Random;
            crate::Node::new(NodeId(0), config, base::Seed::from_number(seed))
        };
        world.mine(0, 1);
        world.mine(1, 1);
        world.connect(0, 1);
        world.run_secs(2);
        switched += u32::from(world.tip(0) == world.tip(1));
    }
    assert!((5..=15).contains(&switched), "{switched} of 20");
}

#[test]
fn a_double_spend_across_a_cut_is_resolved_and_names_its_rival() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.mine(0, 3);
    assert_eq!(world.tip(1), world.tip(0));
    world.disconnect(0, 1);

    let losing = world.spend(0, 1, 1_000, 2);
    let winning = world.spend(0, 1, 1_000, 3);
    let harmless = world.spend(0, 2, 1_000, 4);
    let child = world.spend_output(2, losing.outpoint(0), &losing, (1_000, 5));
    for transaction in [&losing, &harmless, &child] {
        world.submit(0, transaction);
    }
    world.submit(1, &winning);
    world.mine(0, 1);
    world.mine(1, 2);
    let confirming = world.block(1, 4).id();
    world.connect(0, 1);
    world.run_secs(2);

    assert_eq!(world.tip(0), world.tip(1));
    let (depth, _, _, returned, dropped) = last_reorg(&world, 0).expect("node 0 gives way");
    assert_eq!(depth, 1);
    assert_eq!(returned, [harmless.txid()]);
    let lost = |txid, conflicts_with| DroppedTransaction {
        txid,
        reason: "bad-txns-inputs-missingorspent",
        conflicts_with,
    };
    let conflict = Conflict {
        txid: winning.txid(),
        outpoint: losing.inputs()[0],
        block: Some(confirming),
    };
    assert_eq!(dropped, [lost(losing.txid(), Some(conflict)), lost(child.txid(), None)]);
    // What returned is announced, so that the other side can confirm it; whoever was dialled asks a little later.
    world.run_secs(2);
    assert!(world.nodes[1].view().has_unconfirmed(&harmless.wtxid()));
    world.mine(1, 1);
    assert!(world.nodes[0].view().mempool().is_empty());
}

#[test]
fn an_unconfirmed_transaction_gives_way_to_a_block_and_names_its_rival() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.mine(0, 2);
    world.disconnect(0, 1);
    let waiting = world.spend(0, 1, 1_000, 2);
    let child = world.spend_output(2, waiting.outpoint(0), &waiting, (1_000, 3));
    let rival = world.spend(0, 1, 1_000, 4);
    world.submit(0, &waiting);
    world.submit(0, &child);
    world.submit(1, &rival);
    world.mine(1, 1);
    world.connect(0, 1);
    world.run_secs(2);
    let mut evicted: Vec<(Txid, &str, Option<Txid>)> = world
        .events(0)
        .filter_map(|event| match event {
            Event::TxEvicted {
                txid,
                reason,
                conflicts_with,
            } => Some((*txid, *reason, conflicts_with.map(|rival| rival.txid))),
            _ => None,
        })
        .collect();
    evicted.sort_unstable();
    let mut expected = [
        (waiting.txid(), "conflict", Some(rival.txid())),
        (child.txid(), "conflict", None),
    ];
    expected.sort_unstable();
    assert_eq!(evicted, expected);
    assert!(world.nodes[0].view().mempool().is_empty());
}

#[test]
fn a_deep_reorg_is_one_step() {
    let mut world = World::new(2);
    world.mine(0, 150);
    world.mine(1, 151);
    world.connect(0, 1);
    world.run_secs(5);
    assert_eq!(world.tip(0), world.tip(1));
    let reorgs = world.events(0).filter(|event| matches!(event, Event::Reorg { .. }));
    assert_eq!(reorgs.count(), 1);
    assert_eq!(last_reorg(&world, 0).expect("one").0, 150);
}

/// The spend of a coinbase that the new chain does not have leaves with it.
#[test]
fn what_stands_on_an_abandoned_coinbase_leaves_with_it() {
    let mut world = World::new(2);
    world.mine(0, 2);
    let spend = world.spend(0, 1, 1_000, 5);
    world.submit(0, &spend);
    world.mine(1, 3);
    world.connect(0, 1);
    world.run_secs(2);
    let evicted: Vec<(Txid, &str)> = world
        .events(0)
        .filter_map(|event| match event {
            Event::TxEvicted { txid, reason, .. } => Some((*txid, *reason)),
            _ => None,
        })
        .collect();
    assert_eq!(evicted, [(spend.txid(), "reorg")]);
}

#[test]
fn an_invalidated_block_is_left_and_reconsidered() {
    let mut world = World::new(1);
    world.mine(0, 3);
    let (second, third) = (world.block(0, 2).id(), world.tip(0));
    world.command(
        0,
        Command::Invalidate {
            block: second,
            reconsider: false,
        },
    );
    assert_eq!(world.height(0), 1);
    world.mine(0, 1);
    assert_eq!(world.height(0), 2);
    assert_ne!(world.tip(0), second);
    world.command(
        0,
        Command::Invalidate {
            block: second,
            reconsider: true,
        },
    );
    assert_eq!(world.tip(0), third);
}

#[test]
fn a_mark_of_one_node_is_no_fact_for_another_that_shares_its_ledger() {
    let mut world = World::with(2, &crate::testing::params(), crate::testing::Ledgers::Shared);
    world.connect(0, 1);
    world.mine(0, 2);
    let tip = world.tip(1);
    world.command(
        0,
        Command::Invalidate {
            block: tip,
            reconsider: false,
        },
    );
    world.run_secs(1);
    assert_eq!(world.height(0), 1);
    assert_eq!(world.tip(1), tip);
    world.mine(1, 1);
    assert_eq!(world.height(1), 3);
    assert_eq!(world.height(0), 1);
}

/// THREATS C16: the heavier branch turns out invalid at its last block; the node stays where it was.
#[test]
fn a_heavier_branch_with_an_invalid_block_changes_nothing() {
    let mut world = World::new(1);
    let mut source = World::elsewhere(1);
    source.mine(0, 2);
    world.mine(0, 2);
    let tip = world.tip(0);
    let ledger = source.ledger(0);
    let parent = source.nodes[0].view().tip();
    let bad = crate::testing::forge(ledger, parent, |draft| {
        draft.coinbase_outputs.push(chain::TxOutput {
            value: chain::Amount::COIN,
            owner: key(1).owner(),
        });
    });
    let peer = NodeId(PLAYED);
    world.play(0, peer);
    let headers: Vec<Header> = [source.block(0, 1), source.block(0, 2), bad.clone()]
        .iter()
        .map(|block| *block.header)
        .collect();
    world.receive(0, peer, Message::headers(headers));
    for block in [source.block(0, 1), source.block(0, 2), bad.clone()] {
        world.receive(0, peer, Message::Block(block));
    }
    world.run(Duration::from_millis(100));
    assert_eq!(world.tip(0), tip);
    let rejected = world.events(0).find_map(|event| match event {
        Event::BlockRejected { block, reason, .. } => Some((*block, *reason)),
        _ => None,
    });
    assert_eq!(rejected, Some((bad.id(), "bad-cb-amount")));
    assert!(world.nodes[0].view().is_discouraged(peer));
    let view = world.nodes[0].view();
    assert_eq!(world.ledger(0).height(view.best_header()).0, 2);
}
