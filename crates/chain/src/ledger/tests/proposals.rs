//! Blocks whose nonce nobody has found yet. That an invalid one is refused for the same reason as when it is solved, is tested wherever
//! [`super::refused`] is.

use super::facts;
use crate::testing::{Sandbox, key, pay};
use crate::{Block, BlockId, CompactTarget, Header, Reject};

/// The block with a nonce that is no proof of work.
pub(super) fn unsolved(block: &Block) -> Block {
    let target = block.header.bits.target().expect("valid bits");
    let mut header = *block.header;
    while target.is_met_by(&header.id()) {
        header.nonce = header.nonce.wrapping_add(1);
    }
    Block {
        header: header.into(),
        transactions: block.transactions.clone(),
    }
}

#[test]
fn a_good_proposal_is_told_so_and_leaves_no_trace() {
    let (mut sandbox, tip) = Sandbox::instant(12);
    let spend = sandbox.spend(tip, &[sandbox.reward(tip, 1)], vec![pay(1, key(1).owner())]);
    let block = sandbox.block(tip, &[spend]);
    let proposal = unsolved(&block);
    let before = facts(&sandbox, tip);
    assert_eq!(sandbox.ledger.check_proposal(&proposal), Ok(()));
    assert_eq!(sandbox.ledger.check_proposal(&proposal), Ok(()));
    assert_eq!(facts(&sandbox, tip), before);
    assert_eq!(sandbox.ledger.find(&proposal.id()), None);
    assert!(matches!(
        sandbox.ledger.add_header(&proposal.header),
        Err(Reject::HighHash { .. })
    ));
    sandbox.accept(&block).expect("the solved one is valid");
}

#[test]
fn what_is_wrong_with_the_header_of_a_proposal_is_told() {
    let (mut sandbox, tip) = Sandbox::instant(12);
    let block = sandbox.block(tip, &[]);
    let median = sandbox.ledger.median_time_past(tip);
    type Change = fn(&mut Header, u32);
    let table: [(Change, &str); 5] = [
        (|header, _| header.parent = BlockId::ZERO, "prev-blk-not-found"),
        (|header, _| header.merkle_root = BlockId::ZERO.0, "bad-txnmrklroot"),
        (|header, _| header.bits = CompactTarget(0x207f_fffe), "bad-diffbits"),
        (|header, median| header.time = median, "time-too-old"),
        (|header, _| header.version = 0, "bad-version"),
    ];
    for (change, word) in table {
        let mut header = *block.header;
        change(&mut header, median);
        let proposal = Block {
            header: header.into(),
            transactions: block.transactions.clone(),
        };
        let refused = sandbox.ledger.check_proposal(&proposal);
        assert_eq!(refused.map_err(|reject| reject.word()), Err(word));
    }
}

#[test]
fn nothing_is_proposed_on_a_block_that_is_invalid_or_forgotten() {
    let (mut sandbox, tip) = Sandbox::instant(12);
    let block = unsolved(&sandbox.block(tip, &[]));
    sandbox.ledger.set_invalidated(tip, true);
    assert_eq!(sandbox.ledger.check_proposal(&block), Err(Reject::PrevBlkNotFound));
    sandbox.ledger.set_invalidated(tip, false);
    let deep = sandbox
        .ledger
        .ancestor(tip, crate::Height(3))
        .expect("a height of the chain");
    let side = unsolved(&sandbox.block(deep, &[]));
    assert_eq!(sandbox.ledger.check_proposal(&side), Ok(()));
    sandbox.ledger.prune(&[tip], 5, crate::Unspent::Kept);
    assert_eq!(sandbox.ledger.check_proposal(&side), Err(Reject::PrevBlkPruned));
    assert_eq!(sandbox.ledger.check_proposal(&block), Ok(()));
}
