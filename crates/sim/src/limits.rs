//! Every bound of this crate.

use std::time::Duration;

/// How long, in virtual time, planned links may take to come up before a run cannot start.
pub const MAX_CONNECT: Duration = Duration::from_secs(60);
/// How long, in virtual time, a network may take to grow quiet at the end of a run.
pub const MAX_SETTLE: Duration = Duration::from_secs(600);
/// How long a block takes that is mined on demand.
pub const ON_DEMAND: Duration = Duration::from_millis(1);
/// How long after a lost connection its dialler tries again.
pub const REDIAL: Duration = Duration::from_millis(50);
