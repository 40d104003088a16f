//! Targets and their compact form ("bits").

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::uint::U256;

/// A target in Bitcoin's compact form: a byte of exponent and three of mantissa, the highest bit a sign that no valid target has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CompactTarget(pub u32);

/// As `0x1d00ffff`.
impl fmt::Display for CompactTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

/// A 256-bit target: a header is proof of work when its hash, read as a little-endian number, is at most this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Target(pub U256);
