//! Reads a scenario file and shows what is wrong with it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use scenario::{Diagnostic, Overrides, Plan};

use crate::args::OverrideArgs;
use crate::exit::Failure;
use crate::{paint, say};

/// A file's plan, or all that is wrong with it.
pub(crate) fn parse(file: &Path, overrides: &OverrideArgs) -> Result<Result<Plan, Vec<Diagnostic>>, Failure> {
    let name = file.display().to_string();
    let size = fs::metadata(file)
        .with_context(|| format!("cannot read {name}"))
        .map_err(Failure::bad_input)?
        .len();
    if size > scenario::limits::MAX_FILE_BYTES as u64 {
        let error = anyhow!(
            "{name} has {size} bytes, a scenario file has at most {}",
            scenario::limits::MAX_FILE_BYTES
        );
        return Err(Failure::bad_input(error));
    }
    let source = fs::read_to_string(file)
        .with_context(|| format!("cannot read {name}"))
        .map_err(Failure::bad_input)?;
    let overrides = Overrides {
        seed: overrides.seed,
        set: overrides.set.clone(),
    };
    Ok(scenario::parse(&name, &source, &overrides))
}

/// A file's plan; its warnings, or all that is wrong with it, are printed.
pub(crate) fn plan(file: &Path, overrides: &OverrideArgs) -> Result<Plan, Failure> {
    match parse(file, overrides)? {
        Ok(plan) => {
            for warning in &plan.warnings {
                say::aside(format_args!("{}: {warning}", paint::warning("warning")));
            }
            Ok(plan)
        }
        Err(diagnostics) => {
            show(&diagnostics);
            let count = scenario::words::count(diagnostics.len() as u64, "mistake");
            Err(Failure::bad_input(anyhow!(
                "{count} in {}; nothing was started",
                file.display()
            )))
        }
    }
}

/// Prints diagnostics to standard error.
pub(crate) fn show(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        say::aside(format_args!("{}: {diagnostic}\n", paint::bad("error")));
    }
}
