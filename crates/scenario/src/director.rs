//! Goes through a plan's steps: gives orders, waits for their effect, judges expectations.
//!
//! Sans-IO. The engine feeds a [`World`] with what its nodes tell, calls [`Director::advance`] after every event and at
//! [`Director::deadline`], and carries out the orders.

mod act;
mod control;
mod deed;
mod defect;
mod glance;
mod judge;
mod links;
mod load;
mod nodes;
mod order;
mod standing;
mod wallet;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base::Time;
use chain::{Height, Txid};

use crate::plan::{Expectation, StepKind};
use crate::{Engine, Plan, World, words};
use act::Effect;
use judge::{Judge, Judgement};
use links::Links;
use load::Load;
use standing::Known;
use wallet::Wallets;

pub use control::{ControlReport, Instruction};
pub use deed::Deed;
pub use order::Order;

/// Where a step stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StepState {
    /// It has begun.
    Started,
    /// It is done. `found` says what was seen, in words.
    Passed {
        /// What was seen.
        found: String,
    },
    /// It failed, and so did the run.
    Failed {
        /// What was expected, in words.
        expected: String,
        /// What was found, in words.
        found: String,
    },
}

/// News of a step, to print and to log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepReport {
    /// Which step, from 0.
    pub step: usize,
    /// When.
    pub at: Time,
    /// How long it has taken so far.
    pub took: Duration,
    /// Where it stands.
    pub state: StepState,
    /// What it has done, when it has passed.
    pub deed: Option<Deed>,
}

/// How a run ended, as far as its steps tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Every step passed.
    Passed,
    /// A step failed.
    Failed {
        /// Which, from 0.
        step: usize,
    },
    /// The time limit was reached in this step.
    OutOfTime {
        /// Which, from 0.
        step: usize,
    },
}

/// Goes through the steps. See the module's documentation.
#[derive(Debug)]
pub struct Director {
    plan: Arc<Plan>,
    engine: Engine,
    links: Links,
    wallets: Wallets,
    loads: Vec<Load>,
    current: Option<Current>,
    /// The next step to begin.
    next: usize,
    /// What must not come to hold of any node.
    never: Vec<Never>,
    /// What operators have handed in and is going on.
    controls: Vec<control::Control>,
    next_control: u64,
    known: Known,
    outcome: Option<Outcome>,
    /// The programs that nodes can be upgraded to, by the names that the operator gave them.
    programs: BTreeSet<String>,
}

/// What a `never` step watches for.
#[derive(Debug)]
struct Never {
    step: usize,
    since: Time,
    /// None of these may come to hold.
    watched: Vec<Expectation>,
}

/// The step that is going on.
#[derive(Debug)]
struct Current {
    step: usize,
    course: Course,
}

/// How a step goes on.
#[derive(Debug)]
struct Course {
    since: Time,
    until: Time,
    base_height: Height,
    waits_for: WaitsFor,
}

impl Course {
    /// Of a step that has begun and given no order yet.
    const fn begun(now: Time) -> Self {
        Self {
            since: now,
            until: now,
            base_height: Height(0),
            waits_for: WaitsFor::Now,
        }
    }
}

/// What the step that is going on waits for.
#[derive(Debug)]
enum WaitsFor {
    Effect(Effect),
    Expectation,
    /// An expectation that must hold at once.
    Now,
    TimeToPass,
}

/// How a look at the current step ended.
enum Look {
    Pending { expected: String, found: String },
    Passed(String),
    Failed { expected: String, found: String },
}

impl Director {
    /// A director that has not begun, and gives its orders to such an engine.
    #[must_use]
    pub fn new(plan: Arc<Plan>, engine: Engine) -> Self {
        Self {
            links: Links::new(&plan),
            known: Known::of(&plan),
            plan,
            engine,
            wallets: Wallets::default(),
            loads: Vec::new(),
            current: None,
            next: 0,
            never: Vec::new(),
            controls: Vec::new(),
            next_control: 0,
            outcome: None,
            programs: BTreeSet::new(),
        }
    }

    /// The same director, whose nodes can be upgraded to the programs of these names.
    #[must_use]
    pub fn with_programs(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.programs.extend(names);
        self
    }

