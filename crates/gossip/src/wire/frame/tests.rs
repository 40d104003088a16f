//! Frames, however the stream was cut, and whatever was on it.

use base::Hash;
use chain::{BlockId, Wtxid};
use proptest::prelude::*;

use super::super::{encode, tests::arbitrary};
use super::*;

fn announce(count: usize) -> Message {
    Message::Announce(vec![Wtxid(Hash::ZERO); count].into())
}

/// The beginning of a frame of this length.
fn prefix(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("fits").to_le_bytes()
}

#[test]
fn a_frame_is_a_message_behind_its_length() {
    let message = Message::GetHeaders {
        locator: vec![BlockId::ZERO],
    };
    let bytes = frame(&message);
    assert_eq!(bytes[..4], [44, 0, 0, 0]);
    assert_eq!(bytes[4..], encode(&message));
}

#[test]
fn before_the_handshake_only_short_frames_are_let_through() {
    let long = frame(&announce(200));
    assert!(long.len() > MAX_HELLO_BYTES);
    let mut reader = FrameReader::new();
    reader.push(&frame(&announce(1)));
    reader.push(&long);
    assert_eq!(reader.next(), Some(Ok(announce(1))));
    assert_eq!(reader.clone().next(), Some(Err(DecodeError::Oversize)));
    reader.unlock();
    assert_eq!(reader.next(), Some(Ok(announce(200))));
    assert_eq!(reader.next(), None);
}

/// A frame of `limit` bytes is waited for, one of a byte more is refused by its length alone.
fn check_limit(reader: &FrameReader, limit: usize) {
    let mut allowed = reader.clone();
    allowed.push(&prefix(limit));
    assert_eq!(allowed.next(), None);
    let mut refused = reader.clone();
    refused.push(&prefix(limit + 1));
    assert_eq!(refused.next(), Some(Err(DecodeError::Oversize)));
    let mut refused = reader.clone();
    refused.push(&prefix(usize::try_from(u32::MAX).expect("fits")));
    assert_eq!(refused.next(), Some(Err(DecodeError::Oversize)));
}

#[test]
fn threat_p2_a_frame_that_is_too_long_is_refused_by_its_length() {
    let mut reader = FrameReader::new();
    check_limit(&reader, MAX_HELLO_BYTES);
    reader.unlock();
    check_limit(&reader, MAX_MESSAGE_BYTES);
}

/// A whole block may be on its way from each of many peers: memory follows what has arrived, and is given back.
#[test]
fn threat_p1_memory_is_at_most_twice_what_arrived_and_none_when_a_frame_is_done() {
    let mut reader = FrameReader::new();
    reader.unlock();
    let frame = frame(&announce(1_000));
    for (count, piece) in (1..).zip(frame.chunks(1_000)) {
        reader.push(piece);
        assert!(reader.memory() <= (2 * 1_000 * count).min(frame.len()), "{count}");
    }
    assert_eq!(reader.unfinished(), frame.len());
    assert!(reader.next().is_some());
    assert_eq!(reader.unfinished(), 0);
    reader.push(&[0]);
    assert!(reader.memory() <= 8, "{}", reader.memory());
}

#[test]
fn the_bytes_of_a_refused_frame_are_not_kept() {
    let mut reader = FrameReader::new();
    reader.push(&prefix(MAX_HELLO_BYTES + 1));
    reader.push(&[0; 10_000]);
    assert!(reader.buffer.is_empty());
    reader.unlock();
    assert_eq!(
        reader.next(),
        Some(Err(DecodeError::Oversize)),
        "bytes are missing, so it stays refused"
    );
    assert_eq!(reader.next(), None);
}

#[test]
fn after_an_error_nothing_is_read() {
    let mut reader = FrameReader::default();
    reader.push(&prefix(0));
    reader.push(&frame(&announce(1)));
    assert_eq!(reader.next(), Some(Err(DecodeError::Malformed)));
    assert_eq!(reader.next(), None);
    reader.push(&frame(&announce(1)));
    assert_eq!(reader.next(), None);
    assert!(reader.buffer.is_empty());
}

#[test]
fn what_was_taken_is_not_kept() {
    let mut reader = FrameReader::new();
    for _ in 0..100 {
        reader.push(&frame(&announce(100)));
        assert_eq!(reader.next(), Some(Ok(announce(100))));
    }
    assert!(reader.buffer.len() <= frame(&announce(100)).len());
}

proptest! {
    #[test]
    fn messages_arrive_in_order_however_the_stream_is_cut(
        messages in prop::collection::vec(arbitrary::message(), 0..6),
        cuts in prop::collection::vec(1_usize..200, 1..20),
    ) {
        let stream: Vec<u8> = messages.iter().flat_map(frame).collect();
        let mut reader = FrameReader::new();
        reader.unlock();
        let mut arrived = Vec::new();
        let mut rest = stream.as_slice();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, after) = rest.split_at(rest.len().min(*cut));
            reader.push(chunk);
            arrived.extend(reader.by_ref().map(|message| message.expect("frames are whole")));
            rest = after;
        }
        prop_assert_eq!(arrived, messages);
    }
}
