//! Every rule against a peer that breaks it, over a real connection: the node says why it refuses, drops the peer, stays where it is, and takes
//! the honest block that follows. The names are those of docs/THREATS.md.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks the few messages it looks at"
)]

use chain::testing::{key, pay, solve};
use chain::{Amount, Block, CompactTarget, HashedHeader, Header, Retarget};
use gossip::{Item, MessageKind};

use super::raw::{Raw, Stage, payment};
use super::*;

/// The header with a nonce that is no proof of work.
fn unsolved(header: Header) -> Header {
    let target = header.bits.target().unwrap();
    let mut tried = (0..).map(|nonce| Header { nonce, ..header });
    tried.find(|header| !target.is_met_by(&header.id())).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c1_a_header_without_work_costs_one_hash_and_its_sender_the_connection() {
    let mut stage = Stage::empty().await;
    let header = unsolved(Header::from(stage.sandbox.draft(stage.tip).assemble().header));
    let mut hostile = Raw::greet(&stage.node).await;
    hostile.send(&Message::headers([header])).await;
    hostile.until_refused(&mut stage.node, header.id(), "high-hash").await;
    hostile.until_dropped().await;
    stage.goes_on().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c2_bits_that_promise_work_there_is_not_are_refused() {
    let mut stage = Stage::grown().await;
    let mut header = Header::from(stage.sandbox.draft(stage.tip).assemble().header);
    header.bits = CompactTarget(0x1d00_ffff);
    let mut hostile = Raw::greet(&stage.node).await;
    hostile.send(&Message::headers([header])).await;
    hostile.until_refused(&mut stage.node, header.id(), "high-hash").await;
    hostile.until_dropped().await;
    stage.goes_on().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c3_a_time_in_the_past_is_refused_for_ever_and_one_in_the_future_waits() {
    let mut stage = Stage::grown().await;
    let past = stage.sandbox.ledger.median_time_past(stage.tip);
    let block = stage.broken(|draft| draft.time = past);
    stage.refuses(&block, "time-too-old").await;

    // Two days are before the node's clock, so the block is early by a day.
    let block = stage.broken(|draft| draft.time += 8 * 24 * 3_600);
    let mut early = Raw::greet(&stage.node).await;
    early.offer(&block).await;
    let is_held = |event: &Event| matches!(event, Event::OrphanHeld { block: held, .. } if *held == block.id());
    early.until(&mut stage.node, "held", is_held).await;
    let millis = 30 * 24 * 3_600 * 1_000;
    stage.node.order(Control::Command(Command::SkewClock { millis })).await;
    early.until_tip(&mut stage.node, block.id()).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c4_a_window_cannot_begin_long_before_the_last_one_ended() {
    const WINDOW: u32 = 8;
    let mut stage = Stage::with(|setup| {
        setup.params.retarget = Retarget::Bitcoin {
            window: WINDOW,
            timewarp_rule: true,
        };
    })
    .await;
    while (stage.sandbox.ledger.height(stage.tip).0 + 2) % WINDOW != 0 {
        stage.goes_on().await;
    }
    // The last block of a window says that it is late, and the first of the next one that it is not.
    let last = stage.broken(|draft| draft.time += 24 * 3_600);
    stage.tip = stage.sandbox.accept(&last).unwrap();
    let mut miner = Raw::greet(&stage.node).await;
    miner.offer(&last).await;
    miner.until_tip(&mut stage.node, last.id()).await;
    let warped = stage.broken(|draft| draft.time -= 2 * 3_600);
    stage.refuses(&warped, "time-timewarp-attack").await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c5_the_most_absurd_clock_stops_no_node() {
    let mut stage = Stage::empty().await;
    for millis in [i64::MIN, i64::MAX, -1_000, 0] {
        stage.node.order(Control::Command(Command::SkewClock { millis })).await;
        stage
            .node
            .order(Control::Command(Command::Generate { blocks: 1 }))
            .await;
        let is_mined = |event: &Event| matches!(event, Event::TipChanged { .. });
        stage.node.until("mined", is_mined).await;
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c6_c7_a_mutated_body_costs_its_sender_and_not_the_block() {
    let mut stage = Stage::grown().await;
    // With three transactions the last counts twice in the tree, and may do so in the body unseen by the root.
    let spend = payment(&stage, |_, outputs| outputs[0].owner = key(0).owner());
    let coin = chain::Coin {
        output: spend.outputs()[0],
        height: Height(0),
        coinbase: false,
    };
    let genesis = Params::instant().genesis_block().id();
    let child = chain::Transaction::payment(vec![spend.outpoint(0)], vec![pay(1, key(1).owner())], b"");
    let child = Arc::new(child.sign(&key(0), genesis, &[coin]));
    let honest = stage.sandbox.block(stage.tip, &[spend, child]);
    let with = |transactions: Vec<Arc<chain::Transaction>>| {
        Arc::new(Block {
            header: honest.header,
            transactions,
        })
    };
    let doubled = [&honest.transactions[..], &honest.transactions[2..]].concat();
    let cut = honest.transactions[..2].to_vec();
    for (body, word) in [(with(doubled), "bad-txns-duplicate"), (with(cut), "bad-txnmrklroot")] {
        let mut hostile = Raw::greet(&stage.node).await;
        hostile.serve(honest.id(), &body);
        hostile.send(&Message::headers([Header::from(honest.header)])).await;
        hostile.until_refused(&mut stage.node, honest.id(), word).await;
        hostile.until_dropped().await;
    }
    let mut peer = Raw::greet(&stage.node).await;
    peer.offer(&honest).await;
    peer.until_tip(&mut stage.node, honest.id()).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c8_amounts_that_overflow_are_refused() {
    let mut stage = Stage::grown().await;
    let above = Amount::MAX_MONEY.units() + 1;
    let too_large = payment(&stage, |_, outputs| outputs[0] = pay(above, key(1).owner()));
    let sum = payment(&stage, |_, outputs| {
        *outputs = vec![pay(Amount::MAX_MONEY.units(), key(1).owner()); 2];
    });
    let more = payment(&stage, |_, outputs| outputs.push(pay(1, key(1).owner())));
    for (spend, word) in [
        (too_large, "bad-txns-vout-toolarge"),
        (sum, "bad-txns-txouttotal-toolarge"),
        (more, "bad-txns-in-belowout"),
    ] {
        let block = stage.broken(|draft| draft.transactions = vec![spend]);
        stage.refuses(&block, word).await;
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c9_a_coin_is_spent_once() {
    let mut stage = Stage::grown().await;
    let twice = payment(&stage, |inputs, _| inputs.push(inputs[0]));
    let block = stage.broken(|draft| draft.transactions = vec![twice]);
    stage.refuses(&block, "bad-txns-inputs-duplicate").await;
    let rivals = [1, 2].map(|units| payment(&stage, |_, outputs| outputs[0] = pay(units, key(1).owner())));
    let block = stage.broken(|draft| draft.transactions = rivals.to_vec());
    stage.refuses(&block, "bad-txns-inputs-missingorspent").await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c10_a_coinbase_takes_what_is_due_at_its_height_and_waits() {
    let mut stage = Stage::grown().await;
    let block = stage.broken(|draft| {
        let value = draft.coinbase_outputs[0].value.units();
        draft.coinbase_outputs[0] = pay(value + 1, key(0).owner());
    });
    stage.refuses(&block, "bad-cb-amount").await;
    let block = stage.broken(|draft| draft.height = draft.height.next());
    stage.refuses(&block, "bad-cb-height").await;
    let young = stage
        .sandbox
        .reward(stage.tip, stage.sandbox.ledger.height(stage.tip).0);
    let spend = stage.sandbox.spend(stage.tip, &[young], vec![pay(1, key(1).owner())]);
    let block = stage.broken(|draft| draft.transactions = vec![spend]);
    stage.refuses(&block, "bad-txns-premature-spend-of-coinbase").await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c11_c12_a_bad_signature_does_not_stand_in_the_way_of_the_good_one() {
    let mut stage = Stage::grown().await;
    let good = payment(&stage, |_, _| {});
    let mut parts = good.parts().clone();
    parts.signatures[0].0[40] ^= 1;
    let bad = Arc::new(chain::Transaction::from(parts));
    assert_eq!(bad.txid(), good.txid());
    let block = stage.broken(|draft| draft.transactions = vec![bad]);
    stage.refuses(&block, "bad-signature").await;
    let block = stage.sandbox.block(stage.tip, &[good]);
    let mut honest = Raw::greet(&stage.node).await;
    honest.offer(&block).await;
    honest.until_tip(&mut stage.node, block.id()).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c13_a_transaction_of_too_many_parts_is_refused_before_its_signatures_are_looked_at() {
    let mut stage = Stage::grown().await;
    let most = chain::limits::MAX_TRANSACTION_SLOTS;
    let giant = payment(&stage, |_, outputs| {
        *outputs = vec![pay(1, key(1).owner()); most];
    });
    let block = stage.broken(|draft| draft.transactions = vec![giant]);
    stage.refuses(&block, "bad-txns-oversize").await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c15_a_heavier_branch_with_a_bad_end_is_followed_as_far_as_it_is_good() {
    let mut stage = Stage::grown().await;
    let fork = stage.sandbox.ledger.parent(stage.tip).unwrap();
    let first = stage.sandbox.block(fork, &[]);
    let at = stage.sandbox.accept(&first).unwrap();
    let second = stage.sandbox.block(at, &[]);
    let at = stage.sandbox.accept(&second).unwrap();
    let mut draft = stage.sandbox.draft(at);
    draft.coinbase_outputs[0] = pay(Amount::MAX_MONEY.units(), key(0).owner());
    let bad = solve(draft.assemble());
    let mut hostile = Raw::greet(&stage.node).await;
    for block in [&first, &second, &bad] {
        hostile.serve(block.id(), block);
    }
    let headers = [&first, &second, &bad].map(|block| Header::from(block.header));
    hostile.send(&Message::headers(headers)).await;
    hostile.until_refused(&mut stage.node, bad.id(), "bad-cb-amount").await;
    stage.tip = at;
    stage.goes_on().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c16_headers_whose_bodies_are_withheld_and_equal_work_change_no_tip() {
    let mut stage = Stage::grown().await;
    let tip = stage.sandbox.ledger.id(stage.tip);
    let fork = stage.sandbox.ledger.parent(stage.tip).unwrap();
    let rival = stage.sandbox.block(fork, &[]);
    let at = stage.sandbox.accept(&rival).unwrap();
    let heavier = stage.sandbox.block(at, &[]);
    let mut hostile = Raw::greet(&stage.node).await;
    hostile.offer(&rival).await;
    let is_connected = |event: &Event| matches!(event, Event::BlockConnected { block, .. } if *block == rival.id());
    hostile.until(&mut stage.node, "connected", is_connected).await;
    hostile.send(&Message::headers([Header::from(heavier.header)])).await;
    let is_known = |event: &Event| matches!(event, Event::HeaderAccepted { block, .. } if *block == heavier.id());
    hostile.until(&mut stage.node, "known", is_known).await;
    // What the node follows is what it tells a newcomer.
    let newcomer = Raw::greet(&stage.node).await;
    let told = newcomer.heard.iter().find_map(|message| match message {
        Message::Hello(hello) => Some(hello.tip),
        _ => None,
    });
    assert_eq!(told, Some(tip));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_m1_bodies_whose_chain_nobody_knows_are_asked_about_and_not_kept() {
    let mut stage = Stage::grown().await;
    let mut at = stage.tip;
    let orphans: Vec<Arc<Block>> = (0..20)
        .map(|_| {
            let block = stage.sandbox.block(at, &[]);
            at = stage.sandbox.accept(&block).unwrap();
            block
        })
        .collect();
    let mut hostile = Raw::greet(&stage.node).await;
    for orphan in &orphans[1..] {
        hostile.send(&Message::Block(Arc::clone(orphan))).await;
    }
    hostile.until_heard(MessageKind::GetHeaders).await;
    assert!(!hostile.heard.iter().any(|message| message.kind() == MessageKind::Get));
    stage.goes_on().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_m8_answers_that_say_nothing_hold_nobody_up() {
    let mut stage = Stage::grown().await;
    let mut hostile = Raw::greet(&stage.node).await;
    let block = stage.sandbox.block(stage.tip, &[]);
    hostile.send(&Message::headers([Header::from(block.header)])).await;
    for _ in 0..1_000 {
        hostile.send(&Message::headers(Vec::<Header>::new())).await;
        hostile.send(&Message::NotFound(vec![Item::Block(block.id())])).await;
    }
    hostile.until_heard(MessageKind::Get).await;
    let mut honest = Raw::greet(&stage.node).await;
    honest.offer(&block).await;
    honest.until_tip(&mut stage.node, block.id()).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_p3_what_is_invalid_is_relayed_to_nobody() {
    let mut stage = Stage::grown().await;
    let mut witness = Raw::greet(&stage.node).await;
    let bad = stage.broken(|draft| draft.coinbase_outputs[0] = pay(Amount::MAX_MONEY.units(), key(0).owner()));
    let mut hostile = Raw::greet(&stage.node).await;
    hostile.offer(&bad).await;
    hostile.until_refused(&mut stage.node, bad.id(), "bad-cb-amount").await;
    let good = stage.sandbox.block(stage.tip, &[]);
    let mut honest = Raw::greet(&stage.node).await;
    honest.offer(&good).await;
    let announces = |message: &Message, id| match message {
        Message::Headers(headers) => headers.iter().any(|header: &HashedHeader| header.id() == id),
        _ => false,
    };
    honest.until_tip(&mut stage.node, good.id()).await;
    while !witness.heard.iter().any(|message| announces(message, good.id())) {
        witness.until_heard_more().await;
    }
    assert!(!witness.heard.iter().any(|message| announces(message, bad.id())));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_p11_a_frame_that_never_ends_holds_nobody_up() {
    let mut stage = Stage::grown().await;
    let mut slow = Vec::new();
    for _ in 0..5 {
        let mut raw = Raw::greet(&stage.node).await;
        // A megabyte is promised, and begun.
        raw.send_bytes(&1_000_000_u32.to_le_bytes()).await;
        raw.send_bytes(&[0; 1_000]).await;
        slow.push(raw);
    }
    stage.goes_on().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_p12_asking_for_the_same_block_again_and_again_is_answered_three_times() {
    let mut stage = Stage::grown().await;
    let tip = stage.sandbox.ledger.id(stage.tip);
    let mut greedy = Raw::greet(&stage.node).await;
    let ask = Message::Get(vec![Item::Block(tip); 100]);
    greedy.send(&ask).await;
    greedy.until_blamed(&mut stage.node).await;
    let bodies = |raw: &Raw| {
        raw.heard
            .iter()
            .filter(|message| message.kind() == MessageKind::Block)
            .count()
    };
    greedy.until_dropped().await;
    assert!(bodies(&greedy) <= usize::from(node::limits::MAX_SENDS_PER_ITEM));
    stage.goes_on().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_m2_m6_a_flood_of_orphans_and_of_empty_promises_delays_no_honest_transaction() {
    let mut stage = Stage::grown().await;
    let orphans: Vec<Arc<chain::Transaction>> = (0..300_u32)
        .map(|number| {
            payment(&stage, |inputs, _| {
                inputs[0].txid = chain::Txid(base::Hash::sha256(&[&number.to_le_bytes()]));
            })
        })
        .collect();
    let mut flood = Raw::greet(&stage.node).await;
    flood.announce(&orphans).await;
    let mut liar = Raw::greet(&stage.node).await;
    for number in 0..5_u8 {
        let name = |at: usize| chain::Wtxid(base::Hash::sha256(&[&at.to_le_bytes(), &[number]]));
        let promises = (0..gossip::limits::MAX_ITEMS).map(name).collect();
        liar.send(&Message::Announce(promises)).await;
    }
    // An orphan's parent is asked for once the orphan is here.
    let is_parent = |item: &Item| matches!(item, Item::Parent(_));
    let asks = |message: &Message| matches!(message, Message::Get(items) if items.iter().any(is_parent));
    while !flood.heard.iter().any(asks) {
        flood.until_heard_more().await;
    }
    let honest = payment(&stage, |_, outputs| outputs[0] = pay(1, key(1).owner()));
    let mut peer = Raw::greet(&stage.node).await;
    peer.announce(&[Arc::clone(&honest)]).await;
    let is_in = |event: &Event| matches!(event, Event::TxAccepted { txid, .. } if *txid == honest.txid());
    peer.until(&mut stage.node, "accepted", is_in).await;
    stage.goes_on().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_m7_a_peer_that_announces_a_block_and_sits_on_it_delays_it_by_seconds() {
    let mut stage = Stage::grown().await;
    let block = stage.sandbox.block(stage.tip, &[]);
    let mut staller = Raw::greet(&stage.node).await;
    staller.send(&Message::headers([Header::from(block.header)])).await;
    let is_known = |event: &Event| matches!(event, Event::HeaderAccepted { block: known, .. } if *known == block.id());
    stage.node.until("known", is_known).await;
    let mut honest = Raw::greet(&stage.node).await;
    honest.offer(&block).await;
    honest.until_tip(&mut stage.node, block.id()).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c17_questions_about_side_branches_the_genesis_block_and_nothing_at_all_are_answered() {
    let mut stage = Stage::grown().await;
    let genesis = stage.node.genesis;
    let unknown = chain::BlockId(base::Hash([7; 32]));
    let fork = stage.sandbox.ledger.parent(stage.tip).unwrap();
    let side = stage.sandbox.block(fork, &[]);
    let mut peer = Raw::greet(&stage.node).await;
    peer.offer(&side).await;
    let is_connected = |event: &Event| matches!(event, Event::BlockConnected { block, .. } if *block == side.id());
    peer.until(&mut stage.node, "connected", is_connected).await;
    let header_only = stage.broken(|draft| draft.time += 1);
    peer.is_mute = true;
    peer.send(&Message::headers([Header::from(header_only.header)])).await;
    peer.until_heard(MessageKind::Get).await;

    let names = [genesis, unknown, side.id(), header_only.id()];
    let mut denied = Vec::new();
    for name in names {
        peer.heard.clear();
        peer.send(&Message::Get(vec![Item::Block(name), Item::CompactBlock(name)]))
            .await;
        peer.send(&Message::GetHeaders { locator: vec![name] }).await;
        // Whatever it has to say of the block, it says before the headers.
        peer.until_heard(MessageKind::Headers).await;
        denied.push(peer.heard.iter().any(|message| message.kind() == MessageKind::NotFound));
    }
    assert_eq!(denied, [false, true, false, true]);
    for locator in [Vec::new(), names.to_vec(), vec![unknown; chain::limits::MAX_LOCATOR]] {
        peer.heard.clear();
        peer.send(&Message::GetHeaders { locator }).await;
        peer.until_heard(MessageKind::Headers).await;
    }
    peer.heard.clear();
    let indexes = vec![0];
    peer.send(&Message::GetBlockTransactions {
        block: unknown,
        indexes,
    })
    .await;
    peer.until_heard(MessageKind::NotFound).await;
    stage.goes_on().await;
    stage.end().await;
}
