//! `nakanet logs`: the logs of a run's nodes, merged by time.

use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::Value;

use crate::args::LogsArgs;
use crate::background::Found;
use crate::exit::{Ended, Exit, Failure};
use crate::interrupt::on_interrupt_tell;
use crate::journal::{self, merge::Merge};
use crate::{paint, say};

/// How long between two looks for more.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) fn logs(args: &LogsArgs) -> Ended {
    let run = args.run.clone().unwrap_or_else(|| "runs/latest".into());
    let folder = run.join(journal::FOLDER);
    let mut merge = Merge::of(&folder, &args.node)
        .with_context(|| format!("{} has no logs", run.display()))
        .map_err(Failure::bad_input)?;
    let participants = participants(&run);
    let is_known = |name: &String| merge.knows(name) && participants.as_ref().is_none_or(|names| names.contains(name));
    if let Some(missing) = args.node.iter().find(|name| !is_known(name)) {
        let words = format!("{} has no log of a node `{missing}`", run.display());
        return Err(Failure::bad_input(anyhow!(words)));
    }
    let (leave, left) = channel();
    if args.follow {
        on_interrupt_tell(leave)?;
    }
    let mut leaves = !args.follow;
    loop {
        // What is written last is read after the look.
        let is_last = leaves || is_over(&run);
        merge
            .print(&mut |entry| {
                let name = format!("{:<4}", entry.node);
                say::line(format_args!("{} {}", paint::strong(&name), entry.text.trim_end()));
            })
            .with_context(|| format!("cannot read the logs of {}", run.display()))
            .map_err(Failure::could_not_start)?;
        if is_last {
            return Ok(Exit::Passed);
        }
        leaves = left.recv_timeout(PAUSE).is_ok();
    }
}

/// The names of a run's nodes, where its folder tells: nodes that are tasks share a log, which has no name of theirs.
fn participants(run: &Path) -> Option<Vec<String>> {
    let told: Value = serde_json::from_str(&fs::read_to_string(run.join("run.json")).ok()?).ok()?;
    let names = told.get("participants")?.as_array()?.iter();
    names.map(|node| Some(node.get("name")?.as_str()?.to_owned())).collect()
}

/// Whether a run writes no more: it has ended, or was killed.
fn is_over(run: &Path) -> bool {
    run.join("summary.json").exists() || Found::look(run).is_some_and(|found| !found.is_running)
}
