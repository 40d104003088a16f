//! What keeping orphans means, and random operations that try to break its books.

use base::Hash;
use chain::transaction::TransactionParts;
use chain::{Amount, OutPoint, Owner, TxOutput};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::*;

const A: NodeId = NodeId(1);
const B: NodeId = NodeId(2);

fn parent(number: u64) -> Txid {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Txid(Hash(bytes))
}

/// An orphan of these parents; `number` tells it apart, `fill` makes it larger.
fn orphan(number: u64, parents: &[u64], fill: usize) -> Arc<Transaction> {
    let inputs = parents.iter().map(|each| OutPoint {
        txid: parent(*each),
        index: 0,
    });
    Arc::new(Transaction::new(TransactionParts {
        version: 1,
        coinbase: None,
        inputs: inputs.collect(),
        outputs: vec![TxOutput {
            value: Amount::from_units(number),
            owner: Owner([0; 32]),
        }],
        memo: vec![0; fill],
        signatures: Vec::new(),
    }))
}

/// Caps hold, and every fact that is kept twice agrees with itself.
fn check_books(orphans: &Orphans) -> TestCaseResult {
    prop_assert!(orphans.len() <= MAX_ORPHANS);
    prop_assert!(orphans.bytes <= MAX_ORPHAN_BYTES);
    let bytes_of = |wtxid: &Wtxid| u64::from(orphans.orphans[wtxid].transaction.bytes());
    prop_assert_eq!(orphans.bytes, orphans.orphans.keys().map(bytes_of).sum::<u64>());
    let (mut of_orphans, mut of_accounts) = (BTreeSet::new(), BTreeSet::new());
    let mut children: BTreeMap<Txid, BTreeSet<Wtxid>> = BTreeMap::new();
    for (wtxid, orphan) in &orphans.orphans {
        prop_assert!(!orphan.senders.is_empty());
        of_orphans.extend(orphan.senders.iter().map(|(peer, place)| (*peer, *place, *wtxid)));
        for input in orphan.transaction.inputs() {
            children.entry(input.txid).or_default().insert(*wtxid);
        }
    }
    for (peer, account) in &orphans.accounts {
        prop_assert!(!account.oldest_first.is_empty());
        prop_assert!(account.bytes <= MAX_ORPHAN_BYTES_PER_PEER);
        prop_assert_eq!(account.bytes, account.oldest_first.values().map(bytes_of).sum::<u64>());
        of_accounts.extend(
            account
                .oldest_first
                .iter()
                .map(|(place, wtxid)| (*peer, *place, *wtxid)),
        );
    }
    prop_assert_eq!(of_orphans, of_accounts);
    prop_assert_eq!(&children, &orphans.children);
    Ok(())
}

#[test]
fn an_orphan_is_found_by_each_of_its_parents_until_it_is_removed() {
    let mut orphans = Orphans::new();
    let child = orphan(1, &[7, 8], 0);
    assert!(orphans.insert(A, &child));
    assert_eq!(orphans.children_of(&parent(7)), [(A, Arc::clone(&child))]);
    assert_eq!(orphans.children_of(&parent(8)), [(A, Arc::clone(&child))]);
    assert_eq!(orphans.children_of(&parent(9)), []);
    orphans.remove(&child.wtxid());
    assert_eq!(orphans.children_of(&parent(7)), []);
    assert!(orphans.is_empty() && orphans.is_empty_of(A));
}

#[test]
fn an_orphan_stays_while_one_of_its_senders_does() {
    let mut orphans = Orphans::new();
    let child = orphan(1, &[7], 0);
    orphans.insert(B, &child);
    orphans.insert(A, &child);
    orphans.insert(A, &child);
    assert_eq!(orphans.len(), 1);
    orphans.remove_peer(B);
    assert!(orphans.is_empty_of(B));
    assert_eq!(orphans.children_of(&parent(7)), [(A, child)]);
    orphans.remove_peer(A);
    assert!(orphans.is_empty() && orphans.is_empty_of(A));
}

#[test]
fn a_peer_that_sends_too_many_bytes_loses_its_own_oldest() {
    let mut orphans = Orphans::new();
    let of_others = orphan(0, &[7], 10_000);
    orphans.insert(B, &of_others);
    let (first, second, third) = (
        orphan(1, &[7], 50_000),
        orphan(2, &[7], 50_000),
        orphan(3, &[7], 50_000),
    );
    assert!(orphans.insert(A, &first));
    assert!(orphans.insert(A, &second));
    assert!(
        orphans.contains(&first.wtxid()),
        "{MAX_ORPHAN_BYTES_PER_PEER} bytes are allowed"
    );
    assert!(orphans.insert(A, &third));
    assert!(!orphans.contains(&first.wtxid()));
    assert!(orphans.contains(&second.wtxid()) && orphans.contains(&of_others.wtxid()));
}

