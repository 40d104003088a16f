//! Every bound of this crate, checked before anything is allocated.

use std::time::Duration;

/// The most bytes of a scenario file.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// The most nodes of a cluster.
pub const MAX_CLUSTER_NODES: usize = 1_000;
/// The most steps of a file.
pub const MAX_STEPS: usize = 10_000;
/// The most blocks of one `mine` step.
pub const MAX_MINE: u32 = 100_000;
/// The most bytes of a name.
pub const MAX_NAME_BYTES: usize = 32;
/// How long a run may take at most.
pub const MAX_LIMIT: Duration = Duration::from_secs(100 * 24 * 60 * 60);
/// How long an action may take to show its effect when its step gives no `within`.
pub const ACTION_PATIENCE: Duration = Duration::from_secs(30);
