//! `nakanet down`: ends clusters in the background in good order.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use rustix::process::{Pid, Signal, kill_process};

use crate::args::DownArgs;
use crate::background::Found;
use crate::exit::{Ended, Exit, Failure};
use crate::say;

/// How long a cluster may take to stop all its nodes.
const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) fn down(args: &DownArgs) -> Ended {
    let clusters = if args.all {
        Found::all(&args.out)
    } else {
        vec![Found::meant(args.run.as_deref(), &args.out)?]
    };
    if clusters.is_empty() {
        say::line(format_args!("no cluster runs in {}", args.out.display()));
    }
    for found in &clusters {
        end(found)?;
    }
    Ok(Exit::Passed)
}

fn end(found: &Found) -> Result<(), Failure> {
    let (folder, pid) = (found.folder.display(), found.state.pid);
    if !found.is_running {
        found.clear();
        say::line(format_args!("{folder} was not running any more"));
        return Ok(());
    }
    // Its lock is held, so it lives, and the number is its own.
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let process = process.with_context(|| format!("{folder} names no process"));
    kill_process(process.map_err(Failure::could_not_start)?, Signal::TERM)
        .with_context(|| format!("cannot end the cluster in {folder} (pid {pid})"))
        .map_err(Failure::could_not_start)?;
    if !found.wait_for_end(PATIENCE)? {
        let words = format!(
            "the cluster in {folder} has not ended yet; `kill -9 {pid}` ends it at once and loses nothing that was announced"
        );
        return Err(Failure::could_not_start(anyhow!(words)));
    }
    found.clear();
    say::line(format_args!("{folder} is down"));
    Ok(())
}
