//! SHA-256d of a header's eighty bytes, by single compressions.
//!
//! SHA-256 takes 64 bytes at a time, so a header is two blocks and its inner hash a third. The blocks are laid out here with their padding,
//! which saves a hasher's buffers; and the first does not change with the nonce, so that a search for one compresses it once.

use std::ops::Range;

use base::Hash;
use sha2::block_api::compress256;

use super::{BlockId, Header};

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

/// Names headers that differ in their nonces alone, some at a time: a block that has just been written in pieces is not read as fast as one
/// that was written a while ago.
pub(crate) struct NonceHasher {
    midstate: [u32; 8],
    /// The header's last 16 bytes, padded.
    tails: [[u8; 64]; Self::NONCES],
    /// The 32 bytes of the inner hash, padded.
    outers: [[u8; 64]; Self::NONCES],
}

impl NonceHasher {
    /// How many are named at a time.
    pub(crate) const NONCES: usize = 4;
    /// Where the nonce stands in the header's last 16 bytes.
    const NONCE: Range<usize> = 12..16;

    /// What a header's first 64 bytes come to.
    pub(crate) fn new(header: &Header) -> Self {
        let (midstate, tail) = begin(header);
        Self {
            midstate,
            tails: [tail; Self::NONCES],
            outers: [padding::<32>(); Self::NONCES],
        }
    }

    /// The header's names with this nonce and those after it.
    pub(crate) fn ids(&mut self, first: u32) -> [BlockId; Self::NONCES] {
        for (tail, nonce) in self.tails.iter_mut().zip(first..=u32::MAX) {
            tail[Self::NONCE].copy_from_slice(&nonce.to_le_bytes());
        }
        for (tail, outer) in self.tails.iter().zip(&mut self.outers) {
            let mut state = self.midstate;
            compress256(&mut state, std::slice::from_ref(tail));
            write_state(&state, outer);
        }
        self.outers.map(|outer| finish(&outer))
    }
}

/// The name of a header.
pub(super) fn id(header: &Header) -> BlockId {
    let (mut state, tail) = begin(header);
    compress256(&mut state, std::slice::from_ref(&tail));
    let mut outer = padding::<32>();
    write_state(&state, &mut outer);
    finish(&outer)
}

/// How many headers [`ids`] names at a time.
pub(super) const GROUP: usize = 4;

/// The names of the headers of which these are the bytes, of the first [`GROUP`] of them: side by side, for the reason that [`NonceHasher`] has.
pub(super) fn ids(headers: &[[u8; Header::BYTES]]) -> [BlockId; GROUP] {
    let mut tails = [padding::<{ Header::BYTES }>(); GROUP];
    let mut outers = [padding::<32>(); GROUP];
    let mut ids = [BlockId::ZERO; GROUP];
    for (tail, header) in tails.iter_mut().zip(headers) {
        tail[..Header::BYTES - 64].copy_from_slice(&header[64..]);
    }
    for ((outer, tail), header) in outers.iter_mut().zip(&tails).zip(headers) {
        let mut state = INITIAL;
        let first = header.first_chunk().expect("64 of 80 bytes");
        compress256(&mut state, std::slice::from_ref(first));
        compress256(&mut state, std::slice::from_ref(tail));
        write_state(&state, outer);
    }
    for ((id, outer), _) in ids.iter_mut().zip(&outers).zip(headers) {
        *id = finish(outer);
    }
    ids
}

/// What a header's first 64 bytes come to, and the rest, padded.
fn begin(header: &Header) -> ([u32; 8], [u8; 64]) {
    let bytes = header.to_bytes();
    let (first, rest) = bytes.split_first_chunk().expect("64 of 80 bytes");
    let mut midstate = INITIAL;
    compress256(&mut midstate, std::slice::from_ref(first));
    let mut tail = padding::<{ Header::BYTES }>();
    tail[..rest.len()].copy_from_slice(rest);
    (midstate, tail)
}

/// The hash of an inner hash, which is padded.
fn finish(outer: &[u8; 64]) -> BlockId {
    let mut state = INITIAL;
    compress256(&mut state, std::slice::from_ref(outer));
    let mut id = [0; 32];
    write_state(&state, &mut id);
    BlockId(Hash(id))
}

/// The last block of a message of `LENGTH` bytes, as far as it is padding (FIPS 180-4, 5.1.1). Messages are short: 2^13 bytes at most.
const fn padding<const LENGTH: usize>() -> [u8; 64] {
    let [.., high, low] = (8 * LENGTH).to_be_bytes();
    let mut block = [0; 64];
    block[LENGTH % 64] = 0x80;
    block[62] = high;
    block[63] = low;
    block
}

fn write_state(state: &[u32; 8], bytes: &mut [u8]) {
    for (bytes, word) in bytes.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_nonce_gives_the_name_that_hashing_the_whole_header_gives(words: [[u8; 16]; 5], nonces: [u32; 4]) {
            let bytes = words.concat().try_into().expect("eighty bytes");
            let header = Header::from_bytes(&bytes);
            prop_assert_eq!(id(&header).0, Hash::sha256d(&bytes));
            for count in 0..=GROUP + 1 {
                let named = ids(&vec![bytes; count]).map(|id| id == super::id(&header));
                prop_assert!((0..GROUP).all(|at| named[at] == (at < count)));
            }
            let mut hasher = NonceHasher::new(&header);
            for first in nonces {
                for (nonce, id) in (first..=u32::MAX).zip(hasher.ids(first)) {
                    let header = Header { nonce, ..header };
                    prop_assert_eq!(id.0, Hash::sha256d(&header.to_bytes()));
                }
            }
        }
    }
}
