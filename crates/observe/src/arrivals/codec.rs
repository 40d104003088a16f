//! The bytes of a frame: numbers of seven bits a byte, the lowest first, differences where numbers lie close together.
//!
//! First what each node followed, as the difference to the node before; then, for each arrival: microseconds since the one before; the node,
//! doubled, and one more when it is about what the node follows; the difference of the block's number to that of the arrival before; and,
//! where it is not about what the node follows, who sent it, plus one, or zero.

use base::{NodeId, Time};

use super::{Arrival, BlockNumber, What};

/// The bytes of a frame.
pub(super) fn pack(first: Time, tips: &[BlockNumber], arrivals: &[Arrival]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut before = 0;
    for tip in tips {
        put_difference(&mut bytes, &mut before, tip.0);
    }
    let (mut at, mut before) = (first, 0);
    for arrival in arrivals {
        put(&mut bytes, arrival.at.as_micros() - at.as_micros());
        at = arrival.at;
        let node = u64::from(arrival.node.0) << 1;
        put(&mut bytes, node | u64::from(arrival.what == What::Followed));
        put_difference(&mut bytes, &mut before, arrival.block.0);
        if let What::Connected { from } = arrival.what {
            put(&mut bytes, from.map_or(0, |from| u64::from(from.0) + 1));
        }
    }
    bytes
}

/// What a frame's bytes stand for; `None` when they are none of a frame of so many nodes.
pub(super) fn unpack(first: Time, nodes: usize, bytes: &[u8]) -> Option<(Vec<BlockNumber>, Vec<Arrival>)> {
    let mut bytes = bytes;
    let mut before = 0;
    let tips: Option<Vec<BlockNumber>> = (0..nodes)
        .map(|_| take_difference(&mut bytes, &mut before).map(BlockNumber))
        .collect();
    let tips = tips?;
    let mut arrivals = Vec::new();
    let (mut at, mut before) = (first.as_micros(), 0);
    while !bytes.is_empty() {
        at = at.checked_add(take(&mut bytes)?)?;
        let node = take(&mut bytes)?;
        let block = BlockNumber(take_difference(&mut bytes, &mut before)?);
        let what = if node & 1 == 1 {
            What::Followed
        } else {
            let from = take(&mut bytes)?.checked_sub(1);
            What::Connected {
                from: from.map(u32::try_from).transpose().ok()?.map(NodeId),
            }
        };
        let node = NodeId(u32::try_from(node >> 1).ok().filter(|node| (*node as usize) < nodes)?);
        arrivals.push(Arrival {
            at: Time::from_micros(at),
            node,
            block,
            what,
        });
    }
    Some((tips, arrivals))
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(low_bits(number) | 0x80);
        number >>= 7;
    }
    bytes.push(low_bits(number));
}

fn low_bits(number: u64) -> u8 {
    u8::try_from(number & 0x7f).expect("seven bits fit eight")
}

/// The difference to the number before, small ones of both signs in few bits.
fn put_difference(bytes: &mut Vec<u8>, before: &mut u32, number: u32) {
    let difference = i64::from(number) - i64::from(*before);
    *before = number;
    put(bytes, ((difference << 1) ^ (difference >> 63)).cast_unsigned());
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take_difference(bytes: &mut &[u8], before: &mut u32) -> Option<u32> {
    let folded = take(bytes)?;
    let difference = (folded >> 1).cast_signed() ^ -((folded & 1).cast_signed());
    *before = u32::try_from(i64::from(*before).checked_add(difference)?).ok()?;
    Some(*before)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_arrival() -> impl Strategy<Value = Arrival> {
        let what = prop_oneof![
            Just(What::Followed),
            Just(What::Connected { from: None }),
            (0..9_u32).prop_map(|from| What::Connected {
                from: Some(NodeId(from))
            }),
        ];
        (any::<u64>(), 0..9_u32, any::<u32>(), what).prop_map(|(at, node, block, what)| Arrival {
            at: Time::from_micros(at),
            node: NodeId(node),
            block: BlockNumber(block),
            what,
        })
    }

    proptest! {
        #[test]
        fn a_frame_unpacks_to_what_was_packed(
            tips in proptest::collection::vec(any::<u32>().prop_map(BlockNumber), 9),
            mut arrivals in proptest::collection::vec(any_arrival(), 1..50),
        ) {
            arrivals.sort_by_key(|arrival| arrival.at);
            let first = arrivals[0].at;
            let bytes = pack(first, &tips, &arrivals);
            prop_assert_eq!(unpack(first, 9, &bytes), Some((tips, arrivals)));
        }

        #[test]
        fn whatever_bytes_there_are_nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(Time::ZERO, 3, &bytes);
        }
    }
}
