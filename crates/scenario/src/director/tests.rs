//! The director against a stage: a world that is told by hand what nodes would tell.

mod controls;
mod loads;
mod nodes;

use chain::block::Draft;
use chain::{Amount, Block, BlockId, HashRate, Ledger, Params, TxOutput, Work};
use node::event::TipRef;
use node::{Event, Strategy, TipChange};

use crate::Conditions;
use base::NodeId;
use node::Command;

use super::*;
use crate::plan::{Action, CutId, LinkPlan, NodePlan, Step};

/// A plan, its director, and a world that the test writes.
struct Stage {
    plan: Arc<Plan>,
    director: Director,
    world: World,
    now: Time,
    orders: Vec<Order>,
    reports: Vec<StepReport>,
}

impl Stage {
    /// Four running nodes in a ring, and these steps.
    fn new(steps: Vec<StepKind>) -> Self {
        let node = |index| NodePlan {
            name: format!("n{index}"),
            hashrate: HashRate::ZERO,
            strategy: Strategy::Honest,
            started: true,
            ..NodePlan::default()
        };
        let link = |a, b| LinkPlan {
            a: NodeId(a),
            b: NodeId(b),
            conditions: Conditions::default(),
        };
        let steps = steps
            .into_iter()
            .map(|kind| Step {
                line: 1,
                text: String::new(),
                kind,
            })
            .collect();
        let plan = Arc::new(Plan {
            nodes: (0..4).map(node).collect(),
            links: vec![link(0, 1), link(1, 2), link(2, 3), link(3, 0)],
            steps,
            wallets: vec!["alice".to_owned(), "bob".to_owned()],
            payments: vec!["payment".to_owned()],
            cuts: vec!["left".to_owned(), "right".to_owned()],
            ..Plan::empty("stage", Params::instant())
        });
        let mut stage = Self {
            director: Director::new(Arc::clone(&plan), Engine::Sim),
            world: World::new(&plan),
            plan,
            now: Time::ZERO,
            orders: Vec::new(),
            reports: Vec::new(),
        };
        for node in 0..4 {
            stage.world.node_started(NodeId(node));
        }
        for (a, b) in [(0, 1), (1, 2), (2, 3), (3, 0)] {
            stage.connect(a, b);
        }
        stage
    }

    fn connect(&mut self, a: u32, b: u32) {
        for (node, peer) in [(a, b), (b, a)] {
            self.tell(
                node,
                &Event::PeerConnected {
                    peer: NodeId(peer),
                    outbound: false,
                    agent: String::new(),
                },
            );
        }
    }

    fn disconnect(&mut self, a: u32, b: u32) {
        for (node, peer) in [(a, b), (b, a)] {
            self.tell(
                node,
                &Event::PeerDisconnected {
                    peer: NodeId(peer),
                    reason: None,
                },
            );
        }
    }

    fn tell(&mut self, node: u32, event: &Event) {
        self.world.observe(self.now, NodeId(node), event);
    }

    /// A node mines a block on its tip and follows it.
    fn mine(&mut self, node: u32, tag: u64) -> BlockId {
        let old = self.world.node(NodeId(node)).tip;
        let draft = Draft {
            parent: old.block,
            height: old.height.next(),
            time: 0,
            bits: Params::EASIEST,
            coinbase_outputs: vec![TxOutput {
                value: Amount::COIN,
                owner: self.plan.wallet_key(crate::plan::WalletId(0)).owner(),
            }],
            tag: Vec::new(),
            extra_nonce: tag,
            transactions: Vec::new(),
        };
        let body = Arc::new(draft.assemble());
        let new = TipRef {
            block: body.id(),
            height: old.height.next(),
            chain_work: Work::default(),
        };
        self.tell(node, &mined(&body, new));
        self.follow(node, &body, new);
        new.block
    }

    fn follow(&mut self, node: u32, body: &Arc<Block>, new: TipRef) {
        let old = self.world.node(NodeId(node)).tip;
        self.tell(node, &connected(body, new));
        self.tell(
            node,
            &Event::TipChanged {
                old,
                new,
                how: TipChange::Extend,
            },
        );
    }

