//! Every bound of this crate.

/// The most bytes of one log of a run. What comes after is not written: a peer must not be able to fill a disk (THREATS P16).
pub(crate) const MAX_LOG_BYTES: u64 = 16 << 20;
/// The most bytes of a cluster's state file.
pub(crate) const MAX_STATE_BYTES: u64 = 4 << 10;
/// The most that are attached to a cluster at a time.
pub(crate) const MAX_ATTACHED: usize = 8;
/// The most bytes of a line of a log; what is longer is cut there.
pub(crate) const MAX_LOG_LINE_BYTES: u64 = 64 << 10;
