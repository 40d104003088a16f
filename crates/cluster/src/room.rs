//! Room for what peers have begun to say. One frame may be as long as a block, and a node may have many peers; so all of them share what
//! there is, and when it is used up the frame that was begun first gives way: who sends steadily is done long before.

#![expect(
    clippy::disallowed_types,
    reason = "many readers count in one place, for the few instructions that takes"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::limits::MAX_UNFINISHED_BYTES;

/// The order in which frames give way: inbound peers' first, then the oldest.
type Place = (bool, Instant, u64);

#[derive(Debug)]
struct Frame {
    bytes: usize,
    /// Told when it has to give way.
    out: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Frames {
    used: usize,
    next: u64,
    held: BTreeMap<Place, Frame>,
}

impl Frames {
    fn free(&mut self, place: &Place) -> Option<Frame> {
        let frame = self.held.remove(place)?;
        self.used -= frame.bytes;
        Some(frame)
    }
}

/// The room that all peers of a node share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room {
    frames: Arc<Mutex<Frames>>,
}

impl Room {
    /// A reader that has begun nothing yet.
    pub(crate) fn reader(&self, outbound: bool) -> Ticket {
        Ticket {
            room: self.clone(),
            outbound,
            place: None,
            out: Arc::new(Notify::new()),
        }
    }

    /// A panic elsewhere leaves the counts as they were: each change of them is whole.
    fn frames(&self) -> std::sync::MutexGuard<'_, Frames> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.frames().used
    }
}

/// One reader's place in the room. Dropping it frees the place.
#[derive(Debug)]
pub(crate) struct Ticket {
    room: Room,
    outbound: bool,
    place: Option<Place>,
    out: Arc<Notify>,
}

impl Ticket {
    /// The frame that was begun then takes so many bytes by now. May make the oldest give way, be it this one.
    pub(crate) fn hold(&mut self, begun: Instant, bytes: usize) {
        let mut frames = self.room.frames();
        let place = self.place.take().unwrap_or_else(|| {
            frames.next += 1;
            (self.outbound, begun, frames.next)
        });
        frames.free(&place);
        let out = Arc::clone(&self.out);
        frames.used += bytes;
        frames.held.insert(place, Frame { bytes, out });
        self.place = Some(place);
        while frames.used > MAX_UNFINISHED_BYTES {
            let (oldest, _) = frames.held.first_key_value().expect("what is used is held");
            let oldest = *oldest;
            if let Some(frame) = frames.free(&oldest) {
                frame.out.notify_one();
            }
        }
    }

    /// The frame is whole, or given up.
    pub(crate) fn free(&mut self) {
        if let Some(place) = self.place.take() {
            self.room.frames().free(&place);
        }
    }

    /// Waits until the frame has to give way.
    pub(crate) async fn gives_way(&self) {
        self.out.notified().await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.free();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt;

    use super::*;

    const PART: usize = MAX_UNFINISHED_BYTES / 4;

    fn is_out(ticket: &Ticket) -> bool {
        ticket.gives_way().now_or_never().is_some()
    }

    #[tokio::test]
    async fn threat_p11_when_room_is_used_up_the_oldest_frame_of_an_inbound_peer_gives_way() {
        let room = Room::default();
        let begin = Instant::now();
        let mut ours = room.reader(true);
        ours.hold(begin, PART);
        let mut theirs: Vec<Ticket> = (0..3).map(|_| room.reader(false)).collect();
        for (secs, ticket) in (1..).zip(&mut theirs) {
            ticket.hold(begin + Duration::from_secs(secs), PART);
        }
        assert_eq!(room.used(), MAX_UNFINISHED_BYTES);
        assert!(!is_out(&ours) && !theirs.iter().any(is_out));
        theirs[2].hold(begin, PART + 1);
        let out: Vec<bool> = theirs.iter().map(is_out).collect();
        assert_eq!(out, [true, false, false], "the one begun first, not the one that grew");
        assert!(!is_out(&ours), "a peer that we chose stays longer");
        assert_eq!(room.used(), 3 * PART + 1);
    }

    #[tokio::test]
    async fn what_is_whole_or_gone_takes_no_room() {
        let room = Room::default();
        let mut first = room.reader(false);
        let mut second = room.reader(false);
        first.hold(Instant::now(), PART);
        second.hold(Instant::now(), PART);
        first.free();
        assert_eq!(room.used(), PART);
        drop(second);
        assert_eq!(room.used(), 0);
        first.hold(Instant::now(), PART);
        assert_eq!(room.used(), PART);
    }
}
