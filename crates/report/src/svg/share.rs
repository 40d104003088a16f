//! How nodes divided between the branches of a fork, from its opening to its end.

use maud::html;
use observe::model::ForkSeries;
use observe::text::letter;

use super::{Picture, seconds, ticks};
use crate::limits::{MAX_BRANCHES, MAX_POINTS};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 28.0;

/// Where things stood from a time on: shares of running nodes, one for each branch drawn, and the rest.
struct Step {
    at: f64,
    shares: Vec<f64>,
}

/// Draws, over time, what share of the running nodes was on each branch; `ended_us` is when the fork was over, or the last that is known of it.
#[must_use]
pub fn share(series: &ForkSeries, (opened_us, ended_us): (u64, u64)) -> Picture {
    let steps = steps(series, opened_us);
    let branches = steps.first().map_or(0, |step| step.shares.len());
    let end = micros(ended_us.saturating_sub(opened_us)).max(1e-6);
    let x = |at: f64| LEFT + (at / end).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT);
    let y = |share: f64| TOP + (1.0 - share.clamp(0.0, 1.0)) * (HEIGHT - TOP - BOTTOM);
    let area = |branch: usize| {
        let below = |step: &Step| step.shares[..branch].iter().sum::<f64>();
        let (mut over, mut under) = (String::new(), String::new());
        for (place, step) in steps.iter().enumerate() {
            let until = steps.get(place + 1).map_or(end, |next| next.at);
            let (low, high) = (below(step), below(step) + step.shares[branch]);
            over += &format!(
                "{}{:.1} {:.1}H{:.1}",
                if place == 0 { "M" } else { "L" },
                x(step.at),
                y(high),
                x(until)
            );
            under = format!("L{:.1} {:.1}H{:.1}", x(until), y(low), x(step.at)) + &under;
        }
        format!("{over}{under}Z")
    };
    let body = html! {
        rect class="elsewhere" x=(LEFT) y=(TOP) width=(WIDTH - LEFT - RIGHT) height=(HEIGHT - TOP - BOTTOM) {}
        @for branch in 0..branches {
            path class=(format!("area c{}", branch.min(5))) d=(area(branch)) {
                title { "branch " (letter(branch)) }
            }
        }
        @for branch in 0..branches {
            @if let Some((at, share)) = place_for_letter(&steps, branch, end) {
                text class="on bold middle" x=(format!("{:.1}", x(at))) y=(format!("{:.1}", y(share) + 5.0)) { (letter(branch)) }
            }
        }
        @for (label, share) in [("100 %", 1.0), ("50 %", 0.5), ("0 %", 0.0)] {
            text class="faint small end" x=(LEFT - 6.0) y=(y(share) + 4.0) { (label) }
        }
        @for tick in ticks(end) {
            path class="rule" d=(format!("M{:.1} {:.1}v4", x(tick), y(0.0))) {}
            text class="faint small middle" x=(format!("{:.1}", x(tick))) y=(HEIGHT - 8.0) { (seconds(tick, end)) }
        }
    };
    Picture {
        width: 640,
        height: 170,
        title: "The share of running nodes on each branch, over the time since the fork opened".to_owned(),
        body,
    }
}

/// The middle of a branch's largest part, where there is room for its letter.
fn place_for_letter(steps: &[Step], branch: usize, end: f64) -> Option<(f64, f64)> {
    const ROOM: f64 = 0.14;
    let mut best: Option<(f64, f64, f64)> = None;
    for (place, step) in steps.iter().enumerate() {
        let until = steps.get(place + 1).map_or(end, |next| next.at);
        let (width, share) = ((until - step.at) / end, step.shares[branch]);
        let area = width * share;
        if share >= ROOM && width >= 0.04 && best.is_none_or(|(most, ..)| area > most) {
            let below: f64 = step.shares[..branch].iter().sum();
            best = Some((area, f64::midpoint(step.at, until), below + share / 2.0));
        }
    }
    best.map(|(_, at, share)| (at, share))
}

#[expect(clippy::cast_precision_loss, reason = "drawn to a tenth of a pixel")]
fn micros(span: u64) -> f64 {
    span as f64 / 1e6
}

fn steps(series: &ForkSeries, opened_us: u64) -> Vec<Step> {
    let points = &series.points;
    // The last are the end of the story: of many, those between are passed over.
    let every = points.len().div_ceil(MAX_POINTS).max(1);
    let kept = points
        .iter()
        .enumerate()
        .filter(|(place, _)| place % every == 0 || *place + 1 == points.len());
    let step = |(_, point): (usize, &observe::model::SeriesPoint)| {
        let running = point.nodes.iter().sum::<u32>() + point.elsewhere;
        let share = |nodes: &u32| f64::from(*nodes) / f64::from(running.max(1));
        Step {
            at: micros(point.at.as_micros().saturating_sub(opened_us)),
            shares: point.nodes.iter().take(MAX_BRANCHES).map(share).collect(),
        }
    };
    kept.map(step).collect()
}
