//! One rule of admission after the other.

use super::*;
use crate::limits::{MAX_ANCESTORS, MAX_DESCENDANTS, MAX_REPLACED};

#[test]
fn names_decide_first_coinbase_known_and_confirmed() {
    let mut fixture = Fixture::new(3);
    let coinbase = Arc::clone(&fixture.world.block(0, 1).transactions[0]);
    assert_eq!(fixture.word(&coinbase), "coinbase");
    let payment = fixture.spend(1, 1_000);
    fixture.add(&payment);
    assert_eq!(fixture.word(&payment), "txn-already-in-mempool");
    fixture.world.submit(0, &payment);
    fixture.world.mine(0, 1);
    let block = fixture.world.block(0, 5);
    assert_eq!(fixture.pool.confirm(&block), []);
    assert_eq!(fixture.word(&payment), "txn-already-known");
    assert_eq!(fixture.pool.bytes(), 0);
}

#[test]
fn unknown_inputs_are_missing_and_spent_ones_name_their_spender() {
    let mut fixture = Fixture::new(3);
    let winner = fixture.spend(1, 1_000);
    let loser = fixture.spend(1, 5_000);
    let orphan = fixture.child(&fixture.spend(2, 1_000), 1_000);
    assert_eq!(fixture.word(&orphan), "missing-inputs");
    fixture.world.submit(0, &winner);
    fixture.world.mine(0, 1);
    let refusal = fixture.admit(&loser).expect_err("the coin is gone");
    assert_eq!(refusal.word(), "bad-txns-inputs-missingorspent");
    let expected = Conflict {
        txid: winner.txid(),
        outpoint: loser.inputs()[0],
        block: Some(fixture.world.block(0, 5).id()),
    };
    assert_eq!(refusal.conflict(), Some(expected));
    assert!(!refusal.is_offence());
}

/// Nobody waits for an output that a known transaction does not have.
#[test]
fn an_output_that_a_known_parent_lacks_is_not_missing_but_wrong() {
    let mut fixture = Fixture::new(2);
    let parent = fixture.spend(1, 1_000);
    fixture.add(&parent);
    let confirmed = fixture.world.block(0, 2).transactions[0].clone();
    for parent in [&*parent, &*confirmed] {
        let outpoint = parent.outpoint(9);
        let child = fixture.sign(vec![(outpoint, parent.outputs()[0])], vec![parent.outputs()[0]]);
        assert_eq!(fixture.word(&child), "bad-txns-inputs-missingorspent");
    }
}

#[test]
fn a_coinbase_is_spent_no_sooner_than_the_next_block_allows() {
    let mut fixture = Fixture::new(1);
    let tip = fixture.world.height(0);
    let young = fixture.world.spend(0, tip, 1_000, 0);
    // With a maturity of one block, the next block may spend the tip's coinbase.
    fixture.add(&young);
    let params = chain::Params {
        coinbase_maturity: 3,
        ..crate::testing::params()
    };
    let mut world = World::with(1, &params, crate::testing::Ledgers::Own);
    world.mine(0, 3);
    fixture = Fixture {
        world,
        pool: Mempool::new(usize::MAX, 1_000, [1, 2]),
        now: Time::ZERO,
    };
    let young = fixture.spend(2, 1_000);
    let refusal = fixture.admit(&young).expect_err("one block too early");
    assert_eq!(refusal.word(), "bad-txns-premature-spend-of-coinbase");
    assert!(!refusal.is_offence(), "its sender may be a block ahead");
    let ripe = fixture.spend(1, 1_000);
    fixture.add(&ripe);
}

#[test]
fn consensus_faults_are_offences_and_name_their_rule() {
    let mut fixture = Fixture::new(1);
    let coinbase = fixture.world.block(0, 1).transactions[0].clone();
    let spent = (coinbase.outpoint(0), coinbase.outputs()[0]);
    let more = TxOutput {
        value: Amount::from_units(spent.1.value.units() + 1),
        ..spent.1
    };
    let unsigned = Arc::new(Transaction::payment(vec![spent.0], vec![spent.1], b""));
    let cases = [
        (fixture.sign(vec![spent], vec![more]), "bad-txns-in-belowout"),
        (fixture.sign(vec![spent], vec![]), "bad-txns-vout-empty"),
        (
            fixture.sign(vec![spent, spent], vec![spent.1]),
            "bad-txns-inputs-duplicate",
        ),
        (fixture.sign(vec![], vec![spent.1]), "bad-txns-vin-empty"),
        (unsigned, "bad-witness-count"),
    ];
    for (transaction, word) in cases {
        let refusal = fixture.admit(&transaction).expect_err(word);
        assert_eq!(refusal.word(), word);
        assert!(refusal.is_offence(), "{word}");
    }
}