    fn reorg(&mut self, node: u32, depth: u32) {
        let tip = self.world.node(NodeId(node)).tip;
        self.tell(
            node,
            &Event::Reorg {
                fork_point: tip.block,
                depth,
                disconnected: Vec::new(),
                connected: Vec::new(),
                old_work: tip.chain_work,
                new_work: tip.chain_work,
                txs_returned: Vec::new(),
                txs_dropped: Vec::new(),
            },
        );
    }

    fn advance(&mut self) -> Option<Outcome> {
        self.director
            .advance(self.now, &self.world, &mut self.orders, &mut self.reports)
    }

    fn last_failure(&self) -> (&str, &str) {
        match &self.reports.last().expect("a report").state {
            StepState::Failed { expected, found } => (expected, found),
            StepState::Started | StepState::Passed { .. } => panic!("the last step did not fail"),
        }
    }

    fn orders(&mut self) -> Vec<String> {
        std::mem::take(&mut self.orders)
            .iter()
            .map(|order| format!("{order:?}"))
            .collect()
    }
}

fn mined(body: &Arc<Block>, at: TipRef) -> Event {
    Event::BlockMined {
        block: at.block,
        parent: body.header.parent,
        height: at.height,
        chain_work: at.chain_work,
        time: 0,
        txs: 1,
        bytes: 0,
        body: Arc::clone(body),
    }
}

fn connected(body: &Arc<Block>, at: TipRef) -> Event {
    Event::BlockConnected {
        block: at.block,
        parent: body.header.parent,
        height: at.height,
        chain_work: at.chain_work,
        txs: 1,
        bytes: 0,
        body: Arc::clone(body),
    }
}

fn nodes(ids: &[u32]) -> Vec<NodeId> {
    ids.iter().copied().map(NodeId).collect()
}

fn act(action: Action) -> StepKind {
    StepKind::Act {
        action,
        within: Duration::from_secs(5),
    }
}

fn partition(cut: usize, groups: &[&[u32]]) -> StepKind {
    act(Action::Partition {
        cut: CutId(cut),
        groups: groups.iter().map(|group| nodes(group)).collect(),
        silent: false,
    })
}

fn height(at: u32) -> Expectation {
    Expectation::Height {
        on: nodes(&[0, 1]),
        height: Height(at),
        at_least: false,
    }
}

#[test]
fn a_plan_without_steps_passes_at_once() {
    assert_eq!(Stage::new(vec![]).advance(), Some(Outcome::Passed));
}

#[test]
fn an_expectation_that_does_not_hold_ends_the_run_and_names_both_sides() {
    let mut stage = Stage::new(vec![StepKind::Expect(height(1))]);
    stage.mine(0, 0);
    assert_eq!(stage.advance(), Some(Outcome::Failed { step: 0 }));
    assert_eq!(stage.last_failure(), ("n0, n1: height 1", "n1: height 0; n0: height 1"));
}

#[test]
fn a_wait_passes_when_its_condition_comes_to_hold() {
    let wait = StepKind::Wait {
        expectation: height(0),
        within: Duration::from_secs(5),
    };
    assert_eq!(Stage::new(vec![wait]).advance(), Some(Outcome::Passed));
    let wait = StepKind::Wait {
        expectation: height(1),
        within: Duration::from_secs(5),
    };
    let mut stage = Stage::new(vec![wait]);
    assert_eq!(stage.advance(), None);
    assert_eq!(stage.director.deadline(), Some(Time::from_secs(5)));
    stage.mine(0, 0);
    assert_eq!(stage.advance(), None);
    stage.mine(1, 1);
    assert_eq!(stage.advance(), Some(Outcome::Passed));
}

