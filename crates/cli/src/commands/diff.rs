//! `nakanet diff`: the first event in which two runs differ.

use observe::log::{self, Difference, LoggedEvent};
use observe::text;
use serde_json::json;

use crate::args::DiffArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::{look, paint, say};

pub(crate) fn diff(args: &DiffArgs) -> Ended {
    let open = |folder| log::read(folder).map_err(Failure::bad_input);
    let found = log::first_difference(open(&args.one)?, open(&args.other)?).map_err(Failure::bad_input)?;
    let Some(Difference { seq, one, other }) = found else {
        if args.json {
            look::print_json(&json!({ "differs": false }));
        } else {
            say::line(paint::good("THE SAME"));
        }
        return Ok(Exit::Passed);
    };
    if args.json {
        look::print_json(&json!({ "differs": true, "seq": seq, "one": one, "other": other }));
    } else {
        say::line(format_args!("{}  from event {seq} on", paint::bad("ANOTHER RUN")));
        say::line(format_args!("  {}", args.one.display()));
        say::line(shown(one.as_ref()));
        say::line(format_args!("  {}", args.other.display()));
        say::line(shown(other.as_ref()));
    }
    Ok(Exit::Failed)
}

fn shown(event: Option<&LoggedEvent>) -> String {
    event.map_or_else(|| "           -  the log's end".to_owned(), text::logged)
}
