//! Forks as objects: when one opens, who is on which branch, why it ends.
//!
//! A fork is named by its fork point, a block with two children that are valid somewhere. It is over when all running honest nodes that are
//! not on the other side of another open fork are on one of its branches, or when all have left it behind for a heavier branch elsewhere.

mod followers;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base::{NodeId, Time};
use chain::{BlockId, HashRate, Height, Work};
use node::Event;
use scenario::world::Latest;
use scenario::{ControlReport, Deed, Plan, StepReport, World};

use self::followers::Followers;
use crate::detail::Detail;
use crate::record::{Derived, RunEvent};

pub use report::{BranchReport, Cause, ForkReport, Resolution};

/// One fork.
#[derive(Clone, Debug)]
pub struct Fork {
    /// Its number, in the order of opening.
    pub id: usize,
    /// The last common block.
    pub point: BlockId,
    /// The fork point's height.
    pub height: Height,
    /// When it opened.
    pub opened: Time,
    /// Its branches, in the order they were seen.
    pub branches: Vec<Branch>,
    /// The nodes that went from one branch to another.
    pub reorged: BTreeSet<NodeId>,
    /// The most blocks that one of them disconnected.
    pub deepest_reorg: u32,
    /// How it ended; none while it is open.
    pub resolution: Option<Resolution>,
    members: BTreeMap<BlockId, usize>,
    /// How many honest nodes are on each branch.
    crowds: Vec<usize>,
    followers: Followers,
}

/// One side of a fork: a child of the fork point and all that stands on it.
#[derive(Clone, Debug)]
pub struct Branch {
    /// The child of the fork point.
    pub first: BlockId,
    /// Its block with the most work, the first seen of equals.
    pub tip: BlockId,
    /// The tip's height.
    pub height: Height,
    /// The tip's chain work.
    pub chain_work: Work,
    /// How many blocks it has.
    pub blocks: u32,
    /// Who mined them.
    pub miners: BTreeSet<NodeId>,
    /// Whether any node ever followed it.
    pub followed: bool,
}

/// All forks of a run.
#[derive(Debug)]
pub struct ForkTracker {
    /// In the order they were seen.
    children: BTreeMap<BlockId, Vec<BlockId>>,
    /// Of `children`.
    latest: Latest,
    forks: Vec<Fork>,
    /// By fork point.
    open: BTreeMap<BlockId, usize>,
    /// Blocks of branches that lost, and the point they lost at: a node that turns up on one opens the fork again.
    lost: BTreeMap<BlockId, BlockId>,
    /// The last block that was looked for there in vain, since when none was lost.
    not_lost: Option<BlockId>,
    rates: Vec<HashRate>,
    /// Which honest nodes run, and how many.
    honest: Vec<bool>,
    honest_count: usize,
    /// Whether every change of a fork is told: with many nodes, what is told of all changes of one fork grows with their square.
    tells_progress: bool,
}

/// What the tracker looks at but does not own.
#[derive(Clone, Copy)]
struct Scene<'a> {
    now: Time,
    plan: &'a Plan,
    world: &'a World,
}

impl ForkTracker {
    /// No forks yet.
    #[must_use]
    pub fn new(plan: &Plan, detail: Detail) -> Self {
        Self {
            children: BTreeMap::new(),
            latest: Latest::default(),
            forks: Vec::new(),
            open: BTreeMap::new(),
            lost: BTreeMap::new(),
            not_lost: None,
            rates: plan.nodes.iter().map(|node| node.hashrate).collect(),
            honest: vec![false; plan.nodes.len()],
            honest_count: 0,
            tells_progress: detail == Detail::Full,
        }
    }

    /// Takes in an event that `world` has already taken in, and says what follows from it.
    pub fn observe(&mut self, now: Time, event: &RunEvent, plan: &Plan, world: &World) -> Vec<Derived> {
        let scene = Scene { now, plan, world };
        let mut news = Vec::new();
        match event {
            RunEvent::Node { node, event, .. } => self.node_event(scene, *node, event, &mut news),
            RunEvent::NodeStarted { node, .. } | RunEvent::NodeStopped { node, .. } => {
                self.count_honest(scene, *node);
                self.node_moved(scene, *node, &mut news);
            }
            RunEvent::Step(StepReport { deed, .. }) | RunEvent::Control(ControlReport { deed, .. }) => {
                if let Some(Deed::HashRates(rates)) = deed {
                    self.set_rates(rates);
                }
            }
            RunEvent::RunStarted { .. }
            | RunEvent::RunEnded { .. }
            | RunEvent::Intervention { .. }
            | RunEvent::Derived(_) => {}
        }
        news
    }

