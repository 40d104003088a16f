//! The lines of a run's log, by what they are about: read from disk, by way of a small index of its frames.

use std::collections::BTreeMap;

use base::Time;
use memchr::memmem;
use serde::Serialize;

use super::follow::Follow;
use crate::log::{Frame, FramePlace, LoggedEvent, ReadError, Tail};

/// Which lines are wanted. An empty list, or nothing, is all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventFilter {
    /// Of these kinds.
    pub kinds: Vec<String>,
    /// Told by one of these nodes.
    pub nodes: Vec<String>,
    /// That speak of this block or transaction: the beginning of its name, or the whole.
    pub about: Option<String>,
    /// That have this text in them, as it stands in the log.
    pub text: Option<String>,
    /// Not before this time.
    pub from: Option<Time>,
    /// Not after this time.
    pub to: Option<Time>,
    /// Behind the line of this number.
    pub after: Option<u64>,
}

/// Lines that were wanted.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct EventPage {
    /// They, in order.
    pub events: Vec<LoggedEvent>,
    /// Whether there are more behind them: ask again with [`EventFilter::after`] the last of these.
    pub more: bool,
}

/// What is known of a frame without reading it.
#[derive(Clone, Copy, Debug)]
struct Indexed {
    place: FramePlace,
    first: Time,
    last: Time,
    /// The kinds in it, a bit each.
    kinds: u64,
}

/// What is known of all frames.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    frames: Vec<Indexed>,
    /// The bit of each kind; kinds beyond the last bit share it.
    bits: BTreeMap<String, u64>,
}

impl Index {
    pub(super) fn push(&mut self, frame: &Frame, events: &[LoggedEvent]) {
        let times = events.iter().map(|event| Time::from_micros(event.t_us));
        let Some((first, last)) = times.clone().min().zip(times.max()) else {
            return;
        };
        let mut kinds = 0;
        for event in events {
            let next = 1 << self.bits.len().min(63);
            kinds |= match self.bits.get(&event.kind) {
                Some(bit) => *bit,
                None => *self.bits.entry(event.kind.clone()).or_insert(next),
            };
        }
        self.frames.push(Indexed {
            place: frame.place,
            first,
            last,
            kinds,
        });
    }

    /// The frames that may have wanted lines.
    fn candidates<'a>(&'a self, filter: &'a EventFilter) -> impl Iterator<Item = &'a Indexed> {
        let bits = filter.kinds.iter().filter_map(|kind| self.bits.get(kind));
        let wanted = if filter.kinds.is_empty() {
            u64::MAX
        } else {
            bits.fold(0, |wanted, bit| wanted | bit)
        };
        // The number of a line is its place in the log.
        let behind = filter.after.map_or(0, |after| {
            let begun = self.frames.partition_point(|frame| frame.place.events <= after);
            begun.saturating_sub(1)
        });
        self.frames[behind..].iter().filter(move |frame| {
            frame.kinds & wanted != 0
                && filter.from.is_none_or(|from| from <= frame.last)
                && filter.to.is_none_or(|to| frame.first <= to)
        })
    }
}

impl EventFilter {
    /// Whether an event is wanted.
    #[must_use]
    pub fn wants(&self, event: &LoggedEvent) -> bool {
        let at = Time::from_micros(event.t_us);
        (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && (self.nodes.is_empty() || event.node.as_ref().is_some_and(|node| self.nodes.contains(node)))
            && self.from.is_none_or(|from| from <= at)
            && self.to.is_none_or(|to| at <= to)
            && self.after.is_none_or(|after| event.seq > after)
    }

    /// Whether a line may be wanted, as far as its text tells.
    fn may_want(&self, line: &[u8]) -> bool {
        let has = |text: &str| memmem::find(line, text.as_bytes()).is_some();
        self.about.as_ref().is_none_or(|about| has(&format!("\"{about}")))
            && self.text.as_ref().is_none_or(|text| has(text))
            && (self.kinds.is_empty() || self.kinds.iter().any(|kind| has(kind)))
            && (self.nodes.is_empty() || self.nodes.iter().any(|node| has(node)))
    }
}

impl Follow {
    /// The first `limit` lines that are wanted, of those read so far.
    ///
    /// # Errors
    /// When the log cannot be read again.
    pub fn events(&self, filter: &EventFilter, limit: usize) -> Result<EventPage, ReadError> {
        let mut events = Vec::new();
        for frame in self.index.candidates(filter) {
            let Some(frame) = Tail::from(self.folder(), frame.place)?.next_frame()? else {
                break;
            };
            for (number, line) in (frame.place.events..).zip(frame.lines()) {
                if !filter.may_want(line) {
                    continue;
                }
                let event = frame.event(number, line)?;
                if !filter.wants(&event) {
                    continue;
                }
                if events.len() == limit {
                    return Ok(EventPage { events, more: true });
                }
                events.push(event);
            }
        }
        Ok(EventPage { events, more: false })
    }
}
