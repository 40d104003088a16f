//! What the codec promises: one encoding per message, and no harm from any bytes.

use std::sync::Arc;

use base::{Hash, hex};
use chain::limits::{MAX_LOCATOR, MAX_TRANSACTION_BYTES};
use chain::transaction::TransactionParts;
use chain::{
    Amount, Block, BlockId, Coinbase, CompactTarget, Header, Height, OutPoint, Owner, Signature, Transaction, TxOutput,
    Txid, Wtxid,
};
use proptest::prelude::*;

use super::*;
use crate::compact::{CompactBlock, Prefilled, ShortId};
use crate::limits::{MAX_AGENT_BYTES, MAX_ANNOUNCED_BLOCKS, MAX_HEADERS, MAX_ITEMS};
use crate::{Hello, Item};

pub(super) mod arbitrary;

fn name(byte: u8) -> Hash {
    Hash([byte; 32])
}

fn hello(agent: &str) -> Message {
    Message::Hello(Box::new(Hello {
        version: 1,
        genesis: BlockId(name(0xaa)),
        agent: agent.to_owned(),
        tip: BlockId(name(0xbb)),
        height: Height(7),
    }))
}

fn header() -> Header {
    Header {
        version: 4,
        parent: BlockId(name(0xaa)),
        merkle_root: name(0xbb),
        time: 0x1122_3344,
        bits: CompactTarget(0x207f_ffff),
        nonce: 9,
    }
}

fn coinbase() -> Transaction {
    Transaction::new(TransactionParts {
        version: 1,
        coinbase: Some(Coinbase {
            height: Height(7),
            extra_nonce: 8,
            tag: b"hi".to_vec(),
        }),
        inputs: Vec::new(),
        outputs: vec![TxOutput {
            value: Amount::from_units(5),
            owner: Owner([0xcc; 32]),
        }],
        memo: Vec::new(),
        signatures: Vec::new(),
    })
}

/// The smallest transaction that can be valid, and a memo.
fn payment(memo: &[u8]) -> Transaction {
    Transaction::new(TransactionParts {
        version: 1,
        coinbase: None,
        inputs: vec![OutPoint {
            txid: Txid(name(0xdd)),
            index: 3,
        }],
        outputs: vec![TxOutput {
            value: Amount::from_units(5),
            owner: Owner([0xcc; 32]),
        }],
        memo: memo.to_vec(),
        signatures: vec![Signature([0xee; 64])],
    })
}

fn block(transactions: Vec<Transaction>) -> Message {
    Message::Block(Arc::new(Block {
        header: header().into(),
        transactions: transactions.into_iter().map(Arc::new).collect(),
    }))
}

fn compact() -> Message {
    Message::CompactBlock(Arc::new(CompactBlock {
        header: header(),
        nonce: 6,
        short_ids: vec![ShortId([1, 2, 3, 4, 5, 6])],
        prefilled: vec![Prefilled {
            index: 0,
            transaction: Arc::new(coinbase()),
        }],
    }))
}

fn missing() -> Message {
    Message::GetBlockTransactions {
        block: BlockId(name(1)),
        indexes: vec![1, 3],
    }
}

fn found() -> Message {
    Message::BlockTransactions {
        block: BlockId(name(1)),
        transactions: vec![Arc::new(payment(&[]))],
    }
}

