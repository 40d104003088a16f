//! Which peers have what, against a list of names for each peer.

use std::collections::BTreeSet;

use base::Seed;

use super::*;

/// Peers come and go among a hundred and thirty, so that rows grow by a word and their bits move over the edges of words.
#[test]
fn who_is_known_to_have_what_moves_with_the_peers() {
    let mut fixture = Fixture::new(4);
    let rows: Vec<u32> = (1..=3)
        .map(|height| {
            let transaction = fixture.spend(height, 1_000);
            fixture.add(&transaction);
            fixture.pool.find(&transaction.wtxid()).expect("it was let in")
        })
        .collect();
    let mut rng = Seed::from_number(1).child("holders", 0).rng();
    // What each peer has, by its place.
    let mut peers: Vec<BTreeSet<u32>> = Vec::new();
    for step in 0..3_000 {
        let grows = if step < 1_500 { 0.4 } else { 0.2 };
        if peers.is_empty() || (peers.len() < 130 && rng.chance(grows)) {
            let at = rng.index(peers.len() + 1);
            fixture.pool.insert_holder(at);
            peers.insert(at, BTreeSet::new());
        } else if rng.chance(0.4) {
            let at = rng.index(peers.len());
            fixture.pool.remove_holder(at);
            peers.remove(at);
        } else {
            let (at, row) = (rng.index(peers.len()), rows[rng.index(rows.len())]);
            assert_eq!(fixture.pool.add_holder(row, at), peers[at].insert(row));
        }
        for (at, has) in peers.iter().enumerate() {
            for row in &rows {
                assert_eq!(fixture.pool.has_holder(*row, at), has.contains(row), "{step}");
            }
        }
    }
}

#[test]
fn nobody_is_known_to_have_what_takes_the_row_of_another() {
    let mut fixture = Fixture::new(2);
    let first = fixture.spend(1, 1_000);
    fixture.add(&first);
    let row = fixture.pool.find(&first.wtxid()).expect("it was let in");
    assert!(fixture.pool.add_holder(row, 70));
    fixture.pool.remove_with_descendants(&first.txid());
    let second = fixture.spend(2, 1_000);
    fixture.add(&second);
    assert_eq!(fixture.pool.find(&second.wtxid()), Some(row));
    assert!(!fixture.pool.has_holder(row, 70));
}
