//! The tree of blocks.

use std::collections::BTreeMap;

use base::NodeId;
use chain::BlockId;
use scenario::{Plan, World};

use super::{clip, counted};
use crate::layout::{Cell, Content, Layout, Row, View};
use crate::limits::MAX_LANES;
use crate::model::TreePicture;
use crate::names;

/// The tree of all blocks seen, the oldest on top: height, lanes, the block's last eight digits, its miner, and who follows it.
#[must_use]
pub fn tree(world: &World, plan: &Plan, view: View) -> String {
    let layout = Layout::of(world, view);
    let lanes = layout.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let mut text = String::new();
    if layout.rows_left_out > 0 {
        text.push_str(&format!("... {} above ...\n", counted(layout.rows_left_out, "row")));
    }
    let followers = followers(world);
    for row in &layout.rows {
        let height = match row.content {
            Content::Block { height, .. } => height.to_string(),
            Content::Fork | Content::Fold { .. } => String::new(),
        };
        let graph = graph(&row.cells, lanes);
        let words = words(row, world, plan, &followers);
        text.push_str(&clip(&format!("{height:>7} {graph} {words}")));
        text.push('\n');
    }
    if layout.branches_left_out > 0 {
        text.push_str(&left_out(layout.branches_left_out));
    }
    text
}

/// A drawing of the tree as it stood at some time: the same as [`tree`].
#[must_use]
pub fn picture(picture: &TreePicture) -> String {
    let lanes = picture.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let mut text = String::new();
    if picture.rows_left_out > 0 {
        text.push_str(&format!("... {} above ...\n", counted(picture.rows_left_out, "row")));
    }
    for row in &picture.rows {
        let (height, words) = match &row.content {
            Content::Block { block, height, stale } => {
                let miner = if height.0 == 0 {
                    "genesis"
                } else {
                    row.miner.as_deref().unwrap_or("?")
                };
                let stale = if *stale { " stale" } else { "" };
                let follow = if row.nodes.is_empty() {
                    String::new()
                } else {
                    format!(" <- {}", row.nodes.join(" "))
                };
                (height.to_string(), format!("{} {miner}{stale}{follow}", block.short()))
            }
            Content::Fork => (String::new(), String::new()),
            Content::Fold { blocks } => (String::new(), format!("... {} ...", counted(*blocks, "block"))),
        };
        let graph = graph(&row.cells, lanes);
        text.push_str(&clip(&format!("{height:>7} {graph} {words}")));
        text.push('\n');
    }
    if picture.branches_left_out > 0 {
        text.push_str(&left_out(picture.branches_left_out));
    }
    text
}

fn left_out(branches: usize) -> String {
    format!("... {branches} more beside: only {MAX_LANES} branches at a height are drawn ...\n")
}

/// Who follows which block.
fn followers(world: &World) -> BTreeMap<BlockId, Vec<NodeId>> {
    let mut followers: BTreeMap<BlockId, Vec<NodeId>> = BTreeMap::new();
    for (index, node) in world.nodes().iter().enumerate().filter(|(_, node)| node.running) {
        followers.entry(node.tip.block).or_default().push(NodeId::at(index));
    }
    followers
}

fn words(row: &Row, world: &World, plan: &Plan, followers: &BTreeMap<BlockId, Vec<NodeId>>) -> String {
    match row.content {
        Content::Block { block, stale, .. } => {
            let miner = world.block(&block).and_then(|facts| facts.miner);
            let miner = if block == world.genesis() {
                "genesis"
            } else {
                miner.map_or("?", |miner| plan.name_of(miner))
            };
            let stale = if stale { " stale" } else { "" };
            let follow = followers
                .get(&block)
                .map(|nodes| names::listed(plan, nodes.iter().copied()));
            let follow = follow.map(|nodes| format!(" <- {nodes}")).unwrap_or_default();
            format!("{} {miner}{stale}{follow}", block.short())
        }
        Content::Fork => String::new(),
        Content::Fold { blocks } => format!("... {} ...", counted(blocks, "block")),
    }
}

/// The lanes of a row, two columns each.
fn graph(cells: &[Cell], lanes: usize) -> String {
    let cells = cells.iter().copied().chain(std::iter::repeat(Cell::Empty));
    let drawn = cells.take(lanes).map(|cell| match cell {
        Cell::Empty => "  ",
        Cell::Block => "o ",
        Cell::Through => "│ ",
        Cell::Folded => "┆ ",
        Cell::Leave => "├─",
        Cell::Across => "──",
        Cell::Cross => "┼─",
        Cell::Begin => "┬─",
        Cell::BeginLast => "╮ ",
    });
    drawn.collect()
}
