//! Every bound of this crate, checked before anything is allocated.

use std::time::Duration;

/// The most bytes of a scenario file.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// The most bytes of the name of a file beside the scenario.
pub const MAX_FILE_NAME_BYTES: usize = 64;
/// The most bytes of a file of links.
pub const MAX_GRAPH_BYTES: usize = 32 << 20;
/// The most nodes of a scenario.
pub const MAX_NODES: usize = 100_000;
/// The most nodes of a cluster.
pub const MAX_CLUSTER_NODES: usize = 1_000;
/// The most steps of a file.
pub const MAX_STEPS: usize = 10_000;
/// The most loops that may stand in each other.
pub const MAX_LOOP_DEPTH: usize = 4;
/// The most blocks of one `mine` step.
pub const MAX_MINE: u32 = 100_000;
/// The most bytes of a name.
pub const MAX_NAME_BYTES: usize = 32;
/// How long a run may take at most.
pub const MAX_LIMIT: Duration = Duration::from_secs(100 * 24 * 60 * 60);
/// How long an action may take to show its effect when its step gives no `within`.
pub const ACTION_PATIENCE: Duration = Duration::from_secs(30);
/// The most reorgs that are remembered of a node.
pub const MAX_REORGS_KEPT: usize = 10_000;
/// The most hashes tried to give a broken block its proof of work.
pub const MAX_DEFECT_HASHES: u32 = 1 << 24;
/// The least mean time between two payments of a load.
pub const MIN_PAUSE: Duration = Duration::from_micros(100);
/// The most wallets of a load: with their inputs, outputs to all of them fit one transaction.
pub const MAX_LOAD_WALLETS: u32 = 1_500;
/// The most bytes that a block can stand for.
pub const MAX_BLOCK_SIZE: u64 = 1_000_000_000;
/// The most events of a run in virtual time that nobody insists on.
pub const MAX_EVENTS: u64 = 10_000_000_000;
/// The most bytes of memory of such a run.
pub const MAX_MEMORY: u64 = 8_000_000_000;
/// The most hashes of such a run: some minutes of one core.
pub const MAX_HASHES: u64 = 2_000_000_000;
/// The most links at the start.
pub const MAX_LINKS: usize = 2_000_000;
/// The most that the number of steps times the number of nodes may be: a step may name every node.
pub const MAX_STEPS_TIMES_NODES: usize = 20_000_000;
/// The longest delay, or jitter, of a link.
pub const MAX_DELAY: Duration = Duration::from_secs(60 * 60);
/// How many errors of one file are told; the rest is only counted.
pub const MAX_DIAGNOSTICS: usize = 100;
/// The most `--set` overrides of one run.
pub const MAX_OVERRIDES: usize = 1_000;
/// The most bytes of a step that an operator hands in.
pub const MAX_INSTRUCTION_BYTES: usize = 64 << 10;
/// The most steps of operators that go on at the same time.
pub const MAX_CONTROLS: usize = 16;
/// The most names of wallets, payments and cuts of a run: those of its file, and those that operators bring.
pub const MAX_RUN_NAMES: usize = 100_000;
