//! A first glance at an expectation: with thousands of nodes, most changes leave no doubt that it does not hold yet.

use crate::World;
use crate::plan::Expectation;

/// Whether the expectation may hold. Only a `false` is certain.
pub(super) fn may_hold(expectation: &Expectation, world: &World) -> bool {
    match expectation {
        Expectation::Height { on, height, .. } => on.iter().all(|node| world.node(*node).tip.height >= *height),
        Expectation::Converged { on, .. } => {
            let mut tips = on.iter().map(|node| world.node(*node).tip.block);
            let first = tips.next();
            tips.all(|tip| Some(tip) == first)
        }
        Expectation::Diverged { .. }
        | Expectation::Tip { .. }
        | Expectation::Reorg { .. }
        | Expectation::Rejected { .. }
        | Expectation::Confirmed { .. }
        | Expectation::ConfirmedOnce { .. }
        | Expectation::Balance { .. }
        | Expectation::Supply { .. }
        | Expectation::InMempool { .. }
        | Expectation::Peers { .. } => true,
    }
}
