//! How far a long simulation is: virtual time, how fast it passes, and how long the step may take yet.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use base::Time;
use chain::Height;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use observe::Collector;
use scenario::plan::StepKind;
use scenario::{Plan, StepReport, StepState, World, words};

/// Shown only when a run takes longer than this.
const PATIENCE: Duration = Duration::from_millis(800);
/// How often it is drawn anew.
const EVERY: Duration = Duration::from_millis(200);
/// Happenings between two looks at the clock.
const LOOK_EVERY: u32 = 256;
/// The bar's length.
const PARTS: u64 = 1_000;

/// A line below the steps, on a terminal.
#[derive(Debug)]
pub(crate) struct Meter<'a> {
    plan: &'a Plan,
    bar: ProgressBar,
    began: Instant,
    drawn: Instant,
    happenings: u32,
    step: usize,
    since: Time,
    /// The greatest height when the step began.
    base: u32,
}

impl<'a> Meter<'a> {
    /// A meter for a run that begins now; none where nobody sees it.
    pub(crate) fn new(plan: &'a Plan, quiet: bool) -> Option<Self> {
        let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        if quiet || dumb || !std::io::stderr().is_terminal() || !std::io::stdout().is_terminal() {
            return None;
        }
        let bar = ProgressBar::with_draw_target(Some(PARTS), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{bar:24} {wide_msg}").expect("a template without mistakes");
        bar.set_style(style);
        Some(Self {
            plan,
            bar,
            began: Instant::now(),
            drawn: Instant::now(),
            happenings: 0,
            step: 0,
            since: Time::ZERO,
            base: 0,
        })
    }

    /// A step begins.
    pub(crate) fn step(&mut self, report: &StepReport) {
        if report.state == StepState::Started {
            (self.step, self.since) = (report.step, report.at);
            self.base = u32::MAX;
        }
    }

    /// Something is about to happen.
    pub(crate) fn pass(&mut self, now: Time, collector: &Collector) {
        self.happenings += 1;
        if self.happenings < LOOK_EVERY {
            return;
        }
        self.happenings = 0;
        if self.drawn.elapsed() < EVERY || self.began.elapsed() < PATIENCE {
            return;
        }
        self.drawn = Instant::now();
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let height = highest(collector.world());
        self.base = self.base.min(height);
        let part = part(&self.plan.steps[self.step].kind, (self.since, now), (self.base, height));
        let rate = now.as_secs_f64() / self.began.elapsed().as_secs_f64();
        self.bar.set_position(parts(part));
        self.bar.set_message(self.message(now, rate, part));
    }

    /// Prints while the line is out of the way.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn message(&self, now: Time, rate: f64, part: f64) -> String {
        let virtual_time = words::duration(now.since(Time::ZERO));
        let gone = now.since(self.since).as_secs_f64() / rate;
        let left = Duration::try_from_secs_f64(gone / part - gone);
        let left = left.map_or(String::new(), |left| format!(", {} left", words::duration(left)));
        let total = self.plan.steps.len();
        let text = &self.plan.steps[self.step].text;
        format!(
            "[{}/{total}] {virtual_time} virtual, {rate:.0}x{left}  {text}",
            self.step + 1
        )
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of 1,000 between 0 and 1,000"
)]
fn parts(part: f64) -> u64 {
    (part.clamp(0.0, 1.0) * PARTS as f64) as u64
}

fn highest(world: &World) -> u32 {
    let heights = world.nodes().iter().map(|node| node.tip.height.0);
    heights.max().unwrap_or(0)
}

/// How much of a step is done, from 0 to 1: of the blocks that it waits for, or else of the time that it may take.
fn part(kind: &StepKind, (since, now): (Time, Time), (base, height): (u32, u32)) -> f64 {
    let gone = now.since(since).as_secs_f64();
    let of_time = |within: Duration| gone / within.as_secs_f64();
    match kind {
        StepKind::Sleep(within) | StepKind::Act { within, .. } => of_time(*within),
        StepKind::Wait { expectation, within } => {
            let goal = expectation.goal(Height(base)).filter(|goal| goal.0 > base);
            goal.map_or_else(
                || of_time(*within),
                |goal| f64::from(height.saturating_sub(base)) / f64::from(goal.0 - base),
            )
        }
        StepKind::Expect(_) | StepKind::Never(_) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use base::NodeId;
    use scenario::plan::Expectation;

    use super::*;

    fn check(kind: &StepKind, now: u64, height: u32) -> f64 {
        part(kind, (Time::from_secs(10), Time::from_secs(now)), (100, height))
    }

    #[test]
    fn a_step_is_as_far_as_its_blocks_or_its_time() {
        let within = Duration::from_secs(40);
        assert_eq!(check(&StepKind::Sleep(within), 20, 100), 0.25);
        let on = vec![NodeId(0)];
        let wait = |expectation| StepKind::Wait { expectation, within };
        let height = |height| Expectation::Height {
            on: on.clone(),
            height: Height(height),
            at_least: true,
        };
        assert_eq!(check(&wait(height(200)), 49, 150), 0.5);
        assert_eq!(check(&wait(height(90)), 20, 100), 0.25, "it waits for stragglers only");
        let advance = Expectation::Converged {
            on: on.clone(),
            at: None,
            advance: Some(10),
        };
        assert_eq!(check(&wait(advance), 20, 109), 0.9);
        let peers = Expectation::Peers {
            on: on.clone(),
            at_least: 1,
            at_most: 2,
        };
        assert_eq!(check(&wait(peers), 50, 0), 1.0);
        assert_eq!((parts(0.25), parts(7.0), parts(f64::NAN)), (250, 1_000, 0));
    }
}
