//! What is so at a step, as far as the steps before it tell: who runs, who is linked, which names are known.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base::NodeId;
use chain::Amount;

use super::network::{Network, pair};
use crate::diagnostic::{Report, Span};
use crate::grammar::nearest;
use crate::plan::{CutId, PaymentId, WalletId};
use crate::read::{Fields, Text};

/// What the steps happen in.
pub(super) struct Surroundings<'a> {
    pub(super) network: &'a Network,
    /// What a block may create; `None` when the rules are broken.
    pub(super) subsidy: Option<Amount>,
    /// Whether nobody can make proof of work but by mining.
    pub(super) oracle: bool,
    /// Whether a hash rate would make a flood of blocks.
    pub(super) on_demand: bool,
    /// How long the run may take; `None` when that is broken.
    pub(super) limit: Option<Duration>,
}

/// Names of one sort, in the order of their first mention.
#[derive(Default)]
pub(super) struct Register {
    pub(super) names: Vec<String>,
    places: BTreeMap<String, usize>,
}

impl Register {
    /// These names, in their order.
    pub(super) fn of(names: &[String]) -> Self {
        let mut register = Self::default();
        for name in names {
            register.add(name);
        }
        register
    }

    /// The place of a name, added when it is new; and whether it was.
    pub(super) fn add(&mut self, name: &str) -> (usize, bool) {
        let next = self.names.len();
        let place = *self.places.entry(name.to_owned()).or_insert(next);
        if place == next {
            self.names.push(name.to_owned());
        }
        (place, place == next)
    }

    /// The place of a name; when it is not known, tells what was expected (`a wallet`).
    pub(super) fn find(&self, name: &Text, sort: &str, report: &mut Report) -> Option<usize> {
        let known = self.places.get(&name.text).copied();
        if known.is_none() {
            let near = nearest(&name.text, self.names.iter().map(String::as_str));
            let message = format!("no step before this one defines {sort} `{}`", name.text);
            match near {
                Some(near) => report.error_with_help(&name.span, message, format!("did you mean `{near}`?")),
                None => report.error(&name.span, message),
            }
        }
        known
    }
}

/// What is known at a step.
pub(super) struct State<'a> {
    pub(super) around: &'a Surroundings<'a>,
    pub(super) wallets: Register,
    pub(super) payments: Register,
    pub(super) cuts: Register,
    /// The two payees of payments that are double spends.
    pub(super) doubles: BTreeMap<PaymentId, [WalletId; 2]>,
    /// Wallets that have been funded or paid.
    pub(super) paid: BTreeSet<WalletId>,
    /// What the next block of a node will pay.
    pub(super) pending: BTreeMap<NodeId, Amount>,
    /// How many loads there have been.
    pub(super) loads: u64,
    /// Wallets whose load goes on.
    pub(super) loading: BTreeSet<WalletId>,
    /// Cuts that have not been healed.
    pub(super) open_cuts: BTreeSet<CutId>,
    /// Which nodes run.
    pub(super) running: Vec<bool>,
    /// Which nodes stand still.
    pub(super) paused: BTreeSet<NodeId>,
    /// Which pairs are to be connected.
    pub(super) linked: BTreeSet<(NodeId, NodeId)>,
    /// How long the sleeps take together.
    pub(super) slept: Duration,
}

impl<'a> State<'a> {
    pub(super) fn new(around: &'a Surroundings<'a>) -> Self {
        let network = around.network;
        Self {
            around,
            wallets: Register::default(),
            payments: Register::default(),
            cuts: Register::default(),
            doubles: BTreeMap::new(),
            paid: BTreeSet::new(),
            pending: BTreeMap::new(),
            loads: 0,
            loading: BTreeSet::new(),
            open_cuts: BTreeSet::new(),
            running: network.nodes.iter().map(|node| node.started).collect(),
            paused: BTreeSet::new(),
            linked: network.links.iter().map(|link| pair(link.a, link.b)).collect(),
            slept: Duration::ZERO,
        }
    }

    /// The wallet of this name.
    pub(super) fn wallet(&mut self, name: &Text) -> WalletId {
        WalletId(self.wallets.add(&name.text).0)
    }

