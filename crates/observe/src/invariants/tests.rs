//! Each invariant, broken and kept.

use chain::{Amount, BlockRef, Ledger, Owner, Params, TxOutput, mining};
use scenario::Outcome;

use super::*;
use crate::testing::{Sketch, id, plan};
use crate::{Collector, Ending, Engine, Verdict};

const PASSED: Ending = Ending::Steps(Outcome::Passed);

fn rules(sketch: &Sketch) -> Vec<Rule> {
    sketch
        .collector
        .violations()
        .iter()
        .map(|violation| violation.rule)
        .collect()
}

/// A collector that has seen one node mine these many real blocks, the coinbases paying what `reward` makes of the subsidy.
fn mined(blocks: u32, reward: fn(Amount) -> Amount) -> Collector {
    let mut collector = Collector::new(Arc::new(plan(1)), Engine::Sim, None).expect("nothing is written");
    let node = NodeId(0);
    collector.observe(
        Time::ZERO,
        RunEvent::NodeStarted {
            node,
            peer_id: String::new(),
            addrs: Vec::new(),
            restored: 0,
        },
    );
    let mut ledger = Ledger::new(Params::instant());
    let mut tip = ledger.genesis();
    for _ in 0..blocks {
        let (body, next) = mine(&mut ledger, tip, reward);
        let place = |at| TipRef {
            block: ledger.id(at),
            height: ledger.height(at),
            chain_work: ledger.work(at),
        };
        let (old, new) = (place(tip), place(next));
        let connected = Event::BlockConnected {
            block: new.block,
            parent: old.block,
            height: new.height,
            chain_work: new.chain_work,
            txs: 1,
            bytes: body.bytes(),
            body,
        };
        let how = node::TipChange::Extend;
        for event in [connected, Event::TipChanged { old, new, how }] {
            collector.observe(
                Time::ZERO,
                RunEvent::Node {
                    node,
                    nseq: 0,
                    event: Box::new(event),
                },
            );
        }
        tip = next;
    }
    collector
}

/// The header alone is given to the ledger: a body that breaks a rule would be refused.
fn mine(ledger: &mut Ledger, parent: BlockRef, reward: fn(Amount) -> Amount) -> (Arc<Block>, BlockRef) {
    let mut draft = ledger.draft(parent, ledger.median_time_past(parent) + 1);
    draft.coinbase_outputs = vec![TxOutput {
        value: reward(ledger.subsidy(draft.height)),
        owner: Owner([1; 32]),
    }];
    let block = draft.assemble();
    let header = mining::solve(&block.header, u32::MAX).expect("easy targets");
    let next = ledger.add_header(&header).expect("a valid header");
    let header = header.into();
    (Arc::new(Block { header, ..block }), next)
}

#[test]
fn a_run_without_faults_has_no_violations() {
    let mut collector = mined(5, |subsidy| subsidy);
    assert_eq!(collector.check_end(Time::ZERO, true), []);
    let summary = collector.finish(Time::ZERO, PASSED);
    assert_eq!((summary.verdict, summary.exit_code), (Verdict::Passed, 0));
}

#[test]
fn a_chain_that_breaks_a_rule_is_found_even_when_its_node_took_it() {
    let one_more = |subsidy: Amount| subsidy.checked_add(Amount::from_units(1)).expect("small");
    let mut collector = mined(5, one_more);
    let summary = collector.finish(Time::ZERO, PASSED);
    let [violation] = &summary.violations[..] else {
        panic!("one violation: {:?}", summary.violations);
    };
    assert_eq!(violation.rule, Rule::ChainsAreValid);
    assert!(violation.found.contains("at height 1: bad-cb-amount"), "{violation}");
    assert_eq!((summary.verdict, summary.exit_code), (Verdict::InvariantBroken, 1));
}

#[test]
fn a_switch_to_less_work_is_a_violation() {
    let mut sketch = Sketch::new(plan(2));
    sketch.mine(0, "a1");
    sketch.mine(0, "a2");
    sketch.mine(1, "b1");
    sketch.learn(0, "b1");
    assert_eq!(rules(&sketch), []);
    sketch.follow(0, "b1", Vec::new());
    assert_eq!(rules(&sketch), [Rule::WorkNeverFalls]);
}

#[test]
fn a_node_that_stays_on_less_work_is_found_when_it_turns_to_something_else() {
    let mut sketch = Sketch::new(plan(2));
    sketch.mine(0, "a1");
    sketch.mine(1, "b1");
    sketch.mine(1, "b2");
    sketch.learn(0, "b1");
    sketch.learn(0, "b2");
    assert_eq!(rules(&sketch), []);
    let peer = NodeId(1);
    sketch.tell(0, Event::PeerDisconnected { peer, reason: None });
    assert_eq!(rules(&sketch), [Rule::TipIsMostWork]);
    assert_eq!(sketch.collector.violations()[0].node.as_deref(), Some("n0"));
}

#[test]
fn an_exit_that_no_step_told_is_a_death_whatever_else_failed() {
    let mut sketch = Sketch::new(plan(2));
    sketch.stop(0, true);
    assert_eq!(rules(&sketch), []);
    sketch.stop(1, false);
    assert_eq!(rules(&sketch), [Rule::NodesStayUp]);
    let failed = Ending::Steps(Outcome::Failed { step: 0 });
    assert_eq!(sketch.collector.finish(sketch.now, failed).exit_code, 4);
}

#[test]
fn connected_nodes_must_agree_only_when_left_alone_and_only_with_whom_they_reach() {
    let connect = |sketch: &mut Sketch, a: usize, b: usize| {
        for (node, peer) in [(a, b), (b, a)] {
            let (peer, agent) = (NodeId::at(peer), String::new());
            let outbound = node == a;
            sketch.tell(node, Event::PeerConnected { peer, outbound, agent });
        }
    };
    let disagreements = |sketch: &mut Sketch| {
        let mut watch = Watch::default();
        watch.check_agreement(sketch.now, sketch.collector.plan(), sketch.collector.world());
        let nodes = watch.violations().iter().map(|violation| violation.node.clone());
        nodes.collect::<Option<Vec<String>>>().expect("each is a node's")
    };
    let mut sketch = Sketch::new(plan(4));
    connect(&mut sketch, 0, 1);
    connect(&mut sketch, 2, 3);
    sketch.mine(0, "a1");
    sketch.connect(1, "a1");
    assert_eq!(disagreements(&mut sketch), [""; 0]);
    connect(&mut sketch, 1, 2);
    assert_eq!(disagreements(&mut sketch), ["n2", "n3"]);
    sketch.mine(3, "b1");
    sketch.connect(2, "b1");
    assert_eq!(disagreements(&mut sketch), [""; 0], "equal work is agreement");
}

#[test]
fn only_the_first_violations_are_kept_and_the_rest_counted() {
    let mut sketch = Sketch::new(plan(1));
    for _ in 0..MAX_VIOLATIONS + 3 {
        sketch.stop(0, false);
    }
    assert_eq!(rules(&sketch).len(), MAX_VIOLATIONS);
    assert_eq!(sketch.collector.violations_left_out(), 3);
}

#[test]
fn a_violation_names_node_expected_and_found() {
    let mut sketch = Sketch::new(plan(1));
    sketch.mine(0, "a1");
    sketch.stop(0, false);
    insta::assert_snapshot!(sketch.collector.violations()[0], @r#"
    n0: no node exits that no step told to exit: expected to run on, found exit: stopped
    "#);
    assert_eq!(sketch.collector.world().node(NodeId(0)).tip.block, id("a1"));
}
