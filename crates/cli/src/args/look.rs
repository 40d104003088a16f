//! The arguments of the commands that look at a run's folder.

use std::path::PathBuf;

use base::Time;
use clap::Args;

use crate::values;

/// Which run to look at.
#[derive(Debug, Args)]
pub(crate) struct RunArg {
    /// The run's folder; the run may still go on
    #[arg(default_value = "runs/latest")]
    pub(crate) run: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// When to look at it.
#[derive(Debug, Args)]
pub(crate) struct AtArg {
    /// As it was at this time of the run, such as 1.5s [default: as the log ends]
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    pub(crate) at: Option<Time>,
}

#[derive(Debug, Args)]
pub(crate) struct TreeArgs {
    #[command(flatten)]
    pub(crate) run: RunArg,
    #[command(flatten)]
    pub(crate) at: AtArg,
    /// The lowest height to draw
    #[arg(long, value_name = "HEIGHT", default_value_t = 0)]
    pub(crate) from: u32,
    /// The greatest height to draw
    #[arg(long, value_name = "HEIGHT", default_value_t = u32::MAX, hide_default_value = true)]
    pub(crate) to: u32,
    /// The most rows; the newest are kept
    #[arg(long, value_name = "N", default_value_t = observe::limits::MAX_ROWS)]
    pub(crate) rows: usize,
}

#[derive(Debug, Args)]
pub(crate) struct ForksArgs {
    #[command(flatten)]
    pub(crate) run: RunArg,
    #[command(flatten)]
    pub(crate) at: AtArg,
    /// Only the fork of this number
    #[arg(long, value_name = "N")]
    pub(crate) fork: Option<usize>,
    /// Only forks that are open
    #[arg(long)]
    pub(crate) open: bool,
    /// The most forks; the newest are kept
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct ReorgsArgs {
    #[command(flatten)]
    pub(crate) run: RunArg,
    /// Only of this node
    #[arg(long, value_name = "NODE")]
    pub(crate) node: Option<String>,
    /// The most reorgs; the newest are kept
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// The block or transaction: its name, digits it begins with, or those that tables show
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) run: RunArg,
}

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    pub(crate) run: RunArg,
    /// Only events of this kind, such as reorg; may be given more than once
    #[arg(long = "kind", value_name = "KIND")]
    pub(crate) kinds: Vec<String>,
    /// Only events that this node tells; may be given more than once
    #[arg(long = "node", value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// Only events about this block or transaction: its name, or digits it begins with
    #[arg(long, value_name = "NAME")]
    pub(crate) about: Option<String>,
    /// Only events with this text in their line
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// Only events from this time of the run on, such as 1.5s
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    pub(crate) from: Option<Time>,
    /// Only events until this time
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    pub(crate) to: Option<Time>,
    /// The most events; the first are kept
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) limit: usize,
    /// Go on with what comes until the run ends
    #[arg(long)]
    pub(crate) follow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PropagationArgs {
    #[command(flatten)]
    pub(crate) run: RunArg,
    /// Only this block, node by node
    #[arg(long, value_name = "NAME")]
    pub(crate) block: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NodesArgs {
    #[command(flatten)]
    pub(crate) run: RunArg,
    #[command(flatten)]
    pub(crate) at: AtArg,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// One run's folder
    pub(crate) one: PathBuf,
    /// The other's
    pub(crate) other: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) run: RunArg,
}
