//! Bitcoin's merkle tree, and the mutation it allows (CVE-2012-2459).
//!
//! A level of odd length repeats its last node, so a body whose tail is doubled has the root of the body without: one header, two bodies.
//! Such a body always has two equal neighbours at some level, which an honest one never has.

use base::Hash;

/// A merkle root, and whether another list of leaves may have the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Root {
    /// The root; [`Hash::ZERO`] for no leaves.
    pub hash: Hash,
    /// Two neighbours that form a pair were equal at some level.
    pub mutated: bool,
}

/// The root over leaves, in their order.
#[must_use]
pub fn root(leaves: impl IntoIterator<Item = Hash>) -> Root {
    let mut level: Vec<Hash> = leaves.into_iter().collect();
    let mut mutated = false;
    while level.len() > 1 {
        mutated |= level.chunks_exact(2).any(|pair| pair[0] == pair[1]);
        level = level
            .chunks(2)
            .map(|pair| node(&pair[0], pair.last().unwrap_or(&pair[0])))
            .collect();
    }
    Root {
        hash: level.first().copied().unwrap_or(Hash::ZERO),
        mutated,
    }
}

/// An inner node: 64 bytes, which no transaction's preimage is.
fn node(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&left.0);
    bytes[32..].copy_from_slice(&right.0);
    Hash::sha256d(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|i| Hash::sha256(&[&[i]])).collect()
    }

    /// Block 100,000 of Bitcoin: four transactions.
    #[test]
    fn a_real_block_has_its_root() {
        let leaves = [
            "8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87",
            "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4",
            "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4",
            "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d",
        ]
        .map(|text| text.parse().expect("a hash"));
        let root = root(leaves);
        assert_eq!(
            root.hash.to_string(),
            "f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766"
        );
        assert!(!root.mutated);
    }

    #[test]
    fn no_leaves_have_the_zero_root_and_one_is_its_own() {
        assert_eq!(root([]).hash, Hash::ZERO);
        let one = leaves(1)[0];
        assert_eq!(
            root([one]),
            Root {
                hash: one,
                mutated: false
            }
        );
    }

    /// Any other list with the same root is found out: every doubled tail, for every length up to 33.
    #[test]
    fn every_doubled_tail_has_another_root_or_is_seen() {
        for count in 1..=33 {
            let honest = leaves(count);
            let wanted = root(honest.iter().copied());
            assert!(!wanted.mutated);
            let mut twins = 0;
            for from in 0..honest.len() {
                let doubled = root(honest.iter().chain(&honest[from..]).copied());
                twins += usize::from(doubled.hash == wanted.hash);
                assert!(
                    doubled.hash != wanted.hash || doubled.mutated,
                    "{count} leaves, tail from {from}"
                );
            }
            assert_eq!(twins > 0, !count.is_power_of_two(), "{count} leaves");
        }
    }

    #[test]
    fn every_truncation_and_every_swap_has_another_root() {
        for count in 2..=33 {
            let honest = leaves(count);
            let wanted = root(honest.iter().copied()).hash;
            for end in 0..honest.len() {
                assert_ne!(root(honest[..end].iter().copied()).hash, wanted);
            }
            for at in 1..honest.len() {
                let mut swapped = honest.clone();
                swapped.swap(at - 1, at);
                assert_ne!(root(swapped).hash, wanted);
            }
        }
    }
}
