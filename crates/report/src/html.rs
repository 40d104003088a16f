//! `report.html`: one file that needs nothing else, no scripts, opened from disk.

mod forks;
mod tables;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chain::Height;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use observe::layout::View;
use observe::model::{Follow, FollowError, Model, Moment};
use thiserror::Error;

use crate::limits::{LONG_LOG, MAX_REPORT_BYTES, MAX_ROWS_OF_TREE};
use crate::svg::{self, Curves};
use crate::words::{clipped, span};

/// What was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// The report.
    pub report: PathBuf,
    /// The pictures beside it.
    pub plots: Vec<PathBuf>,
}

/// Why there is no report.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] FollowError),
    /// What nodes followed was written to disk and cannot be read back.
    #[error("cannot read back what nodes followed: {0}")]
    Arrivals(#[from] observe::arrivals::Unreadable),
    /// The log says nothing yet.
    #[error("the log has no events")]
    Empty,
    /// A file cannot be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What a run folder says besides its log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// What the scenario shows, in the words of its file.
    pub description: String,
    /// What names all that happened, for runs that repeat.
    pub digest: Option<String>,
    /// Broken invariants, in words.
    pub violations: Vec<String>,
}

/// Writes `report.html` and `plots/*.svg` into a run folder, from its log.
///
/// # Errors
/// When the log cannot be read, or a file not be written.
pub fn write(folder: &Path) -> Result<Written, ReportError> {
    let follow = Follow::open(folder)?;
    let model = follow.model();
    let page = page(model, &About::read(folder))?;
    let report = folder.join("report.html");
    replace(&report, &page)?;
    let plots = folder.join("plots");
    fs::create_dir_all(&plots).map_err(|source| ReportError::Write {
        path: plots.clone(),
        source,
    })?;
    let mut written = Vec::new();
    for (name, picture) in pictures(model)? {
        let path = plots.join(name);
        replace(&path, &picture.file())?;
        written.push(path);
    }
    Ok(Written { report, plots: written })
}

/// Whether a log of so many events is so long that whoever waits for its report wants to know why: seconds, in a release.
#[must_use]
pub const fn takes_a_while(events: u64) -> bool {
    events > LONG_LOG
}

/// A reader sees the old file or the new one, never half of one.
fn replace(path: &Path, text: &str) -> Result<(), ReportError> {
    let unfinished = path.with_extension("part");
    let written = fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, path));
    written.map_err(|source| ReportError::Write {
        path: path.to_owned(),
        source,
    })
}

/// The pictures that go beside the report, by their files' names.
fn pictures(model: &Model) -> Result<Vec<(String, svg::Picture)>, ReportError> {
    let end = model.at(model.now())?;
    let mut pictures = vec![("tree.svg".to_owned(), svg::tree(&end.tree(whole())))];
    if let Some(curves) = Curves::of(model) {
        pictures.push(("propagation.svg".to_owned(), svg::spread(&curves)));
    }
    for fork in forks::chosen(model) {
        if let Some(series) = model.fork_series(fork.id)? {
            let picture = svg::share(&series, forks::lasted(model, fork));
            pictures.push((format!("fork-{}.svg", fork.id), picture));
        }
    }
    Ok(pictures)
}

const fn whole() -> View {
    View {
        from: Height(0),
        to: Height(u32::MAX),
        rows: MAX_ROWS_OF_TREE,
    }
}

impl About {
    /// What the files of a run folder say; nothing of what is missing there.
    #[must_use]
    pub fn read(folder: &Path) -> Self {
        let source = fs::read_to_string(folder.join("scenario.toml")).unwrap_or_default();
        let summary = fs::read(folder.join("summary.json")).unwrap_or_default();
        let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap_or_default();
        let violations = summary["violations"].as_array().map_or(&[][..], Vec::as_slice);
        let words = |violation: &serde_json::Value| {
            let text = |key: &str| violation[key].as_str().unwrap_or_default().to_owned();
            let (rule, node) = (text("rule").replace('_', " "), text("node"));
            format!("{node} {rule}: expected {}, found {}", text("expected"), text("found"))
        };
        Self {
            description: scenario::description(&source),
            digest: summary["digest"].as_str().map(str::to_owned),
            violations: violations.iter().map(words).collect(),
        }
    }
}

