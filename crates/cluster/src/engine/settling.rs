//! Letting a network come to rest at the end of a run.

use std::sync::Arc;

use base::Time;
use node::Command;

use super::Progress;
use super::rest::is_at_rest;
use super::session::{Change, Session, Woken};
use crate::limits::{QUIET, SETTLING_PATIENCE};

/// What came of waiting for rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Settling {
    /// All honest nodes that can reach each other agree.
    AtRest,
    /// They had time enough and do not agree.
    Restless,
    /// A node died meanwhile.
    Died,
    /// Somebody wants the run to end.
    Interrupted,
}

impl Session<'_> {
    /// Stops mining and waits until nothing changes any more and all that can reach each other agree.
    pub(super) async fn settle(&mut self) -> Settling {
        (self.observer)(&Progress::Settling);
        let plan = Arc::clone(&self.plan);
        for node in plan.node_ids() {
            if let Err(stuck) = self.fleet.command(node, Command::StopMining) {
                self.fell_behind(stuck);
                return Settling::Died;
            }
        }
        let began = self.clock.now();
        let mut quiet_since = began;
        let mut is_looked_at = false;
        loop {
            let until = self.patience_ends(began, quiet_since);
            let look = if is_looked_at {
                until
            } else {
                (quiet_since + QUIET).min(until)
            };
            match self.wait(look).await {
                Woken::Told(Change::Tip | Change::Peers(..)) => {
                    quiet_since = self.clock.now();
                    is_looked_at = false;
                }
                Woken::Told(Change::Other) | Woken::Listening | Woken::Stopped => {}
                Woken::Died => return Settling::Died,
                Woken::Interrupted => return Settling::Interrupted,
                Woken::Time => {
                    if is_at_rest(&plan, self.collector.world(), &self.fleet.wiring) {
                        return Settling::AtRest;
                    }
                    if self.clock.now() >= until {
                        return Settling::Restless;
                    }
                    is_looked_at = true;
                }
            }
        }
    }

    /// When a network that has not changed since then has had time enough: blocks cross it link by link, so every change begins the wait
    /// anew, and every link takes a request, an answer, and as long as the largest block of the plan takes on the slowest one.
    pub(super) fn patience_ends(&self, began: Time, quiet_since: Time) -> Time {
        let wiring = &self.fleet.wiring;
        let bytes = u64::from(self.plan.params.max_block_bytes);
        let patience = SETTLING_PATIENCE
            .saturating_add(wiring.slowest().saturating_mul(4))
            .saturating_add(wiring.longest_transmission(bytes));
        (quiet_since + patience.min(self.max_settling)).min(began + self.max_settling)
    }
}
