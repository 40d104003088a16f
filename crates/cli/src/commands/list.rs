//! `nakanet list`: the scenario files of a folder and what each shows.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::args::{ListArgs, OverrideArgs};
use crate::exit::{Ended, Exit, Failure};
use crate::{load, paint, say};

pub(crate) fn list(args: &ListArgs) -> Ended {
    let none = OverrideArgs {
        seed: None,
        set: Vec::new(),
    };
    let mut report = Vec::new();
    for file in toml_files(args)? {
        let description = match load::parse(&file, &none)? {
            Ok(plan) => plan.description,
            Err(diagnostics) => {
                format!(
                    "does not pass `nakanet check`: {}",
                    scenario::words::count(diagnostics.len() as u64, "mistake")
                )
            }
        };
        if args.json {
            report.push(serde_json::json!({ "file": file, "description": description }));
        } else {
            say::line(paint::strong(file.display()));
            for line in description.lines() {
                say::line(format_args!("    {line}"));
            }
        }
    }
    if args.json {
        say::line(serde_json::Value::Array(report));
    }
    Ok(Exit::Passed)
}

fn toml_files(args: &ListArgs) -> Result<Vec<PathBuf>, Failure> {
    let cannot = || format!("cannot list {}", args.folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&args.folder)
        .with_context(cannot)
        .map_err(Failure::bad_input)?
    {
        let path = entry.with_context(cannot).map_err(Failure::bad_input)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
