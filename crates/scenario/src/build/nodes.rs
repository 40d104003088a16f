//! Steps that start, stop, pause and wipe nodes.

use base::NodeId;

use super::actions::Act;
use crate::plan::Action;

impl Act<'_, '_> {
    pub(super) fn start(&mut self) -> Option<Action> {
        let nodes = self.named("start")?;
        for node in &nodes {
            if std::mem::replace(&mut self.state.running[node.index()], true) {
                let name = self.state.around.network.name_of(*node);
                let message = format!("`{name}` already runs at this step");
                self.report.error(self.step.fields.place("start"), message);
                return None;
            }
        }
        Some(Action::Start { nodes })
    }

    /// Nodes that run at this step and are not paused.
    pub(super) fn runners(&mut self, key: &str) -> Option<Vec<NodeId>> {
        let nodes = self.named(key)?;
        let place = self.step.fields.place(key);
        let all_run = nodes.iter().all(|node| self.state.must_act(*node, place, self.report));
        all_run.then_some(nodes)
    }

    /// Nodes that run no more after this step: one that is paused hears no order to stop.
    pub(super) fn stop(&mut self, key: &str) -> Option<Vec<NodeId>> {
        let nodes = self.runners(key)?;
        self.are_down(&nodes);
        Some(nodes)
    }

    /// Nodes that run no more after this step, whether they are paused or not.
    pub(super) fn kill(&mut self, key: &str) -> Option<Vec<NodeId>> {
        for node in &self.named(key)? {
            self.state.paused.remove(node);
        }
        self.stop(key)
    }

    pub(super) fn upgrade(&mut self) -> Option<Action> {
        let nodes = self.runners("upgrade")?;
        let program = self.step.fields.text("to")?.text.clone();
        Some(Action::Upgrade { nodes, program })
    }

    pub(super) fn pause(&mut self) -> Option<Action> {
        let nodes = self.runners("pause")?;
        self.state.paused.extend(&nodes);
        Some(Action::Pause { nodes })
    }

    pub(super) fn resume(&mut self) -> Option<Action> {
        let nodes = self.named("resume")?;
        for node in &nodes {
            if !self.state.paused.remove(node) {
                let name = self.state.around.network.name_of(*node);
                let message = format!("`{name}` is not paused at this step");
                self.report.error(self.step.fields.place("resume"), message);
                return None;
            }
        }
        Some(Action::Resume { nodes })
    }

    pub(super) fn wipe(&mut self) -> Option<Action> {
        let nodes = self.named("wipe")?;
        self.are_down(&nodes);
        Some(Action::Wipe { nodes })
    }

    fn named(&mut self, key: &str) -> Option<Vec<NodeId>> {
        let list = self.step.fields.list(key)?;
        self.state.around.network.names.nodes(list, self.report)
    }

    fn are_down(&mut self, nodes: &[NodeId]) {
        for node in nodes {
            self.state.running[node.index()] = false;
            self.state.paused.remove(node);
        }
    }
}
