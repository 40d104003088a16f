//! Every bound of this crate.

use std::time::Duration;

/// How often the log is looked at for news, and the clock of a replay moves on.
pub const TICK: Duration = Duration::from_millis(80);
/// The longest that the virtual time of a simulation waits before it looks whether it is to go on.
pub const TEMPO_SLICE: Duration = Duration::from_millis(20);
/// How long a replay of a whole run takes at first.
pub const REPLAY: Duration = Duration::from_secs(30);
/// The slowest and the fastest that time passes, in thousandths of real time.
pub const SPEEDS: (u64, u64) = (1, 100_000_000);
/// Rows of the tree that are laid out, the newest.
pub const MAX_ROWS: usize = 500;
/// The most bytes of a line in the prompt.
pub const MAX_PROMPT_BYTES: usize = 4_096;
/// Steps handed in here whose answers are waited for.
pub const MAX_PENDING: usize = 16;
