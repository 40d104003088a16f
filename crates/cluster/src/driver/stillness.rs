//! A node that stands still: as when its machine is suspended, its connections stay open and nobody answers on them.

use chain::HashRate;
use observe::{Intervention, RunEvent};

use super::{Control, Driver, Exit};
use crate::Error;
use crate::limits::MAX_QUEUED_ORDERS;

impl Driver {
    /// Does nothing until it is told to go on, or to end: then gives how.
    pub(super) async fn stand_still(&mut self) -> Result<Option<Exit>, Error> {
        self.seat.assign(None, HashRate::ZERO);
        self.turnstile.leave();
        self.tell_of(Intervention::Paused).await;
        loop {
            // Whoever could give orders is gone: nobody wants this node any more.
            let control = self.control.recv().await.unwrap_or(Control::Stop);
            match control {
                Control::Resume => break,
                Control::Stop => return Ok(Some(Exit::Stopped)),
                Control::Kill => return Ok(Some(Exit::Killed)),
                Control::Pause => {}
                Control::Command(_)
                | Control::Want(_)
                | Control::Forget(_)
                | Control::Sever(_)
                | Control::Mend(_)
                | Control::SetLink(..) => self.postpone(control)?,
            }
        }
        self.seat.assign(self.searched.clone(), self.node.view().hashrate());
        self.tell_of(Intervention::Resumed).await;
        Ok(None)
    }

    /// Lets an order wait.
    pub(super) fn postpone(&mut self, control: Control) -> Result<(), Error> {
        if self.postponed.len() == MAX_QUEUED_ORDERS {
            return Err(Error::Stuck(self.id));
        }
        self.postponed.push_back(control);
        Ok(())
    }

    async fn tell_of(&mut self, what: Intervention) {
        let node = self.id;
        self.tell(RunEvent::Intervention { node, what }).await;
    }
}
