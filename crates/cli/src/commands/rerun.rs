//! `nakanet rerun`: a recorded run once more in virtual time, and whether it is the same.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, anyhow};
use observe::log::{self, Difference, LoggedEvent};
use observe::{Recorded, Summary};
use scenario::{Engine, Plan};

use crate::args::RerunArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::interrupt::stop_flag;
use crate::{load, paint, say};

pub(crate) fn rerun(args: &RerunArgs) -> Ended {
    let recorded = Recorded::read(&args.run).map_err(Failure::bad_input)?;
    let expected = repeatable(&recorded).map_err(Failure::bad_input)?;
    let files = args.run.join(observe::folder::ATTACHMENTS);
    let beside = load::beside(&files);
    let plan = match scenario::parse_beside(&recorded.file, &recorded.source, &recorded.overrides, &beside) {
        Ok(plan) => Arc::new(plan),
        Err(diagnostics) => {
            load::show(&diagnostics);
            return Err(Failure::bad_input(anyhow!(
                "this version refuses the scenario of {}",
                args.run.display()
            )));
        }
    };
    let stop = stop_flag()?;
    let script = match recorded.controls {
        0 => Vec::new(),
        _ => Recorded::controls(&args.run).map_err(Failure::bad_input)?,
    };
    let options = |folder: Option<&Path>| sim::Options {
        folder: folder.map(Path::to_owned),
        detail: Some(recorded.detail),
        stop: Arc::clone(&stop),
        script: script.clone(),
        ..sim::Options::default()
    };
    let summary = simulate(&plan, &options(None))?;
    let found = summary.digest.map_or_else(String::new, |digest| digest.to_string());
    if stop.load(Ordering::Relaxed) {
        return Ok(Exit::Interrupted);
    }
    if found == expected {
        say::line(format_args!(
            "{}  {} events, digest {found}",
            paint::good("THE SAME"),
            summary.log.events
        ));
        return Ok(Exit::Passed);
    }
    say::line(format_args!(
        "{}  the run's digest is {expected}, this one's {found}",
        paint::bad("ANOTHER RUN")
    ));
    if recorded.tool_version != env!("CARGO_PKG_VERSION") {
        let versions = (&recorded.tool_version, env!("CARGO_PKG_VERSION"));
        say::line(format_args!(
            "it was run by version {}, this is {}",
            versions.0, versions.1
        ));
    }
    // A run is the same each time, so one that is wanted on disk is run again, and one that is not leaves nothing there.
    let folder = unused_folder(&args.run);
    simulate(&plan, &options(Some(&folder)))?;
    show_difference(&args.run, &folder)?;
    Ok(Exit::Failed)
}

/// The digest that a run must have to be the same; why it cannot be repeated when it cannot.
fn repeatable(recorded: &Recorded) -> anyhow::Result<String> {
    if recorded.engine == Engine::Cluster {
        return Err(anyhow!(
            "it ran on real nodes, which are never twice the same; `nakanet sim` repeats its scenario"
        ));
    }
    if recorded.verdict.as_deref() == Some("interrupted") {
        return Err(anyhow!("it was interrupted, at a moment that no seed decides"));
    }
    recorded
        .digest
        .clone()
        .context("it has no digest: it did not come to its end")
}

fn simulate(plan: &Arc<Plan>, options: &sim::Options) -> Result<Summary, Failure> {
    let mut finished = sim::run(plan, options, &mut |_| {}).map_err(Failure::could_not_start)?;
    Ok(finished.collector.finish(finished.at, finished.ending))
}

/// `rerun` in the run's folder, with a number behind it when that is taken.
fn unused_folder(run: &Path) -> PathBuf {
    let mut folder = run.join("rerun");
    let mut number = 2;
    while folder.exists() {
        folder = run.join(format!("rerun-{number}"));
        number += 1;
    }
    folder
}

fn show_difference(run: &Path, rerun: &Path) -> Result<(), Failure> {
    let open = |folder: &Path| log::read(folder).map_err(Failure::bad_input);
    let difference = log::first_difference(open(run)?, open(rerun)?).map_err(Failure::bad_input)?;
    match difference {
        Some(Difference { seq, one, other }) => {
            say::line(format_args!("the first line that differs is {seq}:"));
            say::line(format_args!("  was {}", shown(one.as_ref())));
            say::line(format_args!("  is  {}", shown(other.as_ref())));
        }
        None => say::line("the two logs are the same: what differs was not told, or run.json was changed"),
    }
    say::line(format_args!("Log     {}", rerun.display()));
    Ok(())
}

fn shown(event: Option<&LoggedEvent>) -> String {
    event.map_or_else(
        || "the log's end".to_owned(),
        |event| serde_json::to_string(event).expect("an event that was read can be written"),
    )
}
