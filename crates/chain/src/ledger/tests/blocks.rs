//! Blocks with one defect each.

use std::sync::Arc;

use super::refused;
use crate::limits::MAX_TAG_BYTES;
use crate::testing::{Sandbox, key, pay, solve};
use crate::transaction::TransactionParts;
use crate::{
    Amount, Block, BlockRef, Coinbase, Draft, Header, Height, OutPoint, Params, Reject, Transaction, TxOutput, Txid,
};

const SUBSIDY: u64 = 50 * Amount::COIN.units();

/// A chain of 12 blocks: the rewards of blocks 1 to 3 may be spent in the next.
fn mature() -> (Sandbox, BlockRef) {
    Sandbox::instant(12)
}

fn mine(units: u64) -> Vec<TxOutput> {
    vec![pay(units, key(0).owner())]
}

/// A block on `tip` after `change` to its draft.
fn changed(sandbox: &mut Sandbox, tip: BlockRef, change: impl FnOnce(&mut Draft)) -> Arc<Block> {
    let mut draft = sandbox.draft(tip);
    change(&mut draft);
    solve(draft.assemble())
}

/// A block on `tip` after `change` to what has been assembled.
fn broken(sandbox: &mut Sandbox, tip: BlockRef, change: impl FnOnce(&mut Block)) -> Arc<Block> {
    let mut block = sandbox.draft(tip).assemble();
    change(&mut block);
    solve(block)
}

#[test]
fn b9_a_coinbase_one_unit_too_high_is_refused() {
    let (mut sandbox, tip) = mature();
    let block = changed(&mut sandbox, tip, |draft| draft.coinbase_outputs = mine(SUBSIDY + 1));
    let reject = refused(&mut sandbox, &block, "bad-cb-amount");
    let (found, allowed) = (Amount::from_units(SUBSIDY + 1), Amount::from_units(SUBSIDY));
    assert_eq!(reject, Reject::BadCbAmount { found, allowed });
}

#[test]
fn b68_b69_fees_may_be_taken_in_full_but_not_one_unit_more() {
    let (mut sandbox, tip) = mature();
    let fee = 700;
    let spend = sandbox.spend(tip, &[sandbox.reward(tip, 1)], mine(SUBSIDY - fee));
    let claim = |sandbox: &mut Sandbox, units| {
        changed(sandbox, tip, |draft| {
            draft.coinbase_outputs = mine(units);
            draft.transactions = vec![Arc::clone(&spend)];
        })
    };
    let block = claim(&mut sandbox, SUBSIDY + fee + 1);
    refused(&mut sandbox, &block, "bad-cb-amount");
    let block = claim(&mut sandbox, SUBSIDY + fee);
    let tip = sandbox.accept(&block).expect("all fees are taken");
    assert_eq!(sandbox.ledger.supply(tip), Amount::from_units(13 * SUBSIDY));
}

#[test]
fn less_than_the_subsidy_is_allowed_and_the_rest_is_burned() {
    let (mut sandbox, tip) = mature();
    let block = changed(&mut sandbox, tip, |draft| draft.coinbase_outputs = mine(1));
    let tip = sandbox.accept(&block).expect("less is allowed");
    assert_eq!(sandbox.ledger.supply(tip), Amount::from_units(12 * SUBSIDY + 1));
}

#[test]
fn b20_a_coinbase_is_spendable_at_maturity_and_not_a_block_earlier() {
    let (mut sandbox, tip) = mature();
    let outpoint = sandbox.reward(tip, 4);
    let spend = sandbox.spend(tip, &[outpoint], mine(SUBSIDY));
    let block = sandbox.block(tip, &[Arc::clone(&spend)]);
    let reject = refused(&mut sandbox, &block, "bad-txns-premature-spend-of-coinbase");
    let expected = Reject::BadTxnsPrematureSpendOfCoinbase {
        outpoint,
        created: Height(4),
        spendable: Height(14),
        height: Height(13),
    };
    assert_eq!(reject, expected);
    let tip = sandbox.child(tip, &[]);
    sandbox.child(tip, &[spend]);
}

