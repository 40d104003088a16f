//! A run at one time: who followed what, and what was drawn of it.

use std::collections::BTreeMap;

use base::{NodeId, Time};
use chain::{BlockId, Height};
use serde::Serialize;

use super::cast::Crew;
use super::{BlockNumber, Model, StepFacts};
use crate::arrivals::Unreadable;
use crate::layout::{Cell, Content, Layout, View};

/// A run at one time. Made by [`Model::at`].
#[derive(Clone, Debug)]
pub struct Moment<'a> {
    pub(super) model: &'a Model,
    pub(super) at: Time,
    pub(super) tips: Vec<BlockNumber>,
    pub(super) crew: Crew,
    /// How many blocks had been seen.
    seen: usize,
}

/// A node at one time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NodeState {
    /// Its number: its place in the list of nodes.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// How it behaves.
    pub strategy: String,
    /// Whether it ran.
    pub running: bool,
    /// Whether it stood still, as a scenario can make it.
    pub paused: bool,
    /// Whether it had fallen far behind the best.
    pub behind: bool,
    /// Where it is, in a network of the literature.
    pub region: Option<String>,
    /// What it followed, or last did.
    pub tip: BlockId,
    /// The tip's height.
    pub height: Height,
    /// Its hash power, in hashes per second, as text.
    pub hash_power: String,
    /// Whom it was connected to, as it saw it.
    pub peers: Vec<NodeId>,
    /// The cuts that lay across the network, and its group in each: its place in the cut's list.
    pub groups: Vec<(String, usize)>,
    /// Blocks it had mined.
    pub mined: u32,
    /// Reorgs it had gone through.
    pub reorgs: u32,
}

/// A drawing of the tree and what stands beside it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TreePicture {
    /// From top to bottom.
    pub rows: Vec<TreeRow>,
    /// Rows above them for which there was no room.
    pub rows_left_out: usize,
    /// Branches for which there was no lane.
    pub branches_left_out: usize,
}

/// A row of the drawing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TreeRow {
    /// One for each lane.
    pub cells: Vec<Cell>,
    /// What stands in it.
    pub content: Content,
    /// Who mined its block, when that was seen.
    pub miner: Option<String>,
    /// The running nodes that followed its block.
    pub nodes: Vec<String>,
    /// How many they were.
    pub node_count: usize,
}

impl NodeState {
    /// Whether it ran and kept up, in a word.
    #[must_use]
    pub const fn state_words(&self) -> &'static str {
        match (self.running, self.paused, self.behind) {
            (false, _, _) => "down",
            (true, true, _) => "paused",
            (true, false, true) => "behind",
            (true, false, false) => "up",
        }
    }
}

impl<'a> Moment<'a> {
    pub(super) fn new(model: &'a Model, at: Time) -> Result<Self, Unreadable> {
        Ok(Self {
            model,
            at,
            tips: model.arrivals.tips_at(at)?,
            crew: model.cast.crew_at(at),
            seen: model.chain.seen_at(at),
        })
    }

    /// When it is.
    #[must_use]
    pub const fn time(&self) -> Time {
        self.at
    }

