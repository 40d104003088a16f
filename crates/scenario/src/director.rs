//! Goes through a plan's steps: gives orders, waits for their effect, judges expectations.
//!
//! Sans-IO. The engine feeds a [`World`] with what its nodes tell, calls [`Director::advance`] after every event and at
//! [`Director::deadline`], and carries out the orders.

use std::sync::Arc;
use std::time::Duration;

use base::{NodeId, Time};
use node::Command;

use crate::link::Conditions;
use crate::{Plan, World};

/// What an engine is to do.
#[derive(Clone, Debug)]
pub enum Order {
    /// Give a node a command.
    Command(NodeId, Command),
    /// Start a node; it reconnects as its links want.
    Start(NodeId),
    /// Stop a node in good order.
    Stop(NodeId),
    /// Stop a node without warning: nothing more is written for it.
    Kill(NodeId),
    /// Keep two nodes connected from now on: the first dials.
    Connect(NodeId, NodeId),
    /// Disconnect two nodes, and dial no more.
    Disconnect(NodeId, NodeId),
    /// Close the connection between two nodes, if there is one, and refuse new ones until [`Order::Mend`].
    Sever(NodeId, NodeId),
    /// Allow connections again, and dial at once where a link is wanted.
    Mend(NodeId, NodeId),
    /// From now on, messages from the first to the second node travel under these conditions.
    SetLink(NodeId, NodeId, Conditions),
}

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
}

impl Director {
    /// A director that has not begun.
    #[must_use]
    pub fn new(plan: Arc<Plan>) -> Self {
        Self { plan }
    }

    /// Goes as far as it can now: appends orders for the engine and news of steps.
    ///
    /// The first call begins the first step: call it when the nodes that start with the run are up.
    pub fn advance(
        &mut self,
        _now: Time,
        _world: &World,
        _orders: &mut Vec<Order>,
        _reports: &mut Vec<StepReport>,
    ) -> Option<Outcome> {
        let _ = &self.plan;
        todo!("lead")
    }

    /// When [`Director::advance`] must be called even if nothing happens.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        todo!("lead")
    }
}