    /// Whether a block was new a short while ago: that some node has it says nothing new.
    #[must_use]
    pub fn is_latest(&self, block: &BlockId) -> bool {
        self.latest.contains(block)
    }

    /// A node follows another block than before, which `world` has already taken in: adds what follows from it.
    pub fn follow(&mut self, now: Time, node: NodeId, (plan, world): (&Plan, &World), news: &mut Vec<Derived>) {
        // Most often no fork is open, and none opens again.
        if !self.open.is_empty() || self.not_lost != Some(world.node(node).tip.block) {
            self.node_moved(Scene { now, plan, world }, node, news);
        }
    }

    /// All forks, in the order of opening.
    #[must_use]
    pub fn forks(&self) -> &[Fork] {
        &self.forks
    }

    /// The block is buried so deep that no fork will be about it again.
    pub fn let_go(&mut self, block: &BlockId) {
        let is_open = |fork: &usize| self.forks[*fork].members.contains_key(block);
        if !self.open.values().any(is_open) {
            self.children.remove(block);
            self.lost.remove(block);
        }
    }

    fn node_event(&mut self, scene: Scene<'_>, node: NodeId, event: &Event, news: &mut Vec<Derived>) {
        if let Event::BlockMined { block, parent, .. } | Event::BlockConnected { block, parent, .. } = event {
            self.block_seen(scene, *block, *parent, news);
        }
        if let Event::Reorg { fork_point, depth, .. } = event {
            self.reorged(scene, node, (*fork_point, *depth), news);
        }
        if let Event::TipChanged { .. } = event {
            self.node_moved(scene, node, news);
        }
    }

    fn count_honest(&mut self, scene: Scene<'_>, node: NodeId) {
        let runs = scene.world.node(node).running && scene.plan.is_honest(node);
        let ran = std::mem::replace(&mut self.honest[node.index()], runs);
        self.honest_count += usize::from(runs);
        self.honest_count -= usize::from(ran);
    }

    fn set_rates(&mut self, rates: &[(NodeId, HashRate)]) {
        for (node, rate) in rates {
            self.rates[node.index()] = *rate;
        }
    }

    fn block_seen(&mut self, scene: Scene<'_>, block: BlockId, parent: BlockId, news: &mut Vec<Derived>) {
        if self.latest.contains(&block) {
            return;
        }
        let siblings = self.children.entry(parent).or_insert_with(|| Vec::with_capacity(1));
        if siblings.contains(&block) {
            return;
        }
        self.latest.push(block);
        siblings.push(block);
        let forks_here = siblings.len() > 1;
        if let Some(point) = self.lost.get(&parent).copied() {
            self.lose(block, point);
        }
        for &fork in self.open.values() {
            let fork = &mut self.forks[fork];
            if let Some(branch) = fork.grow(scene.world, block, parent)
                && self.tells_progress
            {
                news.push(Derived::ForkProgress(fork.report_of(&self.rates, [branch])));
            }
        }
        if forks_here && !self.open.contains_key(&parent) {
            self.open(scene, parent, news);
        }
        self.settle(scene, news);
    }

    /// A reorg is told before the change of tip it explains.
    fn reorged(&mut self, scene: Scene<'_>, node: NodeId, reorg: (BlockId, u32), news: &mut Vec<Derived>) {
        let (point, depth) = reorg;
        let forks_there = self.children.get(&point).is_some_and(|children| children.len() > 1);
        if forks_there && scene.plan.is_honest(node) && !self.open.contains_key(&point) {
            self.open(scene, point, news);
        }
        if let Some(&fork) = self.open.get(&point) {
            let fork = &mut self.forks[fork];
            fork.reorged.insert(node);
            fork.deepest_reorg = fork.deepest_reorg.max(depth);
        }
    }

