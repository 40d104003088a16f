//! What a run in virtual time will take, before anything of it is allocated.
//!
//! The figures are rough on purpose: they tell a coffee break from a week, and a laptop from a machine that does not exist. Bytes were
//! measured on networks of 1,000 and 4,000 nodes with eight links each.

use std::fmt;
use std::time::Duration;

use chain::{HashRate, ProofOfWork};

use crate::Plan;
use crate::limits::{MAX_EVENTS, MAX_HASHES, MAX_MEMORY};
use crate::plan::{Action, Expectation, LoadPlan, StepKind};

/// Bytes of a node, without links and blocks.
const NODE_BYTES: u64 = 8_000;
/// Bytes of a link with all that its two nodes know of each other.
const LINK_BYTES: u64 = 6_000;
/// Bytes of a block, and of what each node knows of it.
const BLOCK_BYTES: (u64, u64) = (4_000, 70);
/// Bytes of a payment, and of what each node knows of it while it waits.
const PAYMENT_BYTES: (u64, u64) = (1_000, 300);

/// What a run will take, roughly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// Blocks found.
    pub blocks: u64,
    /// Payments of loads.
    pub payments: u64,
    /// Messages and timers.
    pub events: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Hashes tried for real.
    pub hashes: u64,
}

/// What a run of this plan in virtual time will take, roughly.
#[must_use]
pub fn estimate(plan: &Plan) -> Estimate {
    let (nodes, links) = (plan.nodes.len() as u64, plan.links.len() as u64);
    let story = Story::of(plan);
    // Something new is told over every link, asked for by every node, and sent once to each.
    let told = links.saturating_add(nodes.saturating_mul(4));
    let bytes =
        |(once, each): (u64, u64), count: u64| nodes.saturating_mul(each).saturating_add(once).saturating_mul(count);
    // A payment is forgotten by the nodes when a block has it: those of one interval wait.
    let waiting = story.payments.min(story.payments_in_an_interval);
    let memory = [
        nodes.saturating_mul(NODE_BYTES),
        links.saturating_mul(LINK_BYTES),
        bytes(BLOCK_BYTES, story.blocks),
        bytes((0, PAYMENT_BYTES.1), waiting),
        story.payments.saturating_mul(PAYMENT_BYTES.0),
    ];
    Estimate {
        blocks: story.blocks,
        payments: story.payments,
        events: told.saturating_mul(story.blocks.saturating_add(story.payments)),
        memory: memory.into_iter().fold(0, u64::saturating_add),
        hashes: match plan.params.proof_of_work {
            ProofOfWork::Oracle => 0,
            ProofOfWork::Sha256d => story.blocks.saturating_mul(hashes_for_a_block(plan)),
        },
    }
}

impl Estimate {
    /// Why this run should not begin unless its user insists, in words; `None` when it may.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let (what, most) = if self.hashes > MAX_HASHES {
            ("hashes", MAX_HASHES)
        } else if self.memory > MAX_MEMORY {
            ("bytes of memory", MAX_MEMORY)
        } else if self.events > MAX_EVENTS {
            ("events", MAX_EVENTS)
        } else {
            return None;
        };
        let help = match what {
            "hashes" => "`proof-of-work = \"oracle\"` in `[chain]` needs none",
            _ => "fewer nodes, links, blocks or payments take less",
        };
        Some(format!(
            "this run would take {self}: more than {} {what}; {help}, and `--force` begins it anyway",
            short(most)
        ))
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "about {} blocks, ", short(self.blocks))?;
        if self.payments > 0 {
            write!(f, "{} payments, ", short(self.payments))?;
        }
        write!(
            f,
            "{} events and {} bytes of memory",
            short(self.events),
            short(self.memory)
        )?;
        if self.hashes > 0 {
            write!(f, ", and {} hashes", short(self.hashes))?;
        }
        Ok(())
    }
}

