//! `nakanet events`: the lines of a run's log, by what they are about.

use std::sync::mpsc;
use std::time::Duration;

use observe::log::LoggedEvent;
use observe::model::{EventFilter, Follow};
use observe::text;

use crate::args::EventsArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::interrupt::on_interrupt;
use crate::{look, say};

/// How often a log that grows is looked at: its frames are finished about once a second.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(crate) fn events(args: &EventsArgs) -> Ended {
    let mut follow = look::open(&args.run.run)?;
    let mut filter = EventFilter {
        kinds: args.kinds.clone(),
        nodes: args.nodes.clone(),
        about: args.about.as_deref().map(str::to_ascii_lowercase),
        text: args.text.clone(),
        from: args.from,
        to: args.to,
        after: None,
    };
    let printed = print_new(&follow, &mut filter, (args.limit, args.run.json))?;
    if !args.follow {
        if printed == args.limit {
            say::aside(format_args!("the first {printed}; --limit gives more"));
        }
        return Ok(Exit::Passed);
    }
    let (stop, stopped) = mpsc::channel();
    on_interrupt(move || {
        // When nobody waits for it any more, the command is ending.
        let _ = stop.send(());
    })?;
    while follow.model().ended().is_none() {
        if stopped.recv_timeout(LOOK_EVERY).is_ok() {
            return Ok(Exit::Interrupted);
        }
        if follow.poll().map_err(Failure::bad_input)? > 0 {
            print_new(&follow, &mut filter, (usize::MAX, args.run.json))?;
        }
    }
    Ok(Exit::Passed)
}

/// Prints what is wanted and was not printed; says how many lines that were.
fn print_new(follow: &Follow, filter: &mut EventFilter, (limit, json): (usize, bool)) -> Result<usize, Failure> {
    let page = follow.events(filter, limit).map_err(Failure::bad_input)?;
    for event in &page.events {
        say::line(if json { in_json(event) } else { text::logged(event) });
    }
    // The lines before the last that was read are done with, wanted or not.
    if limit == usize::MAX || page.events.len() < limit {
        filter.after = follow.model().events().checked_sub(1);
    }
    Ok(page.events.len())
}

fn in_json(event: &LoggedEvent) -> String {
    serde_json::to_string(event).expect("an event that was read can be written")
}