    fn node_moved(&mut self, scene: Scene<'_>, node: NodeId, news: &mut Vec<Derived>) {
        let facts = scene.world.node(node);
        if self.honest[node.index()]
            && let Some(point) = self.lost_at(&facts.tip.block)
            && !self.open.contains_key(&point)
        {
            self.open(scene, point, news);
        }
        for &fork in self.open.values() {
            let fork = &mut self.forks[fork];
            let (left, entered) = fork.place(scene, node);
            if left != entered && self.tells_progress {
                let changed = left.into_iter().chain(entered);
                news.push(Derived::ForkProgress(fork.report_of(&self.rates, changed)));
            }
        }
        self.settle(scene, news);
    }

    fn lose(&mut self, block: BlockId, point: BlockId) {
        self.lost.insert(block, point);
        self.not_lost = None;
    }

    /// Where the branch of a block was lost, if it was. Most often the next that is looked for is the same.
    fn lost_at(&mut self, block: &BlockId) -> Option<BlockId> {
        if self.not_lost.as_ref() == Some(block) {
            return None;
        }
        let point = self.lost.get(block).copied();
        if point.is_none() {
            self.not_lost = Some(*block);
        }
        point
    }

    fn open(&mut self, scene: Scene<'_>, point: BlockId, news: &mut Vec<Derived>) {
        let height = scene.world.block(&point).map_or(Height(0), |facts| facts.height);
        let mut fork = Fork {
            id: self.forks.len(),
            point,
            height,
            opened: scene.now,
            branches: Vec::new(),
            reorged: BTreeSet::new(),
            deepest_reorg: 0,
            resolution: None,
            members: BTreeMap::new(),
            crowds: Vec::new(),
            followers: Followers::none(scene.world.nodes().len()),
        };
        let mut parents = vec![point];
        while let Some(parent) = parents.pop() {
            for &child in self.children.get(&parent).into_iter().flatten() {
                fork.grow(scene.world, child, parent);
                parents.push(child);
            }
        }
        for node in scene.plan.node_ids() {
            fork.place(scene, node);
        }
        self.lost.retain(|block, _| !fork.members.contains_key(block));
        news.push(Derived::ForkOpened(fork.report(&self.rates)));
        self.open.insert(point, fork.id);
        self.forks.push(fork);
    }

    /// Ends what is over. One end may bring about another: a fork within a branch ends with the branch.
    fn settle(&mut self, scene: Scene<'_>, news: &mut Vec<Derived>) {
        while let Some((fork, winner)) = self
            .open
            .values()
            .find_map(|&fork| self.verdict(scene, &self.forks[fork]).map(|winner| (fork, winner)))
        {
            self.resolve(scene.now, fork, winner);
            let fork = &self.forks[fork];
            news.push(Derived::ForkResolved {
                fork: fork.report(&self.rates),
                resolution: fork.resolution.clone().expect("just resolved"),
            });
        }
    }

    /// The branch that won, `Some(None)` when the whole fork was left behind, `None` while it is open.
    fn verdict(&self, scene: Scene<'_>, fork: &Fork) -> Option<Option<usize>> {
        // Most often two branches have followers, or somebody has not come over and no other fork could keep him: then it goes on.
        let followed = fork.crowds.iter().filter(|crowd| **crowd > 0).count();
        let followers: usize = fork.crowds.iter().sum();
        if followed > 1 || (followed == 1 && self.open.len() == 1 && followers < self.honest_count) {
            return None;
        }
        let honest = || {
            scene
                .plan
                .node_ids()
                .filter(|&node| scene.world.node(node).running && scene.plan.is_honest(node))
        };
        let mut concerned = honest().filter(|&node| !self.is_elsewhere(fork, node));
        if let Some(first) = concerned.next()
            && let Some(branch) = fork.followers.branch(first)
            && concerned.all(|node| fork.followers.branch(node) == Some(branch))
        {
            return Some(Some(branch));
        }
        let most = fork.branches.iter().map(|branch| branch.chain_work).max()?;
        let mut any = false;
        let left_behind = honest().all(|node| {
            any = true;
            fork.followers.branch(node).is_none() && scene.world.node(node).tip.chain_work >= most
        });
        (any && left_behind).then_some(None)
    }

