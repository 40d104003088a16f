//! Arguments of what is made of a run: views, exports, reports.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The run's folder; a run that goes on is followed
    #[arg(default_value = "runs/latest")]
    pub(crate) run: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The run's folder
    #[arg(default_value = "runs/latest")]
    pub(crate) run: PathBuf,
    /// What to write
    #[arg(short, long, value_enum)]
    pub(crate) format: FormatKind,
    /// Write it into this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum FormatKind {
    /// The blocks, one on a row
    Csv,
    /// The tree, for Graphviz
    Dot,
    /// The tree, for yEd, Gephi and networkx
    Graphml,
    /// The newest blocks of the tree, for Markdown
    Mermaid,
    /// The tree as a picture
    Svg,
    /// What happened on a time line, for ui.perfetto.dev and chrome://tracing
    Perfetto,
    /// A scenario file that does by itself what was done by hand
    Scenario,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The run's folder
    #[arg(default_value = "runs/latest")]
    pub(crate) run: PathBuf,
}
