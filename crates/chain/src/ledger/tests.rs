//! Tests of the ledger. Names that begin with `b` and a number are rows of Bitcoin Core's `feature_block.py`.

mod blocks;
mod headers;
mod mutation;
mod oracle;
mod properties;
mod proposals;
mod pruning;
mod queries;
mod reorgs;
mod transactions;
mod walk;

use std::sync::Arc;

use super::{BlockRef, Status};
use crate::testing::Sandbox;
use crate::{Block, Reject, Verdict};

/// The body must be refused by this rule and leave no trace but the mark: the coins are as before, the parent is still valid, a child is
/// `bad-prevblk`, and the honest block that follows connects.
fn refused(sandbox: &mut Sandbox, block: &Arc<Block>, word: &str) -> Reject {
    let parent = sandbox.ledger.find(&block.header.parent).expect("a known parent");
    let (coins, digest) = (sandbox.ledger.coins.clone(), sandbox.ledger.coins_digest(parent));
    let proposed = sandbox.ledger.check_proposal(&proposals::unsolved(block));
    let at = sandbox.ledger.add_header(&block.header).expect("a valid header");

    let reject = sandbox.ledger.add_body(block).expect_err("an invalid body");
    assert_eq!((reject.word(), reject.verdict()), (word, Verdict::Invalid), "{reject}");
    assert_eq!(proposed, Err(reject.clone()), "nobody needs the nonce to know it");
    assert!(sandbox.ledger.coins == coins, "no coin may change");
    assert_eq!(sandbox.ledger.coins_digest(parent), digest);
    assert_eq!(sandbox.ledger.status(at), Status::Invalid(reject.clone()));
    assert_eq!(sandbox.ledger.status(parent), Status::Valid);
    assert!(sandbox.ledger.body(at).is_none());
    assert_eq!(sandbox.ledger.add_header(&block.header), Err(reject.clone()));
    assert_eq!(sandbox.ledger.add_body(block), Err(reject.clone()));

    let child = sandbox.block(at, &[]);
    assert_eq!(sandbox.ledger.add_header(&child.header), Err(Reject::BadPrevblk));
    let _ = sandbox.child(parent, &[]);
    reject
}

/// Everything that the ledger says of a block.
fn facts(sandbox: &Sandbox, block: BlockRef) -> (Status, usize, base::Hash) {
    let ledger = &sandbox.ledger;
    (ledger.status(block), ledger.len(), ledger.coins_digest(block))
}
