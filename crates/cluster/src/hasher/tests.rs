//! The thread: it solves what was assigned last, for everybody, and ends when told. How much it hashes is the meter's, tested there.

use chain::{CompactTarget, Params};
use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

fn template(expected_hashes: u128, on_demand: bool) -> Template {
    let mut header = *Params::instant().genesis_block().header;
    header.bits = CompactTarget::from_expected_hashes(expected_hashes);
    Template { header, on_demand }
}

fn is_solved(header: &Header) -> bool {
    header
        .bits
        .target()
        .is_some_and(|target| target.is_met_by(&header.id()))
}

#[tokio::test]
async fn blocks_on_demand_are_found_whatever_the_rate() {
    let hasher = Hasher::start(Clock::start());
    let mut seats = [hasher.seat(NodeId(0)), hasher.seat(NodeId(1))];
    for seat in &mut seats {
        seat.assign(Some(template(50_000, true)), HashRate::ZERO);
    }
    for seat in &mut seats {
        let header = timeout(PATIENCE, seat.solved()).await.expect("found in time");
        assert!(is_solved(&header));
    }
    assert_eq!(hasher.missed(), 0);
}

#[tokio::test]
async fn metered_blocks_are_found() {
    let hasher = Hasher::start(Clock::start());
    let mut seat = hasher.seat(NodeId(7));
    for _ in 0..3 {
        seat.assign(Some(template(20, false)), HashRate(1_000));
        assert!(is_solved(
            &timeout(PATIENCE, seat.solved()).await.expect("found in time")
        ));
    }
}

#[tokio::test]
async fn only_the_template_assigned_last_is_answered() {
    let hasher = Hasher::start(Clock::start());
    let mut seat = hasher.seat(NodeId(0));
    for version in 1..=100 {
        let mut template = template(2, true);
        template.header.version = version;
        seat.assign(Some(template), HashRate::ZERO);
    }
    let header = timeout(PATIENCE, seat.solved()).await.expect("found in time");
    assert_eq!(header.version, 100);
}

#[tokio::test]
async fn a_search_that_would_last_for_ever_gives_way_at_once() {
    let hasher = Hasher::start(Clock::start());
    let mut endless = hasher.seat(NodeId(0));
    let mut metered = hasher.seat(NodeId(1));
    endless.assign(Some(template(u128::MAX, true)), HashRate::ZERO);
    metered.assign(Some(template(u128::MAX, false)), HashRate(u64::MAX));
    let mut other = hasher.seat(NodeId(2));
    other.assign(Some(template(2, true)), HashRate::ZERO);
    assert!(is_solved(
        &timeout(PATIENCE, other.solved()).await.expect("found in time")
    ));
    endless.assign(Some(template(2, true)), HashRate::ZERO);
    assert!(is_solved(
        &timeout(PATIENCE, endless.solved()).await.expect("found in time")
    ));
    drop(hasher);
}