#[test]
fn a_fee_below_the_relay_floor_is_not_enough() {
    let mut fixture = Fixture::new(1);
    let bytes = u64::from(fixture.spend(1, 0).bytes());
    let low = fixture.spend(1, bytes - 1);
    assert_eq!(fixture.word(&low), "mempool-min-fee-not-met");
    let enough = fixture.spend(1, bytes);
    fixture.add(&enough);
}

#[test]
fn a_double_spend_for_the_same_fee_is_a_conflict_that_names_both_sides() {
    let mut fixture = Fixture::new(1);
    let first = fixture.spend(1, 1_000);
    fixture.add(&first);
    let second = fixture.world.spend(0, 1, 1_000, 5);
    let refusal = fixture.admit(&second).expect_err("the first stays");
    assert_eq!(refusal.word(), "txn-mempool-conflict");
    let conflict = Conflict {
        txid: first.txid(),
        outpoint: second.inputs()[0],
        block: None,
    };
    assert_eq!(refusal.conflict(), Some(conflict));
    assert!(!refusal.is_offence());
}

#[test]
fn threat_m4_a_replacement_pays_for_all_it_evicts_and_for_its_own_relay() {
    let mut fixture = Fixture::new(1);
    let first = fixture.spend(1, 1_000);
    let child = fixture.child(&first, 2_000);
    fixture.add(&first);
    fixture.add(&child);
    let bytes = u64::from(first.bytes());
    let short = fixture.world.spend(0, 1, 3_000 + bytes - 1, 5);
    assert_eq!(fixture.word(&short), "insufficient-fee");
    let enough = fixture.world.spend(0, 1, 3_000 + bytes, 5);
    let admitted = fixture.admit(&enough).expect("it pays");
    let mut replaced = [
        (first.txid(), Amount::from_units(1_000)),
        (child.txid(), Amount::from_units(2_000)),
    ];
    replaced.sort_unstable();
    assert_eq!(admitted.replaced, replaced);
    assert_eq!(fixture.pool.iter().count(), 1);
    fixture.check_links();
}

#[test]
fn a_replacement_needs_a_higher_rate_than_what_it_spends_beside() {
    let mut fixture = Fixture::new(2);
    let small = fixture.spend(1, 10_000);
    fixture.add(&small);
    // More fee, but for far more bytes.
    let coinbase = fixture.world.block(0, 1).transactions[0].clone();
    let spent = (coinbase.outpoint(0), coinbase.outputs()[0]);
    let part = TxOutput {
        value: Amount::from_units((spent.1.value.units() - 30_000) / 100),
        ..spent.1
    };
    let wide = fixture.sign(vec![spent], vec![part; 100]);
    assert_eq!(fixture.word(&wide), "insufficient-fee");
}

/// One that is worth more than one of those it replaces and less than another would leave miners with less.
#[test]
fn a_replacement_needs_a_higher_rate_than_each_that_it_replaces() {
    let mut fixture = Fixture::new(2);
    let (cheap, dear) = (fixture.spend(1, 1_000), fixture.spend(2, 9_000));
    fixture.add(&cheap);
    fixture.add(&dear);
    let coinbases = [1, 2].map(|height| fixture.world.block(0, height).transactions[0].clone());
    let of_both = |fee| fixture.merge(&[(&coinbases[0], 0), (&coinbases[1], 0)], fee);
    let bytes = u64::from(of_both(0).bytes());
    let rate_of_dear = 9_000 * bytes / u64::from(dear.bytes());
    assert!(rate_of_dear > 10_000 + bytes, "what is lost and relayed is paid for");
    let (short, enough) = (of_both(rate_of_dear), of_both(rate_of_dear + 1));
    assert_eq!(fixture.word(&short), "insufficient-fee");
    assert_eq!(fixture.admit(&enough).expect("it outbids both").replaced.len(), 2);
    fixture.check_links();
}

