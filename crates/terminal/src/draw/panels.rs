//! Nodes, steps, and what happened.

use base::Time;
use observe::model::{Mark, MarkKind, NodeState, StepFacts};
use observe::told::StepStateTold;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::status::moment;
use super::{Scene, framed, window};
use crate::app::Panel;

pub(super) fn nodes(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let block = framed("Nodes", Panel::Nodes, scene);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let nodes = scene.moment.nodes();
    let name = nodes
        .iter()
        .map(|node| node.name.chars().count())
        .max()
        .unwrap_or(4)
        .max(4);
    let head = format!(
        "  {:<name$}  {:>7}  {:<10} {:>5} {:>5}",
        "node", "height", "tip", "peers", "mined"
    );
    let rows = inner.height.saturating_sub(1);
    let chosen = scene.app.node.min(nodes.len().saturating_sub(1));
    let mut lines = vec![Line::from(head).dark_gray()];
    lines.extend(window(&nodes, rows, chosen).iter().map(|node| {
        let line = Line::from(row(node, name, scene));
        if node.node.index() == chosen && scene.app.focus == Panel::Nodes {
            line.style(Style::new().add_modifier(Modifier::REVERSED))
        } else {
            line
        }
    }));
    frame.render_widget(Paragraph::new(lines), inner);
}

fn row(node: &NodeState, name: usize, scene: &Scene<'_>) -> Vec<Span<'static>> {
    let (mark, colour) = match (node.running, node.paused, node.behind) {
        (true, false, false) => ("●", Color::Green),
        (true, false, true) => ("◐", Color::Yellow),
        (true, true, _) => ("‖", Color::Yellow),
        (false, _, _) => ("✗", Color::Red),
    };
    let tip = scene.model.chain().number(&node.tip).filter(|_| node.running);
    let letter = tip.and_then(|tip| scene.letter(tip));
    let (letter, of_tip) = letter.unwrap_or_else(|| ("-".to_owned(), Color::DarkGray));
    let groups: Vec<String> = node
        .groups
        .iter()
        .map(|(cut, group)| format!("{cut}/{}", group + 1))
        .collect();
    vec![
        Span::styled(format!("{mark} "), Style::new().fg(colour)),
        Span::from(format!("{:<name$}  {:>7}  ", node.name, node.height.to_string())),
        Span::styled(format!("{letter} {:<8}", node.tip.short()), Style::new().fg(of_tip)),
        Span::from(format!(" {:>5} {:>5}", node.peers.len(), node.mined)),
        Span::styled(format!("  {}", groups.join(" ")), Style::new().fg(Color::Magenta)),
    ]
}

pub(super) fn steps(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let block = framed("Steps", Panel::Steps, scene);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let steps = scene.moment.steps();
    let lines: Vec<Line<'_>> = steps.iter().map(|step| Line::from(step_line(step))).collect();
    let lines = window(&lines, inner.height, lines.len().saturating_sub(1)).to_vec();
    frame.render_widget(Paragraph::new(lines), inner);
}

fn step_line(step: &StepFacts) -> Vec<Span<'static>> {
    let (mark, colour) = match &step.state {
        StepStateTold::Started => ("▶", Color::Cyan),
        StepStateTold::Passed { .. } => ("✓", Color::Green),
        StepStateTold::Failed { .. } => ("✗", Color::Red),
    };
    let mut spans = vec![
        Span::from(format!("{:>3} ", step.step + 1)).dark_gray(),
        Span::styled(format!("{mark} "), Style::new().fg(colour).add_modifier(Modifier::BOLD)),
        Span::from(step.text.clone()),
    ];
    match &step.state {
        StepStateTold::Failed { found, .. } => spans.push(Span::from(format!("  {found}")).red()),
        StepStateTold::Passed { found } => spans.push(Span::from(format!("  {found}")).dark_gray()),
        StepStateTold::Started => {}
    }
    spans
}

