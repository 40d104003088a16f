//! `nakanet verify`: whether a run's log holds together.

use base::Time;
use observe::text;
use observe::verify::{self, Flaw, Verified, VerifyError};
use scenario::words::count;
use serde_json::json;

use crate::args::VerifyArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::{look, paint, say};

pub(crate) fn verify(args: &VerifyArgs) -> Ended {
    match verify::verify(&args.run.run) {
        Ok(verified) => {
            if args.run.json {
                look::print_json(&json!({ "holds": true, "verified": verified }));
            } else {
                print_verified(&verified);
            }
            Ok(Exit::Passed)
        }
        Err(VerifyError::Flaw(flaw)) => {
            if args.run.json {
                look::print_json(&json!({ "holds": false, "flaw": flaw }));
            } else {
                print_flaw(&flaw);
            }
            Ok(Exit::Failed)
        }
        Err(VerifyError::Log(error)) => Err(look::unreadable(&args.run.run, error)),
        Err(VerifyError::Arrivals(error)) => Err(Failure::bad_input(error)),
    }
}

fn print_verified(verified: &Verified) {
    let Verified {
        events,
        blocks,
        reorgs,
        coins,
        tips,
        complete,
        digest,
    } = verified;
    say::line(format_args!(
        "{}  {}, none missing",
        paint::good("HOLDS"),
        count(*events, "event")
    ));
    say::line(format_args!(
        "  {}, each on one told of before, with more work",
        count(*blocks, "block")
    ));
    say::line(format_args!("  {}, each as deep as it lists", count(*reorgs, "reorg")));
    say::line(format_args!("  {} spent, none twice in a chain", count(*coins, "coin")));
    match tips {
        Some(tips) => say::line(format_args!("  {} where a replay ends too", count(*tips, "last tip"))),
        None if *complete => say::line("  last tips are not checked: this detail of log does not tell of tips"),
        None => say::line("  last tips are not checked: the run goes on, or broke off"),
    }
    if *digest == Some(true) {
        say::line("  the text is that of the run: its digest is in summary.json");
    }
}

fn print_flaw(flaw: &Flaw) {
    let place = match (flaw.seq, flaw.t_us) {
        (Some(seq), Some(micros)) => format!("event {seq}, at {}", text::moment(Time::from_micros(micros))),
        (_, _) => "the log as a whole".to_owned(),
    };
    say::line(format_args!("{}  {place}", paint::bad("DOES NOT HOLD")));
    say::line(format_args!("  rule      {}", flaw.rule));
    say::line(format_args!("  expected  {}", flaw.expected));
    say::line(format_args!("  found     {}", flaw.found));
}
