//! Templates, solutions, and who is paid.

use std::sync::Arc;
use std::time::Duration;

use base::Time;
use chain::{Amount, BlockId, HashRate, TxOutput, mining};
use proptest::prelude::*;

use crate::testing::{Ledgers, World, key, params};
use crate::{Command, Event, Goal, Input, Output, Template, Wake};

fn templates(world: &World, node: usize) -> Vec<Option<Template>> {
    let templates = world.log.iter().filter_map(|(_, at, output)| match output {
        Output::Mine(template) if *at == node => Some(template.clone()),
        _ => None,
    });
    templates.collect()
}

fn coins(coins: u64) -> Amount {
    Amount::from_coins(coins).expect("few")
}

fn pay(coins_paid: u64, to: usize) -> TxOutput {
    TxOutput {
        value: coins(coins_paid),
        owner: key(to).owner(),
    }
}

fn solve(world: &mut World, node: usize, template: &Template) -> BlockId {
    let header = mining::solve(&template.header, 10_000).expect("one hash in two will do");
    world.input(node, Input::Solved { header });
    header.id()
}

/// A node that mines at a metered rate; the test finds its nonces.
fn metered() -> World {
    let mut world = World::new(2);
    world.set_up(0, |config| config.hashrate = HashRate(1_000));
    world.run_secs(1);
    world
}

#[test]
fn blocks_on_demand_are_mined_one_after_the_other_and_then_no_more() {
    let mut world = World::new(1);
    world.mine(0, 3);
    assert_eq!(world.height(0), 3);
    let templates = templates(&world, 0);
    assert_eq!(templates.len(), 4);
    assert!(templates[..3].iter().flatten().all(|template| template.on_demand));
    assert_eq!(templates[3], None);
}

/// Saved before it is told, told before it is announced.
#[test]
fn an_own_block_is_on_disk_before_anybody_hears_of_it() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.run_secs(1);
    world.clear_log();
    world.mine(0, 1);
    let order: Vec<&str> = world
        .log
        .iter()
        .filter(|(_, node, _)| *node == 0)
        .filter_map(|(_, _, output)| match output {
            Output::Save { durable: true, .. } => Some("save"),
            Output::Emit(event) => match event.as_ref() {
                Event::BlockMined { .. } => Some("mined"),
                Event::HeaderAccepted { from: None, .. } => Some("header"),
                Event::BlockConnected { .. } => Some("connected"),
                Event::TipChanged { .. } => Some("tip"),
                _ => None,
            },
            Output::Send {
                message: gossip::Message::Headers(_),
                ..
            } => Some("announced"),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["save", "mined", "header", "connected", "tip", "announced"]);
    let foreign = world
        .log
        .iter()
        .any(|(_, node, output)| *node == 1 && matches!(output, Output::Save { durable: false, .. }));
    assert!(foreign);
}

#[test]
fn a_miner_has_a_template_from_the_start_and_a_new_one_for_each_tip() {
    let mut world = metered();
    world.connect(0, 1);
    world.run_secs(1);
    let first = world.templates[0].clone().expect("it mines");
    assert!(!first.on_demand);
    world.mine(1, 1);
    let second = world.templates[0].clone().expect("it mines");
    assert_eq!(second.header.parent, world.tip(1));
    assert_ne!(first.header.merkle_root, second.header.merkle_root);
}

#[test]
fn a_stale_solution_is_dropped() {
    let mut world = metered();
    let stale = world.templates[0].clone().expect("it mines");
    let id = solve(&mut world, 0, &stale);
    assert_eq!(world.tip(0), id);
    let next = world.templates[0].clone().expect("it goes on");
    solve(&mut world, 0, &stale);
    assert_eq!(world.height(0), 1);
    let newest = world.templates[0].clone().expect("it goes on");
    assert_eq!(newest, next, "nothing new to mine");
    solve(&mut world, 0, &next);
    assert_eq!(world.height(0), 2);
}

#[test]
fn a_solution_of_an_earlier_template_for_the_same_tip_counts() {
    let mut world = metered();
    let earlier = world.templates[0].clone().expect("it mines");
    world.command(0, Command::SetHashRate(HashRate(2_000)));
    assert_ne!(world.templates[0].as_ref(), Some(&earlier));
    let id = solve(&mut world, 0, &earlier);
    assert_eq!(world.tip(0), id);
}

