//! Events by filter, read from the log as they stand there.

use observe::log::{Frame, LoggedEvent, ReadError, Tail};
use observe::model::FrameMark;
use serde::Serialize;

use super::event_words::words;
use crate::answer::Problem;
use crate::limits::MAX_FRAMES_SEARCHED;
use crate::parameters::Parameters;
use crate::reading::Reading;

/// Which events are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventFilter {
    kind: Option<String>,
    node: Option<String>,
    text: Option<String>,
}

/// What a node says and hears all the time: left out unless asked for.
const CHATTER: [&str; 3] = ["message_sent", "message_received", "header_accepted"];

impl EventFilter {
    /// `kind` (`all`, or one; without it all but messages), `node`, and `text` that stands somewhere in the line.
    pub(crate) fn from(parameters: &mut Parameters) -> Self {
        Self {
            kind: parameters.text("kind"),
            node: parameters.text("node"),
            text: parameters.text("text"),
        }
    }

    #[cfg(test)]
    pub(crate) fn of_kind(kind: &str) -> Self {
        Self {
            kind: Some(kind.to_owned()),
            ..Self::default()
        }
    }

    /// Quick, on the line as it stands, before it is read.
    fn may_match(&self, line: &[u8]) -> bool {
        let holds = |text: &String| {
            let text = text.as_bytes();
            line.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text))
        };
        self.text.as_ref().is_none_or(holds)
    }

    fn matches(&self, event: &LoggedEvent) -> bool {
        let kind = match self.kind.as_deref() {
            None => !CHATTER.contains(&event.kind.as_str()),
            Some("all") => true,
            Some(kind) => event.kind == kind,
        };
        kind && self.node.as_ref().is_none_or(|node| event.node.as_ref() == Some(node))
    }
}

/// The last events until a time.
#[derive(Debug, Serialize)]
pub(crate) struct EventsView {
    events: Vec<EventView>,
    /// Whether there may be earlier ones.
    more: bool,
}

#[derive(Debug, Serialize)]
struct EventView {
    seq: u64,
    t_us: u64,
    node: Option<String>,
    kind: String,
    words: String,
}

impl EventsView {
    /// The last events until a time, the newest first. Only so many frames of the log are searched.
    pub(crate) fn until(reading: &Reading, at: u64, filter: &EventFilter, limit: usize) -> Result<Self, ReadError> {
        let mut view = Self {
            events: Vec::new(),
            more: false,
        };
        let begun = reading.frames().partition_point(|frame| frame.from.as_micros() <= at);
        let frames = &reading.frames()[..begun];
        for mark in frames.iter().rev().take(MAX_FRAMES_SEARCHED) {
            for event in matching(reading, mark, filter)?
                .into_iter()
                .rev()
                .filter(|event| event.t_us <= at)
            {
                if view.events.len() == limit {
                    view.more = true;
                    return Ok(view);
                }
                view.events.push(EventView {
                    seq: event.seq,
                    t_us: event.t_us,
                    words: words(reading.model(), &event),
                    node: event.node,
                    kind: event.kind,
                });
            }
        }
        view.more = frames.len() > MAX_FRAMES_SEARCHED;
        Ok(view)
    }
}

/// The time of the next event in a direction.
#[derive(Debug, Serialize)]
pub(crate) struct StepTo {
    t_us: Option<u64>,
}

impl StepTo {
    pub(crate) fn after(reading: &Reading, at: u64, filter: &EventFilter) -> Result<Self, ReadError> {
        let over = reading.frames().partition_point(|frame| frame.to.as_micros() <= at);
        for mark in reading.frames()[over..].iter().take(MAX_FRAMES_SEARCHED) {
            let found = matching(reading, mark, filter)?
                .into_iter()
                .find(|event| event.t_us > at);
            if let Some(event) = found {
                return Ok(Self { t_us: Some(event.t_us) });
            }
        }
        Ok(Self { t_us: None })
    }

    pub(crate) fn before(reading: &Reading, at: u64, filter: &EventFilter) -> Result<Self, ReadError> {
        let begun = reading.frames().partition_point(|frame| frame.from.as_micros() < at);
        for mark in reading.frames()[..begun].iter().rev().take(MAX_FRAMES_SEARCHED) {
            let found = matching(reading, mark, filter)?
                .into_iter()
                .rfind(|event| event.t_us < at);
            if let Some(event) = found {
                return Ok(Self { t_us: Some(event.t_us) });
            }
        }
        Ok(Self { t_us: None })
    }
}

fn matching(reading: &Reading, mark: &FrameMark, filter: &EventFilter) -> Result<Vec<LoggedEvent>, ReadError> {
    let frame: Option<Frame> = Tail::from(reading.folder(), mark.place)?.next_frame()?;
    let Some(frame) = frame else { return Ok(Vec::new()) };
    let lines = (frame.place.events..).zip(frame.lines());
    let mut found = Vec::new();
    for (number, line) in lines.filter(|(_, line)| filter.may_match(line)) {
        let event = frame.event(number, line)?;
        if filter.matches(&event) {
            found.push(event);
        }
    }
    Ok(found)
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        Self::broken(error.to_string())
    }
}
