//! Which time of a run is shown.

use std::time::Duration;

use base::Time;

use crate::limits::{REPLAY, SPEEDS};

/// The time that is shown, and how it moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Playhead {
    place: Place,
    /// How fast a replay passes, in thousandths of the run's own time.
    speed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// The newest that is known.
    Newest,
    /// A time, and whether it moves on.
    At { micros: u64, plays: bool },
}

impl Playhead {
    /// At the newest, wherever that is.
    pub(crate) const fn new() -> Self {
        Self {
            place: Place::Newest,
            speed: 0,
        }
    }

    /// The time that is shown of a run known until `newest`.
    pub(crate) fn time(&self, newest: Time) -> Time {
        match self.place {
            Place::Newest => newest,
            Place::At { micros, .. } => Time::from_micros(micros).min(newest),
        }
    }

    /// Whether the newest is shown, and will be when there is more.
    pub(crate) const fn is_newest(&self) -> bool {
        matches!(self.place, Place::Newest)
    }

    /// Whether time moves on in a replay.
    pub(crate) const fn plays(&self) -> bool {
        matches!(self.place, Place::At { plays: true, .. })
    }

    /// How fast a replay of a run known until `newest` passes, in thousandths.
    pub(crate) fn speed(&self, newest: Time) -> u64 {
        if self.speed > 0 {
            return self.speed;
        }
        let usual = newest.as_micros() / u64::try_from(REPLAY.as_millis()).unwrap_or(1);
        usual.clamp(SPEEDS.0, SPEEDS.1)
    }

    /// Lets real time pass.
    pub(crate) fn pass(&mut self, real: Duration, newest: Time) {
        let speed = self.speed(newest);
        if let Place::At { micros, plays: true } = &mut self.place {
            let passed = real.as_micros().saturating_mul(u128::from(speed)) / 1_000;
            *micros = micros.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX));
            if *micros >= newest.as_micros() {
                self.place = Place::Newest;
            }
        }
    }

    /// Stops a replay, or lets it go on: from the beginning when it is at its end.
    pub(crate) fn toggle(&mut self, newest: Time, is_over: bool) {
        self.place = match self.place {
            Place::Newest if is_over => Place::At { micros: 0, plays: true },
            Place::Newest => Place::At {
                micros: newest.as_micros(),
                plays: false,
            },
            Place::At { micros, plays } => Place::At { micros, plays: !plays },
        };
    }

    /// Goes to a time and stays there; to the newest when that is not before it.
    pub(crate) fn seek(&mut self, at: Time, newest: Time) {
        self.place = if at >= newest {
            Place::Newest
        } else {
            Place::At {
                micros: at.as_micros(),
                plays: false,
            }
        };
    }

    /// Twice as fast, or half as fast.
    pub(crate) fn change_speed(&mut self, faster: bool, newest: Time) {
        let speed = self.speed(newest);
        let speed = if faster { speed.saturating_mul(2) } else { speed / 2 };
        self.speed = speed.clamp(SPEEDS.0, SPEEDS.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: Time = Time::from_secs(60);

    #[test]
    fn a_replay_begins_anew_at_the_end_of_a_run_and_stops_there() {
        let mut head = Playhead::new();
        assert_eq!(head.time(NEWEST), NEWEST);
        head.toggle(NEWEST, true);
        assert!(head.plays());
        assert_eq!(head.speed(NEWEST), 2_000, "a minute in half a minute");
        head.pass(Duration::from_secs(3), NEWEST);
        assert_eq!(head.time(NEWEST), Time::from_secs(6));
        head.change_speed(true, NEWEST);
        head.pass(Duration::from_secs(3), NEWEST);
        assert_eq!(head.time(NEWEST), Time::from_secs(18));
        head.pass(Duration::from_secs(3_000), NEWEST);
        assert!(head.is_newest());
    }

    #[test]
    fn a_live_run_is_stopped_where_it_is_and_goes_on_from_there() {
        let mut head = Playhead::new();
        head.toggle(NEWEST, false);
        assert_eq!((head.time(Time::from_secs(90)), head.plays()), (NEWEST, false));
        head.toggle(NEWEST, false);
        assert!(head.plays());
        head.seek(Time::from_secs(5), NEWEST);
        assert_eq!((head.time(NEWEST), head.plays()), (Time::from_secs(5), false));
        head.seek(NEWEST, NEWEST);
        assert!(head.is_newest());
    }

    #[test]
    fn speed_stays_within_its_bounds() {
        let mut head = Playhead::new();
        for _ in 0..100 {
            head.change_speed(false, NEWEST);
        }
        assert_eq!(head.speed(NEWEST), SPEEDS.0);
        for _ in 0..100 {
            head.change_speed(true, NEWEST);
        }
        assert_eq!(head.speed(NEWEST), SPEEDS.1);
    }
}