#[test]
fn the_oldest_template_is_forgotten_first() {
    let mut world = metered();
    for _ in 0..crate::limits::MAX_TEMPLATES {
        world.command(0, Command::SetHashRate(HashRate(1_000)));
    }
    let given: Vec<Template> = templates(&world, 0).into_iter().flatten().collect();
    assert_eq!(given.len(), crate::limits::MAX_TEMPLATES + 1);
    solve(&mut world, 0, &given[0]);
    assert_eq!(world.height(0), 0);
    solve(&mut world, 0, &given[1]);
    assert_eq!(world.height(0), 1);
}

#[test]
fn a_later_time_in_the_solution_is_kept() {
    let mut world = metered();
    let mut template = world.templates[0].clone().expect("it mines");
    template.header.time += 5;
    let id = solve(&mut world, 0, &template);
    assert_eq!(world.tip(0), id);
}

#[test]
fn stopping_ends_the_search() {
    let mut world = metered();
    world.command(0, Command::Generate { blocks: 5 });
    world.command(0, Command::StopMining);
    assert_eq!(world.templates[0], None);
    assert_eq!(world.nodes[0].view().hashrate(), HashRate::ZERO);
    world.clear_log();
    world.run_secs(5);
    // At most the block whose template was already being solved.
    assert!(world.height(0) <= 1);
    assert_eq!(templates(&world, 0), []);
}

#[test]
fn new_transactions_change_a_metered_template_at_most_once_a_second() {
    let mut world = metered();
    world.command(0, Command::Generate { blocks: 6 });
    world.run_secs(2);
    world.clear_log();
    for height in 1..=5 {
        let payment = world.spend(0, height, 1_000, 1);
        world.submit(0, &payment);
        world.run(Duration::from_millis(100));
    }
    assert!(templates(&world, 0).len() <= 1);
    world.run_secs(1);
    let template = world.templates[0].clone().expect("it mines");
    solve(&mut world, 0, &template);
    assert!(world.nodes[0].view().mempool().is_empty());
    assert_eq!(world.block(0, 7).transactions.len(), 6);
}

#[test]
fn a_template_s_time_follows_the_clock_and_the_median() {
    let mut world = World::new(1);
    world.command(0, Command::SkewClock { millis: -3_600_000 });
    world.mine(0, 1);
    assert_eq!(world.block(0, 1).header.time, params().genesis_time + 1);
    world.command(0, Command::SkewClock { millis: 3_600_000 });
    world.mine(0, 1);
    let now = u32::try_from(world.now.as_secs()).expect("a short run") - 1;
    assert_eq!(world.block(0, 2).header.time, params().genesis_time + now + 3_600);
}

#[test]
fn payments_out_of_the_reward_are_in_one_block_each_as_far_as_it_reaches() {
    let mut world = World::new(1);
    for (amount, to) in [(30, 1), (30, 2), (15, 3)] {
        world.command(0, Command::PayFromReward(pay(amount, to)));
    }
    world.mine(0, 2);
    let own = |amount| TxOutput {
        value: coins(amount),
        owner: key(0).owner(),
    };
    assert_eq!(
        world.block(0, 1).transactions[0].outputs(),
        [pay(30, 1), pay(15, 3), own(5)]
    );
    assert_eq!(world.block(0, 2).transactions[0].outputs(), [pay(30, 2), own(20)]);
    world.mine(0, 1);
    assert_eq!(world.block(0, 3).transactions[0].outputs(), [own(50)]);
}

#[test]
fn a_payment_of_an_abandoned_block_is_made_again_and_only_once() {
    let mut world = World::new(2);
    world.command(0, Command::PayFromReward(pay(30, 7)));
    world.mine(0, 1);
    world.mine(1, 2);
    world.connect(0, 1);
    world.run_secs(2);
    assert_eq!(world.tip(0), world.tip(1));
    world.mine(0, 2);
    let paid = (1..=4)
        .flat_map(|height| world.block(0, height).transactions[0].outputs().to_vec())
        .filter(|output| *output == pay(30, 7));
    assert_eq!(paid.count(), 1);
    assert_eq!(world.block(0, 3).transactions[0].outputs()[0], pay(30, 7));
}

