//! Who has to make room when a node has as many inbound peers as it takes, and another comes (THREATS P10).
//!
//! Bitcoin Core's `SelectNodeToEvict`: peers that would be costly to imitate stay, some for each way of being so, and of the rest half, those
//! that have been here longest. Of what is left the youngest of the largest group of addresses goes: whoever fills a node from few
//! addresses pushes out its own.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use base::{Hash, NodeId, Seed, Time};

use crate::limits::{PROTECTED_BY_BLOCKS, PROTECTED_BY_GROUP, PROTECTED_BY_PING, PROTECTED_BY_TRANSACTIONS};

/// Addresses that one party is likely to have many of: the first 16 bits of IPv4, 32 of IPv6 (Core's `GetGroup`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Group {
    V4([u8; 2]),
    V6([u8; 4]),
    Unknown,
}

impl Group {
    pub(super) fn of(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => Self::V4([address.octets()[0], address.octets()[1]]),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.octets();
                Self::V6([a, b, c, d])
            }
            None => Self::Unknown,
        }
    }

    /// A number that nobody else can tell, so that nobody can choose addresses by it.
    fn rank(&self, seed: &Seed) -> Hash {
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::V4(bytes) => (4, bytes),
            Self::V6(bytes) => (6, bytes),
            Self::Unknown => (0, &[]),
        };
        Hash::tagged("nakanet/group", &[seed.bytes(), &[kind], bytes])
    }
}

/// An inbound peer, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Guest {
    pub(super) peer: NodeId,
    pub(super) group: Group,
    pub(super) since: Time,
    /// Its quickest answer to a ping.
    pub(super) ping: Option<Duration>,
    /// When it last sent a block, or a transaction, that was news here.
    pub(super) last_block: Option<Time>,
    pub(super) last_transaction: Option<Time>,
}

/// The inbound peer that is to go; none when all of them are to stay.
pub(super) fn victim(mut guests: Vec<Guest>, seed: &Seed) -> Option<NodeId> {
    protect(&mut guests, PROTECTED_BY_GROUP, |guest| guest.group.rank(seed));
    protect(&mut guests, PROTECTED_BY_PING, |guest| {
        guest.ping.unwrap_or(Duration::MAX)
    });
    protect(&mut guests, PROTECTED_BY_TRANSACTIONS, |guest| {
        Reverse(guest.last_transaction)
    });
    protect(&mut guests, PROTECTED_BY_BLOCKS, |guest| Reverse(guest.last_block));
    let half = guests.len() / 2;
    protect(&mut guests, half, |guest| guest.since);
    let mut groups: BTreeMap<Group, Vec<Guest>> = BTreeMap::new();
    for guest in guests {
        groups.entry(guest.group).or_default().push(guest);
    }
    let youngest = |group: &Vec<Guest>| group.iter().map(|guest| guest.since).max();
    let largest = groups
        .into_values()
        .max_by_key(|group| (group.len(), youngest(group)))?;
    largest
        .iter()
        .max_by_key(|guest| (guest.since, guest.peer))
        .map(|guest| guest.peer)
}

/// Takes out the first so many in this order. Who came first comes first among equals.
fn protect<K: Ord>(guests: &mut Vec<Guest>, count: usize, key: impl Fn(&Guest) -> K) {
    guests.sort_by_cached_key(|guest| (key(guest), guest.since, guest.peer));
    guests.drain(..count.min(guests.len()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed() -> Seed {
        Seed::from_number(1)
    }

    fn guest(number: u32, address: &str) -> Guest {
        Guest {
            peer: NodeId(number),
            group: Group::of(Some(address.parse().expect("an address"))),
            since: Time::from_secs(u64::from(number)),
            ping: Some(Duration::from_millis(u64::from(number))),
            last_block: None,
            last_transaction: None,
        }
    }

    #[test]
    fn threat_p10_whoever_fills_a_node_from_one_network_pushes_out_its_own() {
        let mut guests: Vec<Guest> = (0..115).map(|number| guest(number, "127.9.0.1")).collect();
        let honest = guest(1_000, "10.1.2.3");
        let first = victim(guests.clone(), &seed()).expect("there is a crowd");
        guests.retain(|guest| guest.peer != first);
        guests.push(honest);
        for number in 2_000..3_000 {
            let newcomer = guest(number, "127.9.200.200");
            let gone = victim(guests.clone(), &seed()).expect("there is a crowd");
            guests.retain(|guest| guest.peer != gone);
            guests.push(newcomer);
            assert_eq!(guests.len(), 115);
        }
        assert!(
            guests.contains(&honest),
            "it came after most, from elsewhere, and is still here"
        );
    }

    #[test]
    fn threat_p10_peers_that_were_of_use_stay_whatever_crowd_they_come_with() {
        let mut guests: Vec<Guest> = (100..200).map(|number| guest(number, "127.9.0.1")).collect();
        let last = guests.len() - 1;
        guests[last].last_block = Some(Time::from_secs(500));
        guests[last - 1].last_transaction = Some(Time::from_secs(500));
        guests[last - 2].ping = Some(Duration::from_micros(1));
        let useful = [197, 198, 199].map(NodeId);
        for left in (PROTECTED_BY_BLOCKS..70).rev() {
            let gone = victim(guests.clone(), &seed()).expect("there is a crowd");
            assert!(!useful.contains(&gone), "{gone} goes with {left} left");
            guests.retain(|guest| guest.peer != gone);
        }
        // And of the rest those that have been here longest.
        assert!(guests.iter().any(|guest| guest.peer == NodeId(100 + 30)));
    }

    #[test]
    fn few_peers_are_all_worth_keeping() {
        let few = PROTECTED_BY_GROUP + PROTECTED_BY_PING + PROTECTED_BY_TRANSACTIONS + PROTECTED_BY_BLOCKS;
        let guests: Vec<Guest> = (0..u32::try_from(few).expect("few"))
            .map(|number| guest(number, "127.9.0.1"))
            .collect();
        assert_eq!(victim(guests.clone(), &seed()), None);
        let mut more = guests;
        more.push(guest(999, "127.9.0.1"));
        assert!(victim(more, &seed()).is_some());
    }

    #[test]
    fn groups_are_of_networks_and_the_same_in_any_notation() {
        let group = |text: &str| Group::of(Some(text.parse().expect("an address")));
        assert_eq!(group("10.1.2.3"), group("10.1.250.9"));
        assert_eq!(group("10.1.2.3"), group("::ffff:10.1.0.1"));
        assert_ne!(group("10.1.2.3"), group("10.2.2.3"));
        assert_eq!(group("2001:db8:1::1"), group("2001:db8:2::1"));
        assert_ne!(group("2001:db8::1"), group("2001:db9::1"));
    }
}
