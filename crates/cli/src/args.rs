//! The command line.

mod background;
mod look;
mod made;
mod many;
mod node;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::values;

pub(crate) use background::{AttachArgs, DownArgs, LogsArgs, PsArgs};
pub(crate) use look::{
    DiffArgs, EventsArgs, ForksArgs, NodesArgs, PropagationArgs, ReorgsArgs, TreeArgs, VerifyArgs, WhyArgs,
};
pub(crate) use made::{ExportArgs, FormatKind, ReportArgs, WatchArgs};
pub(crate) use many::{LawsArgs, SweepArgs, TestArgs};
pub(crate) use node::{NodeArgs, NodeCommand, NodeVerifyArgs};

/// Launch networks of proof-of-work nodes, replay scenario files, and watch forks appear and resolve.
#[derive(Debug, Parser)]
#[command(name = "nakanet", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 passed, 1 an expectation failed, 2 bad input, 3 could not start, 4 a node died,
5 time limit, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a scenario file: on real nodes in real time, or in virtual time
    Run(RunArgs),
    /// Run a scenario file in virtual time: short for `run --engine sim`
    #[command(mut_arg("engine", |engine| engine.default_value("sim").hide(true)))]
    Sim(RunArgs),
    /// Repeat a recorded run in virtual time and find where it differs, if it does
    Rerun(RerunArgs),
    /// Run many scenario files, several at a time: one line each, and a summary
    Test(TestArgs),
    /// Look at a run in the terminal: wind it back, go from fork to fork, ask a block how it came to everyone
    Watch(WatchArgs),
    /// Write a run for other programs: a table, a graph, a picture, a time line, a scenario
    Export(ExportArgs),
    /// Write report.html and plots/ into a run folder again
    Report(ReportArgs),
    /// Run a scenario file many times in virtual time, over seeds and values, into one table
    Sweep(SweepArgs),
    /// Check the simulator against closed forms and published measurements
    Laws(LawsArgs),
    /// Draw a run's blocks and who follows which
    Tree(TreeArgs),
    /// Tell of each fork of a run: who was on which branch, for how long, what was lost and why
    Forks(ForksArgs),
    /// Tell of each reorg of a run
    Reorgs(ReorgsArgs),
    /// Tell what every node made of a block or transaction, and why it ended as it did
    Why(WhyArgs),
    /// Print events of a run's log
    Events(EventsArgs),
    /// Tell how a run's blocks spread
    Propagation(PropagationArgs),
    /// Tell what each node of a run follows
    Nodes(NodesArgs),
    /// Find the first event in which two runs differ
    Diff(DiffArgs),
    /// Check that a run's log holds together
    Verify(VerifyArgs),
    /// Find every mistake in scenario files without starting anything
    Check(CheckArgs),
    /// Show a run in the browser: the page of a run folder, finished or going on
    Serve(ServeArgs),
    /// List the scenario files of a folder and what each shows
    List(ListArgs),
    /// Explain an action, an expectation or a reject reason
    Explain(ExplainArgs),
    /// Print a JSON Schema, for editors and other tools
    Schema(SchemaArgs),
    /// Start an ad-hoc cluster that stays until Ctrl-C
    Up(UpArgs),
    /// List the clusters that run
    Ps(PsArgs),
    /// Look at a cluster in the background and give it steps, until Ctrl-C; it goes on
    Attach(AttachArgs),
    /// End a cluster in the background in good order
    Down(DownArgs),
    /// Print the logs of a run's nodes, merged by time
    Logs(LogsArgs),
    /// Run one node as its own process
    Node(NodeArgs),
    /// Call a method of a node's JSON-RPC interface
    Rpc(RpcArgs),
    /// Be one node of a run with `--nodes process`
    #[command(hide = true)]
    Worker,
}

