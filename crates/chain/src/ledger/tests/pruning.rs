//! Pruning: what is forgotten, and that nobody on a live chain can tell.

use crate::Unspent;
use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;

use super::properties::{self, Step, step};
use crate::ledger::BlockRef;
use crate::testing::{Sandbox, key, pay};
use crate::{Block, Height, Ledger, OutPoint, Params, Reject, Status, Transaction, Verdict};

/// A ledger that forgets nothing, and one that is told the same and forgets.
struct Twins {
    full: Sandbox,
    pruned: Ledger,
    /// All that are valid in the full one.
    blocks: Vec<BlockRef>,
}

impl Twins {
    fn new() -> Self {
        let params = Params {
            coinbase_maturity: 2,
            halving_interval: 7,
            ..Params::instant()
        };
        Self {
            pruned: Ledger::new(params.clone()),
            full: Sandbox::new(params),
            blocks: vec![BlockRef::GENESIS],
        }
    }

    /// Adds a random block to both, which must say the same of it wherever the pruned one can say anything.
    fn add(&mut self, step: &Step) {
        let parent = self.blocks[self.blocks.len().saturating_sub(1 + step.back)];
        let (block, is_bad) = properties::block(&mut self.full, parent, step);
        let expected = self.full.accept(&block);
        assert_eq!(expected.is_err(), is_bad);
        let at = self.full.ledger.find(&block.id()).expect("its header is good");
        assert_eq!(self.pruned.add_header(&block.header), Ok(at));
        if !self.pruned.is_pruned(parent) {
            assert_eq!(self.pruned.add_body(&block), expected);
        } else if self.pruned.is_valid(parent) {
            assert_eq!(self.pruned.add_body(&block), Err(Reject::PrevBlkPruned));
        }
        self.blocks.extend(expected);
    }

    fn kept(&self) -> Vec<BlockRef> {
        let blocks = self.blocks.iter().copied();
        blocks.filter(|block| !self.pruned.is_pruned(*block)).collect()
    }

    fn prune(&mut self, picks: &[Index], depth: u32) {
        let kept = self.kept();
        let tips: Vec<_> = picks.iter().map(|pick| *pick.get(&kept)).collect();
        self.pruned.prune(&tips, depth, Unspent::Kept);
        for tip in tips {
            assert!(!self.pruned.is_pruned(tip), "a live tip stands on the horizon");
        }
    }

    /// Compares all that can be asked.
    fn compare(&self) {
        let bodies = || self.blocks.iter().filter_map(|block| self.full.ledger.body(*block));
        let transactions: Vec<_> = bodies().flat_map(|body| &body.transactions).collect();
        for &block in &self.blocks {
            let (full, pruned) = (&self.full.ledger, &self.pruned);
            assert_eq!(pruned.header(block), full.header(block));
            if pruned.is_pruned(block) {
                assert_eq!(pruned.body(block), None);
                continue;
            }
            assert_eq!(pruned.status(block), full.status(block));
            assert_eq!(pruned.supply(block), full.supply(block));
            assert_eq!(pruned.body(block), full.body(block));
            assert_eq!(pruned.unspent(block), full.unspent(block));
            assert_eq!(pruned.coins_digest(block), full.coins_digest(block));
            for transaction in &transactions {
                self.compare_transaction(transaction, block);
            }
        }
    }

    fn compare_transaction(&self, transaction: &Transaction, tip: BlockRef) {
        let (full, pruned) = (&self.full.ledger, &self.pruned);
        let is_kept = |block: &BlockRef| !pruned.is_pruned(*block);
        let place = full.confirmation(&transaction.txid(), tip).filter(is_kept);
        assert_eq!(pruned.confirmation(&transaction.txid(), tip), place);
        for outpoint in outpoints(transaction) {
            assert_eq!(pruned.coin(&outpoint, tip), full.coin(&outpoint, tip));
            let spender = full.spender(&outpoint, tip).filter(|(_, block)| is_kept(block));
            assert_eq!(pruned.spender(&outpoint, tip), spender);
        }
    }
}

