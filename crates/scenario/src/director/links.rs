//! Which links are wanted, what they are like, and which cuts lie across them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::NodeId;

use super::Order;
use crate::link::Conditions;
use crate::plan::{CutId, LinkChange, Plan};

/// A pair of nodes, the lower first: a link without a direction.
pub(super) type Pair = (NodeId, NodeId);

fn pair(a: NodeId, b: NodeId) -> Pair {
    (a.min(b), a.max(b))
}

/// One cut that lies across the network now.
#[derive(Clone, Debug)]
struct Cut {
    silent: bool,
    groups: BTreeMap<NodeId, usize>,
    /// The links it lies across: those that were wanted when it was made, and those wanted since.
    pairs: BTreeSet<Pair>,
}

impl Cut {
    fn crosses(&self, (a, b): Pair) -> bool {
        matches!((self.groups.get(&a), self.groups.get(&b)), (Some(a), Some(b)) if a != b)
    }
}

/// The director's book of links. State changes here and nowhere else; engines carry out the orders it returns.
#[derive(Clone, Debug)]
pub(super) struct Links {
    plan: Arc<Plan>,
    /// The planned links, by pair, and where they stand in the plan.
    planned: Vec<(Pair, usize)>,
    /// Who dials whom, by pair.
    wanted: BTreeMap<Pair, (NodeId, NodeId)>,
    /// What directions are like that are not as planned, cuts by partition aside.
    changed: BTreeMap<(NodeId, NodeId), Conditions>,
    cuts: BTreeMap<CutId, Cut>,
}

