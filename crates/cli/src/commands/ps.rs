//! `nakanet ps`: which clusters run.

use std::fmt::Write as _;

use serde_json::json;

use crate::args::PsArgs;
use crate::background::{Found, why_ended};
use crate::exit::{Ended, Exit};
use crate::{paint, say};

pub(crate) fn ps(args: &PsArgs) -> Ended {
    let clusters = Found::all(&args.out);
    if args.json {
        let list: Vec<_> = clusters.iter().map(as_json).collect();
        say::line(format_args!("{:#}", json!(list)));
        return Ok(Exit::Passed);
    }
    if clusters.is_empty() {
        say::line(format_args!("no cluster runs in {}", args.out.display()));
        if let Some(words) = why_ended(&args.out) {
            say::line(paint::dim(words));
        }
        return Ok(Exit::Passed);
    }
    say::part(table(&clusters));
    if clusters.iter().any(|found| !found.is_running) {
        say::line(paint::dim(
            "those that are gone were killed; `nakanet down --all` clears them away",
        ));
    }
    Ok(Exit::Passed)
}

fn as_json(found: &Found) -> serde_json::Value {
    json!({
        "folder": found.folder,
        "running": found.is_running,
        "pid": found.state.pid,
        "up_since": found.state.up_since,
        "nodes": found.state.nodes,
        "kind": found.state.kind,
    })
}

fn table(clusters: &[Found]) -> String {
    let widths = clusters.iter().map(|found| found.folder.display().to_string().len());
    let width = widths.max().unwrap_or_default();
    let mut text = format!(
        "{:<width$}  {:>5}  {:<7}  {:>7}  UP SINCE\n",
        "CLUSTER", "NODES", "KIND", "PID"
    );
    for found in clusters {
        let state = &found.state;
        let pid = if found.is_running {
            state.pid.to_string()
        } else {
            "gone".to_owned()
        };
        let folder = found.folder.display().to_string();
        let _ = writeln!(
            text,
            "{folder:<width$}  {:>5}  {:<7}  {pid:>7}  {}",
            state.nodes, state.kind, state.up_since
        );
    }
    text
}