/// What changes a scenario without editing its file.
#[derive(Debug, Args)]
pub(crate) struct OverrideArgs {
    /// Use this seed instead of the file's
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Change a value of the file, such as network.nodes=12 or network.link.latency=100ms; may be given more than once
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum EngineKind {
    /// Real nodes in real time: libp2p, SHA-256d mining, databases
    Cluster,
    /// Virtual time: the same nodes in one thread, the same bytes for the same seed
    Sim,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum NodesKind {
    /// All in one process
    Tasks,
    /// Each in a process of its own, under a supervisor
    Process,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum VerifyKind {
    /// All nodes share one ledger: a block is checked once
    Shared,
    /// Every node has a ledger of its own
    Each,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum DetailKind {
    /// Every event, messages among them
    Full,
    /// Messages are counted; of each block it is told how it spread
    Compact,
    /// Blocks mined, forks, reorgs, refusals
    Summary,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The scenario file
    pub(crate) file: PathBuf,
    /// What runs it
    #[arg(long, value_enum, default_value_t = EngineKind::Cluster)]
    pub(crate) engine: EngineKind,
    #[command(flatten)]
    pub(crate) overrides: OverrideArgs,
    #[command(flatten)]
    pub(crate) living: LivingArgs,
    /// Who checks blocks in virtual time; the digest is the same
    #[arg(long, value_enum, default_value_t = VerifyKind::Shared)]
    pub(crate) verify: VerifyKind,
    /// In virtual time, send every message through the wire's codec; slower, the digest is the same
    #[arg(long)]
    pub(crate) check_wire: bool,
    /// Run in virtual time even when the estimate says that it takes too much
    #[arg(long)]
    pub(crate) force: bool,
    /// How much the log tells; chosen by its estimated size when not given
    #[arg(long, value_enum)]
    pub(crate) detail: Option<DetailKind>,
    /// Print one JSON object at the end instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// Keep the nodes' folders (databases and keys) in the run folder
    #[arg(long)]
    pub(crate) keep: bool,
    /// Put the run folder into this folder
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(crate) out: PathBuf,
    /// Print nothing but failures and the verdict
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Look at the run in the terminal while it goes on, and hand in steps by key; virtual time passes slowly then
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) page: PageArgs,
}

/// The page beside a run.
#[derive(Debug, Args)]
pub(crate) struct PageArgs {
    /// Show it in the browser while it goes on and after, until Ctrl-C
    #[arg(long)]
    pub(crate) serve: bool,
    /// The page's port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0, requires = "serve")]
    pub(crate) port: u16,
    /// Serve the run's figures for Prometheus while it goes on, at http://127.0.0.1:N/metrics; 0 takes a free port
    #[arg(long, value_name = "N")]
    pub(crate) metrics: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The run's folder
    #[arg(default_value = "runs/latest")]
    pub(crate) run: PathBuf,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) port: u16,
}

#[derive(Debug, Args)]
pub(crate) struct RerunArgs {
    /// The run's folder, such as runs/latest
    pub(crate) run: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The scenario files
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) overrides: OverrideArgs,
    /// Print the diagnostics as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The folder
    #[arg(default_value = "scenarios")]
    pub(crate) folder: PathBuf,
    /// Print the list as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// An action (`partition`), an expectation (`converged`) or a reject reason (`bad-cb-amount`); nothing lists them all
    pub(crate) word: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// What to describe
    pub(crate) what: SchemaKind,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SchemaKind {
    /// Scenario files
    Scenario,
    /// The lines of a run's log
    Events,
}

/// Where real nodes live, and as what.
#[derive(Debug, Args)]
pub(crate) struct LivingArgs {
    /// Where real nodes live
    #[arg(long, value_enum, default_value_t = NodesKind::Tasks)]
    pub(crate) nodes: NodesKind,
    /// A program that `upgrade` steps can turn nodes into, when they are processes, such as next=/opt/nakanet; may be given more than once
    #[arg(long = "program", value_name = "NAME=PATH", value_parser = values::program)]
    pub(crate) programs: Vec<(String, String)>,
    /// Let the first real node listen for peers on this port of 127.0.0.1, the others on those that follow; 0 takes free ones
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) p2p_port: u16,
    /// Answer other people's tools for each real node, in Bitcoin Core's JSON-RPC (see `nakanet rpc`); with N, on this port and those that follow
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "0")]
    pub(crate) rpc: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// How many nodes
    #[arg(short = 'n', long = "count", value_name = "NODES", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) count: u32,
    #[command(flatten)]
    pub(crate) living: LivingArgs,
    /// The time between two blocks of the whole network, such as 2s; `off` mines nothing
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = values::interval_or_off)]
    pub(crate) mine_interval: String,
    /// One-way latency of every link, such as 50ms
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = values::latency)]
    pub(crate) latency: String,
    /// Peers that each node dials
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) outbound: u32,
    /// The seed of the topology and of all keys
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Come back when it is up, and leave it in the background: see ps, attach, logs, down; `serve` shows its folder
    #[arg(short, long, conflicts_with_all = ["serve", "metrics", "watch"])]
    pub(crate) detach: bool,
    /// Be the one that was left in the background, with this run folder
    #[arg(long, value_name = "FOLDER", hide = true, conflicts_with = "detach")]
    pub(crate) detached: Option<PathBuf>,
    /// Put the run folder into this folder
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(crate) out: PathBuf,
    /// Look at it in the terminal, and hand in steps by key
    #[arg(short, long, conflicts_with = "detached")]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) page: PageArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RpcArgs {
    /// The node: its data folder, its name in the latest run, or the address of its interface
    pub(crate) node: String,
    /// The method; `help` lists them all
    #[arg(default_value = "help")]
    pub(crate) method: String,
    /// Its arguments: text as it is, all else as JSON
    #[arg(allow_negative_numbers = true)]
    pub(crate) arguments: Vec<String>,
    /// The user, where the interface has one
    #[arg(long, value_name = "NAME", requires = "password")]
    pub(crate) user: Option<String>,
    /// The password of that user
    #[arg(long, value_name = "WORD", requires = "user")]
    pub(crate) password: Option<String>,
    /// Print text as JSON too
    #[arg(long)]
    pub(crate) json: bool,
    /// Where run folders are
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(crate) out: PathBuf,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("expected KEY=VALUE, such as network.nodes=12".to_owned()),
    }
}
