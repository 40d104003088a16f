//! The tree of blocks: the layout that text and page have too, the oldest on top.

use chain::BlockId;
use maud::{Markup, html};
use observe::layout::{Cell, Content};
use observe::model::{TreePicture, TreeRow};

use super::Picture;
use crate::words::listed;

const ROW: u32 = 24;
const LANE: u32 = 22;
const LEFT: u32 = 62;
const WIDTH: u32 = 860;
/// How many colours there are; further lanes share the last.
const COLOURS: usize = 6;

/// Draws the tree: heights on the left, then lanes, then each block's last digits, its miner, and who follows it. Blocks off the chain with
/// the most work are hollow. That chain is grey, and the first colours, which are those of a fork's first branches, are no lane's.
#[must_use]
pub fn tree(picture: &TreePicture) -> Picture {
    let colour = |lane: usize| lane.checked_sub(1).map_or(COLOURS - 1, |lane| 2 + lane % (COLOURS - 3));
    let lanes = |row: &TreeRow| (0..row.cells.len()).map(colour).collect();
    drawn(picture, &picture.rows.iter().map(lanes).collect::<Vec<_>>())
}

/// The same, in the colours of a fork's branches; what is on none of them is grey.
#[must_use]
pub fn tree_of_fork(picture: &TreePicture, branch_of: &dyn Fn(&BlockId) -> Option<usize>) -> Picture {
    let mut below: Vec<usize> = Vec::new();
    let mut colours = Vec::new();
    // A line has the colour of the block that it leads to.
    for row in picture.rows.iter().rev() {
        below.resize(below.len().max(row.cells.len()), COLOURS - 1);
        if let Content::Block { block, .. } = &row.content
            && let Some(lane) = row.cells.iter().position(|cell| *cell == Cell::Block)
        {
            below[lane] = branch_of(block).map_or(COLOURS - 1, |branch| branch.min(COLOURS - 2));
        }
        colours.push(below.clone());
    }
    colours.reverse();
    drawn(picture, &colours)
}

/// Draws the tree, each lane of each row in its colour.
fn drawn(picture: &TreePicture, colours: &[Vec<usize>]) -> Picture {
    let lanes = picture.rows.iter().map(|row| row.cells.len()).max().unwrap_or(1);
    let text = LEFT + LANE * as_u32(lanes) + 6;
    let above = u32::from(picture.rows_left_out > 0) * ROW;
    let below = u32::from(picture.branches_left_out > 0) * ROW;
    let rows = as_u32(picture.rows.len());
    let body = html! {
        @if above > 0 {
            text class="faint small" x=(text) y="16" { "… " (picture.rows_left_out) " rows above" }
        }
        g transform=(format!("translate(0 {above})")) {
            @for (place, row) in picture.rows.iter().enumerate() {
                (lines(place, row, picture.rows.get(place + 1), colours))
            }
            @for (place, row) in picture.rows.iter().enumerate() {
                (content(place, row, text, &colours[place]))
            }
        }
        @if below > 0 {
            text class="faint small" x=(text) y=(above + rows * ROW + 16) {
                "… " (picture.branches_left_out) " more branches beside"
            }
        }
    };
    Picture {
        width: WIDTH.max(text + 420),
        height: above + rows * ROW + below + 4,
        title: "The tree of blocks, the oldest on top".to_owned(),
        body,
    }
}

fn as_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn x(lane: usize) -> u32 {
    LEFT + LANE * as_u32(lane) + LANE / 2
}

fn y(row: usize) -> u32 {
    ROW * as_u32(row) + ROW / 2
}

fn class(colours: &[usize], lane: usize) -> String {
    format!("c{}", colours.get(lane).copied().unwrap_or(COLOURS - 1))
}

/// Whether a line comes to a cell from above, and whether one can go on below.
const fn ends(cell: Cell) -> (bool, bool) {
    match cell {
        Cell::Empty | Cell::Across => (false, false),
        Cell::Block | Cell::Through | Cell::Folded | Cell::Leave | Cell::Cross => (true, true),
        Cell::Begin | Cell::BeginLast => (false, true),
    }
}

/// The lines from a row to the next, and those across it.
fn lines(place: usize, row: &TreeRow, next: Option<&TreeRow>, colours: &[Vec<usize>]) -> Markup {
    let here = &colours[place];
    let under = colours.get(place + 1).unwrap_or(here);
    let last = row
        .cells
        .iter()
        .rposition(|cell| matches!(cell, Cell::Begin | Cell::BeginLast));
    let (top, middle) = (y(place), y(place));
    html! {
        @for (lane, &cell) in row.cells.iter().enumerate() {
            @let below = next.and_then(|next| next.cells.get(lane)).copied().unwrap_or(Cell::Empty);
            @let folded = if cell == Cell::Folded || below == Cell::Folded { " folded" } else { "" };
            @if ends(cell).1 && ends(below).0 {
                path class=(format!("line {}{folded}", class(under, lane))) d=(format!("M{} {top}V{}", x(lane), y(place + 1))) {}
            }
            @if matches!(cell, Cell::Begin | Cell::BeginLast) {
                @let from = row.cells.iter().position(|cell| *cell == Cell::Leave).unwrap_or(0);
                @let bend = LANE / 2;
                path class=(format!("line {}", class(here, lane)))
                    d=(format!("M{} {}H{}Q{} {} {} {}", x(from), middle - ROW / 2, x(lane) - bend, x(lane), middle - ROW / 2, x(lane), middle)) {}
            }
            @if cell == Cell::Leave && last.is_some() {
                path class=(format!("line {}", class(here, lane))) d=(format!("M{} {}V{middle}", x(lane), middle - ROW / 2)) {}
            }
        }
    }
}

fn content(place: usize, row: &TreeRow, text: u32, colours: &[usize]) -> Markup {
    let (middle, base) = (y(place), y(place) + 4);
    match row.content {
        Content::Fork => html! {},
        Content::Fold { blocks } => html! {
            text class="faint small" x=(text) y=(base) { "⋮ " (blocks) @if blocks == 1 { " block" } @else { " blocks" } }
        },
        Content::Block { block, height, stale } => {
            let lane = row.cells.iter().position(|cell| *cell == Cell::Block).unwrap_or(0);
            let miner = match (&row.miner, height.0) {
                (Some(miner), _) => miner.clone(),
                (None, 0) => "genesis".to_owned(),
                (None, _) => "?".to_owned(),
            };
            let shape = if stale { "hollow" } else { "dot" };
            html! {
                text class="faint small end" x=(LEFT - 8) y=(base) { (height) }
                circle class=(format!("{shape} {}", class(colours, lane))) cx=(x(lane)) cy=(middle) r=(if stale { 5 } else { 6 }) {
                    title { (block) }
                }
                text class="mono" x=(text) y=(base) { (block.short()) }
                text class="faint" x=(text + 76) y=(base) { (miner) @if stale { " · stale" } }
                @if row.node_count > 0 {
                    @let who = listed(&row.nodes);
                    @let shown: String = who.chars().take(34).collect();
                    @let label = format!("{shown}{} · {}", if who.chars().count() > 34 { "…" } else { "" }, row.node_count);
                    @let wide = as_u32(label.chars().count()) * 7 + 16;
                    rect class=(format!("pill {}", class(colours, lane))) x=(text + 190) y=(middle - 9) width=(wide) height="18" rx="9" {}
                    text class="bold small" x=(text + 198) y=(base) { (label) }
                }
            }
        }
    }
}
