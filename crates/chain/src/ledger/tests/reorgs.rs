//! Forks: every one is valid or not on its own, and seen exactly from each tip.

use std::sync::Arc;

use super::refused;
use crate::testing::{Sandbox, key, pay};
use crate::{Amount, BlockRef, Height, OutPoint, Status, Transaction};

fn to(sandbox: &Sandbox, tip: BlockRef, outpoint: OutPoint, receiver: u64) -> Arc<Transaction> {
    sandbox.spend(tip, &[outpoint], vec![pay(1, key(receiver).owner())])
}

/// A chain and a coin on it that two forks spend in two ways.
fn double_spend() -> (Sandbox, BlockRef, [Arc<Transaction>; 2]) {
    let (sandbox, tip) = Sandbox::instant(14);
    let outpoint = sandbox.reward(tip, 1);
    let pair = [1, 2].map(|receiver| to(&sandbox, tip, outpoint, receiver));
    (sandbox, tip, pair)
}

#[test]
fn b3_b4_b5_b6_forks_that_spend_one_coin_twice_are_both_valid_and_seen_exactly() {
    let (mut sandbox, root, pair) = double_spend();
    let outpoint = pair[0].inputs()[0];
    let before = sandbox.ledger.coins_digest(root);
    let a = sandbox.child(root, &pair[..1]);
    let b = sandbox.child(root, &pair[1..]);
    let on_a = sandbox.ledger.coins_digest(a);
    let b_tip = sandbox.grow(b, 3);
    let a_tip = sandbox.grow(a, 5);
    assert!(sandbox.ledger.work(a_tip) > sandbox.ledger.work(b_tip));
    assert_eq!(sandbox.ledger.work(a), sandbox.ledger.work(b));
    assert_eq!(sandbox.ledger.fork_point(a_tip, b_tip), root);

    let coin = |outpoint: &OutPoint, tip| sandbox.ledger.coin(outpoint, tip).is_some();
    for (tip, created, foreign) in [(a_tip, &pair[0], &pair[1]), (b_tip, &pair[1], &pair[0])] {
        assert!(!coin(&outpoint, tip));
        assert!(coin(&created.outpoint(0), tip));
        assert!(!coin(&foreign.outpoint(0), tip));
    }
    assert!(coin(&outpoint, root));
    // A to B and back: the answers depend on the tip alone.
    assert_eq!(sandbox.ledger.coins_digest(a), on_a);
    assert_eq!(sandbox.ledger.coins_digest(root), before);
}

#[test]
fn b7_b8_a_fork_with_more_work_is_still_refused_for_a_double_spend() {
    let (mut sandbox, root, pair) = double_spend();
    let best = sandbox.grow(root, 2);
    let fork = sandbox.child(root, &pair[..1]);
    let fork = sandbox.grow(fork, 1);
    let bad = sandbox.block(fork, &pair[1..]);
    refused(&mut sandbox, &bad, "bad-txns-inputs-missingorspent");
    let bad = sandbox.ledger.find(&bad.id()).expect("marked");
    assert!(sandbox.ledger.work(bad) > sandbox.ledger.work(best));
    assert_eq!(sandbox.ledger.status(best), Status::Valid);
}

#[test]
fn b12_b13_b14_a_fork_is_valid_up_to_its_bad_block() {
    let (mut sandbox, root, pair) = double_spend();
    let best = sandbox.grow(root, 1);
    let fork = sandbox.child(root, &pair[..1]);
    let last = sandbox.grow(fork, 2);
    let bad = sandbox.block(last, &pair[1..]);
    refused(&mut sandbox, &bad, "bad-txns-inputs-missingorspent");
    assert_eq!(sandbox.ledger.status(last), Status::Valid);
    assert!(sandbox.ledger.work(last) > sandbox.ledger.work(best));
}

#[test]
fn b17_b18_b19_what_only_another_fork_created_cannot_be_spent() {
    let (mut sandbox, root, pair) = double_spend();
    let own = sandbox.spend(root, &[pair[0].inputs()[0]], vec![pay(5, key(0).owner())]);
    let a = sandbox.child(root, &[Arc::clone(&own)]);
    let b = sandbox.grow(root, 1);
    let spend = to(&sandbox, a, own.outpoint(0), 1);
    for tip in [root, b] {
        let block = sandbox.block(tip, &[Arc::clone(&spend)]);
        refused(&mut sandbox, &block, "bad-txns-inputs-missingorspent");
    }
    sandbox.child(a, &[spend]);
}

#[test]
fn b21_b22_maturity_counts_on_the_fork_that_holds_the_coinbase() {
    let (mut sandbox, root) = Sandbox::instant(5);
    let a = sandbox.grow(root, 20);
    let b = sandbox.grow(root, 9);
    let reward = sandbox.reward(b, 6);
    let spend = to(&sandbox, b, reward, 1);
    let early = sandbox.block(b, &[Arc::clone(&spend)]);
    refused(&mut sandbox, &early, "bad-txns-premature-spend-of-coinbase");
    let block = sandbox.block(a, &[Arc::clone(&spend)]);
    refused(&mut sandbox, &block, "bad-txns-inputs-missingorspent");
    let b = sandbox.grow(b, 1);
    sandbox.child(b, &[spend]);
}

#[test]
fn one_transaction_may_be_on_many_forks_and_be_spent_on_each() {
    let (mut sandbox, root, pair) = double_spend();
    let shared = sandbox.spend(root, &[pair[0].inputs()[0]], vec![pay(5, key(0).owner())]);
    let mut tips = Vec::new();
    for delay in 0..4 {
        let tip = sandbox.grow(root, delay);
        tips.push(sandbox.child(tip, &[Arc::clone(&shared)]));
    }
    for (height, tip) in (15..).zip(&tips) {
        let coin = sandbox.ledger.coin(&shared.outpoint(0), *tip).expect("unspent here");
        assert_eq!(coin.height, Height(height));
        assert_eq!(sandbox.ledger.confirmation(&shared.txid(), *tip), Some(*tip));
    }
    let spend = to(&sandbox, tips[2], shared.outpoint(0), 1);
    for &tip in &tips {
        let spent = sandbox.child(tip, &[Arc::clone(&spend)]);
        assert_eq!(sandbox.ledger.coin(&shared.outpoint(0), spent), None);
        assert!(sandbox.ledger.coin(&shared.outpoint(0), tip).is_some());
    }
}

#[test]
fn threat_c15_b89_a_reorg_of_a_thousand_blocks_and_back_is_exact() {
    let (mut sandbox, root, pair) = double_spend();
    let [a, b] = [0, 1].map(|side| {
        let first = sandbox.child(root, &pair[side..=side]);
        sandbox.grow(first, 1_000)
    });
    let [digest_a, digest_b] = [a, b].map(|tip| sandbox.ledger.coins_digest(tip));
    assert_ne!(digest_a, digest_b);
    let longer = sandbox.grow(a, 1);
    assert_eq!(sandbox.ledger.fork_point(longer, b), root);
    assert_eq!(sandbox.ledger.path(root, b).len(), 1_001);
    assert_eq!([a, b].map(|tip| sandbox.ledger.coins_digest(tip)), [digest_a, digest_b]);
    let sum = |tip| Amount::total(sandbox.ledger.unspent(tip).values().map(|coin| coin.output.value));
    assert_eq!([sum(a), sum(b)], [a, b].map(|tip| Some(sandbox.ledger.supply(tip))));
}
