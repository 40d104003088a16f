//! The tree of blocks, the same layout as everywhere: the oldest on top, the chain with the most work on the left.

use observe::layout::{Cell, Content};
use observe::model::TreeRow;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{COLOURS, Scene, framed, window};
use crate::app::{App, Panel, block_of};

pub(super) fn tree(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let picture = App::tree(scene.moment);
    let title = format!("Blocks: {}", scene.moment.blocks_seen().saturating_sub(1));
    let block = framed(&title, Panel::Tree, scene);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let lanes = picture.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let chosen = scene.app.block;
    let seen = picture
        .rows
        .iter()
        .position(|row| block_of(&row.content).is_some() && block_of(&row.content) == chosen);
    // Two rows below the chosen one are seen as well.
    let seen = seen
        .map_or(picture.rows.len(), |seen| seen + 2)
        .min(picture.rows.len().saturating_sub(1));
    let rows = window(&picture.rows, inner.height, seen);
    let lines: Vec<Line<'_>> = rows.iter().map(|row| line(row, lanes, scene)).collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

fn line(row: &TreeRow, lanes: usize, scene: &Scene<'_>) -> Line<'static> {
    let height = match row.content {
        Content::Block { height, .. } => height.to_string(),
        Content::Fork | Content::Fold { .. } => String::new(),
    };
    let mut spans = vec![Span::from(format!("{height:>6} ")).dark_gray()];
    spans.extend(graph(row, lanes));
    spans.extend(words(row, scene));
    let line = Line::from(spans);
    if block_of(&row.content).is_some() && block_of(&row.content) == scene.app.block {
        return line.style(Style::new().add_modifier(Modifier::REVERSED));
    }
    line
}

/// The lanes of a row, two columns each.
fn graph(row: &TreeRow, lanes: usize) -> Vec<Span<'static>> {
    let stale = matches!(row.content, Content::Block { stale: true, .. });
    let last = row
        .cells
        .iter()
        .rposition(|cell| matches!(cell, Cell::Begin | Cell::BeginLast));
    let cells = row.cells.iter().copied().chain(std::iter::repeat(Cell::Empty));
    let drawn = cells.take(lanes).enumerate().map(|(lane, cell)| {
        let text = match cell {
            Cell::Empty => "  ",
            Cell::Block if stale => "○ ",
            Cell::Block => "● ",
            Cell::Through => "│ ",
            Cell::Folded => "┆ ",
            Cell::Leave => "├─",
            Cell::Across => "──",
            Cell::Cross => "┼─",
            Cell::Begin => "┬─",
            Cell::BeginLast => "╮ ",
        };
        let lane = if cell == Cell::Across {
            last.unwrap_or(lane)
        } else {
            lane
        };
        Span::styled(text, Style::new().fg(COLOURS[lane.min(COLOURS.len() - 1)]))
    });
    drawn.collect()
}

fn words(row: &TreeRow, scene: &Scene<'_>) -> Vec<Span<'static>> {
    let (block, height, stale) = match row.content {
        Content::Block { block, height, stale } => (block, height, stale),
        Content::Fold { blocks } => {
            let words = if blocks == 1 {
                "1 block".to_owned()
            } else {
                format!("{blocks} blocks")
            };
            return vec![Span::from(format!("  {words}")).dark_gray()];
        }
        Content::Fork => return Vec::new(),
    };
    let miner = match (&row.miner, height.0) {
        (Some(miner), _) => miner.clone(),
        (None, 0) => "genesis".to_owned(),
        (None, _) => "?".to_owned(),
    };
    let mut spans = vec![
        Span::from(format!(" {} ", block.short())),
        Span::from(miner).dark_gray(),
    ];
    if stale {
        spans.push(Span::from(" stale").dark_gray());
    }
    if row.node_count > 0 {
        let letter = scene
            .model
            .chain()
            .number(&block)
            .and_then(|number| scene.letter(number));
        let (letter, colour) = letter.unwrap_or_else(|| ("*".to_owned(), Color::Reset));
        let style = Style::new().fg(colour).add_modifier(Modifier::BOLD);
        spans.push(Span::styled(format!("  ◀ {letter} {}", row.nodes.join(" ")), style));
        spans.push(Span::from(format!(" ({})", row.node_count)).dark_gray());
    }
    spans
}
