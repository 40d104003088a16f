//! Bodies that are not what their header commits to: never held against the header (CVE-2012-2459, CVE-2024-52921).

use std::sync::Arc;

use super::facts;
use crate::testing::{Sandbox, key, pay};
use crate::{Block, BlockRef, Reject, Signature, Status, Transaction, Verdict};

/// A chain, and a valid block on it with `count` transactions after the coinbase; its header is known.
fn honest(count: u32) -> (Sandbox, BlockRef, Arc<Block>) {
    let (mut sandbox, tip) = Sandbox::instant(11 + count);
    let spends: Vec<_> = (1..=count)
        .map(|height| sandbox.spend(tip, &[sandbox.reward(tip, height)], vec![pay(1, key(0).owner())]))
        .collect();
    let block = sandbox.block(tip, &spends);
    sandbox.ledger.add_header(&block.header).expect("a valid header");
    (sandbox, tip, block)
}

/// The twin of a good block must be refused as mutated, as often as it comes, and change nothing: the good one still connects.
fn twin(sandbox: &mut Sandbox, tip: BlockRef, good: &Arc<Block>, transactions: Vec<Arc<Transaction>>) -> Reject {
    let header = good.header;
    let at = sandbox.ledger.find(&good.id()).expect("a known header");
    let mutated = Arc::new(Block { header, transactions });
    let before = facts(sandbox, tip);
    let reject = sandbox.ledger.add_body(&mutated).expect_err("mutated");
    assert_eq!(sandbox.ledger.check_proposal(&mutated), Err(reject.clone()));
    assert_eq!(reject.verdict(), Verdict::Mutated, "{reject}");
    assert_eq!(sandbox.ledger.status(at), Status::HeaderOnly);
    assert_eq!(facts(sandbox, tip), before);
    assert_eq!(sandbox.ledger.add_body(&mutated), Err(reject.clone()));

    assert_eq!(sandbox.ledger.add_body(good), Ok(at));
    assert_eq!(sandbox.ledger.status(at), Status::Valid);
    assert_eq!(
        sandbox.ledger.add_body(&mutated),
        Err(reject.clone()),
        "also after the good one"
    );
    assert_eq!(sandbox.ledger.status(at), Status::Valid);
    reject
}

#[test]
fn b56_b57_b71_b72_a_doubled_last_transaction_is_seen_and_the_original_connects() {
    let (mut sandbox, tip, good) = honest(2);
    let mut doubled = good.transactions.clone();
    doubled.push(Arc::clone(&doubled[2]));
    let reject = twin(&mut sandbox, tip, &good, doubled);
    assert_eq!(reject, Reject::BadTxnsDuplicate);
}

#[test]
fn b56p2_b57p2_a_doubled_pair_of_transactions_is_seen_and_the_original_connects() {
    let (mut sandbox, tip, good) = honest(5);
    let mut doubled = good.transactions.clone();
    doubled.extend_from_within(4..6);
    let reject = twin(&mut sandbox, tip, &good, doubled);
    assert_eq!(reject, Reject::BadTxnsDuplicate);
}

#[test]
fn b52_a_header_that_commits_to_equal_neighbours_is_never_valid_and_never_marked() {
    let (mut sandbox, tip, good) = honest(2);
    let mut doubled = good.transactions.clone();
    doubled.push(Arc::clone(&doubled[2]));
    let header = crate::Header {
        time: good.header.time + 1,
        ..*good.header
    };
    let transactions = doubled;
    let block = crate::testing::solve(Block {
        header: header.into(),
        transactions,
    });
    let at = sandbox.ledger.add_header(&block.header).expect("a valid header");
    assert_eq!(sandbox.ledger.add_body(&block), Err(Reject::BadTxnsDuplicate));
    assert_eq!(sandbox.ledger.status(at), Status::HeaderOnly);
    let _ = sandbox.child(tip, &[]);
}

#[test]
fn b49_a_body_with_another_root_says_nothing_about_the_header() {
    let cases: [fn(&mut Vec<Arc<Transaction>>); 5] = [
        |body| body.clear(),
        |body| body.truncate(1),
        |body| body.swap(1, 2),
        |body| body.push(Arc::clone(&body[0])),
        |body| {
            let mut parts = body[1].parts().clone();
            parts.signatures[0] = Signature([0; 64]);
            body[1] = Arc::new(Transaction::new(parts));
        },
    ];
    for case in cases {
        let (mut sandbox, tip, good) = honest(2);
        let mut body = good.transactions.clone();
        case(&mut body);
        let reject = twin(&mut sandbox, tip, &good, body);
        assert_eq!(reject, Reject::BadTxnmrklroot);
    }
}

#[test]
fn a_body_that_is_too_long_for_another_header_is_mutated_not_invalid() {
    let (mut sandbox, tip, good) = honest(1);
    let huge = crate::transaction::TransactionParts {
        memo: vec![0; 2 << 20],
        ..good.transactions[1].parts().clone()
    };
    let body = vec![Arc::clone(&good.transactions[0]), Arc::new(Transaction::new(huge))];
    assert_eq!(twin(&mut sandbox, tip, &good, body), Reject::BadTxnmrklroot);
}