    /// A new payment; a name that is taken is told.
    pub(super) fn payment(&mut self, name: &Text, report: &mut Report) -> PaymentId {
        let (place, new) = self.payments.add(&name.text);
        if !new {
            report.error(&name.span, format!("a payment is already called `{}`", name.text));
        }
        PaymentId(place)
    }

    /// A payment that no step can refer to. Its name has blanks, so no name in a file can be the same.
    pub(super) fn unnamed_payment(&mut self, fields: &Fields) -> PaymentId {
        let word = |key| fields.text(key).map_or("?", |name| name.text.as_str());
        let name = format!(
            "payment {} from {} to {}",
            self.payments.names.len() + 1,
            word("send"),
            word("to")
        );
        PaymentId(self.payments.add(&name).0)
    }

    /// A new cut; a name that is taken is told.
    pub(super) fn cut(&mut self, name: &Text, report: &mut Report) -> CutId {
        let (place, new) = self.cuts.add(&name.text);
        if !new {
            report.error(
                &name.span,
                format!("a partition or isolation is already called `{}`", name.text),
            );
        }
        if name.text == "all" {
            report.error(&name.span, "`all` is every cut, and so cannot be the name of one");
        }
        CutId(place)
    }

    /// A node that runs and is not paused.
    pub(super) fn runner(&self, name: &Text, report: &mut Report) -> Option<NodeId> {
        let node = self.around.network.names.node(name, report)?;
        self.must_act(node, &name.span, report).then_some(node)
    }

    /// A node that runs and follows the rules.
    pub(super) fn honest_runner(&self, name: &Text, report: &mut Report) -> Option<NodeId> {
        let node = self.runner(name, report)?;
        if self.around.network.is_hostile(node) {
            let message = format!(
                "`{}` is hostile: it follows no chain and does only what `inject-block` says",
                name.text
            );
            report.error(&name.span, message);
            return None;
        }
        Some(node)
    }

    /// Tells when a node does not run at this step.
    pub(super) fn must_run(&self, node: NodeId, place: &Span, report: &mut Report) -> bool {
        let runs = self.running[node.index()];
        if !runs {
            let name = self.around.network.name_of(node);
            report.error(place, format!("`{name}` does not run at this step"));
        }
        runs
    }

    /// Tells when a node cannot do anything at this step: it does not run, or is paused.
    pub(super) fn must_act(&self, node: NodeId, place: &Span, report: &mut Report) -> bool {
        if !self.must_run(node, place, report) {
            return false;
        }
        let acts = !self.paused.contains(&node);
        if !acts {
            let name = self.around.network.name_of(node);
            let message = format!("`{name}` is paused at this step");
            report.error_with_help(place, message, "put a `resume` before it");
        }
        acts
    }

    /// The first of these groups that falls apart when only the links within groups are left.
    pub(super) fn falls_apart(&self, groups: &[Vec<NodeId>]) -> Option<usize> {
        let mut group_of = vec![None; self.running.len()];
        for (group, nodes) in groups.iter().enumerate() {
            nodes.iter().for_each(|node| group_of[node.index()] = Some(group));
        }
        // Union-find: each node starts as a part of its own, and a link between two parts joins them.
        let mut part: Vec<usize> = (0..group_of.len()).collect();
        let mut parts: Vec<usize> = groups.iter().map(Vec::len).collect();
        for (a, b) in self.linked.iter().map(|(a, b)| (a.index(), b.index())) {
            let Some(group) = group_of[a].filter(|_| group_of[a] == group_of[b]) else {
                continue;
            };
            let (a, b) = (root(&mut part, a), root(&mut part, b));
            if a != b {
                part[a] = b;
                parts[group] -= 1;
            }
        }
        parts.iter().position(|parts| *parts > 1)
    }

    /// The honest nodes that run and are not paused.
    pub(super) fn honest_runners(&self) -> Vec<NodeId> {
        let network = self.around.network;
        let nodes = (0..network.nodes.len()).map(NodeId::at);
        nodes
            .filter(|node| self.running[node.index()] && !self.paused.contains(node) && !network.is_hostile(*node))
            .collect()
    }
}

/// The node that stands for the part that a node belongs to; shortens the way there.
fn root(part: &mut [usize], mut node: usize) -> usize {
    while part[node] != node {
        part[node] = part[part[node]];
        node = part[node];
    }
    node
}
