//! Words that every crate uses: time, hashes, node names, seeds and random numbers.
//!
//! `base` takes in only what three crates need, holds no policy and knows nothing of blocks or networks.

pub mod hash;
pub mod hex;
pub mod node_id;
pub mod prefetch;
pub mod rng;
pub mod seed;
pub mod time;

pub use hash::Hash;
pub use node_id::NodeId;
pub use prefetch::prefetch;
pub use rng::Rng;
pub use seed::Seed;
pub use time::Time;
