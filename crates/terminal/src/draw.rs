//! From the run and the view's state to cells of the terminal.

mod overlays;
mod panels;
mod status;
mod tree;

use std::collections::BTreeMap;

use observe::model::{BlockNumber, Model, Moment};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Paragraph};

use crate::app::{App, Panel};

/// Colours of lanes and of groups of nodes; the letters beside them say the same.
pub(crate) const COLOURS: [Color; 5] = [Color::Blue, Color::Yellow, Color::Green, Color::Magenta, Color::Cyan];
/// The narrowest screen that has panels side by side.
const WIDE: u16 = 96;
/// The smallest screen that anything fits on.
const SMALLEST: (u16, u16) = (40, 10);

/// What all panels draw from.
pub(crate) struct Scene<'a> {
    pub(crate) app: &'a App,
    pub(crate) model: &'a Model,
    pub(crate) moment: &'a Moment<'a>,
    /// Each block that running nodes follow, by its letter: A is followed by the most.
    pub(crate) letters: BTreeMap<BlockNumber, usize>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(app: &'a App, model: &'a Model, moment: &'a Moment<'a>) -> Self {
        let followers = moment.followers();
        let mut tips: Vec<_> = followers
            .iter()
            .map(|(tip, nodes)| (std::cmp::Reverse(nodes.len()), *tip))
            .collect();
        tips.sort_unstable();
        let letters = tips
            .into_iter()
            .enumerate()
            .map(|(place, (_, tip))| (tip, place))
            .collect();
        Self {
            app,
            model,
            moment,
            letters,
        }
    }

    /// How a followed block is called: `A`.
    pub(crate) fn letter(&self, tip: BlockNumber) -> Option<(String, Color)> {
        let place = *self.letters.get(&tip)?;
        let letter = u8::try_from(place).ok().filter(|place| *place < 26);
        let letter = letter.map_or("*".to_owned(), |place| char::from(b'A' + place).to_string());
        Some((letter, COLOURS[place.min(COLOURS.len() - 1)]))
    }
}

/// Draws a frame of a run.
pub(crate) fn draw(frame: &mut Frame<'_>, scene: &Scene<'_>) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let (width, height) = SMALLEST;
        frame.render_widget(Paragraph::new(format!("at least {width} x {height}, please")), area);
        return;
    }
    let rows = [
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(4),
        Constraint::Length(1),
    ];
    let [top, scrubber, body, bottom] = Layout::vertical(rows).areas(area);
    status::top(frame, top, scene);
    status::scrubber(frame, scrubber, scene);
    if area.width >= WIDE {
        let [left, right] = Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)]).areas(body);
        tree::tree(frame, left, scene);
        let nodes = u16::try_from(scene.model.cast().len() + 3).unwrap_or(u16::MAX);
        let nodes = nodes.min(body.height * 2 / 5).max(4);
        let parts = [Constraint::Length(nodes), Constraint::Fill(2), Constraint::Fill(3)];
        let [nodes, steps, events] = Layout::vertical(parts).areas(right);
        panels::nodes(frame, nodes, scene);
        panels::steps(frame, steps, scene);
        panels::events(frame, events, scene);
    } else {
        let [upper, lower] = Layout::vertical([Constraint::Fill(3), Constraint::Fill(2)]).areas(body);
        tree::tree(frame, upper, scene);
        match scene.app.focus {
            Panel::Nodes => panels::nodes(frame, lower, scene),
            Panel::Steps => panels::steps(frame, lower, scene),
            Panel::Tree | Panel::Events => panels::events(frame, lower, scene),
        }
    }
    status::bottom(frame, bottom, scene);
    overlays::overlay(frame, body, scene);
}

/// Draws that there is nothing to see yet.
pub(crate) fn waiting(frame: &mut Frame<'_>, what: &str) {
    let area = frame.area();
    let middle = Rect {
        y: area.height / 2,
        height: 1.min(area.height),
        ..area
    };
    frame.render_widget(Paragraph::new(Line::from(what.to_owned()).centered()), middle);
}

/// A panel's frame; the one that keys are for stands out.
pub(crate) fn framed<'b>(title: &str, panel: Panel, scene: &Scene<'_>) -> Block<'b> {
    let style = if scene.app.focus == panel {
        Style::new().add_modifier(Modifier::BOLD)
    } else {
        Style::new().fg(Color::DarkGray)
    };
    Block::new()
        .borders(Borders::TOP)
        .border_style(style)
        .title_style(style)
        .title(format!(" {title} "))
}

/// The lines of a list that fit, around the one that must be seen.
pub(crate) fn window<T>(lines: &[T], height: u16, seen: usize) -> &[T] {
    let height = usize::from(height);
    let end = (seen + 1).max(height).min(lines.len());
    &lines[end.saturating_sub(height)..end]
}

#[cfg(test)]
pub(crate) mod tests;