#[test]
fn a_wait_that_takes_too_long_fails() {
    let mut stage = Stage::new(vec![StepKind::Wait {
        expectation: height(1),
        within: Duration::from_secs(5),
    }]);
    assert_eq!(stage.advance(), None);
    stage.now = Time::from_secs(5);
    assert_eq!(stage.advance(), Some(Outcome::Failed { step: 0 }));
    assert_eq!(stage.last_failure().0, "n0, n1: height 1, within 5.0 s");
}

#[test]
fn the_limit_of_the_run_ends_a_longer_wait() {
    let mut stage = Stage::new(vec![StepKind::Sleep(Duration::from_secs(1_000_000))]);
    assert_eq!(stage.advance(), None);
    stage.now = Time::ZERO + stage.plan.limit;
    assert_eq!(stage.advance(), Some(Outcome::OutOfTime { step: 0 }));
}

#[test]
fn mining_is_done_when_the_blocks_have_been_seen() {
    let mut stage = Stage::new(vec![act(Action::Mine {
        blocks: 2,
        on: NodeId(0),
    })]);
    assert_eq!(stage.advance(), None);
    assert_eq!(stage.orders(), ["Command(NodeId(0), Generate { blocks: 2 })"]);
    stage.mine(0, 0);
    assert_eq!(stage.advance(), None);
    stage.mine(0, 1);
    assert_eq!(stage.advance(), Some(Outcome::Passed));
}

#[test]
fn a_node_that_is_down_cannot_be_told_to_mine() {
    let mut stage = Stage::new(vec![act(Action::Mine {
        blocks: 2,
        on: NodeId(0),
    })]);
    stage.world.node_stopped(NodeId(0));
    assert_eq!(stage.advance(), Some(Outcome::Failed { step: 0 }));
    assert_eq!(stage.last_failure().1, "n0 is not running");
}

#[test]
fn a_partition_severs_the_links_that_cross_and_has_taken_effect_when_they_are_down() {
    let mut stage = Stage::new(vec![
        partition(0, &[&[0, 1], &[2, 3]]),
        act(Action::Heal { cut: Some(CutId(0)) }),
    ]);
    assert_eq!(stage.advance(), None);
    assert_eq!(
        stage.orders(),
        ["Sever(NodeId(0), NodeId(3))", "Sever(NodeId(1), NodeId(2))"]
    );
    stage.disconnect(0, 3);
    assert_eq!(stage.advance(), None);
    stage.disconnect(1, 2);
    assert_eq!(stage.advance(), None);
    assert_eq!(
        stage.orders(),
        ["Mend(NodeId(3), NodeId(0))", "Mend(NodeId(1), NodeId(2))"],
        "dialled as planned"
    );
    stage.connect(1, 2);
    assert_eq!(stage.advance(), None);
    stage.connect(0, 3);
    assert_eq!(stage.advance(), Some(Outcome::Passed));
}

#[test]
fn a_link_under_two_cuts_is_mended_with_the_second() {
    let mut stage = Stage::new(vec![
        partition(0, &[&[0, 1], &[2, 3]]),
        partition(1, &[&[0], &[1, 2, 3]]),
        act(Action::Heal { cut: Some(CutId(0)) }),
        act(Action::Heal { cut: None }),
    ]);
    for (a, b) in [(0, 3), (1, 2), (0, 1)] {
        stage.disconnect(a, b);
    }
    assert_eq!(stage.advance(), None);
    let orders = stage.orders();
    assert_eq!(orders[2], "Sever(NodeId(0), NodeId(1))", "0-3 is severed already");
    assert_eq!(&orders[3..], ["Mend(NodeId(1), NodeId(2))"]);
    stage.connect(1, 2);
    assert_eq!(stage.advance(), None);
    assert_eq!(
        stage.orders(),
        ["Mend(NodeId(0), NodeId(1))", "Mend(NodeId(3), NodeId(0))"]
    );
}

