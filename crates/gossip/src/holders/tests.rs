//! What is known of peers, against a list of names for each of them.

use std::collections::BTreeMap;

use base::Hash;
use proptest::prelude::*;

use super::*;

const SECRET: [u64; 2] = [1, 2];

fn tx(number: usize) -> Wtxid {
    Wtxid(Hash::sha256(&[&number.to_le_bytes()]))
}

fn holders(peers: u32) -> Holders {
    let mut holders = Holders::new(SECRET);
    for peer in 0..peers {
        holders.add_peer(NodeId(peer));
    }
    holders
}

#[test]
fn a_name_is_new_only_once_and_for_each_peer() {
    let mut holders = holders(2);
    assert!(holders.insert(NodeId(0), &tx(7)));
    assert!(!holders.insert(NodeId(0), &tx(7)));
    assert!(holders.contains(NodeId(0), &tx(7)) && !holders.contains(NodeId(0), &tx(8)));
    assert!(!holders.contains(NodeId(1), &tx(7)) && !holders.all_have(&tx(7)));
    assert!(holders.insert(NodeId(1), &tx(7)));
    assert!(holders.all_have(&tx(7)) && !holders.all_have(&tx(8)));
    assert!(!holders.insert(NodeId(2), &tx(7)), "nobody knows that one");
}

#[test]
fn the_oldest_name_is_forgotten_above_the_limit_and_not_at_it() {
    let mut holders = holders(1);
    for number in 0..MAX_KNOWN {
        assert!(holders.insert(NodeId(0), &tx(number)));
    }
    assert!(holders.contains(NodeId(0), &tx(0)), "the limit itself is allowed");
    assert!(holders.insert(NodeId(0), &tx(MAX_KNOWN)));
    assert!(!holders.contains(NodeId(0), &tx(0)));
    assert!(holders.contains(NodeId(0), &tx(1)) && holders.contains(NodeId(0), &tx(MAX_KNOWN)));
    assert_eq!((holders.rows.len(), holders.names.len()), (MAX_KNOWN, MAX_KNOWN));
}

#[test]
fn what_one_peer_announces_takes_no_room_of_what_others_have() {
    let mut holders = holders(2);
    for number in 0..MAX_KNOWN {
        holders.insert(NodeId(0), &tx(number));
    }
    for number in 0..100 * MAX_KNOWN {
        holders.insert(NodeId(1), &tx(1_000_000 + number));
    }
    assert!((0..MAX_KNOWN).all(|number| holders.contains(NodeId(0), &tx(number))));
    assert_eq!(holders.held, 2 * MAX_KNOWN);
    assert!(holders.rows.len() <= holders.held + holders.held / 4 + SLACK + 1);
    holders.remove_peer(NodeId(0));
    holders.remove_peer(NodeId(1));
    assert!(holders.rows.is_empty() && holders.bits.is_empty() && holders.names.is_empty());
}

#[test]
fn more_peers_than_a_word_has_bits_keep_what_they_have() {
    let mut holders = holders(64);
    for peer in 0..64 {
        holders.insert(NodeId(peer), &tx(peer as usize % 3));
    }
    for peer in 64..200 {
        holders.add_peer(NodeId(peer));
    }
    holders.insert(NodeId(199), &tx(0));
    for peer in 0..200 {
        for number in 0..3 {
            let has = if peer < 64 {
                peer as usize % 3 == number
            } else {
                peer == 199 && number == 0
            };
            assert_eq!(holders.contains(NodeId(peer), &tx(number)), has);
        }
    }
    let mut new = Vec::new();
    holders.insert_for(&tx(1), |at| at != 5, &mut new);
    assert_eq!(new.len(), 200 - 21 - 1);
    assert!(!holders.all_have(&tx(1)));
    holders.remove_peer(NodeId(5));
    assert!(holders.all_have(&tx(1)));
}

#[derive(Clone, Debug)]
enum Step {
    Add(u32),
    Remove(u32),
    Has(u32, usize),
    AllHave(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => (0..5_u32).prop_map(Step::Add),
        1 => (0..5_u32).prop_map(Step::Remove),
        40 => (0..5_u32, 0..400_usize).prop_map(|(peer, name)| Step::Has(peer, name)),
        2 => (0..400_usize).prop_map(Step::AllHave),
    ];
    prop::collection::vec(step, 0..1_500)
}

/// What one would write down for one peer: names by the age of their rows.
type Noted = BTreeMap<u64, usize>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happens_each_peer_has_what_was_noted_for_it(steps in steps()) {
        let mut holders = Holders::new(SECRET);
        let mut noted: BTreeMap<u32, Noted> = BTreeMap::new();
        // When each name was first heard of, since anybody last had it.
        let mut ages: BTreeMap<usize, u64> = BTreeMap::new();
        let (mut now, mut most) = (0, 0);
        for step in steps {
            now += 1;
            let heard = match step {
                Step::Add(peer) => {
                    holders.add_peer(NodeId(peer));
                    noted.entry(peer).or_default();
                    Vec::new()
                }
                Step::Remove(peer) => {
                    holders.remove_peer(NodeId(peer));
                    noted.remove(&peer);
                    Vec::new()
                }
                Step::Has(peer, name) => {
                    let is_new = noted.get(&peer).is_some_and(|names| names.values().all(|other| *other != name));
                    prop_assert_eq!(holders.insert(NodeId(peer), &tx(name)), is_new);
                    if is_new { vec![(peer, name)] } else { Vec::new() }
                }
                Step::AllHave(name) => {
                    let lacking = |names: &Noted| names.values().all(|other| *other != name);
                    let lack: Vec<u32> = noted.iter().filter(|(_, names)| lacking(names)).map(|(peer, _)| *peer).collect();
                    let mut new = Vec::new();
                    holders.insert_for(&tx(name), |_| true, &mut new);
                    prop_assert_eq!(new.iter().map(|at| holders.peer(*at).0).collect::<Vec<u32>>(), lack.clone());
                    lack.into_iter().map(|peer| (peer, name)).collect()
                }
            };
            for (peer, name) in heard {
                let age = *ages.entry(name).or_insert(now);
                let names = noted.get_mut(&peer).expect("it is there");
                names.insert(age, name);
                if names.len() > MAX_KNOWN {
                    names.pop_first();
                }
            }
            most = most.max(holders.held);
            prop_assert!(holders.rows.len() <= most + most / 4 + SLACK + 1 && holders.names.len() == holders.held);
            ages.retain(|_, age| noted.values().any(|names| names.contains_key(age)));
        }
        let rows = noted.values().flat_map(|names| names.values()).collect::<std::collections::BTreeSet<_>>();
        prop_assert_eq!(holders.held, rows.len());
        for (peer, names) in &noted {
            for name in 0..400 {
                let has = names.values().any(|other| *other == name);
                prop_assert_eq!(holders.contains(NodeId(*peer), &tx(name)), has, "{} {}", peer, name);
            }
        }
    }
}
