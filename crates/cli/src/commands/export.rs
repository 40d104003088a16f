//! `nakanet export` and `nakanet report`: a run for other programs, and for people.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use observe::model::Follow;
use report::export::{self, ByHand, Exported};

use crate::args::{ExportArgs, FormatKind, ReportArgs};
use crate::exit::{Ended, Exit, Failure};
use crate::{paint, say};

pub(crate) fn export(args: &ExportArgs) -> Ended {
    let cannot = || format!("cannot read the run in {}", args.run.display());
    let exported = match format(args.format) {
        Some(format) => {
            let follow = Follow::open(&args.run)
                .with_context(cannot)
                .map_err(Failure::bad_input)?;
            export::export(follow.model(), &args.run, format).map_err(Failure::bad_input)?
        }
        None => ByHand::of(&args.run).with_context(cannot).map_err(Failure::bad_input)?,
    };
    let Exported { text, left_out } = exported;
    if let Some(left_out) = left_out {
        say::aside(format_args!("{}: {left_out}", paint::warning("warning")));
    }
    match &args.out {
        None => say::part(text),
        Some(path) => std::fs::write(path, text)
            .with_context(|| format!("cannot write {}", path.display()))
            .map_err(Failure::could_not_start)?,
    }
    Ok(Exit::Passed)
}

/// What the report's crate calls a format; none for a scenario, which is made of more than the picture of a run.
const fn format(kind: FormatKind) -> Option<export::Format> {
    match kind {
        FormatKind::Csv => Some(export::Format::Csv),
        FormatKind::Dot => Some(export::Format::Dot),
        FormatKind::Graphml => Some(export::Format::GraphMl),
        FormatKind::Mermaid => Some(export::Format::Mermaid),
        FormatKind::Svg => Some(export::Format::Svg),
        FormatKind::Perfetto => Some(export::Format::Perfetto),
        FormatKind::Scenario => None,
    }
}

pub(crate) fn report(args: &ReportArgs) -> Ended {
    if !args.run.is_dir() {
        return Err(Failure::bad_input(anyhow!("{} is no run folder", args.run.display())));
    }
    let written = report::write(&args.run).map_err(Failure::bad_input)?;
    say::line(written.report.display());
    for plot in &written.plots {
        say::line(plot.display());
    }
    Ok(Exit::Passed)
}

/// The report of a run that has just ended. Of a long log it takes a while, which is said.
pub(crate) fn report_at_the_end(folder: &std::path::Path, events: u64) -> Option<PathBuf> {
    if report::takes_a_while(events) {
        say::aside(paint::dim(format_args!("writing report.html of {events} events")));
    }
    match report::write(folder) {
        Ok(written) => Some(written.report),
        Err(error) => {
            say::aside(format_args!(
                "{}: there is no report: {error}",
                paint::warning("warning")
            ));
            None
        }
    }
}
