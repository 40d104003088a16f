//! Steps that operators hand in while a run goes on, or that a recorded run took.
//!
//! A step is taken at a moment when all that happens at that moment has happened, and the director has nothing left to do. So its time is all
//! that must be known to take it again at the same place of the run.

use std::collections::VecDeque;

use base::Time;
use observe::operator::{Owed, Request};
use observe::{Desk, RunEvent};
use scenario::{ControlReport, Director, Instruction};

use crate::engine::{Options, Progress};
use crate::network::Network;

/// What operators hand in.
pub(crate) struct Controls {
    script: VecDeque<(Time, Instruction)>,
    desk: Option<Desk>,
    owed: Owed,
}

/// A step to be taken now, from somebody who waits or from the record.
pub(crate) enum Taken {
    Live(Request),
    Recorded(Instruction),
}

impl Controls {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            script: options.script.iter().cloned().collect(),
            desk: options.desk.clone(),
            owed: Owed::default(),
        }
    }

    /// Whether no operator has a hand in the run.
    pub(crate) fn are_none(&self) -> bool {
        self.script.is_empty() && self.desk.is_none()
    }

    /// The next step to be taken, and when, if that is before the next thing happens.
    pub(crate) fn take(&mut self, now: Time, next: Time) -> Option<(Time, Taken)> {
        if let Some((at, instruction)) = self.script.pop_front_if(|(at, _)| *at < next) {
            return Some((at.max(now), Taken::Recorded(instruction)));
        }
        let desk = self.desk.as_ref().filter(|_| now < next)?;
        Some((now, Taken::Live(desk.take()?)))
    }

    /// Begins a step, or tells what is wrong with it.
    pub(crate) fn begin(
        &mut self,
        taken: Taken,
        (director, network): (&mut Director, &mut Network),
        observer: &mut dyn FnMut(&Progress<'_>),
    ) {
        let (mut orders, mut reports) = (Vec::new(), Vec::new());
        let instruction = match &taken {
            Taken::Live(request) => &request.instruction,
            Taken::Recorded(instruction) => instruction,
        };
        let around = (network.now(), network.collector().world());
        let begun = director.instruct(instruction, around, &mut orders, &mut reports);
        match (begun, taken) {
            (Ok(control), Taken::Live(request)) => self.owed.begun(control, request),
            (Err(diagnostics), Taken::Live(request)) => request.refuse(diagnostics),
            // One that is refused did not happen when it was recorded either, or the record is of another run, which its digest tells.
            (Ok(_) | Err(_), Taken::Recorded(_)) => {}
        }
        self.tell(reports, network, observer);
        for order in orders {
            network.obey(order);
        }
    }

    /// Looks whether the effects of operators' steps have shown.
    pub(crate) fn look(
        &mut self,
        (director, network): (&mut Director, &mut Network),
        observer: &mut dyn FnMut(&Progress<'_>),
    ) {
        let (mut orders, mut reports) = (Vec::new(), Vec::new());
        director.look_at_controls(network.now(), network.collector().world(), &mut orders, &mut reports);
        self.tell(reports, network, observer);
        for order in orders {
            network.obey(order);
        }
    }

    /// The run ends, and with it the steps that still go on.
    pub(crate) fn end(
        &mut self,
        (director, network): (&mut Director, &mut Network),
        observer: &mut dyn FnMut(&Progress<'_>),
    ) {
        let mut reports = Vec::new();
        director.end_controls(network.now(), &mut reports);
        self.tell(reports, network, observer);
    }

    fn tell(&mut self, reports: Vec<ControlReport>, network: &mut Network, observer: &mut dyn FnMut(&Progress<'_>)) {
        for report in reports {
            observer(&Progress::Control(&report));
            self.owed.tell(&report);
            network.record(RunEvent::Control(report));
        }
    }
}

#[cfg(test)]
mod tests;
