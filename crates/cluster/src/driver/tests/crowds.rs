//! Floods and crowds against a live node, over real connections: what they bring costs them, and the others go on. The names are those of
//! docs/THREATS.md.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks the few messages and events it looks at"
)]

use std::cell::RefCell;

use chain::testing::{key, pay};
use chain::{BlockId, OutPoint, Transaction, Txid};
use gossip::MessageKind;

use super::raw::{Raw, Stage, payment};
use super::*;
use crate::limits::{PROTECTED_BY_BLOCKS, PROTECTED_BY_GROUP, PROTECTED_BY_TRANSACTIONS};

/// What an entry of the mempool takes, transactions of one input and one output.
const ENTRY_BYTES: usize = 161 + node::limits::MEMPOOL_ENTRY_OVERHEAD;

/// A block that turns the first coinbase into so many coins of equal value.
async fn coins(stage: &mut Stage, parts: usize) -> Vec<OutPoint> {
    let split = payment(stage, |_, outputs| {
        let total = outputs[0].value.units();
        *outputs = vec![pay(total / parts as u64, key(0).owner()); parts];
    });
    let block = stage.sandbox.block(stage.tip, &[Arc::clone(&split)]);
    stage.tip = stage.sandbox.accept(&block).unwrap();
    let mut honest = Raw::greet(&stage.node).await;
    honest.offer(&block).await;
    honest.until_tip(&mut stage.node, block.id()).await;
    (0..parts)
        .map(|index| split.outpoint(u32::try_from(index).unwrap()))
        .collect()
}

/// Spends coins, but for a fee.
fn spend(stage: &Stage, inputs: &[OutPoint], fee: u64) -> Arc<Transaction> {
    let coins = stage.sandbox.coins(stage.tip, inputs);
    let total: u64 = coins.iter().map(|coin| coin.output.value.units()).sum();
    stage
        .sandbox
        .spend(stage.tip, inputs, vec![pay(total - fee, key(1).owner())])
}