#[test]
fn a_coinbase_cannot_be_spent_in_its_own_block() {
    let (mut sandbox, tip) = mature();
    let coinbase = sandbox.draft(tip);
    let output = coinbase.coinbase_outputs[0];
    let outpoint = coinbase.clone().assemble().transactions[0].outpoint(0);
    let coin = crate::Coin {
        output,
        height: Height(13),
        coinbase: true,
    };
    let genesis = sandbox.ledger.id(sandbox.ledger.genesis());
    let spend = Transaction::payment(vec![outpoint], mine(1), b"").sign(&key(0), genesis, &[coin]);
    let draft = Draft {
        transactions: vec![Arc::new(spend)],
        ..coinbase
    };
    refused(
        &mut sandbox,
        &solve(draft.assemble()),
        "bad-txns-premature-spend-of-coinbase",
    );
}

/// A chain whose blocks may hold as many bytes as a block with this much memo has.
fn limited(limit: u32) -> (Sandbox, BlockRef) {
    let mut sandbox = Sandbox::new(Params {
        max_block_bytes: limit,
        ..Params::instant()
    });
    let tip = sandbox.grow(sandbox.ledger.genesis(), 12);
    (sandbox, tip)
}

#[test]
fn b23_b24_b25_a_block_of_the_limit_is_accepted_and_one_byte_more_is_not() {
    let limit = 1_000;
    let (mut sandbox, tip) = limited(limit);
    let signed = |sandbox: &Sandbox, outputs: usize, memo: usize| {
        let (inputs, outputs) = (vec![sandbox.reward(tip, 1)], vec![pay(0, key(0).owner()); outputs]);
        let (coins, genesis) = (sandbox.coins(tip, &inputs), sandbox.ledger.id(sandbox.ledger.genesis()));
        Arc::new(Transaction::payment(inputs, outputs, &vec![0; memo]).sign(&key(0), genesis, &coins))
    };
    let size = |sandbox: &mut Sandbox, outputs, memo| {
        let transaction = signed(sandbox, outputs, memo);
        sandbox.block(tip, &[transaction])
    };
    let outputs = 17;
    let rest = u64::from(limit) - size(&mut sandbox, outputs, 0).bytes();
    let memo = usize::try_from(rest).expect("a short memo");
    let too_long = size(&mut sandbox, outputs, memo + 1);
    assert_eq!(too_long.bytes(), u64::from(limit) + 1);
    let reject = refused(&mut sandbox, &too_long, "bad-blk-length");
    assert_eq!(reject, Reject::BadBlkLength { bytes: 1_001, limit });
    let full = size(&mut sandbox, outputs, memo);
    assert_eq!(full.bytes(), u64::from(limit));
    sandbox.accept(&full).expect("exactly the limit");
}

#[test]
fn b28_b30_a_tag_of_the_limit_is_accepted_and_one_byte_more_is_not() {
    let (mut sandbox, tip) = mature();
    let block = changed(&mut sandbox, tip, |draft| draft.tag = vec![0; MAX_TAG_BYTES + 1]);
    refused(&mut sandbox, &block, "bad-cb-length");
    let block = changed(&mut sandbox, tip, |draft| draft.tag = vec![0; MAX_TAG_BYTES]);
    sandbox.accept(&block).expect("exactly the limit");
}

#[test]
fn b37_b38_nothing_of_a_failed_block_can_be_spent() {
    let (mut sandbox, tip) = mature();
    let (first, second) = (sandbox.reward(tip, 1), sandbox.reward(tip, 2));
    let good = sandbox.spend(tip, &[second], mine(SUBSIDY));
    let twice = [1, 2].map(|units| sandbox.spend(tip, &[first], mine(units)));
    let block = sandbox.block(tip, &[Arc::clone(&good), Arc::clone(&twice[0]), Arc::clone(&twice[1])]);
    refused(&mut sandbox, &block, "bad-txns-inputs-missingorspent");

    let created = good.outpoint(0);
    assert_eq!(sandbox.ledger.coin(&created, tip), None);
    assert_eq!(sandbox.ledger.confirmation(&good.txid(), tip), None);
    let forged = Arc::new(Transaction::payment(vec![created], mine(1), b""));
    let forged = TransactionParts {
        signatures: good.parts().signatures.clone(),
        ..forged.parts().clone()
    };
    let block = sandbox.block(tip, &[Arc::new(Transaction::new(forged))]);
    refused(&mut sandbox, &block, "bad-txns-inputs-missingorspent");
}

