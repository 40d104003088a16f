//! What must hold in every run, asked for or not.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base::{NodeId, Time};
use chain::{Block, BlockId, Work};
use node::Event;
use node::event::TipRef;
use scenario::{Plan, World};
use serde::Serialize;

use crate::limits::MAX_VIOLATIONS;
use crate::record::{Record, RunEvent};
use crate::reference::Chain;

/// Which invariant was broken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A node exited that no step told to exit.
    NodesStayUp,
    /// Work never falls on a switch.
    WorkNeverFalls,
    /// A tip is the most work its node has validated.
    TipIsMostWork,
    /// Every active chain is valid by [`crate::reference`].
    ChainsAreValid,
    /// Work and height are what the blocks say.
    FactsAreTrue,
    /// Nodes that are connected and undisturbed long enough have tips of equal work.
    ConnectedNodesAgree,
}

impl Rule {
    /// The rule in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NodesStayUp => "no node exits that no step told to exit",
            Self::WorkNeverFalls => "work never falls on a switch",
            Self::TipIsMostWork => "a tip is the most work its node has validated",
            Self::ChainsAreValid => "every active chain is valid",
            Self::FactsAreTrue => "heights and work are what the blocks say",
            Self::ConnectedNodesAgree => "connected nodes agree when left alone",
        }
    }
}

/// A broken invariant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// Whose, by name; none when it is several nodes' together.
    pub node: Option<String>,
    /// When it was noticed.
    #[serde(rename = "t_us")]
    pub at: Time,
    /// What should have been.
    pub expected: String,
    /// What was.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(node) = &self.node {
            write!(f, "{node}: ")?;
        }
        let Self { expected, found, .. } = self;
        write!(f, "{}: expected {expected}, found {found}", self.rule.words())
    }
}

/// Watches a run's events for what breaks an invariant.
#[derive(Debug, Default)]
pub struct Watch {
    violations: Vec<Violation>,
    unkept: u64,
    /// The part of all chains that was checked when its bodies were let go.
    buried: Option<Chain>,
}

impl Watch {
    /// Looks at a record *before* the world takes it in.
    pub fn observe(&mut self, record: &Record, plan: &Plan, world: &World) {
        match &record.what {
            RunEvent::Node { node, event, .. } => {
                if begins_a_batch(event) {
                    self.check_tip(record.at, *node, plan, world);
                }
                if let Event::TipChanged { old, new, .. } = event.as_ref() {
                    self.check_switch(record.at, *node, plan, (old, new));
                }
            }
            RunEvent::NodeStopped { node, reason, expected } => {
                if !expected {
                    self.add(Violation {
                        rule: Rule::NodesStayUp,
                        node: Some(plan.name_of(*node).to_owned()),
                        at: record.at,
                        expected: "to run on".to_owned(),
                        found: format!("exit: {reason}"),
                    });
                }
            }
            RunEvent::RunStarted { .. }
            | RunEvent::RunEnded { .. }
            | RunEvent::NodeStarted { .. }
            | RunEvent::Intervention { .. }
            | RunEvent::Step(_)
            | RunEvent::Control(_)
            | RunEvent::Derived(_) => {}
        }
    }

    /// A node follows the next block, which `world` has not taken in yet.
    pub fn follow(&mut self, at: Time, (node, block): (NodeId, TipRef), plan: &Plan, world: &World) {
        self.check_tip(at, node, plan, world);
        self.check_switch(at, node, plan, (&world.node(node).tip, &block));
    }

    fn check_switch(&mut self, at: Time, node: NodeId, plan: &Plan, (old, new): (&TipRef, &TipRef)) {
        if new.chain_work < old.chain_work && plan.is_honest(node) {
            self.add(Violation {
                rule: Rule::WorkNeverFalls,
                node: Some(plan.name_of(node).to_owned()),
                at,
                expected: format!("chain work of at least {}", brief(old.chain_work)),
                found: format!("a switch to {} with {}", new.block.short(), brief(new.chain_work)),
            });
        }
    }

    /// Looks at the tips of all running nodes, when none is in the middle of telling about a change.
    pub fn check_tips(&mut self, at: Time, plan: &Plan, world: &World) {
        for node in plan.node_ids() {
            self.check_tip(at, node, plan, world);
        }
    }

    /// Replays the chain of every tip that an honest node has, or had when it stopped, with the independent validator.
    pub fn check_chains(&mut self, at: Time, plan: &Plan, world: &World) {
        let mut tips: BTreeMap<BlockId, NodeId> = BTreeMap::new();
        for node in plan.node_ids().filter(|node| plan.is_honest(*node)) {
            tips.entry(world.node(node).tip.block).or_insert(node);
        }
        for (tip, node) in tips {
            let buried = self.buried.as_ref();
            if let Err((rule, expected, found)) = check_chain((plan, buried), world, &world.node(node).tip, &tip) {
                self.add(Violation {
                    rule,
                    node: Some(plan.name_of(node).to_owned()),
                    at,
                    expected,
                    found,
                });
            }
        }
    }

