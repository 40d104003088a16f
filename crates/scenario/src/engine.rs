//! What carries out a plan, and what it cannot do.

use serde::{Deserialize, Serialize};

use crate::Plan;
use crate::limits::MAX_CLUSTER_NODES;

/// What carries out a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Real nodes in real time.
    Cluster,
    /// Virtual time.
    Sim,
}

impl Engine {
    /// Why it cannot carry out a plan, in words; `None` when it can.
    #[must_use]
    pub fn refusal(self, plan: &Plan) -> Option<String> {
        match self {
            Self::Cluster if plan.nodes.len() > MAX_CLUSTER_NODES => Some(format!(
                "a cluster has at most {MAX_CLUSTER_NODES} nodes, this scenario has {}; a simulation can carry it out",
                plan.nodes.len()
            )),
            Self::Cluster | Self::Sim => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Overrides, parse};

    #[test]
    fn a_network_too_large_for_a_cluster_can_be_simulated() {
        let plan = |nodes: usize| {
            let source = format!("[network]\nnodes = {nodes}\n");
            parse("x.toml", &source, &Overrides::default()).expect("a sound file")
        };
        assert_eq!(Engine::Cluster.refusal(&plan(1_000)), None);
        let refusal = Engine::Cluster.refusal(&plan(1_001)).expect("too large");
        assert!(
            refusal.contains("at most 1000 nodes, this scenario has 1001"),
            "{refusal}"
        );
        assert_eq!(Engine::Sim.refusal(&plan(1_001)), None);
    }
}
