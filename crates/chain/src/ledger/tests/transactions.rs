//! Transactions with one defect each (Bitcoin Core's `invalid_txs.py`), alone and in a block.

use std::sync::Arc;

use super::refused;
use crate::limits::{MAX_MEMO_BYTES, MAX_TRANSACTION_BYTES, MAX_TRANSACTION_SLOTS};
use crate::testing::{Sandbox, key, pay};
use crate::transaction::TransactionParts;
use crate::{Amount, BlockRef, Coin, Coinbase, Height, OutPoint, Reject, Signature, Transaction};

const SUBSIDY: u64 = 50 * Amount::COIN.units();
const MAX_MONEY: u64 = Amount::MAX_MONEY.units();

/// A chain on which two rewards may be spent, and a transaction that spends both.
fn good() -> (Sandbox, BlockRef, Arc<Transaction>) {
    let (sandbox, tip) = Sandbox::instant(12);
    let inputs = [sandbox.reward(tip, 1), sandbox.reward(tip, 2)];
    let outputs = vec![pay(SUBSIDY, key(0).owner()), pay(SUBSIDY - 1, key(1).owner())];
    let transaction = sandbox.spend(tip, &inputs, outputs);
    (sandbox, tip, transaction)
}

fn changed(transaction: &Transaction, change: impl FnOnce(&mut TransactionParts)) -> Arc<Transaction> {
    let mut parts = transaction.parts().clone();
    change(&mut parts);
    Arc::new(Transaction::new(parts))
}

/// The same, with signatures that are right for the change.
fn resigned(sandbox: &Sandbox, tip: BlockRef, changed: &Transaction) -> Arc<Transaction> {
    let coins = sandbox.coins(tip, changed.inputs());
    let genesis = sandbox.ledger.id(sandbox.ledger.genesis());
    Arc::new(changed.clone().sign(&key(0), genesis, &coins))
}

fn check(sandbox: &mut Sandbox, tip: BlockRef, transaction: &Transaction) -> Result<Amount, Reject> {
    let coins = sandbox.coins(tip, transaction.inputs());
    let height = sandbox.ledger.height(tip).next();
    sandbox.ledger.check_transaction(transaction, &coins, height)
}

/// The changed transaction must be refused by this rule, alone and in a block; the good one must still pass.
fn defect(word: &str, change: impl FnOnce(&mut TransactionParts)) -> Reject {
    let (mut sandbox, tip, good) = good();
    let mut bad = changed(&good, change);
    if bad.parts().signatures.len() == bad.inputs().len() && word != "bad-signature" {
        bad = resigned(&sandbox, tip, &bad);
    }
    let alone = check(&mut sandbox, tip, &bad).expect_err("an invalid transaction");
    let block = sandbox.block(tip, &[bad]);
    let reject = refused(&mut sandbox, &block, word);
    assert_eq!(alone, reject);
    assert_eq!(check(&mut sandbox, tip, &good), Ok(Amount::from_units(1)));
    sandbox.child(tip, &[good]);
    reject
}

#[test]
fn transactions_without_outputs_or_inputs_are_refused() {
    defect("bad-txns-vout-empty", |parts| parts.outputs.clear());
    defect("bad-txns-vin-empty", |parts| {
        parts.inputs.clear();
        parts.signatures.clear();
    });
}

#[test]
fn amounts_above_the_money_limit_are_refused_alone_and_summed() {
    for units in [MAX_MONEY + 1, (1 << 63) - 1, 1 << 63, u64::MAX] {
        let value = Amount::from_units(units);
        let reject = defect("bad-txns-vout-toolarge", |parts| parts.outputs[1].value = value);
        assert_eq!(reject, Reject::BadTxnsVoutToolarge { index: 1, value });
    }
    defect("bad-txns-txouttotal-toolarge", |parts| {
        parts.outputs[0].value = Amount::MAX_MONEY;
        parts.outputs[1].value = Amount::from_units(1);
    });
}