#[test]
fn a_transaction_of_the_greatest_size_fits_an_account() {
    let greatest = u64::from(chain::limits::MAX_TRANSACTION_BYTES);
    const { assert!(MAX_ORPHAN_BYTES_PER_PEER >= chain::limits::MAX_TRANSACTION_BYTES as u64) };
    let fill = usize::try_from(greatest - 200).expect("fits");
    assert!(Orphans::new().insert(A, &orphan(1, &[7], fill)));
}

/// Whoever comes when all is full takes the room of those who filled it, and not its own.
#[test]
fn threat_m2_an_honest_peers_orphans_find_room_where_others_took_all() {
    let mut orphans = Orphans::new();
    let mut number = 1_000;
    let mut flood = |orphans: &mut Orphans, fill: usize| {
        number += 1;
        let attacker = NodeId(100 + u32::try_from(number % 50).expect("below fifty"));
        assert!(orphans.insert(attacker, &orphan(number, &[number], fill)));
    };
    // Full of bytes first, then of orphans.
    for fill in [5_000, 0] {
        (0..5_000).for_each(|_| flood(&mut orphans, fill));
        let honest: Vec<_> = (0..20).map(|number| orphan(number, &[7, fill as u64], 60)).collect();
        for orphan in &honest {
            assert!(orphans.insert(A, orphan));
        }
        (0..500).for_each(|_| flood(&mut orphans, fill));
        assert!(honest.iter().all(|orphan| orphans.contains(&orphan.wtxid())), "{fill}");
        check_books(&orphans).unwrap();
    }
}

#[test]
fn threat_m2_an_honest_peers_orphans_survive_a_flood_from_fifty_others() {
    let mut orphans = Orphans::new();
    let honest: Vec<_> = (0..20).map(|number| orphan(number, &[7], 60)).collect();
    for orphan in &honest {
        assert!(orphans.insert(A, orphan));
    }
    for number in 20..20_000 {
        let attacker = NodeId(100 + u32::try_from(number % 50).expect("below fifty"));
        let is_kept = orphans.insert(attacker, &orphan(number, &[number], 0));
        assert!(is_kept, "the attacker's oldest goes first");
        assert!(orphans.len() <= MAX_ORPHANS);
    }
    assert_eq!(orphans.len(), MAX_ORPHANS);
    assert!(honest.iter().all(|orphan| orphans.contains(&orphan.wtxid())));
}

#[test]
fn the_total_of_bytes_is_bounded_however_many_peers_send() {
    let mut orphans = Orphans::new();
    for number in 0..100 {
        let peer = NodeId(u32::try_from(number).expect("below a hundred"));
        orphans.insert(peer, &orphan(number, &[7], 90_000));
        assert!(orphans.bytes <= MAX_ORPHAN_BYTES);
    }
    assert_eq!(orphans.len(), 11, "1 MiB holds 11 of 90 kB");
}

#[derive(Clone, Debug)]
enum Step {
    Insert(NodeId, u64),
    Remove(u64),
    RemovePeer(NodeId),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let peer = || (0_u32..4).prop_map(NodeId);
    let step = prop_oneof![
        8 => (peer(), 0_u64..30).prop_map(|(peer, number)| Step::Insert(peer, number)),
        2 => (0_u64..30).prop_map(Step::Remove),
        1 => peer().prop_map(Step::RemovePeer),
    ];
    prop::collection::vec(step, 0..100)
}

/// Thirty orphans of all sizes; some share parents, some name one twice.
fn numbered(number: u64) -> Arc<Transaction> {
    let fill = usize::try_from(number * 3_000).expect("fits");
    orphan(number, &[number % 5, number % 3, 1], fill)
}

proptest! {
    #[test]
    fn whatever_happens_the_books_agree_and_nothing_of_a_peer_that_left_remains(steps in steps()) {
        let mut orphans = Orphans::new();
        for step in steps {
            match step {
                Step::Insert(peer, number) => {
                    let is_kept = orphans.insert(peer, &numbered(number));
                    prop_assert_eq!(is_kept, orphans.contains(&numbered(number).wtxid()));
                }
                Step::Remove(number) => {
                    orphans.remove(&numbered(number).wtxid());
                    prop_assert!(!orphans.contains(&numbered(number).wtxid()));
                }
                Step::RemovePeer(peer) => {
                    orphans.remove_peer(peer);
                    prop_assert!(orphans.is_empty_of(peer));
                    prop_assert!(orphans.orphans.values().all(|orphan| !orphan.senders.contains_key(&peer)));
                }
            }
            check_books(&orphans)?;
        }
    }
}
