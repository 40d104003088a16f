//! How fast blocks spread: what share of the nodes had a block so long after it was mined.

use maud::html;
use observe::model::{BlockNumber, Model};

use super::{Picture, seconds, ticks};
use crate::limits::{MAX_POINTS, MAX_SPREADS};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 30.0;

/// The ways of some blocks through a network.
#[derive(Clone, PartialEq, Debug)]
pub struct Curves {
    /// Of each block, how long after it was mined each further node had it, in seconds; in order.
    blocks: Vec<Vec<f64>>,
    /// How many nodes there are besides the miner.
    others: usize,
}

impl Curves {
    /// Those of blocks that some node had from another, evenly chosen over the run; none when there is no such block.
    #[must_use]
    pub fn of(model: &Model) -> Option<Self> {
        let chain = model.chain();
        let mined: Vec<BlockNumber> = chain
            .blocks()
            .iter()
            .filter(|block| block.mined.is_some())
            .filter_map(|block| chain.number(&block.id))
            .collect();
        let every = mined.len().div_ceil(MAX_SPREADS).max(1);
        let mut blocks = Vec::new();
        for &number in mined.iter().step_by(every) {
            // What cannot be read back is not drawn: the report says what the log still has.
            let Ok(spread) = model.spread(number) else { continue };
            let others = spread
                .arrivals
                .iter()
                .filter(|arrival| Some(arrival.node) != spread.miner);
            let delays: Vec<f64> = others.map(|arrival| micros(arrival.delay_us)).collect();
            if !delays.is_empty() {
                blocks.push(delays);
            }
        }
        let others = model.cast().len().saturating_sub(1).max(1);
        (!blocks.is_empty()).then_some(Self { blocks, others })
    }

    /// After how many seconds half of the blocks had reached this share of the nodes; none when fewer than half ever did.
    #[must_use]
    pub fn median(&self, share: f64) -> Option<f64> {
        let needed = self.needed(share);
        let mut delays: Vec<f64> = self
            .blocks
            .iter()
            .filter_map(|delays| delays.get(needed - 1).copied())
            .collect();
        delays.sort_by(f64::total_cmp);
        let middle = self.blocks.len().div_ceil(2) - 1;
        delays.get(middle).copied()
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of at most ten thousand nodes"
    )]
    fn needed(&self, share: f64) -> usize {
        ((share * self.others as f64).ceil() as usize).clamp(1, self.others)
    }
}

#[expect(clippy::cast_precision_loss, reason = "drawn to a tenth of a pixel")]
fn micros(span: u64) -> f64 {
    span as f64 / 1e6
}

/// Draws a thin line for each block, and a thick one for the median block.
#[must_use]
pub fn spread(curves: &Curves) -> Picture {
    let last = curves.blocks.iter().filter_map(|delays| delays.last());
    let end = last.copied().fold(1e-6, f64::max);
    let x = |delay: f64| LEFT + (delay / end).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT);
    let y = |share: f64| TOP + (1.0 - share) * (HEIGHT - TOP - BOTTOM);
    #[expect(clippy::cast_precision_loss, reason = "of at most ten thousand nodes")]
    let share = |reached: usize| reached as f64 / curves.others as f64;
    let line = |points: &[(f64, f64)]| {
        let mut path = format!("M{:.1} {:.1}", x(0.0), y(0.0));
        for (delay, share) in points {
            path += &format!("H{:.1}V{:.1}", x(*delay), y(*share));
        }
        path
    };
    let of_block = |delays: &Vec<f64>| {
        let every = delays.len().div_ceil(MAX_POINTS).max(1);
        let numbered = delays.iter().enumerate();
        let kept = numbered.filter(|(place, _)| (place + 1) % every == 0 || place + 1 == delays.len());
        let points: Vec<(f64, f64)> = kept.map(|(place, delay)| (*delay, share(place + 1))).collect();
        line(&points)
    };
    let median: Vec<(f64, f64)> = (1..=100)
        .map(|percent| f64::from(percent) / 100.0)
        .filter_map(|share| Some((curves.median(share)?, share)))
        .collect();
    let body = html! {
        @for (label, share) in [("100 %", 1.0), ("90 %", 0.9), ("50 %", 0.5), ("0 %", 0.0)] {
            path class="rule" d=(format!("M{LEFT} {:.1}H{}", y(share), WIDTH - RIGHT)) {}
            text class="faint small end" x=(LEFT - 6.0) y=(format!("{:.1}", y(share) + 4.0)) { (label) }
        }
        @for delays in &curves.blocks {
            path class="thin c0" d=(of_block(delays)) {}
        }
        path class="thick c1" d=(line(&median)) {}
        @for tick in ticks(end) {
            path class="rule" d=(format!("M{:.1} {:.1}v4", x(tick), y(0.0))) {}
            text class="faint small middle" x=(format!("{:.1}", x(tick))) y=(HEIGHT - 8.0) { (seconds(tick, end)) }
        }
    };
    Picture {
        width: 640,
        height: 260,
        title: "The share of nodes that had a block, over the time since it was mined; thick: the median block"
            .to_owned(),
        body,
    }
}
