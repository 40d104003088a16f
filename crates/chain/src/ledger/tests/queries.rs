//! What the ledger says, and its marks.

use std::sync::Arc;

use crate::limits::MAX_LOCATOR;
use crate::testing::{Sandbox, key, pay};
use crate::{Amount, Block, HashedHeader, Height, Ledger, Params, Reject, Status, Txid, mining};

#[test]
fn bodies_are_kept_once_and_known_ones_are_not_validated_again() {
    let (mut sandbox, tip) = Sandbox::instant(3);
    let block = sandbox.block(tip, &[]);
    let at = sandbox.accept(&block).expect("a valid block");
    let twin = Arc::new(Block::clone(&block));
    assert_eq!(sandbox.ledger.add_body(&twin), Ok(at));
    let kept = sandbox.ledger.body(at).expect("a valid block");
    assert!(Arc::ptr_eq(kept, &block));
    let genesis = Arc::new(Params::instant().genesis_block());
    assert_eq!(sandbox.ledger.add_body(&genesis), Ok(sandbox.ledger.genesis()));
}

#[test]
#[should_panic(expected = "headers are accepted before bodies")]
fn a_body_before_its_header_is_our_mistake() {
    let (mut sandbox, tip) = Sandbox::instant(1);
    let block = sandbox.block(tip, &[]);
    let _ = sandbox.ledger.add_body(&block);
}

#[test]
#[should_panic(expected = "bodies are held back until the parent is valid")]
fn a_body_before_its_parents_is_our_mistake() {
    let (mut sandbox, tip) = Sandbox::instant(1);
    let parent = sandbox.block(tip, &[]);
    let at = sandbox.ledger.add_header(&parent.header).expect("a valid header");
    let child = sandbox.block(at, &[]);
    sandbox.ledger.add_header(&child.header).expect("a valid header");
    let _ = sandbox.ledger.add_body(&child);
}

#[test]
fn headers_above_a_block_that_fails_become_bad_prevblk() {
    let (mut sandbox, tip) = Sandbox::instant(2);
    let mut bad = sandbox.draft(tip).assemble();
    bad.transactions.clear();
    let bad = crate::testing::solve(bad);
    let at = sandbox.ledger.add_header(&bad.header).expect("a valid header");
    let mut above = Vec::new();
    for parent in [at, at] {
        let child = sandbox.block(parent, &[]);
        above.push(sandbox.ledger.add_header(&child.header).expect("a valid header"));
    }
    let grandchild = sandbox.block(above[0], &[]);
    above.push(sandbox.ledger.add_header(&grandchild.header).expect("a valid header"));
    assert!(
        above
            .iter()
            .all(|block| sandbox.ledger.status(*block) == Status::HeaderOnly)
    );

    let reject = sandbox.ledger.add_body(&bad).expect_err("no transactions");
    assert_eq!(sandbox.ledger.status(at), Status::Invalid(reject));
    for block in above {
        assert_eq!(sandbox.ledger.status(block), Status::Invalid(Reject::BadPrevblk));
    }
    assert_eq!(sandbox.ledger.add_header(&grandchild.header), Err(Reject::BadPrevblk));
}

/// A node that shares the ledger must not learn from it what other nodes have found out.
#[test]
fn headers_are_recorded_on_their_own_merits_above_a_block_that_failed() {
    let (mut sandbox, tip) = Sandbox::instant(2);
    let mut bad = sandbox.draft(tip).assemble();
    bad.transactions.clear();
    let bad = crate::testing::solve(bad);
    assert!(sandbox.accept(&bad).is_err());
    let failed = sandbox.ledger.find(&bad.id()).expect("marked");
    assert_eq!(sandbox.ledger.record_header(&bad.header), Ok(failed));

    let child = *sandbox.block(failed, &[]).header;
    assert_eq!(sandbox.ledger.add_header(&child), Err(Reject::BadPrevblk));
    let recorded = sandbox.ledger.record_header(&child).expect("a good header on its own");
    assert_eq!(sandbox.ledger.status(recorded), Status::Invalid(Reject::BadPrevblk));
    assert_eq!(sandbox.ledger.add_header(&child), Err(Reject::BadPrevblk));
}

