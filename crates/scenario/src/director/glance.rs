//! A first glance at an expectation: with thousands of nodes, most changes leave no doubt that it does not hold yet; and how far it is to go.

use chain::Height;

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

impl Expectation {
    /// The height at which it can hold first; none when it waits for something else. `base` is the greatest height when its step began.
    #[must_use]
    pub fn goal(&self, base: Height) -> Option<Height> {
        match self {
            Self::Height { height, .. } => Some(*height),
            Self::Converged { at, advance, .. } => {
                let at = at.map(|(height, _)| height);
                at.max(advance.map(|advance| Height(base.0.saturating_add(advance))))
            }
            Self::Diverged { .. }
            | Self::Tip { .. }
            | Self::Reorg { .. }
            | Self::Rejected { .. }
            | Self::Confirmed { .. }
            | Self::ConfirmedOnce { .. }
            | Self::Balance { .. }
            | Self::Supply { .. }
            | Self::InMempool { .. }
            | Self::Peers { .. } => None,
        }
    }
}
