//! How often something happened, out of how many times it could have, and what that says of its probability.

use serde::Serialize;

/// The two-sided 99 % quantile of the normal distribution.
pub const Z_99: f64 = 2.575_829_303_548_901;

/// A count out of a total, and the 99 % interval of the probability behind it.
///
/// The interval is Wilson's (1927): unlike the usual one it stays within 0 and 1 and is right for rare events, which forks are.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Proportion {
    /// How often it happened.
    pub count: u64,
    /// Out of how many.
    pub of: u64,
    /// The one over the other; none when both are 0.
    pub share: Option<f64>,
    /// The lower end of the 99 % interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Proportion {
    /// `count` out of `of`. A count above the total, as of forks in a short chain, is a share of one.
    #[must_use]
    pub fn new(count: u64, of: u64) -> Self {
        let (low, high) = wilson(count.min(of), of, Z_99);
        Self {
            count,
            of,
            share: (of > 0).then(|| as_f64(count.min(of)) / as_f64(of)),
            low,
            high,
        }
    }
}

/// Wilson's interval for a probability, at `z` standard deviations. All of 0 to 1 when nothing was counted.
fn wilson(count: u64, of: u64, z: f64) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let (count, of) = (as_f64(count), as_f64(of));
    let centre = count + z * z / 2.0;
    let reach = z * (count * (of - count) / of + z * z / 4.0).sqrt();
    let of = of + z * z;
    (((centre - reach) / of).max(0.0), ((centre + reach) / of).min(1.0))
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10 of 100 at 95 %: Newcombe, Statistics in Medicine 17 (1998), gives 0.0552 to 0.1744.
    #[test]
    fn the_interval_is_the_published_one() {
        let (low, high) = wilson(10, 100, 1.959_963_984_540_054);
        assert!(
            (low - 0.0552).abs() < 5e-5 && (high - 0.1744).abs() < 5e-5,
            "{low} {high}"
        );
    }

    #[test]
    fn it_stays_within_nothing_and_everything() {
        assert_eq!(Proportion::new(0, 0).share, None);
        for (count, of) in [(0, 0), (0, 5), (5, 5), (1, 1_000_000), (7, 5)] {
            let proportion = Proportion::new(count, of);
            assert!(
                0.0 <= proportion.low && proportion.low <= proportion.high && proportion.high <= 1.0,
                "{proportion:?}"
            );
        }
        assert!(Proportion::new(0, 100).low < 1e-12);
        assert!(Proportion::new(0, 100).high > 0.05);
    }
}