#[test]
fn a_replacement_brings_no_unconfirmed_coin_of_its_own() {
    let mut fixture = Fixture::new(2);
    let rival = fixture.spend(1, 1_000);
    let other = fixture.spend(2, 1_000);
    fixture.add(&rival);
    fixture.add(&other);
    let coinbase = fixture.world.block(0, 1).transactions[0].clone();
    let replacement = fixture.merge(&[(&coinbase, 0), (&other, 0)], 50_000);
    assert_eq!(fixture.word(&replacement), "insufficient-fee");
    // Nor one that leaves with what it replaces.
    let child = fixture.merge(&[(&coinbase, 0), (&rival, 0)], 50_000);
    assert_eq!(fixture.word(&child), "txn-mempool-conflict");
}

#[test]
fn threat_m4_at_most_a_hundred_transactions_are_replaced_at_once() {
    let rivals = u32::try_from(MAX_REPLACED).expect("a hundred") + 1;
    let mut fixture = Fixture::new(5);
    // Five parents with up to 24 children each make room for 101 that one newcomer would evict.
    let parents: Vec<Arc<Transaction>> = (1..=5).map(|height| fixture.split(height, 24, 5_000)).collect();
    let mut count = 0;
    for parent in &parents {
        fixture.add(parent);
        count += 1;
        for index in 0..24 {
            if count < rivals {
                let child = fixture
                    .world
                    .spend_output(0, parent.outpoint(index), parent, (1_000, 0));
                fixture.add(&child);
                count += 1;
            }
        }
    }
    let coinbases: Vec<Arc<Transaction>> = (1..=5)
        .map(|height| fixture.world.block(0, height).transactions[0].clone())
        .collect();
    let all: Vec<(&Transaction, u32)> = coinbases.iter().map(|coinbase| (&**coinbase, 0)).collect();
    let greedy = fixture.merge(&all, 10_000_000);
    assert_eq!(fixture.word(&greedy), "insufficient-fee");
    let last = fixture.pool.by_arrival().last().copied().expect("a hundred and one");
    let last = fixture.pool.get_by_wtxid(&last).expect("it is there").txid();
    fixture.pool.remove_with_descendants(&last);
    assert_eq!(
        fixture.admit(&greedy).expect("a hundred may go").replaced.len(),
        MAX_REPLACED
    );
    fixture.check_links();
}

#[test]
fn chains_of_unconfirmed_transactions_have_a_limit_in_both_directions() {
    let mut fixture = Fixture::new(2);
    let mut last = fixture.spend(1, 1_000);
    fixture.add(&last);
    for _ in 1..MAX_ANCESTORS {
        last = fixture.child(&last, 1_000);
        fixture.add(&last);
    }
    let longer = fixture.child(&last, 1_000);
    assert_eq!(fixture.word(&longer), "too-long-mempool-chain");
    let children = u32::try_from(MAX_DESCENDANTS - 1).expect("few");
    let parent = fixture.split(2, u64::from(children) + 1, 5_000);
    fixture.add(&parent);
    for index in 0..children {
        let child = fixture
            .world
            .spend_output(0, parent.outpoint(index), &parent, (1_000, 0));
        fixture.add(&child);
    }
    let wider = fixture
        .world
        .spend_output(0, parent.outpoint(children), &parent, (1_000, 0));
    assert_eq!(fixture.word(&wider), "too-long-mempool-chain");
}

/// A block may hold longer chains than any mempool takes.
#[test]
fn a_chain_that_comes_back_from_a_block_is_no_longer_than_one_that_comes_from_a_peer() {
    let mut fixture = Fixture::new(1);
    let mut last = fixture.spend(1, 0);
    for place in 1..=MAX_ANCESTORS + 1 {
        let readmitted = fixture.readmit(&last).map_err(|refusal| refusal.word());
        if place <= MAX_ANCESTORS {
            assert_eq!(readmitted, Ok(()), "{place}, whatever it pays");
        } else {
            assert_eq!(readmitted, Err("too-long-mempool-chain"));
        }
        fixture.check_links();
        last = fixture.child(&last, 0);
    }
    assert_eq!(fixture.pool.iter().count(), MAX_ANCESTORS);
}
