//! How much a peer has misbehaved.

use crate::Offence;

/// One peer's penalties, added up for as long as its connection lasts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Score(u32);

impl Score {
    /// No offence yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Adds an offence's penalty; the new score.
    pub fn add(&mut self, offence: Offence) -> u32 {
        self.0 = self.0.saturating_add(offence.penalty());
        self.0
    }

    /// The score.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// Whether the peer is to be dropped and discouraged.
    #[must_use]
    pub const fn is_over(self) -> bool {
        self.0 >= Offence::LIMIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often an offence must be repeated until the peer is dropped.
    fn check(offence: Offence, strikes: u32) {
        let mut score = Score::default();
        for strike in 1..=strikes {
            assert!(
                !score.is_over(),
                "{offence:?} dropped after {} of {strikes}",
                strike - 1
            );
            assert_eq!(score.add(offence), offence.penalty() * strike);
        }
        assert!(score.is_over(), "{offence:?} not dropped after {strikes}");
    }

    #[test]
    fn a_provable_lie_drops_at_once_and_lesser_faults_when_repeated() {
        check(Offence::Malformed, 1);
        check(Offence::InvalidHeader, 1);
        check(Offence::InvalidBlock, 1);
        check(Offence::DisconnectedHeaders, 1);
        check(Offence::Unexpected, 3);
        check(Offence::Flooding, 3);
        check(Offence::InvalidTransaction, 10);
        check(Offence::Stalled, 20);
    }

    #[test]
    fn a_score_saturates() {
        let mut score = Score(u32::MAX - 1);
        assert_eq!(score.add(Offence::Malformed), u32::MAX);
        assert!(score.is_over());
        assert_eq!(score.value(), u32::MAX);
    }
}