/// A number to two digits: `950`, `1.2 million`.
fn short(number: u64) -> String {
    let units = [
        (1_000_000_000_000, "trillion"),
        (1_000_000_000, "billion"),
        (1_000_000, "million"),
        (1_000, "thousand"),
    ];
    match units.into_iter().find(|(unit, _)| number >= *unit) {
        None => number.to_string(),
        Some((unit, name)) if number >= 10 * unit => format!("{} {name}", number / unit),
        Some((unit, name)) => format!("{}.{} {name}", number / unit, number % unit * 10 / unit),
    }
}

/// What the steps ask for.
struct Story {
    blocks: u64,
    payments: u64,
    payments_in_an_interval: u64,
}

impl Story {
    fn of(plan: &Plan) -> Self {
        let (mut mined, mut highest, mut advanced) = (0_u64, 0_u64, 0_u64);
        let (mut slept, mut hashing) = (Duration::ZERO, false);
        let mut loads: Vec<&LoadPlan> = Vec::new();
        for step in &plan.steps {
            match &step.kind {
                StepKind::Act {
                    action: Action::Mine { blocks, .. },
                    ..
                } => mined = mined.saturating_add(u64::from(*blocks)),
                StepKind::Act {
                    action: Action::SetHashRate { rates },
                    ..
                } => hashing |= rates.iter().any(|(_, rate)| *rate > HashRate::ZERO),
                StepKind::Act {
                    action: Action::Load(load),
                    ..
                } => loads.push(load),
                StepKind::Wait { expectation, .. } => {
                    let (height, advance) = awaited(expectation);
                    highest = highest.max(height);
                    advanced = advanced.saturating_add(advance);
                }
                StepKind::Sleep(time) => slept = slept.saturating_add(*time),
                StepKind::Act { .. } | StepKind::Expect(_) | StepKind::Never(_) => {}
            }
        }
        let hashing = hashing || plan.nodes.iter().any(|node| node.hashrate > HashRate::ZERO);
        let found_while = |time: Duration| if hashing { ratio(time, plan.params.interval) } else { 0 };
        let room = found_while(plan.limit);
        let awaited = highest.max(mined).saturating_add(advanced);
        let blocks = awaited
            .saturating_add(found_while(slept))
            .min(mined.saturating_add(room).max(highest));
        let time = blocks_take(plan, blocks).saturating_add(slept).min(plan.limit);
        let paid_while = |load: &LoadPlan, time: Duration| ratio(load.lasting.unwrap_or(time).min(time), load.every);
        let sum = |time: Duration| {
            loads
                .iter()
                .map(|load| paid_while(load, time))
                .fold(0, u64::saturating_add)
        };
        Self {
            blocks,
            payments: sum(time),
            payments_in_an_interval: sum(plan.params.interval),
        }
    }
}

/// The height that is waited for, and by how much chains are to grow.
fn awaited(expectation: &Expectation) -> (u64, u64) {
    match expectation {
        Expectation::Height { height, .. } => (u64::from(height.0), 0),
        Expectation::Converged { at, advance, .. } => (
            at.map_or(0, |(height, _)| u64::from(height.0)),
            u64::from(advance.unwrap_or(0)),
        ),
        Expectation::Diverged { .. }
        | Expectation::Tip { .. }
        | Expectation::Reorg { .. }
        | Expectation::Rejected { .. }
        | Expectation::Confirmed { .. }
        | Expectation::ConfirmedOnce { .. }
        | Expectation::Balance { .. }
        | Expectation::Supply { .. }
        | Expectation::InMempool { .. }
        | Expectation::Peers { .. } => (0, 0),
    }
}