/// One message of each kind, and where its lengths lie.
fn samples() -> Vec<(Message, Vec<usize>)> {
    let items = vec![
        Item::Block(BlockId(name(1))),
        Item::Transaction(Wtxid(name(2))),
        Item::Parent(Txid(name(3))),
    ];
    let locator = vec![BlockId(name(1)), BlockId(name(2))];
    vec![
        (hello("nakanet"), vec![40]),
        (Message::GetHeaders { locator }, vec![4]),
        (Message::headers([header()]), vec![4]),
        (Message::Announce([Wtxid(name(1))].into()), vec![4]),
        (Message::Get(items.clone()), vec![4]),
        (block(vec![coinbase()]), vec![84, 109, 119, 127, 175, 183]),
        (Message::Transaction(Arc::new(payment(b"m"))), vec![9, 53, 101, 110]),
        (Message::NotFound(items), vec![4]),
        (Message::AnnounceBlocks(vec![BlockId(name(1))]), vec![4]),
        (Message::SendCompact { high_bandwidth: true }, vec![]),
        (compact(), vec![92, 106, 135, 145, 153, 201, 209]),
        (missing(), vec![36]),
        (found(), vec![36, 49, 93, 141, 149]),
        (Message::Graft, vec![]),
        (Message::Prune { back_off_secs: 60 }, vec![]),
    ]
}

/// Compares with bytes written by hand: `|` and spaces stand between parts, `xx*32` repeats.
fn check_golden(message: &Message, golden: &str) {
    let digits: String = golden
        .split_whitespace()
        .filter(|part| *part != "|")
        .map(|part| match part.split_once('*') {
            Some((digits, times)) => digits.repeat(times.parse().expect("a number")),
            None => part.to_owned(),
        })
        .collect();
    assert_eq!(hex::encode(&encode(message)), digits, "{:?}", message.kind());
}

#[test]
fn the_bytes_of_each_kind_are_these() {
    let golden = [
        "00000000 | 01000000 aa*32 0700000000000000 6e616b616e6574 bb*32 07000000",
        "01000000 | 0200000000000000 01*32 02*32",
        "02000000 | 0100000000000000 04000000 aa*32 bb*32 44332211 ffff7f20 09000000",
        "03000000 | 0100000000000000 01*32",
        "04000000 | 0300000000000000 00000000 01*32 01000000 02*32 02000000 03*32",
        "05000000 | 04000000 aa*32 bb*32 44332211 ffff7f20 09000000 | 0100000000000000 \
         01000000 01 07000000 0800000000000000 0200000000000000 6869 \
         00*8 0100000000000000 0500000000000000 cc*32 00*8 00*8",
        "06000000 | 01000000 00 0100000000000000 dd*32 03000000 \
         0100000000000000 0500000000000000 cc*32 0100000000000000 6d 0100000000000000 ee*64",
        "07000000 | 0300000000000000 00000000 01*32 01000000 02*32 02000000 03*32",
        "08000000 | 0100000000000000 01*32",
        "09000000 | 01",
        "0a000000 | 04000000 aa*32 bb*32 44332211 ffff7f20 09000000 | 0600000000000000 \
         0100000000000000 010203040506 0100000000000000 00000000 \
         01000000 01 07000000 0800000000000000 0200000000000000 6869 \
         00*8 0100000000000000 0500000000000000 cc*32 00*8 00*8",
        "0b000000 | 01*32 0200000000000000 01000000 03000000",
        "0c000000 | 01*32 0100000000000000 01000000 00 0100000000000000 dd*32 03000000 \
         0100000000000000 0500000000000000 cc*32 00*8 0100000000000000 ee*64",
        "0d000000",
        "0e000000 | 3c000000",
    ];
    let samples = samples();
    assert_eq!(samples.len(), golden.len());
    for ((message, _), golden) in samples.iter().zip(golden) {
        check_golden(message, golden);
    }
}

#[test]
fn a_header_is_sent_as_the_bytes_that_are_hashed() {
    let bytes = encode(&Message::headers([header()]));
    assert_eq!(bytes[12..], header().to_bytes());
}