#[test]
fn a_hashed_header_is_taken_in_as_the_plain_one_is() {
    let (mut sandbox, tip) = Sandbox::instant(2);
    let header = *sandbox.block(tip, &[]).header;
    let hashed = HashedHeader::from(header);
    let at = sandbox.ledger.add_hashed_header(&hashed).expect("a good header");
    assert_eq!(sandbox.ledger.record_hashed_header(&hashed), Ok(at));
    assert_eq!(sandbox.ledger.add_header(&header), Ok(at));
    assert_eq!(sandbox.ledger.hashed_header(at), &hashed);
    assert_eq!(
        (sandbox.ledger.id(at), sandbox.ledger.header(at)),
        (header.id(), &header)
    );

    let version_3 = mining::solve(&crate::Header { version: 3, ..header }, u32::MAX).expect("two hashes");
    let refused = sandbox.ledger.add_header(&version_3).expect_err("a defect");
    let hashed = HashedHeader::from(version_3);
    assert_eq!(sandbox.ledger.add_hashed_header(&hashed), Err(refused.clone()));
    assert_eq!(sandbox.ledger.record_hashed_header(&hashed), Err(refused));
}

#[test]
#[should_panic(expected = "a header stands on its parent")]
fn a_header_is_no_child_of_another_block() {
    let (mut sandbox, tip) = Sandbox::instant(2);
    let header = HashedHeader::from(*sandbox.block(tip, &[]).header);
    let _ = sandbox.ledger.record_child(sandbox.ledger.genesis(), &header);
}

#[test]
#[should_panic(expected = "a block is added once")]
fn a_child_is_recorded_once() {
    let (mut sandbox, tip) = Sandbox::instant(2);
    let header = HashedHeader::from(*sandbox.block(tip, &[]).header);
    for _ in 0..2 {
        let _ = sandbox.ledger.record_child(tip, &header);
    }
}

#[test]
fn a_recorded_header_is_checked_like_any_other() {
    let (mut sandbox, tip) = Sandbox::instant(2);
    let good = *sandbox.draft(tip).assemble().header;
    let solved = |header| mining::solve(&header, u32::MAX).expect("tests ask for few hashes");
    let cases = [
        (crate::Header { version: 3, ..good }, "bad-version"),
        (crate::Header { time: 0, ..good }, "time-too-old"),
        (
            crate::Header {
                parent: crate::BlockId::ZERO,
                ..good
            },
            "prev-blk-not-found",
        ),
        (
            crate::Header {
                bits: crate::CompactTarget(0x207f_fffe),
                ..good
            },
            "bad-diffbits",
        ),
    ];
    for (header, word) in cases {
        let header = solved(header);
        let refused = sandbox.ledger.record_header(&header).expect_err("a defect");
        assert_eq!(refused.word(), word);
        if header.parent == good.parent {
            let refusal = sandbox.ledger.record_child(tip, &header.into());
            assert_eq!(refusal.as_ref(), Err(&refused));
        }
        assert_eq!(sandbox.ledger.add_header(&header), Err(refused));
    }
    assert_eq!(sandbox.ledger.len(), 3);
    let at = sandbox.ledger.record_header(&solved(good)).expect("a good header");
    assert_eq!(sandbox.ledger.status(at), Status::HeaderOnly);
}

#[test]
fn a_spent_coin_names_its_spender_on_each_fork() {
    let (mut sandbox, tip) = Sandbox::instant(12);
    let outpoint = sandbox.reward(tip, 1);
    let [a, b] = [1, 2].map(|units| sandbox.spend(tip, &[outpoint], vec![pay(units, key(1).owner())]));
    let [on_a, on_b] = [&a, &b].map(|spend| sandbox.child(tip, &[Arc::clone(spend)]));
    let later = sandbox.grow(on_a, 2);
    let spender = |tip| sandbox.ledger.spender(&outpoint, tip);
    assert_eq!(spender(tip), None);
    assert_eq!(spender(later), Some((a.txid(), on_a)));
    assert_eq!(spender(on_b), Some((b.txid(), on_b)));
    assert_eq!(sandbox.ledger.spender(&a.outpoint(0), later), None);
}