    /// Goes as far as it can now: appends orders for the engine and news of steps.
    ///
    /// The first call begins the first step: call it when the nodes that start with the run are up.
    pub fn advance(
        &mut self,
        now: Time,
        world: &World,
        orders: &mut Vec<Order>,
        reports: &mut Vec<StepReport>,
    ) -> Option<Outcome> {
        self.loads.iter_mut().for_each(|load| load.pay(now, world, orders));
        while self.outcome.is_none() {
            self.watch_nevers(now, world, reports);
            if self.outcome.is_some() {
                break;
            }
            if self.current.is_none() && self.next == self.plan.steps.len() {
                self.outcome = Some(Outcome::Passed);
                break;
            }
            if self.current.is_none()
                && let Err(found) = self.begin_next(now, world, orders, reports)
            {
                let expected = "the step can be carried out".to_owned();
                self.end(now, StepState::Failed { expected, found }, reports);
                break;
            }
            if !self.look_at_current(now, world, orders, reports) {
                break;
            }
        }
        self.outcome
    }

    /// Whether [`Director::advance`] could do more than find, again, that what it waits for has not come: a quick look. It may say yes in
    /// vain; a deadline that is due it does not see.
    #[must_use]
    pub fn may_advance(&self, world: &World) -> bool {
        let Some(current) = self.current.as_ref().filter(|_| self.never.is_empty()) else {
            return true;
        };
        match (&current.course.waits_for, &self.plan.steps[current.step].kind) {
            (WaitsFor::TimeToPass, _) => false,
            (WaitsFor::Expectation, StepKind::Wait { expectation, .. }) => glance::may_hold(expectation, world),
            (WaitsFor::Effect(_) | WaitsFor::Expectation | WaitsFor::Now, _) => true,
        }
    }

    fn begin_next(
        &mut self,
        now: Time,
        world: &World,
        orders: &mut Vec<Order>,
        reports: &mut Vec<StepReport>,
    ) -> Result<(), String> {
        let step = self.next;
        self.next += 1;
        reports.push(StepReport {
            step,
            at: now,
            took: Duration::ZERO,
            state: StepState::Started,
            deed: None,
        });
        let plan = Arc::clone(&self.plan);
        let kind = &plan.steps[step].kind;
        if let StepKind::Never(expectation) = kind {
            let watched = expectation.of_single_nodes();
            self.never.push(Never {
                step,
                since: now,
                watched,
            });
        }
        // Set before the action begins, so that one that cannot begin fails as this step.
        let course = Course::begun(now);
        self.current = Some(Current { step, course });
        let course = self.set_out(kind, (now, world), orders)?;
        self.current = Some(Current { step, course });
        Ok(())
    }

    /// Begins what a step does; or says why it cannot be done.
    fn set_out(
        &mut self,
        kind: &StepKind,
        (now, world): (Time, &World),
        orders: &mut Vec<Order>,
    ) -> Result<Course, String> {
        let heights = world.nodes().iter().map(|node| node.tip.height);
        let base_height = heights.max().unwrap_or_default();
        let (until, waits_for) = match kind {
            StepKind::Act { action, within } => (
                now + *within,
                WaitsFor::Effect(self.begin(action, (now, world), orders)?),
            ),
            StepKind::Expect(_) => (now, WaitsFor::Now),
            StepKind::Wait { within, .. } => (now + *within, WaitsFor::Expectation),
            StepKind::Never(_) => (now, WaitsFor::Effect(Effect::Done("watched from here on".to_owned()))),
            StepKind::Sleep(duration) => (now + *duration, WaitsFor::TimeToPass),
        };
        Ok(Course {
            since: now,
            until,
            base_height,
            waits_for,
        })
    }

    /// Looks at the current step; true when it has passed, so that the next can begin.
    fn look_at_current(
        &mut self,
        now: Time,
        world: &World,
        orders: &mut Vec<Order>,
        reports: &mut Vec<StepReport>,
    ) -> bool {
        let mut current = self.current.take().expect("a step has begun");
        let plan = Arc::clone(&self.plan);
        let kind = &plan.steps[current.step].kind;
        let look = self.look((kind, &mut current.course), now, world, orders);
        let until = current.course.until;
        self.current = Some(current);
        let state = match look {
            Look::Passed(found) => StepState::Passed { found },
            Look::Failed { expected, found } => StepState::Failed { expected, found },
            Look::Pending { expected, found } if now >= until => StepState::Failed { expected, found },
            Look::Pending { .. } if now >= Time::ZERO + self.plan.limit => return self.run_out_of_time(now, reports),
            Look::Pending { .. } => return false,
        };
        let passed = matches!(state, StepState::Passed { .. });
        self.end(now, state, reports);
        passed
    }

