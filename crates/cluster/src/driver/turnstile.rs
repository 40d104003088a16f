//! Whose turn it is to dial, of the nodes of a process.
//!
//! Handshakes are arithmetic: when more are under way than there are cores, none is done before nearly all are, though one link is enough to
//! hear of the best chain. So nodes dial in the order in which they asked, as many at a time as there are cores.

use std::fmt;
use std::future::pending;
use std::mem::take;
use std::sync::Arc;
use std::thread::available_parallelism;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What the nodes of a process share.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    /// Lets so many in at a time.
    fn of(turns: usize) -> Self {
        Self(Arc::new(Semaphore::new(turns)))
    }
}

impl Default for Gate {
    /// Lets as many in at a time as there are cores.
    fn default() -> Self {
        Self::of(available_parallelism().map_or(1, usize::from))
    }
}

/// One node at the gate.
pub(super) struct Turnstile {
    gate: Gate,
    place: Place,
}

#[derive(Default)]
enum Place {
    #[default]
    Outside,
    Queueing(BoxFuture<'static, OwnedSemaphorePermit>),
    Called(OwnedSemaphorePermit),
    Dialing {
        _turn: OwnedSemaphorePermit,
    },
}

impl Turnstile {
    pub(super) const fn new(gate: Gate) -> Self {
        let place = Place::Outside;
        Self { gate, place }
    }

    /// Asks for a turn; whether the node has it now. If not, [`Turnstile::called`] says when.
    pub(super) fn ask(&mut self) -> bool {
        if let Place::Outside = self.place {
            let turn = Arc::clone(&self.gate.0).acquire_owned();
            let turn = turn.map(|turn| turn.expect("the semaphore is never closed"));
            self.place = Place::Queueing(turn.boxed());
        }
        if let Place::Queueing(turn) = &mut self.place
            && let Some(turn) = turn.now_or_never()
        {
            self.place = Place::Called(turn);
        }
        matches!(self.place, Place::Called(_))
    }

    /// Waits for the turn that was asked for. May be dropped and called again.
    pub(super) async fn called(&mut self) {
        match &mut self.place {
            Place::Queueing(turn) => self.place = Place::Called(turn.await),
            Place::Outside | Place::Called(_) | Place::Dialing { .. } => pending().await,
        }
    }

    /// Whether the node waits for its turn.
    pub(super) const fn is_queueing(&self) -> bool {
        matches!(self.place, Place::Queueing(_))
    }

    /// The turn is made use of: the dial has begun.
    pub(super) fn take(&mut self) {
        if let Place::Called(turn) = take(&mut self.place) {
            self.place = Place::Dialing { _turn: turn };
        }
    }

    /// The dial is over, or takes too long for others to wait: the turn that was made use of is theirs.
    pub(super) fn hand_on(&mut self) {
        if let Place::Dialing { .. } = self.place {
            self.leave();
        }
    }

    /// Wants no turn any more.
    pub(super) fn leave(&mut self) {
        self.place = Place::Outside;
    }
}

impl fmt::Debug for Turnstile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.place {
            Place::Outside => "Outside",
            Place::Queueing(_) => "Queueing",
            Place::Called(_) => "Called",
            Place::Dialing { .. } => "Dialing",
        };
        f.debug_tuple("Turnstile").field(&place).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_have_their_turns_in_the_order_in_which_they_asked() {
        let gate = Gate::of(2);
        let [mut a, mut b, mut c, mut d] = [(); 4].map(|()| Turnstile::new(gate.clone()));
        assert!(a.ask() && b.ask());
        assert!(!c.ask() && !d.ask() && !c.ask());
        assert_eq!(d.called().now_or_never(), None);
        // A turn that was not made use of is kept.
        a.hand_on();
        assert!(a.ask() && !c.ask());
        a.take();
        a.hand_on();
        // Whoever has had a turn asks again behind the others.
        assert!(!a.ask() && a.is_queueing());
        assert_eq!(c.called().now_or_never(), Some(()));
        assert!(c.ask() && !d.ask());
        // One that waits no longer holds nobody up, and neither does one that is gone.
        d.leave();
        drop(b);
        assert!(a.ask() && !d.ask());
    }
}