#[test]
fn b59_outputs_above_inputs_are_refused() {
    let reject = defect("bad-txns-in-belowout", |parts| {
        parts.outputs[1].value = Amount::from_units(SUBSIDY + 1);
    });
    let (inputs, outputs) = (Amount::from_units(2 * SUBSIDY), Amount::from_units(2 * SUBSIDY + 1));
    assert_eq!(reject, Reject::BadTxnsInBelowout { inputs, outputs });
    defect("bad-txns-in-belowout", |parts| {
        parts.outputs[1].value = Amount::MAX_MONEY
            .checked_sub(Amount::from_units(SUBSIDY))
            .expect("less");
    });
}

#[test]
fn an_input_twice_is_refused_before_any_coin_is_looked_up() {
    defect("bad-txns-inputs-duplicate", |parts| parts.inputs[1] = parts.inputs[0]);
    let (mut sandbox, tip, good) = good();
    let nowhere = OutPoint::default();
    let bad = changed(&good, |parts| parts.inputs = vec![nowhere, nowhere]);
    let block = sandbox.block(tip, &[bad]);
    refused(&mut sandbox, &block, "bad-txns-inputs-duplicate");
}

#[test]
fn signatures_must_be_as_many_as_inputs() {
    defect("bad-witness-count", |parts| parts.signatures.clear());
    defect("bad-witness-count", |parts| parts.signatures.truncate(1));
    defect("bad-witness-count", |parts| parts.signatures.push(Signature([0; 64])));
}

#[test]
fn a_memo_of_the_limit_is_accepted_and_one_byte_more_is_not() {
    defect("bad-memo-length", |parts| parts.memo = vec![0; MAX_MEMO_BYTES + 1]);
    let (mut sandbox, tip, good) = good();
    let full = changed(&good, |parts| parts.memo = vec![0; MAX_MEMO_BYTES]);
    let full = resigned(&sandbox, tip, &full);
    assert_eq!(check(&mut sandbox, tip, &full), Ok(Amount::from_units(1)));
}

#[test]
fn inputs_and_outputs_of_the_limit_are_accepted_and_one_more_is_not() {
    let outputs = |count| vec![pay(0, key(0).owner()); count];
    let reject = defect("bad-txns-oversize", |parts| {
        parts.outputs = outputs(MAX_TRANSACTION_SLOTS - 1);
    });
    assert!(matches!(reject, Reject::BadTxnsOversize { slots, .. } if slots == MAX_TRANSACTION_SLOTS + 1));
    let (mut sandbox, tip, good) = good();
    let full = changed(&good, |parts| parts.outputs = outputs(MAX_TRANSACTION_SLOTS - 2));
    let full = resigned(&sandbox, tip, &full);
    sandbox.child(tip, &[full]);
}

#[test]
fn a_transaction_of_too_many_bytes_is_refused() {
    let (mut sandbox, tip, good) = good();
    let inputs = |count| {
        (0..count)
            .map(|index| OutPoint {
                txid: good.txid(),
                index,
            })
            .collect::<Vec<_>>()
    };
    // An input and its signature have 100 bytes, so that many of them leave no room for the rest.
    let count = MAX_TRANSACTION_BYTES / 100;
    let bad = changed(&good, |parts| {
        parts.inputs = inputs(count);
        parts.signatures = vec![Signature([0; 64]); count as usize];
    });
    let block = sandbox.block(tip, &[bad]);
    refused(&mut sandbox, &block, "bad-txns-oversize");
}

#[test]
fn a_loose_coinbase_is_refused() {
    let (mut sandbox, _, _) = good();
    let coinbase = Coinbase {
        height: Height(13),
        extra_nonce: 0,
        tag: Vec::new(),
    };
    let loose = Transaction::coinbase(coinbase, vec![pay(1, key(0).owner())]);
    let refused = sandbox.ledger.check_transaction(&loose, &[], Height(13));
    assert_eq!(refused, Err(Reject::BadCbMultiple { position: 1 }));
}

