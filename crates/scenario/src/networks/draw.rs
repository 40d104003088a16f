//! Draws from the distributions that networks are given by. Logarithms and the like are `libm`'s: the standard library's vary by platform.

use base::Rng;

use super::Quantiles;

/// How far the floor of a latency lies below its mean, in milliseconds.
const PARETO_SPREAD: f64 = 5.0;

/// The least bandwidth in the histograms of Gervais et al., in Mbit/s.
const LEAST_BANDWIDTH: f64 = 0.1;

/// A Pareto distributed number with this mean and a shape of a fifth of it. The mean is above five.
pub(super) fn pareto(mean: f64, rng: &mut Rng) -> f64 {
    let (scale, shape) = (mean - PARETO_SPREAD, mean / PARETO_SPREAD);
    scale * libm::pow(1.0 - rng.unit(), -1.0 / shape)
}

/// A normally distributed number (Box and Muller 1958).
pub(super) fn normal(mean: f64, deviation: f64, rng: &mut Rng) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - rng.unit()));
    let angle = std::f64::consts::TAU * rng.unit();
    mean + deviation * radius * libm::cos(angle)
}

/// A place in a list of weights, each as likely as its weight.
pub(super) fn pick(weights: impl ExactSizeIterator<Item = f64> + Clone, rng: &mut Rng) -> usize {
    let last = weights.len() - 1;
    let mut level = rng.unit() * weights.clone().sum::<f64>();
    let mut reaches = |weight: f64| {
        level -= weight;
        level < 0.0
    };
    // Rounding may leave a rest above the last sum.
    weights
        .enumerate()
        .find(|(_, weight)| reaches(*weight))
        .map_or(last, |(place, _)| place)
}

/// For each node a place in a list of shares, so that each place has its share of the nodes to the nearest node; which nodes is random.
///
/// SimBlock's `makeRandomListFollowDistribution`, without its rounding up that gives the first place one node too many.
pub(super) fn quotas(cumulative: &[f64], nodes: usize, rng: &mut Rng) -> Vec<usize> {
    let last = cumulative.len() - 1;
    let middle = |node: usize| (real(node) + 0.5) / real(nodes);
    let place = |node: usize| cumulative.partition_point(|sum| *sum <= middle(node)).min(last);
    let mut places: Vec<usize> = (0..nodes).map(place).collect();
    rng.shuffle(&mut places);
    places
}

/// The running sums.
pub(super) fn cumulative(weights: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let sums = weights.iter().map(|weight| {
        sum += weight;
        sum
    });
    sums.collect()
}

#[expect(clippy::cast_precision_loss, reason = "networks have at most a million nodes")]
fn real(count: usize) -> f64 {
    count as f64
}

/// A bandwidth in bits per second: straight lines between the quantiles.
///
/// Above the 95th percentile the line rises to where the whole has the published mean; where the line would have to fall (Japan's
/// downloads, Australia's uploads) it is level, and the mean is up to 5 % too high.
pub(super) fn bandwidth(quantiles: &Quantiles, rng: &mut Rng) -> u64 {
    let level = rng.unit();
    let knots = knots(quantiles);
    let right = knots.partition_point(|(at, _)| *at <= level).clamp(1, knots.len() - 1);
    let ((a, low), (b, high)) = (knots[right - 1], knots[right]);
    bits_per_second(low + (high - low) * (level - a) / (b - a))
}

/// The distribution's levels and the Mbit/s there.
fn knots(quantiles: &Quantiles) -> [(f64, f64); 9] {
    const LEVELS: [f64; 9] = [0.0, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 1.0];
    let mut knots = LEVELS.map(|level| (level, LEAST_BANDWIDTH));
    for (knot, value) in knots[1..].iter_mut().zip(quantiles.at) {
        knot.1 = value;
    }
    let area = |pair: &[(f64, f64)]| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0;
    let below: f64 = knots[..8].windows(2).map(area).sum();
    let (from, start) = knots[7];
    let top = 2.0 * (quantiles.mean - below) / (1.0 - from) - start;
    knots[8].1 = top.max(start);
    knots
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0.1 and 500 Mbit/s, to the bit"
)]
fn bits_per_second(megabits: f64) -> u64 {
    (megabits * 1e6) as u64
}
