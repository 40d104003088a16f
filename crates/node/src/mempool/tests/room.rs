//! What leaves a mempool: for lack of room, with age, and into blocks.

use super::*;
use crate::limits::FLOOR_HALF_LIFE;

#[test]
fn threat_m3_a_full_mempool_evicts_the_cheapest_package_and_asks_for_more_until_time_passes() {
    let one = memory_of(&Fixture::new(1).spend(1, 1_000));
    let mut fixture = Fixture::with_room(6, 3 * one);
    let cheap_parent = fixture.spend(1, 500);
    let rich_child = fixture.child(&cheap_parent, 9_000);
    let middle = fixture.spend(2, 3_000);
    for transaction in [&cheap_parent, &rich_child, &middle] {
        fixture.add(transaction);
    }
    // The parent pays least, but its child pays for it: the one in the middle goes.
    let newcomer = fixture.spend(3, 4_000);
    let admitted = fixture.admit(&newcomer).expect("it pays");
    assert_eq!(admitted.evicted, [Evicted::new(middle.txid(), "mempool-full")]);
    assert!(admitted.kept.is_some());
    fixture.check_links();

    let again = fixture.admit(&middle).expect_err("the floor is above what was evicted");
    assert_eq!(again.word(), "mempool-min-fee-not-met");
    let bytes = u64::from(middle.bytes());
    let floor = fixture.pool.min_fee(fixture.now);
    assert_eq!(floor, (3_000_u64 * 1_000).div_ceil(bytes) + 1_000);
    // Above the floor, below all others: it would be the first to go.
    let fourth = fixture.spend(4, floor * bytes / 1_000 + 1);
    let admitted = fixture.admit(&fourth).expect("above the floor");
    assert!(admitted.kept.is_none() && admitted.evicted.is_empty());
    fixture.now += FLOOR_HALF_LIFE * 6;
    assert_eq!(fixture.pool.min_fee(fixture.now), 1_000);
}

#[test]
fn threat_m3_an_evicted_parent_takes_its_children_along() {
    let one = memory_of(&Fixture::new(1).spend(1, 1_000));
    let mut fixture = Fixture::with_room(6, 3 * one);
    let parent = fixture.spend(1, 500);
    let child = fixture.child(&parent, 2_000);
    let others = [fixture.spend(2, 5_000), fixture.spend(3, 5_000)];
    for transaction in [&parent, &child, &others[0]] {
        fixture.add(transaction);
    }
    // One would do for room, but the child has nothing to stand on without its parent.
    let admitted = fixture.admit(&others[1]).expect("it pays");
    let evicted: BTreeSet<Txid> = admitted.evicted.iter().map(|evicted| evicted.txid).collect();
    assert_eq!(evicted, BTreeSet::from([parent.txid(), child.txid()]));
    fixture.check_links();
}

#[test]
fn of_equals_the_latest_is_evicted_first() {
    let one = memory_of(&Fixture::new(1).spend(1, 1_000));
    let mut fixture = Fixture::with_room(6, 2 * one);
    let twins = [fixture.spend(1, 1_000), fixture.spend(2, 1_000)];
    fixture.add(&twins[0]);
    fixture.add(&twins[1]);
    let better = fixture.spend(3, 2_000);
    let admitted = fixture.admit(&better).expect("it pays");
    assert_eq!(admitted.evicted, [Evicted::new(twins[1].txid(), "mempool-full")]);
}

#[test]
fn what_waited_too_long_leaves_with_what_stands_on_it() {
    let mut fixture = Fixture::new(2);
    let parent = fixture.spend(1, 1_000);
    fixture.add(&parent);
    fixture.now = Time::from_secs(100);
    let child = fixture.child(&parent, 1_000);
    let other = fixture.spend(2, 1_000);
    fixture.add(&child);
    fixture.add(&other);
    let due = Time::ZERO + MEMPOOL_EXPIRY;
    assert_eq!(fixture.pool.deadline(), Some(due));
    assert_eq!(fixture.pool.expire(Time::from_micros(due.as_micros() - 1)), []);
    let expired: BTreeSet<Txid> = fixture
        .pool
        .expire(due)
        .into_iter()
        .map(|evicted| evicted.txid)
        .collect();
    assert_eq!(expired, BTreeSet::from([parent.txid(), child.txid()]));
    assert!(fixture.pool.get(&other.txid()).is_some());
    fixture.check_links();
}

#[test]
fn a_miner_takes_the_packages_that_pay_best_parents_before_children() {
    let mut fixture = Fixture::new(4);
    let cheap_parent = fixture.spend(1, 500);
    let rich_child = fixture.child(&cheap_parent, 20_000);
    let good = fixture.spend(2, 5_000);
    let poor = fixture.spend(3, 1_000);
    for transaction in [&poor, &good, &cheap_parent, &rich_child] {
        fixture.add(transaction);
    }
    let selected = |limit| -> Vec<Txid> {
        let selection = fixture.pool.select(limit);
        selection
            .transactions
            .iter()
            .map(|transaction| transaction.txid())
            .collect()
    };
    let all = [cheap_parent.txid(), rich_child.txid(), good.txid(), poor.txid()];
    assert_eq!(selected(u64::MAX), all);
    let bytes = u64::from(good.bytes());
    assert_eq!(selected(3 * bytes), all[..3]);
    // Room for one: the pair does not fit, the best single does.
    assert_eq!(selected(bytes), [good.txid()]);
    assert_eq!(selected(0), []);
    let fees = fixture.pool.select(u64::MAX).fees;
    assert_eq!(fees, Amount::from_units(26_500));
}

/// A second child of a parent that was taken with the first no longer pays for it.
#[test]
fn a_package_is_worth_more_when_its_parent_has_been_paid_for() {
    let mut fixture = Fixture::new(3);
    let parent = fixture.split(1, 2, 1_000);
    let rich = fixture.child(&parent, 50_000);
    let second = fixture.world.spend_output(0, parent.outpoint(1), &parent, (4_000, 0));
    let between = fixture.spend(2, 3_000);
    for transaction in [&parent, &between, &second, &rich] {
        fixture.add(transaction);
    }
    // With its parent the second child pays less than the one between; alone it pays more.
    let together = FeeRate::new(Amount::from_units(5_000), u64::from(parent.bytes() + second.bytes()));
    assert!(together < FeeRate::new(Amount::from_units(3_000), u64::from(between.bytes())));
    let selection = fixture.pool.select(u64::MAX);
    let order: Vec<Txid> = selection
        .transactions
        .iter()
        .map(|transaction| transaction.txid())
        .collect();
    assert_eq!(order, [parent.txid(), rich.txid(), second.txid(), between.txid()]);
}
