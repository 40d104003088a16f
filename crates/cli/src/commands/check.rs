//! `nakanet check`: every mistake of every file, without starting anything.

use crate::args::CheckArgs;
use crate::exit::{Ended, Exit};
use crate::{load, paint, say};

pub(crate) fn check(args: &CheckArgs) -> Ended {
    let mut exit = Exit::Passed;
    let mut report = Vec::new();
    for file in &args.files {
        let result = load::parse(file, &args.overrides)?;
        if result.is_err() {
            exit = Exit::BadInput;
        }
        if args.json {
            let (diagnostics, warnings) = match &result {
                Ok(plan) => (&[][..], plan.warnings.as_slice()),
                Err(diagnostics) => (diagnostics.as_slice(), &[][..]),
            };
            report.push(serde_json::json!({
                "file": file, "ok": diagnostics.is_empty(), "diagnostics": diagnostics, "warnings": warnings,
            }));
            continue;
        }
        match result {
            Ok(plan) => {
                for warning in &plan.warnings {
                    say::aside(format_args!("{}: {warning}", paint::warning("warning")));
                }
                let (nodes, steps) = (plan.nodes.len() as u64, plan.steps.len() as u64);
                let (nodes, steps) = (
                    scenario::words::count(nodes, "node"),
                    scenario::words::count(steps, "step"),
                );
                say::line(format_args!(
                    "{} {}: {nodes}, {steps}",
                    paint::good("ok"),
                    file.display()
                ));
            }
            Err(diagnostics) => load::show(&diagnostics),
        }
    }
    if args.json {
        say::line(serde_json::Value::Array(report));
    }
    Ok(exit)
}
