//! Round trips, and that nothing but the canonical form is read.

use base::Seed;
use chain::{Params, SigningKey};
use proptest::prelude::*;

use super::*;

fn owner() -> impl Strategy<Value = Owner> {
    any::<[u8; 32]>().prop_map(Owner)
}

fn output_of() -> impl Strategy<Value = TxOutput> {
    (any::<u64>(), owner()).prop_map(|(units, owner)| TxOutput {
        value: Amount::from_units(units),
        owner,
    })
}

fn payment() -> impl Strategy<Value = Transaction> {
    let inputs = prop::collection::vec((any::<[u8; 32]>(), 0..9_u32), 1..5);
    let outputs = prop::collection::vec(output_of(), 0..5);
    let memo = prop::collection::vec(any::<u8>(), 0..=MAX_MEMO_BYTES);
    (any::<u32>(), inputs, outputs, memo, any::<u8>()).prop_map(|(version, inputs, outputs, memo, signed)| {
        let inputs: Vec<OutPoint> = inputs
            .into_iter()
            .map(|(txid, index)| OutPoint {
                txid: Txid(Hash(txid)),
                index,
            })
            .collect();
        let is_signed = signed % 4 > 0;
        let signatures = inputs
            .iter()
            .map(|_| Signature([signed; 64]))
            .take(if is_signed { 9 } else { 0 });
        Transaction::new(TransactionParts {
            version,
            coinbase: None,
            signatures: signatures.collect(),
            inputs,
            outputs,
            memo,
        })
    })
}

fn coinbase() -> impl Strategy<Value = Transaction> {
    let tag = prop::collection::vec(any::<u8>(), 0..=MAX_TAG_BYTES);
    let height = prop_oneof![0..20_u32, 100..70_000_u32, any::<u32>()];
    (height, any::<u64>(), tag, prop::collection::vec(output_of(), 1..4)).prop_map(
        |(height, extra_nonce, tag, outputs)| {
            let coinbase = Coinbase {
                height: Height(height),
                extra_nonce,
                tag,
            };
            Transaction::coinbase(coinbase, outputs)
        },
    )
}

proptest! {
    #[test]
    fn transactions_round_trip(original in prop_oneof![payment(), coinbase()]) {
        let bytes = transaction(&original);
        let read = read_transaction(&bytes);
        prop_assert_eq!(read.as_ref(), Some(&original));
        for cut in 0..bytes.len() {
            prop_assert_eq!(read_transaction(&bytes[..cut]), None, "cut at {}", cut);
        }
        let longer = [&bytes[..], &[0]].concat();
        prop_assert_eq!(read_transaction(&longer), None);
    }

    #[test]
    fn what_is_read_is_what_would_be_written(original in prop_oneof![payment(), coinbase()], place: prop::sample::Index, bit in 0..8_u32) {
        let mut bytes = transaction(&original);
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        if let Some(read) = read_transaction(&bytes) {
            prop_assert_eq!(transaction(&read), bytes);
            prop_assert_ne!(read, original);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_fail(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _any = (read_transaction(&bytes), read_block(&bytes));
    }
}

#[test]
fn blocks_round_trip() {
    let genesis = Params::instant().genesis_block();
    let bytes = block(&genesis);
    assert_eq!(bytes[..80], genesis.header.to_bytes());
    assert_eq!(read_block(&bytes).as_ref(), Some(&genesis));
    assert_eq!(read_block(&bytes[..bytes.len() - 1]), None);
    assert_eq!(read_header(&bytes[..80]), Some(*genesis.header));
    assert_eq!(read_header(&bytes[..79]), None);
}

#[test]
fn a_list_that_claims_to_be_long_costs_nothing() {
    let header = [0; 80];
    for count in [&[0xfe, 0xff, 0xff, 0xff, 0xff][..], &[0xff; 9], &[0xfd, 0xff, 0xff]] {
        assert_eq!(read_block(&[&header[..], count].concat()), None);
        assert_eq!(read_transaction(&[&[1, 0, 0, 0][..], count].concat()), None);
    }
}

/// The layout of BIP144 and BIP341, byte by byte.
#[test]
fn a_payment_is_laid_out_as_bitcoin_lays_it_out() {
    let key = SigningKey::from_seed(&Seed::from_number(1));
    let parts = TransactionParts {
        version: 1,
        coinbase: None,
        inputs: vec![OutPoint {
            txid: Txid(Hash([7; 32])),
            index: 1,
        }],
        outputs: vec![TxOutput {
            value: Amount::COIN,
            owner: key.owner(),
        }],
        memo: b"hi".to_vec(),
        signatures: vec![Signature([9; 64])],
    };
    let expected = [
        &[1, 0, 0, 0, 0, 1, 1][..],
        &[7; 32],
        &[1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 2],
        &[0x00, 0xe1, 0xf5, 0x05, 0, 0, 0, 0, 34, 0x51, 32],
        &key.owner().0,
        &[0, 0, 0, 0, 0, 0, 0, 0, 4, 0x6a, 2, b'h', b'i', 1, 64],
        &[9; 64],
        &[0, 0, 0, 0],
    ];
    assert_eq!(transaction(&Transaction::new(parts)), expected.concat());
}
