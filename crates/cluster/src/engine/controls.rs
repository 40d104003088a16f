//! Steps that operators hand in while a run goes on.

use observe::RunEvent;
use observe::operator::Request;
use scenario::ControlReport;

use super::Progress;
use super::session::{Session, Woken};

impl Session<'_> {
    /// Begins a step that was handed in, or tells what is wrong with it.
    pub(super) fn carry_out(&mut self, request: Request) -> Result<(), Woken> {
        let now = self.clock.now().max(self.latest);
        let world = self.collector.world();
        let (mut orders, mut reports) = (Vec::new(), Vec::new());
        let begun = self
            .director
            .instruct(&request.instruction, (now, world), &mut orders, &mut reports);
        match begun {
            Ok(control) => self.owed.begun(control, request),
            Err(diagnostics) => request.refuse(diagnostics),
        }
        self.tell_controls(reports);
        for order in orders {
            self.obeyed(order)?;
        }
        Ok(())
    }

    /// Looks whether the effects of operators' steps have shown.
    pub(super) fn look_at_controls(&mut self) -> Result<(), Woken> {
        if !self.director.is_controlled() {
            return Ok(());
        }
        let now = self.clock.now().max(self.latest);
        let (mut orders, mut reports) = (Vec::new(), Vec::new());
        let world = self.collector.world();
        self.director.look_at_controls(now, world, &mut orders, &mut reports);
        self.tell_controls(reports);
        for order in orders {
            self.obeyed(order)?;
        }
        Ok(())
    }

    /// The run ends, and with it the steps that still go on.
    pub(super) fn end_controls(&mut self) {
        let mut reports = Vec::new();
        self.director
            .end_controls(self.clock.now().max(self.latest), &mut reports);
        self.tell_controls(reports);
    }

    fn tell_controls(&mut self, reports: Vec<ControlReport>) {
        for report in reports {
            (self.observer)(&Progress::Control(&report));
            self.owed.tell(&report);
            self.observe(report.at, RunEvent::Control(report));
        }
    }
}