    /// Checks the next blocks of a chain that all nodes' chains have in common, before their bodies are let go. What they hold is not to be spent.
    ///
    /// # Panics
    /// When the blocks do not stand on those that were buried before.
    pub fn bury<'a>(&mut self, at: Time, plan: &Plan, blocks: impl IntoIterator<Item = &'a Arc<Block>>) {
        for block in blocks {
            let buried = self.buried.get_or_insert_with(|| Chain::new(&plan.params));
            assert_eq!(
                block.header.parent,
                buried.last().id(),
                "blocks are buried in their order"
            );
            if let Err(fault) = buried.push(block) {
                self.add(Violation {
                    rule: Rule::ChainsAreValid,
                    node: None,
                    at,
                    expected: "a valid chain".to_owned(),
                    found: fault.to_string(),
                });
                return;
            }
        }
        if let Some(buried) = &mut self.buried {
            buried.forget();
        }
    }

    /// The last block of those that were buried.
    #[must_use]
    pub fn buried(&self) -> Option<BlockId> {
        self.buried.as_ref().map(|chain| chain.last().id())
    }

    /// Looks whether running honest nodes that are connected, directly or through others, have tips of equal work. Paused ones cannot.
    ///
    /// Holds only when the network has been left alone for long enough, and no silent cut is in force.
    pub fn check_agreement(&mut self, at: Time, plan: &Plan, world: &World) {
        let takes_part = |node| {
            let facts = world.node(node);
            facts.running && !facts.paused
        };
        let is_member = |node: &NodeId| takes_part(*node) && plan.is_honest(*node);
        let mut unseen: Vec<bool> = plan.node_ids().map(|node| is_member(&node)).collect();
        for first in plan.node_ids() {
            if !std::mem::take(&mut unseen[first.index()]) {
                continue;
            }
            let mut waiting = vec![first];
            let work = world.node(first).tip.chain_work;
            while let Some(node) = waiting.pop() {
                let tip = world.node(node).tip;
                if tip.chain_work != work {
                    let first = plan.name_of(first);
                    self.add(Violation {
                        rule: Rule::ConnectedNodesAgree,
                        node: Some(plan.name_of(node).to_owned()),
                        at,
                        expected: format!("chain work {}, as {first} has", brief(work)),
                        found: format!("{} with {}", tip.block.short(), brief(tip.chain_work)),
                    });
                }
                let peers = world.node(node).peers.iter().copied();
                let is_new = |peer: &NodeId| unseen[peer.index()] && world.connected(node, *peer);
                let from = waiting.len();
                waiting.extend(peers.filter(is_new));
                for peer in &waiting[from..] {
                    unseen[peer.index()] = false;
                }
            }
        }
    }

    /// What has been found broken, in order: the first [`MAX_VIOLATIONS`].
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// How many more there were.
    #[must_use]
    pub const fn unkept(&self) -> u64 {
        self.unkept
    }

    /// Keeps a violation, or counts it.
    pub fn add(&mut self, violation: Violation) {
        if self.violations.len() < MAX_VIOLATIONS {
            self.violations.push(violation);
        } else {
            self.unkept += 1;
        }
    }

    fn check_tip(&mut self, at: Time, node: NodeId, plan: &Plan, world: &World) {
        let facts = world.node(node);
        if facts.tip.chain_work < facts.most_work && facts.running && plan.is_honest(node) {
            self.add(Violation {
                rule: Rule::TipIsMostWork,
                node: Some(plan.name_of(node).to_owned()),
                at,
                expected: format!("a tip with chain work {}", brief(facts.most_work)),
                found: format!("{} with {}", facts.tip.block.short(), brief(facts.tip.chain_work)),
            });
        }
    }
}

/// Checks a chain, and that what was told of its tip is true; else the broken rule, what was expected and what was found.
fn check_chain(
    (plan, buried): (&Plan, Option<&Chain>),
    world: &World,
    told: &TipRef,
    tip: &BlockId,
) -> Result<(), (Rule, String, String)> {
    let invalid = |found: String| (Rule::ChainsAreValid, "a valid chain".to_owned(), found);
    let mut chain = buried.map_or_else(|| Chain::new(&plan.params), Chain::clone);
    let blocks = world.chain(tip);
    let (begin, above) = blocks.split_at((chain.height().0 as usize + 1).min(blocks.len()));
    let begins = begin.last().and_then(|facts| facts.body.as_ref());
    if begins.map(|body| body.id()) != Some(chain.last().id()) {
        let found = format!("a chain without {}, below which bodies were let go", chain.last().id());
        return Err(invalid(found));
    }
    for facts in above {
        let body = facts
            .body
            .as_ref()
            .ok_or_else(|| invalid("a chain whose bodies were let go".to_owned()))?;
        chain.push(body).map_err(|fault| invalid(fault.to_string()))?;
    }
    let checked = chain.checked();
    if (checked.tip, checked.height, checked.work) != (told.block, told.height, told.chain_work) {
        let place = |tip: BlockId, height, work| format!("{} at height {height} with {}", tip.short(), brief(work));
        return Err((
            Rule::FactsAreTrue,
            place(checked.tip, checked.height, checked.work),
            place(told.block, told.height, told.chain_work),
        ));
    }
    Ok(())
}

/// Whether a node tells this first when it handles an input, so that it has told everything about the input before.
fn begins_a_batch(event: &Event) -> bool {
    matches!(
        event,
        Event::MessageReceived { .. }
            | Event::BlockReceived { .. }
            | Event::PeerConnected { .. }
            | Event::PeerDisconnected { .. }
    )
}

/// Chain work without its leading zeros.
fn brief(work: Work) -> String {
    let digits = work.to_string();
    format!("0x{}", digits.trim_start_matches('0'))
}

#[cfg(test)]
mod tests;