#[test]
fn threat_p1_a_length_that_its_bytes_do_not_cover_is_refused_before_the_codec_sees_it() {
    for (message, lengths) in samples() {
        let bytes = encode(&message);
        for at in lengths {
            let field: [u8; 8] = bytes[at..at + 8].try_into().expect("eight bytes");
            let true_length = u64::from_le_bytes(field);
            let maximum = max_bytes(message.kind()) as u64;
            for length in [
                0,
                true_length + 1,
                maximum,
                maximum + 1,
                1 << 32,
                1 << 61,
                1 << 63,
                u64::MAX,
            ] {
                if length == true_length {
                    continue;
                }
                let mut hostile = bytes.clone();
                hostile[at..at + 8].copy_from_slice(&length.to_le_bytes());
                let context = format!("{:?} with {length} for {true_length} at {at}", message.kind());
                assert_eq!(layout::check(message.kind(), &hostile), None, "{context}");
                assert_eq!(
                    decode(&hostile, MAX_MESSAGE_BYTES),
                    Err(DecodeError::Malformed),
                    "{context}"
                );
            }
        }
    }
}

#[test]
fn every_true_beginning_and_every_longer_message_is_refused() {
    for (message, _) in samples() {
        let mut bytes = encode(&message);
        for end in 0..bytes.len() {
            assert_eq!(decode(&bytes[..end], MAX_MESSAGE_BYTES), Err(DecodeError::Malformed));
        }
        bytes.push(0);
        assert_eq!(decode(&bytes, MAX_MESSAGE_BYTES), Err(DecodeError::Malformed));
    }
}

#[test]
fn unknown_kinds_items_and_flags_are_refused() {
    for (at, value) in [(0, 15), (0, 0xff), (3, 1)] {
        let mut bytes = encode(&hello("nakanet"));
        bytes[at] = value;
        assert_eq!(decode(&bytes, MAX_MESSAGE_BYTES), Err(DecodeError::Malformed));
    }
    let mut get = encode(&Message::Get(vec![Item::Block(BlockId::ZERO)]));
    get[12] = 4;
    assert_eq!(decode(&get, MAX_MESSAGE_BYTES), Err(DecodeError::Malformed));
    let mut coinbase = encode(&Message::Transaction(Arc::new(coinbase())));
    coinbase[8] = 2;
    assert_eq!(decode(&coinbase, MAX_MESSAGE_BYTES), Err(DecodeError::Malformed));
}

/// Decodes under the full limit.
fn check_size(message: &Message, expected: Result<(), DecodeError>) {
    let bytes = encode(message);
    let decoded = decode(&bytes, MAX_MESSAGE_BYTES).map(|_| ());
    assert_eq!(decoded, expected, "{:?} of {} bytes", message.kind(), bytes.len());
}

#[test]
fn lists_are_let_through_at_their_limit_and_not_above() {
    let ids = |count| vec![BlockId::ZERO; count];
    let items = |count| vec![Item::Block(BlockId::ZERO); count];
    let kinds: [(usize, &dyn Fn(usize) -> Message); 6] = [
        (MAX_LOCATOR, &|count| Message::GetHeaders { locator: ids(count) }),
        (MAX_HEADERS, &|count| Message::headers(vec![header(); count])),
        (MAX_ITEMS, &|count| {
            Message::Announce(vec![Wtxid::default(); count].into())
        }),
        (MAX_ITEMS, &|count| Message::Get(items(count))),
        (MAX_ITEMS, &|count| Message::NotFound(items(count))),
        (MAX_ANNOUNCED_BLOCKS, &|count| Message::AnnounceBlocks(ids(count))),
    ];
    for (limit, message) in kinds {
        check_size(&message(limit), Ok(()));
        check_size(&message(limit + 1), Err(DecodeError::Oversize));
    }
}

#[test]
fn a_transaction_of_the_greatest_size_is_let_through_and_a_longer_one_is_not() {
    let smallest = payment(&[]).bytes();
    let fill = usize::try_from(MAX_TRANSACTION_BYTES - smallest).expect("fits");
    let largest = payment(&vec![0; fill]);
    assert_eq!(largest.bytes(), MAX_TRANSACTION_BYTES);
    check_size(&Message::Transaction(Arc::new(largest)), Ok(()));
    let longer = Message::Transaction(Arc::new(payment(&vec![0; fill + 5])));
    check_size(&longer, Err(DecodeError::Oversize));
}

