//! One template under search.

use base::Time;
use chain::{Header, mining};
use node::Template;

/// Where the search for a template's nonce stands.
#[derive(Clone, Debug)]
pub(super) struct Job {
    header: Header,
    /// The time that the template was given with, and when that was.
    given: (u32, Time),
    pub(super) on_demand: bool,
}

impl Job {
    pub(super) const fn new(template: &Template, now: Time) -> Self {
        Self {
            header: Header {
                nonce: 0,
                ..template.header
            },
            given: (template.header.time, now),
            on_demand: template.on_demand,
        }
    }

    /// Tries at most this many hashes; gives the solved header, if one was found, and how many were tried.
    ///
    /// The header's time follows the clock, as real miners let it; when every nonce of a second has been tried, it runs ahead by one.
    pub(super) fn search(&mut self, hashes: u32, now: Time) -> (Option<Header>, u32) {
        self.follow_clock(now);
        let first = self.header.nonce;
        let end = first.saturating_add(hashes);
        if let Some(nonce) = mining::search(&self.header, first..end) {
            let solved = Header { nonce, ..self.header };
            return (Some(solved), nonce - first + 1);
        }
        self.header.nonce = end;
        if end == u32::MAX {
            self.set_time(self.header.time.saturating_add(1));
        }
        (None, end - first)
    }

    fn follow_clock(&mut self, now: Time) {
        let (time, at) = self.given;
        let passed = u32::try_from(now.since(at).as_secs()).unwrap_or(u32::MAX);
        let time = time.saturating_add(passed);
        if time > self.header.time {
            self.set_time(time);
        }
    }

    const fn set_time(&mut self, time: u32) {
        self.header.time = time;
        self.header.nonce = 0;
    }
}

#[cfg(test)]
mod tests {
    use chain::{CompactTarget, Params};

    use super::*;

    fn job(expected_hashes: u128) -> Job {
        let mut header = *Params::instant().genesis_block().header;
        header.bits = CompactTarget::from_expected_hashes(expected_hashes);
        let template = Template {
            header,
            on_demand: false,
        };
        Job::new(&template, Time::ZERO)
    }

    #[test]
    fn slices_find_what_one_search_finds() {
        let mut whole = job(1_000);
        let (solved, tried) = whole.search(1 << 20, Time::ZERO);
        let solved = solved.expect("a thousand times the hashes it takes");
        assert!(solved.bits.target().unwrap().is_met_by(&solved.id()));

        let mut sliced = job(1_000);
        let mut total = 0;
        let found = loop {
            let (found, tried) = sliced.search(37, Time::ZERO);
            total += tried;
            if let Some(found) = found {
                break found;
            }
        };
        assert_eq!((found, total), (solved, tried));
    }

    #[test]
    fn the_time_follows_the_clock_by_whole_seconds() {
        let mut job = job(u128::MAX);
        let given = job.header.time;
        for (millis, later) in [(0, 0), (999, 0), (1_000, 1), (3_500, 3)] {
            let (found, tried) = job.search(10, Time::from_millis(millis));
            assert_eq!((found, tried), (None, 10));
            assert_eq!(job.header.time, given + later, "after {millis} ms");
        }
    }

    #[test]
    fn when_all_nonces_are_tried_the_time_is_raised() {
        let mut job = job(u128::MAX);
        let given = job.header.time;
        job.header.nonce = u32::MAX - 5;
        assert_eq!(job.search(10, Time::ZERO), (None, 5));
        assert_eq!((job.header.time, job.header.nonce), (given + 1, 0));
    }
}