    /// The nodes that ran.
    pub fn running(&self) -> impl Iterator<Item = NodeId> + '_ {
        let nodes = (0..self.tips.len()).map(NodeId::at);
        nodes.filter(|node| self.crew.running[node.index()])
    }

    /// What a node followed, or last did.
    #[must_use]
    pub fn tip(&self, node: NodeId) -> BlockNumber {
        self.tips[node.index()]
    }

    /// How many blocks had been seen, the genesis block among them: those of the lowest numbers.
    #[must_use]
    pub const fn blocks_seen(&self) -> usize {
        self.seen
    }

    /// The block with the most work that had been seen, the smaller name of equals; none before the run began.
    #[must_use]
    pub fn best(&self) -> Option<BlockNumber> {
        let seen = self.model.chain.blocks()[..self.seen].iter().enumerate();
        let rank = |(_, block): &(usize, &super::BlockFacts)| (block.chain_work, std::cmp::Reverse(block.id));
        seen.max_by_key(rank).map(|(place, _)| BlockNumber::at(place))
    }

    /// Who followed which block, running nodes only.
    #[must_use]
    pub fn followers(&self) -> BTreeMap<BlockNumber, Vec<NodeId>> {
        let mut followers: BTreeMap<BlockNumber, Vec<NodeId>> = BTreeMap::new();
        for node in self.running() {
            followers.entry(self.tip(node)).or_default().push(node);
        }
        followers
    }

    /// Every node, in order.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeState> {
        let (model, count) = (self.model, self.tips.len());
        let mut peers = model.connections.at(self.at, count);
        let (mut mined, mut reorgs) = (vec![0; count], vec![0; count]);
        for block in model.chain.blocks()[..self.seen]
            .iter()
            .filter(|block| block.mined.is_some_and(|mined| mined <= self.at))
        {
            if let Some(miner) = block.miner {
                mined[miner.index()] += 1;
            }
        }
        for reorg in model.reorgs.iter().take_while(|reorg| reorg.at <= self.at) {
            reorgs[reorg.node.index()] += 1;
        }
        let groups = self.groups();
        let state = |index: usize| {
            let node = NodeId::at(index);
            let tip = model.chain.block(self.tips[index]);
            NodeState {
                node,
                name: model.cast.name(node).to_owned(),
                strategy: model.cast.strategy(node).to_owned(),
                running: self.crew.running[index],
                paused: self.crew.paused[index],
                behind: self.crew.behind[index],
                region: model.cast.region(node).map(str::to_owned),
                tip: tip.id,
                height: tip.height,
                hash_power: self.crew.rates[index].0.to_string(),
                peers: std::mem::take(&mut peers[index]),
                groups: groups.get(&node).cloned().unwrap_or_default(),
                mined: mined[index],
                reorgs: reorgs[index],
            }
        };
        (0..count).map(state).collect()
    }

    /// The groups of the cuts that lay across the network, by node.
    fn groups(&self) -> BTreeMap<NodeId, Vec<(String, usize)>> {
        let mut groups: BTreeMap<NodeId, Vec<(String, usize)>> = BTreeMap::new();
        for cut in self.model.cuts.iter().filter(|cut| cut.holds_at(self.at)) {
            for (number, nodes) in cut.groups.iter().enumerate() {
                for &node in nodes {
                    groups.entry(node).or_default().push((cut.id.clone(), number));
                }
            }
        }
        groups
    }

    /// The steps that had begun, as they stood.
    #[must_use]
    pub fn steps(&self) -> Vec<StepFacts> {
        self.model.steps.iter().filter_map(|step| step.at(self.at)).collect()
    }

    /// The tree of the blocks that had been seen: lanes, folded stretches, and who followed what.
    #[must_use]
    pub fn tree(&self, view: View) -> TreePicture {
        let chain = &self.model.chain;
        if chain.is_empty() {
            return TreePicture {
                rows: Vec::new(),
                rows_left_out: 0,
                branches_left_out: 0,
            };
        }
        let followers = self.followers();
        let tips = followers.keys().map(|tip| chain.block(*tip).height);
        let name = |place: usize| chain.blocks()[place].id;
        let layout = Layout::of_tree((&*chain.tree(self.seen), name), tips, view);
        let row = |row: crate::layout::Row| {
            let number = match &row.content {
                Content::Block { block, .. } => chain.number(block),
                Content::Fork | Content::Fold { .. } => None,
            };
            let nodes = number
                .and_then(|number| followers.get(&number))
                .map_or(&[][..], Vec::as_slice);
            let miner = number.and_then(|number| chain.block(number).miner);
            TreeRow {
                cells: row.cells,
                content: row.content,
                miner: miner.map(|miner| self.model.cast.name(miner).to_owned()),
                nodes: self.model.cast.ranges(nodes.iter().copied()),
                node_count: nodes.len(),
            }
        };
        TreePicture {
            rows: layout.rows.into_iter().map(row).collect(),
            rows_left_out: layout.rows_left_out,
            branches_left_out: layout.branches_left_out,
        }
    }
}
