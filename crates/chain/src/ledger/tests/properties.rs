//! Random trees of blocks, against a naive ledger that replays the chain from the genesis block for every question.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use crate::testing::{Sandbox, key, pay};
use crate::{Amount, Block, BlockRef, Coin, Draft, Height, OutPoint, Params, Status, Transaction};

/// One step of a random history.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// How far below the newest block the parent is.
    pub(super) back: usize,
    /// Which of the parent's coins are spent, as places in their order.
    spends: Vec<prop::sample::Index>,
    /// What is paid on, in thousandths.
    share: u64,
    /// What the coinbase leaves unclaimed.
    burned: u64,
    /// Whether the block also spends its first coin twice, or creates too much.
    defect: Option<bool>,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let spends = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    let defect = prop::option::weighted(0.2, any::<bool>());
    (0..6_usize, spends, 0..=1_000_u64, 0..1_000_u64, defect).prop_map(|(back, spends, share, burned, defect)| Step {
        back,
        spends,
        share,
        burned,
        defect,
    })
}

/// All coins after a chain, by replaying it.
fn replay(sandbox: &Sandbox, tip: BlockRef) -> BTreeMap<OutPoint, Coin> {
    let mut coins = BTreeMap::new();
    for block in sandbox.ledger.path(sandbox.ledger.genesis(), tip) {
        let body = sandbox.ledger.body(block).expect("a valid block");
        for transaction in &body.transactions {
            for input in transaction.inputs() {
                assert!(coins.remove(input).is_some(), "spends what exists");
            }
            for (index, output) in (0..).zip(transaction.outputs()) {
                let coin = Coin {
                    output: *output,
                    height: sandbox.ledger.height(block),
                    coinbase: transaction.is_coinbase(),
                };
                assert!(coins.insert(transaction.outpoint(index), coin).is_none());
            }
        }
    }
    coins
}

/// The transactions of a step, and their fees.
fn transactions(sandbox: &Sandbox, parent: BlockRef, step: &Step) -> (Vec<Arc<Transaction>>, u64) {
    let height = sandbox.ledger.height(parent).next();
    let maturity = sandbox.ledger.params().coinbase_maturity;
    let mut spendable: Vec<_> = sandbox.ledger.unspent(parent).into_iter().collect();
    spendable.retain(|(_, coin)| !coin.coinbase || coin.height.0 + maturity <= height.0);
    let (mut transactions, mut fees) = (Vec::new(), 0);
    for index in &step.spends {
        if spendable.is_empty() {
            break;
        }
        let (outpoint, coin) = spendable.swap_remove(index.index(spendable.len()));
        let paid = coin.output.value.units() / 1_000 * step.share;
        let halves = vec![pay(paid / 2, key(0).owner()), pay(paid - paid / 2, key(0).owner())];
        transactions.push(sandbox.spend(parent, &[outpoint], halves));
        fees += coin.output.value.units() - paid;
    }
    (transactions, fees)
}

/// The step's block, and whether it is bad.
pub(super) fn block(sandbox: &mut Sandbox, parent: BlockRef, step: &Step) -> (Arc<Block>, bool) {
    let (mut transactions, fees) = transactions(sandbox, parent, step);
    let mut draft = sandbox.draft(parent);
    let allowed = sandbox.ledger.subsidy(draft.height).units() + fees;
    let mut claim = allowed.saturating_sub(step.burned);
    let is_bad = match (step.defect, transactions.first().map(|first| first.inputs()[0])) {
        (Some(true), Some(outpoint)) => {
            transactions.push(sandbox.spend(parent, &[outpoint], vec![pay(0, key(1).owner())]));
            true
        }
        (Some(_), _) => {
            claim = allowed + 1;
            true
        }
        (None, _) => false,
    };
    draft.coinbase_outputs = vec![pay(claim, key(0).owner())];
    let block = crate::testing::solve(Draft { transactions, ..draft }.assemble());
    (block, is_bad)
}

/// Adds the step's block; gives it when it is valid.
fn add(sandbox: &mut Sandbox, parent: BlockRef, step: &Step) -> Option<BlockRef> {
    let (block, is_bad) = block(sandbox, parent, step);
    let (coins, digest) = (sandbox.ledger.coins.clone(), sandbox.ledger.coins_digest(parent));
    let added = sandbox.accept(&block);
    assert_eq!(added.is_err(), is_bad, "{added:?}");
    assert_eq!(sandbox.ledger.coins == coins, is_bad);
    assert_eq!(sandbox.ledger.coins_digest(parent), digest);
    added.ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_tip_of_a_random_tree_sees_what_a_replay_of_its_chain_gives(steps in prop::collection::vec(step(), 1..40)) {
        let mut sandbox = Sandbox::new(Params {
            coinbase_maturity: 2,
            halving_interval: 7,
            ..Params::instant()
        });
        let mut blocks = vec![sandbox.ledger.genesis()];
        for step in &steps {
            let parent = blocks[blocks.len().saturating_sub(1 + step.back)];
            blocks.extend(add(&mut sandbox, parent, step));
        }
        for &tip in &blocks {
            prop_assert_eq!(sandbox.ledger.status(tip), Status::Valid);
            let expected = replay(&sandbox, tip);
            let total = Amount::total(expected.values().map(|coin| coin.output.value));
            prop_assert_eq!(Some(sandbox.ledger.supply(tip)), total);
            prop_assert_eq!(sandbox.ledger.unspent(tip), expected);
            prop_assert!(sandbox.ledger.supply(tip) <= issued(&sandbox, tip));
        }
    }
}

/// All subsidies up to a block.
fn issued(sandbox: &Sandbox, tip: BlockRef) -> Amount {
    let heights = 1..=sandbox.ledger.height(tip).0;
    let subsidies = heights.map(|height| sandbox.ledger.subsidy(Height(height)));
    Amount::total(subsidies).expect("sound parameters")
}
