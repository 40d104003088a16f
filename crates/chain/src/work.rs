//! Work: how many hashes a chain stands for.

use crate::uint::U256;

/// The expected number of hashes behind a block or chain, 256 bits. Shown as Bitcoin Core's `chainwork`: 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Work(pub U256);