    /// Whether the node is on a branch of another open fork that does not lead to this one, and never was here.
    ///
    /// Those who left for such a branch still count: where they end up decides whether this fork had a winner or was left behind.
    fn is_elsewhere(&self, fork: &Fork, node: NodeId) -> bool {
        let is_on_another_side = |&other: &usize| {
            let other = &self.forks[other];
            match (other.members.get(&fork.point), other.followers.branch(node)) {
                (Some(leads_here), Some(follows)) => *leads_here != follows,
                _ => false,
            }
        };
        !fork.followers.has_been(node) && self.open.values().any(is_on_another_side)
    }

    fn resolve(&mut self, now: Time, fork: usize, winner: Option<usize>) {
        let fork = &mut self.forks[fork];
        self.open.remove(&fork.point);
        for (block, branch) in std::mem::take(&mut fork.members) {
            if Some(branch) != winner {
                self.lost.insert(block, fork.point);
                self.not_lost = None;
            }
        }
        fork.resolution = Some(fork.resolution_at(now.since(fork.opened), winner));
    }
}

impl Fork {
    /// Takes in a block if it stands on a branch, or begins one; says which.
    fn grow(&mut self, world: &World, block: BlockId, parent: BlockId) -> Option<usize> {
        let facts = world.block(&block)?;
        let index = if parent == self.point {
            self.branches.push(Branch {
                first: block,
                tip: block,
                height: facts.height,
                chain_work: facts.chain_work,
                blocks: 0,
                miners: BTreeSet::new(),
                followed: false,
            });
            self.crowds.push(0);
            self.branches.len() - 1
        } else {
            *self.members.get(&parent)?
        };
        self.members.insert(block, index);
        let branch = &mut self.branches[index];
        branch.blocks += 1;
        branch.miners.extend(facts.miner);
        if facts.chain_work > branch.chain_work {
            branch.tip = block;
            branch.height = facts.height;
            branch.chain_work = facts.chain_work;
        }
        Some(index)
    }

    /// Puts a node on the branch its tip is on; says which it was on before and which it is on now.
    fn place(&mut self, scene: Scene<'_>, node: NodeId) -> (Option<usize>, Option<usize>) {
        let facts = scene.world.node(node);
        let entered = self.members.get(&facts.tip.block).filter(|_| facts.running).copied();
        let left = match entered {
            Some(branch) => {
                self.branches[branch].followed = true;
                self.followers.enter(node, branch)
            }
            None => self.followers.leave(node),
        };
        if scene.plan.is_honest(node) {
            if let Some(branch) = left {
                self.crowds[branch] -= 1;
            }
            if let Some(branch) = entered {
                self.crowds[branch] += 1;
            }
        }
        (left, entered)
    }

    /// Who is on a branch.
    pub fn on_branch(&self, branch: usize) -> impl Iterator<Item = NodeId> + '_ {
        self.followers.on(branch)
    }

    fn resolution_at(&self, lasted: Duration, winner: Option<usize>) -> Resolution {
        let losers: Vec<usize> = (0..self.branches.len())
            .filter(|&branch| Some(branch) != winner)
            .collect();
        let lost = || losers.iter().map(|&branch| &self.branches[branch]);
        let heaviest_loser = lost().map(|branch| branch.chain_work).max();
        let cause = match winner {
            None => Cause::Abandoned,
            Some(_) if self.reorged.is_empty() && lost().any(|branch| branch.followed) => Cause::FollowersStopped,
            Some(_) if self.reorged.is_empty() => Cause::Unfollowed,
            Some(winner) if Some(self.branches[winner].chain_work) > heaviest_loser => Cause::MoreWork,
            Some(_) => Cause::EqualWork,
        };
        Resolution {
            winner,
            lasted_us: u64::try_from(lasted.as_micros()).unwrap_or(u64::MAX),
            stale_blocks: lost().map(|branch| branch.blocks).sum(),
            deepest_reorg: self.deepest_reorg,
            nodes_reorged: self.reorged.iter().copied().collect(),
            losers,
            cause,
        }
    }
}

#[cfg(test)]
mod tests;
