//! Every bound of this crate, with its source.

/// Blocks in flight from one peer (Bitcoin Core's `MAX_BLOCKS_IN_TRANSIT_PER_PEER`).
pub const MAX_BLOCKS_IN_FLIGHT_PER_PEER: usize = 16;
