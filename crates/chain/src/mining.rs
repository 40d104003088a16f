//! The search for proof of work.

use std::ops::Range;

use crate::Header;
use crate::header::NonceHasher;

/// The first nonce in a range with which the header is proof of work; none when its bits are no target.
#[must_use]
pub fn search(header: &Header, nonces: Range<u32>) -> Option<u32> {
    let target = header.bits.target()?;
    let mut hasher = NonceHasher::new(header);
    let mut firsts = nonces.clone().step_by(NonceHasher::NONCES);
    firsts.find_map(|first| {
        let mut named = (first..nonces.end).zip(hasher.ids(first));
        named.find(|(_, id)| target.is_met_by(id)).map(|(nonce, _)| nonce)
    })
}

/// The header with the first nonce from 0 that makes it proof of work, when one is found within this many hashes.
#[must_use]
pub fn solve(header: &Header, max_hashes: u32) -> Option<Header> {
    search(header, 0..max_hashes).map(|nonce| Header { nonce, ..*header })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockId, CompactTarget, Params};

    fn header() -> Header {
        *Params::instant().genesis_block().header
    }

    #[test]
    fn the_nonce_found_is_the_first_that_meets_the_target() {
        let header = Header {
            bits: CompactTarget::from_expected_hashes(500),
            ..header()
        };
        let target = header.bits.target().expect("a valid target");
        let found = search(&header, 0..100_000).expect("200 times the hashes it takes");
        let met = |nonce: u32| target.is_met_by(&Header { nonce, ..header }.id());
        assert!(met(found));
        assert!((0..found).all(|nonce| !met(nonce)));
        assert_eq!(search(&header, 0..found), None);
        assert_eq!(search(&header, found..found + 1), Some(found));
        assert_eq!(solve(&header, 100_000).map(|solved| solved.nonce), Some(found));
    }

    #[test]
    fn bits_that_are_no_target_are_never_met() {
        let header = Header {
            bits: CompactTarget(0),
            ..header()
        };
        assert_eq!(search(&header, 0..1_000), None);
    }

    /// Bitcoin's genesis block.
    #[test]
    fn a_real_nonce_is_found_again() {
        let header = Header {
            version: 1,
            parent: BlockId::ZERO,
            merkle_root: "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
                .parse()
                .expect("a hash"),
            time: 1_231_006_505,
            bits: CompactTarget(0x1d00_ffff),
            nonce: 0,
        };
        assert_eq!(search(&header, 2_083_236_000..2_083_237_000), Some(2_083_236_893));
    }
}