/// Mined again and then not needed: the first block came back.
#[test]
fn a_payment_whose_block_returns_to_the_chain_is_not_made_again() {
    let mut world = World::new(1);
    world.command(0, Command::PayFromReward(pay(30, 7)));
    world.mine(0, 1);
    let block = world.tip(0);
    world.command(
        0,
        Command::Invalidate {
            block,
            reconsider: false,
        },
    );
    world.command(
        0,
        Command::Invalidate {
            block,
            reconsider: true,
        },
    );
    world.mine(0, 1);
    assert_eq!(world.block(0, 2).transactions[0].outputs().len(), 1);
}

#[test]
fn fees_go_to_the_miner() {
    let mut world = World::new(1);
    world.mine(0, 2);
    let payment = world.spend(0, 1, 12_345, 1);
    world.submit(0, &payment);
    world.mine(0, 1);
    let coinbase = &world.block(0, 3).transactions[0];
    assert_eq!(coinbase.outputs()[0].value.units(), 50 * Amount::COIN.units() + 12_345);
}

#[test]
fn a_submitted_block_is_saved_and_announced_like_an_own_one() {
    let mut source = World::elsewhere(1);
    source.mine(0, 2);
    let mut world = World::new(2);
    world.connect(0, 1);
    world.run_secs(1);
    // The second before the first: its parent is not known, and it can be submitted again.
    world.command(0, Command::SubmitBlock(source.block(0, 2)));
    let reason = world.events(0).find_map(|event| match event {
        Event::BlockRejected { reason, penalty, .. } => Some((*reason, *penalty)),
        _ => None,
    });
    assert_eq!(reason, Some(("prev-blk-not-found", 0)));
    for height in 1..=2 {
        world.command(0, Command::SubmitBlock(source.block(0, height)));
    }
    world.run_secs(1);
    assert_eq!(world.tip(1), source.tip(0));
    let saved = world
        .log
        .iter()
        .filter(|(_, node, output)| *node == 0 && matches!(output, Output::Save { durable: true, .. }));
    assert_eq!(saved.count(), 2);
}

#[test]
fn the_first_template_is_due_at_once() {
    let mut world = World::new(1);
    world.set_up(0, |config| config.hashrate = HashRate(1));
    assert_eq!(world.nodes[0].deadline(), Some((Time::ZERO, Wake::Mempool)));
    world.input(0, Input::Tick);
    assert!(world.templates[0].is_some());
    assert_eq!(world.nodes[0].deadline(), None);
    world.clear_log();
    world.input(0, Input::Tick);
    assert!(world.log.is_empty(), "early or repeated ticks do nothing");
}

/// One step of a random history: who acts, what it does, and numbers to do it with.
type Step = (usize, u8, u32, u64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0..2_usize, 0..8_u8, 0..60_u32, 0..4_000_u64), 1..40)
}

