//! What carries out a plan, and what it cannot do.

use chain::ProofOfWork;
use serde::{Deserialize, Serialize};

use crate::Plan;
use crate::limits::MAX_CLUSTER_NODES;
use crate::plan::{Action, StepKind};

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
            Self::Cluster if plan.lines.is_some() => Some(
                "a cluster has no lines that blocks queue for, as `preset` of `[network]` gives its nodes; a simulation can carry it out"
                    .to_owned(),
            ),
            Self::Cluster if plan.params.proof_of_work == ProofOfWork::Oracle => Some(
                "a cluster hashes, and cannot take an oracle's word for proof of work; a simulation can carry it out".to_owned(),
            ),
            Self::Cluster | Self::Sim => {
                let refused = plan.steps.iter().find_map(|step| self.refuses(&step.kind));
                refused.map(str::to_owned)
            }
        }
    }

    /// Why it cannot carry out a step, in words; `None` when it can.
    pub(crate) fn refuses(self, step: &StepKind) -> Option<&'static str> {
        let StepKind::Act { action, .. } = step else {
            return None;
        };
        match self {
            Self::Cluster => None,
            Self::Sim if matches!(action, Action::Pause { .. }) => Some(
                "a simulation has no machine that could stand still under a node, as `pause` lets it; a cluster can carry it out",
            ),
            Self::Sim if matches!(action, Action::Upgrade { .. }) => Some(
                "a simulation has one program for all nodes, and none to `upgrade` them to; a cluster of processes can carry it out",
            ),
            Self::Sim => None,
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
        assert_eq!(Engine::Cluster.refusal(&plan(MAX_CLUSTER_NODES)), None);
        let larger = plan(MAX_CLUSTER_NODES + 1);
        let refusal = Engine::Cluster.refusal(&larger).expect("too large");
        assert!(
            refusal.contains("at most 1000 nodes, this scenario has 1001"),
            "{refusal}"
        );
        assert_eq!(Engine::Sim.refusal(&larger), None);
    }

    #[test]
    fn what_only_virtual_time_has_is_refused_by_a_cluster() {
        for (source, word) in [
            ("[chain]\nproof-of-work = \"oracle\"\n[network]\nnodes = 2\n", "oracle"),
            ("[network]\npreset = \"simblock-litecoin\"\nnodes = 9\n", "lines"),
        ] {
            let plan = parse("x.toml", source, &Overrides::default()).expect("a sound file");
            let refusal = Engine::Cluster.refusal(&plan).expect("not in a cluster");
            assert!(refusal.contains(word), "{refusal}");
            assert_eq!(Engine::Sim.refusal(&plan), None);
        }
    }

    #[test]
    fn a_simulation_pauses_and_upgrades_nobody() {
        for (step, word) in [
            ("pause = \"n1\"", "`pause`"),
            ("upgrade = \"n1\", to = \"next\"", "`upgrade`"),
        ] {
            let source = format!("[network]\nnodes = 2\n[steps]\nrun = [{{ {step} }}]\n");
            let plan = parse("x.toml", &source, &Overrides::default()).expect("a sound file");
            let refusal = Engine::Sim.refusal(&plan).expect("not in virtual time");
            assert!(refusal.contains(word), "{refusal}");
            assert_eq!(Engine::Cluster.refusal(&plan), None);
        }
    }
}
