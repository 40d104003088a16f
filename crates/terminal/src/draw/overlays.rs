//! What lies over the panels: keys, why a block is where it is, a step that is typed.

use observe::model::WhyBlock;
use observe::text;
use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::style::{Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Wrap};

use super::Scene;
use crate::app::Overlay;

/// The keys and what they do.
const KEYS: [(&str, &str); 18] = [
    ("space", "stop, or go on; from the beginning when the run is over"),
    ("[ ]  - +", "slower, faster"),
    ("← →", "the mark before, the mark after"),
    ("f  F", "the next fork, the fork before"),
    ("Home End", "the beginning, the newest"),
    ("Tab", "the next panel"),
    ("↑ ↓  k j", "choose a block, or a node"),
    ("w Enter", "how the chosen block came to everyone"),
    ("q Esc", "leave; a run that goes on goes on"),
    ("Ctrl-C", "end the run in good order, and leave"),
    ("", ""),
    ("", "While a run takes steps:"),
    ("p", "cut the network in two halves (shown first)"),
    ("h", "heal every cut"),
    ("m", "the chosen node mines a block"),
    ("x", "kill the chosen node, or start it (shown first)"),
    (":", "type any step, as hashrate = 0, on = \"n0\""),
    ("", "Each is recorded: `nakanet export -f scenario` replays it."),
];

pub(super) fn overlay(frame: &mut Frame<'_>, body: Rect, scene: &Scene<'_>) {
    match &scene.app.overlay {
        None => {}
        Some(Overlay::Help) => {
            let lines: Vec<Line<'_>> = KEYS
                .iter()
                .map(|(key, what)| Line::from(vec![Span::from(format!("{key:>9}  ")).bold(), Span::from(*what)]))
                .collect();
            popup(frame, body, "Keys", &lines);
        }
        Some(Overlay::Why(block)) => popup(
            frame,
            body,
            &format!("Block {}", block.block.short()),
            &why(block, scene),
        ),
        Some(Overlay::Prompt(text)) => {
            let lines = [
                Line::from(vec![Span::from("> ").bold(), Span::from(text.clone()), Span::from("█")]),
                Line::from("Enter hands it in, Esc does not").dark_gray(),
            ];
            popup(frame, body, "Step", &lines);
        }
    }
}

fn popup(frame: &mut Frame<'_>, body: Rect, title: &str, lines: &[Line<'_>]) {
    let longest = lines.iter().map(Line::width).max().unwrap_or(0);
    let width = u16::try_from(longest + 4)
        .unwrap_or(u16::MAX)
        .clamp(30, body.width.max(30))
        .min(body.width);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(body.height);
    let [area] = Layout::horizontal([Constraint::Length(width)])
        .flex(Flex::Center)
        .areas(body);
    let [area] = Layout::vertical([Constraint::Length(height)])
        .flex(Flex::Center)
        .areas(area);
    frame.render_widget(Clear, area);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .title(format!(" {title} "))
        .style(Style::reset());
    let text = Paragraph::new(lines.to_vec()).wrap(Wrap { trim: false }).block(block);
    frame.render_widget(text, area);
}

/// What every node had made of a block by the time that is shown.
fn why(why: &WhyBlock, scene: &Scene<'_>) -> Vec<Line<'static>> {
    let told = text::why_block(&why.clone().until(scene.moment.time()), scene.model);
    told.lines().map(|line| Line::from(line.to_owned())).collect()
}
