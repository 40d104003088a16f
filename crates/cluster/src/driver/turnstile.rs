//! Whose turn it is to dial, of the nodes of a run.
//!
//! Handshakes are arithmetic: when more are under way than there are cores, none is done before nearly all are, though one link is enough to
//! hear of the best chain. So nodes dial in the order in which they asked, as many at a time as there are cores. Those that are processes ask
//! their engine, which queues for them.

use std::fmt;
use std::future::pending;
use std::mem::take;
use std::sync::Arc;
use std::thread::available_parallelism;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// What the nodes of a run share.
#[derive(Clone, Debug)]
pub(crate) enum Gate {
    /// In this process.
    Here(Arc<Semaphore>),
    /// In another, for the only node of this one.
    There(Call),
}

/// How a node queues at a gate in another process.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The number of the turn that it wants or has, each time another; none when it wants none.
    wanted: watch::Sender<Option<u64>>,
    /// The number of the last turn that it was given.
    given: watch::Receiver<u64>,
}

/// The other end of a [`Call`].
#[derive(Debug)]
pub(crate) struct Callee {
    pub(crate) wanted: watch::Receiver<Option<u64>>,
    pub(crate) given: watch::Sender<u64>,
}

impl Gate {
    /// Lets so many in at a time.
    pub(crate) fn of(turns: usize) -> Self {
        Self::Here(Arc::new(Semaphore::new(turns)))
    }

    /// One in another process, and how that is told and tells.
    pub(crate) fn there() -> (Self, Callee) {
        let (want, wanted) = watch::channel(None);
        let (give, given) = watch::channel(0);
        let call = Call { wanted: want, given };
        (Self::There(call), Callee { wanted, given: give })
    }

    /// Queues for the turn of this number; it is over when what is given is dropped.
    fn queue(&self, number: u64) -> BoxFuture<'static, Turn> {
        match self {
            Self::Here(semaphore) => {
                let turn = Arc::clone(semaphore).acquire_owned();
                turn.map(|turn| Turn::Here(turn.expect("the semaphore is never closed")))
                    .boxed()
            }
            Self::There(Call { wanted, given }) => {
                wanted.send_replace(Some(number));
                let turn = Turn::There(wanted.clone());
                let mut given = given.clone();
                async move {
                    // Without an engine there are no more turns, and the node is stopping.
                    if given.wait_for(|given| *given == number).await.is_err() {
                        pending::<()>().await;
                    }
                    turn
                }
                .boxed()
            }
        }
    }
}

enum Turn {
    Here(#[expect(dead_code, reason = "given back when dropped")] OwnedSemaphorePermit),
    There(watch::Sender<Option<u64>>),
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Self::There(wanted) = self {
            wanted.send_replace(None);
        }
    }
}

impl Default for Gate {
    /// Lets as many in at a time as there are cores.
    fn default() -> Self {
        Self::of(available_parallelism().map_or(1, usize::from))
    }
}

/// One node at the gate.
pub(crate) struct Turnstile {
    gate: Gate,
    place: Place,
    /// How many turns it has asked for.
    asked: u64,
}

#[derive(Default)]
enum Place {
    #[default]
    Outside,
    Queueing(BoxFuture<'static, Turn>),
    Called(Turn),
    Dialing {
        _turn: Turn,
    },
}

impl Turnstile {
    pub(crate) const fn new(gate: Gate) -> Self {
        Self {
            gate,
            place: Place::Outside,
            asked: 0,
        }
    }

    /// Asks for a turn; whether the node has it now. If not, [`Turnstile::called`] says when.
    pub(crate) fn ask(&mut self) -> bool {
        if let Place::Outside = self.place {
            self.asked += 1;
            self.place = Place::Queueing(self.gate.queue(self.asked));
        }
        if let Place::Queueing(turn) = &mut self.place
            && let Some(turn) = turn.now_or_never()
        {
            self.place = Place::Called(turn);
        }
        matches!(self.place, Place::Called(_))
    }

    /// Waits for the turn that was asked for. May be dropped and called again.
    pub(crate) async fn called(&mut self) {
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
    pub(crate) fn take(&mut self) {
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
    pub(crate) fn leave(&mut self) {
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

    #[test]
    fn a_node_at_a_gate_in_another_process_goes_in_when_it_is_told_the_turn_that_it_wants() {
        let (gate, callee) = Gate::there();
        let mut node = Turnstile::new(gate);
        assert!(!node.ask() && node.is_queueing());
        assert_eq!(*callee.wanted.borrow(), Some(1));
        node.leave();
        assert_eq!(*callee.wanted.borrow(), None);
        assert!(!node.ask());
        // What was given before it left is no turn any more.
        callee.given.send_replace(1);
        assert!(!node.ask());
        callee.given.send_replace(2);
        assert_eq!(node.called().now_or_never(), Some(()));
        node.take();
        assert_eq!(*callee.wanted.borrow(), Some(2));
        node.hand_on();
        assert_eq!(*callee.wanted.borrow(), None);
    }
}