#[test]
fn an_operators_mark_covers_descendants_and_is_lifted_without_a_trace() {
    let (mut sandbox, root) = Sandbox::instant(2);
    let middle = sandbox.child(root, &[]);
    let tip = sandbox.grow(middle, 3);
    let digest = sandbox.ledger.coins_digest(tip);
    let next = sandbox.block(tip, &[]);
    let marked = Status::Invalid(Reject::Invalidated);

    sandbox.ledger.set_invalidated(middle, true);
    assert_eq!(sandbox.ledger.status(root), Status::Valid);
    for block in sandbox.ledger.path(root, tip) {
        assert_eq!(sandbox.ledger.status(block), marked);
        assert!(!sandbox.ledger.is_valid(block));
    }
    assert_eq!(sandbox.ledger.add_header(&next.header), Err(Reject::Invalidated));
    let body = sandbox.ledger.body(middle).cloned().expect("still kept");
    assert_eq!(sandbox.ledger.add_body(&body), Err(Reject::Invalidated));

    // Two marks on one chain are lifted one by one.
    sandbox.ledger.set_invalidated(tip, true);
    sandbox.ledger.set_invalidated(middle, false);
    assert_eq!(sandbox.ledger.status(middle), Status::Valid);
    assert_eq!(sandbox.ledger.status(tip), marked);
    sandbox.ledger.set_invalidated(tip, false);
    assert_eq!(sandbox.ledger.status(tip), Status::Valid);
    assert_eq!(sandbox.ledger.coins_digest(tip), digest);
    sandbox.accept(&next).expect("as if nothing had been");
}

#[test]
fn the_genesis_block_cannot_be_marked() {
    let mut ledger = Ledger::new(Params::instant());
    ledger.set_invalidated(ledger.genesis(), true);
    assert_eq!(ledger.genesis(), crate::BlockRef::GENESIS);
    assert_eq!(ledger.status(ledger.genesis()), Status::Valid);
}

#[test]
fn subsidies_halve_until_nothing_is_left() {
    let ledger = Ledger::new(Params::instant());
    let first = Params::instant().initial_subsidy.units();
    for (height, units) in [
        (1, first),
        (149, first),
        (150, first / 2),
        (299, first / 2),
        (300, first / 4),
        (150 * 32, 1),
        (150 * 33, 0),
        (150 * 64, 0),
        (150 * 65, 0),
        (u32::MAX, 0),
    ] {
        assert_eq!(
            ledger.subsidy(Height(height)),
            Amount::from_units(units),
            "height {height}"
        );
    }
}

#[test]
fn work_adds_up_along_the_chain() {
    let (sandbox, tip) = Sandbox::instant(20);
    let each = Params::EASIEST.target().expect("a valid target").work();
    let mut sum = each;
    for block in sandbox.ledger.path(sandbox.ledger.genesis(), tip) {
        sum = sum + each;
        assert_eq!(sandbox.ledger.work(block), sum);
    }
}

#[test]
fn threat_c17_blocks_are_found_by_name_and_their_family_by_handle() {
    let (mut sandbox, tip) = Sandbox::instant(5);
    let [a, b] = [(); 2].map(|()| sandbox.child(tip, &[]));
    let ledger = &sandbox.ledger;
    assert_eq!(ledger.children(tip).collect::<Vec<_>>(), [b, a]);
    assert_eq!(ledger.children(a).next(), None);
    for block in [tip, a, b] {
        assert_eq!(ledger.find(&ledger.id(block)), Some(block));
        assert_eq!(ledger.header(block).id(), ledger.id(block));
    }
    assert_eq!((ledger.parent(a), ledger.parent(ledger.genesis())), (Some(tip), None));
    assert_eq!(ledger.fork_point(a, b), tip);
    assert_eq!(ledger.len(), 8);
    let locator = ledger.locator(a);
    assert_eq!((locator.len(), locator[0]), (7, ledger.id(a)));
    assert!(locator.len() <= MAX_LOCATOR);
    assert_eq!(locator.last(), Some(&ledger.id(ledger.genesis())));
}

#[test]
fn a_transaction_is_confirmed_where_each_fork_holds_it() {
    let (mut sandbox, tip) = Sandbox::instant(12);
    let spend = sandbox.spend(tip, &[sandbox.reward(tip, 1)], vec![pay(1, key(1).owner())]);
    let [a, empty] = [vec![Arc::clone(&spend)], vec![]].map(|body| sandbox.child(tip, &body));
    let b = sandbox.child(empty, &[Arc::clone(&spend)]);
    let a_tip = sandbox.grow(a, 3);
    let place = |tip| sandbox.ledger.confirmation(&spend.txid(), tip);
    assert_eq!([place(tip), place(empty)], [None, None]);
    assert_eq!([place(a), place(a_tip), place(b)], [Some(a), Some(a), Some(b)]);
    assert_eq!(sandbox.ledger.confirmation(&Txid::default(), a), None);
    let height = |tip| sandbox.ledger.coin(&spend.outpoint(0), tip).map(|coin| coin.height);
    assert_eq!([height(a_tip), height(b)], [Some(Height(13)), Some(Height(14))]);
    assert_eq!(height(empty), None);
}
