//! The lines above and below the panels: what run, what time, what keys.

use base::Time;
use observe::model::MarkKind;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Scene;

/// A moment of a run, to the millisecond; long runs to the second.
pub(crate) fn moment(at: Time) -> String {
    let (seconds, millis) = (at.as_micros() / 1_000_000, at.as_micros() / 1_000 % 1_000);
    match seconds {
        0..600 => format!("{seconds}.{millis:03} s"),
        _ => format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60),
    }
}

/// A speed in thousandths.
fn speed(thousandths: u64) -> String {
    match thousandths {
        0..10_000 => {
            let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
            format!("{}x", text.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => format!("{}x", thousandths / 1_000),
    }
}

/// What run, how it stands, and what time is shown.
pub(super) fn top(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let (model, moment) = (scene.model, scene.moment);
    let name = model.run().map_or("", |run| run.scenario.as_str());
    let mut spans = vec![Span::from(name.to_owned()).bold(), Span::from("  ")];
    spans.extend(clock(scene));
    let up = moment.running().count();
    let all = model.cast().len();
    let down = if up < all {
        Style::new().fg(Color::Red)
    } else {
        Style::new()
    };
    spans.push(Span::styled(format!("  {up}/{all} up"), down));
    if let Some(best) = moment.best() {
        spans.push(Span::from(format!("  height {}", model.chain().block(best).height)));
    }
    let open = moment.open_forks().len();
    if open > 0 {
        let words = if open == 1 {
            "1 open fork".to_owned()
        } else {
            format!("{open} open forks")
        };
        spans.push(Span::styled(
            format!("  {words}"),
            Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD),
        ));
    }
    let cuts: Vec<&str> = model
        .cuts()
        .iter()
        .filter(|cut| cut.holds_at(moment.time()))
        .map(|cut| cut.id.as_str())
        .collect();
    if !cuts.is_empty() {
        spans.push(Span::styled(
            format!("  cut: {}", cuts.join(" ")),
            Style::new().fg(Color::Magenta),
        ));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// The time, whether it moves, and how fast.
fn clock(scene: &Scene<'_>) -> Vec<Span<'static>> {
    let (app, model) = (scene.app, scene.model);
    let time = moment(scene.moment.time());
    let newest = app.head.is_newest();
    match (model.ended(), newest) {
        (Some((_, ended)), true) => {
            let (word, colour) = if ended.ok {
                ("passed", Color::Green)
            } else {
                (ended.reason.as_str(), Color::Red)
            };
            let verdict = Style::new().fg(colour).add_modifier(Modifier::BOLD);
            vec![
                Span::styled(word.to_owned(), verdict),
                Span::from(format!(" after {time}")),
            ]
        }
        (None, true) => match &app.tempo {
            Some(tempo) if tempo.rests() => {
                vec![Span::from("PAUSED").yellow().bold(), Span::from(format!(" at {time}"))]
            }
            Some(tempo) => vec![
                Span::from("LIVE").red().bold(),
                Span::from(format!(" {time}, {}", speed(tempo.speed()))),
            ],
            None => vec![Span::from("LIVE").red().bold(), Span::from(format!(" {time}"))],
        },
        (_, false) => {
            let of = moment(model.now());
            if app.head.plays() {
                let speed = speed(app.head.speed(model.now()));
                vec![
                    Span::from("REPLAY").cyan().bold(),
                    Span::from(format!(" {time} of {of}, {speed}")),
                ]
            } else {
                vec![
                    Span::from("STOPPED").yellow().bold(),
                    Span::from(format!(" at {time} of {of}")),
                ]
            }
        }
    }
}

/// The whole run on one line: forks, reorgs, cuts and failures at their times, and where the view is.
pub(super) fn scrubber(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let width = u64::from(area.width).max(1);
    let end = scene.model.now().as_micros().max(1);
    let column = |at: Time| usize::try_from((at.as_micros().min(end) * (width - 1)) / end).unwrap_or(0);
    let here = column(scene.moment.time());
    let mut cells: Vec<(char, Style)> = (0..usize::from(area.width))
        .map(|place| {
            if place <= here {
                ('━', Style::new())
            } else {
                ('─', Style::new().fg(Color::DarkGray))
            }
        })
        .collect();
    // What matters more comes later and stays.
    let mut marks: Vec<(u8, usize, char, Color)> = scene
        .model
        .marks()
        .iter()
        .filter_map(|mark| mark_of(mark.kind).map(|(rank, letter, colour)| (rank, column(mark.at), letter, colour)))
        .collect();
    marks.sort_by_key(|(rank, ..)| *rank);
    for (_, place, letter, colour) in marks {
        cells[place] = (letter, Style::new().fg(colour).add_modifier(Modifier::BOLD));
    }
    cells[here] = ('█', Style::new().add_modifier(Modifier::BOLD));
    let spans: Vec<Span<'_>> = cells
        .into_iter()
        .map(|(letter, style)| Span::styled(letter.to_string(), style))
        .collect();
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// What of a run is marked on the scrubber.
const fn mark_of(kind: MarkKind) -> Option<(u8, char, Color)> {
    match kind {
        MarkKind::NodeDown => Some((0, 'x', Color::Red)),
        MarkKind::Reorg => Some((1, 'r', Color::Blue)),
        MarkKind::Heal => Some((2, 'h', Color::Magenta)),
        MarkKind::Partition => Some((3, 'p', Color::Magenta)),
        MarkKind::ForkOpened => Some((4, 'f', Color::Yellow)),
        MarkKind::StepFailed => Some((5, '!', Color::Red)),
        MarkKind::ForkResolved
        | MarkKind::Link
        | MarkKind::Control
        | MarkKind::NodeUp
        | MarkKind::NodePaused
        | MarkKind::NodeResumed
        | MarkKind::StepStarted
        | MarkKind::StepPassed
        | MarkKind::Ended => None,
    }
}

/// What the last step came to, or which keys there are.
pub(super) fn bottom(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let line = match &scene.app.said {
        Some((said, true)) => Line::from(said.clone()).red(),
        Some((said, false)) => Line::from(said.clone()).green(),
        None => {
            let mut keys = vec![
                ("space", "play/stop"),
                ("←→", "marks"),
                ("f", "next fork"),
                ("w", "why"),
                ("?", "keys"),
                ("q", "leave"),
            ];
            if scene.app.takes_steps(scene.model) {
                // As many as 80 columns have room for; the others are among the keys.
                (keys[0].1, keys[2].1) = ("stop", "fork");
                keys.remove(1);
                keys.extend([("p", "cut"), ("h", "heal"), ("m", "mine"), (":", "step")]);
            }
            let spans: Vec<Span<'_>> = keys
                .into_iter()
                .flat_map(|(key, what)| [Span::from(key).bold(), Span::from(format!(" {what}  ")).dark_gray()])
                .collect();
            Line::from(spans)
        }
    };
    frame.render_widget(Paragraph::new(line), area);
}