fn outpoints(transaction: &Transaction) -> Vec<OutPoint> {
    let indices = (0..).zip(transaction.outputs());
    indices.map(|(index, _)| transaction.outpoint(index)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_block_at_or_above_the_horizon_can_tell(
        steps in prop::collection::vec((step(), prop::collection::vec(any::<Index>(), 0..3), 0..5_u32), 1..40)
    ) {
        let mut twins = Twins::new();
        for (step, picks, depth) in &steps {
            twins.add(step);
            let horizon = twins.pruned.horizon();
            twins.prune(picks, *depth);
            prop_assert!(twins.pruned.is_ancestor(horizon, twins.pruned.horizon()), "it never sinks");
            if twins.pruned.horizon() != horizon {
                twins.compare();
            }
        }
        twins.compare();
    }
}

/// A chain in which every block spends the coinbase that has just matured, together with the coin that the block before made of those.
fn gather(sandbox: &mut Sandbox, mut tip: BlockRef, count: u32, depth: u32) -> BlockRef {
    let maturity = sandbox.ledger.params().coinbase_maturity;
    let mut gathered: Option<OutPoint> = None;
    for _ in 0..count {
        let height = sandbox.ledger.height(tip).next().0;
        let mut transactions = Vec::new();
        if let Some(mature) = height.checked_sub(maturity).filter(|height| *height > 0) {
            let inputs: Vec<_> = gathered.into_iter().chain([sandbox.reward(tip, mature)]).collect();
            let spend = sandbox.spend(tip, &inputs, vec![pay(1_000, key(0).owner())]);
            gathered = Some(spend.outpoint(0));
            transactions.push(spend);
        }
        tip = sandbox.child(tip, &transactions);
        sandbox.ledger.prune(&[tip], depth, Unspent::Kept);
    }
    tip
}

#[test]
fn memory_does_not_grow_with_the_chain_when_coins_are_spent() {
    let sizes = [100, 400].map(|count| {
        let mut sandbox = Sandbox::new(Params::instant());
        gather(&mut sandbox, BlockRef::GENESIS, count, 20);
        let bodies = (0..=count).filter(|block| sandbox.ledger.body(BlockRef::at(*block as usize)).is_some());
        (
            sandbox.ledger.coins.len(),
            sandbox.ledger.coins.settled().count(),
            bodies.count(),
        )
    });
    assert_eq!(sizes[0], sizes[1]);
    let (_, settled, bodies) = sizes[0];
    assert_eq!(
        (settled, bodies),
        (11, 21),
        "ten unripe rewards and the gathered coin; the horizon and 20 above"
    );
}

#[test]
fn a_dead_fork_leaves_no_trace_but_its_headers() {
    let (mut sandbox, root) = Sandbox::instant(14);
    let (mut without, _) = Sandbox::instant(0);
    let outpoints = [1, 2].map(|height| sandbox.reward(root, height));
    let [both, rival] = [1, 2].map(|units| sandbox.spend(root, &outpoints, vec![pay(units, key(0).owner())]));
    // What only the dead fork spends is unspent again.
    let alone = sandbox.spend(root, &[sandbox.reward(root, 3)], vec![pay(1, key(0).owner())]);
    let dead = sandbox.child(root, &[rival, alone]);
    let dead = sandbox.child(dead, &[]);
    let live = sandbox.child(root, &[Arc::clone(&both)]);
    let late = sandbox.child(root, &[]);
    let late = sandbox.child(late, &[both]);
    sandbox.grow(live, 30);
    for at in (1..sandbox.ledger.len()).map(BlockRef::at) {
        without
            .ledger
            .add_header(sandbox.ledger.header(at))
            .expect("known to be good");
        let is_on_fork = [dead, late]
            .iter()
            .any(|tip| at > root && sandbox.ledger.is_ancestor(at, *tip));
        if !is_on_fork {
            let body = sandbox.ledger.body(at).expect("valid");
            without.ledger.add_body(body).expect("known to be valid");
        }
    }
    let tip = BlockRef::at(sandbox.ledger.len() - 1);
    assert!(sandbox.ledger.coins != without.ledger.coins);
    for ledger in [&mut sandbox.ledger, &mut without.ledger] {
        ledger.prune(&[tip], 5, Unspent::Kept);
    }
    assert!(sandbox.ledger.coins == without.ledger.coins);
    for at in [dead, late] {
        assert_eq!(sandbox.ledger.body(at), None);
        assert_eq!(sandbox.ledger.status(at), Status::Valid);
    }
}

#[test]
fn a_fork_from_below_the_horizon_is_known_by_its_headers_alone() {
    let (mut sandbox, tip) = Sandbox::instant(30);
    sandbox.ledger.prune(&[tip], 10, Unspent::Kept);
    let horizon = sandbox.ledger.horizon();
    assert_eq!(sandbox.ledger.height(horizon), Height(20));
    let below = sandbox.ledger.parent(horizon).expect("not the genesis block");
    assert!(sandbox.ledger.is_pruned(below) && !sandbox.ledger.is_pruned(horizon));
    assert_eq!(
        (sandbox.ledger.body(below), sandbox.ledger.status(below)),
        (None, Status::Valid)
    );

    let block = sandbox.block(below, &[]);
    assert_eq!(sandbox.accept(&block), Err(Reject::PrevBlkPruned));
    assert_eq!(
        (Reject::PrevBlkPruned.word(), Reject::PrevBlkPruned.verdict()),
        ("prev-blk-pruned", Verdict::NotYet)
    );
    let at = sandbox.ledger.find(&block.id()).expect("its header is good");
    assert_eq!(sandbox.ledger.status(at), Status::HeaderOnly);
    let child = sandbox.block(at, &[]);
    assert!(sandbox.ledger.add_header(&child.header).is_ok());
    // Whether it is the body at all is still asked first.
    let mut altered = Block::clone(&block);
    altered.transactions.clear();
    assert_eq!(sandbox.ledger.add_body(&Arc::new(altered)), Err(Reject::BadTxnmrklroot));
    sandbox.child(horizon, &[]);
}

#[test]
fn a_pruned_body_that_comes_again_is_not_kept_again() {
    let (mut sandbox, tip) = Sandbox::instant(30);
    let old = sandbox.ledger.ancestor(tip, Height(5)).expect("a height of the chain");
    let body = Arc::clone(sandbox.ledger.body(old).expect("valid"));
    sandbox.ledger.prune(&[tip], 10, Unspent::Kept);
    assert_eq!(sandbox.ledger.add_body(&body), Ok(old));
    assert_eq!(sandbox.ledger.body(old), None);
}

#[test]
fn every_live_tip_holds_the_horizon_down() {
    let (mut sandbox, root) = Sandbox::instant(10);
    let short = sandbox.grow(root, 2);
    let long = sandbox.grow(root, 40);
    sandbox.ledger.prune(&[long, short], 4, Unspent::Kept);
    assert_eq!(
        sandbox.ledger.height(sandbox.ledger.horizon()),
        Height(8),
        "4 below the lower tip"
    );
    sandbox.ledger.prune(&[long, short], 0, Unspent::Kept);
    assert_eq!(sandbox.ledger.horizon(), root, "the last block in common");
    sandbox.ledger.prune(&[long], 4, Unspent::Kept);
    assert_eq!(sandbox.ledger.height(sandbox.ledger.horizon()), Height(46));
    assert!(sandbox.ledger.is_pruned(short));
}

#[test]
fn the_horizon_never_sinks() {
    let (mut sandbox, root) = Sandbox::instant(10);
    let dead = sandbox.grow(root, 2);
    let tip = sandbox.grow(root, 20);
    let genesis = sandbox.ledger.genesis();
    for (tips, depth) in [
        (&[][..], 0),
        (&[tip, genesis][..], 0),
        (&[tip][..], 30),
        (&[tip][..], u32::MAX),
    ] {
        sandbox.ledger.prune(tips, depth, Unspent::Kept);
        assert_eq!(sandbox.ledger.horizon(), genesis);
    }
    sandbox.ledger.prune(&[tip], 10, Unspent::Kept);
    let horizon = sandbox.ledger.horizon();
    for (tips, depth) in [(&[][..], 0), (&[tip][..], 15), (&[tip, dead][..], 0), (&[root][..], 0)] {
        sandbox.ledger.prune(tips, depth, Unspent::Kept);
        assert_eq!(sandbox.ledger.horizon(), horizon);
    }
}

#[test]
fn what_a_fork_created_again_stays_there_when_the_other_dies() {
    let (mut sandbox, root) = Sandbox::instant(14);
    let spend = sandbox.spend(root, &[sandbox.reward(root, 1)], vec![pay(1, key(0).owner())]);
    let dead = sandbox.child(root, &[Arc::clone(&spend)]);
    let live = sandbox.grow(root, 1);
    let live = sandbox.child(live, &[Arc::clone(&spend)]);
    let tip = sandbox.grow(live, 10);
    let coin = sandbox.ledger.coin(&spend.outpoint(0), tip);
    sandbox.ledger.prune(&[tip], 3, Unspent::Kept);
    assert!(sandbox.ledger.is_pruned(dead) && sandbox.ledger.is_pruned(live));
    assert_eq!(sandbox.ledger.coin(&spend.outpoint(0), tip), coin);
    assert_eq!(coin.map(|coin| coin.height), Some(Height(16)));
    let settled: BTreeSet<_> = sandbox.ledger.coins.settled().collect();
    assert!(settled.contains(&spend.outpoint(0)));
}

#[test]
#[should_panic(expected = "tips are valid in full")]
fn a_tip_without_a_body_is_our_mistake() {
    let (mut sandbox, tip) = Sandbox::instant(3);
    let header = *sandbox.block(tip, &[]).header;
    let at = sandbox.ledger.add_header(&header).expect("a good header");
    sandbox.ledger.prune(&[at], 0, Unspent::Kept);
}

#[test]
fn where_nothing_is_spent_unspent_coins_go_with_the_bodies() {
    for (unspent, is_kept) in [(Unspent::Kept, true), (Unspent::Forgotten, false)] {
        let (mut sandbox, tip) = Sandbox::instant(30);
        let coin_of = |sandbox: &Sandbox, height| {
            let block = sandbox
                .ledger
                .ancestor(tip, Height(height))
                .expect("a height of the chain");
            sandbox.ledger.body(block).expect("not pruned yet").transactions[0].outpoint(0)
        };
        let (old, new) = (coin_of(&sandbox, 5), coin_of(&sandbox, 25));
        let supply = sandbox.ledger.supply(tip);
        sandbox.ledger.prune(&[tip], 10, unspent);
        assert_eq!(sandbox.ledger.coin(&old, tip).is_some(), is_kept);
        assert!(
            sandbox.ledger.coin(&new, tip).is_some(),
            "above the horizon all is kept"
        );
        assert_eq!(sandbox.ledger.supply(tip), supply, "what there is was counted");
    }
}
