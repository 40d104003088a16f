//! Every bound of this crate.

/// The most bytes of one log of a run. What comes after is not written: a peer must not be able to fill a disk (THREATS P16).
pub(crate) const MAX_LOG_BYTES: u64 = 16 << 20;
