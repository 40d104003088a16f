//! Every bound of this crate.

use std::time::Duration;

/// How long, in virtual time, planned links may take to come up before a run cannot start.
pub const MAX_CONNECT: Duration = Duration::from_secs(60);
/// How long, in virtual time, a network may take to grow quiet at the end of a run, beyond the time in which its narrowest link carries the
/// largest block.
pub const MAX_SETTLE: Duration = Duration::from_secs(600);
/// The longest that the largest block counts for in that.
pub const MAX_TRANSMISSION: Duration = Duration::from_secs(24 * 3_600);
/// How long a block takes that is mined on demand.
pub const ON_DEMAND: Duration = Duration::from_millis(1);
/// How long after a lost connection its dialler tries again.
pub const REDIAL: Duration = Duration::from_millis(50);
/// How many things happen before it is looked whether the run is to be interrupted.
pub const STEPS_AT_A_TIME: u32 = 1_024;
/// How deep below all tips bodies are kept, where deeper ones may go (Bitcoin Core's `MIN_BLOCKS_TO_KEEP`).
pub const KEPT_DEPTH: u32 = 288;
/// How many blocks come until what lies deeper goes.
pub const FORGET_EVERY: usize = 64;
/// For how many things that happen next it is prepared at a time.
pub const PREPARED: usize = 32;
/// Of how many that come later memory is asked for where one after the other is looked at.
pub const AHEAD: usize = 8;
/// From how many nodes on: what fewer need stays in a core's caches.
pub const PREPARED_FROM: usize = 5_000;
/// The same where there are payments.
pub const PREPARED_FOR_PAYMENTS_FROM: usize = 300;