#[test]
fn a_full_block_of_the_smallest_transactions_is_let_through() {
    let payment = Arc::new(payment(&[]));
    let mut block = Block {
        header: header().into(),
        transactions: vec![Arc::new(coinbase())],
    };
    let room = (1 << 20) - block.bytes();
    let count = usize::try_from(room / u64::from(payment.bytes())).expect("fits");
    block.transactions.extend(vec![payment; count]);
    assert!(block.bytes() > (1 << 20) - 161, "not full: {} bytes", block.bytes());
    check_size(&Message::Block(Arc::new(block)), Ok(()));
}

#[test]
fn a_message_is_refused_above_the_given_limit() {
    let bytes = encode(&hello("nakanet"));
    assert!(decode(&bytes, bytes.len()).is_ok());
    assert_eq!(decode(&bytes, bytes.len() - 1), Err(DecodeError::Oversize));
    for (message, _) in samples() {
        let mut bytes = encode(&message);
        bytes.resize(MAX_MESSAGE_BYTES + 1, 0);
        assert_eq!(decode(&bytes, usize::MAX), Err(DecodeError::Oversize));
    }
}

#[test]
fn threat_p14_an_agent_is_short_and_printable() {
    check_size(&hello(""), Ok(()));
    check_size(&hello(" ~"), Ok(()));
    check_size(&hello(&"a".repeat(MAX_AGENT_BYTES)), Ok(()));
    let refused = [
        "\u{1b}[2J",
        "a\nb",
        "\u{7f}",
        "\u{202e}",
        "\u{e9}",
        &"a".repeat(MAX_AGENT_BYTES + 1),
    ];
    for agent in refused {
        check_size(&hello(agent), Err(DecodeError::Malformed));
    }
    let mut not_text = encode(&hello("a"));
    not_text[48] = 0xff;
    assert_eq!(decode(&not_text, MAX_MESSAGE_BYTES), Err(DecodeError::Malformed));
}

/// Decoding neither panics nor takes two encodings for one message.
fn check_canonical(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(message) = decode(bytes, MAX_MESSAGE_BYTES) {
        prop_assert_eq!(encode(&message), bytes);
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_message_survives_the_wire(message in arbitrary::message()) {
        let bytes = encode(&message);
        prop_assert_eq!(bytes.len(), encoded_len(&message));
        prop_assert_eq!(decode(&bytes, MAX_MESSAGE_BYTES), Ok(message));
    }

    #[test]
    fn any_changed_byte_makes_another_message_or_none(message in arbitrary::message(), change in 1_u8.., at: prop::sample::Index) {
        let mut bytes = encode(&message);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        check_canonical(&bytes)?;
        prop_assert_ne!(decode(&bytes, MAX_MESSAGE_BYTES), Ok(message));
    }

    #[test]
    fn any_bytes_of_any_kind_are_survived(kind in 0_u32..16, tail in prop::collection::vec(prop_oneof![Just(0), 0_u8..4, any::<u8>()], 0..300)) {
        let bytes = [kind.to_le_bytes().as_slice(), &tail].concat();
        check_canonical(&bytes)?;
    }
}

/// Headers are decoded beside the codec, which must agree.
#[test]
fn headers_are_decoded_as_the_codec_would() {
    let header = |number: u8| {
        let bytes: Vec<u8> = (0..80).map(|at| number.wrapping_mul(31).wrapping_add(at)).collect();
        Header::from_bytes(bytes.as_slice().try_into().expect("eighty bytes"))
    };
    for count in [0, 1, 2, 200] {
        let bytes = encode(&Message::headers((0..count).map(header)));
        let (by_codec, _): (Message, usize) = bincode::serde::decode_from_slice(&bytes, CONFIG).expect("it is sound");
        assert_eq!(decode(&bytes, MAX_MESSAGE_BYTES), Ok(by_codec));
        for cut in [&bytes[..bytes.len() - 1], &[&bytes[..], &[0]].concat()] {
            assert_eq!(decode(cut, MAX_MESSAGE_BYTES), Err(DecodeError::Malformed));
        }
    }
}
