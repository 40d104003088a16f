//! The time between blocks.

use base::Time;
use serde::Serialize;

use crate::spread::percentile;

/// The times between neighbours of a chain, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Intervals {
    /// How many.
    pub samples: usize,
    /// Their mean, rounded down.
    pub mean_us: u64,
    /// Their standard deviation (of a sample: over n - 1), rounded down; none of a single one.
    pub deviation_us: Option<u64>,
    /// Half are no longer than this.
    pub p50_us: u64,
    /// Nine of ten.
    pub p90_us: u64,
    /// Ninety-nine of a hundred.
    pub p99_us: u64,
}

impl Intervals {
    /// The intervals between these moments, one after the other; none between fewer than two. A moment before the last one counts as
    /// no time: a block seen before its parent.
    #[must_use]
    pub fn between(moments: &[Time]) -> Option<Self> {
        let gap = |pair: &[Time]| u64::try_from(pair[1].since(pair[0]).as_micros()).unwrap_or(u64::MAX);
        let mut gaps: Vec<u64> = moments.windows(2).map(gap).collect();
        gaps.sort_unstable();
        let count = gaps.len() as u128;
        let sum: u128 = gaps.iter().map(|gap| u128::from(*gap)).sum();
        let mean = sum.checked_div(count)?;
        Some(Self {
            samples: gaps.len(),
            mean_us: u64::try_from(mean).expect("a mean is not above the greatest"),
            deviation_us: deviation(&gaps, mean),
            p50_us: percentile(&gaps, 50)?,
            p90_us: percentile(&gaps, 90)?,
            p99_us: percentile(&gaps, 99)?,
        })
    }
}

/// The sample standard deviation. Squares are of distances from the rounded mean, which is off by less than a microsecond.
fn deviation(gaps: &[u64], mean: u128) -> Option<u64> {
    let square = |gap: &u64| u128::from(*gap).abs_diff(mean).pow(2);
    let squares = gaps.iter().map(square).fold(0, u128::saturating_add);
    let variance = squares.checked_div(gaps.len() as u128 - 1)?;
    Some(u64::try_from(variance.isqrt()).expect("the root of 128 bits has 64"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_deviation_and_percentiles_are_exact() {
        let moments: Vec<Time> = [0, 2, 6, 10, 14, 19, 24, 31, 40].map(Time::from_secs).into();
        let intervals = Intervals::between(&moments).expect("eight intervals");
        assert_eq!((intervals.samples, intervals.mean_us), (8, 5_000_000));
        assert_eq!(
            intervals.deviation_us,
            Some(2_138_089),
            "2, 4, 4, 4, 5, 5, 7, 9: the root of 32/7"
        );
        assert_eq!((intervals.p50_us, intervals.p90_us), (4_000_000, 9_000_000));
    }

    #[test]
    fn fewer_than_two_blocks_have_no_interval_and_two_no_deviation() {
        assert_eq!(Intervals::between(&[]), None);
        assert_eq!(Intervals::between(&[Time::from_secs(1)]), None);
        let one = Intervals::between(&[Time::from_secs(1), Time::from_secs(4)]).expect("one interval");
        assert_eq!((one.mean_us, one.deviation_us), (3_000_000, None));
    }
}
