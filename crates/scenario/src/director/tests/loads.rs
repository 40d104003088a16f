//! Loads: who pays what, and when.

use chain::Transaction;

use super::*;
use crate::plan::{LoadPlan, Pattern, WalletId};

/// A stage whose first wallet owns mature coins, with a load of so many wallets by the first two nodes, ten times a second.
fn loaded(wallets: u32, lasting: Option<Duration>) -> (Stage, Arc<Transaction>) {
    let load = LoadPlan {
        number: 0,
        from: WalletId(0),
        wallets,
        every: Duration::from_millis(100),
        pattern: Pattern::Constant,
        fee: Amount::from_units(10_000),
        on: vec![NodeId(0), NodeId(1)],
        lasting,
    };
    let mut stage = Stage::new(vec![
        StepKind::Act {
            action: Action::Load(load),
            within: Duration::from_secs(1),
        },
        StepKind::Sleep(Duration::from_secs(60)),
    ]);
    for tag in 0..12 {
        stage.mine(0, tag);
    }
    assert_eq!(stage.advance(), None);
    let submitted = payments(&mut stage);
    let [(via, split)] = submitted.as_slice() else {
        panic!("{submitted:?}")
    };
    assert_eq!((*via, split.outputs().len()), (NodeId(0), wallets as usize));
    let accepted = Event::TxAccepted {
        txid: split.txid(),
        bytes: split.bytes(),
        fee: Amount::from_units(10_000),
        from: None,
    };
    stage.tell(0, &accepted);
    let split = Arc::clone(split);
    (stage, split)
}

/// What has been handed in since the last look, and where.
fn payments(stage: &mut Stage) -> Vec<(NodeId, Arc<Transaction>)> {
    let orders = std::mem::take(&mut stage.orders);
    let payments = orders.into_iter().map(|order| {
        let Order::Command(via, Command::Submit(transaction)) = order else {
            panic!("{order:?}")
        };
        (via, transaction)
    });
    payments.collect()
}

/// What is handed in up to a time, if the director is called whenever it wants to be.
fn paid_until(stage: &mut Stage, end: Time) -> Vec<(NodeId, Arc<Transaction>)> {
    while let Some(next) = stage.director.deadline().filter(|next| *next <= end) {
        stage.now = next;
        assert_eq!(stage.advance(), None);
    }
    payments(stage)
}

/// Both nodes follow a block with these transactions.
fn confirm(stage: &mut Stage, transactions: Vec<Arc<Transaction>>) {
    let old = stage.world.node(NodeId(0)).tip;
    let draft = Draft {
        parent: old.block,
        height: old.height.next(),
        time: 0,
        bits: Params::EASIEST,
        coinbase_outputs: Vec::new(),
        tag: Vec::new(),
        extra_nonce: 0,
        transactions,
    };
    let body = Arc::new(draft.assemble());
    let new = TipRef {
        block: body.id(),
        height: old.height.next(),
        chain_work: Work::default(),
    };
    stage.follow(0, &body, new);
    stage.follow(1, &body, new);
}

#[test]
fn wallets_pay_each_other_at_the_rate_once_their_coins_are_confirmed() {
    let (mut stage, split) = loaded(20, None);
    assert_eq!(paid_until(&mut stage, Time::from_secs(2)), []);
    confirm(&mut stage, vec![Arc::clone(&split)]);
    let paid = paid_until(&mut stage, Time::from_secs(4));
    assert_eq!(paid.len(), 20);
    for (place, (via, payment)) in paid.iter().enumerate() {
        assert_eq!(via.index(), place % 2, "in turn");
        let spent = split.outpoint(u32::try_from(place).expect("small"));
        assert_eq!(payment.inputs(), [spent], "each coin once before any twice");
        let (before, after) = (split.outputs()[place], payment.outputs()[0]);
        assert_eq!(before.value.checked_sub(after.value), Some(Amount::from_units(10_000)));
        assert_eq!(after.owner, split.outputs()[(place + 1) % 20].owner);
    }
}

#[test]
fn a_wallet_waits_when_its_payments_are_not_confirmed() {
    let (mut stage, split) = loaded(1, None);
    confirm(&mut stage, vec![split]);
    let paid = paid_until(&mut stage, Time::from_secs(10));
    assert_eq!(paid.len(), node::limits::MAX_ANCESTORS);
    for pair in paid.windows(2) {
        assert_eq!(pair[1].1.inputs(), [pair[0].1.outpoint(0)]);
    }
    confirm(&mut stage, paid.into_iter().map(|(_, payment)| payment).collect());
    assert_eq!(paid_until(&mut stage, Time::from_secs(11)).len(), 10);
}

#[test]
fn a_wallet_whose_payment_is_refused_pays_no_more() {
    let (mut stage, split) = loaded(1, None);
    confirm(&mut stage, vec![split]);
    let paid = paid_until(&mut stage, Time::from_millis(100));
    let refused = Event::TxRejected {
        txid: paid[0].1.txid(),
        from: None,
        reason: "insufficient-fee",
        detail: String::new(),
        conflicts_with: None,
    };
    stage.tell(0, &refused);
    assert_eq!(paid_until(&mut stage, Time::from_secs(5)), []);
}

#[test]
fn a_load_ends_when_it_has_lasted_and_counts_from_its_first_payment() {
    let (mut stage, split) = loaded(20, Some(Duration::from_secs(1)));
    assert_eq!(paid_until(&mut stage, Time::from_secs(5)), []);
    confirm(&mut stage, vec![split]);
    assert_eq!(paid_until(&mut stage, Time::from_secs(20)).len(), 11);
}
