//! A block as the database keeps it: the hash of its bytes, then its bytes.
//!
//! Bytes are bincode's, fixed-width and little-endian; only their one canonical form is accepted. The hash is ours and checked on every read,
//! so that a bit that rots where the database does not look is noticed here (THREATS D3).

use base::Hash;
use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use chain::Block;

use crate::limits::MAX_RECORD_BYTES;

const CONFIG: Configuration<LittleEndian, Fixint, Limit<MAX_RECORD_BYTES>> = bincode::config::standard()
    .with_little_endian()
    .with_fixed_int_encoding()
    .with_limit::<MAX_RECORD_BYTES>();

const HASH_BYTES: usize = 32;

/// The record of a block.
///
/// # Panics
/// For a block above [`MAX_RECORD_BYTES`], which no node can have received or found valid.
pub(crate) fn encode(block: &Block) -> Vec<u8> {
    let bytes = bincode::serde::encode_to_vec(block, CONFIG).expect("a valid block is within the limit of records");
    let mut record = Vec::with_capacity(HASH_BYTES + bytes.len());
    record.extend_from_slice(&Hash::sha256d(&bytes).0);
    record.extend_from_slice(&bytes);
    record
}

/// The block of a record, or what is wrong with it.
pub(crate) fn decode(record: &[u8]) -> Result<Block, &'static str> {
    let (hash, bytes) = record.split_at_checked(HASH_BYTES).ok_or("a record is cut short")?;
    if Hash::sha256d(bytes).0 != hash {
        return Err("a record does not match its hash");
    }
    let (block, length): (Block, usize) =
        bincode::serde::decode_from_slice(bytes, CONFIG).map_err(|_| "a record is no block")?;
    let is_canonical = length == bytes.len() && encode(&block)[HASH_BYTES..] == *bytes;
    is_canonical
        .then_some(block)
        .ok_or("a record is not in its canonical form")
}

#[cfg(test)]
mod tests {
    use chain::Params;

    use super::*;

    #[test]
    fn a_record_round_trips() {
        let block = Params::instant().genesis_block();
        assert_eq!(decode(&encode(&block)).as_ref(), Ok(&block));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let record = encode(&Params::instant().genesis_block());
        for place in 0..record.len() {
            let mut flipped = record.clone();
            flipped[place] ^= 1 << (place % 8);
            assert!(decode(&flipped).is_err(), "bit flipped in byte {place}");
            assert!(decode(&record[..place]).is_err(), "cut at {place}");
        }
    }

    #[test]
    fn trailing_bytes_under_a_matching_hash_are_refused() {
        let mut bytes = encode(&Params::instant().genesis_block())[HASH_BYTES..].to_vec();
        bytes.push(0);
        let record = [&Hash::sha256d(&bytes).0[..], &bytes].concat();
        assert_eq!(decode(&record), Err("a record is not in its canonical form"));
    }
}
