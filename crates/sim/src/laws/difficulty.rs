//! When blocks come, at a constant difficulty and with Bitcoin's: B1, B2, D2, D3.

use std::time::Duration;

use base::{Rng, Seed, Time};
use chain::CompactTarget;
use chain::retarget::Window;

use super::{Effort, Finding, SIGMAS, as_f64, forks, options};
use crate::engine::{self, Error};
use crate::miner::expected_hashes;

/// The time between blocks, in seconds.
const INTERVAL: u32 = 600;
/// Blocks of a window.
const WINDOW: u32 = 2_016;

pub(super) fn intervals_are_exponential(effort: Effort) -> Result<Vec<Finding>, Error> {
    let times = mined(effort.of(2_000, 10_000))?;
    let mut gaps: Vec<f64> = times
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs_f64() / f64::from(INTERVAL))
        .collect();
    gaps.sort_by(f64::total_cmp);
    let count = as_f64(gaps.len() as u64);
    let below = |gap: f64| 1.0 - libm::exp(-gap);
    let mut distance = 0.0_f64;
    for (rank, gap) in gaps.iter().enumerate() {
        let (least, most) = (as_f64(rank as u64) / count, as_f64(rank as u64 + 1) / count);
        distance = distance.max(below(*gap) - least).max(most - below(*gap));
    }
    Ok(vec![Finding {
        statistic: "greatest distance from the exponential",
        expected: 0.0,
        found: distance,
        tolerance: 1.628 / count.sqrt(),
        samples: (gaps.len() as u64, "intervals"),
        reason: None,
    }])
}

pub(super) fn counts_are_poisson(effort: Effort) -> Result<Vec<Finding>, Error> {
    let times = mined(effort.of(6_000, 60_000))?;
    let hours = times.last().map_or(0, |last| last.as_secs() / 3_600);
    let mut counts = vec![0_u64; usize::try_from(hours).expect("as many hours as blocks")];
    for time in &times {
        let hour = usize::try_from(time.as_secs() / 3_600).expect("as many hours as blocks");
        // The last hour is not whole.
        if let Some(count) = counts.get_mut(hour) {
            *count += 1;
        }
    }
    let n = as_f64(hours);
    let mean = as_f64(counts.iter().sum()) / n;
    let variance = counts
        .iter()
        .map(|count| (as_f64(*count) - mean) * (as_f64(*count) - mean))
        .sum::<f64>()
        / (n - 1.0);
    Ok(vec![Finding {
        statistic: "variance / mean of blocks per hour",
        expected: 1.0,
        found: variance / mean,
        tolerance: SIGMAS * (2.0 / n).sqrt(),
        samples: (hours, "hours"),
        reason: None,
    }])
}

/// When a lone miner found its blocks, at constant difficulty.
fn mined(blocks: u32) -> Result<Vec<Time>, Error> {
    let timing = forks::Timing {
        interval: Duration::from_secs(u64::from(INTERVAL)),
        latency: Duration::ZERO,
        blocks,
    };
    let plan = forks::network(1, Vec::new(), timing);
    let finished = engine::run(&plan, &options(), &mut |_| {})?;
    let world = finished.collector.world();
    let mut times: Vec<Time> = world
        .blocks()
        .values()
        .filter(|block| block.height.0 > 0)
        .map(|block| block.first_seen)
        .collect();
    times.sort_unstable();
    Ok(times)
}

/// The windows' measured times telescope, so the mean over many of them is far sharper than one window's: a standard deviation of
/// 0.021 s was measured over runs of 1,000 windows.
pub(super) fn mean_interval(effort: Effort) -> Result<Vec<Finding>, Error> {
    let windows = effort.of(200, 1_000);
    let run = Windows::run(windows);
    let blocks = u64::from(windows) * u64::from(WINDOW);
    let deviation = 0.021 * (1_000.0 / f64::from(windows));
    Ok(vec![Finding {
        statistic: "mean interval, s",
        expected: f64::from(INTERVAL) * f64::from(WINDOW) / f64::from(WINDOW - 2),
        found: run.seconds / as_f64(blocks),
        tolerance: SIGMAS * deviation,
        samples: (u64::from(windows), "windows"),
        reason: None,
    }])
}

/// A window's target is the last one's measurement, so its logarithm has that measurement's noise. How long the window then takes has its
/// own noise on top, and is not what is looked at.
pub(super) fn epoch_noise(effort: Effort) -> Result<Vec<Finding>, Error> {
    let windows = effort.of(400, 10_000);
    let run = Windows::run(windows);
    let n = as_f64(run.asked.len() as u64);
    let mean = run.asked.iter().sum::<f64>() / n;
    let variance = run.asked.iter().map(|log| (log - mean) * (log - mean)).sum::<f64>() / (n - 1.0);
    let expected = 1.0 / f64::from(WINDOW - 1).sqrt();
    Ok(vec![Finding {
        statistic: "deviation of ln(interval asked for)",
        expected,
        found: variance.sqrt(),
        tolerance: expected * SIGMAS / (2.0 * n).sqrt(),
        samples: (run.asked.len() as u64, "windows"),
        reason: None,
    }])
}

/// Many windows of Bitcoin's rule under constant hash power, with exponential waits and header times in whole seconds.
struct Windows {
    /// How long all took together.
    seconds: f64,
    /// The logarithm of the mean interval that each window's target asks for, the first window's aside: its target was given.
    asked: Vec<f64>,
}

impl Windows {
    fn run(windows: u32) -> Self {
        let mut rng = Seed::from_number(1).child("laws/retarget", u64::from(windows)).rng();
        let mut bits = CompactTarget(0x1b04_04cb);
        let rate = expected_hashes(bits).expect("a constant that is a target") / f64::from(INTERVAL);
        let rule = Window {
            timespan: WINDOW * INTERVAL,
            limit: CompactTarget(0x1d00_ffff),
        };
        let (mut now, mut asked) = (0.0, Vec::new());
        for window in 0..windows {
            let mean = expected_hashes(bits).expect("the rule gives targets") / rate;
            if window > 0 {
                asked.push(libm::log(mean));
            }
            let taken = window_times(mean, &mut rng);
            bits = rule.next(bits, 0, whole_seconds(taken.to_last));
            now += taken.whole;
        }
        Self { seconds: now, asked }
    }
}

/// How long a window took: from the block before its first to its last block, and from its first block to its last.
struct Taken {
    whole: f64,
    to_last: f64,
}

fn window_times(mean: f64, rng: &mut Rng) -> Taken {
    let mean = Duration::from_secs_f64(mean);
    let first = rng.exponential(mean).as_secs_f64();
    let rest: f64 = (1..WINDOW).map(|_| rng.exponential(mean).as_secs_f64()).sum();
    Taken {
        whole: first + rest,
        to_last: rest,
    }
}

fn whole_seconds(seconds: f64) -> u32 {
    u32::try_from(Duration::from_secs_f64(seconds).as_secs()).expect("a window is shorter than a century")
}