#[test]
fn b45_a_block_whose_first_transaction_is_no_coinbase_is_refused() {
    let (mut sandbox, tip) = mature();
    let spend = sandbox.spend(tip, &[sandbox.reward(tip, 1)], mine(SUBSIDY));
    let block = broken(&mut sandbox, tip, |block| block.transactions = vec![spend]);
    refused(&mut sandbox, &block, "bad-cb-missing");
}

#[test]
fn a_coinbase_with_inputs_is_refused() {
    let (mut sandbox, tip) = mature();
    let spend = sandbox.spend(tip, &[sandbox.reward(tip, 1)], mine(SUBSIDY));
    let block = broken(&mut sandbox, tip, |block| {
        let parts = TransactionParts {
            coinbase: block.transactions[0].parts().coinbase.clone(),
            ..spend.parts().clone()
        };
        block.transactions = vec![Arc::new(Transaction::new(parts))];
    });
    refused(&mut sandbox, &block, "bad-cb-missing");
}

#[test]
fn b46_a_block_without_transactions_is_refused() {
    let (mut sandbox, tip) = mature();
    let block = broken(&mut sandbox, tip, |block| block.transactions.clear());
    refused(&mut sandbox, &block, "bad-blk-length");
}

#[test]
fn b51_a_second_coinbase_is_refused() {
    let (mut sandbox, tip) = mature();
    let other = Coinbase {
        height: Height(13),
        extra_nonce: u64::MAX,
        tag: Vec::new(),
    };
    let second = Arc::new(Transaction::coinbase(other, mine(0)));
    let block = changed(&mut sandbox, tip, |draft| draft.transactions = vec![second]);
    let reject = refused(&mut sandbox, &block, "bad-cb-multiple");
    assert_eq!(reject, Reject::BadCbMultiple { position: 1 });
}

#[test]
fn b65_an_output_of_the_same_block_may_be_spent() {
    let (mut sandbox, tip) = mature();
    let parent = sandbox.spend(tip, &[sandbox.reward(tip, 1)], mine(SUBSIDY));
    let child = child_of(&sandbox, &parent);
    let tip = sandbox.child(tip, &[Arc::clone(&parent), Arc::clone(&child)]);
    assert_eq!(sandbox.ledger.coin(&parent.outpoint(0), tip), None);
    assert!(sandbox.ledger.coin(&child.outpoint(0), tip).is_some());
}

#[test]
fn b66_a_child_before_its_parent_is_refused() {
    let (mut sandbox, tip) = mature();
    let parent = sandbox.spend(tip, &[sandbox.reward(tip, 1)], mine(SUBSIDY));
    let child = child_of(&sandbox, &parent);
    let block = sandbox.block(tip, &[child, Arc::clone(&parent)]);
    let reject = refused(&mut sandbox, &block, "bad-txns-inputs-missingorspent");
    let outpoint = parent.outpoint(0);
    assert_eq!(reject, Reject::BadTxnsInputsMissingorspent { outpoint });
}

/// A transaction that spends the first output of one that is not in a block yet.
fn child_of(sandbox: &Sandbox, parent: &Transaction) -> Arc<Transaction> {
    let coin = crate::Coin {
        output: parent.outputs()[0],
        height: Height(0),
        coinbase: false,
    };
    let genesis = sandbox.ledger.id(sandbox.ledger.genesis());
    let child = Transaction::payment(vec![parent.outpoint(0)], parent.outputs().to_vec(), b"child");
    Arc::new(child.sign(&key(0), genesis, &[coin]))
}