impl Links {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        let links = plan.links.iter().enumerate();
        let mut planned: Vec<(Pair, usize)> = links.map(|(at, link)| (pair(link.a, link.b), at)).collect();
        planned.sort_unstable();
        let dials = |&(pair, at): &(Pair, usize)| (pair, (plan.links[at].a, plan.links[at].b));
        Self {
            wanted: planned.iter().map(dials).collect(),
            planned,
            changed: BTreeMap::new(),
            cuts: BTreeMap::new(),
            plan: Arc::clone(plan),
        }
    }

    /// What a direction is like, cuts by partition aside.
    fn conditions(&self, from: NodeId, to: NodeId) -> Conditions {
        if let Some(changed) = self.changed.get(&(from, to)) {
            return *changed;
        }
        let key = pair(from, to);
        let end = self.planned.partition_point(|(other, _)| *other <= key);
        let planned = self.planned[..end].last().filter(|(other, _)| *other == key);
        planned.map_or(self.plan.conditions, |(_, at)| self.plan.links[*at].conditions)
    }

    /// Cuts groups from each other: one order per wanted link that crosses.
    pub(super) fn cut(&mut self, cut: CutId, groups: &[Vec<NodeId>], silent: bool) -> Vec<Order> {
        let groups = groups
            .iter()
            .enumerate()
            .flat_map(|(index, group)| group.iter().map(move |&node| (node, index)))
            .collect();
        let mut fresh = Cut {
            silent,
            groups,
            pairs: BTreeSet::new(),
        };
        fresh.pairs = self
            .wanted
            .keys()
            .copied()
            .filter(|&pair| fresh.crosses(pair))
            .collect();
        let cut_now: Vec<Pair> = fresh
            .pairs
            .iter()
            .copied()
            .filter(|&pair| !self.is_cut(pair, silent))
            .collect();
        self.cuts.insert(cut, fresh);
        cut_now
            .into_iter()
            .flat_map(|pair| self.orders_for(pair, silent))
            .collect()
    }

    /// Ends a cut, or all: one order per link that no other cut crosses, and the pairs that are free again.
    pub(super) fn heal(&mut self, cut: Option<CutId>) -> (Vec<Order>, Vec<Pair>) {
        let ended: Vec<Cut> = match cut {
            Some(cut) => self.cuts.remove(&cut).into_iter().collect(),
            None => std::mem::take(&mut self.cuts).into_values().collect(),
        };
        let mut freed = BTreeMap::new();
        for cut in ended {
            freed.extend(cut.pairs.into_iter().map(|pair| (pair, cut.silent)));
        }
        freed.retain(|&pair, silent| !self.is_cut(pair, *silent));
        let orders = freed
            .iter()
            .flat_map(|(&pair, &silent)| self.orders_for(pair, silent))
            .collect();
        (orders, freed.into_keys().collect())
    }

    /// The orders that bring a pair to its present state, in one of the two kinds of cut.
    fn orders_for(&self, (a, b): Pair, silent: bool) -> Vec<Order> {
        match (silent, self.is_cut((a, b), silent)) {
            (true, _) => vec![self.set(a, b), self.set(b, a)],
            (false, true) => vec![Order::Sever(a, b)],
            (false, false) => {
                let (dialler, dialled) = self.wanted.get(&(a, b)).copied().unwrap_or((a, b));
                vec![Order::Mend(dialler, dialled)]
            }
        }
    }

    fn is_cut(&self, pair: Pair, silent: bool) -> bool {
        self.cuts
            .values()
            .any(|cut| cut.silent == silent && cut.pairs.contains(&pair))
    }

    /// The order that tells an engine what a direction is like now, cuts included.
    fn set(&self, from: NodeId, to: NodeId) -> Order {
        let mut conditions = self.conditions(from, to);
        conditions.cut |= self.is_cut(pair(from, to), true);
        Order::SetLink(from, to, conditions)
    }

    /// Changes what a link is like.
    pub(super) fn change(&mut self, (a, b): Pair, change: LinkChange, one_way: bool) -> Vec<Order> {
        let directions = if one_way { vec![(a, b)] } else { vec![(a, b), (b, a)] };
        for &direction in &directions {
            let mut conditions = self.conditions(direction.0, direction.1);
            conditions.latency = change.latency.unwrap_or(conditions.latency);
            conditions.jitter = change.jitter.unwrap_or(conditions.jitter);
            conditions.bandwidth = change.bandwidth.unwrap_or(conditions.bandwidth);
            conditions.cut = change.cut.unwrap_or(conditions.cut);
            self.changed.insert(direction, conditions);
        }
        directions.into_iter().map(|(from, to)| self.set(from, to)).collect()
    }

    /// Wants a link: `a` dials. A new link has the default conditions unless it was given others before, and lies under the cuts in force.
    pub(super) fn connect(&mut self, a: NodeId, b: NodeId) -> Vec<Order> {
        let key = pair(a, b);
        self.wanted.insert(key, (a, b));
        for cut in self.cuts.values_mut().filter(|cut| cut.crosses(key)) {
            cut.pairs.insert(key);
        }
        let mut orders = vec![self.set(a, b), self.set(b, a)];
        if self.is_cut(key, false) {
            orders.push(Order::Sever(a, b));
        }
        orders.push(Order::Connect(a, b));
        orders
    }

    /// Wants a link no more.
    pub(super) fn disconnect(&mut self, a: NodeId, b: NodeId) -> Vec<Order> {
        self.wanted.remove(&pair(a, b));
        vec![Order::Disconnect(a, b)]
    }

    /// The nodes that this one should be connected to now: wanted, and not cut apart.
    pub(super) fn neighbours(&self, node: NodeId) -> Vec<NodeId> {
        let open = self.wanted.keys().copied().filter(|&pair| !self.is_cut(pair, false));
        open.filter_map(|(a, b)| (a == node).then_some(b).or((b == node).then_some(a)))
            .collect()
    }

    /// The pairs that are wanted.
    pub(super) fn wanted(&self) -> impl Iterator<Item = Pair> + '_ {
        self.wanted.keys().copied()
    }

    /// The cuts in force.
    pub(super) fn cuts(&self) -> impl Iterator<Item = CutId> + '_ {
        self.cuts.keys().copied()
    }

    /// Whether no link swallows what is sent.
    pub(super) fn are_open(&self) -> bool {
        let swallows = |&((a, b), _): &(Pair, usize)| self.conditions(a, b).cut || self.conditions(b, a).cut;
        let mut cut = self
            .planned
            .iter()
            .filter(|(_, at)| self.plan.links[*at].conditions.cut);
        let has_changed = self.changed.values().any(|conditions| conditions.cut);
        !has_changed && !cut.any(swallows) && !self.cuts.values().any(|cut| cut.silent)
    }

    /// Whether a cut of this name lies across the network.
    pub(super) fn has_cut(&self, cut: CutId) -> bool {
        self.cuts.contains_key(&cut)
    }

    /// The pairs that a cut keeps apart.
    pub(super) fn pairs_of(&self, cut: CutId) -> impl Iterator<Item = Pair> + '_ {
        self.cuts
            .get(&cut)
            .into_iter()
            .flat_map(|cut| cut.pairs.iter().copied())
    }
}
