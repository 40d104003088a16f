//! Arguments of the commands for clusters in the background, and for logs.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct PsArgs {
    /// Look for run folders in this folder
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(crate) out: PathBuf,
    /// Print the list as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AttachArgs {
    /// The cluster's run folder; nothing takes the one that runs
    pub(crate) run: Option<PathBuf>,
    /// Look for run folders in this folder
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct DownArgs {
    /// The cluster's run folder; nothing takes the one that runs
    #[arg(conflicts_with = "all")]
    pub(crate) run: Option<PathBuf>,
    /// End all of them, and clear away what killed ones left
    #[arg(long)]
    pub(crate) all: bool,
    /// Look for run folders in this folder
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The run's folder [default: runs/latest]
    pub(crate) run: Option<PathBuf>,
    /// Print the log of this node only; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Vec<String>,
    /// Go on until the run ends, or until Ctrl-C
    #[arg(short, long)]
    pub(crate) follow: bool,
}
