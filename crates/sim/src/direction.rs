//! Going through the steps of a run, its own and those of operators.

use std::sync::atomic::Ordering;

use base::Time;
use observe::{Ending, RunEvent};
use scenario::Director;

use crate::controls::Controls;
use crate::engine::{Options, Progress};
use crate::limits::STEPS_AT_A_TIME;
use crate::network::Network;

/// A run between its first step and its last.
pub(crate) struct Direction<'a> {
    pub(crate) network: &'a mut Network,
    pub(crate) director: &'a mut Director,
    pub(crate) controls: Controls,
    pub(crate) options: &'a Options,
    pub(crate) observer: &'a mut dyn FnMut(&Progress<'_>),
}

impl Direction<'_> {
    /// Goes through the steps to the run's end.
    pub(crate) fn direct(mut self) -> Ending {
        let mut orders = Vec::new();
        let mut reports = Vec::new();
        let mut seen = None;
        let mut ending = Ending::Interrupted;
        while !self.options.stop.load(Ordering::Relaxed) {
            let due = self
                .director
                .deadline()
                .is_some_and(|deadline| deadline <= self.network.now());
            let news = self.network.collector().changes();
            if self.director.is_controlled() && (due || seen != Some(news)) {
                self.controls.look((self.director, self.network), self.observer);
            }
            let world = self.network.collector().world();
            if due || (seen != Some(news) && self.director.may_advance(world)) {
                seen = Some(news);
                let now = self.network.now();
                let outcome = self.director.advance(now, world, &mut orders, &mut reports);
                for report in reports.drain(..) {
                    (self.observer)(&Progress::Step(&report));
                    self.network.record(RunEvent::Step(report));
                }
                if let Some(outcome) = outcome {
                    ending = Ending::Steps(outcome);
                    break;
                }
                for order in orders.drain(..) {
                    self.network.obey(order);
                }
                continue;
            }
            self.pass();
        }
        self.controls.end((self.director, self.network), self.observer);
        ending
    }

    /// Lets the next thing happen, or time come nearer to it.
    fn pass(&mut self) {
        let now = self.network.now();
        let next = self.network.next();
        let deadline = self.director.deadline();
        let first = match (next, deadline) {
            (Some(next), Some(deadline)) => next.min(deadline),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => unreachable!("a step that is going on has a deadline"),
        };
        if let Some((at, taken)) = self.controls.take(now, first) {
            self.network.wait_out(at);
            self.controls.begin(taken, (self.director, self.network), self.observer);
            return;
        }
        if first > now
            && let Some(pace) = &self.options.pace
        {
            let come = pace.until(now, first);
            if come < first {
                self.network.wait_until(come);
                self.network.collector.flush();
                return;
            }
        }
        (self.observer)(&Progress::Passing {
            now,
            collector: self.network.collector(),
        });
        if next != Some(first) || deadline == Some(first) {
            // What happens at the moment of a deadline happens after it.
            self.network.wait_until(first);
        } else if self.controls.are_none() && self.options.pace.is_none() {
            self.go_on(deadline.unwrap_or(Time::MAX));
        } else {
            self.network.step();
        }
    }

    /// Lets things happen, at most so many, until something has that the step could be about, or a deadline has come.
    fn go_on(&mut self, deadline: Time) {
        let mut news = self.network.collector().changes();
        for _ in 0..STEPS_AT_A_TIME {
            self.network.step();
            let now = self.network.collector().changes();
            if now != news {
                let world = self.network.collector().world();
                if self.director.is_controlled() || self.director.may_advance(world) {
                    return;
                }
                news = now;
            }
            if !self.network.happens_before(deadline) {
                return;
            }
        }
    }
}