/// The report.
///
/// # Errors
/// When the log says nothing, or cannot be read back.
pub fn page(model: &Model, about: &About) -> Result<String, ReportError> {
    let run = model.run().ok_or(ReportError::Empty)?;
    let end = model.at(model.now())?;
    let forks = forks::section(model)?;
    let body = html! {
        (header(model, about))
        main {
            (tables::steps(model))
            (forks)
            (tree(model, &end))
            (propagation(model))
            (tables::reorgs(model))
            (tables::nodes(model, &end))
        }
        (footer(model, about))
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (clipped(&run.scenario)) " · nakanet" }
                style { (PreEscaped(svg::STYLE)) (PreEscaped(include_str!("html/style.css"))) }
            }
            body { (body) }
        }
    };
    let page = page.into_string();
    assert!(page.len() <= MAX_REPORT_BYTES, "every part of a report is bounded");
    Ok(page)
}

fn header(model: &Model, about: &About) -> Markup {
    let Some(run) = model.run() else { return html! {} };
    let (verdict, kind) = match model.ended() {
        Some((_, ended)) if ended.ok => ("passed".to_owned(), "good"),
        Some((_, ended)) => (ended.reason.clone(), "bad"),
        None => ("no end recorded".to_owned(), "open"),
    };
    let totals = model.ended().map(|(_, ended)| ended.totals);
    let engine = if run.engine == "sim" {
        "virtual time"
    } else {
        "real nodes"
    };
    html! {
        header {
            p class="brand" { "nakanet run" }
            h1 { (clipped(&run.scenario)) " " span class=(format!("badge {kind}")) { (verdict) } }
            @if !about.description.is_empty() { p class="lead" { (clipped(&about.description)) } }
            dl class="facts" {
                (fact("engine", engine))
                (fact("seed", &run.seed))
                (fact("nodes", &run.participants.len().to_string()))
                (fact("lasted", &span(model.now().as_micros())))
                @if let Some(totals) = totals {
                    (fact("blocks", &totals.blocks.to_string()))
                    (fact("stale", &totals.stale.to_string()))
                    (fact("forks", &totals.forks.to_string()))
                    (fact("reorgs", &totals.reorgs.to_string()))
                }
            }
            @for violation in about.violations.iter().take(20) {
                p class="alarm" { "Broken invariant: " (clipped(violation)) }
            }
        }
    }
}

fn fact(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

fn tree(model: &Model, end: &Moment<'_>) -> Markup {
    let picture = end.tree(whole());
    let blocks = model.chain().len().saturating_sub(1);
    html! {
        section {
            h2 { "Blocks" }
            p class="hint" {
                (blocks) " blocks, the oldest on top; the chain with the most work on the left. Hollow blocks are stale. Beside a block: who followed it at the end."
            }
            div class="wide" { (svg::tree(&picture).inline()) }
        }
    }
}

fn propagation(model: &Model) -> Markup {
    let Some(curves) = Curves::of(model) else {
        return html! {};
    };
    let after = |share| {
        curves
            .median(share)
            .map_or("never".to_owned(), |after| span(micros(after)))
    };
    html! {
        section {
            h2 { "How fast blocks spread" }
            p class="hint" {
                "The share of nodes that had a block, over the time since it was mined: a thin line for each block, a thick one for the median block, "
                "which half of the nodes had after " (after(0.5)) " and nine of ten after " (after(0.9)) "."
            }
            div class="wide" { (svg::spread(&curves).inline()) }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a delay within a run"
)]
fn micros(seconds: f64) -> u64 {
    (seconds * 1e6) as u64
}

fn footer(model: &Model, about: &About) -> Markup {
    let Some(run) = model.run() else { return html! {} };
    html! {
        footer {
            @if let Some(digest) = &about.digest { p { "Digest " code { (digest) } } }
            p {
                "Scenario " code { (clipped(&run.file)) } ", SHA-256 " code { (run.scenario_sha256) } ". nakanet " (run.tool_version)
                ". The log is beside this file; " code { "nakanet watch" } " and " code { "nakanet serve" } " show it in motion."
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