#[test]
fn what_must_never_happen_counts_from_its_step_to_the_end() {
    let reorg = Expectation::Reorg {
        on: nodes(&[0]),
        depth: None,
        count: 1,
    };
    let sleep = StepKind::Sleep(Duration::from_secs(10));
    let mut stage = Stage::new(vec![StepKind::Never(reorg), sleep]);
    stage.reorg(0, 3);
    stage.now = Time::from_secs(1);
    assert_eq!(stage.advance(), None, "that reorg came before");
    stage.now = Time::from_secs(2);
    stage.reorg(0, 1);
    assert_eq!(stage.advance(), Some(Outcome::Failed { step: 0 }));
    assert_eq!(stage.last_failure(), ("never: n0: a reorg", "n0: reorgs of depth [1]"));
}

#[test]
fn what_must_never_happen_fails_when_any_one_node_shows_it() {
    let reorg = Expectation::Reorg {
        on: nodes(&[0, 1]),
        depth: None,
        count: 1,
    };
    let mut stage = Stage::new(vec![StepKind::Never(reorg), StepKind::Sleep(Duration::from_secs(10))]);
    assert_eq!(stage.advance(), None);
    stage.world.node_stopped(NodeId(0));
    stage.reorg(1, 1);
    assert_eq!(stage.advance(), Some(Outcome::Failed { step: 0 }));
}

#[test]
fn a_partition_holds_against_a_link_that_is_wanted_later() {
    let connect = act(Action::Connect {
        a: NodeId(0),
        b: NodeId(2),
    });
    let mut stage = Stage::new(vec![partition(0, &[&[0, 1], &[2, 3]]), connect]);
    stage.disconnect(0, 3);
    stage.disconnect(1, 2);
    assert_eq!(stage.advance(), None);
    let orders = stage.orders();
    assert_eq!(
        orders[4..],
        ["Sever(NodeId(0), NodeId(2))", "Connect(NodeId(0), NodeId(2))"]
    );
}

#[test]
fn convergence_asks_for_one_tip_on_running_nodes_at_a_height() {
    let converged = |at, advance| {
        StepKind::Expect(Expectation::Converged {
            on: nodes(&[0, 1]),
            at,
            advance,
        })
    };
    let check = |step, running: bool, expected| {
        let mut stage = Stage::new(vec![step]);
        if !running {
            stage.world.node_stopped(NodeId(1));
        }
        assert_eq!(
            stage.advance() == Some(Outcome::Passed),
            expected,
            "{:?}",
            stage.reports
        );
    };
    check(converged(Some((Height(0), false)), None), true, true);
    check(converged(Some((Height(0), false)), None), false, false);
    check(converged(Some((Height(1), true)), None), true, false);
    check(converged(None, Some(1)), true, false);
}

#[test]
fn a_wallet_is_refused_until_its_coin_matures() {
    let send = Action::Send {
        payment: crate::plan::PaymentId(0),
        from: crate::plan::WalletId(0),
        to: crate::plan::WalletId(1),
        amount: Amount::from_units(5),
        fee: Amount::from_units(1),
        via: NodeId(0),
    };
    let mut stage = Stage::new(vec![act(send.clone())]);
    stage.mine(0, 0);
    assert_eq!(stage.advance(), Some(Outcome::Failed { step: 0 }));
    assert_eq!(
        stage.last_failure().1,
        "the first coin of alice can be spent at height 11, n0 would mine height 2"
    );
    let mut stage = Stage::new(vec![act(send)]);
    for tag in 0..10 {
        stage.mine(0, tag);
    }
    assert_eq!(stage.advance(), None);
    let [Order::Command(NodeId(0), Command::Submit(payment))] = stage.orders.as_slice() else {
        panic!("one order")
    };
    let mut ledger = Ledger::new(stage.plan.params.clone());
    let coin = stage.world.coins(&stage.world.node(NodeId(0)).tip.block)[&payment.inputs()[0]];
    assert_eq!(
        ledger.check_transaction(payment, &[coin], Height(11)),
        Ok(Amount::from_units(1)),
        "signed and funded"
    );
    let txid = payment.txid();
    stage.tell(
        0,
        &Event::TxAccepted {
            txid,
            bytes: 0,
            fee: Amount::ZERO,
            from: None,
        },
    );
    assert_eq!(stage.advance(), Some(Outcome::Passed));
}
