//! The search for proof of work.

use std::ops::Range;

use base::Hash;
use sha2::block_api::compress256;

use crate::{BlockId, Header};

/// The first nonce in a range with which the header is proof of work; none when its bits are no target.
#[must_use]
pub fn search(header: &Header, nonces: Range<u32>) -> Option<u32> {
    let target = header.bits.target()?;
    let mut hasher = NonceHasher::new(header);
    nonces.into_iter().find(|nonce| target.is_met_by(&hasher.id(*nonce)))
}

/// Names headers that differ in their nonces alone.
///
/// SHA-256 takes 64 bytes at a time. The first 64 of a header do not change with the nonce, so they are compressed once; the other two
/// blocks are laid out with their padding beforehand. What is left of SHA-256d is two compressions a nonce instead of three.
struct NonceHasher {
    midstate: [u32; 8],
    /// The header's last 16 bytes, padded.
    tail: [u8; 64],
    /// The 32 bytes of the inner hash, padded.
    outer: [u8; 64],
}

impl NonceHasher {
    /// Where the nonce stands in the header's last 16 bytes.
    const NONCE: Range<usize> = 12..16;

    fn new(header: &Header) -> Self {
        let bytes = header.to_bytes();
        let (fixed, rest) = bytes.split_at(64);
        let mut midstate = INITIAL;
        compress256(&mut midstate, &[fixed.try_into().expect("64 bytes")]);
        Self {
            midstate,
            tail: padded(rest, Header::BYTES),
            outer: padded(&[0; 32], 32),
        }
    }

    fn id(&mut self, nonce: u32) -> BlockId {
        self.tail[Self::NONCE].copy_from_slice(&nonce.to_le_bytes());
        let mut inner = self.midstate;
        compress256(&mut inner, &[self.tail]);
        write_state(&inner, &mut self.outer[..32]);
        let mut state = INITIAL;
        compress256(&mut state, &[self.outer]);
        let mut id = [0; 32];
        write_state(&state, &mut id);
        BlockId(Hash(id))
    }
}

/// SHA-256's initial hash value (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The last block of a message of `length` bytes that ends with `end` (FIPS 180-4, 5.1.1). Both are short: 55 and 2^13 bytes at most.
fn padded(end: &[u8], length: usize) -> [u8; 64] {
    let bits = u16::try_from(8 * length).expect("a short message");
    let mut block = [0; 64];
    block[..end.len()].copy_from_slice(end);
    block[end.len()] = 0x80;
    block[62..].copy_from_slice(&bits.to_be_bytes());
    block
}

fn write_state(state: &[u32; 8], bytes: &mut [u8]) {
    for (bytes, word) in bytes.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
}

/// The header with the first nonce from 0 that makes it proof of work, when one is found within this many hashes.
#[must_use]
pub fn solve(header: &Header, max_hashes: u32) -> Option<Header> {
    search(header, 0..max_hashes).map(|nonce| Header { nonce, ..*header })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{CompactTarget, Params};

    fn header() -> Header {
        Params::instant().genesis_block().header
    }

    proptest! {
        #[test]
        fn every_nonce_gives_the_name_that_hashing_the_whole_header_gives(words: [[u8; 16]; 5], nonces: [u32; 4]) {
            let bytes = words.concat().try_into().expect("eighty bytes");
            let header = Header::from_bytes(&bytes);
            let mut hasher = NonceHasher::new(&header);
            for nonce in nonces {
                prop_assert_eq!(hasher.id(nonce), Header { nonce, ..header }.id());
            }
        }
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