fn blocks_take(plan: &Plan, blocks: u64) -> Duration {
    let micros = plan.params.interval.as_micros().saturating_mul(u128::from(blocks));
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

fn ratio(time: Duration, of: Duration) -> u64 {
    u64::try_from(time.as_micros() / of.as_micros().max(1)).unwrap_or(u64::MAX)
}

/// The hashes that the first block takes on average.
fn hashes_for_a_block(plan: &Plan) -> u64 {
    let Some(target) = plan.params.initial_bits.target() else {
        return u64::MAX;
    };
    let chain::Work(chain::uint::U256([low, rest @ ..])) = target.work();
    if rest == [0; 3] { low } else { u64::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Overrides, parse};

    fn of(file: &str) -> Estimate {
        let plan = parse("x.toml", file, &Overrides::default()).unwrap_or_else(|errors| panic!("{}", errors[0]));
        estimate(&plan)
    }

    #[test]
    fn a_run_that_takes_more_than_there_is_begins_only_when_its_user_insists() {
        let least = Estimate {
            blocks: 1,
            payments: 0,
            events: MAX_EVENTS,
            memory: MAX_MEMORY,
            hashes: MAX_HASHES,
        };
        assert_eq!(least.refusal(), None);
        for (one_more, what) in [
            (
                Estimate {
                    events: MAX_EVENTS + 1,
                    ..least
                },
                "events",
            ),
            (
                Estimate {
                    memory: MAX_MEMORY + 1,
                    ..least
                },
                "bytes of memory",
            ),
            (
                Estimate {
                    hashes: MAX_HASHES + 1,
                    ..least
                },
                "hashes",
            ),
        ] {
            let refusal = one_more.refusal().expect("too much");
            assert!(
                refusal.contains(&format!(" {what}; ")) && refusal.contains("--force"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn what_comes_with_the_program_may_run() {
        let small = of(include_str!("../../../scenarios/simblock-bitcoin-2015.toml"));
        assert_eq!((small.blocks, small.hashes, small.payments), (10, 0, 0));
        assert_eq!(small.refusal(), None);
        let load = of(include_str!("../../../scenarios/payments-at-a-rate.toml"));
        // Sixteen, and four in the two seconds that the run sleeps.
        assert_eq!((load.blocks, load.payments), (20, 40));
        assert_eq!(load.refusal(), None);
    }

    #[test]
    fn blocks_are_those_that_steps_mine_wait_for_or_sleep_over() {
        let network = "[network]\nnodes = 2\n";
        let mines = "[chain]\npreset = \"cluster\"\n[[network.group]]\ncount = 2\nhashrate = \"1kH/s\"\n";
        for (file, steps, blocks) in [
            (network, "{ mine = 7, on = \"n0\" }", 7),
            (
                network,
                "{ mine = 7, on = \"n0\" }, { wait = \"height\", height = 7, within = \"1s\" }",
                7,
            ),
            (network, "{ sleep = \"10s\" }", 0),
            (mines, "{ sleep = \"10s\" }", 5),
            (
                mines,
                "{ wait = \"converged\", advance = 3, within = \"9s\" }, { sleep = \"4s\" }",
                5,
            ),
        ] {
            assert_eq!(
                of(&format!("{file}[steps]\nrun = [{steps}]\n")).blocks,
                blocks,
                "{steps}"
            );
        }
    }

    #[test]
    fn bombs_are_refused_with_what_they_would_take() {
        let hashing = "[chain]\npreset = \"mainnet-like\"\nproof-of-work = \"sha256d\"\n\
                       [[network.group]]\nhashrate = \"1EH/s\"\n[steps]\n\
                       run = [{ wait = \"height\", at-least = 5, within = \"1s\" }]\n";
        let traffic = "limit = \"99d\"\n[network]\nnodes = 10000\n[steps]\nrun = [\
                       { fund = \"alice\", coins = 10 }, { mine = 100000, on = \"n0\" }, \
                       { load = \"alice\", rate = \"10000/s\", lasting = \"90d\" }, { sleep = \"90d\" }]\n";
        let memory = "[network]\nnodes = 10000\n[steps]\nrun = [{ mine = 100000, on = \"n0\" }]\n";
        for (file, word) in [
            (hashing, "hashes; "),
            (traffic, "bytes of memory; "),
            (memory, "bytes of memory; "),
        ] {
            let refusal = of(file).refusal().expect(word);
            assert!(refusal.contains(word) && refusal.contains("--force"), "{refusal}");
        }
        assert_eq!(of(&hashing.replace("sha256d", "oracle")).refusal(), None);
    }

    #[test]
    fn numbers_are_short() {
        for (number, words) in [
            (0, "0"),
            (999, "999"),
            (1_250, "1.2 thousand"),
            (98_765_432, "98 million"),
        ] {
            assert_eq!(short(number), words);
        }
    }
}
