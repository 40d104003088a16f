//! Blocks that are taken apart and put together again.

use chain::transaction::TransactionParts;
use chain::{Coinbase, Height, Params};

use super::*;

fn transaction(number: u64) -> Arc<Transaction> {
    let coinbase = Coinbase {
        height: Height(1),
        extra_nonce: number,
        tag: Vec::new(),
    };
    Arc::new(Transaction::new(TransactionParts {
        version: 1,
        coinbase: Some(coinbase),
        inputs: Vec::new(),
        outputs: Vec::new(),
        memo: Vec::new(),
        signatures: Vec::new(),
    }))
}

/// A block of this many transactions; what they are does not matter here.
fn block(count: u64) -> Block {
    Block {
        header: Params::instant().genesis_block().header,
        transactions: (0..count).map(transaction).collect(),
    }
}

#[test]
fn a_block_whose_transactions_are_all_at_hand_is_put_together_without_asking() {
    let block = block(10);
    let compact = CompactBlock::new(&block, 7);
    assert_eq!((compact.short_ids.len(), compact.prefilled.len()), (9, 1));
    let others: Vec<_> = (100..200).map(transaction).collect();
    let assembly = Assembly::new(&compact, others.iter().chain(&block.transactions[1..])).expect("it makes sense");
    assert_eq!(assembly.missing(), []);
    assert_eq!(assembly.complete(Vec::new()), Some(block));
}

#[test]
fn what_is_not_at_hand_is_missing_and_fills_the_gaps_in_order() {
    let block = block(6);
    let compact = CompactBlock::new(&block, 7);
    let at_hand = [&block.transactions[4], &block.transactions[1]];
    let assembly = Assembly::new(&compact, at_hand).expect("it makes sense");
    assert_eq!(assembly.missing(), [2, 3, 5]);
    let missing: Vec<_> = [2, 3, 5]
        .map(|index: usize| Arc::clone(&block.transactions[index]))
        .into();
    assert_eq!(assembly.clone().complete(missing[..2].to_vec()), None);
    let too_many = [missing.clone(), missing.clone()].concat();
    assert_eq!(assembly.clone().complete(too_many), None);
    assert_eq!(assembly.complete(missing), Some(block));
}

#[test]
fn a_short_name_that_two_claim_is_filled_by_neither() {
    let block = block(3);
    let compact = CompactBlock::new(&block, 7);
    let first = &block.transactions[1];
    let twice = [first, &block.transactions[2], first, first];
    let assembly = Assembly::new(&compact, twice).expect("it makes sense");
    assert_eq!(assembly.missing(), [1]);
    let mut same_name = compact;
    same_name.short_ids[1] = same_name.short_ids[0];
    let assembly = Assembly::new(&same_name, [first]).expect("it makes sense");
    assert_eq!(assembly.missing(), [1, 2]);
}

#[test]
fn short_names_depend_on_the_nonce_and_on_the_header() {
    let block = block(2);
    let short_ids = |block: &Block, nonce| CompactBlock::new(block, nonce).short_ids;
    assert_ne!(short_ids(&block, 1), short_ids(&block, 2));
    let mut other = block.clone();
    other.header = Header {
        nonce: other.header.nonce + 1,
        ..*other.header
    }
    .into();
    assert_ne!(short_ids(&block, 1), short_ids(&other, 1));
}

#[test]
fn places_out_of_order_or_range_and_blocks_without_transactions_make_no_sense() {
    let refused = |change: fn(&mut CompactBlock)| {
        let mut compact = CompactBlock::new(&block(3), 7);
        change(&mut compact);
        assert!(Assembly::new(&compact, []).is_none(), "{compact:?}");
    };
    refused(|compact| compact.prefilled[0].index = 3);
    refused(|compact| compact.prefilled[0].index = u32::MAX);
    refused(|compact| compact.prefilled.push(compact.prefilled[0].clone()));
    refused(|compact| compact.prefilled.clear());
    refused(|compact| compact.short_ids = vec![ShortId([0; 6]); MAX_COMPACT_TRANSACTIONS]);
}
