//! Frames come back as they were sent, in bounds, or not at all.

use base::{NodeId, Time};
use chain::uint::U256;
use chain::{Amount, Height, OutPoint, Params, Txid, Work};
use gossip::{MessageKind, Offence};
use node::event::{Conflict, DroppedTransaction, Loss, TipRef};
use node::{Event, HangupReason, TipChange};

use super::*;
use crate::process::words::Report;

async fn round_trip(event: &Event, block: Option<&Block>) -> (Event, Option<Arc<Block>>) {
    let report = Report::Event {
        at: Time::from_micros(7),
        nseq: 3,
        event: Box::new(event.clone()),
    };
    let bytes = encode(&report, block);
    let mut socket = &bytes[..];
    let (report, block) = read::<Report>(&mut socket).await.unwrap().expect("a frame");
    assert!(read::<Report>(&mut socket).await.unwrap().is_none(), "one frame");
    let Report::Event { at, nseq, event } = report else {
        panic!("{report:?}");
    };
    assert_eq!((at, nseq), (Time::from_micros(7), 3));
    (*event, block)
}

/// What the events are about.
struct Matter {
    body: Arc<Block>,
    block: chain::BlockId,
    parent: chain::BlockId,
    height: Height,
    chain_work: Work,
    txid: Txid,
    peer: NodeId,
    bytes: u64,
    tip: TipRef,
    conflict: Conflict,
    detail: String,
}

fn matter() -> Matter {
    let body = Arc::new(Params::instant().genesis_block());
    let (block, parent) = (body.id(), body.header.parent);
    let (height, chain_work, txid) = (Height(4), Work(U256::from(0x1234_u64)), Txid::default());
    Matter {
        body,
        block,
        parent,
        height,
        chain_work,
        txid,
        peer: NodeId(2),
        bytes: 80,
        tip: TipRef {
            block,
            height,
            chain_work,
        },
        conflict: Conflict {
            txid,
            outpoint: OutPoint { txid, index: 1 },
            block: Some(block),
        },
        detail: "why \u{202e}\n\"so\"".to_owned(),
    }
}

fn events_of_peers() -> Vec<Event> {
    let Matter {
        block,
        peer,
        bytes,
        detail,
        ..
    } = matter();
    vec![
        Event::PeerConnected {
            peer,
            outbound: true,
            agent: "/a/".to_owned(),
        },
        Event::PeerDisconnected {
            peer,
            reason: Some(HangupReason::Discouraged(Offence::Malformed)),
        },
        Event::PeerPenalised {
            peer,
            offence: Offence::Malformed,
            score: 100,
            detail: detail.clone(),
        },
        Event::MessageSent {
            peer,
            message: MessageKind::Hello,
            bytes,
            about: None,
        },
        Event::MessageReceived {
            peer,
            message: MessageKind::GetHeaders,
            bytes,
            about: Some(block),
        },
        Event::MessageDropped {
            peer,
            message: MessageKind::CompactBlock,
            bytes,
            about: Some(block),
            reason: Loss::Cut,
        },
    ]
}

fn events_of_bodies() -> Vec<Event> {
    let Matter {
        body,
        block,
        parent,
        height,
        chain_work,
        peer,
        bytes,
        detail,
        ..
    } = matter();
    vec![
        Event::BlockMined {
            block,
            parent,
            height,
            chain_work,
            time: 1,
            txs: 1,
            bytes,
            body: Arc::clone(&body),
        },
        Event::HeaderAccepted {
            block,
            parent,
            height,
            chain_work,
            time: 1,
            from: None,
        },
        Event::BlockReceived {
            block,
            from: peer,
            bytes,
            duplicate: false,
        },
        Event::BlockConnected {
            block,
            parent,
            height,
            chain_work,
            txs: 1,
            bytes,
            body,
        },
        Event::BlockRejected {
            block,
            from: Some(peer),
            reason: "high-hash",
            detail: detail.clone(),
            penalty: 100,
        },
    ]
}

fn events_of_chains() -> Vec<Event> {
    let Matter {
        block,
        parent,
        chain_work,
        txid,
        peer,
        tip,
        conflict,
        ..
    } = matter();
    vec![
        Event::OrphanHeld {
            block,
            parent,
            from: peer,
        },
        Event::OrphanResolved { block },
        Event::TipChanged {
            old: tip,
            new: tip,
            how: TipChange::Reorg,
        },
        Event::Reorg {
            fork_point: parent,
            depth: 1,
            disconnected: vec![block],
            connected: vec![block, parent],
            old_work: chain_work,
            new_work: chain_work,
            txs_returned: vec![txid],
            txs_dropped: vec![DroppedTransaction {
                txid,
                reason: "conflict",
                conflicts_with: Some(conflict),
            }],
        },
    ]
}

fn events_of_transactions() -> Vec<Event> {
    let Matter {
        txid,
        peer,
        conflict,
        detail,
        ..
    } = matter();
    vec![
        Event::TxSubmitted { txid },
        Event::TxAccepted {
            txid,
            bytes: 80,
            fee: Amount::COIN,
            from: None,
        },
        Event::TxRejected {
            txid,
            from: Some(peer),
            reason: "txn-mempool-conflict",
            detail,
            conflicts_with: Some(conflict),
        },
        Event::TxEvicted {
            txid,
            reason: "expiry",
            conflicts_with: None,
        },
        Event::TxReplaced {
            txid,
            by: txid,
            fee: Amount::ZERO,
            new_fee: Amount::COIN,
        },
    ]
}

#[tokio::test]
async fn every_kind_of_event_comes_back_as_it_was_sent() {
    let kinds = [
        events_of_peers(),
        events_of_bodies(),
        events_of_chains(),
        events_of_transactions(),
    ];
    for mut event in kinds.concat() {
        let body = event.body_mut().map(|body| Arc::clone(body));
        let (mut found, block) = round_trip(&event, body.as_deref()).await;
        assert_eq!(block, body);
        if let (Some(place), Some(block)) = (found.body_mut(), block) {
            *place = block;
        }
        assert_eq!(format!("{found:?}"), format!("{event:?}"));
    }
}

#[tokio::test]
async fn another_version_is_named() {
    let mut bytes = encode(&Report::Stopped, None);
    bytes[0] = 9;
    let error = read::<Report>(&mut &bytes[..]).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("speaks version 9 of the exchange, this program version 3"),
        "{error}"
    );
}

#[tokio::test]
async fn more_bytes_than_a_frame_may_have_are_not_waited_for() {
    for (text, block) in [
        (MAX_FRAME_TEXT_BYTES + 1, 0),
        (0, MAX_RECORD_BYTES + 1),
        (u32::MAX as usize, 0),
    ] {
        let numbers = [VERSION as usize, text, block];
        let head = numbers.map(|number| u32::try_from(number).unwrap().to_le_bytes());
        let error = read::<Report>(&mut &head.concat()[..]).await.unwrap_err();
        assert!(matches!(error, FrameError::TooLarge { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_frame_that_is_cut_or_garbled_is_no_frame() {
    let body = Params::instant().genesis_block();
    let bytes = encode(&Report::Stopped, Some(&body));
    for end in 1..bytes.len() {
        let error = read::<Report>(&mut &bytes[..end]).await.unwrap_err();
        assert!(matches!(error, FrameError::Io(_)), "cut at {end}: {error}");
    }
    for (place, what) in [(HEAD_BYTES, "not understood"), (bytes.len() - 1, "broken block")] {
        let mut garbled = bytes.clone();
        garbled[place] ^= 1;
        let error = read::<Report>(&mut &garbled[..]).await.unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
}
