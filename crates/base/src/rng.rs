//! A small, fast, portable generator of random numbers.

use std::time::Duration;

use crate::Seed;

/// xoshiro256++ (Blackman and Vigna, 2019), seeded with 256 bits.
///
/// Our own because a run must give the same bytes on every machine and with every later version; `rand`'s standard generator promises neither.
/// Not for secrets.
#[derive(Clone, Debug)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// The generator that begins at `seed`.
    #[must_use]
    pub fn new(seed: &Seed) -> Self {
        let mut state = [0; 4];
        for (word, bytes) in state.iter_mut().zip(seed.bytes().chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().expect("chunks of eight bytes"));
        }
        assert!(
            state != [0; 4],
            "the all-zero state yields only zeros; a hash is never zero"
        );
        Self { state }
    }

    /// Sixty-four random bits.
    pub fn next_u64(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number in `0..bound`, each equally likely (Lemire 2019).
    ///
    /// # Panics
    /// When `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below zero");
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the two halves of a product are wanted apart"
            )]
            let (high, low) = ((product >> 64) as u64, product as u64);
            if low >= threshold {
                return high;
            }
        }
    }

    /// A place in a list of `length` entries.
    ///
    /// # Panics
    /// When the list is empty.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a usize")
    }

    /// A number in `0.0..1.0` with 53 random bits.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// An exponentially distributed waiting time with this mean, to the microsecond.
    ///
    /// Uses `libm`: the standard library's logarithm differs between platforms.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        let wait = -libm::log(1.0 - self.unit()) * mean.as_secs_f64();
        Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX)
    }

    /// Puts the entries in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.index(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of the authors' C code from state {1, 2, 3, 4}.
    #[test]
    fn matches_the_reference_outputs() {
        let mut rng = Rng { state: [1, 2, 3, 4] };
        let expected = [
            41_943_041,
            58_720_359,
            3_588_806_011_781_223,
            3_591_011_842_654_386,
            9_228_616_714_210_784_205,
        ];
        for value in expected {
            assert_eq!(rng.next_u64(), value);
        }
    }

    #[test]
    fn numbers_stay_below_their_bound_and_reach_every_value() {
        let mut rng = Seed::from_number(1).rng();
        let mut seen = [0_u32; 7];
        for _ in 0..7_000 {
            seen[rng.index(7)] += 1;
        }
        assert!(seen.iter().all(|&n| (850..1_150).contains(&n)), "{seen:?}");
    }

    #[test]
    fn exponential_waits_have_their_mean() {
        let mut rng = Seed::from_number(2).rng();
        let total: Duration = (0..20_000).map(|_| rng.exponential(Duration::from_secs(10))).sum();
        let mean = total.as_secs_f64() / 20_000.0;
        assert!((9.7..10.3).contains(&mean), "{mean}");
    }

    #[test]
    fn a_shuffle_keeps_every_entry() {
        let mut list: Vec<u32> = (0..100).collect();
        Seed::from_number(3).rng().shuffle(&mut list);
        assert_ne!(list, (0..100).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..100).collect::<Vec<_>>());
    }
}