fn act(world: &mut World, made: &mut Vec<(usize, Arc<chain::Transaction>)>, step: Step) {
    let (node, what, number, fee) = step;
    match what {
        0 => world.mine(node, number % 3 + 1),
        1 => world.disconnect(0, 1),
        2 => {
            world.connect(0, 1);
            world.run_secs(3);
        }
        3 => world.command(node, Command::PayFromReward(pay(u64::from(number), 3))),
        4 | 5 if world.height(node) > 1 => {
            let height = number % (world.height(node) - 1) + 1;
            let coinbase = Arc::clone(&world.block(node, height).transactions[0]);
            let Some(index) = coinbase
                .outputs()
                .iter()
                .position(|output| output.owner == key(node).owner())
            else {
                return;
            };
            if coinbase.outputs()[index].value.units() > fee {
                let index = u32::try_from(index).expect("few outputs");
                let payment = world.spend_output(node, coinbase.outpoint(index), &coinbase, (fee, node));
                world.submit(node, &payment);
                made.push((node, payment));
            }
        }
        _ => {
            let Some((owner, parent)) = made.get(number as usize % made.len().max(1)).cloned() else {
                return;
            };
            if parent.outputs()[0].value.units() > fee {
                let payment = world.spend_output(owner, parent.outpoint(0), &parent, (fee, owner));
                world.submit(node, &payment);
                made.push((owner, payment));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// THREATS C14: whatever happened before, the next template passes the full validation, is within the size limit, and is mined.
    #[test]
    fn threat_c14_every_template_makes_a_valid_block(steps in steps()) {
        let small = chain::Params { max_block_bytes: 1_000, ..params() };
        let mut world = World::with(2, &small, Ledgers::Own);
        world.mine(0, 12);
        world.mine(1, 12);
        let mut made = Vec::new();
        for step in steps {
            act(&mut world, &mut made, step);
            if step.2 % 8 == 0 {
                check_template(&mut world, step.0)?;
            }
        }
        check_template(&mut world, 0)?;
        check_template(&mut world, 1)?;
    }
}

fn check_template(world: &mut World, node: usize) -> Result<(), TestCaseError> {
    let waiting = world.nodes[node].view().mempool();
    let bytes: u64 = waiting.iter().map(|entry| u64::from(entry.bytes())).sum();
    let height = world.height(node);
    world.clear_log();
    world.command(node, Command::Generate { blocks: 1 });
    world.run(Duration::from_millis(1));
    prop_assert_eq!(world.height(node), height + 1);
    let block = world.block(node, height + 1);
    prop_assert!(block.bytes() <= 1_000);
    let is_rejected = world
        .events(node)
        .any(|event| matches!(event, Event::BlockRejected { .. }));
    prop_assert!(!is_rejected);
    // What fits is taken.
    if bytes < 300 {
        prop_assert!(world.nodes[node].view().mempool().is_empty());
    }
    Ok(())
}

#[test]
fn an_engine_that_draws_is_told_what_a_wait_depends_on_and_gets_the_template_when_one_is_over() {
    let mut world = World::new(1);
    world.set_up(0, |config| config.hashrate = HashRate(1));
    let node = world.nodes.remove(0).drawn();
    world.nodes.push(node);
    world.input(0, Input::Tick);
    let goals = |world: &World| -> Vec<Option<Goal>> {
        let drawn = world.log.iter().filter_map(|(_, _, output)| match output {
            Output::Draw(goal) => Some(*goal),
            _ => None,
        });
        drawn.collect()
    };
    let bits = params().initial_bits;
    let goal = Goal { bits, on_demand: false };
    assert_eq!(goals(&world), [Some(goal)]);
    assert_eq!(templates(&world, 0), [], "nothing is put together before it is found");
    world.input(0, Input::Drawn);
    let template = world.templates[0].clone().expect("something is found");
    let id = solve(&mut world, 0, &template);
    assert_eq!((world.tip(0), goals(&world).len()), (id, 2));
    world.command(0, Command::StopMining);
    assert_eq!(goals(&world).last(), Some(&None));
    world.clear_log();
    world.input(0, Input::Drawn);
    assert!(
        world.log.is_empty(),
        "a wait that ends after mining stopped finds nothing"
    );
}

/// BIP23: what a miner outside is told of its block before the nonce is found, in BIP22's words.
#[test]
fn a_proposal_is_judged_on_the_tip_and_by_the_clock() {
    let mut world = World::new(1);
    world.mine(0, 3);
    let tip = world.nodes[0].view().tip();
    let proposal = |world: &World, change: &dyn Fn(&mut chain::Draft)| {
        let mut draft = world.nodes[0].view().template(world.ledger(0), world.now).draft;
        draft.coinbase_outputs = vec![pay(50, 1)];
        change(&mut draft);
        draft.assemble()
    };
    let word = |world: &mut World, block: &chain::Block| {
        let (now, ledger) = (world.now, &mut world.ledgers[0]);
        world.nodes[0]
            .propose(ledger, now, block)
            .map_err(|refused| refused.reason)
    };
    let good = proposal(&world, &|_| {});
    assert_eq!(word(&mut world, &good), Ok(()));
    let greedy = proposal(&world, &|draft| draft.coinbase_outputs = vec![pay(51, 1)]);
    assert_eq!(word(&mut world, &greedy), Err("bad-cb-amount"));
    let elsewhere = proposal(&world, &|draft| draft.parent = BlockId::ZERO);
    assert_eq!(word(&mut world, &elsewhere), Err("inconclusive-not-best-prevblk"));
    let latest = world.nodes[0].view().unix_secs(world.now) + params().max_future.as_secs();
    let latest = u32::try_from(latest).expect("this century");
    let at_the_limit = proposal(&world, &|draft| draft.time = latest);
    assert_eq!(word(&mut world, &at_the_limit), Ok(()));
    let beyond = proposal(&world, &|draft| draft.time = latest + 1);
    assert_eq!(word(&mut world, &beyond), Err("time-too-new"));
    assert_eq!(world.nodes[0].view().tip(), tip);
    world.mine(0, 1);
    assert_eq!(word(&mut world, &good), Err("inconclusive-not-best-prevblk"));
}
