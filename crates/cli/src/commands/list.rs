//! `nakanet list`: the scenario files of a folder and what each shows.

use crate::args::{ListArgs, OverrideArgs};
use crate::exit::{Ended, Exit};
use crate::{load, paint, say};

pub(crate) fn list(args: &ListArgs) -> Ended {
    let none = OverrideArgs {
        seed: None,
        set: Vec::new(),
    };
    let mut report = Vec::new();
    for file in load::scenario_files(&args.folder)? {
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