#[test]
fn whatever_changes_after_signing_breaks_the_signature() {
    let changes: [fn(&mut TransactionParts); 8] = [
        |parts| parts.version = 2,
        |parts| parts.inputs.swap(0, 1),
        |parts| parts.outputs.swap(0, 1),
        |parts| parts.outputs[0].value = Amount::ZERO,
        |parts| parts.outputs[1].owner = key(2).owner(),
        |parts| parts.memo.push(1),
        |parts| parts.signatures.swap(0, 1),
        |parts| {
            parts.outputs.pop();
        },
    ];
    for change in changes {
        let reject = defect("bad-signature", change);
        assert_eq!(reject, Reject::BadSignature { input: 0 });
    }
    let reject = defect("bad-signature", |parts| parts.signatures[1] = Signature([0; 64]));
    assert_eq!(reject, Reject::BadSignature { input: 1 });
}

#[test]
fn threat_c12_every_flipped_byte_of_a_signature_is_refused_and_the_good_copy_passes() {
    let (mut sandbox, tip, good) = good();
    for at in 0..64 {
        let bad = changed(&good, |parts| parts.signatures[1].0[at] ^= 1);
        assert_eq!(bad.txid(), good.txid());
        assert_eq!(check(&mut sandbox, tip, &bad), Err(Reject::BadSignature { input: 1 }));
        assert_eq!(check(&mut sandbox, tip, &good), Ok(Amount::from_units(1)));
        assert_eq!(check(&mut sandbox, tip, &bad), Err(Reject::BadSignature { input: 1 }));
    }
}

#[test]
fn another_key_or_another_network_cannot_spend() {
    let (mut sandbox, tip, good) = good();
    let coins = sandbox.coins(tip, good.inputs());
    let genesis = sandbox.ledger.id(sandbox.ledger.genesis());
    let thief = Transaction::clone(&good).sign(&key(1), genesis, &coins);
    assert_eq!(check(&mut sandbox, tip, &thief), Err(Reject::BadSignature { input: 0 }));
    let elsewhere = Transaction::clone(&good).sign(&key(0), crate::BlockId::ZERO, &coins);
    assert_eq!(
        check(&mut sandbox, tip, &elsewhere),
        Err(Reject::BadSignature { input: 0 })
    );
}

/// Enough signatures that threads check them: the fault reported is still the first in order.
#[test]
fn the_first_fault_in_order_is_reported_however_many_threads_look() {
    let (mut sandbox, tip) = Sandbox::instant(40);
    let inputs: Vec<_> = (1..=30).map(|height| sandbox.reward(tip, height)).collect();
    let good = sandbox.spend(tip, &inputs, vec![pay(1, key(0).owner())]);
    for first in [0, 7, 29] {
        let bad = changed(&good, |parts| {
            for signature in &mut parts.signatures[first..] {
                signature.0[0] ^= 1;
            }
        });
        let block = sandbox.block(tip, &[bad]);
        let reject = refused(&mut sandbox, &block, "bad-signature");
        assert_eq!(reject, Reject::BadSignature { input: first });
    }
    sandbox.child(tip, &[good]);
}

#[test]
fn sums_of_inputs_above_the_money_limit_are_refused() {
    let (mut sandbox, _, good) = good();
    let rich = |units| Coin {
        output: pay(units, key(0).owner()),
        height: Height(1),
        coinbase: false,
    };
    let coins = [rich(MAX_MONEY), rich(1)];
    let refused = sandbox.ledger.check_transaction(&good, &coins, Height(13));
    assert_eq!(refused, Err(Reject::BadTxnsInputvaluesOutofrange));
}

#[test]
fn a_loose_transaction_may_spend_a_coinbase_that_matures_in_the_next_block() {
    let (mut sandbox, tip, good) = good();
    let coins = sandbox.coins(tip, good.inputs());
    assert!(sandbox.ledger.check_transaction(&good, &coins, Height(12)).is_ok());
    let refused = sandbox.ledger.check_transaction(&good, &coins, Height(11));
    assert_eq!(
        refused.expect_err("immature").word(),
        "bad-txns-premature-spend-of-coinbase"
    );
}