/// What became of transactions.
#[derive(Debug, Default)]
struct Fates {
    kept: BTreeSet<Txid>,
    refused: Vec<(Txid, &'static str)>,
    evicted: usize,
    replaced: Vec<Txid>,
}

impl Fates {
    fn note(&mut self, event: &Event) {
        match event {
            Event::TxAccepted { txid, .. } => {
                self.kept.insert(*txid);
            }
            Event::TxEvicted { txid, .. } => {
                self.evicted += 1;
                assert!(self.kept.remove(txid), "only what was kept can be evicted");
            }
            Event::TxReplaced { txid, .. } => {
                self.replaced.push(*txid);
                assert!(self.kept.remove(txid), "only what was kept can be replaced");
            }
            Event::TxRejected { txid, reason, .. } => self.refused.push((*txid, reason)),
            Event::PeerPenalised { detail, .. } => panic!("nobody is to blame: {detail}"),
            _ => {}
        }
    }
}

/// A new peer announces the transactions and has them; waits until the node has decided on each.
async fn settle(stage: &mut Stage, fates: &RefCell<Fates>, transactions: &[Arc<Transaction>]) {
    let mut peer = Raw::greet(&stage.node).await;
    peer.announce(transactions).await;
    let mut open: BTreeSet<Txid> = transactions.iter().map(|transaction| transaction.txid()).collect();
    let open = RefCell::new(std::mem::take(&mut open));
    let are_settled = |event: &Event| {
        fates.borrow_mut().note(event);
        if let Event::TxAccepted { txid, .. } | Event::TxRejected { txid, .. } = event {
            open.borrow_mut().remove(txid);
        }
        open.borrow().is_empty()
    };
    peer.until(&mut stage.node, "settled", are_settled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_m3_a_flood_of_cheap_transactions_takes_no_more_room_and_a_good_one_gets_in() {
    let limit = 20 * ENTRY_BYTES;
    let mut stage = Stage::with(|setup| setup.config.mempool_bytes = limit).await;
    let coins = coins(&mut stage, 81).await;
    let (last, flood) = coins.split_last().unwrap();
    // Each pays a little more than the one before, so that each is let in at first.
    let flood: Vec<_> = (0..)
        .zip(flood)
        .map(|(number, coin)| spend(&stage, &[*coin], 1_000 + 1_000 * number))
        .collect();
    let fates = RefCell::new(Fates::default());
    settle(&mut stage, &fates, &flood).await;
    let (kept, evicted) = (fates.borrow().kept.len(), fates.borrow().evicted);
    assert!(kept * ENTRY_BYTES <= limit && kept > 10, "{kept} are kept");
    assert!(evicted > 0, "it was flooded");
    let good = spend(&stage, &[*last], 1_000_000);
    settle(&mut stage, &fates, &[Arc::clone(&good)]).await;
    assert!(fates.borrow().kept.contains(&good.txid()));
    assert!(fates.borrow().kept.len() * ENTRY_BYTES <= limit);
    stage.goes_on().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_m4_a_replacement_pays_for_what_it_replaces_and_replaces_no_more_than_a_hundred() {
    let mut stage = Stage::grown().await;
    let coins = coins(&mut stage, node::limits::MAX_REPLACED + 1).await;
    let first: Vec<_> = coins.iter().map(|coin| spend(&stage, &[*coin], 1_000)).collect();
    let fates = RefCell::new(Fates::default());
    settle(&mut stage, &fates, &first).await;
    assert_eq!(fates.borrow().kept.len(), coins.len());
    let all_at_once = spend(&stage, &coins, 50_000_000);
    let hardly_more = spend(&stage, &coins[..1], 1_001);
    let refused = [all_at_once, hardly_more];
    settle(&mut stage, &fates, &refused).await;
    let mut reasons = fates.borrow().refused.clone();
    let mut expected = refused.map(|transaction| (transaction.txid(), "insufficient-fee"));
    reasons.sort_unstable();
    expected.sort_unstable();
    assert_eq!(reasons, expected);
    assert_eq!(fates.borrow().replaced, []);
    let enough = spend(&stage, &coins[1..=node::limits::MAX_REPLACED], 50_000_000);
    settle(&mut stage, &fates, &[Arc::clone(&enough)]).await;
    assert_eq!(fates.borrow().replaced.len(), node::limits::MAX_REPLACED);
    assert_eq!(fates.borrow().kept, BTreeSet::from([first[0].txid(), enough.txid()]));
    stage.goes_on().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_c14_every_block_that_a_node_finds_is_valid_whatever_its_mempool_was_fed() {
    let mut stage = Stage::grown().await;
    let parent = payment(&stage, |_, outputs| *outputs = vec![pay(1_000_000, key(0).owner()); 30]);
    let genesis = stage.node.genesis;
    let child = |fee: u64, inputs: &[u32]| {
        let coin = chain::Coin {
            output: parent.outputs()[0],
            height: Height(0),
            coinbase: false,
        };
        let total = 1_000_000 * inputs.len() as u64 - fee;
        let outpoints = inputs.iter().map(|index| parent.outpoint(*index)).collect();
        let child = Transaction::payment(outpoints, vec![pay(total, key(0).owner())], b"");
        Arc::new(child.sign(&key(0), genesis, &vec![coin; inputs.len()]))
    };
    // Children before their parent, rivals, replacements, and more of a family than a mempool takes.
    let mut fed: Vec<_> = (0..30).map(|index| child(1_000, &[index])).collect();
    fed.push(child(500_000, &[0, 1, 2]));
    fed.push(child(1_001, &[3]));
    fed.push(Arc::clone(&parent));
    let mut peer = Raw::greet(&stage.node).await;
    peer.announce(&fed).await;
    let open = RefCell::new(fed.len());
    let are_settled = |event: &Event| {
        let is_settled = matches!(
            event,
            Event::TxAccepted { .. } | Event::TxRejected { .. } | Event::TxEvicted { .. }
        );
        *open.borrow_mut() -= usize::from(is_settled && *open.borrow() > 0);
        matches!(event, Event::TxReplaced { .. })
    };
    peer.until(&mut stage.node, "a replacement", are_settled).await;
    let mut taken = 0;
    for _ in 0..3 {
        let command = Command::Generate { blocks: 1 };
        stage.node.order(Control::Command(command)).await;
        let found = RefCell::new(None);
        let is_found = |event: &Event| {
            if let Event::BlockMined { body, .. } = event {
                *found.borrow_mut() = Some(Arc::clone(body));
            }
            found.borrow().is_some()
        };
        peer.until(&mut stage.node, "found", is_found).await;
        let block = found.into_inner().unwrap();
        stage.tip = stage.sandbox.accept(&block).unwrap_or_else(|reject| panic!("{reject}"));
        taken += block.transactions.len() - 1;
    }
    assert!(taken >= 20, "{taken} of what it was fed are in blocks");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_m7_c7_a_fresh_node_catches_up_from_one_honest_peer_among_stallers_liars_and_mutators() {
    let mut stage = Stage::empty().await;
    let mut chain = Vec::new();
    for _ in 0..300 {
        let block = stage.sandbox.block(stage.tip, &[]);
        stage.tip = stage.sandbox.accept(&block).unwrap();
        chain.push(block);
    }
    let mut hostile = Vec::new();
    for number in 0..6 {
        let mut raw = Raw::greet(&stage.node).await;
        match number % 3 {
            // Has everything and sends nothing.
            0 => raw.is_mute = true,
            // Has everything, and denies it when it is asked.
            1 => {}
            // Sends a body that is another than the header's.
            _ => {
                for block in &chain {
                    let mut body = (**block).clone();
                    body.transactions.push(Arc::clone(&body.transactions[0]));
                    raw.serve(block.id(), &Arc::new(body));
                }
            }
        }
        hostile.push(raw.claim(&chain).await);
    }
    let mut honest = Raw::greet(&stage.node).await;
    for block in &chain {
        honest.serve(block.id(), block);
    }
    let honest = honest.claim(&chain).await;
    let tip = chain.last().unwrap().id();
    let at_tip = |event: &Event| matches!(event, Event::TipChanged { new, .. } if new.block == tip);
    stage.node.until("at the tip", at_tip).await;
    for task in hostile.into_iter().chain([honest]) {
        task.abort();
    }
    stage.end().await;
}

/// Waiting for the minute after which a silent announcer is passed over would take a minute: `gossip/src/txfetch/tests.rs` does that in no time.
#[tokio::test(flavor = "multi_thread")]
async fn threat_m5_who_announces_first_and_does_not_send_keeps_no_transaction_away() {
    let mut stage = Stage::grown().await;
    let transaction = payment(&stage, |_, outputs| outputs[0] = pay(1, key(1).owner()));
    let announce = Message::Announce([transaction.wtxid()].into());
    // The first says that it has no such thing when it is asked, the second nothing at all, and leaves.
    let mut liar = Raw::greet(&stage.node).await;
    liar.send(&announce).await;
    liar.until_heard(MessageKind::Get).await;
    let mut silent = Raw::greet(&stage.node).await;
    silent.is_mute = true;
    silent.send(&announce).await;
    silent.until_heard(MessageKind::Get).await;
    let mut honest = Raw::greet(&stage.node).await;
    honest.announce(&[Arc::clone(&transaction)]).await;
    drop(silent);
    let is_in = |event: &Event| matches!(event, Event::TxAccepted { txid, .. } if *txid == transaction.txid());
    honest.until(&mut stage.node, "accepted", is_in).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_m9_costly_questions_without_end_hold_up_no_block_and_are_no_offence() {
    let mut stage = Stage::grown().await;
    let genesis = stage.sandbox.ledger.id(stage.sandbox.ledger.genesis());
    let mut locator: Vec<BlockId> = (1..chain::limits::MAX_LOCATOR)
        .map(|number| BlockId(base::Hash::sha256(&[&number.to_le_bytes()])))
        .collect();
    locator.push(genesis);
    let question = wire::frame(&Message::GetHeaders { locator });
    let mut hogs = Vec::new();
    for number in 0..5 {
        let mut hog = Raw::greet(&stage.node).await;
        // A branch of its own from far below, too.
        let branch = stage.sandbox.block(stage.sandbox.ledger.genesis(), &[]);
        hog.offer(&branch).await;
        for _ in 0..200 {
            hog.send_bytes(&question).await;
        }
        assert!(hog.heard.len() < 200, "hog {number} does not wait for its answers");
        hogs.push(hog);
    }
    stage.goes_on().await;
    for hog in &mut hogs {
        let answers = |hog: &Raw| {
            hog.heard
                .iter()
                .filter(|message| message.kind() == MessageKind::Headers)
                .count()
        };
        while answers(hog) < 200 {
            hog.until_heard_more().await;
        }
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_p10_a_crowd_from_one_network_takes_neither_outbound_peers_nor_the_last_place() {
    // As many as are worth keeping whoever comes, and four more, of whom two have been here longest.
    const ROOM: u32 = 24;
    let mut stage = Stage::with(|setup| (setup.max_peers, setup.max_inbound) = (40, ROOM)).await;
    let hasher = Hasher::start(Clock::start());
    let chosen = Rig::start(9, &hasher, Clock::start()).await;
    stage.node.order(Control::Want(chosen.target(true))).await;
    stage.node.until_connected().await;
    let mut crowd = Vec::new();
    for _ in 0..ROOM {
        crowd.push(Raw::greet(&stage.node).await);
    }
    let left = RefCell::new(Vec::new());
    for _ in 0..20 {
        let mut newcomer = Raw::greet(&stage.node).await;
        let before = left.borrow().len();
        let made_room = |event: &Event| {
            if let Event::PeerDisconnected { peer, .. } = event {
                left.borrow_mut().push(*peer);
            }
            left.borrow().len() > before
        };
        newcomer.until(&mut stage.node, "room for another", made_room).await;
        crowd.push(newcomer);
    }
    let left = left.into_inner();
    assert_eq!(left.len(), 20, "one for each that came");
    // Numbers are given in the order of coming: the one that was dialled came first.
    assert!(!left.contains(&NodeId(1)), "whom the node chose stays: {left:?}");
    // Quick answers to pings save some that came late; where all are alike, those that came first are saved.
    let saved = PROTECTED_BY_GROUP + PROTECTED_BY_TRANSACTIONS + PROTECTED_BY_BLOCKS;
    assert!(
        left.iter().all(|peer| peer.index() > 1 + saved),
        "and so do those that came first: {left:?}"
    );
    stage.goes_on().await;
    chosen.stop().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_banned_on_disk_gets_no_connection_whoever_else_does() {
    let ban = |address: &str| {
        format!(
            r#"{{"banned_nets":[{{"version":1,"ban_created":0,"banned_until":{},"address":"{address}"}}]}}"#,
            u32::MAX
        )
    };
    for (address, is_banned) in [("127.0.0.0/8", true), ("10.0.0.0/8", false)] {
        let (hasher, clock) = hasher();
        let write = |setup: &mut Setup| std::fs::write(setup.folder.join("banlist.json"), ban(address)).unwrap();
        let node = Rig::start_with(0, &hasher, clock, write).await;
        if is_banned {
            // Whether the streams were open by then is for the machine to say.
            let mut banned = Net::new(NetConfig {
                identity: Keypair::generate_ed25519(),
                genesis: node.genesis,
                agent: "/banned/".to_owned(),
                max_peers: 10,
                max_inbound: 10,
            });
            let dialed = banned.dial(None, node.address.clone()).unwrap();
            assert_dropped(&mut banned, dialed).await;
        } else {
            Raw::greet(&node).await;
        }
        node.stop().await;
    }
}
