//! Actions that start, stop, pause and wipe nodes, and how their effect is seen.

use base::NodeId;

use super::act::{Effect, Then};
use super::{Director, Order};
use crate::plan::Action;
use crate::world::{NodeFacts, World};

impl Director {
    /// Gives the orders of an action on nodes; says what to wait for, or why it cannot be done.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`begin` hands over nothing but changes of nodes"
    )]
    pub(super) fn change_nodes(
        &self,
        action: &Action,
        world: &World,
        orders: &mut Vec<Order>,
    ) -> Result<Effect, String> {
        match action {
            Action::Start { nodes } => {
                if let Some(&up) = nodes.iter().find(|&&node| world.node(node).running) {
                    return Err(format!("{} is running already", self.plan.name_of(up)));
                }
                orders.extend(nodes.iter().map(|&node| Order::Start(node)));
                Ok(Effect::Up(nodes.clone()))
            }
            Action::Stop { nodes } => self.take_down(nodes, Then::Stay, world, orders),
            Action::Restart { nodes } => self.take_down(nodes, Then::Restart, world, orders),
            Action::Upgrade { nodes, program } => {
                if !self.programs.contains(program) {
                    return Err(self.no_program(program));
                }
                self.take_down(nodes, Then::Upgrade(program.clone()), world, orders)
            }
            Action::Kill { nodes } => {
                if let Some(&down) = nodes.iter().find(|&&node| !world.node(node).running) {
                    return Err(format!("{} is not running", self.plan.name_of(down)));
                }
                Ok(kill(nodes, Then::Stay, world, orders))
            }
            Action::Wipe { nodes } => Ok(kill(nodes, Then::Wipe, world, orders)),
            Action::Pause { nodes } => {
                for &node in nodes {
                    orders.push(Order::Pause(self.running(node, world)?));
                }
                Ok(Effect::Still(nodes.clone()))
            }
            Action::Resume { nodes } => {
                if let Some(&going) = nodes.iter().find(|&&node| !world.node(node).paused) {
                    return Err(format!("{} is not paused", self.plan.name_of(going)));
                }
                orders.extend(nodes.iter().map(|&node| Order::Resume(node)));
                Ok(Effect::Going(nodes.clone()))
            }
            other => unreachable!("{other:?} changes no node"),
        }
    }

    fn no_program(&self, program: &str) -> String {
        let known: Vec<&str> = self.programs.iter().map(String::as_str).collect();
        match known[..] {
            [] => format!(
                "there is no program `{program}`: nodes that are processes can be upgraded to those that `--program NAME=PATH` names, tasks to none"
            ),
            [..] => format!("there is no program `{program}`, but {}", known.join(", ")),
        }
    }

    fn take_down(
        &self,
        nodes: &[NodeId],
        then: Then,
        world: &World,
        orders: &mut Vec<Order>,
    ) -> Result<Effect, String> {
        for &node in nodes {
            orders.push(Order::Stop(self.running(node, world)?));
        }
        let nodes = nodes.to_vec();
        Ok(Effect::Down { nodes, then })
    }

    /// Whether what was done to nodes has shown: what was seen, or nothing yet.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`shown` hands over nothing but effects on nodes"
    )]
    pub(super) fn shown_of_nodes(&self, effect: &mut Effect, world: &World, orders: &mut Vec<Order>) -> Option<String> {
        let all = |nodes: &[NodeId], is_so: fn(&NodeFacts) -> bool| nodes.iter().all(|&node| is_so(world.node(node)));
        let told = |nodes: &[NodeId], what: &str| format!("{} {what}", self.plan.describe(nodes));
        match effect {
            Effect::Up(nodes) => nodes
                .iter()
                .all(|&node| self.up(node, world))
                .then(|| self.heights(nodes, world)),
            Effect::Down { nodes, then } => {
                if !all(nodes, |facts| !facts.running) {
                    return None;
                }
                let nodes = std::mem::take(nodes);
                *effect = match then {
                    Then::Stay => return Some(told(&nodes, "down")),
                    Then::Restart => {
                        orders.extend(nodes.iter().map(|&node| Order::Start(node)));
                        Effect::Up(nodes)
                    }
                    Then::Upgrade(program) => {
                        orders.extend(nodes.iter().map(|&node| Order::Upgrade(node, program.clone())));
                        Effect::Up(nodes)
                    }
                    Then::Wipe => {
                        orders.extend(nodes.iter().map(|&node| Order::Wipe(node)));
                        Effect::Blank(nodes)
                    }
                };
                None
            }
            Effect::Still(nodes) => all(nodes, |facts| facts.paused).then(|| told(nodes, "paused")),
            Effect::Going(nodes) => all(nodes, |facts| !facts.paused).then(|| told(nodes, "resumed")),
            Effect::Blank(nodes) => all(nodes, |facts| facts.blank).then(|| told(nodes, "wiped")),
            other => unreachable!("{other:?} is no effect on nodes"),
        }
    }

    /// What of an effect on nodes has not shown yet, in words.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`missing` hands over nothing but effects on nodes"
    )]
    pub(super) fn missing_of_nodes(&self, effect: &Effect, world: &World) -> String {
        let left = |nodes: &[NodeId], is_missing: &dyn Fn(NodeId) -> bool| {
            let missing: Vec<NodeId> = nodes.iter().copied().filter(|&node| is_missing(node)).collect();
            self.plan.describe(&missing)
        };
        let facts = |node| world.node(node);
        match effect {
            Effect::Up(nodes) => format!("{} not up and connected", left(nodes, &|node| !self.up(node, world))),
            Effect::Down { nodes, .. } => format!("{} still running", left(nodes, &|node| facts(node).running)),
            Effect::Still(nodes) => format!("{} not paused", left(nodes, &|node| !facts(node).paused)),
            Effect::Going(nodes) => format!("{} still paused", left(nodes, &|node| facts(node).paused)),
            Effect::Blank(nodes) => format!("{} not wiped", left(nodes, &|node| !facts(node).blank)),
            other => unreachable!("{other:?} is no effect on nodes"),
        }
    }

    /// Whether a node runs and is connected to every running neighbour it should be connected to. One that is paused answers nobody.
    fn up(&self, node: NodeId, world: &World) -> bool {
        let mut neighbours = self.links.neighbours(node).into_iter().filter(|&other| {
            let facts = world.node(other);
            facts.running && !facts.paused
        });
        world.node(node).running && neighbours.all(|other| world.connected(node, other))
    }

    fn heights(&self, nodes: &[NodeId], world: &World) -> String {
        let heights: Vec<String> = nodes
            .iter()
            .map(|&node| format!("{} at height {}", self.plan.name_of(node), world.node(node).tip.height))
            .collect();
        heights.join(", ")
    }
}

/// Those that run, paused or not, are killed; the others are down already.
fn kill(nodes: &[NodeId], then: Then, world: &World, orders: &mut Vec<Order>) -> Effect {
    let runs = |node: &&NodeId| world.node(**node).running;
    orders.extend(nodes.iter().filter(runs).map(|&node| Order::Kill(node)));
    let nodes = nodes.to_vec();
    Effect::Down { nodes, then }
}
