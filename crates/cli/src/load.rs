//! Reads a scenario file and shows what is wrong with it.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use scenario::limits::{MAX_FILE_BYTES, MAX_GRAPH_BYTES};
use scenario::{Diagnostic, Overrides, Plan};

use crate::args::OverrideArgs;
use crate::exit::Failure;
use crate::{paint, say};

/// A file's plan, or all that is wrong with it.
pub(crate) fn parse(file: &Path, overrides: &OverrideArgs) -> Result<Result<Plan, Vec<Diagnostic>>, Failure> {
    let source = read(file)?;
    let overrides = Overrides {
        seed: overrides.seed,
        set: overrides.set.clone(),
    };
    Ok(parse_text(file, &source, &overrides))
}

/// The plan of a file that has been read already, or all that is wrong with it.
pub(crate) fn parse_text(file: &Path, source: &str, overrides: &Overrides) -> Result<Plan, Vec<Diagnostic>> {
    let folder = file.parent().unwrap_or(Path::new(""));
    scenario::parse_beside(&file.display().to_string(), source, overrides, &beside(folder))
}

/// The files of a scenario's folder.
pub(crate) fn beside(folder: &Path) -> impl Fn(&str) -> Result<String, String> {
    |name| text(&folder.join(name), MAX_GRAPH_BYTES).map_err(|error| format!("{error:#}"))
}

/// A scenario file's text.
pub(crate) fn read(file: &Path) -> Result<String, Failure> {
    text(file, MAX_FILE_BYTES)
        .with_context(|| format!("cannot read {}", file.display()))
        .map_err(Failure::bad_input)
}

/// A file's text. No more is read than it may have, so that a device or a pipe without end does no harm.
fn text(file: &Path, most: usize) -> anyhow::Result<String> {
    let opened = File::open(file)?;
    if opened.metadata()?.is_dir() {
        return Err(anyhow!("it is a folder, not a file"));
    }
    let mut bytes = Vec::new();
    opened.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(anyhow!("such a file has at most {most} bytes"));
    }
    String::from_utf8(bytes).context("it is not UTF-8")
}

/// The scenario files of a folder, in the order of their names.
pub(crate) fn scenario_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = || format!("cannot list {}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)
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

/// A file's plan; its warnings, or all that is wrong with it, are printed.
pub(crate) fn plan(file: &Path, overrides: &OverrideArgs) -> Result<Plan, Failure> {
    accepted(file, parse(file, overrides)?)
}

/// What was parsed, unless there are mistakes; they and warnings are printed.
pub(crate) fn accepted(file: &Path, parsed: Result<Plan, Vec<Diagnostic>>) -> Result<Plan, Failure> {
    match parsed {
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
