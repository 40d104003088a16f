//! Arguments of commands that run many times: suites, sweeps, laws.

use std::num::NonZero;
use std::ops::Range;
use std::path::PathBuf;

use clap::Args;

use super::{EngineKind, OverrideArgs, key_value};
use crate::sweep::grid::{self, Axis};

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Scenario files, and folders of them
    #[arg(default_value = "scenarios")]
    pub(crate) paths: Vec<PathBuf>,
    /// What runs them
    #[arg(long, value_enum, default_value_t = EngineKind::Sim)]
    pub(crate) engine: EngineKind,
    /// Only files whose path holds this text
    #[arg(short = 'k', long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    #[command(flatten)]
    pub(crate) overrides: OverrideArgs,
    /// How many go on at a time [default: one for each core in virtual time, one on real nodes]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<NonZero<usize>>,
    /// Write a JUnit report, for continuous integration
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Print one JSON object at the end instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// Keep the run folders of scenarios that pass
    #[arg(long)]
    pub(crate) keep: bool,
    /// Put the run folders into this folder
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(crate) out: PathBuf,
    /// Print nothing but failures and the summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    /// The scenario file
    pub(crate) file: PathBuf,
    /// The seeds, both ends included, such as 0..99
    #[arg(long, value_name = "FIRST..LAST", value_parser = grid::seeds)]
    pub(crate) seeds: Range<u64>,
    /// A key and the values it takes, such as network.link.latency=10ms,50ms; given again, every value is combined with every other
    #[arg(long, value_name = "KEY=VALUE,...", value_parser = grid::axis)]
    pub(crate) vary: Vec<Axis>,
    /// Change a value of the file in every run
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,
    /// The CSV file, one row for each run; runs whose rows are there are not repeated [default: NAME-sweep.csv]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// How many runs go on at a time [default: one for each core]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZero<usize>>,
}

#[derive(Debug, Args)]
pub(crate) struct LawsArgs {
    /// Which, such as F1 and D2; nothing checks them all
    pub(crate) ids: Vec<String>,
    /// Take small samples and wide tolerances
    #[arg(long)]
    pub(crate) quick: bool,
}