#[test]
fn b67_a_double_spend_within_a_block_is_refused() {
    let (mut sandbox, tip) = mature();
    let outpoint = sandbox.reward(tip, 1);
    let pair = [1, 2].map(|units| sandbox.spend(tip, &[outpoint], mine(units)));
    let block = sandbox.block(tip, &pair);
    refused(&mut sandbox, &block, "bad-txns-inputs-missingorspent");
}

#[test]
fn the_same_transaction_twice_in_a_block_is_a_double_spend() {
    let (mut sandbox, tip) = mature();
    let [a, b] = [1, 2].map(|height| sandbox.spend(tip, &[sandbox.reward(tip, height)], mine(1)));
    let block = sandbox.block(tip, &[Arc::clone(&a), b, a]);
    refused(&mut sandbox, &block, "bad-txns-inputs-missingorspent");
}

#[test]
fn a_coin_spent_in_an_earlier_block_cannot_be_spent_again() {
    let (mut sandbox, tip) = mature();
    let outpoint = sandbox.reward(tip, 1);
    let pair = [1, 2].map(|units| sandbox.spend(tip, &[outpoint], mine(units)));
    let tip = sandbox.child(tip, &pair[..1]);
    let block = sandbox.block(tip, &pair[1..]);
    refused(&mut sandbox, &block, "bad-txns-inputs-missingorspent");
}

#[test]
fn b58_b70_outpoints_that_do_not_exist_are_refused() {
    let (mut sandbox, tip) = mature();
    let good = sandbox.reward(tip, 1);
    let unknown = OutPoint {
        txid: Txid::default(),
        index: 0,
    };
    for outpoint in [
        OutPoint { index: 1, ..good },
        OutPoint {
            index: u32::MAX,
            ..good
        },
        unknown,
    ] {
        let signed = sandbox.spend(tip, &[good], mine(1));
        let parts = TransactionParts {
            inputs: vec![outpoint],
            ..signed.parts().clone()
        };
        let block = sandbox.block(tip, &[Arc::new(Transaction::new(parts))]);
        let reject = refused(&mut sandbox, &block, "bad-txns-inputs-missingorspent");
        assert_eq!(reject, Reject::BadTxnsInputsMissingorspent { outpoint });
    }
}

#[test]
fn b84_outputs_of_no_key_are_accepted_and_never_spent() {
    let (mut sandbox, tip) = mature();
    let nobody = vec![pay(SUBSIDY, crate::Owner([0; 32]))];
    let burn = sandbox.spend(tip, &[sandbox.reward(tip, 1)], nobody);
    let tip = sandbox.child(tip, &[Arc::clone(&burn)]);
    let spend = sandbox.spend(tip, &[burn.outpoint(0)], mine(1));
    let block = sandbox.block(tip, &[spend]);
    refused(&mut sandbox, &block, "bad-signature");
}

#[test]
fn b_cb34_a_coinbase_of_another_height_is_refused() {
    let (mut sandbox, tip) = mature();
    for height in [0, 12, 14] {
        let block = changed(&mut sandbox, tip, |draft| draft.height = Height(height));
        let reject = refused(&mut sandbox, &block, "bad-cb-height");
        let (found, expected) = (Height(height), Height(13));
        assert_eq!(reject, Reject::BadCbHeight { found, expected });
    }
}

#[test]
fn b_v1_a_header_below_the_lowest_version_is_refused() {
    let (mut sandbox, tip) = mature();
    let block = broken(&mut sandbox, tip, |block| {
        let header = Header {
            version: 3,
            ..*block.header
        };
        block.header = header.into();
    });
    let before = super::facts(&sandbox, tip);
    let refused = sandbox.ledger.add_header(&block.header);
    assert_eq!(
        refused,
        Err(Reject::BadVersion {
            version: 3,
            minimum: Header::VERSION
        })
    );
    assert_eq!(super::facts(&sandbox, tip), before);
}
