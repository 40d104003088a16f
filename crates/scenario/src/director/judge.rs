//! Judges whether an expectation holds of the world.

use std::collections::{BTreeMap, BTreeSet};

use base::{NodeId, Time};
use chain::{Amount, BlockId, Height, Txid};

use super::wallet::{Wallets, balance};
use crate::plan::{Expectation, PaymentId, Plan, WalletId};
use crate::words::count;
use crate::world::{NodeFacts, World};

/// What an expectation is held against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge<'a> {
    pub(super) plan: &'a Plan,
    pub(super) world: &'a World,
    pub(super) wallets: &'a Wallets,
    /// What happened before does not count: the start of the run, or, for `never`, of its step.
    pub(super) since: Time,
    /// The greatest height when the step began.
    pub(super) base_height: Height,
}

/// Whether it holds, and what was seen, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Judgement {
    pub(super) holds: bool,
    pub(super) expected: String,
    pub(super) found: String,
}

/// What one node shows, and whether that is as expected.
type Shown = (bool, String);

impl Judge<'_> {
    pub(super) fn judge(&self, expectation: &Expectation) -> Judgement {
        match expectation {
            Expectation::Converged { on, at, advance } => self.converged(on, *at, *advance),
            Expectation::Diverged { on, groups } => self.diverged(on, *groups),
            Expectation::ConfirmedOnce { on, of, winner } => self.confirmed_once(on, *of, *winner),
            Expectation::Height { on, .. }
            | Expectation::Tip { on, .. }
            | Expectation::Reorg { on, .. }
            | Expectation::Rejected { on, .. }
            | Expectation::Confirmed { on, .. }
            | Expectation::Balance { on, .. }
            | Expectation::Supply { on, .. }
            | Expectation::InMempool { on, .. }
            | Expectation::Peers { on, .. } => self.each(on, &self.in_words(expectation), &|id, node| {
                self.shown(expectation, id, node)
            }),
        }
    }

    /// What is expected of each node, in words.
    fn in_words(&self, expectation: &Expectation) -> String {
        match expectation {
            Expectation::Height { height, at_least, .. } => format!("height {}", bound(*height, *at_least)),
            Expectation::Tip { same_as, mined_by, .. } => self.tip_in_words(*same_as, *mined_by),
            Expectation::Reorg { depth, count, .. } => reorgs_in_words(*depth, *count),
            Expectation::Rejected { reason, from, .. } => {
                format!("refused something as {reason}{}", self.from(*from))
            }
            Expectation::Confirmed { of, depth, .. } => {
                format!("{} confirmed {} deep", self.plan.payments[of.0], count(*depth, "block"))
            }
            Expectation::Balance { of, amount, .. } => format!("{} owns {amount} coins", self.plan.wallets[of.0]),
            Expectation::Supply { amount, .. } => amount.map_or("the supply of the schedule".to_owned(), |amount| {
                format!("a supply of {amount} coins")
            }),
            Expectation::InMempool { of, .. } => format!("{} in the mempool", self.plan.payments[of.0]),
            Expectation::Peers { at_least, at_most, .. } => peers_in_words(*at_least, *at_most),
            Expectation::Converged { .. } | Expectation::Diverged { .. } => "one view".to_owned(),
            Expectation::ConfirmedOnce { of, winner, .. } => {
                let to = winner.map_or(String::new(), |winner| format!(", to {}", self.plan.wallets[winner.0]));
                format!("{} confirmed once{to}", self.plan.payments[of.0])
            }
        }
    }

    /// What one node shows of an expectation about single nodes.
    fn shown(&self, expectation: &Expectation, id: NodeId, node: &NodeFacts) -> Shown {
        match expectation {
            Expectation::Height { height, at_least, .. } => (
                reaches(node.tip.height, *height, *at_least),
                format!("height {}", node.tip.height),
            ),
            Expectation::Tip { same_as, mined_by, .. } => self.tip(node, *same_as, *mined_by),
            Expectation::Reorg { depth, count, .. } => self.reorgs(node, *depth, *count),
            Expectation::Rejected { reason, from, .. } => self.rejected(node, reason, *from),
            Expectation::Confirmed { of, depth, .. } => self.confirmed(node, *of, *depth),
            Expectation::Balance { of, amount, .. } => {
                let found = balance(self.plan, self.world, *of, id);
                (found == *amount, format!("{found} coins"))
            }
            Expectation::Supply { amount, .. } => {
                let due = amount.unwrap_or_else(|| self.scheduled(node.tip.height));
                let found = self.world.supply(&node.tip.block);
                let words = found.map_or("more than the money limit".to_owned(), |found| format!("{found} coins"));
                (found == Some(due), words)
            }
            Expectation::InMempool { of, .. } => {
                let waits = self.sides(*of).iter().any(|(txid, _)| self.world.waits_in(id, txid));
                (
                    waits,
                    format!(
                        "{} in the mempool",
                        count(self.world.mempool_len(id) as u64, "transaction")
                    ),
                )
            }
            Expectation::Peers { at_least, at_most, .. } => {
                let peers = node.peers.len();
                ((*at_least..=*at_most).contains(&peers), count(peers as u64, "peer"))
            }
            Expectation::ConfirmedOnce { of, .. } => self.confirmed_sides(node, *of),
            Expectation::Converged { .. } | Expectation::Diverged { .. } => {
                unreachable!("judged over all nodes together")
            }
        }
    }

    /// Holds when it holds on every node; nodes that show the same are named together.
    fn each(&self, on: &[NodeId], expected: &str, shows: &dyn Fn(NodeId, &NodeFacts) -> Shown) -> Judgement {
        let mut shown: BTreeMap<Shown, Vec<NodeId>> = BTreeMap::new();
        for &node in on {
            let facts = self.world.node(node);
            let shows = if facts.running {
                shows(node, facts)
            } else {
                (false, "is not running".to_owned())
            };
            shown.entry(shows).or_default().push(node);
        }
        let holds = !shown.is_empty() && shown.keys().all(|(holds, _)| *holds);
        let expected = format!("{}: {expected}", self.plan.describe(on));
        let found: Vec<String> = shown
            .iter()
            .map(|((_, words), nodes)| format!("{}: {words}", self.plan.describe(nodes)))
            .collect();
        Judgement {
            holds,
            expected,
            found: found.join("; "),
        }
    }

    fn converged(&self, on: &[NodeId], at: Option<(Height, bool)>, advance: Option<u32>) -> Judgement {
        let mut expected = format!("{} on one tip", self.plan.describe(on));
        let mut holds = true;
        let tips = self.tips(on);
        let lowest = on
            .iter()
            .map(|&node| self.world.node(node).tip.height)
            .min()
            .unwrap_or_default();
        if let Some((height, at_least)) = at {
            expected += &format!(" at height {}", bound(height, at_least));
            holds &= reaches(lowest, height, at_least);
        }
        if let Some(advance) = advance {
            let goal = Height(self.base_height.0.saturating_add(advance));
            expected += &format!(" at height {}, {advance} above where the step began", bound(goal, true));
            holds &= lowest >= goal;
        }
        let down: Vec<NodeId> = on
            .iter()
            .copied()
            .filter(|&node| !self.world.node(node).running)
            .collect();
        holds &= tips.len() == 1 && down.is_empty();
        let mut found = self.tips_in_words(&tips);
        if !down.is_empty() {
            found += &format!("; {} not running", self.plan.describe(&down));
        }
        Judgement { holds, expected, found }
    }

    fn diverged(&self, on: &[NodeId], groups: usize) -> Judgement {
        let tips = self.tips(on);
        Judgement {
            holds: tips.len() == groups,
            expected: format!("{} on {}", self.plan.describe(on), count(groups as u64, "tip")),
            found: self.tips_in_words(&tips),
        }
    }

    fn tips(&self, on: &[NodeId]) -> BTreeMap<BlockId, Vec<NodeId>> {
        let mut tips: BTreeMap<BlockId, Vec<NodeId>> = BTreeMap::new();
        for &node in on {
            tips.entry(self.world.node(node).tip.block).or_default().push(node);
        }
        tips
    }

    fn tips_in_words(&self, tips: &BTreeMap<BlockId, Vec<NodeId>>) -> String {
        let mut groups: Vec<_> = tips.iter().map(|(tip, nodes)| (nodes[0], tip, nodes)).collect();
        groups.sort_unstable();
        let words = groups.into_iter().map(|(first, tip, nodes)| {
            let height = self.world.node(first).tip.height;
            format!("{} at height {height} (..{})", self.plan.describe(nodes), tip.short())
        });
        words.collect::<Vec<_>>().join(", ")
    }

    fn tip(&self, node: &NodeFacts, same_as: Option<NodeId>, mined_by: Option<NodeId>) -> Shown {
        let tip = &node.tip.block;
        let miner = self.world.block(tip).and_then(|facts| facts.miner);
        let same = same_as.is_none_or(|other| self.world.node(other).tip.block == *tip);
        let mined = mined_by.is_none_or(|by| miner == Some(by));
        let by = miner.map_or("nobody seen".to_owned(), |miner| self.plan.name_of(miner).to_owned());
        (
            same && mined,
            format!("..{} at height {}, mined by {by}", tip.short(), node.tip.height),
        )
    }

    fn tip_in_words(&self, same_as: Option<NodeId>, mined_by: Option<NodeId>) -> String {
        let same = same_as.map(|node| format!("the tip of {}", self.plan.name_of(node)));
        let mined = mined_by.map(|node| format!("a tip mined by {}", self.plan.name_of(node)));
        same.into_iter().chain(mined).collect::<Vec<_>>().join(" and ")
    }

    fn reorgs(&self, node: &NodeFacts, depth: Option<u32>, times: u32) -> Shown {
        let counted = node.reorgs.iter().filter(|reorg| reorg.at >= self.since);
        let depths: Vec<u32> = counted.map(|reorg| reorg.depth).collect();
        let matching = depths
            .iter()
            .filter(|&&found| depth.is_none_or(|depth| depth == found))
            .count();
        let words = if depths.is_empty() {
            "no reorg".to_owned()
        } else {
            format!("reorgs of depth {depths:?}")
        };
        (matching as u64 >= u64::from(times), words)
    }

    fn rejected(&self, node: &NodeFacts, reason: &str, from: Option<NodeId>) -> Shown {
        let recent = node
            .rejections
            .iter()
            .filter(|(_, rejections)| rejections.last >= self.since);
        let recent: Vec<_> = recent.map(|(key, _)| *key).collect();
        let holds = recent
            .iter()
            .any(|(word, sender)| *word == reason && (from.is_none() || *sender == from));
        if recent.is_empty() {
            return (holds, "refused nothing".to_owned());
        }
        let words: BTreeSet<String> = recent
            .iter()
            .map(|(word, from)| format!("{word}{}", self.from(*from)))
            .collect();
        (
            holds,
            format!("refused {}", words.into_iter().collect::<Vec<_>>().join(", ")),
        )
    }

    fn from(&self, from: Option<NodeId>) -> String {
        from.map_or(String::new(), |node| format!(" from {}", self.plan.name_of(node)))
    }

    fn confirmed(&self, node: &NodeFacts, of: PaymentId, depth: u32) -> Shown {
        let deepest = self
            .sides(of)
            .iter()
            .filter_map(|(txid, _)| self.world.depth(txid, &node.tip.block))
            .max();
        let words = deepest.map_or("not confirmed".to_owned(), |found| {
            format!("{} deep", count(found, "block"))
        });
        (deepest.is_some_and(|found| found >= depth), words)
    }

    fn confirmed_once(&self, on: &[NodeId], of: PaymentId, winner: Option<WalletId>) -> Judgement {
        let expectation = Expectation::ConfirmedOnce {
            on: on.to_vec(),
            of,
            winner,
        };
        let mut judgement = self.each(on, &self.in_words(&expectation), &|_, node| {
            self.confirmed_sides(node, of)
        });
        let winners: BTreeSet<Vec<WalletId>> = on
            .iter()
            .map(|&node| self.sides_in(&self.world.node(node).tip.block, of))
            .collect();
        let wanted = winner.is_none_or(|winner| winners.iter().all(|sides| sides.contains(&winner)));
        judgement.holds &= winners.len() == 1 && wanted;
        judgement
    }

    fn confirmed_sides(&self, node: &NodeFacts, of: PaymentId) -> Shown {
        let sides = self.sides_in(&node.tip.block, of);
        let to: Vec<&str> = sides.iter().map(|to| self.plan.wallets[to.0].as_str()).collect();
        match to.as_slice() {
            [] => (false, "not confirmed".to_owned()),
            [to] => (true, format!("confirmed once, to {to}")),
            _ => (false, format!("confirmed {} times, to {}", to.len(), to.join(" and "))),
        }
    }

    /// The sides of a payment that are in a chain, by whom they pay.
    fn sides_in(&self, tip: &BlockId, of: PaymentId) -> Vec<WalletId> {
        let sides = self
            .sides(of)
            .iter()
            .filter(|(txid, _)| self.world.depth(txid, tip).is_some());
        sides.map(|(_, to)| *to).collect()
    }

    fn sides(&self, of: PaymentId) -> &[(Txid, WalletId)] {
        self.wallets.payment(of).map_or(&[], |payment| payment.sides.as_slice())
    }

    /// What the schedule lets a chain create, from block 1 to its tip.
    fn scheduled(&self, tip: Height) -> Amount {
        let subsidies = (1..=tip.0).map(|height| self.plan.params.subsidy(Height(height)));
        Amount::total(subsidies).expect("a schedule ends below the money limit")
    }
}

fn reaches(height: Height, goal: Height, at_least: bool) -> bool {
    if at_least { height >= goal } else { height == goal }
}

fn bound(height: Height, at_least: bool) -> String {
    if at_least {
        format!("{height} or more")
    } else {
        height.to_string()
    }
}

fn peers_in_words(at_least: usize, at_most: usize) -> String {
    match (at_least, at_most) {
        (low, high) if low == high => count(low as u64, "peer"),
        (low, usize::MAX) => format!("at least {}", count(low as u64, "peer")),
        (0, high) => format!("at most {}", count(high as u64, "peer")),
        (low, high) => format!("{low} to {high} peers"),
    }
}

fn reorgs_in_words(depth: Option<u32>, times: u32) -> String {
    let depth = depth.map_or(String::new(), |depth| format!(" of depth {depth}"));
    if times == 1 {
        format!("a reorg{depth}")
    } else {
        format!("{times} reorgs{depth}")
    }
}