    fn look(
        &self,
        (kind, current): (&StepKind, &mut Course),
        now: Time,
        world: &World,
        orders: &mut Vec<Order>,
    ) -> Look {
        match (&mut current.waits_for, kind) {
            (WaitsFor::Effect(effect), _) => match self.shown(effect, world, orders) {
                Ok(Some(found)) => Look::Passed(found),
                Ok(None) => Look::Pending {
                    expected: format!("an effect within {}", words::duration(current.until - current.since)),
                    found: self.missing(effect, world),
                },
                Err(found) => Look::Failed {
                    expected: "the step takes effect".to_owned(),
                    found,
                },
            },
            (WaitsFor::TimeToPass, _) if now >= current.until => {
                Look::Passed(format!("{} passed", words::duration(current.until - current.since)))
            }
            (WaitsFor::TimeToPass, _) => Look::Pending {
                expected: String::new(),
                found: String::new(),
            },
            (WaitsFor::Now, StepKind::Expect(expectation)) => {
                let Judgement { holds, expected, found } =
                    self.judge(expectation, world, Time::ZERO, current.base_height);
                if holds {
                    Look::Passed(found)
                } else {
                    Look::Failed { expected, found }
                }
            }
            (WaitsFor::Expectation, StepKind::Wait { expectation, within }) => {
                let Judgement { holds, expected, found } =
                    self.judge(expectation, world, Time::ZERO, current.base_height);
                let expected = format!("{expected}, within {}", words::duration(*within));
                if holds {
                    Look::Passed(found)
                } else {
                    Look::Pending { expected, found }
                }
            }
            (WaitsFor::Now | WaitsFor::Expectation, _) => unreachable!("only expectations are judged"),
        }
    }

    fn judge(&self, expectation: &Expectation, world: &World, since: Time, base_height: Height) -> Judgement {
        Judge {
            plan: &self.plan,
            world,
            wallets: &self.wallets,
            since,
            base_height,
        }
        .judge(expectation)
    }

    fn watch_nevers(&mut self, now: Time, world: &World, reports: &mut Vec<StepReport>) {
        let watched = self
            .never
            .iter()
            .flat_map(|never| never.watched.iter().map(move |watched| (never, watched)));
        for (&Never { step, since, .. }, expectation) in watched {
            let Judgement { holds, expected, found } = self.judge(expectation, world, since, Height(0));
            if holds {
                let state = StepState::Failed {
                    expected: format!("never: {expected}"),
                    found,
                };
                reports.push(StepReport {
                    step,
                    at: now,
                    took: now - since,
                    state,
                    deed: None,
                });
                self.outcome = Some(Outcome::Failed { step });
                return;
            }
        }
    }

    fn end(&mut self, now: Time, state: StepState, reports: &mut Vec<StepReport>) {
        let current = self.current.take().expect("a step is going on");
        if matches!(state, StepState::Failed { .. }) {
            self.outcome = Some(Outcome::Failed { step: current.step });
        }
        let deed = self.deed(&self.plan.steps[current.step].kind, &state);
        reports.push(StepReport {
            step: current.step,
            at: now,
            took: now - current.course.since,
            state,
            deed,
        });
    }

    fn run_out_of_time(&mut self, now: Time, reports: &mut Vec<StepReport>) -> bool {
        let current = self.current.take().expect("a step is going on");
        let expected = format!("the run ends within {}", words::duration(self.plan.limit));
        let found = format!("step {} still going on", current.step + 1);
        let state = StepState::Failed { expected, found };
        reports.push(StepReport {
            step: current.step,
            at: now,
            took: now - current.course.since,
            state,
            deed: None,
        });
        self.outcome = Some(Outcome::OutOfTime { step: current.step });
        false
    }

    /// When [`Director::advance`] must be called even if nothing happens.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let current = self.current.as_ref().filter(|_| self.outcome.is_none())?;
        let end = current.course.until.min(Time::ZERO + self.plan.limit);
        let loads = self.loads.iter().filter_map(Load::due);
        let controls = self.controls.iter().map(control::Control::until);
        Some(loads.chain(controls).fold(end, Time::min))
    }

    /// Whether every link lets messages through, cuts that closed connections aside: when not, connected nodes need not agree.
    #[must_use]
    pub fn links_are_open(&self) -> bool {
        self.links.are_open()
    }

    /// What transactions are called: the payment's name and whom it pays.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<Txid, String> {
        self.wallets.labels(&self.plan)
    }
}

#[cfg(test)]
mod tests;