pub(super) fn events(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let block = framed("What happened", Panel::Events, scene);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let mut entries = entries(scene, usize::from(inner.height));
    entries.reverse();
    frame.render_widget(Paragraph::new(entries), inner);
}

/// The last so many things that happened, the newest first: marks and blocks.
fn entries(scene: &Scene<'_>, most: usize) -> Vec<Line<'static>> {
    let now = scene.moment.time();
    let marks = scene.model.marks();
    let marks = marks[..marks.partition_point(|mark| mark.at <= now)].iter().rev();
    let marks = marks
        .filter(|mark| is_told(mark.kind))
        .take(most)
        .map(|mark| (mark.at, mark_line(mark, scene)));
    let blocks = scene.model.chain().blocks()[..scene.moment.blocks_seen()].iter().rev();
    let mined = blocks.filter_map(|block| Some((block.mined.filter(|mined| *mined <= now)?, block)));
    let blocks = mined.take(most).map(|(at, block)| {
        let miner = block.miner.map_or("?", |miner| scene.model.cast().name(miner));
        let words = format!("{miner} mined {} at height {}", block.id.short(), block.height);
        (at, entry(at, "block", Color::Reset, words))
    });
    let mut all: Vec<(Time, Line<'static>)> = marks.chain(blocks).collect();
    all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    all.into_iter().map(|(_, line)| line).take(most).collect()
}

/// Steps have a panel of their own.
const fn is_told(kind: MarkKind) -> bool {
    !matches!(kind, MarkKind::StepStarted | MarkKind::StepPassed | MarkKind::Ended)
}

fn mark_line(mark: &Mark, scene: &Scene<'_>) -> Line<'static> {
    let what = mark.what.clone();
    let fork = |what: &str| {
        let fork = what.parse().ok().and_then(|id| scene.model.fork(id));
        let height = fork.map(|fork| scene.model.chain().block(fork.point).height);
        height.map_or_else(String::new, |height| format!(" above height {height}"))
    };
    let (word, colour, words) = match mark.kind {
        MarkKind::ForkOpened => ("fork", Color::Yellow, format!("fork {what} opens{}", fork(&what))),
        MarkKind::ForkResolved => (
            "fork",
            Color::Green,
            format!("fork {what} is over{}", because(&what, scene)),
        ),
        MarkKind::Reorg => ("reorg", Color::Blue, what),
        MarkKind::Partition => ("cut", Color::Magenta, format!("{what} lies across the network")),
        MarkKind::Heal if what == "all" => ("heal", Color::Magenta, "every cut is over".to_owned()),
        MarkKind::Heal => ("heal", Color::Magenta, format!("{what} is over")),
        MarkKind::Link => ("link", Color::Magenta, what),
        MarkKind::Control => ("step", Color::Cyan, what),
        MarkKind::NodeUp => ("up", Color::Green, what),
        MarkKind::NodeDown => ("down", Color::Red, what),
        MarkKind::NodePaused => ("pause", Color::Yellow, what),
        MarkKind::NodeResumed => ("go on", Color::Green, what),
        MarkKind::StepFailed => ("FAIL", Color::Red, what),
        MarkKind::StepStarted | MarkKind::StepPassed | MarkKind::Ended => ("", Color::Reset, what),
    };
    entry(mark.at, word, colour, words)
}

fn because(what: &str, scene: &Scene<'_>) -> String {
    let fork = what.parse().ok().and_then(|id| scene.model.fork(id));
    let end = fork.and_then(|fork| fork.end.as_ref());
    end.map_or_else(String::new, |(_, end)| format!(", because {}", end.end.cause.words()))
}

fn entry(at: Time, word: &'static str, colour: Color, words: String) -> Line<'static> {
    Line::from(vec![
        Span::from(format!("{:>9} ", moment(at).trim_end_matches(" s"))).dark_gray(),
        Span::styled(
            format!("{word:<6}"),
            Style::new().fg(colour).add_modifier(Modifier::BOLD),
        ),
        Span::from(words),
    ])
}
