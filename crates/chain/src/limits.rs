//! Every bound of this crate, with its source.

/// The most bytes of a coinbase's tag.
pub const MAX_TAG_BYTES: usize = 32;
/// The most bytes of a transaction's memo (Bitcoin's long-standing limit on data outputs).
pub const MAX_MEMO_BYTES: usize = 80;
/// The most bytes of a transaction (Bitcoin Core's policy limit of 400,000 weight).
pub const MAX_TRANSACTION_BYTES: u32 = 100_000;
/// The most inputs and outputs of a transaction, together.
pub const MAX_TRANSACTION_SLOTS: usize = 2_000;
/// The most entries of a locator (Bitcoin Core's `MAX_LOCATOR_SZ`).
pub const MAX_LOCATOR: usize = 101;
/// Headers whose times the median is taken of (Bitcoin's `nMedianTimeSpan`).
pub const MEDIAN_TIME_SPAN: usize = 11;
/// The most verdicts on signatures that are remembered.
pub const MAX_REMEMBERED_SIGNATURES: usize = 1 << 15;
/// The most bytes of a network's name.
pub const MAX_NAME_BYTES: usize = 32;
/// Signatures of one block from which on checking them in parallel is worth its overhead.
pub const PARALLEL_SIGNATURES: usize = 16;
/// BIP94: the most seconds that the first block of a window may be earlier than its parent.
pub const MAX_TIMEWARP: u32 = 600;
