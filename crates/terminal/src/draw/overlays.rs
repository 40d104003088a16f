//! What lies over the panels: keys, why a block is where it is, a step that is typed.

use chain::BlockId;
use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::style::{Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Wrap};

use super::Scene;
use super::status::moment;
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
        Some(Overlay::Why(block)) => popup(frame, body, &format!("Block {}", block.short()), &why(block, scene)),
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

/// Who mined a block, who follows it, and how it came to everyone.
fn why(block: &BlockId, scene: &Scene<'_>) -> Vec<Line<'static>> {
    let (model, chain) = (scene.model, scene.model.chain());
    let Some(number) = chain.number(block) else {
        return vec![Line::from("nobody has seen it")];
    };
    let facts = chain.block(number);
    let mined = match facts.miner {
        Some(miner) => {
            let at = moment(facts.mined.unwrap_or(facts.seen));
            format!(", mined by {} at {at}", model.cast().name(miner))
        }
        None if facts.parent.is_none() => ", where all chains begin".to_owned(),
        None => format!(", first seen at {}", moment(facts.seen)),
    };
    let best = scene.moment.best();
    let on_best = best.is_some_and(|best| best == number || chain.fork_point(best, number) == number);
    let mut lines = vec![
        Line::from(block.to_string()).bold(),
        Line::from(format!(
            "height {}{mined}, {}",
            facts.height,
            scenario::words::count(facts.transactions as u64, "transaction")
        )),
        if on_best {
            Line::from("on the chain with the most work").green()
        } else {
            Line::from("stale: another branch has more work").yellow()
        },
    ];
    let followers = scene.moment.followers();
    if let Some(nodes) = followers.get(&number) {
        lines.push(Line::from(format!(
            "followed by {}",
            model.cast().ranges(nodes.iter().copied()).join(" ")
        )));
    }
    lines.push(Line::default());
    match model.spread(number) {
        Ok(spread) => {
            for arrival in spread
                .arrivals
                .iter()
                .filter(|arrival| arrival.at <= scene.moment.time())
            {
                let from = arrival
                    .from
                    .map_or(String::new(), |from| format!("from {}", model.cast().name(from)));
                let name = model.cast().name(arrival.node);
                lines.push(Line::from(format!("{name:<10} {:>12}  {from}", moment(arrival.at))));
            }
        }
        Err(error) => lines.push(Line::from(error.to_string()).red()),
    }
    lines
}
